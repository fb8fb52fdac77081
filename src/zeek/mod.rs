//! What differs by Zeek version; literals; the layout, the generated scripts and the command line. Pure.
//!
//! Every function takes the version it writes for. [`check`] comes first: it tells what that version can't do, and what
//! the others write is valid Zeek only for a cluster in which it finds nothing.

mod agent;
mod check;
mod diagram;
mod layout;
mod literal;
mod live;
mod options;
mod policy;
mod ports;
mod run;
mod table;

pub use agent::agent_script;
pub use check::{check, known};
pub use diagram::{layout_json, layout_mermaid};
pub use layout::{LayoutEntries, layout, layout_entry};
pub use literal::text as text_literal;
pub use live::{ANSWERS, Live, Topics, live, topics};
pub use options::{TLS_FILES, TLS_PASSPHRASE, TlsFile, options_script};
pub use policy::known_scripts;
pub use ports::{Listens, listens};
pub use run::{command_line, environment, node_script, zeekpath};
pub use table::{NEWEST, OLDEST, backend, curve, rotates_leftovers, why_no_curve};

/// Where [`options_script`] goes, below the folder that stands first in ZEEKPATH.
pub const OPTIONS_PATH: &str = "clusterctl/options.zeek";
/// Where [`agent_script`] goes.
pub const AGENT_PATH: &str = "clusterctl/agent.zeek";
/// Where [`layout`] goes: the framework loads it by this name.
pub const LAYOUT_PATH: &str = "cluster-layout.zeek";

/// Returns where a node's own script ([`node_script`]) goes.
pub fn node_script_path(node: &str) -> String {
    format!("clusterctl/nodes/{node}.zeek")
}
