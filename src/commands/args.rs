//! Arguments that several commands have.

use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use crate::values::{Interval, Share};

#[derive(Debug, Args)]
pub(crate) struct Selectors {
    /// Nodes: a name, a glob, a group, a role (manager, loggers, proxies, workers, all) or @host; default: all
    #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    pub(crate) selectors: Vec<String>,
}

/// Whether and when to act.
#[derive(Debug, Args)]
pub(crate) struct ConfirmArgs {
    /// Do not ask before acting
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Stop after the plan
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What may be left out, and how many at a time.
#[derive(Debug, Args)]
pub(crate) struct RolloutArgs {
    /// Skip hosts that run only workers, such as @sensor3; `resume` brings them up to date later
    #[arg(long, value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    pub(crate) skip: Vec<String>,
    /// How many workers may fail or be unreachable without a rollback: a number, or a share such as 10%
    #[arg(long, value_name = "N|P%", default_value_t = Share::NONE)]
    pub(crate) allow_failed: Share,
    /// How many workers restart at a time, in whole capture groups: a number, or a share such as 10%
    #[arg(long, value_name = "N|P%", value_parser = some_of)]
    pub(crate) max_unavailable: Option<Share>,
}

fn some_of(text: &str) -> Result<Share, String> {
    match text.parse()? {
        Share::Number(0) | Share::Percent(0) => Err("must be at least 1 or 1%".to_owned()),
        share => Ok(share),
    }
}

/// Reads a duration of any length.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    text.parse().map(|Interval(duration)| duration)
}

/// Reads a duration from a second to an hour.
pub(crate) fn up_to_an_hour(text: &str) -> Result<Duration, String> {
    match text.parse()? {
        Interval(duration) if (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&duration) => Ok(duration),
        duration => Err(format!("must be between 1s and 1h, not {duration}")),
    }
}

/// Reads a duration of whole seconds, as a shell's `sleep` takes them, up to so many.
pub(crate) fn seconds_up_to(most: u64, text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if !(1..=most).contains(&duration.as_secs()) || duration.subsec_nanos() > 0 {
        return Err(format!("must be whole seconds from 1s to {most}s"));
    }
    Ok(duration)
}
