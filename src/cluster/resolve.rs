//! Spec -> Cluster. Pure: the same description gives the same cluster on any machine; no file is read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::hosts::{self, Hosts};
use super::model::{
    AfPacket, Archive, Backend, Checks, Cluster, Compress, Curve, Hooks, LayoutInputs, Logs, Metrics, Node, Ports,
    Redef, Restart, Role, RunnerKind, Store, Timeouts, Zeek, ZeekValue, keep,
};
use super::nodes::{self, Nodes};
use super::problems::Problems;
use super::settings::{self, check_env, check_interval, check_limits, check_redefs, check_texts};
use super::{capture, checks, expand, fanout, groups, natural_order, ports};
use crate::error::{At, Place, Problem};
use crate::spec::{self, Listen, LogAge, Spec, StringList};
use crate::values::{Interval, Network, Toggle, is_zeek_identifier};

const BASE_PORT: u16 = 27760;
const METRICS_PORT: u16 = 9991;
const CONTROL_PORT: u16 = 27759;
const ROTATE: Duration = Duration::from_secs(3600);
const LATE: Duration = Duration::from_secs(600);
/// As ZeekControl's `MinDiskSpace`.
const MIN_FREE: u8 = 5;
const READY: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(60);
const CONTROL: Duration = Duration::from_secs(5);
/// What a timeout may be: from, to, and whether zero turns it off.
const TIMEOUTS: (Duration, Duration, bool) = (Duration::from_secs(1), Duration::from_secs(6 * 3600), false);
/// How often logs may rotate.
const ROTATIONS: (Duration, Duration, bool) = (Duration::from_secs(1), Duration::from_secs(366 * 24 * 3600), true);
/// From when on a log may be late.
const LATES: (Duration, Duration, bool) = (Duration::from_secs(1), Duration::from_secs(366 * 24 * 3600), false);

/// How many bytes the resolved cluster may take, as a release has it: each node has its own copy of its group's
/// settings. A host's longest line is little more (src/transport/frame.rs), and it is read back from hosts.
const RESOLVED: usize = 14 * 1024 * 1024;
/// About what a node takes of it beside its texts.
const NODE: usize = 350;

/// Makes the cluster of a description, or tells all that is wrong with it; `broken` is what of it could not be read, and
/// `dir` its folder, absolute. The cluster is there exactly when all could be read and there is no problem but warnings.
pub fn resolve(spec: &Spec, broken: &BTreeSet<Place>, dir: &Path) -> (Option<Cluster>, Vec<Problem>) {
    let mut problems = Problems::new(broken);
    let name = spec.cluster.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default();
    if spec.cluster.is_none() {
        let place = Place::of(&["cluster"]);
        let problem = Problem::value(Place::root(), "the cluster has no name", "").help("begin with `cluster: NAME`");
        problems.missing(&place, problem);
    }
    let ports = ports(spec, &mut problems);
    let hosts = hosts::resolve(spec, &mut problems);
    hosts::check_ssh(&spec.ssh, &Place::of(&["ssh"]), &mut problems);
    hosts::check_listen(spec, &mut problems);
    let removed = hosts::removed(spec, &mut problems);
    let mut nodes = groups::resolve(spec, &hosts, &mut problems);
    if check_size(spec, &hosts, &nodes, &mut problems) {
        expand::expand(&mut nodes, &ports, &mut problems);
    }
    checks::roles(spec, &nodes, &mut problems);
    checks::distinct(&nodes, &mut problems);
    capture::check(spec, &nodes, &mut problems);
    checks::names(&nodes, &mut problems);
    let metrics = spec.metrics.listen.unwrap_or(Metrics::Loopback);
    let backend = spec.zeek.backend;
    ports::check(&nodes, &ports, metrics, backend, &mut problems);
    let fanout = fanout::assign(&nodes, &mut problems);
    let zeek = zeek(spec, dir, &name, backend, &nodes, &mut problems);
    let logs = logs(spec, &mut problems);
    let timeouts = timeouts(spec, &mut problems);
    let hooks = hooks(spec, dir, &mut problems);
    check_limits(&spec.limits, &Place::of(&["limits"]), &mut problems);
    let (problems, warnings) = problems.into_lists();
    if !problems.is_empty() || !broken.is_empty() {
        return (None, [problems, warnings].concat());
    }
    let nodes = finish(spec, dir, &hosts, &nodes, metrics, &fanout);
    let cluster = Cluster {
        name,
        zeek,
        ports,
        metrics,
        textfile: spec.metrics.textfile.as_ref().map(|path| path.as_str().to_owned()),
        logs,
        checks: Checks { traffic: spec.checks.traffic.unwrap_or(Toggle::On) },
        timeouts,
        hooks,
        runner: spec.runner.unwrap_or(RunnerKind::Process),
        restart: spec.restart.unwrap_or(Restart::OnCrash),
        keep: spec.releases.keep.map_or_else(keep, |n| usize::from(n.get())),
        layout_inputs: spec.layout.unwrap_or(LayoutInputs::Minimal),
        hosts: hosts.list,
        nodes,
        elsewhere: hosts::elsewhere(spec),
        removed,
    };
    (Some(cluster), warnings)
}

