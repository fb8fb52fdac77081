//! Answers of hosts, as they are and as they should not be.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// What a host says to a brief look; each line that a script of ours says itself is in it.
const BRIEF: [&str; 46] = [
    "clock 100050",
    "host 0123abcd 1-2-3 1000.50 1795370070",
    "current abc123",
    "running 8.0.10 zeromq",
    "lost zeromq-curve-0123456789abcdef",
    "now 644 ./site/a.zeek",
    "touched 1795370000 ./site/a.zeek",
    "touched  ./site/gone.zeek",
    "binary 12345 1795000000",
    "queue 3 1795370000",
    "archiver",
    "room 12 /",
    "room 12 /",
    "room 3 /data of logs",
    "maintain systemd 300 1795000000",
    "maintained 1795370000 ",
    "journal 1 me@here (pid 1): deploy, since now",
    "lock id 1-2-3 7 70 deploy me@here",
    "node log-archiver",
    "supervised",
    "node worker-1",
    "want running abc123",
    "run id 1-2-3 77 90050",
    "run release abc123",
    "run restarts 2",
    "run input ffff command line",
    "exit id 1-2-3 70 -",
    "exit status 137",
    "exit next 4",
    "exit tries 3",
    "status RUNNING [run_loop]",
    "due ffff command line",
    "made 12345 1795000000",
    "process 77 S 1 77 77 0 -1 4194304 0 0 0 0 150 50 0 0 20 0 1 0 90050 1000 1",
    "resident 2048",
    "supervised unit",
    "node worker-2",
    "want stopped",
    "nodes end",
    "uid 1000",
    "unmanaged 99 1000 1",
    "cmdline 99 zeek",
    "environ 99 CLUSTER_NODE=worker-9",
    "folder 99 /data/other/nodes/worker-9",
    "more 3",
    "observed end",
];

/// What it says beside that to a full one.
const FULL: [&str; 16] = [
    "account 1000 zeek",
    "salt 0000000000000000000000000000000000000000000000000000000000000000",
    "way base 41ed 0 /var",
    "inside 41ff 1001 /var/x",
    "cpus 0-3 -",
    "version zeek version 8.0.10",
    "release abc123",
    "info time 1795000000",
    "info who me@here",
    "info of_a_newer_clusterctl x",
    "pending left {\"name\":\"ghost\",\"ssh\":{\"host\":\"198.51.100.8\"}}",
    "needs zeromq-curve-0123456789abcdef",
    "stranded 3 /old/log-queue",
    "systemd linger zeek",
    "beat",
    "logind no KillUserProcesses=yes",
];

/// Words of lines that scripts of ours say by themselves, quoting nothing that others write.
const OWN: [&str; 18] = [
    "clock",
    "host",
    "binary",
    "queue",
    "room",
    "process",
    "resident",
    "supervised",
    "uid",
    "unmanaged",
    "folder",
    "environ",
    "more",
    "account",
    "way",
    "cpus",
    "stranded",
    "systemd",
];

fn full() -> Vec<&'static str> {
    [&BRIEF[..], &FULL[..]].concat()
}

/// A good answer to the full look with some more lines in it, each where such lines come.
fn full_with(lines: &[&str]) -> Result<FullObserved, Malformed> {
    let mut all = full();
    all.splice(all.len() - 1..all.len() - 1, lines.iter().copied());
    FullObserved::parse(&all)
}

/// A good answer in which the value of one line is another.
fn with(word: &str, value: &str) -> Vec<String> {
    let changed = |line: &&str| match line.split(' ').next() {
        Some(first) if first == word => format!("{word} {value}"),
        _ => (*line).to_owned(),
    };
    full().iter().map(changed).collect()
}

#[test]
fn an_answer_is_read() {
    let host = Observed::parse(&BRIEF).unwrap();
    assert_eq!((host.queue.logs, host.queue.age, host.can_archive), (3, Some(70), true));
    assert_eq!(host.room, [("/".to_owned(), 12), ("/data of logs".to_owned(), 3)]);
    assert_eq!((host.maintain, host.maintained), (Some((300, Some(1_795_000_000))), Some(1_795_370_000)));
    assert!(host.archiver.as_ref().is_some_and(|a| a.supervised) && !host.nodes.contains_key("log-archiver"));
    let node = &host.nodes["worker-1"];
    assert_eq!(node.desired, Some(Desired::Running("abc123".to_owned())));
    let process = node.process.as_ref().unwrap();
    assert_eq!((process.pid, process.resident, node.restarts), (77, 2048 * 1024, Some(2)));
    assert!((process.uptime - 100.0).abs() < 0.01 && (process.cpu - 2.0).abs() < 0.01, "{process:?}");
    assert_eq!(node.inputs["command line"], "ffff");
    let exit = node.exit.as_ref().unwrap();
    assert_eq!((exit.text().as_str(), &exit.next, exit.tries), ("SIGKILL", &RestartAction::Restart(4), Some(3)));
    assert_eq!(host.nodes["worker-2"].desired, Some(Desired::Stopped));
    assert_eq!(host.unmanaged.len(), 1);
    assert_eq!((host.unmanaged[0].owner, host.more_unmanaged), (Owner::Account, 3));
    assert_eq!(host.wrong, []);
    let host = FullObserved::parse(&full()).unwrap();
    assert_eq!((host.uid, host.user.as_str(), host.version.as_str()), (1000, "zeek", "zeek version 8.0.10"));
    assert_eq!((host.systemd, host.logind_kills), (Systemd::NoLinger("zeek".to_owned()), true));
    assert_eq!((host.releases[0].time, host.pending.len(), host.ways.len()), (Some(1_795_000_000), 1, 2));
    assert_eq!(host.brief.wrong, []);
}

