//! What `templates/top.sh` says of a host, and what two samples of it come to. Other people's bytes: bounded, and never
//! taken for more than numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::observed::{Malformed, word_of};
use crate::values::Version;

/// Clock ticks a second in /proc/PID/stat: `USER_HZ`, 100 on every architecture that Zeek runs on.
const TICKS: f64 = 100.0;

/// The kernel's counters of an interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Link {
    bytes: u64,
    packets: u64,
    dropped: u64,
}

/// What the kernel says of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Process {
    start: u64,
    /// In clock ticks.
    time: u64,
    threads: u64,
    /// In pages.
    resident: u64,
}

/// The lines of one sample.
#[derive(Debug, Clone, Default)]
struct Raw {
    up: f64,
    /// All of the processors' time and what of it was idle, in clock ticks.
    cpu: Option<(u64, u64)>,
    memory: Option<u64>,
    available: Option<u64>,
    links: BTreeMap<String, Link>,
    processes: BTreeMap<u32, Process>,
}

/// What a host does.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct HostFigures {
    /// In per cent of all its processors.
    pub(super) cpu: Option<f64>,
    /// What of its memory is in use, in per cent.
    pub(super) memory: Option<f64>,
    /// What of the file system of the spool folder is in use, in per cent.
    pub(super) disk: Option<f64>,
    /// Of all interfaces that nodes capture from.
    pub(super) packets_per_second: Option<f64>,
    pub(super) bits_per_second: Option<f64>,
    pub(super) drops_per_second: Option<f64>,
}

/// What a node does.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct NodeFigures {
    pub(super) pid: u32,
    /// In per cent of one processor; none before the second sample of the process.
    pub(super) cpu: Option<f64>,
    /// Resident, in bytes.
    pub(super) memory: u64,
    pub(super) threads: u64,
}

/// Reads what one host says.
#[derive(Debug, Default)]
pub(super) struct HostReader {
    /// The nodes that the description has there: others are nobody's business here.
    nodes: BTreeSet<String>,
    /// The interfaces that are asked for.
    interfaces: BTreeSet<String>,
    /// In bytes.
    page: u64,
    disk: Option<f64>,
    /// Which nodes run: pid and start, by name; and those of the look that is under way.
    running: BTreeMap<String, (u32, u64)>,
    found: BTreeMap<String, (u32, u64)>,
    now: Raw,
    before: Option<Raw>,
    /// The version of Zeek in the current release.
    pub(super) version: Option<Version>,
    /// Whether there is a sample.
    pub(super) sampled: bool,
    pub(super) host: HostFigures,
    pub(super) by_node: BTreeMap<String, NodeFigures>,
}

impl HostReader {
    pub(super) fn new(nodes: BTreeSet<String>, interfaces: BTreeSet<String>) -> Self {
        Self { nodes, interfaces, page: 4096, ..Self::default() }
    }

    /// The interfaces that are asked for.
    pub(super) fn interfaces(&self) -> BTreeSet<String> {
        self.interfaces.clone()
    }

    /// Forgets what was: another script answers from now on.
    pub(super) fn begin(&mut self) {
        *self = Self::new(std::mem::take(&mut self.nodes), std::mem::take(&mut self.interfaces));
    }

    /// Takes a line; tells whether a sample is complete with it.
    ///
    /// # Errors
    /// For what no script of ours says.
    pub(super) fn take(&mut self, line: &str) -> Result<bool, String> {
        let (word, value) = word_of(line);
        let known = match word {
            "running" => {
                self.version = value.split(' ').next().and_then(|version| version.parse().ok());
                Some(())
            }
            "page" => {
                value.parse::<u64>().ok().filter(|kib| (1..=1024).contains(kib)).map(|kib| self.page = kib * 1024)
            }
            "node" => self.node(value),
            "nodes" => {
                self.running = std::mem::take(&mut self.found);
                Some(())
            }
            // Of some file systems df has no numbers.
            "disk" => {
                self.disk = full(value);
                Some(())
            }
            "up" => {
                let up = value.split(' ').next().and_then(|up| up.parse::<f64>().ok()).filter(|up| up.is_finite());
                up.map(|up| self.now.up = up)
            }
            "cpu" => {
                self.now.cpu = processors(value);
                Some(())
            }
            "MemTotal:" => {
                self.now.memory = kibibytes(value);
                Some(())
            }
            "MemAvailable:" => {
                self.now.available = kibibytes(value);
                Some(())
            }
            "net" => {
                if let Some((name, link)) = link(value).filter(|(name, _)| self.interfaces.contains(*name)) {
                    self.now.links.insert(name.to_owned(), link);
                }
                Some(())
            }
            "stat" => {
                if let Some((pid, process)) = process(value)
                    && self.running.values().any(|known| *known == (pid, process.start))
                {
                    self.now.processes.insert(pid, process);
                }
                Some(())
            }
            "sampled" => {
                self.finish();
                return Ok(true);
            }
            _ => None,
        };
        known.map(|()| false).ok_or_else(|| Malformed::unsaid(line).to_string())
    }

