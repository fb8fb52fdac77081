//! The recorded conversations with a real Zeek 8.0.10, replayed: what its clients sent is sent, what it answered has
//! to come. The recordings hold a whole cluster's life; its starts, signals and ends are replayed as well.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Client, End, Failed};
use crate::cluster::{Cluster, NODES, until};

/// Cases that are not replayed, with the reason. A name may end in `*`.
const LEFT_OUT: &[(&str, &str)] =
    &[("early id_value worker-1", "shows that a node is deaf before it has peered; here it is all but at once not so")];

/// Events in the recordings that scripts of a whole Zeek send and a stand-in doesn't.
const NOT_PLAYED: &[&str] = &["Broker::announce_masters", "Intel::new_min_data_store"];

/// Long enough for something that should not come.
const QUIET: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(10);

const RESEARCH: &str = r#"
module Research;
export {
	const tuning: count = 7 &redef;
	const a_vector: vector of count = vector(1, 2, 3);
	const a_set: set[string] = {"x", "y"};
	const an_interval: interval = 90sec;
	const a_double: double = 1.5;
	const a_port: port = 80/tcp;
	const a_subnet: subnet = 10.0.0.0/8;
	const a_bool: bool = T;
	global ping: event(tag: string, n: count);
	global pong: event(tag: string, n: count, node: string, ts: time);
}
event zeek_init()
	{
	Cluster::subscribe("research/ping");
	}
event Research::ping(tag: string, n: count)
	{
	Cluster::publish("zeek/event/research", Research::pong, tag, n, Cluster::node, network_time());
	}
@if ( Cluster::local_node_type() == Cluster::MANAGER )
event Cluster::node_up(name: string, id: string)
	{
	Cluster::publish("zeek/event/research", Research::pong, "node_up " + name, 0, Cluster::node, network_time());
	}
event Cluster::node_down(name: string, id: string)
	{
	Cluster::publish("zeek/event/research", Research::pong, "node_down " + name, 0, Cluster::node, network_time());
	}
@endif
"#;

struct Record {
    case: String,
    dir: String,
    frame: String,
    note: String,
    who: Option<String>,
    node: Option<String>,
    run: u64,
}

fn records(text: &str) -> Vec<Record> {
    let text_of = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    text.lines()
        .map(|line| {
            let v: Value = serde_json::from_str(line).unwrap();
            Record {
                case: text_of(&v["case"]),
                dir: text_of(&v["dir"]),
                frame: text_of(&v["frame"]),
                note: text_of(&v["note"]),
                who: v["who"].as_str().map(str::to_owned),
                node: v["node"].as_str().map(str::to_owned),
                run: v["run"].as_u64().unwrap(),
            }
        })
        .collect()
}

struct Replay {
    cluster: Cluster,
    clients: HashMap<String, Client>,
    last: String,
    /// What has to come before anything else is done, per client.
    expected: BTreeMap<String, Vec<String>>,
    /// The last frame that a client sent, to send it again.
    sent: HashMap<String, String>,
    played: BTreeSet<String>,
    case: String,
    /// The case of the last request.
    asked: String,
    /// Clients that gave up.
    lost: BTreeSet<String>,
    /// Whether no signal was replayed yet.
    unsignalled: bool,
}

impl Replay {
    fn new(zeromq: bool, a_string: &str) -> Self {
        let mut cluster = Cluster::new("8.0.10", zeromq);
        let strings = format!("const a_string: string = {a_string};\nconst a_bytes: string = \"abcd\\xff\";\n");
        cluster.write("site/research.zeek", &format!("{RESEARCH}{strings}"));
        cluster.start_all();
        Self {
            cluster,
            clients: HashMap::new(),
            last: String::new(),
            expected: BTreeMap::new(),
            sent: HashMap::new(),
            played: BTreeSet::new(),
            case: String::new(),
            asked: String::new(),
            lost: BTreeSet::new(),
            unsignalled: true,
        }
    }

    fn client(&mut self, who: &str) -> &mut Client {
        let case = &self.case;
        self.clients.get_mut(who).unwrap_or_else(|| panic!("{case}: no client {who}"))
    }

    /// The next frame that a client gets, the test's own questions and their answers left out.
    fn next(&mut self, who: &str, within: Duration) -> Option<String> {
        loop {
            let frame = normal(&self.client(who).next(within)?);
            if !frame.contains("Clusterctl::") {
                return Some(frame);
            }
        }
    }

