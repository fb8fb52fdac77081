//! `history`: who did what when, as each host keeps it.

use std::collections::BTreeMap;

use clap_complete::engine::ArgValueCompleter;
use jiff::Timestamp;
use serde::Serialize;

use super::report::{Report, partial};
use super::session::{Extent, hosts_of};
use super::show::unknown_hosts;
use super::{Command, Hosts, Session, complete};
use crate::error::{CommandError, Kind};
use crate::fleet::Fleet;
use crate::scripts;
use crate::transport::{RemoteScript, ScriptOutput};
use crate::ui::{Cell, Column, Progress, Tone, Ui, table};

/// Show who did what when on the hosts, the last operations at the end
#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// Of these hosts alone: @host, or those of nodes
    #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    selectors: Vec<String>,
    /// How many operations
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    lines: u16,
}

impl Command for History {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = HistoryReport;

    async fn run(&self, session: &mut Session) -> Result<HistoryReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let hosts = hosts_of(&fleet.cluster, &self.selectors)?;
        let which: Vec<usize> =
            fleet.enabled().into_iter().filter(|i| hosts.as_ref().is_none_or(|h| h.contains(i))).collect();
        Ok(history(&fleet, which, usize::from(self.lines)).await)
    }
}

/// What was done on hosts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HistoryReport {
    /// The oldest first.
    pub operations: Vec<PastOperation>,
    /// Hosts that could not be asked, and why.
    pub unknown: Vec<(String, String)>,
    /// How many hosts were asked.
    #[serde(skip)]
    asked: usize,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PastOperation {
    /// Its id.
    pub operation: String,
    /// When it began, by the clock of the first of its hosts.
    pub time: String,
    pub who: String,
    pub what: String,
    /// The release that it went to.
    pub release: Option<String>,
    /// Its hosts.
    pub hosts: Vec<String>,
    /// Those of them on which it did not finish, or has not yet.
    pub unfinished: Vec<String>,
}

/// What one host says of an operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    time: i64,
    who: String,
    what: String,
    release: Option<String>,
    has_ended: bool,
}

async fn history(fleet: &Fleet, hosts: Vec<usize>, most: usize) -> HistoryReport {
    let answers = fleet
        .probe(
            "asking hosts",
            fleet.handles(hosts),
            // Two lines for each.
            |handle| {
                RemoteScript::new(scripts::HISTORY, fleet.settings.question)
                    .arg(&handle.folders.home)
                    .arg((2 * most + 2).to_string())
            },
            read,
        )
        .await;
    let mut report = HistoryReport { operations: Vec::new(), unknown: Vec::new(), asked: answers.len() };
    let mut all: BTreeMap<String, (i64, PastOperation)> = BTreeMap::new();
    for (handle, answer) in answers {
        match answer {
            Ok(entries) => {
                for (operation, entry) in entries {
                    let done = all.entry(operation.clone()).or_insert_with(|| {
                        let time = Timestamp::from_second(entry.time).map(|t| t.to_string()).unwrap_or_default();
                        let (hosts, unfinished) = (Vec::new(), Vec::new());
                        let Entry { who, what, release, .. } = entry.clone();
                        (entry.time, PastOperation { operation, time, who, what, release, hosts, unfinished })
                    });
                    done.1.hosts.push(handle.name.clone());
                    if !entry.has_ended {
                        done.1.unfinished.push(handle.name.clone());
                    }
                    if done.1.release.is_none() {
                        done.1.release = entry.release;
                    }
                }
            }
            Err(why) => report.unknown.push((handle.name, why)),
        }
    }
    let mut sorted: Vec<(i64, PastOperation)> = all.into_values().collect();
    sorted.sort_by_key(|(time, _)| *time);
    let surplus = sorted.len().saturating_sub(most);
    report.operations = sorted.into_iter().skip(surplus).map(|(_, done)| done).collect();
    report
}

/// Reads what a host says. What has no form of ours in its file, which a full disk may have cut, is passed over.
fn read(output: &ScriptOutput) -> Result<BTreeMap<String, Entry>, String> {
    let mut all: BTreeMap<String, Entry> = BTreeMap::new();
    if output.lines.last().map(String::as_str) != Some("did end") {
        return Err(format!("incomplete reply: {}", output.stderr.trim()));
    }
    for line in &output.lines[..output.lines.len() - 1] {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["did", time, "begin", operation, what, who] => {
                let Ok(time) = time.parse() else { continue };
                let (who, what) = (who.to_owned(), what.to_owned());
                all.insert(operation.to_owned(), Entry { time, who, what, ..Entry::default() });
            }
            ["did", _, "end", operation, release] => {
                if let Some(entry) = all.get_mut(operation) {
                    entry.has_ended = true;
                    entry.release = Some(release.to_owned()).filter(|release| !release.is_empty());
                }
            }
            _ => {}
        }
    }
    Ok(all)
}

impl Report for HistoryReport {
    fn kind(&self) -> Option<&'static str> {
        Some("history")
    }

    fn show(&self, ui: &Ui) {
        const COLUMNS: [Column; 6] = [
            Column { head: "TIME", drop_priority: 0, right: false },
            Column { head: "WHO", drop_priority: 0, right: false },
            Column { head: "WHAT", drop_priority: 0, right: false },
            Column { head: "", drop_priority: 0, right: false },
            Column { head: "RELEASE", drop_priority: 2, right: false },
            Column { head: "HOSTS", drop_priority: 1, right: false },
        ];
        let rows: Vec<Vec<Cell>> = self
            .operations
            .iter()
            .map(|done| {
                let end = match &done.unfinished[..] {
                    [] => Cell::plain(""),
                    some if some.len() == done.hosts.len() => Cell::new("not finished", Tone::Warn),
                    some => Cell::new(format!("not finished on {}", some.join(", ")), Tone::Warn),
                };
                vec![
                    Cell::plain(&done.time),
                    Cell::plain(&done.who),
                    Cell::new(&done.what, Tone::Strong),
                    end,
                    done.release.as_ref().map_or_else(Cell::none, Cell::plain),
                    Cell::plain(done.hosts.join(", ")),
                ]
            })
            .collect();
        if !rows.is_empty() {
            ui.result(&table(ui.out, &COLUMNS, &rows));
        } else if self.unknown.is_empty() {
            ui.result("nothing was done yet");
        }
        ui.result(&unknown_hosts(ui, &self.unknown));
    }

    fn end(&self) -> Option<Kind> {
        partial(self.asked, self.unknown.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, read};
    use crate::transport::ScriptOutput;

    fn said(lines: &[&str]) -> ScriptOutput {
        ScriptOutput { lines: lines.iter().map(|&l| l.to_owned()).collect(), stderr: String::new(), status: 0 }
    }

    #[test]
    fn what_a_full_disk_cut_is_passed_over() {
        let lines = [
            "did 1700000000 begin 1-2 deploy me@here",
            "did 17000",
            "did 1700000009 end 1-2 abc",
            "did x begin 2-2 stop me@here",
            "did 1700000010 begin 3-3 stop me@here",
            "did 1700000010 end 4-4 ",
            "did end",
        ];
        let all = read(&said(&lines)).unwrap();
        assert_eq!(all.len(), 2);
        let entry = Entry {
            time: 1_700_000_000,
            who: "me@here".to_owned(),
            what: "deploy".to_owned(),
            release: Some("abc".to_owned()),
            has_ended: true,
        };
        assert_eq!(all["1-2"], entry);
        assert!(!all["3-3"].has_ended);
        read(&said(&lines[..3])).unwrap_err();
    }
}
