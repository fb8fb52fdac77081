//! `capstats`: what arrives at the interfaces that the cluster captures from, by the kernel's counters.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::args::{Selectors, seconds_up_to};
use super::doctor::device;
use super::report::{Report, partial};
use super::session::Extent;
use super::show::unknown_hosts;
use super::{Command, Hosts, Session};
use crate::cluster::Cluster;
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Fleet, HostHandle, Selection};
use crate::observed::{Malformed, word_of};
use crate::scripts;
use crate::transport::{RemoteScript, ScriptOutput};
use crate::ui::{Cell, Column, Progress, Tone, Ui, table};

/// Show what arrives at the interfaces that nodes capture from: packets and bits per second, drops
///
/// By the counters of each host's kernel, read twice: this costs the capture nothing, and nothing has to run. Drops are
/// packets that the card or the kernel lost, or that nothing there takes; what Zeek itself loses shows in `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl capstats\n  clusterctl capstats @sensor1 --interval 10s")]
pub(crate) struct Capstats {
    #[command(flatten)]
    which: Selectors,
    /// How long to count: 1s to 60s
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = some_seconds)]
    interval: Duration,
}

/// Not so long that a script goes on for long when nobody waits any more.
fn some_seconds(text: &str) -> Result<Duration, String> {
    seconds_up_to(60, text)
}

impl Command for Capstats {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = CapstatsReport;

    async fn run(&self, session: &mut Session) -> Result<CapstatsReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::parse(&fleet.cluster, &self.which.selectors)?;
        let wanted = wanted(&fleet.cluster, &selection);
        if wanted.is_empty() {
            let error = Error::new(Kind::Usage, "none of these nodes captures from an interface of an enabled host");
            return Err(error.hint("`clusterctl nodes` shows interfaces").into());
        }
        Ok(count(&fleet, wanted, self.interval).await)
    }
}

/// The interfaces of each host, and how many nodes capture from each.
type Interfaces<'a> = BTreeMap<usize, BTreeMap<&'a str, usize>>;

fn wanted<'a>(cluster: &'a Cluster, selection: &'a Selection) -> Interfaces<'a> {
    let mut all: Interfaces = BTreeMap::new();
    for node in selection.nodes(cluster).filter(|node| cluster.hosts[node.host].enabled) {
        if let Some(interface) = node.interface.as_deref() {
            *all.entry(node.host).or_default().entry(interface).or_default() += 1;
        }
    }
    all
}

/// What the kernel has counted of an interface since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counters {
    packets: u64,
    bytes: u64,
    dropped: u64,
    errors: u64,
}

/// What arrived at an interface.
#[derive(Debug, Clone, Serialize)]
struct Row {
    host: String,
    /// As the description has it.
    interface: String,
    /// How many nodes capture from it.
    nodes: usize,
    #[serde(flatten)]
    traffic: Option<Traffic>,
    /// Why nothing is known; none where it is.
    why: Option<String>,
}

/// What arrived within some time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Traffic {
    /// How long was counted, by the host's clock.
    seconds: f64,
    packets: u64,
    bytes: u64,
    packets_per_second: f64,
    bits_per_second: f64,
    /// What the card or the kernel lost.
    dropped: u64,
    errors: u64,
}

/// What arrived at all of them.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct CapstatsReport {
    interfaces: Vec<Row>,
    /// Hosts that could not be asked, and why.
    unknown: Vec<(String, String)>,
}

async fn count(fleet: &Fleet, wanted: Interfaces<'_>, interval: Duration) -> CapstatsReport {
    let interfaces = |handle: &HostHandle| &wanted[&handle.index.unwrap_or_default()];
    let script = |handle: &HostHandle| {
        let devices = interfaces(handle).keys().filter_map(|interface| device(interface));
        let input: String = devices.map(|device| format!("{device}\n")).chain(["\n".to_owned()]).collect();
        RemoteScript::new(scripts::CAPSTATS, fleet.settings.question + interval)
            .arg(interval.as_secs().to_string())
            .input(input)
    };
    let handles = fleet.handles(wanted.keys().copied());
    let answers = fleet.probe("counting packets", handles, script, read).await;
    let mut report = CapstatsReport::default();
    for (handle, answer) in answers {
        let samples = match answer {
            Ok(samples) => samples,
            Err(why) => {
                report.unknown.push((handle.name, why));
                continue;
            }
        };
        for (interface, nodes) in interfaces(&handle) {
            let traffic = device(interface)
                .ok_or_else(|| "the kernel does not count for this packet source".to_owned())
                .and_then(|device| traffic(&samples, device));
            let (traffic, why) = match traffic {
                Ok(traffic) => (Some(traffic), None),
                Err(why) => (None, Some(why)),
            };
            let interface = (*interface).to_owned();
            report.interfaces.push(Row { host: handle.name.clone(), interface, nodes: *nodes, traffic, why });
        }
    }
    report
}

