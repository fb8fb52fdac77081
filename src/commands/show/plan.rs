//! A plan: what would change on each host, what is done to each node and why, and what that means.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cluster::{Role, name_ranges};
use crate::plan::{Action, Change, FileChange, FileKind, LogFate, LogOutage, NodePlan, Plan, Upgrade};
use crate::ui::{Output, Stream, Tone, Ui, complain, escape_control};
use crate::values::count;

/// The most lines of one file's difference that are shown.
const MOST_LINES: usize = 200;
/// What a tab of a script becomes.
const TAB: &str = "→   ";
/// The most names, or ranges of names, that are listed before the rest is counted.
const MOST_NAMES: usize = 8;

/// Shows a plan on the side, before it is done; with `--quiet` where somebody is asked about it.
pub(crate) fn plan_aside(ui: &Ui, plan: &Plan, asks: bool) {
    if ui.output == Output::Json {
        ui.event(&serde_json::json!({"event": "plan", "plan": plan}));
    } else if !ui.quiet || asks {
        complain(text(ui.err, plan, false).trim_end());
    }
}

/// The text of a plan of which nothing but the text comes.
pub(crate) fn plan_text(ui: &Ui, plan: &Plan) -> String {
    text(ui.out, plan, plan.new_keys)
}

/// Makes the text of a plan; `provisional`: nothing comes of it but the text.
fn text(stream: Stream, plan: &Plan, provisional: bool) -> String {
    let mut out = Lines { stream, text: String::new() };
    if plan.is_empty() {
        out.say("", &format!("nothing to do: {}", agreement(plan)));
        apart(&mut out, plan);
        restarts_put_off(&mut out, plan);
        return out.text;
    }
    let mut from: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for host in plan.hosts.iter().filter(|h| h.activates(&plan.release)) {
        from.entry(host.from.as_deref().unwrap_or("nothing")).or_default().push(&host.host);
    }
    // Each command makes its own keys.
    let why = if provisional { " (provisional: a deploy makes new keys, so its id differs)" } else { "" };
    let release = format!("release {}{why}", plan.release);
    match from.iter().next() {
        Some((&"nothing", _)) if from.len() == 1 => out.say("", &format!("first deploy: {release}")),
        Some((before, _)) if from.len() == 1 => out.say("", &format!("{release} replaces {before}")),
        _ => out.say("", &release),
    }
    if from.len() > 1 {
        for (before, hosts) in &from {
            let replaced =
                if *before == "nothing" { "no release yet".to_owned() } else { format!("replaces {before}") };
            out.say("", &format!("  {}: {replaced}", names(hosts.iter().copied())));
        }
    }
    if let Some(upgrade) = &plan.upgrade {
        out.say("", &format!("{} {}", stream.paint(Tone::Warn, "Zeek:"), upgraded(upgrade)));
    }
    if let Some(change) = &plan.backend_change {
        let text = format!(
            "from {} to {}: nodes of one cannot talk to nodes of the other",
            escape_control(&change.from),
            change.to
        );
        out.say("", &format!("{} {text}", stream.paint(Tone::Warn, "backend:")));
    }
    for host in plan.hosts.iter().filter(|h| !h.repairs.is_empty()) {
        let files: Vec<String> =
            host.repairs.iter().map(|(path, how)| format!("{} was {}", escape_control(path), how.word())).collect();
        let word = stream.paint(Tone::Warn, "changed by hand");
        let more = files.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let files = files.into_iter().take(MOST_NAMES).collect::<Vec<_>>().join(", ");
        out.say("", &format!("{word} on {}: {files}{more}; the deploy restores the files of the release", host.host));
    }
    files(&mut out, plan);
    nodes(&mut out, plan);
    apart(&mut out, plan);
    if let Some(gap) = &plan.logs {
        out.say("", &format!("{} {}", stream.paint(Tone::Warn, "logs:"), interrupted(gap)));
    }
    out.text
}

/// Says which hosts have the release, as far as that is known.
pub(crate) fn agreement(plan: &Plan) -> String {
    let release = &plan.release;
    if plan.apart.is_empty() {
        format!("all hosts have the release {release}")
    } else if plan.apart.iter().all(|a| a.disabled) {
        format!("all hosts that are not disabled have the release {release}")
    } else {
        format!("all hosts that answered have the release {release}")
    }
}

/// Names the hosts that take no part, but for those that the description leaves out.
fn apart(out: &mut Lines, plan: &Plan) {
    for host in plan.apart.iter().filter(|a| !a.disabled) {
        let name = out.stream.paint(Tone::Warn, &host.host);
        out.say("", &format!("{name} {}: the state of its nodes is unknown", escape_control(&host.why)));
    }
}

