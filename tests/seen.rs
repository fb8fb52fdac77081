//! What the user sees, whole: transcripts of commands on one machine, with exit codes. What differs from run to run has a
//! word in its place, and blanks between columns are two.

use std::cell::RefCell;
use std::fmt::Write as _;

use regex::{Captures, Regex};

use crate::support::local::{LocalCluster, kill, wait_for};

/// A cluster with what was typed and seen there.
struct Terminal {
    cluster: LocalCluster,
    seen: RefCell<String>,
    /// Ids of releases, in the order in which they were seen first.
    releases: RefCell<Vec<String>>,
}

impl Terminal {
    fn new(rest: &str) -> Self {
        let terminal = Self { cluster: LocalCluster::new(), seen: RefCell::default(), releases: RefCell::default() };
        terminal.cluster.write(rest);
        terminal.scripts("local", "# Site scripts.\n");
        let file = terminal.cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("scripts: []", "site: ./site, scripts: [local]")).unwrap();
        terminal
    }

    /// Writes a site script.
    fn scripts(&self, name: &str, text: &str) {
        let site = self.cluster.dir().join("site");
        std::fs::create_dir_all(&site).unwrap();
        std::fs::write(site.join(format!("{name}.zeek")), text).unwrap();
    }

    fn edit(&self, from: &str, to: &str) {
        let file = self.cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    }

    fn types(&self, args: &[&str]) {
        let said = self.cluster.run(args);
        let mut seen = self.seen.borrow_mut();
        let _ = writeln!(seen, "$ clusterctl {}", args.join(" "));
        let (stdout, stderr) = (self.plain(&said.stdout), self.plain(&said.stderr));
        seen.push_str(&stdout);
        if !stderr.is_empty() {
            let _ = write!(seen, "--- stderr\n{stderr}");
        }
        let _ = writeln!(seen, "[exit {}]\n", said.code);
    }

    /// The text with words for what differs. Nodes that are told one after the other are in the order of their names.
    fn plain(&self, text: &str) -> String {
        let replace = |text: &str, of: &str, with: &str| Regex::new(of).unwrap().replace_all(text, with).into_owned();
        let mut text = text.replace(self.cluster.dir().to_str().unwrap(), "DIR").replace(&self.cluster.name(), "corp");
        text = replace(&text, r"(?m)^here: .* runs? there too.*\n", "");
        text = replace(&text, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME");
        // What is on its way to the archive.
        text = replace(&text, r"(?m)^here: \d+ rotated logs? in the queue .*\n\n?", "");
        text = replace(&text, r"/\d{4}-\d\d-\d\dT\d{6}Z", "/TIME");
        text = replace(&text, r"tester@[\w.-]+", "tester@HOST");
        text = Regex::new(r"\b[0-9a-f]{12}\b")
            .unwrap()
            .replace_all(&text, |found: &Captures<'_>| {
                let mut known = self.releases.borrow_mut();
                let at = known.iter().position(|id| *id == found[0]).unwrap_or_else(|| {
                    known.push(found[0].to_owned());
                    known.len() - 1
                });
                format!("RELEASE-{}", at + 1)
            })
            .into_owned();
        // A row of a node that runs: its pid, uptime, share of a CPU, memory.
        text = replace(
            &text,
            r"(?m)^(\S+ +\w+ +here +running +\w.*?) +\d+ +\d+m?s +[\d.]+ +[\d.]+[KMG] ",
            "$1 PID UPTIME CPU MEM ",
        );
        text = replace(&text, r"\bpid \d+", "pid PID");
        text = replace(&text, r"(?m)(\S) {2,}", "$1  ");
        let mut lines: Vec<&str> = text.lines().collect();
        let told = Regex::new(r"^\S+ on \S+: ").unwrap();
        for block in lines.chunk_by_mut(|a, b| told.is_match(a) && told.is_match(b)) {
            block.sort_unstable();
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if text.is_empty() { text } else { format!("{}\n", text.trim_end()) }
    }

    fn seen(self) -> String {
        let _ = self.cluster.run(&["stop"]);
        self.seen.take()
    }
}

const NODES: &str = "hosts: { here: { local: true } }\nnodes:\n  manager: { type: manager, host: here }\n  \
                     proxy: { type: proxy, host: here, count: 1 }\n  \
                     worker: { type: worker, host: here, count: 2, interface: \"af_packet::lo\" }\n";

#[test]
fn an_operators_day() {
    let terminal = Terminal::new(NODES);
    terminal.types(&["check"]);
    terminal.types(&["diff"]);
    terminal.types(&["deploy", "--yes"]);
    terminal.cluster.settled();
    terminal.types(&["status"]);
    terminal.types(&["deploy", "--yes"]);
    terminal.scripts("local", "# Other site scripts.\n");
    terminal.types(&["diff"]);
    terminal.types(&["deploy", "--yes"]);
    terminal.types(&["releases"]);
    terminal.types(&["rollback", "--yes"]);
    terminal.types(&["stop", "worker-2"]);
    terminal.types(&["status"]);
    terminal.types(&["start"]);
    terminal.types(&["print", "Cluster::node"]);
    // What waits in the queue differs from run to run.
    let maintained = terminal.cluster.run(&["maintain"]).code(0);
    assert_eq!(maintained.stderr, "observing: 1 host\nmaintaining: 1 host\n");
    insta::assert_snapshot!(terminal.seen());
}

#[test]
fn what_goes_wrong() {
    let terminal = Terminal::new(&format!("restart: never\n{NODES}"));
    terminal.types(&["status"]);
    terminal.types(&["start"]);
    terminal.types(&["rollback", "--yes"]);
    terminal.types(&["deploy", "--yes", "-q"]);
    terminal.cluster.settled();
    terminal.scripts("local", "redef Foo::bar = ;\n");
    terminal.types(&["check"]);
    terminal.types(&["deploy", "--yes"]);
    terminal.scripts("local", "event zeek_init()\n\t{\n\tReporter::fatal(\"out of cheese\");\n\t}\n");
    terminal.types(&["deploy", "--yes"]);
    terminal.scripts("local", "# Site scripts.\n");
    kill("KILL", terminal.cluster.pid("worker-1"));
    wait_for("its end", || (terminal.cluster.row("worker-1")["state"] != "running").then_some(()));
    terminal.types(&["status"]);
    terminal.types(&["deploy"]);
    terminal.edit("count: 2", "cuont: 2");
    terminal.types(&["deploy", "--yes"]);
    terminal.edit("cuont: 2", "count: 2");
    insta::assert_snapshot!(terminal.seen());
}

#[test]
fn a_host_that_cannot_be_reached() {
    let nodes = "hosts: { here: { local: true, address: 127.0.0.1 }, gone: { address: 127.0.0.9, ssh: { port: 1 } } }\n\
                 nodes:\n  manager: { type: manager, host: here }\n  proxy: { type: proxy, host: here, count: 1 }\n  \
                 worker: { type: worker, hosts: [here, gone], interface: \"af_packet::lo\" }\n";
    let terminal = Terminal::new(nodes);
    terminal.types(&["check"]);
    terminal.types(&["deploy", "--yes"]);
    terminal.types(&["deploy", "--yes", "--skip", "@gone"]);
    terminal.types(&["status"]);
    terminal.types(&["restart"]);
    terminal.types(&["resume", "--yes"]);
    insta::assert_snapshot!(terminal.seen());
}