/// One look at the counters: seconds since boot, and the counters by name.
type Sample = (f64, BTreeMap<String, Counters>);

/// Reads the two samples of a host.
fn read(output: &ScriptOutput) -> Result<[Sample; 2], String> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut ended = false;
    for line in &output.lines {
        let (word, value) = word_of(line);
        let taken = match word {
            "at" => value.parse().ok().filter(|at: &f64| at.is_finite()).map(|at| samples.push((at, BTreeMap::new()))),
            "counters" => samples.last_mut().zip(counters(value)).map(|((_, all), (name, counters))| {
                all.insert(name, counters);
            }),
            "sampled" => {
                ended = true;
                Some(())
            }
            _ => None,
        };
        taken.ok_or_else(|| Malformed::unsaid(line).to_string())?;
    }
    let samples = ended.then(|| samples.try_into().ok()).flatten();
    samples.ok_or_else(|| Malformed::Missing("sampled").because_of(&output.stderr))
}

fn counters(text: &str) -> Option<(String, Counters)> {
    let mut words = text.splitn(5, ' ');
    let mut number = || words.next()?.parse().ok();
    let counters = Counters { packets: number()?, bytes: number()?, dropped: number()?, errors: number()? };
    Some((words.next()?.to_owned(), counters))
}

/// What came between two samples.
fn traffic([before, after]: &[Sample; 2], device: &str) -> Result<Traffic, String> {
    let (Some(was), Some(is)) = (before.1.get(device), after.1.get(device)) else {
        return Err(format!("there is no interface {device}"));
    };
    let seconds = after.0 - before.0;
    let grown = |count: fn(&Counters) -> u64| count(is).checked_sub(count(was));
    let (Some(packets), Some(bytes), Some(dropped), Some(errors)) =
        (grown(|c| c.packets), grown(|c| c.bytes), grown(|c| c.dropped), grown(|c| c.errors))
    else {
        return Err("its counters began anew meanwhile".to_owned());
    };
    if seconds <= 0.0 {
        return Err("no time has passed by the host's clock".to_owned());
    }
    #[expect(clippy::cast_precision_loss, reason = "rates")]
    let (packets_per_second, bits_per_second) = (packets as f64 / seconds, bytes as f64 * 8.0 / seconds);
    Ok(Traffic { seconds, packets, bytes, packets_per_second, bits_per_second, dropped, errors })
}

const COLUMNS: [Column; 7] = [
    Column { head: "HOST", drop_priority: 1, right: false },
    Column { head: "INTERFACE", drop_priority: 0, right: false },
    Column { head: "NODES", drop_priority: 3, right: true },
    Column { head: "PKTS/S", drop_priority: 0, right: true },
    Column { head: "MBPS", drop_priority: 0, right: true },
    Column { head: "DROPPED", drop_priority: 0, right: true },
    Column { head: "ERRORS", drop_priority: 2, right: true },
];