/// Text that grows line by line.
struct Lines {
    stream: Stream,
    text: String,
}

impl Lines {
    /// Adds a line, broken where it is wider than the stream.
    fn say(&mut self, indent: &str, line: &str) {
        self.text.push_str(&self.stream.wrap(&format!("{indent}{line}"), &format!("{indent}    ")));
        self.text.push('\n');
    }
}

fn upgraded(upgrade: &Upgrade) -> String {
    let hosts = names(upgrade.hosts.iter().map(String::as_str));
    let what = match &upgrade.from {
        Some(from) if upgrade.other_version => {
            format!("from {} to {} on {hosts}", escape_control(from), escape_control(&upgrade.to))
        }
        _ => format!("the binary changed on {hosts}, which is {} now", escape_control(&upgrade.to)),
    };
    format!("{what}: all nodes of the cluster stop, and then start")
}

fn files(out: &mut Lines, plan: &Plan) {
    let stream = out.stream;
    let mut sections: Vec<(&[String], Vec<&FileChange>)> = Vec::new();
    for file in &plan.files {
        match sections.last_mut() {
            Some((hosts, files)) if *hosts == file.hosts.as_slice() => files.push(file),
            _ => sections.push((&file.hosts, vec![file])),
        }
    }
    for (hosts, files) in sections {
        out.say("", &format!("{}:", stream.paint(Tone::Strong, &names(hosts.iter().map(String::as_str)))));
        for file in files.iter().filter(|f| f.change == Change::Changed && f.kind != FileKind::Private) {
            changed(out, file);
        }
        for (change, word) in [(Change::Added, "new"), (Change::Removed, "gone")] {
            let paths = files.iter().filter(|f| f.change == change).flat_map(|f| &f.paths);
            let paths: Vec<&str> = paths.map(String::as_str).collect();
            if !paths.is_empty() {
                out.say("  ", &format!("{word:<7}  {}", few(path_ranges(&paths))));
            }
        }
        for file in files.iter().filter(|f| f.change == Change::Changed && f.kind == FileKind::Private) {
            let paths: Vec<&str> = file.paths.iter().map(String::as_str).collect();
            let what =
                if file.settings.is_empty() { String::new() } else { format!(" ({})", file.settings.join(", ")) };
            out.say("  ", &format!("settings changed{}: {}", escape_control(&what), few(path_ranges(&paths))));
        }
    }
    for host in plan.hosts.iter().filter(|h| h.leaving) {
        let what = match (&host.unknown, &host.at) {
            (Some(why), _) => format!("unknown: it left the cluster and cannot be reached ({})", escape_control(why)),
            (None, Some(at)) => format!("leaves the cluster; reached at {}", escape_control(at)),
            (None, None) => "leaves the cluster".to_owned(),
        };
        out.say("", &format!("{}: {what}", stream.paint(Tone::Strong, &escape_control(&host.host))));
    }
}

/// Shows a file that changes and is no secret.
fn changed(out: &mut Lines, file: &FileChange) {
    let paths: Vec<&str> = file.paths.iter().map(String::as_str).collect();
    let size = |bytes: Option<u64>| bytes.map_or_else(|| "?".to_owned(), |b| bytesize::ByteSize(b).to_string());
    let mut notes = Vec::new();
    match file.kind {
        FileKind::Cluster => notes.push("the resolved cluster".to_owned()),
        FileKind::Binary | FileKind::Large => {
            notes.push(format!("{} -> {}", size(file.old_bytes), size(file.new_bytes)));
        }
        FileKind::Text | FileKind::Private => {}
    }
    if let Some((from, to)) = &file.mode {
        notes.push(format!("mode {} -> {to}", escape_control(from)));
    }
    notes.extend(file.note.as_deref().map(escape_control));
    let notes = if notes.is_empty() { String::new() } else { format!(": {}", notes.join("; ")) };
    out.say("  ", &format!("changed  {}{notes}", few(path_ranges(&paths))));
    let Some(diff) = &file.diff else { return };
    let stream = out.stream;
    for line in diff.lines().take(MOST_LINES) {
        let tone = match line.as_bytes().first() {
            Some(b'+') => Tone::Good,
            Some(b'-') => Tone::Bad,
            Some(b'@') => Tone::Dim,
            _ => Tone::Plain,
        };
        // As long as it is: a broken line of a script would be another one.
        let line = escape_control(&line.replace('\t', TAB));
        out.text.push_str(&format!("    {}\n", stream.paint(tone, &line)));
    }
    let more = diff.lines().count().saturating_sub(MOST_LINES);
    if more > 0 {
        out.say("    ", &format!("... and {}; `-o json` has all", count(more, "more line")));
    }
}

