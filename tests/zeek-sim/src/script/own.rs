//! Zeek's own scripts: they are accepted without being read, and what they would do is done here.

use std::path::{Component, Path};

use crate::script::lexer::Place;
use crate::script::parser::Failure;
use crate::script::value::Value;
use crate::script::world::{WebSocketKind, WebSocketListen, World};
use crate::version::Version;

/// Zeek's policy scripts with the version that brought them and the one that dropped them, from the tags' folders.
const POLICY: &str = include_str!("../../data/policy.tsv");

/// What names of Zeek's own scripts begin with.
const ROOTS: &[&str] = &["base", "policy", "frameworks", "misc", "protocols", "tuning", "integration", "files"];
/// Names that a real installation has beside its policy scripts.
const INSTALLED: &[&str] = &["packages", "builtin-plugins", "zeekygen", "site", "Zeek"];

/// The name of a script of Zeek's own without `policy/`, `.zeek` and `__load__`; `None` for any other.
pub fn name(name: &str) -> Option<String> {
    let mut short = name.strip_suffix(".zeek").unwrap_or(name);
    short = short.strip_suffix("/__load__").unwrap_or(short).trim_end_matches('/');
    let root = short.split('/').next()?;
    if !ROOTS.contains(&root) && !INSTALLED.contains(&root) || short == "site" {
        return None;
    }
    Some(short.strip_prefix("policy/").unwrap_or(short).to_owned())
}

/// Whether a file that bears a name of Zeek's is someone else's: it lies in no folder of Zeek's.
pub fn is_foreign(file: &Path) -> bool {
    !file.components().any(|c| matches!(c, Component::Normal(n) if n == "policy" || n == "base"))
}

/// Whether the version has a policy script; `None` if no version has it.
fn exists(script: &str, version: &Version) -> Option<bool> {
    POLICY.lines().find_map(|line| {
        let mut columns = line.split('\t');
        (columns.next() == Some(script)).then(|| in_range(columns.next(), columns.next(), version))
    })
}

/// Whether a version lies in a range of the tables: from the first, to before the second or without end (`-`).
pub fn in_range(from: Option<&str>, to: Option<&str>, version: &Version) -> bool {
    let at = |text: Option<&str>| text.and_then(Version::parse).map(|v| v.number);
    at(from).is_some_and(|f| version.number >= f) && at(to).is_none_or(|t| version.number < t)
}

/// Accepts a script of Zeek's own and does what the stand-in has to know of it.
///
/// # Errors
/// Fails if the version has no such script.
pub fn accept(world: &mut World, script: &str, as_written: &str, from: Option<&Place>) -> Result<(), Failure> {
    let root = script.split('/').next().unwrap_or_default();
    let plausible = root == "base" || INSTALLED.contains(&root);
    if !exists(script, &world.version).unwrap_or(plausible) {
        return Err(Failure::fatal(from, format!("can't find {as_written}")));
    }
    let script = script.strip_suffix("/main").unwrap_or(script);
    if world.has_own(script) {
        return Ok(());
    }
    world.own_scripts.push(script.to_owned());
    match script {
        "frameworks/cluster/backend/zeromq" | "frameworks/cluster/backend/zeromq/connect" => zeromq(world),
        "frameworks/cluster/backend/broker" => {
            set(world, "Cluster::backend", Value::Enum("Cluster::CLUSTER_BACKEND_BROKER".into()));
        }
        _ => {}
    }
    Ok(())
}

/// What `policy/frameworks/cluster/backend/zeromq/main.zeek` redefines.
fn zeromq(world: &mut World) {
    set(world, "Cluster::backend", Value::Enum("Cluster::CLUSTER_BACKEND_ZEROMQ".into()));
    for role in ["logger", "manager", "proxy", "worker"] {
        set(world, &format!("Cluster::{role}_topic"), Value::Text(format!("zeek.cluster.{role}")));
    }
    let is_manager = world.local_type() == "MANAGER";
    set(world, "Cluster::Backend::ZeroMQ::run_proxy_thread", Value::Bool(is_manager));
    if world.writes_logs()
        && let Some((ip, port)) = world.me().and_then(|n| Some((n.ip, n.port?)))
    {
        let endpoint = if ip.is_ipv6() { format!("tcp://[{ip}]:{port}") } else { format!("tcp://{ip}:{port}") };
        set(world, "Cluster::Backend::ZeroMQ::listen_log_endpoint", Value::Text(endpoint));
    }
}

/// Whether the scripts make a ZeroMQ node connect: up to 8.0 only `.../zeromq/connect` does.
pub fn zeromq_connects(world: &World) -> bool {
    world.is_zeromq() && (world.version.since(8, 1) || world.has_own("frameworks/cluster/backend/zeromq/connect"))
}

/// What `policy/frameworks/cluster/websocket/server.zeek` does.
pub fn websocket_server(world: &mut World) {
    if !world.has_own("frameworks/cluster/websocket/server") {
        return;
    }
    let text = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let host = text("ZEEK_WEBSOCKET_LISTEN_ADDRESS").unwrap_or_else(|| "127.0.0.1".into());
    let port = text("ZEEK_WEBSOCKET_LISTEN_PORT").and_then(|p| p.parse().ok()).unwrap_or(27759);
    let host = host.trim_matches(['[', ']']).to_owned();
    world.websockets.push(WebSocketListen { kind: WebSocketKind::Cluster, host, port });
}

fn set(world: &mut World, name: &str, value: Value) {
    world.globals.insert(name.to_owned(), value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_which_names_are_zeeks() {
        assert_eq!(name("policy/frameworks/control/controllee.zeek").as_deref(), Some("frameworks/control/controllee"));
        assert_eq!(
            name("frameworks/cluster/backend/zeromq/__load__").as_deref(),
            Some("frameworks/cluster/backend/zeromq")
        );
        assert_eq!(name("local"), None);
        assert_eq!(name("clusterctl/agent"), None);
    }

    #[test]
    fn policy_scripts_come_and_go() {
        let at = |script: &str, v: &str| exists(script, &Version::parse(v).unwrap());
        assert_eq!(at("frameworks/cluster/backend/zeromq/options", "8.2.0"), Some(false));
        assert_eq!(at("frameworks/cluster/backend/zeromq/options", "9.0.0-rc1"), Some(true));
        assert_eq!(at("frameworks/cluster/backend/zeromq", "7.0.4"), Some(false));
        assert_eq!(at("misc/load-balancing", "7.1.0"), Some(false));
        assert_eq!(at("misc/nonsense", "8.0.10"), None);
    }
}
