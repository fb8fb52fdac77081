use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::cluster::{Cluster, Node, Role, check};
use crate::error::{RenderStyle, render};
use crate::observed::{Desired, FullObserved, Observed, ObservedNode, Process};
use crate::release::{HostZeek, Release, ReleaseInput, SiteFile};
use crate::spec::parse;
use crate::values::{Share, Version};

pub(crate) fn made(text: &str) -> Cluster {
    let description = parse("c", text.to_owned(), PathBuf::from("/etc/cluster"));
    check(&description).unwrap_or_else(|all| panic!("{}", render(&all, RenderStyle::default())))
}

/// A cluster of three hosts, with what stands for more hosts and for more keys of `zeek`.
pub(crate) fn campus(zeek: &str, hosts: &str, nodes: &str) -> Cluster {
    made(&format!(
        "cluster: c\nzeek: {{ scripts: [local]{zeek} }}\ntimeouts: {{ stop: 60s, ready: 120s }}\nhosts:\n  \
         mgmt: {{ address: 10.0.0.1 }}\n  sensor1: {{ address: 10.0.0.11 }}\n  sensor2: {{ address: 10.0.0.12 }}\n\
         {hosts}nodes:\n  manager: {{ type: manager, host: mgmt }}\n  logger: {{ type: logger, host: mgmt, count: 1 }}\n  \
         proxy: {{ type: proxy, host: mgmt, count: 1 }}\n{nodes}"
    ))
}

pub(crate) const WORKERS: &str = "  dmz: { type: worker, hosts: [sensor1, sensor2], interface: eth1, count: 8 }\n";

pub(crate) fn site(path: &str, content: &[u8]) -> SiteFile {
    let digest = crate::release::digest(content);
    let content = crate::release::Content::Memory(Arc::from(content));
    SiteFile { path: path.to_owned(), executable: false, content, digest, data: false }
}

pub(crate) fn release_of(cluster: &Cluster, version: &str, site: &[SiteFile]) -> Release {
    let identity = |_| Some(HostZeek { version: version.to_owned(), size: version.len() as u64, mtime: 1 });
    Release::build(&ReleaseInput {
        cluster,
        version: version.parse::<Version>().unwrap(),
        zeeks: &cluster.hosts.iter().map(identity).collect::<Vec<_>>(),
        site,
        kept: &[],
        secrets: &BTreeMap::new(),
        salt: None,
    })
}

/// What hosts answer where a release runs as it should; `hosts` of the description to come, which may have more.
pub(crate) fn running(
    hosts: &Cluster,
    cluster: &Cluster,
    release: &Release,
    version: &str,
) -> Vec<Option<FullObserved>> {
    let host = |name: &str| {
        let version = format!("zeek version {version}");
        let Some(index) = cluster.hosts.iter().position(|h| h.name == name) else {
            return FullObserved { version, ..FullObserved::default() };
        };
        let part = release.part(index).unwrap();
        let node = |inputs: &crate::release::Inputs| ObservedNode {
            desired: Some(Desired::Running(release.id.clone())),
            release: Some(release.id.clone()),
            inputs: inputs.clone(),
            current_inputs: inputs.clone(),
            supervised: true,
            process: Some(Process { pid: 1, uptime: 1.0, cpu: 0.0, resident: 0 }),
            ..ObservedNode::default()
        };
        let brief = Observed {
            current: Some(release.id.clone()),
            running: part.made_for(),
            nodes: part.inputs.iter().map(|(name, inputs)| (name.clone(), node(inputs))).collect(),
            ..Observed::default()
        };
        let manifest = part.manifest().lines().map(str::to_owned).collect();
        FullObserved { brief, version, manifest, ..FullObserved::default() }
    };
    hosts.hosts.iter().map(|h| Some(host(&h.name))).collect()
}

/// Plans from one cluster to another, and compares texts as a host would give them.
pub(crate) fn way(old: (&Cluster, &str, &[SiteFile]), new: (&Cluster, &str, &[SiteFile])) -> Plan {
    let (before, after) = (release_of(old.0, old.1, old.2), release_of(new.0, new.1, new.2));
    let found = running(new.0, old.0, &before, new.1);
    let deployed = Deployments::from([(before.id.clone(), old.0.clone())]);
    let mut plan = Plan::make(new.0, &found, &after, &deployed);
    for file in &mut plan.files {
        let Some(place) = file.before().cloned() else { continue };
        let name = &new.0.hosts[place.hosts[0].0].name;
        let part = before.part(old.0.hosts.iter().position(|h| h.name == *name).unwrap()).unwrap();
        let content = &part.files.get(&place.path).unwrap().content;
        let old = match content.text() {
            Some(text) if content.size() <= file.most_bytes() => {
                assert_eq!(place.digest, crate::release::digest(text.as_bytes()));
                RemoteText::Text(text.into_owned())
            }
            _ => RemoteText::Size(content.size()),
        };
        file.compare(&old, None);
    }
    plan
}

