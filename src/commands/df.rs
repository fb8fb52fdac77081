//! `df`: the file systems that a cluster uses on its hosts, and what is free there.

use serde::Serialize;

use super::args::Selectors;
use super::report::{Report, partial};
use super::session::Extent;
use super::show::unknown_hosts;
use super::{Command, Hosts, Session};
use crate::cluster::{Archive, Cluster};
use crate::error::{CommandError, Kind};
use crate::fleet::{Fleet, HostHandle, Selection};
use crate::observed::{Malformed, word_of};
use crate::scripts;
use crate::transport::{RemoteScript, ScriptOutput};
use crate::ui::{Cell, Column, Progress, Tone, Ui, in_line, table};

/// From so few inodes on it is told, in per cent: many small files fill a disk that has room.
const FEW_INODES: u64 = 10;

/// Show the file systems that the cluster uses on each host, and how full they are
///
/// Those of its base and spool folders, of the archive, of Zeek and of /tmp.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl df\n  clusterctl df @sensor1 -o json")]
pub(crate) struct Df {
    #[command(flatten)]
    which: Selectors,
}

impl Command for Df {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = DfReport;

    async fn run(&self, session: &mut Session) -> Result<DfReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::with_hosts(&fleet.cluster, &self.which.selectors)?;
        Ok(look(&fleet, &selection).await)
    }
}

/// A file system of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct FileSystem {
    host: String,
    /// The device, or what the host calls it.
    device: String,
    /// Where it is mounted.
    mount: String,
    /// What lies there: `base`, `spool`, `archive`, `zeek`, `tmp`.
    holds: Vec<String>,
    /// In bytes.
    size: u64,
    used: u64,
    /// What is free for others than root.
    free: u64,
    /// Of what root does not keep for itself, rounded up, as df has it.
    used_percent: u64,
    /// What is free of its inodes, in per cent; none where it has no fixed number.
    free_inodes_percent: Option<u64>,
    /// Those of `holds` that this account can't write.
    unwritable: Vec<String>,
}

/// What hosts have.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DfReport {
    /// By host, in the cluster's order.
    file_systems: Vec<FileSystem>,
    /// What should be known of them: the host and what it is.
    remarks: Vec<(String, String)>,
    /// Hosts that could not be asked, and why.
    unknown: Vec<(String, String)>,
}

/// The folders of a host, each with what it is for.
fn folders(cluster: &Cluster, handle: &HostHandle) -> Vec<(&'static str, String)> {
    let mut all = vec![("base", handle.folders.home.clone()), ("spool", handle.folders.spool.clone())];
    if let Archive::Folder(path) = &cluster.logs.archive {
        all.push(("archive", path.clone()));
    }
    all.push(("zeek", handle.zeek.trim_end_matches("/bin/zeek").to_owned()));
    all.push(("tmp", "/tmp".to_owned()));
    all
}

async fn look(fleet: &Fleet, selection: &Selection) -> DfReport {
    let cluster = &*fleet.cluster;
    let script = |handle: &HostHandle| {
        let input: String = folders(cluster, handle).iter().map(|(what, path)| format!("{what} {path}\n")).collect();
        RemoteScript::new(scripts::DF, fleet.settings.question).input(input)
    };
    let handles = fleet.handles(fleet.selected_hosts(selection));
    let answers = fleet.probe("looking at disks", handles, script, |output| Ok(output.clone())).await;
    let mut report = DfReport::default();
    for (handle, answer) in answers {
        match answer.and_then(|output| read(&handle.name, &output)) {
            Ok(found) => {
                let logs = u64::from(cluster.logs.min_free);
                report.remarks.extend(found.iter().flat_map(|fs| remarks(fs, logs)));
                report.file_systems.extend(found);
            }
            Err(why) => report.unknown.push((handle.name, why)),
        }
    }
    report
}