    /// Waits for what has to come.
    fn settle(&mut self) {
        for (who, want) in std::mem::take(&mut self.expected) {
            if self.case.starts_with("watch [") && self.case.contains(']') && !self.case.ends_with(']') {
                self.watched(&who, &want);
                continue;
            }
            let mut got = Vec::new();
            while got.len() < want.len() {
                let resend = if self.case.contains("until ") { Duration::from_millis(300) } else { PATIENCE };
                let start = Instant::now();
                match self.next(&who, resend) {
                    Some(frame) => got.push(frame),
                    None if self.case.contains("until ") && start.elapsed() < PATIENCE => {
                        let again = self.sent[&who].clone();
                        self.client(&who).send(&again);
                    }
                    None => panic!("{}: {who} got {got:#?} and not {want:#?}", self.case),
                }
            }
            let mut want = want;
            want.sort();
            got.sort();
            assert_eq!(got, want, "{}", self.case);
            self.played.insert(self.case.clone());
        }
    }

    /// A watching client sees what the recording's saw. Of the hellos between other nodes it sees those that were sent
    /// after it was known to the sender: some may be missing, in the recording and here, but never all of them.
    fn watched(&mut self, who: &str, want: &[String]) {
        let mut left: Vec<&String> = want.iter().filter(|w| !NOT_PLAYED.iter().any(|n| w.contains(n))).collect();
        let mut hellos = 0;
        while !left.is_empty() {
            let only_hellos = hellos > 0 && left.iter().all(|l| is_hello(l));
            let Some(got) = self.next(who, if only_hellos { QUIET } else { PATIENCE }) else {
                assert!(only_hellos, "{}: {who} misses {left:#?}", self.case);
                break;
            };
            hellos += u32::from(is_hello(&got));
            match left.iter().position(|w| **w == got) {
                Some(i) => drop(left.remove(i)),
                None => assert!(is_hello(&got), "{}: {who} got {got}, left {left:#?}", self.case),
            }
        }
        self.played.insert(self.case.clone());
    }

    fn silent(&mut self, who: &str) {
        let case = self.case.clone();
        let watching = case.starts_with("watch [");
        while let Some(got) = self.next(who, QUIET) {
            assert!(watching && is_hello(&got), "{case}: {who} got {got} where nothing should come");
        }
        self.played.insert(case);
    }

    fn note(&mut self, record: &Record) {
        let note = record.note.as_str();
        let who = record.who.clone().unwrap_or_default();
        if let Some(url) = note.split(" connected to ws://127.0.0.1:27759").nth(1) {
            let path = url.split(' ').next().unwrap();
            let name = if self.case == "bad application name" { "X-Application-Name: bad name!\r\n" } else { "" };
            let client = Client::connect_to(self.cluster.control, path, name, PATIENCE).unwrap();
            assert!(client.head.to_lowercase().contains("\r\nserver: ixwebsocket/11.4.6"), "{}", client.head);
            self.lost.remove(&who);
            self.clients.insert(who.clone(), client);
            self.last = who;
        } else if note.contains("nothing received") {
            // While a node is only just back its silence is a matter of time.
            if !self.case.contains("until ") {
                self.silent(&who);
            }
        } else if note.starts_with("0 messages") {
            let watcher = self.watcher();
            self.silent(&watcher);
        } else if let Some(ending) = note.split("connection closed, rcvd=").nth(1) {
            self.closed(&who, ending);
        } else if note.starts_with("raised ConnectionRefusedError") {
            until("the manager to be gone", || {
                (Client::connect(self.cluster.control).err()? == Failed::Refused).then_some(())
            });
            self.played.insert(self.case.clone());
        } else if note.starts_with("raised TimeoutError") {
            let port = self.cluster.control;
            let tried = Client::connect_to(port, "/v1/messages/json", "", Duration::from_millis(300));
            assert_eq!(tried.err(), Some(Failed::TimedOut), "{}", self.case);
            self.played.insert(self.case.clone());
        } else if let Some(node) = &record.node {
            self.process(node, note);
        } else if self.case.starts_with("Control::shutdown_request") && note.starts_with("process gone") {
            let status = self.cluster.wait("worker-2");
            assert_eq!(status.code(), Some(0));
            self.played.insert(self.case.clone());
        } else if note.starts_with("websocket back") {
            if !self.cluster.is_running("manager") {
                self.cluster.start("manager");
                self.cluster.settle();
            }
        } else if note.starts_with("meanwhile") {
            for node in NODES.iter().filter(|n| **n != "manager") {
                assert_eq!(self.cluster.status(node), "RUNNING [run_loop]\n");
            }
            let left = if note.contains("'manager': (0") { "TERMINATED [atexit]\n" } else { "RUNNING [run_loop]\n" };
            assert_eq!(self.cluster.status("manager"), left);
        } else if let Some((node, _)) = note.split_once(" gone ")
            && self.case == "orderly stop"
        {
            assert_eq!(self.cluster.status(node), "TERMINATED [atexit]\n");
            self.played.insert(self.case.clone());
        }
    }

