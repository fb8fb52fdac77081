//! `logs`: what nodes log and print, merged in time order, also as it comes.

mod answer;
mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use self::answer::{Answer, Line, Source};
use super::args::duration;
use super::report::{Report, partial};
use super::session::Extent;
use super::{Command, Hosts, Session, complete};
use crate::cluster::{Cluster, EnvValue, Node};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Fleet, HostHandle, Selection};
use crate::scripts;
use crate::transport::{self, RemoteScript};
use crate::ui::{Output, Progress, Tone, Ui, escape_control, in_line};
use crate::values::nearest;

/// What processes print; all else are logs of Zeek's.
const PRINTED: [&str; 3] = ["stderr", "stderr.last", "stdout"];
/// What is read where no name is given: what tells of trouble.
const DEFAULT: [&str; 3] = ["reporter", "stderr", "stdout"];
/// How much of the end of a file is read at most, in bytes; and where the host looks for a text first.
const MOST: u64 = 16 << 20;
const MOST_WITH_TEXT: u64 = 1 << 30;
/// How many lines of a host are read at most, where nothing else is said: what it may answer is limited.
const MOST_LINES: usize = 100_000;
/// How many files may be read at most.
const MOST_FILES: usize = 20_000;
/// How long what is followed is collected, so that it can be sorted.
const COLLECTING: Duration = Duration::from_millis(300);
/// How long logs are followed at most.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Show what nodes log and print, merged in time order
///
/// Reads the logs that are being written: on the loggers, or on the manager if there is no logger, or of the nodes of
/// --node. Every node has stdout and stderr. Rotated logs are in the archive on the loggers' hosts.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl logs                              reporter.log, stderr and stdout\n  \
clusterctl logs conn dns --follow\n  clusterctl logs stderr --node worker-3 --lines 100\n  \
clusterctl logs conn --grep 10.1.2.3 --since 10m -o json")]
pub(crate) struct Logs {
    /// Logs such as conn, dns or reporter, and stdout, stderr, stderr.last; default: reporter, stderr and stdout
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Only these nodes: a name, a glob, a role or @host; may be repeated
    #[arg(long = "node", value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    selectors: Vec<String>,
    /// Show new lines as they come, also after a rotation, until Ctrl-C
    #[arg(short = 'F', long)]
    follow: bool,
    /// Only lines of this last time, by the clock of the node's host; looks at the last 16 MiB of each log
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    since: Option<Duration>,
    /// How many lines of each log [default: 10; with --since 100000 of a host]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    lines: Option<u32>,
    /// Only lines with this text, which is no pattern; the hosts look for it in the last GiB of each log
    #[arg(long, value_name = "TEXT", value_parser = a_text)]
    grep: Option<String>,
}

fn a_text(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['\n', '\0']) {
        return Err("must be one line of text".to_owned());
    }
    Ok(text.to_owned())
}

impl Command for Logs {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = LogsReport;

    async fn run(&self, session: &mut Session) -> Result<LogsReport, CommandError> {
        let names = self.names()?;
        let fleet = session.open(Extent::Description)?;
        let selection = match self.selectors.as_slice() {
            [] => None,
            some => Some(Selection::parse(&fleet.cluster, some)?),
        };
        let mut report = LogsReport { answers: Vec::new(), hosts: Vec::new(), failed: Vec::new() };
        let mut asked = sources(&fleet.cluster, selection.as_ref(), &names);
        if asked.values().map(Vec::len).sum::<usize>() > MOST_FILES {
            let many = format!("these logs are in more than {MOST_FILES} files");
            return Err(Error::new(Kind::Usage, many).hint("name nodes with --node").into());
        }
        let disabled: Vec<usize> = asked.keys().copied().filter(|i| !fleet.cluster.hosts[*i].enabled).collect();
        for host in disabled {
            asked.remove(&host);
            session.ui.say(&format!("{} is disabled: its logs are not shown", fleet.cluster.hosts[host].name));
        }
        let since = self.since.map(|s| s.as_secs_f64());
        for (index, (host, sources)) in asked.into_iter().enumerate() {
            report.hosts.push(fleet.handle(host));
            report.answers.push(Answer::new(index, sources, since, self.grep.as_deref()));
        }
        let mut screen = Screen::new(session.ui, &report.answers);
        if self.follow {
            self.follow(&fleet, &mut report, &mut screen).await?;
        } else {
            self.read(&fleet, &mut report, &mut screen).await;
            let lacking = report.lacking(&names)?;
            if !self.names.is_empty() && !lacking.is_empty() {
                session.ui.say(&format!("no {} is being written there", lacking.join(", ")));
            }
        }
        Ok(report)
    }
}