/// What should be known of a file system, where logs may not leave less than so many per cent free.
fn remarks(fs: &FileSystem, min_free: u64) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut remark = |what: String| all.push((fs.host.clone(), what));
    let free = 100_u64.saturating_sub(fs.used_percent);
    if fs.holds.iter().any(|what| what == "spool" || what == "archive") && free < min_free {
        remark(format!("only {free} % free on {}, which holds its logs", fs.mount));
    } else if fs.free == 0 {
        remark(format!("nothing is free on {}", fs.mount));
    }
    if let Some(inodes) = fs.free_inodes_percent.filter(|free| *free < FEW_INODES) {
        remark(format!("only {inodes} % of the inodes are free on {}", fs.mount));
    }
    if !fs.unwritable.is_empty() {
        remark(format!("{} on {} cannot be written", fs.unwritable.join(", "), fs.mount));
    }
    all
}

/// Reads the answer of a host.
fn read(host: &str, output: &ScriptOutput) -> Result<Vec<FileSystem>, String> {
    let mut found: Vec<FileSystem> = Vec::new();
    let mut folder: Option<(&str, bool)> = None;
    // Where the file system of the folder is among those that were found.
    let mut at: Option<usize> = None;
    let mut ended = false;
    for line in &output.lines {
        let (word, value) = word_of(line);
        let wrong = || Malformed::unsaid(line).to_string();
        match word {
            "folder" => {
                let (what, rest) = value.split_once(' ').ok_or_else(wrong)?;
                let writable = rest.split(' ').next().ok_or_else(wrong)? == "yes";
                (folder, at) = (Some((what, writable)), None);
            }
            "blocks" => {
                let (what, writable) = folder.ok_or_else(wrong)?;
                // Of what has no size, such as a pool of file systems, df says `-`.
                let Some(blocks) = blocks(value) else { continue };
                let known = found.iter().position(|fs| fs.device == blocks.device && fs.mount == blocks.mount);
                let index = known.unwrap_or_else(|| {
                    found.push(FileSystem { host: host.to_owned(), ..blocks });
                    found.len() - 1
                });
                found[index].holds.push(what.to_owned());
                // Who runs the nodes need not write into Zeek's prefix.
                if !writable && what != "zeek" {
                    found[index].unwritable.push(what.to_owned());
                }
                at = Some(index);
            }
            "inodes" => {
                let Some(index) = at else { continue };
                found[index].free_inodes_percent = numbers(value).and_then(|(_, [all, _, free], _)| {
                    (all > 0).then(|| u64::try_from(u128::from(free.min(all)) * 100 / u128::from(all)).unwrap_or(100))
                });
            }
            "shown" => ended = true,
            _ => return Err(wrong()),
        }
    }
    if ended { Ok(found) } else { Err(Malformed::Missing("shown").because_of(&output.stderr)) }
}

/// Reads df's line of a file system: its device, three numbers, and where it is mounted. Device and mount point may have
/// blanks in them.
fn numbers(line: &str) -> Option<(String, [u64; 3], String)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = (1..words.len().checked_sub(4)?).find(|at| {
        let is_share = words[at + 3] == "-" || words[at + 3].ends_with('%');
        is_share && words[*at..at + 3].iter().all(|word| word.parse::<u64>().is_ok())
    })?;
    let number = |n: usize| words[at + n].parse().ok();
    Some((words[..at].join(" "), [number(0)?, number(1)?, number(2)?], words[at + 4..].join(" ")))
}

fn blocks(line: &str) -> Option<FileSystem> {
    let (device, sizes, mount) = numbers(line)?;
    let [size, used, free] = sizes.map(|kib| kib.saturating_mul(1024));
    let usable = u128::from(used) + u128::from(free);
    let share = if usable == 0 { 0 } else { (u128::from(used) * 100).div_ceil(usable) };
    Some(FileSystem {
        host: String::new(),
        device,
        mount,
        holds: Vec::new(),
        size,
        used,
        free,
        used_percent: u64::try_from(share).unwrap_or(100),
        free_inodes_percent: None,
        unwritable: Vec::new(),
    })
}

const COLUMNS: [Column; 8] = [
    Column { head: "HOST", drop_priority: 0, right: false },
    Column { head: "MOUNT", drop_priority: 0, right: false },
    Column { head: "HOLDS", drop_priority: 2, right: false },
    Column { head: "SIZE", drop_priority: 1, right: true },
    Column { head: "USED", drop_priority: 3, right: true },
    Column { head: "FREE", drop_priority: 0, right: true },
    Column { head: "USE%", drop_priority: 0, right: true },
    Column { head: "DEVICE", drop_priority: 4, right: false },
];