fn ports(spec: &Spec, problems: &mut Problems<'_>) -> Ports {
    let base = spec.ports.base.map_or(BASE_PORT, |port| port.0);
    let metrics = spec.ports.metrics.map_or(METRICS_PORT, |port| port.0);
    for (key, port) in [("base", base), ("metrics", metrics)] {
        if ports::capacity(Role::Worker, port) == 0 {
            let place = Place::of(&["ports", key]);
            let message = format!("`ports.{key}` {port} is too high: automatic ports stay below 32768");
            let usual = if key == "base" { BASE_PORT } else { METRICS_PORT };
            let help = format!("write at most 32567, such as {usual}");
            problems.push(Problem::value(place, message, "too high").help(help));
        }
    }
    let control = spec.ports.control.map_or(CONTROL_PORT, |port| port.0);
    Ports { base, metrics, control, xpub: base, xsub: base.saturating_add(1) }
}

fn hooks(spec: &Spec, dir: &Path, problems: &mut Problems<'_>) -> Hooks {
    let mut hook = |name: &str, list: &StringList| {
        if list.0.first().is_some_and(String::is_empty) {
            let place = Place::of(&["hooks"]).key(name);
            problems.push(Problem::value(place, "a hook begins with the name of a program", "this one is empty"));
        }
        list.0.clone()
    };
    let spec = &spec.hooks;
    Hooks {
        pre_deploy: hook("pre_deploy", &spec.pre_deploy),
        post_deploy: hook("post_deploy", &spec.post_deploy),
        pre_stop: hook("pre_stop", &spec.pre_stop),
        post_start: hook("post_start", &spec.post_start),
        dir: dir.to_owned(),
    }
}

fn logs(spec: &Spec, problems: &mut Problems<'_>) -> Logs {
    let place = Place::of(&["logs"]);
    let rotate = spec.logs.rotate.map_or(ROTATE, |interval| interval.0);
    check_interval(spec.logs.rotate, ROTATIONS, place.key("rotate"), problems);
    check_interval(spec.logs.late, LATES, place.key("late"), problems);
    if let Some(LogAge(expire)) = spec.logs.expire {
        if spec.logs.archive == Some(spec::ArchiveSpec::Off) {
            let problem =
                Problem::key(place.key("expire"), "logs expire only in the archive, and the archive is off", "")
                    .help("remove `archive: off`: by default there is an archive");
            problems.push(problem);
        }
        if expire.0.is_zero() {
            let problem = Problem::value(place.key("expire"), "logs would expire at once", "zero");
            problems.push(problem.help("leave `expire` out to keep archived logs for ever"));
        } else if expire.0 < rotate {
            let message = format!("logs would expire after {expire}, before they rotate ({})", Interval(rotate));
            problems.push(Problem::value(place.key("expire"), message, "too short"));
        }
    }
    Logs {
        archive: match &spec.logs.archive {
            None => Archive::Spool,
            Some(spec::ArchiveSpec::Off) => Archive::Off,
            Some(spec::ArchiveSpec::Folder(path)) => Archive::Folder(path.as_str().to_owned()),
        },
        rotate,
        expire: spec.logs.expire.map(|LogAge(interval)| interval.0),
        compress: spec.logs.compress.unwrap_or(Compress::Gzip),
        late: spec.logs.late.map_or(LATE, |interval| interval.0),
        min_free: spec.logs.min_free.map_or(MIN_FREE, |percent| percent.0),
    }
}

