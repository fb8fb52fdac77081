//! `top` and `status --watch` on a pseudo-terminal, in a pipe, and how they end.

use std::process::Command;
use std::time::{Duration, Instant};

use expectrl::session::OsSession;
use expectrl::{Expect as _, Session};

use crate::support::local::{LocalCluster, gone, kill, wait_for};

/// A terminal with what it shows.
struct Terminal {
    session: OsSession,
    screen: vt100::Parser,
}

impl Terminal {
    /// Runs a command on a terminal of so many lines and columns; then its exit code is shown, and what state the
    /// terminal is in.
    fn run(cluster: &LocalCluster, (rows, columns): (u16, u16), args: &str) -> Self {
        let mut shell = Command::new("sh");
        let program = env!("CARGO_BIN_EXE_clusterctl");
        let line = format!(
            "stty rows {rows} cols {columns}; {program} {args}; code=$?; case $(stty -a) in *' -icanon'*) tty=raw ;; \
             *) tty=cooked ;; esac; echo ended $code $tty; read -r end"
        );
        shell.args(["-c", &line]).current_dir(cluster.dir()).env("TERM", "xterm-256color").env("HOME", cluster.dir());
        shell.env("XDG_RUNTIME_DIR", cluster.dir().join("run")).env_remove("NO_COLOR").env_remove("COLUMNS");
        Self {
            session: Session::spawn(shell).unwrap(),
            screen: vt100::Parser::new(at_least_one(rows), at_least_one(columns), 0),
        }
    }

    /// Waits until the screen shows something.
    #[track_caller]
    fn until(&mut self, what: &str, shows: impl Fn(&str) -> bool) -> String {
        let limit = Instant::now() + Duration::from_secs(60);
        loop {
            let mut bytes = [0; 4096];
            match self.session.try_read(&mut bytes) {
                Ok(read @ 1..) => self.screen.process(&bytes[..read]),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
            let text = self.screen.screen().contents();
            if shows(&text) {
                return text;
            }
            assert!(Instant::now() < limit, "{what} does not show within a minute:\n{text}");
        }
    }

    #[track_caller]
    fn shows(&mut self, text: &str) -> String {
        self.until(text, |shown| shown.contains(text))
    }

    /// The process of the command, and all below it.
    fn processes(&self) -> Vec<u64> {
        let shell = u64::try_from(self.session.get_process().pid().as_raw()).unwrap();
        tree(shell).split_off(1)
    }

    #[track_caller]
    fn ends(&mut self, code: i32, processes: &[u64]) {
        self.shows(&format!("ended {code} cooked"));
        assert!(!self.screen.screen().alternate_screen() && !self.screen.screen().hide_cursor());
        for pid in processes {
            wait_for("the end of what it ran", || gone(*pid).then_some(()));
        }
    }
}

fn tree(pid: u64) -> Vec<u64> {
    let output = Command::new("pgrep").args(["-P", &pid.to_string()]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let below = text.lines().filter_map(|line| line.parse().ok()).flat_map(tree);
    std::iter::once(pid).chain(below).collect()
}

fn at_least_one(number: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(number).unwrap()
}

/// Tells whether a node's row has its memory, and so all that its host tells.
fn has_figures(shown: &str) -> bool {
    let row = shown.lines().find(|line| line.starts_with("worker-2"));
    row.is_some_and(|row| row.split_whitespace().any(|word| word.ends_with('M') || word.ends_with('K')))
}

#[test]
fn top_is_live_at_any_size_and_leaves_nothing_behind() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    for (size, end, code) in [((24, 80), "q", 0), ((50, 200), "\x03", 130)] {
        let mut terminal = Terminal::run(&cluster, size, "top");
        let shown = terminal.until("figures of nodes", has_figures);
        assert!(shown.contains("4 of 4 nodes run, 1 of 1 host") && shown.contains("q quit"), "{shown}");
        assert!(terminal.screen.screen().alternate_screen());
        terminal.session.send(" ").unwrap();
        terminal.shows("PAUSED");
        terminal.session.send(" /nobody\r").unwrap();
        terminal.shows("no node matches `nobody`");
        terminal.session.send("/worker-1\r").unwrap();
        terminal.until("the filter", |shown| shown.contains("only worker-1") && !shown.contains("proxy-1"));
        terminal.session.send("n").unwrap();
        terminal.shows("by name");
        let processes = terminal.processes();
        assert!(processes.len() > 2, "no script runs: {processes:?}");
        terminal.session.send(end).unwrap();
        terminal.ends(code, &processes);
    }
    // Told to end from outside, it gives the terminal back as well.
    let mut terminal = Terminal::run(&cluster, (24, 80), "top");
    terminal.until("figures of nodes", has_figures);
    let processes = terminal.processes();
    kill("TERM", processes[0]);
    terminal.ends(130, &processes);
    // Killed, it leaves nothing behind on the hosts.
    let mut terminal = Terminal::run(&cluster, (24, 80), "top");
    terminal.until("figures of nodes", has_figures);
    let processes = terminal.processes();
    kill("KILL", processes[0]);
    for pid in processes {
        wait_for("the end of what it ran", || gone(pid).then_some(()));
    }
}

#[test]
fn top_in_a_pipe_is_one_table() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    let said = cluster.run(&["top"]).code(0);
    assert!(
        !said.stdout.contains('\u{1b}') && said.stdout.contains("NODE ") && said.stdout.contains("here "),
        "{said:?}"
    );
    let data = cluster.run(&["top", "workers", "-o", "json"]).code(0).json()["data"].clone();
    let nodes = data["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 2, "{data}");
    for node in nodes {
        assert_eq!(node["pid"].as_u64(), Some(cluster.pid(node["node"].as_str().unwrap())), "{node}");
        assert!(node["cpu"].is_f64() && node["memory"].as_u64().unwrap() > 0 && node["threads"].as_u64().unwrap() > 0);
        assert!(node["packets_per_second"].is_f64() && node["dropped_percent"].is_f64(), "{node}");
    }
    let host = &data["hosts"][0];
    for key in ["cpu", "memory_percent", "disk_percent", "packets_per_second", "bits_per_second", "drops_per_second"] {
        assert!(host[key].is_f64(), "{key}: {host}");
    }
    cluster.run(&["stop", "worker-2"]).code(0);
    let data = cluster.run(&["top", "worker-2", "-o", "json"]).code(0).json()["data"].clone();
    assert!(data["nodes"][0]["pid"].is_null() && data["nodes"][0]["packets_per_second"].is_null(), "{data}");
}
