//! A stand-in for Zeek: it takes Zeek's command line, reads the scripts that matter to a cluster, joins the cluster
//! and answers on the control topics as Zeek does. For tests and for trying things where no Zeek is.

pub mod archiver;
pub mod control;
pub mod logs;
pub mod net;
pub mod node;
pub mod options;
pub mod script;
pub mod setup;
pub mod start;
pub mod status;
pub mod traffic;
pub mod version;
pub mod wire;

use std::io::Write as _;

/// Writes a line to stderr.
fn say(line: &str) {
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}
