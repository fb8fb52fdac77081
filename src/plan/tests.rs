use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::cluster::{Node, check};
use crate::error::{Look, render};
use crate::spec::parse;
use crate::values::Share;

fn made(text: &str) -> Cluster {
    let description = parse("c", text.to_owned(), PathBuf::from("/etc/cluster"));
    check(&description).unwrap_or_else(|all| panic!("{}", render(&all, Look::default())))
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
        from: None,
    };
    let nodes = vec![node(Action::Restart), node(Action::Start), node(Action::Stop)];
    let mut plan = Plan { release: "r".to_owned(), hosts: Vec::new(), nodes };
    plan.without_restarts();
    let actions: Vec<Action> = plan.nodes.iter().map(|n| n.action).collect();
    assert_eq!(actions, [Action::Keep, Action::Start, Action::Stop]);
    assert_eq!((&plan.nodes[0].later, plan.nodes[0].reasons.len()), (&vec!["why".to_owned()], 0));
    assert!(plan.nodes[1].later.is_empty() && !plan.is_empty());
}
