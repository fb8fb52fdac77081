//! What a user sees: the only place that prints. stdout carries the result, stderr the talk. Knows no command.
//!
//! * `console`: results, talk, errors, questions;
//! * `log`: a file that keeps what is told;
//! * `progress`, `bars`: events as progress bars or plain lines;
//! * `table`: tables that fit;
//! * `screen`: a full screen that is redrawn in place, and its keys;
//! * `escape`, `stream`: what may be sent to a terminal, and what it can show.

mod bars;
mod console;
mod escape;
mod log;
mod progress;
mod screen;
mod stream;
mod table;

pub use console::{Output, SCHEMA, Ui, at_terminal, log, unwritten, written};
pub use log::keep_log;
pub use progress::{Progress, follow};
pub use stream::Color;

pub(crate) use crate::error::typed;
pub(crate) use console::complain;
pub(crate) use escape::{escape_control, in_line};
pub(crate) use screen::{Key, Piece, Screen, can_fill_screen};
pub(crate) use stream::{Stream, Tone};
pub(crate) use table::{Cell, Column, grid, table};