#[test]
fn an_answer_that_is_cut_off_is_none() {
    for end in 0..BRIEF.len() {
        assert!(matches!(Observed::parse(&BRIEF[..end]), Err(Malformed::Missing(_))), "{end}");
    }
    let all = full();
    for end in 0..all.len() {
        assert!(matches!(FullObserved::parse(&all[..end]), Err(Malformed::Missing(_))), "{end}");
    }
    assert!(FullObserved::parse(&BRIEF).is_err(), "a brief look is no full one");
    assert!(Observed::parse(&full()).is_err(), "a full look is no brief one");
    let said = Observed::parse(&BRIEF[..9]).unwrap_err().to_string();
    assert_eq!(said, "the host's reply is incomplete: no line `observed`");
}

#[test]
fn what_a_script_of_ours_does_not_say_makes_the_host_unknown() {
    for (word, value, why) in [
        ("clock", "", "is not a valid number"),
        ("clock", "-1", "is not a valid number"),
        ("host", "0123abcd 1-2-3 NaN 1795370070", "\"NaN\" is not a valid number"),
        ("host", "0123abcd 1-2-3 10.0 9223372036854775807", "its clock is not a time"),
        ("host", "0123abcd 1-2-3", "it has 2 of 4 fields"),
        ("host", "0123abcd  10.0 1795370070", "or empty ones"),
        ("binary", "12345", "not a size and a time"),
        ("binary", "-1 1795000000", "not a size and a time"),
        ("queue", "x -", "\"x\" is not a valid number"),
        ("queue", "3", "it has 1 of 2 fields"),
        ("room", "x /", "\"x\" is not a valid number"),
        ("room", "12", "it names no mount point"),
        ("supervised", "by me", "is not a supervisor"),
        ("process", "77 S 1", "is not a valid number"),
        (
            "process",
            "77 S 1 77 77 0 -1 4194304 0 0 0 0 inf nan 0 0 20 0 1 0 90050 1000 1",
            "\"inf\" is not a valid number",
        ),
        (
            "process",
            "-1 S 1 77 77 0 -1 4194304 0 0 0 0 150 50 0 0 20 0 1 0 90050 1000 1",
            "\"-1\" is not a valid number",
        ),
        ("resident", "18446744073709551616", "is not a valid number"),
        ("unmanaged", "99 1000", "it has no parent"),
        ("unmanaged", "99 x 1", "\"x\" is not a valid number"),
        ("folder", "98 /data/other/nodes/worker-9", "before any process"),
        ("environ", "99 HOME=/root", "was not asked for"),
        ("more", "-3", "is not a valid number"),
        ("account", "zeek", "it has no name"),
        ("account", "4294967296 zeek", "is not a valid number"),
        ("way", "base zz 0 /x", "not a mode, an owner and a path"),
        ("cpus", "0-3", "not two lists"),
        ("cpus", "0-3 most", "invalid CPU"),
        ("stranded", "/old/log-queue 3", "is not a valid number"),
        ("systemd", "perhaps", "says nothing of systemd"),
    ] {
        let Err(Malformed::Line(said)) = FullObserved::parse(&with(word, value)) else { panic!("{word} {value}") };
        assert!(said.contains(why) || word == "cpus", "{word} {value}: {said}");
        assert!(said.starts_with(&format!("\"{word}")), "{said}");
    }
    for (place, line) in [
        (0, "process 77 S 1 77 77 0 -1 4194304 0 0 0 0 150 50 0 0 20 0 1 0 90050 1000 1"),
        (2, "want stopped"),
        (2, "unit c-n.service"),
        (2, "host 0123abcd 1-2-3 1000.50 1795370070"),
        (2, "something else"),
        (2, ""),
        (2, "account 1000 zeek"),
        (BRIEF.len(), "node worker-3"),
        (BRIEF.len(), "info time 5"),
        (41, "unmanaged 99 1000 1"),
    ] {
        let mut all = full();
        all.insert(place, line);
        assert!(matches!(FullObserved::parse(&all), Err(Malformed::Line(_))), "{place}: {line}");
    }
    // What is told of it is one short line, whatever it is.
    let long = format!("x\u{1b}[2J {}", "y".repeat(10_000));
    let said = Observed::parse(&[&long]).unwrap_err().to_string();
    assert!(said.len() < 300 && !said.chars().any(char::is_control), "{said}");
}

