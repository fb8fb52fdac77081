//! The commands, each one file or folder: its arguments, what it does, its report, and how that is shown.
//!
//! # How to add one
//!
//! 1. Write `src/commands/NAME.rs` with a struct of its arguments (`clap::Args`; its doc comment is the help), and
//!    implement [`Command`] for it: what it does to hosts, how its progress is shown, and `run`, which returns a
//!    [`Report`]: `Serialize` for JSON, `show` for people, `end` for the exit code.
//! 2. Add its `mod` line below, and its line to the table in `src/cli/table.rs`: from that come the parser, the
//!    completions, the help and the dispatch, so that a command that nobody runs does not compile.
//!
//! `run` reads the description with [`Session::load`] (offline) or [`Session::open`] (with its hosts), asks hosts by
//! [`crate::fleet::Fleet`] and nodes by [`crate::fleet::ask`], and never prints: what happens on the way is an event,
//! what came of it the report.

mod apply_plan;
pub(crate) mod args;
mod asked;
pub(crate) mod capstats;
pub(crate) mod check;
pub(crate) mod complete;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod deploy;
pub(crate) mod df;
pub(crate) mod diag;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod history;
mod hooks;
pub(crate) mod init;
pub(crate) mod layout;
pub(crate) mod logs;
pub(crate) mod maintain;
pub(crate) mod netstats;
pub(crate) mod nodes;
pub(crate) mod peerstatus;
pub(crate) mod print;
pub(crate) mod releases;
mod report;
pub(crate) mod restart;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod schema;
pub(crate) mod secrets;
mod session;
mod show;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod targets;
pub(crate) mod top;
pub(crate) mod traffic;
pub(crate) mod unlock;

use crate::error::CommandError;
use crate::ui::Progress;

pub(crate) use report::Report;
pub(crate) use session::Session;

/// What a command does to hosts: whether it needs them at all, and what an interrupt may cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// It works offline: it connects to none.
    Untouched,
    /// It only looks: an interrupt ends it at once.
    Read,
    /// It only looks, until it is told to end: a first interrupt is that.
    Watched,
    /// It changes what they run: a first interrupt lets it come to an orderly end.
    Changed,
}

/// A command: its arguments, and what comes of it.
pub(crate) trait Command {
    /// What it does to hosts.
    const HOSTS: Hosts;
    /// How its progress is shown where there is no terminal.
    const PROGRESS: Progress;
    /// Whether it can show its report in Prometheus' text format.
    const PROMETHEUS: bool = false;
    /// What it comes to.
    type Report: Report;

    /// Runs it.
    ///
    /// # Errors
    /// Where nothing came of it. What failed in part is in the report.
    async fn run(&self, session: &mut Session) -> Result<Self::Report, CommandError>;
}
