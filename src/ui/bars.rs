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

/// Writes while the bars are out of the way.
pub(super) fn above(write: impl FnOnce()) {
    match drawn() {
        // They are drawn again with their next step. Their own `suspend` panics on a terminal that is gone.
        Some(bars) => {
            let _ = bars.clear();
            write();
        }
        None => write(),
    }
}
