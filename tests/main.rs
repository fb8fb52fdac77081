//! The one integration test binary.

mod cli;
mod completion;
mod generated;
mod golden;
mod lab;
mod local;
mod rooms;
mod support;