    fn node(&mut self, value: &str) -> Option<()> {
        let mut words = value.splitn(3, ' ');
        let (pid, start) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let name = words.next()?;
        if self.nodes.contains(name) {
            self.found.insert(name.to_owned(), (pid, start));
        }
        Some(())
    }

    /// Makes figures of this sample and the one before.
    #[expect(clippy::cast_precision_loss, reason = "rates and shares")]
    fn finish(&mut self) {
        let now = std::mem::take(&mut self.now);
        let before = self.before.take();
        let seconds = before.as_ref().map(|before| now.up - before.up).filter(|seconds| *seconds > 0.0);
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 * 100.0 / whole as f64);
        let mut host = HostFigures { disk: self.disk, ..HostFigures::default() };
        if let (Some((all, idle)), Some((was, was_idle))) = (now.cpu, before.as_ref().and_then(|b| b.cpu)) {
            let all = all.saturating_sub(was);
            host.cpu = share(all.saturating_sub(idle.saturating_sub(was_idle)), all);
        }
        host.memory = now.memory.zip(now.available).and_then(|(all, free)| share(all.saturating_sub(free), all));
        if let Some((before, seconds)) = before.as_ref().zip(seconds).filter(|_| !self.interfaces.is_empty()) {
            let mut sum = Link::default();
            let mut any = false;
            for (name, is) in &now.links {
                let Some(was) = before.links.get(name) else { continue };
                any = true;
                // A counter that began anew tells nothing.
                let grown = |count: fn(&Link) -> u64| count(is).saturating_sub(count(was));
                sum.bytes = sum.bytes.saturating_add(grown(|l| l.bytes));
                sum.packets = sum.packets.saturating_add(grown(|l| l.packets));
                sum.dropped = sum.dropped.saturating_add(grown(|l| l.dropped));
            }
            if any {
                host.bits_per_second = Some(sum.bytes as f64 * 8.0 / seconds);
                host.packets_per_second = Some(sum.packets as f64 / seconds);
                host.drops_per_second = Some(sum.dropped as f64 / seconds);
            }
        }
        let figures = |(name, (pid, start)): (&String, &(u32, u64))| {
            let is = now.processes.get(pid).filter(|process| process.start == *start)?;
            let was = before.as_ref().and_then(|b| b.processes.get(pid)).filter(|process| process.start == *start);
            let cpu = was
                .zip(seconds)
                .map(|(was, seconds)| is.time.saturating_sub(was.time) as f64 * 100.0 / TICKS / seconds);
            let memory = is.resident.saturating_mul(self.page);
            Some((name.clone(), NodeFigures { pid: *pid, cpu, memory, threads: is.threads }))
        };
        self.by_node = self.running.iter().filter_map(figures).collect();
        self.host = host;
        self.before = Some(now);
        self.sampled = true;
    }
}

/// What of a file system is in use, in per cent, from df's own line.
fn full(line: &str) -> Option<f64> {
    let share = line.split_whitespace().rev().find_map(|word| word.strip_suffix('%'));
    share?.parse().ok().filter(|share: &f64| (0.0..=100.0).contains(share))
}

/// All time and idle time, from the first line of /proc/stat (proc(5)): what guests take is in user time already.
fn processors(text: &str) -> Option<(u64, u64)> {
    let times: Vec<u64> = text.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let all = times.iter().fold(0_u64, |sum, time| sum.saturating_add(*time));
    Some((all, times.get(3)?.saturating_add(times.get(4).copied().unwrap_or_default())))
}

