//! What the user sees, whole: transcripts of commands on one machine, with exit codes. What differs from run to run has a
//! word in its place, and blanks between columns are two.

use crate::support::local::{LocalCluster, kill, wait_for};
use crate::support::transcript::Transcript;

/// A cluster with what was typed and seen there.
struct Terminal {
    cluster: LocalCluster,
    transcript: Transcript,
}

impl Terminal {
    fn new(rest: &str) -> Self {
        let terminal = Self { cluster: LocalCluster::new(), transcript: Transcript::default() };
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
        self.transcript.run(&self.cluster, args);
    }

    fn seen(self) -> String {
        let _ = self.cluster.run(&["stop"]);
        self.transcript.take()
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
