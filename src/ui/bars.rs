//! The progress bars that are drawn now, which what is written has to go around.

use std::sync::{Mutex, PoisonError};

use indicatif::MultiProgress;

/// The bars that are drawn now.
static DRAWN: Mutex<Option<MultiProgress>> = Mutex::new(None);

fn drawn() -> Option<MultiProgress> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(super) fn draw(bars: Option<MultiProgress>) {
    *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = bars;
}

/// Tells whether there are bars.
pub(super) fn is_drawn() -> bool {
    drawn().is_some()
}

/// Writes lines above the bars; returns whether there are bars. A bar that ticks draws itself at any moment, so that only
/// the bars themselves can write in one go (their `suspend` panics on a terminal that is gone).
pub(super) fn above(text: &str) -> bool {
    let Some(bars) = drawn() else { return false };
    // A terminal that is gone ends nothing.
    let _ = bars.println(text);
    true
}