impl Logs {
    /// The names that are meant.
    fn names(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for given in &self.names {
            let name = given.strip_suffix(".log").unwrap_or(given);
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if !begins || name.len() > 100 || !name.chars().all(plain) {
                return Err(Error::new(Kind::Usage, format!("`{given}` is not the name of a log"))
                    .hint("a log is named without its folder: conn, http, stderr; nodes are named with --node"));
            }
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        if names.is_empty() {
            names = DEFAULT.map(str::to_owned).to_vec();
        }
        Ok(names)
    }

    /// The script that reads the files of a host.
    fn script(&self, handle: &HostHandle, sources: &[Source], deadline: Duration) -> RemoteScript<'static> {
        let all = (MOST_LINES / sources.len().max(1)).max(100);
        let lines = self.lines.map_or(if self.since.is_some() { all } else { 10 }, |n| n as usize);
        let input: String = sources.iter().map(|s| format!("{}/{}\n", s.node, s.file)).collect();
        RemoteScript::new(scripts::LOGS, deadline)
            .arg(format!("{}/nodes", handle.folders.spool))
            .arg(if self.follow { "follow" } else { "once" })
            .arg(lines.to_string())
            .arg(if self.grep.is_some() { MOST_WITH_TEXT } else { MOST }.to_string())
            .arg(if self.grep.is_some() { "text" } else { "-" })
            .untold_arg(self.grep.clone().unwrap_or_default())
            .input(format!("{input}\n"))
    }

    /// Shows what there is.
    async fn read(&self, fleet: &Fleet, report: &mut LogsReport, screen: &mut Screen) {
        let answers = &report.answers;
        let of = |handle: &HostHandle| {
            let index = report.hosts.iter().position(|h| h.index == handle.index).unwrap_or_default();
            (index, answers[index].sources.as_slice())
        };
        let said = fleet
            .probe(
                "reading logs",
                report.hosts.clone(),
                |handle| self.script(handle, of(handle).1, fleet.settings.question),
                |output| Ok((output.lines.clone(), output.stderr.clone())),
            )
            .await;
        let said: Vec<_> = said.into_iter().map(|(handle, said)| (of(&handle).0, said)).collect();
        let mut lines = Vec::new();
        for (index, said) in said {
            let answer = &mut report.answers[index];
            let read = said.and_then(|(said, stderr)| {
                said.iter().try_for_each(|line| answer.take(line))?;
                if answer.shown { Ok(()) } else { Err(format!("incomplete reply: {}", stderr.trim())) }
            });
            answer.flush();
            lines.append(&mut answer.lines);
            screen.notes(answer);
            if let Err(why) = read {
                report.failed.push((report.hosts[index].name.clone(), why));
            }
        }
        screen.show(&report.answers, lines);
    }