    /// The client of a case `watch [topics]: what`.
    fn watcher(&self) -> String {
        let topics = [
            "zeek/cluster/",
            "zeek/cluster/node/",
            "zeek/cluster/nodeid/",
            "zeek/event/",
            "zeek/",
            "",
            "zeek.cluster.",
        ];
        let index = topics.iter().position(|t| self.case.starts_with(&format!("watch ['{t}']"))).unwrap_or(7);
        format!("t{}", index + 1)
    }

    fn closed(&mut self, who: &str, ending: &str) {
        let case = self.case.clone();
        if let Some(close) = ending.strip_prefix('(') {
            let (code, rest) = close.split_once(", '").unwrap();
            let reason = rest.split("')").next().unwrap();
            let end = self.client(who).ended(PATIENCE);
            assert_eq!(end, Some(End::Close(code.parse().unwrap(), reason.into())), "{case}");
        } else if let Some(at) = ending.split("invalid start byte at position ").nth(1) {
            // The recording's client gave up over a byte that is no text; a case after it found it closed.
            if self.clients.contains_key(who) {
                let frame = self.client(who).next(PATIENCE).unwrap();
                let wrong = std::str::from_utf8(&frame).unwrap_err().valid_up_to();
                assert_eq!(wrong.to_string(), at.trim_end_matches("')"), "{case}");
                self.client(who).close(1007);
                self.clients.remove(who);
                self.lost.insert(who.to_owned());
            }
        } else if case.ends_with("SIGKILL") {
            // The second run's recording doesn't name its signals.
            if self.cluster.is_running("manager") && self.unsignalled {
                assert_eq!(self.cluster.stop("manager", "SIGKILL"), -9);
            }
            assert_eq!(self.client(who).ended(PATIENCE), Some(End::Broken), "{case}");
        } else {
            return;
        }
        self.played.insert(case);
    }

    fn process(&mut self, node: &str, what: &str) {
        if what.starts_with("start ") {
            if !self.cluster.is_running(node) {
                self.cluster.start(node);
                self.cluster.settle();
            }
        } else if let Some(rest) = what.strip_prefix("send ") {
            let signal = rest.split(' ').next().unwrap();
            self.unsignalled = false;
            match signal {
                "SIGTERM" => assert_eq!(self.cluster.stop(node, signal), 0),
                "SIGKILL" => assert_eq!(self.cluster.stop(node, signal), -9),
                _ => self.cluster.signal(node, signal),
            }
        }
    }

    /// Ends a case: what is owed has to come, and where the recording has no answer none comes.
    fn finish(&mut self) {
        self.settle();
        if self.asked == self.case && !self.played.contains(&self.case) && self.clients.contains_key(&self.last) {
            let last = self.last.clone();
            self.silent(&last);
        }
    }

    fn step(&mut self, record: &Record) {
        if self.case != record.case {
            self.finish();
            self.case.clone_from(&record.case);
        }
        match record.dir.as_str() {
            "note" => {
                self.settle();
                self.note(record);
            }
            "send" => {
                self.settle();
                let who = record.who.clone().unwrap_or_else(|| self.last.clone());
                // The recording's client asked again because it got no answer; here it asks until it has one.
                let again = self.case.contains("until ") && self.sent.get(&who) == Some(&record.frame);
                if again && !self.played.contains(&self.case) && self.asked == self.case {
                    return;
                }
                self.asked.clone_from(&self.case);
                // A client that the recording's own library had given up.
                if self.lost.contains(&who) {
                    return;
                }
                // The second run's first client connected before its recording begins.
                let port = self.cluster.control;
                let client = self.clients.entry(who.clone()).or_insert_with(|| {
                    let mut client = Client::connect(port).unwrap();
                    client.hello(&["zeek/control"]);
                    client
                });
                match record.frame.as_str() {
                    "b'\\x00\\x01'" => client.send_binary(&[0, 1]),
                    text => client.send(text),
                }
                self.sent.insert(who.clone(), record.frame.clone());
                self.last = who;
            }
            _ => {
                let who = record.who.clone().unwrap_or_else(|| self.last.clone());
                self.expected.entry(who).or_default().push(normal(record.frame.as_bytes()));
            }
        }
    }
}

fn is_hello(frame: &str) -> bool {
    frame.contains("Cluster::hello") || frame.contains("ZeroMQ::hello")
}

/// A frame without what has to differ: ids, times, counts, ports, the order of sets and lines.
fn normal(frame: &[u8]) -> String {
    let text = String::from_utf8_lossy(frame);
    // The frame has the form of the protocol or is compared as it is.
    let Ok(mut json) = serde_json::from_str::<Value>(&text.replace('\u{1}', "\\u0001")) else {
        return text.into_owned();
    };
    strings(&mut json);
    // The order of keys is Zeek's own where it is checked as text.
    let order = text.find("\"type\"") < text.find("\"topic\"") && text.find("\"topic\"") < text.find("\"@data-type\"");
    assert!(order || !text.contains("data-message"), "{text}");
    assert!(!text.contains("\": ") || text.contains("\\n"), "blanks: {text}");
    json.to_string()
}