/// What is done to nodes, in one line for each reason.
fn told(plan: &Plan) -> Vec<String> {
    let mut lines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in plan.actions() {
        lines.entry(format!("{} {}", node.action.name(), node.reasons.join("; "))).or_default().push(&node.node);
    }
    let line = |(why, nodes): (String, Vec<&str>)| format!("{}: {why}", crate::cluster::name_ranges(nodes).join(" "));
    let mut lines: Vec<String> = lines.into_iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn nothing_changes_nothing() {
    let cluster = campus("", "", WORKERS);
    let plan = way((&cluster, "8.0.10", &[]), (&cluster, "8.0.10", &[]));
    assert!(plan.is_empty() && plan.files.is_empty() && plan.logs.is_none(), "{plan:?}");
    assert_eq!(plan.staying().count(), 19);
}

#[test]
fn a_script_names_itself_and_may_be_loaded() {
    let cluster = campus("", "", WORKERS);
    let old = [site("local.zeek", b"one\n"), site("other.zeek", b"x\n")];
    let new = [site("local.zeek", b"one\ntwo\n"), site("other.zeek", b"x\n")];
    let plan = way((&cluster, "8.0.10", &old), (&cluster, "8.0.10", &new));
    assert_eq!(told(&plan), ["dmz-sensor1-1..8 dmz-sensor2-1..8 logger-1 manager proxy-1: restart local.zeek changed"]);
    let file = plan.files.iter().find(|f| f.paths == ["site/local.zeek"]).unwrap();
    assert_eq!(file.hosts, ["mgmt", "sensor1", "sensor2"]);
    assert_eq!(file.diff.as_deref(), Some("@@ -1 +1,2 @@\n one\n+two\n"));
    assert_eq!(plan.logs, None, "no worker stays up");
    let new = [site("local.zeek", b"one\n"), site("other.zeek", b"y\n")];
    let plan = way((&cluster, "8.0.10", &old), (&cluster, "8.0.10", &new));
    assert_eq!(plan.nodes[0].reasons, ["other.zeek changed, which it may load"]);
    assert_eq!(plan.nodes[0].inputs, ["site scripts"]);
}

#[test]
fn who_joins_and_leaves_is_named_and_workers_stay() {
    let old = campus("", "", WORKERS);
    let more = "  lan: { type: worker, host: sensor3, interface: eth1, count: 2 }\n";
    let new = campus("", "  sensor3: { address: 10.0.0.13 }\n", &format!("{WORKERS}{more}"));
    let plan = way((&old, "8.0.10", &[]), (&new, "8.0.10", &[]));
    assert_eq!(told(&plan), ["lan-1 lan-2: start it is new", "logger-1 manager proxy-1: restart sensor3 joined"]);
    assert_eq!(plan.staying().count(), 16);
    let gap = plan.logs.as_ref().unwrap();
    assert_eq!((gap.workers, gap.at_most_seconds, gap.meanwhile), (16, 180, LogFate::Dropped));
    assert_eq!(gap.writers, ["logger-1"]);

    let new = campus("", "", &WORKERS.replace("count: 8", "count: 7"));
    let plan = way((&old, "8.0.10", &[]), (&new, "8.0.10", &[]));
    assert_eq!(
        told(&plan),
        [
            "dmz-sensor1-8 dmz-sensor2-8: stop it left the description",
            "logger-1 manager proxy-1: restart dmz-sensor1-8 and dmz-sensor2-8 left",
        ]
    );
    let new = campus(", backend: zeromq, accept_unencrypted_zeromq: true", "", WORKERS);
    let plan = way((&new, "8.0.10", &[]), (&new, "8.0.10", &[]));
    assert!(plan.is_empty());
    let moved = campus(
        ", backend: zeromq, accept_unencrypted_zeromq: true",
        "",
        &format!("{WORKERS}{}", "  one: { type: worker, host: mgmt, interface: eth0 }\n"),
    );
    let plan = way((&new, "8.0.10", &[]), (&moved, "8.0.10", &[]));
    assert_eq!(plan.logs.unwrap().meanwhile, LogFate::Queued);
}

#[test]
fn a_moved_node_stops_here_and_starts_there() {
    let old = campus("", "", "  one: { type: worker, host: sensor1, interface: eth1 }\n");
    let new = campus("", "", "  one: { type: worker, host: sensor2, interface: eth1 }\n");
    let plan = way((&old, "8.0.10", &[]), (&new, "8.0.10", &[]));
    assert_eq!(
        told(&plan),
        [
            "logger-1 manager proxy-1: restart one has another host",
            "one: start it moves here from sensor1",
            "one: stop it moves to sensor2",
        ]
    );
}

#[test]
fn an_upgrade_and_a_change_of_backend_are_for_all() {
    let old = campus(", accept_unencrypted_zeromq: true", "", WORKERS);
    let plan = way((&old, "8.0.10", &[]), (&old, "8.1.2", &[]));
    let upgrade = plan.upgrade.as_ref().unwrap();
    assert_eq!((upgrade.from.as_deref(), upgrade.to.as_str(), upgrade.other_version), (Some("8.0"), "8.1.2", true));
    assert_eq!(plan.backend_change, Some(BackendChange { from: "broker".to_owned(), to: "zeromq".to_owned() }));
    assert_eq!(plan.actions().count(), 19);
    // Replaced on one host only: all nodes of the cluster, all the same.
    let before = release_of(&old, "8.0.10", &[]);
    let mut found = running(&old, &old, &before, "8.0.10");
    let one = found[1].as_mut().unwrap().brief.nodes.get_mut("dmz-sensor1-1").unwrap();
    one.inputs.insert("zeek".to_owned(), "another".to_owned());
    let plan = Plan::make(&old, &found, &before, &Deployments::new());
    let upgrade = plan.upgrade.as_ref().unwrap();
    assert_eq!((upgrade.hosts.as_slice(), upgrade.other_version), (&["sensor1".to_owned()][..], false));
    assert_eq!(
        told(&plan),
        [
            "dmz-sensor1-1: restart the Zeek binary changed",
            "dmz-sensor1-2..8 dmz-sensor2-1..8 logger-1 manager proxy-1: restart all nodes move to Zeek 8.0.10 at once",
        ]
    );
}

#[test]
fn secrets_are_told_by_their_kind() {
    let old = campus("", "", WORKERS);
    let new = campus(", env: { TOKEN: opensesame }", "", WORKERS);
    let plan = way((&old, "8.0.10", &[]), (&new, "8.0.10", &[]));
    let private: Vec<&FileChange> = plan.files.iter().filter(|f| f.kind == FileKind::Private).collect();
    assert_eq!(private.len(), 1, "{private:?}");
    assert_eq!((private[0].paths.len(), &private[0].settings), (19, &vec!["environment".to_owned()]));
    assert!(private[0].before().is_none() && private[0].new_bytes.is_none());
    assert!(!serde_json::to_string(&plan).unwrap().contains("opensesame"));
    assert_eq!(plan.nodes[0].reasons, ["its environment changed"]);
}

#[test]
fn nodes_that_change_alike_are_one() {
    let workers = |size: u32| WORKERS.replace("count: 8", &format!("count: 8, redefs: {{ 'Pcap::bufsize': {size} }}"));
    let (old, new) = (campus("", "", &workers(128)), campus("", "", &workers(256)));
    let plan = way((&old, "8.0.10", &[]), (&new, "8.0.10", &[]));
    let scripts: Vec<&FileChange> = plan.files.iter().filter(|f| f.paths[0].starts_with("clusterctl/nodes/")).collect();
    assert_eq!(scripts.len(), 1, "{scripts:?}");
    assert_eq!((scripts[0].paths.len(), scripts[0].hosts.len()), (16, 2));
    assert!(scripts[0].diff.as_ref().unwrap().contains("-redef Pcap::bufsize = 128;\n+redef Pcap::bufsize = 256;"));
}

#[test]
fn what_is_no_text_has_only_sizes() {
    let cluster = campus("", "", WORKERS);
    let old = [site("a.dat", b"\0one"), site("b.zeek", &b"x\n".repeat(600_000)), site("c.zeek", b"\xff\n")];
    let new = [site("a.dat", b"\0three"), site("b.zeek", &b"y\n".repeat(600_000)), site("c.zeek", b"c\n")];
    let plan = way((&cluster, "8.0.10", &old), (&cluster, "8.0.10", &new));
    let shown: Vec<_> = plan
        .files
        .iter()
        .filter(|f| f.paths[0].starts_with("site/"))
        .map(|f| (f.kind, f.old_bytes, f.new_bytes, f.diff.is_some(), f.note.is_some()))
        .collect();
    assert_eq!(
        shown,
        [
            (FileKind::Binary, Some(4), Some(6), false, false),
            (FileKind::Large, Some(1_200_000), Some(1_200_000), false, false),
            (FileKind::Text, Some(2), Some(2), false, true),
        ]
    );
}

/// A cluster of groups of workers: the host (from 0) and the size of each.
fn groups(sizes: &[(usize, usize)]) -> Cluster {
    let mut text = String::from(
        "cluster: c\nzeek: { version: '8.0' }\nhosts:\n  mgmt: { address: 10.0.0.1 }\n  s0: { address: 10.0.1.0 }\n  \
         s1: { address: 10.0.1.1 }\n  s2: { address: 10.0.1.2 }\nnodes:\n  \
         manager: { type: manager, host: mgmt }\n  proxy: { type: proxy, host: mgmt, count: 1 }\n",
    );
    for (i, (host, size)) in sizes.iter().enumerate() {
        let first = i * 20 + 1;
        text.push_str(&format!(
            "  g{i}: {{ type: worker, host: s{host}, count: {size}, interface: eth{i}, first_index: {first} }}\n"
        ));
    }
    made(&text)
}

proptest! {
    #[test]
    fn a_batch_is_whole_groups_within_the_limit(
        sizes in proptest::collection::vec((0_usize..3, 1_usize..12), 1..10),
        limit in prop_oneof![(0_u32..40).prop_map(Share::Number), (0_u8..=100).prop_map(Share::Percent)],
        every in 1_usize..4,
    ) {
        let cluster = groups(&sizes);
        let workers: Vec<&Node> = cluster.run_nodes().filter(|n| n.role == Role::Worker).collect();
        let restarts = |n: &Node| (n.index as usize).is_multiple_of(every);
        let batches = batches(&cluster, restarts, limit);
        let most = limit.of(workers.len());
        let key = |n: &&Node| (n.host, n.interface.clone());
        for batch in &batches {
            let mut groups: Vec<_> = batch.iter().map(key).collect();
            groups.dedup();
            prop_assert!(batch.len() <= most || groups.len() == 1, "{} at once, {} allowed", batch.len(), most);
        }
        // Each group is in one batch.
        let mut places: Vec<_> =
            batches.iter().enumerate().flat_map(|(i, b)| b.iter().map(move |n| (key(n), i))).collect();
        places.sort();
        places.dedup();
        let count = places.len();
        places.dedup_by(|a, b| a.0 == b.0);
        prop_assert_eq!(places.len(), count);
        // Every worker that restarts, once; no other.
        let mut names: Vec<&str> = batches.iter().flatten().map(|n| n.name.as_str()).collect();
        names.sort_unstable();
        let mut wanted: Vec<&str> = workers.iter().filter(|n| restarts(n)).map(|n| n.name.as_str()).collect();
        wanted.sort_unstable();
        prop_assert_eq!(names, wanted);
    }
}

#[test]
fn a_hundred_workers_in_groups_of_ten_restart_ten_at_a_time() {
    let sizes: Vec<(usize, usize)> = (0..10).map(|i| (i % 3, 10)).collect();
    let cluster = groups(&sizes);
    let batches = batches(&cluster, |_| true, "10%".parse().unwrap());
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [10; 10]);
}

#[test]
fn restarts_are_put_off_and_nothing_else() {
    let node = |action| NodePlan {
        node: "worker-1".to_owned(),
        host: "a".to_owned(),
        role: Some(Role::Worker),
        action,
        reasons: vec!["why".to_owned()],
        later: Vec::new(),
        inputs: Vec::new(),
        running: true,
        from: None,
    };
    let nodes = vec![node(Action::Restart), node(Action::Start), node(Action::Stop)];
    let mut plan = Plan { release: "r".to_owned(), nodes, ..Plan::default() };
    plan.without_restarts();
    let actions: Vec<Action> = plan.nodes.iter().map(|n| n.action).collect();
    assert_eq!(actions, [Action::Keep, Action::Start, Action::Stop]);
    assert_eq!((&plan.nodes[0].later, plan.nodes[0].reasons.len()), (&vec!["why".to_owned()], 0));
    assert!(plan.nodes[1].later.is_empty() && !plan.is_empty());
}
