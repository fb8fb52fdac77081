//! `events`: what happens on the nodes, as it happens.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::args::duration;
use super::asked::unasked;
use super::report::Report;
use super::session::Extent;
use super::{Command, Hosts, Session, complete};
use crate::cluster::compare_names;
use crate::control::{Answerer, ControlError, NoAnswer, Question, Said, json};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Fleet, Round, Selection, Unasked, listen};
use crate::ui::{Output, Progress, Tone, Ui, in_line};
use crate::values::{count, fold_names};

/// How often nodes are asked what happened, and how many in a second at most.
const EVERY: Duration = Duration::from_secs(1);
const IN_A_SECOND: usize = 200;
/// How long to wait before a lost connection is set up again, at first and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many lines are shown at once; more are counted.
const MOST_LINES: usize = 500;
/// How many events of one answer are taken, and how much of each text, in characters.
const MOST_EVENTS: usize = 1_000;
const MOST_TEXT: usize = 1_000;

/// Show what happens on the nodes, until Ctrl-C: nodes that come and go, warnings and errors
///
/// Each node tells which others it sees or loses, and what Zeek's reporter warns of. One line stands for all nodes that
/// say the same within a second. Nodes remember the last 300 events each, at most 20 warnings and errors of a second;
/// those that were not remembered are counted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl events\n  clusterctl events --since 1h workers\n  \
clusterctl events -o json | jq .data.text")]
pub(crate) struct Events {
    /// Show first what happened in this time, as far as the nodes remember it
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    since: Option<Duration>,
    /// Nodes: a name, a glob, a role (manager, loggers, proxies, workers, all) or @host; none: all
    #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    selectors: Vec<String>,
}

impl Command for Events {
    const HOSTS: Hosts = Hosts::Watched;
    const PROGRESS: Progress = Progress::Silent;
    type Report = Nothing;

    async fn run(&self, session: &mut Session) -> Result<Nothing, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::parse(&fleet.cluster, &self.selectors)?;
        // An interrupt is the end that was meant.
        match fleet.unless_interrupted(follow(session.ui, &fleet, &selection, self.since)).await {
            Ok(Some(error)) => Err(error.into()),
            Ok(None) | Err(_) => Ok(Nothing {}),
        }
    }
}

/// Nothing is left to tell at the end.
#[derive(Debug, Serialize)]
pub(crate) struct Nothing {}

impl Report for Nothing {
    fn kind(&self) -> Option<&'static str> {
        None
    }

    fn show(&self, _ui: &Ui) {}

    fn end(&self) -> Option<Kind> {
        None
    }
}