fn strings(json: &mut Value) {
    match json {
        Value::String(text) => *text = plain(text),
        Value::Array(items) => items.iter_mut().for_each(strings),
        Value::Object(fields) => {
            if fields.get("@data-type") == Some(&Value::from("timestamp")) {
                fields.insert("data".into(), "TIME".into());
            }
            fields.values_mut().for_each(strings);
        }
        _ => {}
    }
}

fn plain(text: &str) -> String {
    let mut out = String::new();
    // Words: ids, times and numbers stand alone between these.
    for word in text.split_inclusive([' ', ',', '\n', '/', '=', ']', '[']) {
        let end = word.trim_end_matches([' ', ',', '\n', '/', '=', ']', '[']);
        let after = &word[end.len()..];
        let (body, dot) = match end.strip_suffix('.') {
            Some(body) if body.contains("zeromq_") => (body, "."),
            _ => (end, ""),
        };
        out.push_str(&id(body));
        out.push_str(dot);
        out.push_str(after);
    }
    if out.starts_with("{\n") {
        let mut lines: Vec<&str> = out.lines().map(|l| l.trim_end_matches(',')).collect();
        lines.sort_unstable();
        return lines.join("\n");
    }
    if out.contains("status=Broker::") {
        let mut lines: Vec<&str> = out.lines().collect();
        lines.sort_unstable();
        return lines.join("\n");
    }
    if out.contains("recvd=") {
        return "TIME recvd=N dropped=N link=N\n".into();
    }
    out
}

/// A word, or what stands for it.
fn id(word: &str) -> String {
    let is_uuid = |w: &str| w.len() == 36 && w.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let (word, socket) = match word.split_once("-websocket-") {
        Some((before, _)) => (before, "-websocket-N"),
        None => (word, ""),
    };
    if is_uuid(word) {
        return format!("ID{socket}");
    }
    let prefix = word.find("zeromq_").filter(|i| word[*i..].split('_').count() == 5);
    if let Some(at) = prefix {
        let node = word[at..].split('_').nth(1).unwrap();
        return format!("{}ID({node}){socket}", &word[..at]);
    }
    let digits = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit());
    if word.split_once('.').is_some_and(|(a, b)| a.len() == 10 && b.len() == 6 && digits(a) && digits(b)) {
        return "TIME".into();
    }
    if word.len() == 5 && digits(word) { "PORT".into() } else { word.into() }
}

/// Replays a recording; returns the cases that were played and all that it has.
fn replay(text: &str, zeromq: bool, a_string: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let records = records(text);
    let mut all = BTreeSet::new();
    let mut played = BTreeSet::new();
    let mut replay: Option<(u64, Replay)> = None;
    for record in &records {
        if record.case != "process" {
            all.insert(record.case.clone());
        }
        if LEFT_OUT.iter().any(|(case, _)| *case == record.case) {
            continue;
        }
        if replay.as_ref().is_none_or(|(run, _)| *run != record.run) {
            if let Some((_, mut before)) = replay.take() {
                before.finish();
                played.append(&mut before.played);
            }
            replay = Some((record.run, Replay::new(zeromq, a_string)));
        }
        if let Some((_, replay)) = &mut replay {
            replay.step(record);
        }
    }
    if let Some((_, mut last)) = replay {
        last.finish();
        played.append(&mut last.played);
    }
    (played, all)
}

fn covered(text: &str, zeromq: bool, a_string: &str, dead: &[&str]) {
    let (played, all) = replay(text, zeromq, a_string);
    let left_out = |case: &str| LEFT_OUT.iter().any(|(c, _)| *c == case) || dead.iter().any(|d| case.starts_with(d));
    let missed: Vec<_> = all.iter().filter(|c| !played.contains(*c) && !left_out(c)).collect();
    assert!(missed.is_empty(), "not replayed: {missed:#?}");
    assert!(played.len() * 10 > all.len() * 7, "{} of {}", played.len(), all.len());
}

#[test]
fn replays_zeek_8_0_with_broker() {
    // In this recording the client lost its connection over the first of these; the rest found it closed.
    let dead = ["id_value manager", "configuration_update manager"];
    covered(
        include_str!("../recordings/zeek-8.0.10-broker.jsonl"),
        false,
        r#""line1\nline2 \"quoted\" ☃ \xff""#,
        &dead,
    );
}

#[test]
fn replays_zeek_8_0_with_zeromq() {
    let a_string = r#""line1\nline2 \"quoted\" ☃ \x01""#;
    covered(include_str!("../recordings/zeek-8.0.10-zeromq.jsonl"), true, a_string, &[]);
}
