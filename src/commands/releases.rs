//! `releases`: which releases lie on which host.

use std::collections::BTreeSet;

use serde::Serialize;

use super::report::{Report, partial};
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::error::{CommandError, Kind};
use crate::fleet::Fleet;
use crate::ui::{Cell, Column, Progress, Tone, Ui, complain, in_line, table};
use crate::values::count;

/// List the releases on each host: when, by whom, with which Zeek, and which runs
#[derive(Debug, clap::Args)]
pub(crate) struct Releases {}

impl Command for Releases {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = ReleasesReport;

    async fn run(&self, session: &mut Session) -> Result<ReleasesReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        Ok(releases(&fleet).await)
    }
}

/// A release on a host.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReleaseRow {
    pub host: String,
    /// The id.
    pub release: String,
    /// When it was made the current one there, as RFC 3339 in UTC; none: it was only staged.
    pub time: Option<String>,
    /// Who did.
    pub who: String,
    pub command: String,
    /// Zeek's version.
    pub zeek: String,
    /// Zeek's prefix.
    pub prefix: String,
    /// Whether it is the current one.
    pub current: bool,
    /// How many nodes run it.
    pub running: usize,
}

/// What all hosts have.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ReleasesReport {
    /// Releases by host, the newest first.
    pub releases: Vec<ReleaseRow>,
    /// Hosts that could not be asked, and why.
    pub unknown: Vec<(String, String)>,
    /// What lies there and is not what clusterctl writes: the host, which file, and why.
    pub odd: Vec<(String, String)>,
}

impl Report for ReleasesReport {
    fn kind(&self) -> Option<&'static str> {
        Some("releases")
    }

    fn show(&self, ui: &Ui) {
        const COLUMNS: [Column; 7] = [
            Column { head: "HOST", drop_priority: 0, right: false },
            Column { head: "RELEASE", drop_priority: 0, right: false },
            Column { head: "", drop_priority: 0, right: false },
            Column { head: "TIME", drop_priority: 1, right: false },
            Column { head: "WHO", drop_priority: 2, right: false },
            Column { head: "ZEEK", drop_priority: 0, right: false },
            Column { head: "PREFIX", drop_priority: 3, right: false },
        ];
        let rows: Vec<Vec<Cell>> = self
            .releases
            .iter()
            .map(|r| {
                let runs = match (r.current, r.running) {
                    (true, 0) => Cell::new("current", Tone::Warn),
                    (true, n) => Cell::new(format!("runs {}", count(n, "node")), Tone::Good),
                    (false, 0) => Cell::plain(""),
                    (false, n) => Cell::new(format!("runs {}", count(n, "node")), Tone::Warn),
                };
                vec![
                    Cell::new(&r.host, Tone::Strong),
                    Cell::plain(&r.release),
                    runs,
                    Cell::plain(r.time.as_deref().unwrap_or("never activated")),
                    Cell::plain(&r.who),
                    Cell::plain(&r.zeek),
                    Cell::plain(&r.prefix),
                ]
            })
            .collect();
        if rows.is_empty() && self.unknown.is_empty() {
            ui.result("nothing is deployed yet");
        } else if !rows.is_empty() {
            ui.result(&table(ui.out, &COLUMNS, &rows));
        }
        for (host, why) in &self.odd {
            complain(&format!("{host}: ignored, not a release: {}", in_line(why)));
        }
        for (host, why) in &self.unknown {
            ui.result(&format!("{}: {}", ui.out.paint(Tone::Bad, &format!("{host} cannot be reached")), in_line(why)));
        }
    }

    fn end(&self) -> Option<Kind> {
        let hosts: BTreeSet<&str> = self.releases.iter().map(|r| r.host.as_str()).collect();
        partial(hosts.len() + self.unknown.len(), self.unknown.len())
    }
}

/// Asks all hosts for their releases.
async fn releases(fleet: &Fleet) -> ReleasesReport {
    let mut report = ReleasesReport::default();
    let answers = fleet.observe_fully(fleet.handles(fleet.enabled())).await;
    for (handle, answer) in answers {
        let observed = match answer {
            Ok(observed) => observed,
            Err(failure) => {
                report.unknown.push((handle.name, failure.text()));
                continue;
            }
        };
        let wrong = observed.wrong.iter().filter(|wrong| wrong.file.starts_with("releases"));
        report.odd.extend(wrong.map(|wrong| (handle.name.clone(), format!("{}: {}", wrong.file, wrong.why))));
        let mut kept = observed.releases.clone();
        kept.sort_by_key(|k| std::cmp::Reverse(k.time));
        for release in kept {
            let runs = |n: &&crate::observed::ObservedNode| {
                n.process.is_some() && n.release.as_deref() == Some(release.id.as_str())
            };
            let time = release.when();
            report.releases.push(ReleaseRow {
                host: handle.name.clone(),
                current: observed.current.as_deref() == Some(release.id.as_str()),
                running: observed.nodes.values().filter(runs).count(),
                time: time.map(|t| t.to_string()),
                release: release.id,
                who: release.who,
                command: release.command,
                zeek: release.zeek,
                prefix: release.prefix,
            });
        }
    }
    report
}
