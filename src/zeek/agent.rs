//! `clusterctl/agent.zeek`, which answers status requests.

use super::table;
use crate::values::Version;

/// Returns the text of `clusterctl/agent.zeek`. Before 7.0 it is empty but for a comment: nobody could ask it.
pub fn agent_script(version: Version) -> String {
    if table::AGENT.has(version) {
        include_str!("../../templates/agent.zeek").to_owned()
    } else {
        "##! Written by clusterctl. Nodes of this Zeek version can't be asked for their status.\n".to_owned()
    }
}