#[test]
fn what_others_can_write_makes_only_itself_unknown() {
    for (word, value, file) in [
        ("current", "../../etc", "current"),
        ("running", "`id` broker", "current/clusterctl/version"),
        ("lost", "../x", "current/clusterctl/secrets"),
        ("now", "644 ./a\u{1b}[2J", "current"),
        ("touched", "soon ./site/a.zeek", "current"),
        ("queue", "3 -9223372036854775808", "log-queue"),
        ("maintain", "systemd 18446744073709551615 5", "maintain"),
        ("maintain", "systemd 300 -9223372036854775808", "maintain"),
        ("maintained", "9223372036854775807", "maintained"),
        ("node", "../../x", "nodes"),
        ("node", "\u{1b}[31mred", "nodes"),
        ("want", "running ../x", "nodes/worker-1"),
        ("want", "perhaps", "nodes/worker-1"),
        ("run", "release a/b", "nodes/worker-1"),
        ("run", "restarts many", "nodes/worker-1"),
        ("run", "input ../x command line", "nodes/worker-1"),
        ("run", "input ffff \u{1b}[2J", "nodes/worker-1"),
        ("due", "ffff", "nodes/worker-1"),
        ("made", "x y", "nodes/worker-1"),
        ("exit", "status x", "nodes/worker-1"),
        ("exit", "tries -1", "nodes/worker-1"),
        ("exit", "next 18446744073709551615", "nodes/worker-1"),
        ("exit", "next soon", "nodes/worker-1"),
        ("exit", "status", "nodes/worker-1"),
        ("salt", "x", "current/start"),
        ("inside", "second line of a name", ""),
        ("release", "../../x", "releases"),
        ("info", "time 9223372036854775807", "releases/abc123.info"),
        ("info", "time", "releases/abc123.info"),
        ("pending", "left {\"name\":\"../x\",\"ssh\":{\"host\":\"198.51.100.8\"}}", "pending"),
        ("needs", "zeromq-../../../../etc/", "current/clusterctl/secrets"),
    ] {
        // What else is said of the node goes where it belongs, or nowhere.
        let host = FullObserved::parse(&with(word, value)).unwrap_or_else(|why| panic!("{word} {value}: {why}"));
        let told: Vec<&str> = host.wrong.iter().map(|w| w.file.as_str()).collect();
        assert!(told.contains(&file), "{word} {value}: {:?}", host.wrong);
        // Nothing of it reaches a terminal as it is.
        assert!(host.wrong.iter().all(|w| !w.why.chars().any(char::is_control)));
        assert!(host.complete_but_for(word), "{word} {value}");
    }
    let host =
        full_with(&["secret ../../../../etc/x  zeromq-../../../../etc/", "release ../../x", "info time 5"]).unwrap();
    assert!(host.secrets.is_empty());
    assert_eq!(
        host.releases.iter().map(|k| (k.id.as_str(), k.time)).collect::<Vec<_>>(),
        [("abc123", Some(1_795_000_000))]
    );
    let manifest = [
        "manifest 0000000000000000000000000000000000000000000000000000000000000000  ./../../x",
        "manifest 644 .//etc/passwd",
        "manifest 644 ./a/./b",
        "manifest 644 ./right",
    ];
    let mut all = full();
    all.splice(6..6, manifest);
    let host = FullObserved::parse(&all).unwrap();
    assert_eq!((host.manifest.len(), host.wrong.len()), (1, 3));
    let host =
        Observed::of(&["journal 1 somebody (pid 1): rollback, since x", "journal from ../../x", "journal to $(id)"]);
    let unfinished = host.unfinished().unwrap();
    assert!(unfinished.from.is_none() && unfinished.to.is_none());
}

impl FullObserved {
    /// Whether the rest of the good answer is as it was.
    fn complete_but_for(&self, word: &str) -> bool {
        let node = self.nodes.get("worker-1").filter(|node| node.process.is_some());
        let nodes = word == "node" || node.is_some();
        nodes && self.version == "zeek version 8.0.10" && (word == "queue" || self.queue.age == Some(70))
    }
}