/// Listens, and sets a lost connection up again; returns why that is no use, or none where nobody reads any more.
async fn follow(ui: Ui, fleet: &Fleet, selection: &Selection, since: Option<Duration>) -> Option<Error> {
    let nodes = selection.nodes(&fleet.cluster).count();
    let every = EVERY.max(Duration::from_secs((nodes / IN_A_SECOND) as u64));
    let question = EventsQuestion::unique(since.is_some());
    let mut screen = Screen::new(ui, since, selection.nodes(&fleet.cluster).map(|n| n.name.clone()).collect());
    let mut pause = PAUSE;
    let mut connected = false;
    loop {
        let mut answered = false;
        let mut named = false;
        let patience = fleet.cluster.timeouts.control.max(every * 2);
        let begun = Instant::now();
        let ended = listen(fleet, selection, &question, every, |round| {
            if !answered && !round.is_empty() {
                answered = true;
                ui.say(&format!("listening to {}; Ctrl-C ends it", count(nodes, "node")));
            }
            if !named && begun.elapsed() > patience {
                named = true;
                screen.tell_silent(fleet, selection, &question);
            }
            screen.show(&question, round)
        })
        .await;
        let why = ended.err()?;
        connected |= answered;
        if !connected || !may_come_back(&why) {
            let error = Error::failed("can't listen to the nodes").because(unasked(fleet, &why));
            return Some(error);
        }
        if answered {
            pause = PAUSE;
        }
        ui.say(&format!(
            "the connection is lost: {}; trying again in {}, and then the nodes tell what they remember",
            unasked(fleet, &why),
            humantime::format_duration(pause)
        ));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Tells whether waiting may help.
fn may_come_back(why: &Unasked) -> bool {
    match why {
        Unasked::NotRunning | Unasked::Unreachable(_) | Unasked::Refused(_) | Unasked::NotDeployed => true,
        Unasked::Ended(error) => !matches!(error, ControlError::UnknownQuestion),
        _ => false,
    }
}

/// What happened on a node.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Happenings {
    node: String,
    /// The process that tells.
    pid: u64,
    /// The node's clock, in seconds since 1970.
    now: f64,
    /// The number of the last event.
    last: u64,
    events: Vec<Happening>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Happening {
    /// From 1 on.
    number: u64,
    /// In seconds since 1970, by the node's clock.
    at: f64,
    kind: What,
    /// The name of a node, or what the reporter says.
    text: String,
    /// Where in the scripts.
    location: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    NodeUp,
    NodeDown,
    Hello,
    Warning,
    Error,
    /// Of an agent of a newer release.
    #[serde(other)]
    Other,
}

/// Asks nodes what happened since they were last heard.
#[derive(Debug)]
struct EventsQuestion {
    prefix: String,
    /// Whether what happened before the first question counts as well.
    before: bool,
    /// The process of each node, and the last event that is known of it.
    known: Mutex<BTreeMap<String, (u64, u64)>>,
    /// The last round in which each node was asked only from then on.
    baselines: Mutex<BTreeMap<String, u32>>,
}

impl EventsQuestion {
    fn unique(before: bool) -> Self {
        let prefix = format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
        Self { prefix, before, known: Mutex::default(), baselines: Mutex::default() }
    }

    fn baselines(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u32>> {
        self.baselines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (u64, u64)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Question for EventsQuestion {
    type Answer = Happenings;
    const ANSWERER: Answerer = Answerer::Agent;

    fn topic(&self) -> &'static str {
        "clusterctl/"
    }

    fn request(&self, round: u32) -> (&'static str, Vec<String>) {
        self.request_to("", round)
    }

    fn request_to(&self, node: &str, round: u32) -> (&'static str, Vec<String>) {
        /// Whoever is heard later than in the first rounds was started meanwhile.
        const FIRST: u32 = 5;
        let (pid, after) = match self.known().get(node) {
            Some((pid, after)) => (pid.to_string(), *after),
            None if self.before || round >= FIRST => ("0".to_owned(), 0),
            None => {
                self.baselines().insert(node.to_owned(), round);
                (String::new(), 0)
            }
        };
        let request = format!("{}-{round}", self.prefix);
        ("Clusterctl::events_request", vec![request, node.to_owned(), pid, after.to_string()])
    }

    fn answer(&self, said: Said<'_>) -> Option<(String, Result<Happenings, NoAnswer>)> {
        let [request, name, events] = said.args.as_slice() else { return None };
        let round: u32 = request.strip_prefix(&self.prefix)?.strip_prefix('-')?.parse().ok()?;
        if said.name != "Clusterctl::events_response" || name != said.from || round >= said.rounds {
            return None;
        }
        // A late answer of that kind leaves out what happened since an earlier one.
        let from_now = self.baselines().get(said.from).is_some_and(|last| round <= *last);
        if from_now && self.known().contains_key(said.from) {
            return None;
        }
        let answer = json::<Happenings>("events", events).and_then(|happenings| {
            if happenings.node == said.from { Ok(happenings) } else { Err(NoAnswer::OtherName(happenings.node)) }
        });
        Some((said.from.to_owned(), answer))
    }

    fn process(answer: &Happenings) -> Option<u64> {
        Some(answer.pid)
    }
}

/// One event as it is shown; with `-o json` a line each.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    node: String,
    /// In seconds since 1970, by the node's clock.
    at: f64,
    #[serde(rename = "event")]
    what: What,
    text: String,
    location: Option<String>,
}

/// Events of a node that nobody remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Missed {
    node: String,
    missed: u64,
}

/// What is shown, and what was.
struct Screen {
    ui: Ui,
    begun: Instant,
    since: Option<Duration>,
    /// The nodes of the selection; the manager is asked as well.
    selected: BTreeSet<String>,
    /// Nodes of which was told why their answers do not count.
    complained: BTreeMap<String, String>,
}

impl Screen {
    fn new(ui: Ui, since: Option<Duration>, selected: BTreeSet<String>) -> Self {
        Self { ui, begun: Instant::now(), since, selected, complained: BTreeMap::new() }
    }

    /// Names the nodes that have not answered so far.
    fn tell_silent(&self, fleet: &Fleet, selection: &Selection, question: &EventsQuestion) {
        let known = question.known();
        let enabled = selection.nodes(&fleet.cluster).filter(|n| fleet.cluster.host_of(n).enabled);
        let silent: Vec<&str> = enabled.map(|n| n.name.as_str()).filter(|name| !known.contains_key(*name)).collect();
        if !silent.is_empty() {
            self.ui.say(&format!("no answer from {}; what they do later is shown", fold_names(&silent)));
        }
    }

    /// Shows what is new in a round; tells whether somebody still reads.
    fn show(&mut self, question: &EventsQuestion, round: Round<Happenings>) -> bool {
        let oldest = self.since.unwrap_or_default() + self.begun.elapsed() + EVERY;
        let mut lines = Vec::new();
        let mut missed = Vec::new();
        let mut known = question.known();
        for (node, said) in round {
            match said {
                Ok(said) => take(&node, said, oldest, &mut known, &mut lines, &mut missed),
                Err(NoAnswer::Silent) => {}
                Err(why) => {
                    let why = why.to_string();
                    if self.complained.get(&node) != Some(&why) {
                        self.ui.say(&format!("{node}: {}", in_line(&why)));
                        self.complained.insert(node, why);
                    }
                }
            }
        }
        drop(known);
        lines.retain(|line| self.selected.contains(&line.node));
        missed.retain(|missed| self.selected.contains(&missed.node));
        lines.sort_by(|a, b| a.at.total_cmp(&b.at));
        let text = match self.ui.output {
            Output::Json => {
                let lines = lines.iter().map(|line| Ui::json_line("event", line));
                lines.chain(missed.iter().map(|missed| Ui::json_line("missed", missed))).collect()
            }
            _ => text(&self.ui, &lines, &missed),
        };
        text.is_empty() || Ui::part(&text)
    }
}

/// Takes what is new of a node's answer; `oldest` is how old an event may be.
fn take(
    node: &str,
    said: Happenings,
    oldest: Duration,
    known: &mut BTreeMap<String, (u64, u64)>,
    lines: &mut Vec<Line>,
    missed: &mut Vec<Missed>,
) {
    let before = known.get(node).copied();
    let same = before.filter(|(pid, _)| *pid == said.pid);
    let mut last = same.map_or(0, |(_, last)| last);
    let mut gone = 0_u64;
    for event in said.events.into_iter().take(MOST_EVENTS) {
        if event.number <= last {
            continue;
        }
        gone = gone.saturating_add(event.number - last - 1);
        last = event.number;
        if said.now - event.at > oldest.as_secs_f64() {
            continue;
        }
        let short = |text: String| -> String { text.chars().take(MOST_TEXT).collect() };
        lines.push(Line {
            node: node.to_owned(),
            at: event.at,
            what: event.kind,
            text: short(event.text),
            location: Some(short(event.location)).filter(|place| !place.is_empty()),
        });
    }
    gone = gone.saturating_add(said.last.saturating_sub(last));
    // What a node forgot before it was first heard is nobody's loss.
    if gone > 0 && before.is_some() {
        missed.push(Missed { node: node.to_owned(), missed: gone });
    }
    known.insert(node.to_owned(), (said.pid, said.last.max(last)));
}

/// One line for all that is the same.
fn text(ui: &Ui, lines: &[Line], missed: &[Missed]) -> String {
    let mut groups: Vec<(&Line, Vec<&str>, usize)> = Vec::new();
    let mut places: HashMap<(What, &str, Option<&str>), usize> = HashMap::new();
    for line in lines {
        let place = *places.entry((line.what, &line.text, line.location.as_deref())).or_insert_with(|| {
            groups.push((line, Vec::new(), 0));
            groups.len() - 1
        });
        let (_, nodes, times) = &mut groups[place];
        *times += 1;
        if !nodes.contains(&line.node.as_str()) {
            nodes.push(&line.node);
        }
    }
    let mut text = String::new();
    let more = groups.len().saturating_sub(MOST_LINES);
    for (line, mut nodes, times) in groups.into_iter().take(MOST_LINES) {
        nodes.sort_by(|a, b| compare_names(a, b));
        #[expect(clippy::cast_possible_truncation, reason = "a time that is none is shown as 1970")]
        let at = jiff::Timestamp::from_second(line.at as i64).unwrap_or_default();
        let (tone, what) = match line.what {
            What::NodeUp => (Tone::Good, format!("sees {}", line.text)),
            What::NodeDown => (Tone::Bad, format!("has lost {}", line.text)),
            What::Hello => (Tone::Warn, format!("hello again from {}", line.text)),
            What::Warning => (Tone::Warn, format!("warning: {}", line.text)),
            What::Error => (Tone::Bad, format!("error: {}", line.text)),
            What::Other => (Tone::Plain, line.text.clone()),
        };
        let place = line.location.as_ref().map(|place| format!(" ({})", in_line(place))).unwrap_or_default();
        let often = if times > nodes.len() { format!(" ({times} times)") } else { String::new() };
        let names = ui.out.paint(Tone::Strong, &in_line(&fold_names(&nodes)));
        let what = ui.out.paint(tone, &in_line(&what));
        text.push_str(&ui.out.wrap(&format!("{at:.0} {names}: {what}{place}{often}"), "  "));
        text.push('\n');
    }
    if more > 0 {
        text.push_str(&format!("{more} more lines at once are not shown\n"));
    }
    for Missed { node, missed } in missed {
        text.push_str(&ui.out.wrap(&format!("{node}: {missed} more that it did not remember"), "  "));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64, at: f64, kind: What, text: &str) -> Happening {
        Happening { number, at, kind, text: text.to_owned(), location: String::new() }
    }

    fn heard(
        known: &mut BTreeMap<String, (u64, u64)>,
        node: &str,
        pid: u64,
        last: u64,
        events: Vec<Happening>,
    ) -> (Vec<Line>, Vec<Missed>) {
        let (mut lines, mut missed) = (Vec::new(), Vec::new());
        let said = Happenings { node: node.to_owned(), pid, now: 1_000.0, last, events };
        take(node, said, Duration::from_secs(60), known, &mut lines, &mut missed);
        (lines, missed)
    }

    #[test]
    fn what_was_not_remembered_is_counted_once() {
        let mut known = BTreeMap::new();
        let up = |number, at| event(number, at, What::NodeUp, "worker-1");
        // What happened before, and what is too old, is neither shown nor missed.
        let (lines, missed) = heard(&mut known, "manager", 7, 12, vec![up(11, 900.0), up(12, 990.0)]);
        assert_eq!((lines.len(), missed.len()), (1, 0));
        assert_eq!(heard(&mut known, "manager", 7, 12, vec![up(12, 990.0)]), (vec![], vec![]));
        let (lines, missed) = heard(&mut known, "manager", 7, 20, vec![up(15, 995.0), up(18, 996.0)]);
        assert_eq!((lines.len(), missed[0].missed), (2, 6));
        // Another process begins anew.
        let (lines, missed) = heard(&mut known, "manager", 8, 3, vec![up(2, 999.0), up(3, 999.0)]);
        assert_eq!((lines.len(), missed[0].missed), (2, 1));
        // A number that only a liar has.
        let (_, missed) = heard(&mut known, "manager", 8, u64::MAX, vec![up(u64::MAX, 999.0)]);
        assert_eq!(missed[0].missed, u64::MAX - 4);
        assert_eq!(heard(&mut known, "manager", 8, 3, vec![up(3, 999.0)]), (vec![], vec![]));
    }

    #[test]
    fn what_many_nodes_say_is_one_line() {
        let line = |node: &str, what, text: &str, location: &str| Line {
            node: node.to_owned(),
            at: 1_795_737_600.4,
            what,
            text: text.to_owned(),
            location: Some(location.to_owned()).filter(|l| !l.is_empty()),
        };
        let mut lines: Vec<Line> =
            (1..=60).map(|i| line(&format!("worker-{i}"), What::NodeDown, "proxy-1", "")).collect();
        lines.push(line("manager", What::NodeDown, "proxy-1", ""));
        lines.push(line(
            "worker-2",
            What::Error,
            "field value missing\n\u{1b}[2Jsensor2: x",
            "./site/local.zeek, line 3",
        ));
        lines.push(line(
            "worker-2",
            What::Error,
            "field value missing\n\u{1b}[2Jsensor2: x",
            "./site/local.zeek, line 3",
        ));
        lines.push(line("manager", What::Warning, "slow", ""));
        lines.push(line("manager", What::NodeUp, "proxy-1", ""));
        lines.push(line("logger-1", What::Hello, "worker-7", ""));
        let missed = [Missed { node: "worker-3".to_owned(), missed: 4_012 }];
        let mut ui = Ui::new(Output::Table, crate::ui::Color::Never, false);
        ui.out.width = Some(80);
        insta::assert_snapshot!(text(&ui, &lines, &missed));
    }
}
