//! What a command comes to: shown as a table or as a JSON document, with an exit code.

use serde::Serialize;

use crate::error::Kind;
use crate::ui::Ui;

/// What a command comes to.
pub(crate) trait Report: Serialize {
    /// The kind of the JSON document; none for text that another program reads whatever `--output` says.
    fn kind(&self) -> Option<&'static str>;

    /// Shows it to people.
    fn show(&self, ui: &Ui);

    /// The kind of end, which decides the exit code; none where all is as it should be.
    fn end(&self) -> Option<Kind>;

    /// What the user should know first, whatever `--output` says.
    fn notes(&self) -> &[String] {
        &[]
    }
}

/// Returns the kind of end of an operation of which only a part went well.
pub(crate) fn partial(all: usize, failed: usize) -> Option<Kind> {
    match failed {
        0 => None,
        failed if failed < all => Some(Kind::Partial),
        _ => Some(Kind::Failed),
    }
}
