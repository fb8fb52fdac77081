//! What came of maintenance.

use super::status::uptime;
use super::table::{Cell, Column, table};
use super::{Output, Tone, Ui, harmless};
use crate::error::Kind;
use crate::ops::{HostMaintenance, Installed, MAINTAINED_EVERY, MaintainReport, Maintained};

const COLUMNS: [Column; 6] = [
    Column { head: "HOST", spare: 0, right: false },
    Column { head: "RESULT", spare: 0, right: false },
    Column { head: "HEALED", spare: 1, right: true },
    Column { head: "LEFTOVERS", spare: 2, right: true },
    Column { head: "QUEUE", spare: 3, right: true },
    Column { head: "EXPIRED", spare: 4, right: true },
];

/// Shows what was done on hosts; returns the kind of end.
pub fn maintained(ui: &Ui, report: &MaintainReport) -> Option<Kind> {
    if ui.output == Output::Json {
        ui.json("maintain", report);
    } else {
        let rows: Vec<Vec<Cell>> = report.hosts.iter().map(row).collect();
        let mut text = table(ui.out, &COLUMNS, &rows);
        let resumed = report.resumed.iter().map(|host| format!("{host}: brought to the release of the others"));
        let not_resumed =
            report.not_resumed.iter().map(|why| format!("hosts that are behind were not brought up to date: {why}"));
        for line in resumed.chain(not_resumed).chain(report.hosts.iter().flat_map(lines)) {
            text.push_str(&ui.out.wrap(&harmless(&line), "  "));
            text.push('\n');
        }
        ui.result(&text);
    }
    let failed = report.hosts.iter().filter(|h| !h.is_done()).count();
    match super::partial(report.hosts.len(), failed) {
        None if !report.not_resumed.is_empty() => Some(Kind::Partial),
        None => report.hosts.iter().any(|h| !h.is_well()).then_some(Kind::NotAsExpected),
        failed => failed,
    }
}

fn row(host: &HostMaintenance) -> Vec<Cell> {
    let (word, tone) = match host.result {
        Maintained::Done => ("done", Tone::Good),
        Maintained::Busy => ("locked", Tone::Warn),
        Maintained::Unfinished => ("unfinished operation", Tone::Bad),
        Maintained::NotDeployed => ("not deployed", Tone::Dim),
        Maintained::Failed => ("failed", Tone::Bad),
    };
    let number = |n: u64| if n == 0 { Cell::none() } else { Cell::plain(n.to_string()) };
    vec![
        Cell::new(&host.host, Tone::Strong),
        Cell::new(word, tone),
        number(host.healed.iter().filter(|h| h.running).count() as u64),
        number(host.moved),
        number(host.queue),
        number(host.expired),
    ]
}

/// What a table has no room for.
fn lines(host: &HostMaintenance) -> Vec<String> {
    let name = &host.host;
    let mut lines = Vec::new();
    match (host.result, &host.why) {
        (Maintained::Busy, Some(why)) => lines.push(format!("{name}: nothing was done, it is locked: {why}")),
        (Maintained::Unfinished, Some(why)) => {
            let nodes = if host.healed.is_empty() { "no node was touched" } else { "only nodes were brought back" };
            lines.push(format!(
                "{name}: an operation did not come to its end there, {nodes}: {why} -> clusterctl deploy"
            ));
        }
        (_, Some(why)) => lines.push(format!("{name}: {why}")),
        _ => {}
    }
    lines.extend(host.healed.iter().map(|h| format!("{name}: {} {}", h.node, h.what)));
    if let Some(why) = &host.queue_why {
        lines.push(format!("{name}: rotated logs wait: {why}"));
    }
    lines.extend(host.low.iter().map(|(mount, free)| format!("{name}: only {free} % of {mount} are free")));
    lines
}

/// Shows which hosts maintain themselves now, or no more; returns the kind of end.
pub fn installed(ui: &Ui, hosts: &[Installed]) -> Option<Kind> {
    if ui.output == Output::Json {
        ui.json("maintain_install", &hosts);
    } else {
        for host in hosts {
            let line = match (&host.by, &host.why) {
                (Some(by), _) if by == "removed" => "does not maintain itself any more".to_owned(),
                (Some(by), _) => {
                    let (by, unit) = by.split_once(' ').unwrap_or((by, ""));
                    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
                    #[expect(clippy::cast_precision_loss, reason = "a few minutes")]
                    let every = uptime(MAINTAINED_EVERY.as_secs() as f64);
                    format!("maintains itself every {every} and after a reboot, by {by}{unit}")
                }
                (None, why) => {
                    format!("{}: {}", ui.out.paint(Tone::Bad, "failed"), why.as_deref().unwrap_or("no reason given"))
                }
            };
            ui.result(&format!("{}: {}", host.host, harmless(&line)));
        }
    }
    let failed = hosts.iter().filter(|h| h.by.is_none()).count();
    super::partial(hosts.len(), failed)
}