    /// Shows what there is and what is added.
    async fn follow(&self, fleet: &Fleet, report: &mut LogsReport, screen: &mut Screen) -> Result<(), CommandError> {
        transport::room_for(report.hosts.len());
        let (told, mut news) = mpsc::unbounded_channel();
        let mut open = Vec::new();
        let mut tasks = tokio::task::JoinSet::new();
        for (index, handle) in report.hosts.iter().enumerate() {
            // Their ends close with this command, and with them what runs on the hosts.
            let (input, later) = mpsc::unbounded_channel();
            open.push(input);
            let lines = told.clone();
            let script = self.script(handle, &report.answers[index].sources, LONGEST).on_line(move |line| {
                let _ = lines.send((index, Some(line.to_owned()), None));
            });
            let script = script.live(later, fleet.silence());
            let (connection, told) = (handle.connection.clone(), told.clone());
            tasks.spawn(async move {
                let why = match connection.run(script).await {
                    Ok(output) => output.stderr.lines().last().unwrap_or("its reader ended").to_owned(),
                    Err(failure) => failure.text(),
                };
                let _ = told.send((index, None, Some(why)));
            });
        }
        drop(told);
        // What is there is shown together, as far as hosts say it in time.
        let patience = Instant::now() + fleet.settings.question;
        let mut due = patience;
        let mut lines: Vec<Line> = Vec::new();
        let mut waiting: BTreeSet<usize> = (0..report.hosts.len()).collect();
        loop {
            let next = tokio::select! {
                next = news.recv() => next,
                () = sleep_until(due), if !lines.is_empty() || !waiting.is_empty() => {
                    for index in std::mem::take(&mut waiting) {
                        let host = &report.hosts[index].name;
                        screen.ui.say(&format!("{host} has not answered yet; the others are shown"));
                    }
                    if !screen.show(&report.answers, std::mem::take(&mut lines)) {
                        return Ok(());
                    }
                    continue;
                }
            };
            let Some((index, line, ended)) = next else { break };
            let answer = &mut report.answers[index];
            let was_shown = answer.shown;
            let why = line.and_then(|line| answer.take(&line).err()).or(ended);
            if answer.shown && !was_shown {
                answer.flush();
            }
            screen.notes(answer);
            if lines.is_empty() && waiting.is_empty() {
                due = Instant::now() + COLLECTING;
            }
            lines.append(&mut answer.lines);
            if (answer.shown || why.is_some()) && waiting.remove(&index) && waiting.is_empty() {
                due = Instant::now();
            }
            if let Some(why) = why {
                let host = report.hosts[index].name.clone();
                if !report.failed.iter().any(|(failed, _)| *failed == host) {
                    screen.ui.say(&format!("{host}: {why}; its logs are not followed any more"));
                    report.failed.push((host, why));
                }
            }
        }
        screen.show(&report.answers, lines);
        Ok(())
    }
}

/// Which files of which host are meant.
fn sources(cluster: &Cluster, selection: Option<&Selection>, names: &[String]) -> BTreeMap<usize, Vec<Source>> {
    let mut all: BTreeMap<usize, Vec<Source>> = BTreeMap::new();
    let selected: Vec<&Node> = match selection {
        Some(selection) => selection.nodes(cluster).collect(),
        None => cluster.run_nodes().collect(),
    };
    for node in selected {
        for name in names {
            let printed = PRINTED.contains(&name.as_str());
            if !printed && selection.is_none() && !cluster.writes_logs(node) {
                continue;
            }
            // Zeek's own variable: logging/writers/ascii/Ascii.cc.
            let extension = match node.env.get("ZEEK_LOG_SUFFIX") {
                Some(EnvValue::Plain(suffix)) if !suffix.is_empty() && !suffix.contains(['/', '\n']) => suffix,
                _ => "log",
            };
            let file = if printed { name.clone() } else { format!("{name}.{extension}") };
            all.entry(node.host).or_default().push(Source { node: node.name.clone(), log: name.clone(), file });
        }
    }
    all
}

/// What was read of logs.
#[derive(Debug, Serialize)]
pub(crate) struct LogsReport {
    #[serde(skip)]
    answers: Vec<Answer>,
    #[serde(skip)]
    hosts: Vec<HostHandle>,
    /// Hosts that could not be asked, or not to the end; and why.
    failed: Vec<(String, String)>,
}

impl LogsReport {
    /// Returns which of these logs nobody has.
    ///
    /// # Errors
    /// Where there is none of them.
    fn lacking(&self, names: &[String]) -> Result<Vec<String>, Error> {
        let is_there = |name: &String| {
            self.answers.iter().any(|a| a.sources.iter().enumerate().any(|(n, s)| s.log == *name && a.found(n)))
        };
        let lacking: Vec<&String> = names.iter().filter(|name| !is_there(name)).collect();
        let quoted: Vec<String> = lacking.iter().map(|name| format!("`{name}`")).collect();
        if lacking.len() < names.len() || !self.failed.is_empty() {
            return Ok(quoted);
        }
        let others: BTreeSet<&str> = self.answers.iter().flat_map(|a| &a.others).filter_map(|o| log_name(o)).collect();
        let error = Error::failed(format!("no {} is being written there", quoted.join(", ")));
        let near = lacking.first().and_then(|name| nearest(name, others.iter().copied()));
        Err(match (near, others.is_empty()) {
            (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
            (None, false) => {
                let some: Vec<&str> = others.iter().copied().take(30).collect();
                error.hint(format!("there are: {}", some.join(", ")))
            }
            (None, true) => error.hint("a log begins with its first record; `clusterctl status` shows what runs"),
        })
    }
}

/// The name of a log from `NODE/NAME.log`.
fn log_name(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.strip_suffix(".log")
}

impl Report for LogsReport {
    fn kind(&self) -> Option<&'static str> {
        None
    }

