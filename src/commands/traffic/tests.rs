use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::judge::{Fault, Verdict, judge};
use super::measure::{Measured, Overlap, overlaps};
use super::question::{Connections, Counters, TrafficQuestion};
use super::report::{Outcome, report};
use crate::commands::report::Report as _;
use crate::control::{NoAnswer, Question as _, Said};
use crate::error::Kind;
use crate::ui::{Color, Output, Ui};

/// What clean traffic of a thousand connections comes to.
fn clean() -> Measured {
    Measured {
        seconds: 60.0,
        packets: 40_000,
        bytes: 20_000_000,
        acks: 10_000,
        gaps: 4,
        snaplen: 9216,
        connections: Connections {
            all: 1400,
            tcp: 1000,
            judged: 1000,
            repeated: 13,
            foreign: 0,
            ..Connections::default()
        },
        overlap: Some(Overlap { share: 0.0, with: Vec::new() }),
        ..Measured::default()
    }
}

/// The figures are those that a real Zeek counted with spoiled traces.
#[test]
fn each_fault_has_its_name() {
    let all = Some(Overlap { share: 1.0, with: vec!["w-2".to_owned()] });
    let of = |change: fn(&mut Measured)| {
        let mut measured = clean();
        change(&mut measured);
        let (verdict, findings) = judge(&measured);
        (verdict, findings.into_iter().map(|finding| finding.fault).collect::<Vec<_>>())
    };
    assert_eq!(of(|_| ()), (Verdict::Good, vec![]));
    assert_eq!(
        of(|m| *m = Measured { seconds: 60.0, ..Measured::default() }),
        (Verdict::NoTraffic, vec![Fault::NoTraffic])
    );
    assert_eq!(of(|m| m.gaps = 93), (Verdict::Good, vec![]));
    assert_eq!(of(|m| m.gaps = 184), (Verdict::Doubtful, vec![Fault::Gaps]));
    assert_eq!(of(|m| m.gaps = 780), (Verdict::Bad, vec![Fault::Gaps]));
    assert_eq!(of(|m| m.dropped = 800), (Verdict::Doubtful, vec![Fault::Drops]));
    assert_eq!(of(|m| m.connections.one_sided = 22), (Verdict::Doubtful, vec![Fault::OneSided]));
    assert_eq!(
        of(|m| (m.connections.one_sided, m.acks, m.gaps) = (1000, 0, 0)),
        (Verdict::Bad, vec![Fault::OneSided]),
        "one direction is missing: no acknowledgement is left, which is no gap and not good"
    );
    assert_eq!(
        of(|m| (m.connections.checksums, m.connections.one_sided) = (500, 77)),
        (Verdict::Bad, vec![Fault::Checksums]),
        "wrong checksums look like connections of one side"
    );
    assert_eq!(
        of(|m| {
            (m.connections, m.acks, m.gaps) =
                (Connections { tcp: 1000, checksums: 1000, ..Connections::default() }, 0, 0);
        }),
        (Verdict::Bad, vec![Fault::Checksums])
    );
    assert_eq!(
        of(|m| {
            (m.connections, m.acks, m.gaps) = (Connections::default(), 0, 0);
            m.weirds.insert("bad_IP_checksum".to_owned(), 39_000);
        }),
        (Verdict::Bad, vec![Fault::Checksums]),
        "what has no connection"
    );
    assert_eq!(
        of(|m| {
            (m.connections, m.acks, m.gaps) = (Connections { tcp: 1000, ..Connections::default() }, 0, 0);
            m.weirds.insert("possible_split_routing".to_owned(), 900);
        }),
        (Verdict::Bad, vec![Fault::NoAcks])
    );
    assert_eq!(
        of(|m| (m.connections.checksums, m.ignore_checksums) = (500, true)),
        (Verdict::Good, vec![]),
        "they cost nothing where Zeek does not look at them"
    );
    assert_eq!(of(|m| (m.gaps, m.snaplen) = (7300, 128)), (Verdict::Bad, vec![Fault::CutPackets]));
    assert_eq!(of(|m| m.connections.repeated = 980), (Verdict::Bad, vec![Fault::RepeatedPackets]));
    assert_eq!(
        of(|m| m.connections = Connections { all: 2000, tcp: 2000, ..Connections::default() }),
        (Verdict::TooLittle, vec![]),
        "a scan is no fault, and tells nothing"
    );
    assert_eq!(of(|m| m.acks = 99), (Verdict::TooLittle, vec![]));
    let shared = |gaps: u64, one_sided: u64| {
        let mut measured = Measured { overlap: all.clone(), gaps, ..clean() };
        measured.connections.one_sided = one_sided;
        judge(&measured).1.into_iter().map(|finding| finding.fault).collect::<Vec<_>>()
    };
    assert_eq!(shared(4, 0), [Fault::Duplicates]);
    assert_eq!(shared(4, 700), [Fault::SplitDirections]);
    assert_eq!(shared(6300, 16), [Fault::SplitPackets]);
}

fn counters(node: &str, samples: &[&str], narrowness: usize) -> Counters {
    let mut value = answer(node);
    value["samples"] = json!(samples);
    value["narrowness"] = json!(narrowness);
    serde_json::from_value(value).unwrap()
}