impl Report for DfReport {
    fn kind(&self) -> Option<&'static str> {
        Some("df")
    }

    fn show(&self, ui: &Ui) {
        let size = |bytes: u64| bytesize::ByteSize(bytes).display().iec_short().to_string();
        let row = |fs: &FileSystem| {
            let tone = match fs.used_percent {
                ..90 => Tone::Plain,
                90..97 => Tone::Warn,
                _ => Tone::Bad,
            };
            vec![
                Cell::new(&fs.host, Tone::Strong),
                Cell::plain(&fs.mount),
                Cell::plain(fs.holds.join(" ")),
                Cell::plain(size(fs.size)),
                Cell::plain(size(fs.used)),
                Cell::plain(size(fs.free)),
                Cell::new(format!("{}%", fs.used_percent), tone),
                Cell::plain(&fs.device),
            ]
        };
        let mut text = String::new();
        if !self.file_systems.is_empty() {
            text.push_str(&table(ui.out, &COLUMNS, &self.file_systems.iter().map(row).collect::<Vec<_>>()));
        }
        if !self.remarks.is_empty() {
            text.push('\n');
        }
        for (host, what) in &self.remarks {
            let line = format!("{}: {}", ui.out.paint(Tone::Warn, &in_line(host)), in_line(what));
            text.push_str(&ui.out.wrap(&line, "  "));
            text.push('\n');
        }
        text.push_str(&unknown_hosts(ui, &self.unknown));
        ui.result(&text);
    }

    fn end(&self) -> Option<Kind> {
        let mut hosts: Vec<&str> = self.file_systems.iter().map(|fs| fs.host.as_str()).collect();
        hosts.dedup();
        partial(hosts.len() + self.unknown.len(), self.unknown.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(lines: &[&str]) -> ScriptOutput {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        ScriptOutput { lines, stderr: "killed\n".to_owned(), status: 0 }
    }

    #[test]
    fn folders_of_one_file_system_are_one_row() {
        let found = read(
            "sensor1",
            &output(&[
                "folder base yes /var/lib",
                "blocks /dev/mapper/a b 1000 600 200 75% /mnt/x y",
                "inodes /dev/mapper/a b 100 95 5 95% /mnt/x y",
                "folder spool no /var/spool",
                "blocks /dev/mapper/a b 1000 600 200 75% /mnt/x y",
                "folder zeek no /opt",
                "blocks tmpfs 0 0 0 - /opt",
                "inodes tmpfs 0 0 0 - /opt",
                "folder tmp yes /tmp",
                "blocks df: odd",
                "inodes 7 7 7 7% /",
                "shown",
            ]),
        )
        .unwrap();
        assert_eq!(found.len(), 2);
        let first = &found[0];
        assert_eq!((first.device.as_str(), first.mount.as_str()), ("/dev/mapper/a b", "/mnt/x y"));
        assert_eq!((first.size, first.used, first.free, first.used_percent), (1_024_000, 614_400, 204_800, 75));
        assert_eq!((&first.holds[..], first.free_inodes_percent), (&["base", "spool"].map(str::to_owned)[..], Some(5)));
        assert_eq!((found[1].used_percent, found[1].free_inodes_percent), (0, None));
        let told: Vec<String> = found.iter().flat_map(|fs| remarks(fs, 30)).map(|(_, what)| what).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        only 25 % free on /mnt/x y, which holds its logs
        only 5 % of the inodes are free on /mnt/x y
        spool on /mnt/x y cannot be written
        nothing is free on /opt
        ");
    }

    #[test]
    fn what_no_script_of_ours_says_makes_the_host_unknown() {
        assert!(read("h", &output(&["folder"])).is_err());
        assert!(read("h", &output(&["blocks / 1 1 1 1% /", "shown"])).is_err());
        assert!(read("h", &output(&["frobnicate", "shown"])).is_err());
        assert_eq!(read("h", &output(&["folder tmp yes /tmp"])).unwrap_err(), "the host's reply is incomplete: killed");
        let most = u64::MAX;
        let line = format!("blocks d {most} {most} {most} 100% /");
        let found = read("h", &output(&["folder tmp yes /tmp", &line, "shown"])).unwrap();
        assert_eq!((found[0].size, found[0].used_percent), (most, 50));
    }
}