    fn show(&self, ui: &Ui) {
        for (host, why) in &self.failed {
            crate::ui::complain(&format!("{}: {}", ui.err.paint(Tone::Bad, host), in_line(why)));
        }
    }

    fn end(&self) -> Option<Kind> {
        partial(self.hosts.len(), self.failed.len())
    }
}

/// Where lines go.
struct Screen {
    ui: Ui,
    /// The widths of the columns of nodes and of logs; no log where only one is asked for.
    node: usize,
    log: Option<usize>,
    /// The fields that were shown last, by log.
    headers: BTreeMap<String, Arc<str>>,
}

impl Screen {
    fn new(ui: Ui, answers: &[Answer]) -> Self {
        let sources = || answers.iter().flat_map(|a| &a.sources);
        let logs: BTreeSet<&str> = sources().map(|s| s.log.as_str()).collect();
        Self {
            ui,
            node: sources().map(|s| s.node.len()).max().unwrap_or(0),
            log: logs.iter().map(|log| log.len()).max().filter(|_| logs.len() > 1),
            headers: BTreeMap::new(),
        }
    }

    fn notes(&self, answer: &mut Answer) {
        for note in answer.notes.drain(..) {
            self.ui.say(&note);
        }
    }

    /// Shows lines in the order of their times; returns whether somebody still reads.
    fn show(&mut self, answers: &[Answer], mut lines: Vec<Line>) -> bool {
        lines.sort_by(|a, b| a.key.total_cmp(&b.key));
        let mut text = String::new();
        for line in &lines {
            let source = &answers[line.host].sources[line.file];
            if self.ui.output == Output::Json {
                text.push_str(&json(source, line));
            } else {
                self.table(source, line, &mut text);
            }
        }
        text.is_empty() || Ui::part(&text)
    }

    fn table(&mut self, source: &Source, line: &Line, text: &mut String) {
        let Source { node, log, .. } = source;
        let mut put = |tone, words: &str| {
            let column = self.log.map(|width| format!("{log:width$}  ")).unwrap_or_default();
            let words = self.ui.out.paint(tone, &escape_control(&words.replace('\t', "  ")).replace('\n', "\\n"));
            let node = self.ui.out.paint(Tone::Strong, &format!("{node:0$}", self.node));
            text.push_str(&format!("{node}  {column}{words}\n"));
        };
        if let Some(header) = &line.header
            && self.headers.get(log) != Some(header)
        {
            put(Tone::Dim, &format!("#fields\t{header}"));
            self.headers.insert(log.clone(), header.clone());
        }
        put(Tone::Plain, &line.record.text);
    }
}

/// A line as JSON.
fn json(source: &Source, line: &Line) -> String {
    #[derive(Serialize)]
    struct Shown<'a> {
        node: &'a str,
        log: &'a str,
        /// Seconds since 1970; none where neither the line nor one before it says so.
        time: Option<f64>,
        /// The fields of a record, as Zeek's own JSON has them.
        #[serde(skip_serializing_if = "Option::is_none")]
        record: Option<&'a serde_json::Map<String, serde_json::Value>>,
        /// What is no record.
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<&'a str>,
    }
    let record = line.record.fields.as_ref();
    let text = record.is_none().then_some(line.record.text.as_str());
    let time = line.record.time.or(Some(line.key)).filter(|time| time.is_finite());
    let shown = Shown { node: &source.node, log: &source.log, time, record, line: text };
    Ui::json_line("log", &shown)
}