impl Report for CapstatsReport {
    fn kind(&self) -> Option<&'static str> {
        Some("capstats")
    }

    fn show(&self, ui: &Ui) {
        let lost = |number: u64| Cell::new(number.to_string(), if number > 0 { Tone::Bad } else { Tone::Plain });
        let figures = |traffic: Option<&Traffic>| match traffic {
            Some(t) => [
                Cell::plain(format!("{:.0}", t.packets_per_second)),
                Cell::plain(format!("{:.1}", t.bits_per_second / 1e6)),
                lost(t.dropped),
                lost(t.errors),
            ],
            None => [Cell::none(), Cell::none(), Cell::none(), Cell::none()],
        };
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for row in &self.interfaces {
            let head =
                [Cell::new(&row.host, Tone::Strong), Cell::plain(&row.interface), Cell::plain(row.nodes.to_string())];
            rows.push(head.into_iter().chain(figures(row.traffic.as_ref())).collect());
        }
        let known: Vec<&Traffic> = self.interfaces.iter().filter_map(|row| row.traffic.as_ref()).collect();
        if known.len() > 1 {
            let nodes: usize = self.interfaces.iter().map(|row| row.nodes).sum();
            let head = [Cell::plain(""), Cell::new("total", Tone::Strong), Cell::plain(nodes.to_string())];
            rows.push(head.into_iter().chain(figures(Some(&total(&known)))).collect());
        }
        let mut text = if rows.is_empty() { String::new() } else { table(ui.out, &COLUMNS, &rows) };
        let odd: Vec<(String, String)> = self
            .interfaces
            .iter()
            .filter_map(|row| Some((format!("{} on {}", row.interface, row.host), row.why.clone()?)))
            .collect();
        for (subject, why) in &odd {
            let line =
                format!("{}: {}", ui.out.paint(Tone::Bad, &crate::ui::in_line(subject)), crate::ui::in_line(why));
            text.push_str(&ui.out.wrap(&line, "  "));
            text.push('\n');
        }
        text.push_str(&unknown_hosts(ui, &self.unknown));
        ui.result(&text);
    }

    fn end(&self) -> Option<Kind> {
        let lacking = self.interfaces.iter().filter(|row| row.why.is_some()).count() + self.unknown.len();
        partial(self.interfaces.len() + self.unknown.len(), lacking)
    }
}

/// The sum of all interfaces: each has its own time.
fn total(all: &[&Traffic]) -> Traffic {
    let sum = |count: fn(&Traffic) -> u64| all.iter().fold(0_u64, |sum, one| sum.saturating_add(count(one)));
    Traffic {
        seconds: all.iter().map(|one| one.seconds).fold(0.0, f64::max),
        packets: sum(|t| t.packets),
        bytes: sum(|t| t.bytes),
        packets_per_second: all.iter().map(|one| one.packets_per_second).sum(),
        bits_per_second: all.iter().map(|one| one.bits_per_second).sum(),
        dropped: sum(|t| t.dropped),
        errors: sum(|t| t.errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(lines: &[&str]) -> ScriptOutput {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        ScriptOutput { lines, stderr: String::new(), status: 0 }
    }

    #[test]
    fn rates_go_by_the_time_that_passed_on_the_host() {
        let samples = read(&output(&[
            "at 100.00",
            "counters 10 1000 1 0 eth0",
            "counters 9 9 9 9 eth1",
            "at 102.00",
            "counters 30 501000 4 0 eth0",
            "counters 8 9 9 9 eth1",
            "sampled",
        ]))
        .unwrap();
        let eth0 = traffic(&samples, "eth0").unwrap();
        assert_eq!((eth0.packets, eth0.packets_per_second, eth0.bits_per_second), (20, 10.0, 2_000_000.0));
        assert_eq!((eth0.seconds, eth0.dropped, eth0.errors), (2.0, 3, 0));
        assert_eq!(traffic(&samples, "eth1").unwrap_err(), "its counters began anew meanwhile");
        assert_eq!(traffic(&samples, "eth2").unwrap_err(), "there is no interface eth2");
        let still = [samples[1].clone(), samples[1].clone()];
        assert_eq!(traffic(&still, "eth0").unwrap_err(), "no time has passed by the host's clock");
    }

    #[test]
    fn what_no_script_of_ours_says_makes_the_host_unknown() {
        let sample = ["at 1", "counters 1 1 1 1 a"];
        for lines in [
            &["counters 1 1 1 1 a"][..],
            &["at x"],
            &["at NaN"],
            &["at 1", "counters 1 1 -1 1 a"],
            &["frobnicate"],
            &sample,
            &["at 1", "sampled"],
            &["at 1", "at 2", "at 3", "sampled"],
        ] {
            assert!(read(&output(lines)).is_err(), "{lines:?}");
        }
        let most = format!("counters {0} {0} {0} {0} a", u64::MAX);
        let samples = read(&output(&["at 1", "counters 0 0 0 0 a", "at 2", &most, "sampled"])).unwrap();
        let one = traffic(&samples, "a").unwrap();
        assert_eq!(total(&[&one, &one]).packets, u64::MAX);
    }

    #[test]
    fn an_interval_is_whole_seconds() {
        assert_eq!(some_seconds("10s").unwrap(), Duration::from_secs(10));
        for wrong in ["0s", "500ms", "1500ms", "61s", "1h", "x"] {
            assert!(some_seconds(wrong).is_err(), "{wrong}");
        }
    }
}