fn nodes(out: &mut Lines, plan: &Plan) {
    let stream = out.stream;
    let mut groups: BTreeMap<(Action, &[String]), Vec<&str>> = BTreeMap::new();
    // One that stops on a host and runs on another is told with the host.
    let up: BTreeSet<&str> = plan.staying().map(|n| n.node.as_str()).collect();
    let mut second: BTreeMap<(&str, &[String]), Vec<&str>> = BTreeMap::new();
    for node in plan.actions() {
        if node.action == Action::Stop && up.contains(node.node.as_str()) {
            second.entry((&node.host, &node.reasons)).or_default().push(&node.node);
        } else {
            groups.entry((node.action, &node.reasons)).or_default().push(&node.node);
        }
    }
    if !plan.nodes.is_empty() {
        out.say("", &format!("{}:", stream.paint(Tone::Strong, "nodes")));
    }
    for ((host, why), nodes) in second {
        let what = stream.paint(Tone::Warn, Action::Stop.name());
        let host = escape_control(host);
        out.say(
            "  ",
            &format!("{} on {host}: {what} there, because {}", names(nodes), escape_control(&why.join("; "))),
        );
    }
    for ((action, why), nodes) in groups {
        let tone = if action == Action::Stop { Tone::Warn } else { Tone::Strong };
        let what = stream.paint(tone, action.name());
        out.say("  ", &format!("{}: {what}, because {}", names(nodes), escape_control(&why.join("; "))));
    }
    restarts_put_off(out, plan);
    let workers = |node: &&NodePlan| node.role == Some(Role::Worker);
    let (up, others): (Vec<&NodePlan>, Vec<&NodePlan>) = plan.staying().partition(workers);
    for (nodes, word) in [(up, "worker"), (others, "other node")] {
        if !nodes.is_empty() {
            let stays = if nodes.len() == 1 { "stays" } else { "stay" };
            let names = names(nodes.iter().map(|n| n.node.as_str()));
            out.say("  ", &format!("{} {stays} up: {names}", count(nodes.len(), word)));
        }
    }
}

/// Names the nodes whose restart was put off.
fn restarts_put_off(out: &mut Lines, plan: &Plan) {
    let mut groups: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
    for node in plan.nodes.iter().filter(|n| !n.later.is_empty()) {
        groups.entry(&node.later).or_default().push(&node.node);
    }
    for (why, nodes) in groups {
        out.say("  ", &format!("{}: restart later, because {}", names(nodes), escape_control(&why.join("; "))));
    }
}

fn interrupted(gap: &LogOutage) -> String {
    let one = gap.writers.len() == 1;
    let writers = names(gap.writers.iter().map(String::as_str));
    let limit = humantime::format_duration(Duration::from_secs(gap.at_most_seconds));
    let (restart, go) = (if one { "restarts" } else { "restart" }, if gap.workers == 1 { "keeps" } else { "keep" });
    let meanwhile = match gap.meanwhile {
        LogFate::Others => {
            format!("log records go to {} meanwhile", names(gap.others.iter().map(String::as_str)))
        }
        LogFate::Dropped => "log records written in that time are lost".to_owned(),
        LogFate::Queued => "the workers queue log records meanwhile, up to ZeroMQ's log_sndhwm".to_owned(),
    };
    format!(
        "{writers} {restart} while {} {go} running, for at most {limit} (timeouts.stop and timeouts.ready): {meanwhile}",
        count(gap.workers, "worker"),
    )
}

/// Lists names in ranges, and only counts what is too much.
fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    few(name_ranges(names))
}