fn timeouts(spec: &Spec, problems: &mut Problems<'_>) -> Timeouts {
    let mut of = |key: &str, interval: Option<Interval>, default: Duration| {
        check_interval(interval, TIMEOUTS, Place::of(&["timeouts", key]), problems);
        interval.map_or(default, |interval| interval.0)
    };
    Timeouts {
        ready: of("ready", spec.timeouts.ready, READY),
        stop: of("stop", spec.timeouts.stop, STOP),
        control: of("control", spec.timeouts.control, CONTROL),
    }
}

fn zeek(
    spec: &Spec,
    dir: &Path,
    name: &str,
    backend: Option<Backend>,
    nodes: &Nodes<'_>,
    problems: &mut Problems<'_>,
) -> Zeek {
    let place = Place::of(&["zeek"]);
    let of = &spec.zeek;
    check_env(&of.env, &place.key("env"), problems);
    check_redefs(&of.redefs, &place.key("redefs"), problems);
    for (key, texts) in [("scripts", &of.scripts), ("args", &of.args), ("site_data", &of.site_data)] {
        check_texts(texts, &place.key(key), problems);
    }
    for (at, glob) in of.site_data.0.iter().enumerate() {
        if let Err(error) = globset::Glob::new(glob) {
            let message = format!("`{glob}` is not a glob: {}", error.kind());
            problems.push(Problem::value(place.key("site_data").index(at), message, ""));
        }
    }
    if of.site.as_ref().is_some_and(|site| site.is_empty() || site.chars().any(char::is_control)) {
        problems.push(Problem::value(place.key("site"), "this is not the name of a folder", ""));
    }
    Zeek {
        version: of.version,
        backend,
        curve: of.curve.unwrap_or(Curve::Auto),
        tls: of.tls.as_ref().and_then(|tls| settings::tls(tls, dir, problems)),
        accept_unencrypted_zeromq: of.accept_unencrypted_zeromq.unwrap_or(false),
        site: of.site.as_ref().map(|site| plain(&dir.join(site))),
        site_data: of.site_data.0.clone(),
        scripts: of.scripts.0.clone(),
        local_networks: local_networks(spec, problems),
        options: options(spec, problems),
        stores: stores(spec, nodes, problems),
        global_hash_seed: of.global_hash_seed.clone().unwrap_or_else(|| seed(name)),
    }
}

/// A path without `.` parts, as text.
fn plain(path: &Path) -> String {
    path.components().collect::<std::path::PathBuf>().to_string_lossy().into_owned()
}

