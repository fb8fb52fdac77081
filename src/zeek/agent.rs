//! `clusterctl/agent.zeek`, which answers status requests.

use super::table;
use crate::values::Version;

/// Returns the text of `clusterctl/agent.zeek`. Before 7.0 it is empty but for a comment: nobody could ask it.
pub fn agent_script(version: Version) -> String {
    if !table::AGENT.has(version) {
        return "##! Written by clusterctl. Nodes of this Zeek version can't be asked for their status.\n".to_owned();
    }
    let answer = if table::WEBSOCKET_BROKER.has(version) {
        include_str!("../../templates/agent-relay.zeek")
    } else {
        include_str!("../../templates/agent-direct.zeek")
    };
    [include_str!("../../templates/agent.zeek"), answer].concat()
}
