//! `status --wait`: asks again until all is well, or the time is over.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::status;
use super::types::{StatusReport, Trouble};
use crate::fleet::{Fleet, Selection};
use crate::ui::Ui;
use crate::values::count;

/// How long after an answer the next question comes.
const AGAIN: Duration = Duration::from_secs(1);

/// Returns the first status in which all is well, or the last one within the time. Hosts are asked at least once, however
/// short the time is.
pub(super) async fn until_well(ui: Ui, fleet: &Fleet, selection: &Selection, longest: Duration) -> StatusReport {
    let limit = Instant::now() + longest;
    let mut told = String::new();
    let mut report = status(fleet, selection).await;
    while !report.is_ok() {
        let waits = what_is_awaited(&report.troubles);
        if waits != told {
            ui.say(&waits);
            told = waits;
        }
        let next = Instant::now() + AGAIN;
        sleep_until(next.min(limit)).await;
        if next >= limit {
            break;
        }
        match timeout_at(limit, status(fleet, selection)).await {
            Ok(newer) => report = newer,
            // What was known before is all that is known in time.
            Err(_) => break,
        }
    }
    if !report.is_ok() {
        ui.say(&format!("not all is well after {}", humantime::format_duration(longest)));
    }
    report
}

/// Says in one line what is wrong.
fn what_is_awaited(troubles: &[Trouble]) -> String {
    let Some(first) = troubles.first() else { return String::new() };
    let more = match troubles.len() - 1 {
        0 => String::new(),
        more => format!("; and {}", count(more, "more problem")),
    };
    format!("waiting: {}: {}{more}", first.subject, first.what)
}