/// A seed that is equal on all nodes and the same over deploys.
fn seed(name: &str) -> String {
    let digest = Sha256::digest(format!("clusterctl global_hash_seed {name}"));
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn local_networks(spec: &Spec, problems: &mut Problems<'_>) -> Vec<(ipnet::IpNet, String)> {
    let mut seen = HashMap::new();
    let mut networks = Vec::new();
    for (text, comment) in spec.zeek.local_networks.iter() {
        let place = Place::of(&["zeek", "local_networks", text]);
        match text.parse::<Network>() {
            Err(why) => problems.push(Problem::key(place, why, "not a network")),
            Ok(Network(net)) => match seen.insert(net, text) {
                None => networks.push((net, comment.clone().unwrap_or_default())),
                Some(first) => {
                    let problem = Problem::key(place, format!("the network {net} is given twice"), "again");
                    let first = Place::of(&["zeek", "local_networks", first]);
                    problems.push(problem.also(first, At::Key, "first"));
                }
            },
        }
        if comment.as_ref().is_some_and(|comment| comment.chars().any(char::is_control)) {
            let place = Place::of(&["zeek", "local_networks", text]);
            problems.push(Problem::value(place, "the comment contains a control character", ""));
        }
    }
    networks
}

fn options(spec: &Spec, problems: &mut Problems<'_>) -> BTreeMap<String, ZeekValue> {
    for (name, _) in spec.zeek.options.iter() {
        let place = Place::of(&["zeek", "options", name]);
        if name == "manager_is_logger" {
            let problem = Problem::key(place, "`manager_is_logger` follows from the nodes", "can't be set");
            problems.push(problem.help("it is true exactly when there is no logger"));
        } else if matches!(name, "nodes" | "node") {
            problems.push(Problem::key(place, format!("`{name}` follows from the nodes"), "can't be set"));
        } else if let Some(rest) = name.strip_prefix("Cluster::") {
            let problem = Problem::key(place, "options are written without `Cluster::`", "");
            problems.push(problem.help(format!("write `{rest}`")));
        } else if !is_zeek_identifier(name) || name.contains(':') {
            problems.push(Problem::key(place, format!("`{name}` is not an option of the Cluster framework"), ""));
        }
    }
    spec.zeek.options.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

fn stores(spec: &Spec, nodes: &Nodes<'_>, problems: &mut Problems<'_>) -> BTreeMap<String, Store> {
    let names: HashSet<&str> = nodes.drafts.iter().map(|draft| draft.name.as_str()).collect();
    let mut stores = BTreeMap::new();
    for (name, store) in spec.zeek.stores.iter() {
        let place = Place::of(&["zeek", "stores", name]);
        if name.is_empty() || name.chars().any(char::is_control) {
            problems.push(Problem::key(place.clone(), format!("{name:?} is not the name of a store"), ""));
        }
        if let Some(node) = store.master_node.as_deref().filter(|node| !node.is_empty() && !names.contains(node)) {
            let message = format!("there is no node `{node}`");
            let mut problem = Problem::value(place.key("master_node"), message, "unknown node");
            problem.help = problems.suggest(node, names.iter().copied());
            if !problems.nodes_are_broken() {
                problems.push(problem);
            }
        }
        let resolved = Store {
            master_node: store.master_node.clone(),
            backend: store.backend.map(|backend| backend.name().to_owned()),
            path: store.path.as_ref().map(|path| path.as_str().to_owned()),
            clone_resync_interval: store.clone_resync_interval.map(|i| i.0),
            clone_stale_interval: store.clone_stale_interval.map(|i| i.0),
            clone_mutation_buffer_interval: store.clone_mutation_buffer_interval.map(|i| i.0),
        };
        stores.insert(name.to_owned(), resolved);
    }
    stores
}

/// Refuses what would take too much memory, because each node has its own copy, before it is made. Tells whether it may be.
fn check_size(spec: &Spec, hosts: &Hosts<'_>, nodes: &Nodes<'_>, problems: &mut Problems<'_>) -> bool {
    const ENTRY: usize = 100;
    let texts = |list: &spec::StringList| list.0.iter().map(|text| text.len() + ENTRY).sum::<usize>();
    let env = |env: &spec::OrderedMap<spec::EnvSpec>| {
        let value = |value: &spec::EnvSpec| match value {
            spec::EnvSpec::Plain(text) | spec::EnvSpec::File(text) | spec::EnvSpec::Variable(text) => text.len(),
        };
        env.iter().map(|(name, one)| name.len() + value(one) + ENTRY).sum::<usize>()
    };
    let redefs = |redefs: &spec::OrderedMap<Redef>| {
        let text = |value: &ZeekValue| if let ZeekValue::Text(text) = value { text.len() + ENTRY } else { ENTRY };
        let value = |redef: &Redef| match redef {
            Redef::Set(value) => text(value),
            Redef::Add(values) => values.iter().map(text).sum(),
            Redef::Expr(text) => text.len(),
        };
        redefs.iter().map(|(id, redef)| id.len() + value(redef) + ENTRY).sum::<usize>()
    };
    let all = texts(&spec.zeek.args) + env(&spec.zeek.env) + redefs(&spec.zeek.redefs);
    let of_hosts: Vec<_> = hosts.specs.iter().map(|host| env(&host.env)).collect();
    // A group's settings are measured once, not once for each of its hosts.
    let mut groups: HashMap<&str, usize> = HashMap::new();
    let of_members: Vec<_> = nodes
        .members
        .iter()
        .map(|member| {
            let (group, own) = (&member.spec.settings, member.own);
            let of_group = *groups.entry(member.group).or_insert_with(|| {
                texts(&group.args) + texts(&group.scripts) + env(&group.env) + redefs(&group.redefs)
            });
            let own = own.map_or(0, |o| texts(&o.args) + texts(&o.scripts) + env(&o.env) + redefs(&o.redefs));
            let names = 3 * (member.group.len() + hosts.list[member.host].name.len()) + 2 * member.interface_bytes();
            NODE + names + all + of_hosts[member.host] + of_group + own
        })
        .collect();
    // `expand` reports that.
    if nodes.count() > nodes::MOST.into() {
        return true;
    }
    let sizes = || nodes.members.iter().zip(&of_members).map(|(m, one)| (m, one.saturating_mul(m.count as usize)));
    let total = sizes().fold(0_usize, |sum, (_, size)| sum.saturating_add(size));
    // Of as many nodes as there may be, what there is too much of is in the settings.
    let Some((largest, _)) = sizes().max_by_key(|(_, size)| *size).filter(|_| total > RESOLVED) else { return true };
    let message = format!(
        "the settings of all nodes together take {}; the limit is {}",
        bytesize::ByteSize(total as u64),
        bytesize::ByteSize(RESOLVED as u64)
    );
    let place = Place::of(&["nodes", largest.group]);
    let problem = Problem::key(place, message, "env, redefs, scripts, args and interface count once for each node");
    problems.push(problem.help("put large settings into a script under `zeek.site`"));
    false
}

/// Makes the nodes, when all is known to be right.
fn finish(
    spec: &Spec,
    dir: &Path,
    hosts: &Hosts<'_>,
    nodes: &Nodes<'_>,
    metrics: Metrics,
    fanout: &fanout::Ids<'_>,
) -> Vec<Node> {
    let alone = spec.listen.is_none() && hosts.list.len() == 1;
    let host = |at: usize| {
        let address = hosts.list[at].address;
        let loopback =
            if address.is_ipv6() { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
        let ip = if alone { loopback } else { address };
        let listen = match &spec.listen {
            None | Some(Listen::Node) => Some(ip),
            Some(Listen::Any) => None,
            Some(Listen::Address(address)) => Some(address.ip),
        };
        (ip, listen, if alone { String::new() } else { hosts.zones[at].clone() })
    };
    let reach: Vec<_> = (0..hosts.list.len()).map(host).collect();
    // One pattern for each member; its nodes differ by name, index, ports, interface and CPU.
    let patterns: Vec<Node> = nodes
        .members
        .iter()
        .map(|member| {
            let (group, own) = (&member.spec.settings, member.own);
            let (ip, listen, zone_id) = reach[member.host].clone();
            let env =
                [Some(&spec.zeek.env), Some(&hosts.specs[member.host].env), Some(&group.env), own.map(|o| &o.env)];
            let redefs = [Some(&spec.zeek.redefs), Some(&group.redefs), own.map(|o| &o.redefs)];
            let limits: Vec<_> = own.map(|o| &o.limits).into_iter().chain([&group.limits, &spec.limits]).collect();
            let af_packet: Vec<_> = own.map(|o| &o.af_packet).into_iter().chain([&group.af_packet]).collect();
            let texts = |levels: [Option<&spec::StringList>; 3]| -> Vec<String> {
                levels.into_iter().flatten().flat_map(|texts| texts.0.iter().cloned()).collect()
            };
            Node {
                name: String::new(),
                role: member.role,
                host: member.host,
                group: member.group.to_owned(),
                index: 0,
                ip,
                port: 0,
                metrics_port: None,
                listen,
                zone_id,
                interface: None,
                cpu: None,
                af_packet: Some(AfPacket { fanout_id: 0, options: settings::af_packet(&af_packet) }),
                scripts: texts([None, Some(&group.scripts), own.map(|o| &o.scripts)]),
                args: texts([Some(&spec.zeek.args), Some(&group.args), own.map(|o| &o.args)]),
                env: settings::env(env.into_iter().flatten(), dir),
                redefs: settings::redefs(redefs.into_iter().flatten()),
                limits: settings::limits(&limits),
            }
        })
        .collect();
    let mut out: Vec<Node> = nodes
        .drafts
        .iter()
        .map(|draft| {
            let mut node = patterns[draft.member].clone();
            node.name.clone_from(&draft.name);
            node.index = draft.index;
            node.port = draft.port;
            node.metrics_port = draft.metrics_port.filter(|_| metrics != Metrics::Off);
            node.interface.clone_from(&draft.interface);
            node.cpu = draft.cpu;
            let id = draft.interface.as_deref().and_then(|interface| fanout.get(draft, interface));
            node.af_packet = node.af_packet.zip(id).map(|(settings, fanout_id)| AfPacket { fanout_id, ..settings });
            node
        })
        .collect();
    out.sort_by(|a, b| a.role.cmp(&b.role).then_with(|| natural_order::compare(&a.name, &b.name)));
    out
}
