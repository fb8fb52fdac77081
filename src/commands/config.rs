//! `config`: every setting with its value and where it came from.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::report::Report;
use super::session::{Extent, Loaded};
use super::{Command, Hosts, Session};
use crate::cluster::{Archive, Cluster, Host, Node};
use crate::error::{CommandError, Error, Kind};
use crate::spec::Setting;
use crate::ui::{Cell, Column, Progress, Tone, Ui, table};
use crate::values::{Backend, Interval, fold_names, nearest};
use crate::zeek;

/// Show every setting with its value and where it came from; connects to no host
///
/// The description's own, with file and line; defaults; and what clusterctl decides, with the reason. A host or a group
/// that does not set something has what stands above it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl config\n  clusterctl config logs ports manager_is_logger\n  \
clusterctl config nodes.worker -o json")]
pub(crate) struct Config {
    /// Settings: a name, or its beginning up to a dot; none: all
    #[arg(value_name = "SETTING")]
    names: Vec<String>,
}

impl Command for Config {
    const HOSTS: Hosts = Hosts::Untouched;
    const PROGRESS: Progress = Progress::Silent;
    type Report = ConfigReport;

    async fn run(&self, session: &mut Session) -> Result<ConfigReport, CommandError> {
        let loaded = session.load(Extent::Description, None)?;
        Ok(ConfigReport { settings: named(effective(&loaded), &self.names)? })
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "origin")]
enum Origin {
    /// It stands in the description.
    Description { file: String, line: usize },
    /// Nothing was said.
    Default { why: Option<&'static str> },
    /// It follows from something else.
    Decided { why: String },
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Row {
    setting: String,
    /// As the description writes it; none: nothing is set.
    value: Option<String>,
    #[serde(flatten)]
    origin: Origin,
}

/// All settings.
#[derive(Debug, Serialize)]
pub(crate) struct ConfigReport {
    settings: Vec<Row>,
}

/// The sections in the order of the README.
const SECTIONS: &[&str] = &[
    "cluster", "include", "zeek", "paths", "ports", "listen", "metrics", "checks", "logs", "limits", "timeouts", "ssh",
    "runner", "restart", "releases", "layout", "hosts", "removed", "nodes",
];

/// Returns all settings: what the description says, then what it does not say.
fn effective(loaded: &Loaded) -> Vec<Row> {
    let said = loaded.description().settings();
    let is_set: BTreeSet<String> = said.iter().flat_map(Setting::prefixes).collect();
    let mut rows: Vec<Row> = said
        .into_iter()
        .map(|one| Row {
            setting: one.name,
            value: Some(one.value),
            origin: Origin::Description { file: one.file, line: one.line },
        })
        .collect();
    let cluster = &*loaded.cluster;
    let unsaid = defaults(cluster).into_iter().chain(decided(cluster)).chain(of_groups(cluster));
    // `hosts` of a group says what `host` would.
    let says_more =
        |row: &Row| row.setting.rsplit('.').next() == Some("host") && is_set.contains(&format!("{}s", row.setting));
    rows.extend(unsaid.filter(|row| !is_set.contains(&row.setting) && !says_more(row)));
    // What stands in no section is decided, and comes last.
    let section = |row: &Row| {
        let first = row.setting.split(['.', '[']).next().unwrap_or_default();
        SECTIONS.iter().position(|section| *section == first).unwrap_or(SECTIONS.len())
    };
    rows.sort_by_key(section);
    rows
}

fn row(setting: impl Into<String>, value: Option<String>, origin: Origin) -> Row {
    Row { setting: setting.into(), value, origin }
}

/// What holds where nothing is said.
fn defaults(cluster: &Cluster) -> Vec<Row> {
    let time = |duration: Duration| Some(Interval(duration).to_string());
    let plain = |setting: &str, value: Option<String>| row(setting, value, Origin::Default { why: None });
    let because = |setting: &str, value: Option<String>, why| row(setting, value, Origin::Default { why: Some(why) });
    let own_ssh = "as your SSH configuration has it";
    let all = &cluster.elsewhere;
    let own_name = "as the host is called in `hosts`, or its address";
    let archive = match &cluster.logs.archive {
        Archive::Off => "off".to_owned(),
        Archive::Spool => format!("{}/{}/archive", all.spool, cluster.name),
        Archive::Folder(path) => path.clone(),
    };
    let expire = cluster.logs.expire.and_then(time);
    let mut rows = vec![
        plain("zeek.prefix", Some(all.prefix.clone())),
        because("zeek.version", None, "it is read from the hosts"),
        plain("zeek.curve", Some(cluster.zeek.curve.name().to_owned())),
        plain("zeek.accept_unencrypted_zeromq", Some(cluster.zeek.accept_unencrypted_zeromq.to_string())),
        plain("paths.base", Some(all.base.clone())),
        because("paths.spool", Some(all.spool.clone()), "it is `paths.base`"),
        plain("ports.base", Some(cluster.ports.base.to_string())),
        plain("ports.metrics", Some(cluster.ports.metrics.to_string())),
        plain("ports.control", Some(cluster.ports.control.to_string())),
        plain("metrics.listen", Some(cluster.metrics.name().to_owned())),
        plain("metrics.textfile", cluster.textfile.clone()),
        plain("checks.traffic", Some(cluster.checks.traffic.name().to_owned())),
        because("logs.archive", Some(archive), "it is in `paths.spool`"),
        plain("logs.rotate", time(cluster.logs.rotate)),
        because("logs.expire", expire, "archived logs stay for ever"),
        plain("logs.compress", Some(cluster.logs.compress.name().to_owned())),
        plain("logs.late", time(cluster.logs.late)),
        plain("logs.min_free", Some(format!("{}%", cluster.logs.min_free))),
        plain("timeouts.ready", time(cluster.timeouts.ready)),
        plain("timeouts.stop", time(cluster.timeouts.stop)),
        plain("timeouts.control", time(cluster.timeouts.control)),
        plain("ssh.persist", time(all.ssh.persist)),
        plain("ssh.connect_timeout", time(all.ssh.connect_timeout)),
        plain("runner", Some(cluster.runner.name().to_owned())),
        plain("restart", Some(cluster.restart.name().to_owned())),
        plain("releases.keep", Some(cluster.keep.to_string())),
        plain("layout", Some(cluster.layout_inputs.name().to_owned())),
    ];
    for setting in ["zeek.site", "zeek.site_data", "zeek.scripts", "zeek.args", "zeek.env", "zeek.local_networks"] {
        rows.push(plain(setting, None));
    }
    for setting in ["zeek.options", "zeek.stores", "zeek.redefs"] {
        rows.push(because(setting, None, "as Zeek's scripts have it"));
    }
    rows.push(because("zeek.tls", None, "Broker encrypts, and nobody shows a certificate"));
    for setting in ["limits.nofile", "limits.core", "limits.memory", "limits.nice"] {
        rows.push(because(setting, None, "as the host has it"));
    }
    rows.push(because("ssh.host", None, own_name));
    rows.push(plain("include", None));
    for setting in ["hooks.pre_deploy", "hooks.post_deploy", "hooks.pre_stop", "hooks.post_start"] {
        rows.push(plain(setting, None));
    }
    for setting in ["ssh.user", "ssh.port", "ssh.identity", "ssh.config", "ssh.jump", "ssh.known_hosts"] {
        rows.push(because(setting, None, own_ssh));
    }
    rows
}

/// What follows from something else.
fn decided(cluster: &Cluster) -> Vec<Row> {
    let decided = |setting: String, value: Option<String>, why: String| row(setting, value, Origin::Decided { why });
    let mut rows = Vec::new();
    let version = cluster.zeek.version;
    let backend = match version {
        Some(version) => {
            let backend = zeek::backend(cluster, version);
            let why = match backend {
                Backend::Broker => format!("Zeek {version} uses Broker unless told otherwise"),
                Backend::Zeromq => format!("Zeek {version} uses ZeroMQ unless told otherwise"),
            };
            decided("zeek.backend".to_owned(), Some(backend.name().to_owned()), why)
        }
        None => decided(
            "zeek.backend".to_owned(),
            None,
            "by Zeek's version, which is read from the hosts: broker up to 8.0, zeromq from 8.1".to_owned(),
        ),
    };
    rows.push(backend);
    if let Some(version) = version {
        let (value, why) = if zeek::curve(cluster, version) {
            ("yes", "ZeroMQ spans several hosts, or `zeek.curve` is on".to_owned())
        } else {
            ("no", zeek::why_no_curve(cluster, version).to_owned())
        };
        rows.push(decided("curve_keys".to_owned(), Some(value.to_owned()), why));
    }
    let seed = Some(cluster.zeek.global_hash_seed.clone());
    rows.push(decided("zeek.global_hash_seed".to_owned(), seed, "from the cluster's name".to_owned()));
    rows.push(match cluster.hosts.as_slice() {
        [_] => {
            let ip = cluster.nodes.first().map(|node| node.ip.to_string());
            decided("listen".to_owned(), ip, "there is one host: nodes listen on its loopback address".to_owned())
        }
        _ => row("listen", Some("node".to_owned()), Origin::Default { why: Some("each on its host's address") }),
    });
    for Host { name, address, local, .. } in &cluster.hosts {
        if *local {
            let why = "this machine, by its loopback address".to_owned();
            rows.push(decided(format!("hosts.{name}.address"), Some(address.to_string()), why));
        }
    }
    let loggers: Vec<&str> = cluster.nodes.iter().filter(|n| n.role.name() == "logger").map(|n| &*n.name).collect();
    let is_logger = cluster.manager_is_logger();
    let why = match (is_logger, cluster.is_standalone()) {
        (_, true) => "there is one node alone".to_owned(),
        (true, _) => "there is no logger".to_owned(),
        (false, _) => format!("logs go to {}", fold_names(&loggers)),
    };
    rows.push(decided("manager_is_logger".to_owned(), Some(if is_logger { "T" } else { "F" }.to_owned()), why));
    rows
}

/// What each group gets: names, ports, fanout ids.
fn of_groups(cluster: &Cluster) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut groups: Vec<&str> = Vec::new();
    for node in &cluster.nodes {
        if !groups.contains(&node.group.as_str()) {
            groups.push(&node.group);
        }
    }
    for group in groups {
        let nodes: Vec<&Node> = cluster.nodes.iter().filter(|node| node.group == group).collect();
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        let mut decided = |what: &str, value: Option<String>, why: String| {
            if let Some(value) = value {
                rows.push(row(format!("nodes.{group}.{what}"), Some(value), Origin::Decided { why }));
            }
        };
        decided("names", Some(fold_names(&names)), "from the group's name, and counted".to_owned());
        let base = |setting: &str, base: u16| {
            format!("counted from `{setting}` ({base}) by type and index on the host, unless set for a host")
        };
        decided("port", numbers(nodes.iter().map(|n| n.port)), base("ports.base", cluster.ports.base));
        let metrics = numbers(nodes.iter().filter_map(|n| n.metrics_port));
        decided("metrics_port", metrics, base("ports.metrics", cluster.ports.metrics));
        let ids = numbers(nodes.iter().filter_map(|n| n.af_packet.as_ref()).map(|af| af.fanout_id));
        decided("af_packet.fanout_id", ids, "one for each interface of a host".to_owned());
        if let [host] = cluster.hosts.as_slice() {
            decided("host", Some(host.name.clone()), "there is no other".to_owned());
        }
    }
    rows
}

/// Numbers, each once: runs of them as ranges; none where there are none. A zero is no port.
fn numbers(all: impl Iterator<Item = u16>) -> Option<String> {
    let all: BTreeSet<u16> = all.filter(|number| *number > 0).collect();
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for number in all {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |(first, last): &(u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    (!runs.is_empty()).then(|| runs.iter().map(run).collect::<Vec<_>>().join(", "))
}

/// Returns those that are meant.
///
/// # Errors
/// For a name that none has.
fn named(rows: Vec<Row>, names: &[String]) -> Result<Vec<Row>, Error> {
    let means = |name: &str, row: &Row| {
        row.setting.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    for name in names {
        if !rows.iter().any(|row| means(name, row)) {
            // A section means all settings in it.
            let sections = rows.iter().filter_map(|row| Some(row.setting.split_once('.')?.0));
            let near = nearest(name, rows.iter().map(|row| row.setting.as_str()).chain(sections));
            let error = Error::new(Kind::Usage, format!("there is no setting `{name}`"));
            return Err(match near {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`clusterctl config` lists them"),
            });
        }
    }
    let mut rows = rows;
    rows.retain(|row| names.is_empty() || names.iter().any(|name| means(name, row)));
    Ok(rows)
}

const COLUMNS: [Column; 3] = [
    Column { head: "SETTING", drop_priority: 0, right: false },
    Column { head: "VALUE", drop_priority: 0, right: false },
    Column { head: "FROM", drop_priority: 0, right: false },
];

impl Report for ConfigReport {
    fn kind(&self) -> Option<&'static str> {
        Some("config")
    }

    fn show(&self, ui: &Ui) {
        let rows: Vec<Vec<Cell>> = self
            .settings
            .iter()
            .map(|row| {
                let from = match &row.origin {
                    Origin::Description { file, line } => Cell::plain(format!("{file}:{line}")),
                    Origin::Default { why: None } => Cell::new("default", Tone::Dim),
                    Origin::Default { why: Some(why) } => Cell::new(format!("default: {why}"), Tone::Dim),
                    Origin::Decided { why } => Cell::plain(format!("decided: {why}")),
                };
                let value = row.value.as_ref().map_or_else(Cell::none, Cell::plain);
                vec![Cell::new(&row.setting, Tone::Strong), value, from]
            })
            .collect();
        ui.result(&table(ui.out, &COLUMNS, &rows));
    }

    fn end(&self) -> Option<Kind> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_count_up_are_ranges() {
        assert_eq!(numbers([3, 1, 2, 7, 7, 0, 65535].into_iter()).unwrap(), "1-3, 7, 65535");
        assert_eq!(numbers([0].into_iter()), None);
    }

    #[test]
    fn a_name_means_a_setting_or_all_below_it() {
        let rows =
            || ["logs.late", "logs.rotate", "logstash"].map(|s| row(s, None, Origin::Default { why: None })).to_vec();
        let of = |name: &str| named(rows(), &[name.to_owned()]).map(|rows| rows.len());
        assert_eq!((of("logs").unwrap(), of("logs.late").unwrap()), (2, 1));
        assert_eq!(of("log").unwrap_err().message, "there is no setting `log`");
        assert_eq!(of("logs.ratote").unwrap_err().hints, ["did you mean `logs.rotate`?"]);
    }
}
