//! `clusterctl/agent.zeek`, which answers what clusterctl asks.

use super::table;
use crate::cluster::Cluster;
use crate::values::{Toggle, Version};

/// Returns the text of `clusterctl/agent.zeek`. Before 7.0 it is empty but for a comment: nobody could ask it.
pub fn agent_script(cluster: &Cluster, version: Version) -> String {
    if !table::AGENT.has(version) {
        return "##! Written by clusterctl. Nodes of this Zeek version can't be asked for their status.\n".to_owned();
    }
    let relay = table::WEBSOCKET_BROKER.has(version);
    let mut script = include_str!("../../templates/agent.zeek").to_owned();
    script.push_str(if relay {
        include_str!("../../templates/agent-relay.zeek")
    } else {
        include_str!("../../templates/agent-direct.zeek")
    });
    if cluster.checks.traffic == Toggle::On {
        script.push_str(include_str!("../../templates/traffic.zeek"));
        script.push_str(if relay {
            include_str!("../../templates/traffic-relay.zeek")
        } else {
            include_str!("../../templates/traffic-direct.zeek")
        });
    }
    script
}