fn few(list: Vec<String>) -> String {
    let more = list.len().saturating_sub(MOST_NAMES);
    let mut text = escape_control(&list.into_iter().take(MOST_NAMES).collect::<Vec<_>>().join(", "));
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// Lists paths; those of files that are alike but for a number in ranges.
fn path_ranges(paths: &[&str]) -> Vec<String> {
    let (scripts, others): (Vec<&str>, Vec<&str>) = paths.iter().partition(|p| p.starts_with("clusterctl/nodes/"));
    let stems = scripts.iter().map(|p| p.strip_suffix(".zeek").unwrap_or(p));
    let mut list = name_ranges(others);
    list.extend(name_ranges(stems).into_iter().map(|name| format!("{name}.zeek")));
    list
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::plan::tests::{WORKERS, campus, site, way};

    const PIPED: Stream = Stream { terminal: false, color: false, width: None };
    const NARROW: Stream = Stream { terminal: true, color: false, width: Some(80) };

    /// What other rooms put into a release is their matter.
    fn own_files(plan: &mut Plan) {
        let ours = ["site/", "data/", "start/", "cluster.json"];
        plan.files.retain(|f| ours.iter().any(|path| f.paths[0].starts_with(path)));
    }

    /// A script changes, a sensor joins, a node gets another environment.
    fn busy() -> Plan {
        let old = campus(", site_data: ['*.dat']", "", WORKERS);
        let new = campus(
            ", site_data: ['*.dat']",
            "  sensor3: { address: 10.0.0.13 }\n  sensor4: { address: 10.0.0.14 }\n",
            &WORKERS
                .replace("sensor1, sensor2]", "sensor1, sensor2, sensor3, sensor4]")
                .replace("hosts: [sensor1,", "hosts: { sensor1: { env: { A: b } },")
                .replace("sensor2, sensor3, sensor4]", "sensor2: {}, sensor3: {}, sensor4: {} }"),
        );
        let logo = |content: &[u8]| crate::release::SiteFile { data: true, ..site("logo.dat", content) };
        let before = [site("local.zeek", b"@load a\n\tprint \"x\";\n"), site("old.zeek", b""), logo(b"\0")];
        let after = [site("local.zeek", b"@load a\n\tprint \"x\";\n"), site("new.zeek", b""), logo(b"\0\x01\x02")];
        let mut plan = way((&old, "8.0.10", &before), (&new, "8.0.10", &after));
        own_files(&mut plan);
        plan.release = "new".to_owned();
        plan.hosts.iter_mut().for_each(|h| h.from = h.from.as_ref().map(|_| "old".to_owned()));
        plan
    }

    #[test]
    fn piped_and_on_eighty_columns() {
        let plan = busy();
        assert_snapshot!("plan_piped", text(PIPED, &plan, false));
        let narrow = text(NARROW, &plan, false);
        assert_snapshot!("plan_narrow", narrow);
        assert!(narrow.lines().all(|l| l.chars().count() <= 80));
    }

    #[test]
    fn a_script_with_its_lines() {
        let cluster = campus("", "", WORKERS);
        let before = [site("local.zeek", b"@load a\n\tprint \"x\";\n")];
        let after = [site("local.zeek", b"@load a\n\tprint \"y\x1b[31m\";\n@load b")];
        let mut plan = way((&cluster, "8.0.10", &before), (&cluster, "8.0.10", &after));
        plan.release = "new".to_owned();
        plan.hosts.iter_mut().for_each(|h| h.from = Some("old".to_owned()));
        assert_snapshot!("plan_script", text(PIPED, &plan, false));
    }

    /// The form that the README documents: a key that goes or changes its meaning needs a new schema version.
    #[test]
    fn json() {
        let old = campus("", "", "  lan: { type: worker, host: sensor1, interface: eth1 }\n");
        let new = campus(
            "",
            "",
            "  lan: { type: worker, host: sensor1, interface: eth1 }\n  \
             dmz: { type: worker, host: sensor2, interface: eth1 }\n",
        );
        let data = |text: &[u8]| crate::release::SiteFile { data: true, ..site("list.txt", text) };
        let mut plan = way((&old, "8.0.10", &[data(b"a\n")]), (&new, "8.0.10", &[data(b"b\n")]));
        plan.release = "new".to_owned();
        plan.hosts.iter_mut().for_each(|h| h.from = Some("old".to_owned()));
        plan.nodes.iter_mut().for_each(|n| n.from = n.from.as_ref().map(|_| "old".to_owned()));
        own_files(&mut plan);
        plan.files.retain(|f| f.change == Change::Changed && f.kind != FileKind::Cluster);
        assert_snapshot!("plan_json", serde_json::to_string_pretty(&plan).unwrap());
    }

    #[test]
    fn an_upgrade() {
        let cluster = campus(", accept_unencrypted_zeromq: true", "", WORKERS);
        let mut plan = way((&cluster, "8.0.10", &[]), (&cluster, "8.1.2", &[]));
        plan.files.clear();
        plan.release = "new".to_owned();
        plan.hosts.iter_mut().for_each(|h| h.from = Some("old".to_owned()));
        assert_snapshot!("plan_upgrade", text(NARROW, &plan, false));
    }

    #[test]
    fn nothing_to_do_and_restarts_put_off() {
        let cluster = campus("", "", WORKERS);
        let mut plan = way((&cluster, "8.0.10", &[]), (&cluster, "8.0.10", &[]));
        plan.release = "new".to_owned();
        plan.hosts.iter_mut().for_each(|h| h.from = Some("new".to_owned()));
        assert_snapshot!("plan_nothing", text(PIPED, &plan, false));
        let node = plan.nodes.iter_mut().find(|n| n.node == "dmz-sensor1-1").unwrap();
        node.later = vec!["local.zeek changed".to_owned()];
        assert_snapshot!("plan_later", text(PIPED, &plan, false));
    }
}