fn answer(node: &str) -> Value {
    json!({
        "node": node, "pid": 7, "at": 100.0, "received": 0, "dropped": 0, "bytes": 0,
        "acks": 0, "gaps": 0, "snaplen": 9216, "ignore_checksums": false,
        "connections": {
            "all": 0, "foreign": 0, "tcp": 0, "checksums": 0, "judged": 0, "one_sided": 0, "repeated": 0,
        },
        "weirds": {}, "lost_records": 0, "samples": [], "narrowness": 0,
    })
}

#[test]
fn samples_are_compared_at_the_narrowest_choice() {
    let many =
        |from: usize, to: usize, letter: &str| (from..to).map(|i| format!("1:{letter}{i:03}=")).collect::<Vec<_>>();
    let (a, d) = (many(0, 30, "A"), many(0, 30, "D"));
    let both = [a.clone(), d.clone()].concat();
    let others = many(500, 530, "A");
    let (wide, narrow, other) = (refs(&both), refs(&a), refs(&others));
    let answers = [counters("w-1", &wide, 0), counters("w-2", &narrow, 1), counters("w-3", &other, 1)];
    let answers: BTreeMap<&str, &Counters> = answers.iter().map(|c| (c.node.as_str(), c)).collect();
    let found = overlaps(&answers);
    assert_eq!(found["w-1"], Overlap { share: 1.0, with: vec!["w-2".to_owned()] }, "without those that begin with D");
    assert_eq!(found["w-2"], Overlap { share: 1.0, with: vec!["w-1".to_owned()] });
    assert_eq!(found["w-3"], Overlap { share: 0.0, with: vec![] });
    let few = [counters("w-1", &wide[..19], 0), counters("w-2", &wide[..19], 0)];
    let few: BTreeMap<&str, &Counters> = few.iter().map(|c| (c.node.as_str(), c)).collect();
    assert_eq!(overlaps(&few), BTreeMap::new(), "too few to tell");
}

fn refs(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

#[test]
fn counters_that_fall_are_no_measurement() {
    let (before, mut after) = (counters("w", &[], 0), counters("w", &[], 0));
    assert_eq!(Measured::between(&before, &after), None, "no time has passed");
    after.at = 110.0;
    after.received = 500;
    assert_eq!(Measured::between(&before, &after).unwrap().packets, 500);
    after.at = 120.0;
    assert_eq!(Measured::between(&after, &Counters { at: 130.0, ..before }).unwrap().packets, 0);
}

#[test]
fn only_its_own_answers_count() {
    let question = TrafficQuestion::begin(90);
    let (event, args) = question.request(0);
    assert_eq!((event, args[2].as_str()), ("Clusterctl::traffic_request", "90"));
    let said = |request: &str, from: &'static str, text: String| {
        let args = vec![request.to_owned(), from.to_owned(), text];
        question.answer(Said { from, name: "Clusterctl::traffic_response", args, rounds: 1, only: None })
    };
    let good = answer("w").to_string();
    assert!(matches!(said(&args[0], "w", good.clone()), Some((name, Ok(_))) if name == "w"));
    let looker = args[1].clone();
    assert_eq!(said(&format!("{looker}-e0"), "w", good.clone()), None, "of the other end of the measurement");
    assert_eq!(said(&format!("{looker}-b1"), "w", good.clone()), None, "of a round that was not asked");
    assert!(matches!(said(&args[0], "v", good), Some((_, Err(NoAnswer::OtherName(_))))));
    let mut many = answer("w");
    many["samples"] = json!(vec!["1:A"; 513]);
    assert!(matches!(said(&args[0], "w", many.to_string()), Some((_, Err(NoAnswer::Malformed(_))))));
    let mut late = answer("w");
    late["at"] = json!("never");
    assert!(matches!(said(&args[0], "w", late.to_string()), Some((_, Err(NoAnswer::Malformed(_))))));
}

#[test]
fn what_the_user_sees() {
    let text = "cluster: t\nhosts: { s1: { local: true, address: 127.0.0.1 } }\nnodes:\n  manager: { type: manager, hosts: [s1] }\n  \
                logger: { type: logger, hosts: [s1] }\n  proxy: { type: proxy, hosts: [s1] }\n  \
                w: { type: worker, hosts: [s1], interface: \"af_packet::eth1\", count: 3 }\n  \
                v: { type: worker, hosts: [s1], interface: eth2, first_index: 4 }\n";
    let cluster = crate::plan::tests::made(text);
    let outcomes: Vec<(&crate::cluster::Node, Outcome)> = cluster
        .nodes
        .iter()
        .map(|node| {
            let measured = match node.name.as_str() {
                "w-s1-1" => Ok(clean()),
                "w-s1-2" => Ok(Measured { dropped: 800, ..clean() }),
                "w-s1-3" => Ok(Measured { packets: 0, ..Measured { seconds: 60.0, ..Measured::default() } }),
                "v-s1-4" => Err("stopped".to_owned()),
                "logger-s1-1" => Ok(Measured { lost_records: 3, ..Measured::default() }),
                _ => Ok(Measured::default()),
            };
            (node, measured)
        })
        .collect();
    let report = report(&cluster, &outcomes, None);
    assert_eq!(report.end(), Some(Kind::Partial));
    let ui = Ui::new(Output::Table, Color::Never, false);
    insta::assert_snapshot!(super::show::text(&ui, &report));
}
