//! The one integration test binary.

#[cfg(test)]
mod agreed;
#[cfg(test)]
mod altered;
#[cfg(test)]
mod apart;
#[cfg(test)]
mod asks;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod captured;
#[cfg(test)]
mod check;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod combinations;
#[cfg(test)]
mod crashing_check;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod diag;
#[cfg(test)]
mod disabled;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod environment;
#[cfg(test)]
mod executed;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hints;
#[cfg(test)]
mod history;
#[cfg(test)]
mod honest_plans;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod kept_logs;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod local;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod logs_shown;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod names;
#[cfg(test)]
mod odd;
#[cfg(test)]
mod pages;
mod peers;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod rollback;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod runner;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod seen;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod support;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod told;
#[cfg(test)]
mod top;
#[cfg(test)]
mod traffic;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod ways;
#[cfg(test)]
mod words;