#[test]
fn a_word_that_is_no_number_is_never_nothing() {
    let host = FullObserved::parse(&with("run", "restarts many")).unwrap();
    assert_eq!(host.nodes["worker-1"].restarts, None);
    let host = FullObserved::parse(&with("exit", "next soon")).unwrap();
    assert_eq!(host.nodes["worker-1"].exit.as_ref().unwrap().next, RestartAction::Unknown);
    let host = FullObserved::parse(&with("exit", "tries many")).unwrap();
    assert_eq!(host.nodes["worker-1"].exit.as_ref().unwrap().tries, None);
    let host = FullObserved::parse(&with("maintain", "systemd 300 x")).unwrap();
    assert_eq!((host.maintain, host.wrong.len()), (Some((300, None)), 1));
    let host = FullObserved::parse(&with("maintain", "cron 300")).unwrap();
    assert_eq!((host.maintain, host.wrong.len()), (Some((300, None)), 0));
}

#[test]
fn what_is_said_last_of_a_node_counts() {
    let host = Observed::of(&["node w", "want stopped", "supervised", "node w", "want running abc", "nodes end"]);
    assert_eq!(host.nodes["w"].desired_release(), Some("abc"));
    assert!(!host.nodes["w"].supervised);
}

#[test]
fn a_host_remembers_no_more_hosts_than_there_are() {
    let lines: Vec<String> =
        (0..10_000).map(|n| format!("pending left {{\"name\":\"x{n}\",\"ssh\":{{\"host\":\"x{n}\"}}}}")).collect();
    let host = full_with(&lines.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    assert_eq!((host.pending.len(), host.wrong.len()), (MOST_LEFT, 1));
    assert!(host.wrong[0].mended && host.wrong[0].file == "pending");
}

#[test]
fn the_name_of_an_account_is_no_command() {
    let host = full_with(&["account 1000 x;id|sh", "systemd linger $(id)"]).unwrap();
    assert_eq!((host.user.as_str(), host.systemd), ("1000", Systemd::NoLinger("USER".to_owned())));
}

/// As in a container whose uptime is its own: the kernel has been up for much longer.
#[test]
fn a_process_is_as_old_as_the_kernels_clock_says() {
    let host = Observed::parse(&[
        "clock 900000",
        "host 0123abcd 1-2-3 50.00 1795370070",
        "node worker-1",
        "process 77 S 1 77 77 0 -1 4194304 0 0 0 0 150 50 0 0 20 0 1 0 890000 1000 1",
        "nodes end",
        "observed end",
    ])
    .unwrap();
    let process = host.nodes["worker-1"].process.as_ref().unwrap();
    assert!((process.uptime - 100.0).abs() < 0.01 && (process.cpu - 2.0).abs() < 0.01, "{process:?}");
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(lines in proptest::collection::vec("(node|run|exit|process|want|unmanaged|unit|folder|cmdline|environ|gone|clock|host|binary|lock|status|queue|maintain|maintained|info time|info|release|pending left|manifest|journal|resident|secret|now|touched|cpus|systemd|account)? ?.{0,60}", 0..40), at in 0usize..60) {
        let _ = Observed::parse(&lines);
        let mut all: Vec<String> = full().into_iter().map(str::to_owned).collect();
        all.splice(at..at, lines);
        let _ = FullObserved::parse(&all);
    }

    #[test]
    fn rubbish_in_a_line_of_a_script_is_an_error_that_shows_it(at in 0..OWN.len(), rubbish in "[a-z!]{1,12}( [a-z!]{1,12}){0,3}") {
        let word = OWN[at];
        prop_assume!(!(word == "supervised" && rubbish == "unit"));
        prop_assume!(!(word == "systemd" && (matches!(rubbish.as_str(), "ready" | "none") || rubbish.starts_with("linger "))));
        match FullObserved::parse(&with(word, &rubbish)) {
            Err(Malformed::Line(why)) => prop_assert!(why.contains(&rubbish), "{}", why),
            other => prop_assert!(false, "{} {}: {:?}", word, rubbish, other),
        }
    }

    #[test]
    fn rubbish_that_is_quoted_from_a_file_hides_no_host(at in 0usize..1000, rubbish in "[^\n]{0,80}") {
        let all = full();
        let own: BTreeSet<&str> = OWN.into_iter().collect();
        let line = all[at % all.len()];
        let word = line.split(' ').next().unwrap_or_default();
        // What is told of a process, and the words that end parts, are no files.
        prop_assume!(!own.contains(word) && !matches!(word, "cmdline" | "beat"));
        let host = FullObserved::parse(&with(word, &rubbish));
        prop_assert!(host.is_ok(), "{} {:?}: {:?}", word, rubbish, host);
    }
}