fn kibibytes(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// A line of /proc/net/dev.
fn link(text: &str) -> Option<(&str, Link)> {
    let (name, numbers) = text.split_once(':')?;
    let numbers: Vec<u64> = numbers.split_whitespace().take(4).filter_map(|word| word.parse().ok()).collect();
    let [bytes, packets, _, dropped] = numbers.try_into().ok()?;
    Some((name.trim(), Link { bytes, packets, dropped }))
}

/// /proc/PID/stat. The name in it, which may be anything, ends with the last parenthesis.
fn process(text: &str) -> Option<(u32, Process)> {
    let pid = text.split(' ').next()?.parse().ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    // The first of them is field 3.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let time = field(14)?.saturating_add(field(15)?);
    Some((pid, Process { start: field(22)?, time, threads: field(20)?, resident: field(24)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> HostReader {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        HostReader::new(names(&["worker-1", "worker-2"]), names(&["eth0"]))
    }

    fn stat(pid: u32, start: u64, time: u64, threads: u64, pages: u64) -> String {
        format!("stat {pid} (ze) k (x) S 1 1 1 0 -1 0 0 0 0 0 {time} 5 0 0 20 0 {threads} 0 {start} 99999 {pages} 1 2")
    }

    fn feed(reader: &mut HostReader, lines: &[String]) -> bool {
        lines.iter().any(|line| reader.take(line).unwrap_or_else(|e| panic!("{e}")))
    }

    fn sample(up: u64, cpu: &str, net: &str, processes: &[String]) -> Vec<String> {
        let mut lines = vec![
            format!("up {up}.00 1.00"),
            format!("cpu  {cpu}"),
            "MemTotal:       1000 kB".to_owned(),
            "MemAvailable:   250 kB".to_owned(),
            format!("net   eth0:{net}"),
            "net lo: 9 9 9 9 9 9".to_owned(),
        ];
        lines.extend(processes.iter().cloned());
        lines.push("sampled".to_owned());
        lines
    }

    #[test]
    fn two_samples_make_rates() {
        let mut reader = reader();
        let begin = ["running 9.0.1 zeromq", "page 4", "node 10 700 worker-1", "node 11 800 stranger", "nodes end"];
        feed(&mut reader, &begin.map(str::to_owned));
        feed(&mut reader, &["disk /dev/x 100 40 60 40% /a b".to_owned()]);
        let first = sample(100, "100 0 100 700 100 0 0 0 5 5", "1000 10 0 1 0", &[stat(10, 700, 95, 7, 2)]);
        assert!(feed(&mut reader, &first));
        assert_eq!((reader.host.cpu, reader.host.memory, reader.host.disk), (None, Some(75.0), Some(40.0)));
        assert_eq!(reader.host.packets_per_second, None);
        assert_eq!(reader.by_node.len(), 1);
        let worker = &reader.by_node["worker-1"];
        assert_eq!((worker.pid, worker.cpu, worker.memory, worker.threads), (10, None, 8192, 7));
        feed(
            &mut reader,
            &sample(
                102,
                "150 0 150 800 100 0 0 0 5 5",
                "251000 30 0 5 0",
                &[stat(10, 700, 195, 8, 3), stat(11, 800, 1, 1, 1)],
            ),
        );
        assert_eq!(reader.host.cpu, Some(50.0));
        assert_eq!(reader.host.packets_per_second, Some(10.0));
        assert_eq!((reader.host.bits_per_second, reader.host.drops_per_second), (Some(1e6), Some(2.0)));
        assert_eq!(reader.by_node["worker-1"].cpu, Some(50.0));
        assert!(reader.version.is_some());
        // A process with the same pid is another one, and counters that began anew are no traffic.
        feed(&mut reader, &["node 10 900 worker-1", "nodes end"].map(str::to_owned));
        feed(&mut reader, &sample(103, "150 0 150 900 100", "0 0 0 0 0", &[stat(10, 900, 5, 1, 1)]));
        assert_eq!(reader.by_node["worker-1"].cpu, None);
        assert_eq!((reader.host.packets_per_second, reader.host.cpu), (Some(0.0), Some(0.0)));
        feed(&mut reader, &["nodes end".to_owned()]);
        feed(&mut reader, &sample(104, "150 0 150 900 100", "0 0 0 0 0", &[]));
        assert!(reader.by_node.is_empty());
    }

    #[test]
    fn no_line_of_a_host_is_more_than_it_should_be() {
        for line in ["", "frobnicate", "node", "node x 1 worker-1", "page 0", "page x", "up", "up NaN", "up inf 1"] {
            assert!(reader().take(line).is_err(), "{line}");
        }
        // What the kernel's lines hold is the host's own business; it is not known then.
        for line in
            ["stat", "stat 1 (x", "stat 1 () S", "cpu x", "net", "net eth0", "net eth0: 1 2", "disk", "disk 1%x"]
        {
            assert_eq!(reader().take(line), Ok(false), "{line}");
        }
        let most = u64::MAX;
        let mut reader = reader();
        feed(&mut reader, &[format!("node 1 {most} worker-1"), "nodes end".to_owned()]);
        feed(&mut reader, &sample(1, "0 0 0 0 0", "0 0 0 0 0", &[stat(1, most, 0, 1, 1)]));
        let cpu = vec![most.to_string(); 8].join(" ");
        feed(&mut reader, &sample(2, &cpu, &format!("{most} {most} 0 {most}"), &[stat(1, most, most, most, most)]));
        assert!(reader.by_node["worker-1"].cpu.is_some_and(f64::is_finite));
        assert!(reader.host.bits_per_second.is_some_and(f64::is_finite));
    }
}
