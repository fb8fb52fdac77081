//! `top`: what nodes and hosts do, live.

mod sample;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use self::sample::HostReader;
use self::view::{History, HostRow, NodeRow, Sort, View, host_cells, node_cells, page};
use super::args::{Selectors, seconds_up_to};
use super::doctor::device;
use super::report::{Report, partial};
use super::session::Extent;
use super::show::unknown_hosts;
use super::{Command, Hosts, Session};
use crate::cluster::{Cluster, Node};
use crate::control::StatusQuestion;
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Fleet, HostHandle, Rounds, Selection};
use crate::scripts;
use crate::transport::{self, RemoteScript};
use crate::ui::{Key, Output, Progress, Screen, Ui, can_fill_screen, table};
use crate::values::Version;

/// How often nodes are asked for the packets of their last minute.
const ASKED: Duration = Duration::from_secs(5);
/// How long the way to the manager may take, and then the answers.
const ROUND: Duration = Duration::from_secs(2);
/// How long after its end a host's script is started again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long a host's script goes on at most.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Show what nodes and hosts do, live: CPU, memory, threads, packets, drops
///
/// Where stdout or stdin is no terminal, or with --once or -o json, it shows one table and ends. Keys: q ends; n, c, m, t,
/// p, d sort by name, CPU, memory, threads, packets, drops; r reverses; / filters by selectors; space pauses; arrows
/// scroll. Packets of nodes are those of their last minute.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl top\n  clusterctl top workers --interval 2s\n  clusterctl top --once")]
pub(crate) struct Top {
    #[command(flatten)]
    which: Selectors,
    /// Show one table, and end
    #[arg(long)]
    once: bool,
    /// How long to measure, and how often to show anew: 1s to 10s
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = some_seconds)]
    interval: Duration,
}

/// Not so long that a host seems to be gone.
fn some_seconds(text: &str) -> Result<Duration, String> {
    seconds_up_to(10, text)
}

impl Command for Top {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = TopReport;

    async fn run(&self, session: &mut Session) -> Result<TopReport, CommandError> {
        let ui = session.ui;
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::with_hosts(&fleet.cluster, &self.which.selectors)?;
        let mut watched = Watched::new(&fleet, &selection);
        if self.once || ui.output != Output::Table || !can_fill_screen(&ui) {
            watched.look_once(&fleet, self.interval).await;
            return Ok(TopReport::of(&watched));
        }
        self.live(&fleet, &mut watched, ui).await?;
        // What was shown was the result.
        Ok(TopReport::default())
    }
}

impl Top {
    async fn live(&self, fleet: &Fleet, watched: &mut Watched, ui: Ui) -> Result<(), CommandError> {
        transport::room_for(watched.hosts.len());
        let packets: Mutex<BTreeMap<String, Packets>> = Mutex::new(BTreeMap::new());
        // Dropped with this function, and with it what runs on the hosts.
        let mut tasks = tokio::task::JoinSet::new();
        for host in &watched.hosts {
            tasks.spawn(follow(host.handle.clone(), host.shared.clone(), self.interval, fleet.silence()));
        }
        let mut screen = Screen::open(ui.out.color)
            .map_err(|e| Error::failed("the terminal cannot be used").because(e).hint("use --once"))?;
        let readers: Vec<Arc<Mutex<Shared>>> = watched.hosts.iter().map(|host| host.shared.clone()).collect();
        tokio::select! {
            () = ask_again_and_again(fleet, &readers, &packets) => Ok(()),
            ended = show(fleet, watched, &packets, &mut screen, self.interval) => ended,
        }
    }
}

/// What a host's task and the screen share.
#[derive(Debug)]
struct Shared {
    reader: HostReader,
    /// Whether there is a sample that was not shown.
    fresh: bool,
    /// Why nothing comes from it; none where something does.
    why: Option<String>,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A host that is watched.
struct WatchedHost {
    handle: HostHandle,
    interfaces: BTreeSet<String>,
    shared: Arc<Mutex<Shared>>,
    row: HostRow,
}

/// Hosts and nodes that are watched.
struct Watched {
    name: String,
    hosts: Vec<WatchedHost>,
    /// In the cluster's order, each with the place of its host in `hosts`; none where that is disabled.
    nodes: Vec<(NodeRow, Option<usize>)>,
}

/// What a node has told of its packets.
#[derive(Debug, Clone, Copy)]
struct Packets {
    per_second: f64,
    dropped_percent: f64,
}

impl Watched {
    fn new(fleet: &Fleet, selection: &Selection) -> Self {
        let cluster = &*fleet.cluster;
        let indices = fleet.selected_hosts(selection);
        let hosts: Vec<WatchedHost> = indices.iter().map(|index| watched(fleet, *index)).collect();
        let row = |node: &Node| {
            let host = cluster.host_of(node).name.clone();
            let row = NodeRow { node: node.name.clone(), role: node.role.name(), host, ..NodeRow::default() };
            (row, indices.iter().position(|index| *index == node.host))
        };
        Self { name: cluster.name.clone(), hosts, nodes: selection.nodes(cluster).map(row).collect() }
    }

    /// Asks everybody once.
    async fn look_once(&mut self, fleet: &Fleet, interval: Duration) {
        let handles: Vec<HostHandle> = self.hosts.iter().map(|host| host.handle.clone()).collect();
        let hosts = &self.hosts;
        let of = |handle: &HostHandle| hosts.iter().find(|host| host.handle.index == handle.index);
        let script = |handle: &HostHandle| {
            let interfaces = of(handle).map(|host| &host.interfaces);
            script(handle, interfaces.into_iter().flatten(), interval, 2, fleet.settings.question + interval)
        };
        let answers = fleet.probe("measuring", handles, script, |output| Ok(output.clone())).await;
        for (handle, answer) in answers {
            let Some(host) = of(&handle) else { continue };
            let mut shared = lock(&host.shared);
            let read = answer.and_then(|output| {
                output.lines.iter().try_for_each(|line| shared.reader.take(line).map(drop))?;
                let whole = shared.reader.host.cpu.is_some();
                if whole { Ok(()) } else { Err(format!("the host's reply is incomplete: {}", output.stderr.trim())) }
            });
            shared.why = read.err();
        }
        let packets = Mutex::new(BTreeMap::new());
        let readers: Vec<_> = self.hosts.iter().map(|host| host.shared.clone()).collect();
        let mut asking = Asking::default();
        asking.ask(fleet, &readers, &packets).await;
        self.take(&lock(&packets), true);
    }

    /// Takes what has come; `fresh` tells that samples belong into the histories, if they were not there before.
    fn take(&mut self, packets: &BTreeMap<String, Packets>, fresh: bool) {
        let mut fresh_hosts = Vec::new();
        for host in &mut self.hosts {
            let mut shared = lock(&host.shared);
            let figures = shared.reader.host.clone();
            let is_fresh = std::mem::take(&mut shared.fresh) && fresh;
            fresh_hosts.push(is_fresh);
            let row = &mut host.row;
            row.why.clone_from(&shared.why);
            (row.cpu, row.memory_percent, row.disk_percent) = (figures.cpu, figures.memory, figures.disk);
            row.packets_per_second = figures.packets_per_second;
            (row.bits_per_second, row.drops_per_second) = (figures.bits_per_second, figures.drops_per_second);
            if let Some(cpu) = figures.cpu.filter(|_| is_fresh) {
                row.history.push(cpu);
            }
        }
        for (row, host) in &mut self.nodes {
            let shared = host.map(|host| lock(&self.hosts[host].shared));
            let figures = shared.as_ref().and_then(|shared| shared.reader.by_node.get(&row.node));
            row.pid = figures.map(|figures| figures.pid);
            row.cpu = figures.and_then(|figures| figures.cpu);
            row.memory = figures.map(|figures| figures.memory);
            row.threads = figures.map(|figures| figures.threads);
            let packets = packets.get(&row.node).filter(|_| figures.is_some());
            row.packets_per_second = packets.map(|packets| packets.per_second);
            row.dropped_percent = packets.map(|packets| packets.dropped_percent);
            if host.is_some_and(|host| fresh_hosts[host]) {
                row.history.push(row.cpu.unwrap_or_default());
            }
        }
    }
}

fn watched(fleet: &Fleet, index: usize) -> WatchedHost {
    let cluster = &*fleet.cluster;
    let nodes = || cluster.run_nodes().filter(|node| node.host == index);
    let names = nodes().map(|node| node.name.clone()).collect();
    let interfaces: BTreeSet<String> =
        nodes().filter_map(|node| device(node.interface.as_deref()?)).map(str::to_owned).collect();
    let reader = HostReader::new(names, interfaces.clone());
    let shared = Shared { reader, fresh: false, why: Some("no answer yet".to_owned()) };
    let handle = fleet.handle(index);
    let row = HostRow { host: handle.name.clone(), history: History::default(), ..HostRow::default() };
    WatchedHost { handle, interfaces, shared: Arc::new(Mutex::new(shared)), row }
}

fn script<'a>(
    handle: &HostHandle,
    interfaces: impl IntoIterator<Item = &'a String>,
    interval: Duration,
    samples: u32,
    deadline: Duration,
) -> RemoteScript<'static> {
    let input: String = interfaces.into_iter().map(|name| format!("{name}\n")).chain(["\n".to_owned()]).collect();
    RemoteScript::new(scripts::TOP, deadline)
        .arg(&handle.folders.home)
        .arg(&handle.folders.spool)
        .arg(interval.as_secs().to_string())
        .arg(samples.to_string())
        .input(input)
}

/// Reads the samples of a host as long as this is kept; where they end, it begins again.
async fn follow(handle: HostHandle, shared: Arc<Mutex<Shared>>, interval: Duration, silence: Duration) {
    let interfaces = lock(&shared).reader.interfaces();
    loop {
        lock(&shared).reader.begin();
        let (input, later) = mpsc::unbounded_channel();
        let (broken, mut breaks) = mpsc::unbounded_channel();
        let of = shared.clone();
        let script = script(&handle, &interfaces, interval, 0, LONGEST).on_line(move |line| {
            let mut shared = lock(&of);
            match shared.reader.take(line) {
                Ok(true) => (shared.fresh, shared.why) = (true, None),
                Ok(false) => {}
                // The first counts: the other end of the channel goes with the call.
                Err(why) => drop(broken.send(why)),
            }
        });
        let why = tokio::select! {
            ended = handle.connection.run(script.live(later, silence)) => match ended {
                Ok(output) => output.stderr.lines().last().unwrap_or("its reader ended").to_owned(),
                Err(failure) => failure.text(),
            },
            Some(why) = breaks.recv() => why,
        };
        drop(input);
        {
            let mut shared = lock(&shared);
            shared.reader.begin();
            shared.why = Some(why);
        }
        sleep(AGAIN).await;
    }
}

/// Asks nodes for the packets of their last minute.
#[derive(Default)]
struct Asking<'a> {
    /// Those that were asked, and by what.
    asked: BTreeSet<String>,
    rounds: Option<Rounds<'a>>,
}

impl<'a> Asking<'a> {
    async fn ask(
        &mut self,
        fleet: &'a Fleet,
        readers: &[Arc<Mutex<Shared>>],
        packets: &Mutex<BTreeMap<String, Packets>>,
    ) {
        let cluster = &*fleet.cluster;
        let (running, version) = running(cluster, readers);
        if running != self.asked || self.rounds.is_none() {
            let nodes = cluster.run_nodes().filter(|node| running.contains(&node.name));
            self.rounds = version.and_then(|version| Rounds::new(fleet, version, nodes));
            self.asked = running;
        }
        let capture = cluster.run_nodes().any(|node| node.interface.is_some() && self.asked.contains(&node.name));
        let Some(rounds) = self.rounds.as_mut().filter(|_| capture) else { return };
        // Where nobody can be asked, `status` says why.
        let answers = rounds.ask(&StatusQuestion::unique(), ROUND, ROUND).await.unwrap_or_default();
        let capturing: BTreeSet<&str> =
            cluster.run_nodes().filter(|node| node.interface.is_some()).map(|node| node.name.as_str()).collect();
        #[expect(clippy::cast_precision_loss, reason = "rates and shares")]
        let told =
            answers.into_iter().filter(|(name, _)| capturing.contains(name.as_str())).filter_map(|(name, said)| {
                let status = said.ok()?;
                let seen = status.received_1m.saturating_add(status.dropped_1m);
                let dropped_percent = if seen > 0 { status.dropped_1m as f64 * 100.0 / seen as f64 } else { 0.0 };
                // A node that is younger than a minute has counted for its life.
                let seconds = status.uptime.clamp(1.0, 60.0);
                Some((name, Packets { per_second: status.received_1m as f64 / seconds, dropped_percent }))
            });
        *lock(packets) = told.collect();
    }
}

/// Which nodes run, and the version of Zeek, as hosts have told it.
fn running(cluster: &Cluster, readers: &[Arc<Mutex<Shared>>]) -> (BTreeSet<String>, Option<Version>) {
    let mut names = BTreeSet::new();
    let mut version = cluster.zeek.version;
    for shared in readers {
        let shared = lock(shared);
        names.extend(shared.reader.by_node.keys().cloned());
        version = shared.reader.version.or(version);
    }
    (names, version)
}

async fn ask_again_and_again(
    fleet: &Fleet,
    readers: &[Arc<Mutex<Shared>>],
    packets: &Mutex<BTreeMap<String, Packets>>,
) {
    let mut asking = Asking::default();
    // Until the first hosts have answered.
    while !readers.iter().any(|shared| lock(shared).reader.sampled) {
        sleep(Duration::from_millis(200)).await;
    }
    loop {
        let next = Instant::now() + ASKED;
        asking.ask(fleet, readers, packets).await;
        tokio::time::sleep_until(next).await;
    }
}

/// Shows a page again and again, until the user wants an end.
async fn show(
    fleet: &Fleet,
    watched: &mut Watched,
    packets: &Mutex<BTreeMap<String, Packets>>,
    screen: &mut Screen,
    interval: Duration,
) -> Result<(), CommandError> {
    let gone = |e: std::io::Error| CommandError::from(Error::failed("the terminal cannot be used").because(e));
    let mut view = View::new();
    let mut filter: Option<Selection> = None;
    let mut ticks = tokio::time::interval(interval.min(Duration::from_secs(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        if !view.paused {
            watched.take(&lock(packets), true);
        }
        let named: Option<BTreeSet<&str>> =
            filter.as_ref().map(|filter| filter.nodes(&fleet.cluster).map(|node| node.name.as_str()).collect());
        let is_meant = |row: &NodeRow| named.as_ref().is_none_or(|named| named.contains(row.node.as_str()));
        let mut nodes: Vec<NodeRow> =
            watched.nodes.iter().map(|(row, _)| row).filter(|row| is_meant(row)).cloned().collect();
        view.sort.apply(&mut nodes, view.reverse);
        let hosts: Vec<HostRow> = watched.hosts.iter().map(|host| host.row.clone()).collect();
        let shown = page(screen.size(), &watched.name, &hosts, &nodes, &view);
        let last = nodes.len().saturating_sub(shown.room.max(1));
        view.offset = view.offset.min(last);
        screen.draw(&shown.lines).map_err(gone)?;
        let key = tokio::select! {
            key = screen.key() => key,
            _ = ticks.tick() => continue,
        };
        let Some(key) = key else { return Ok(()) };
        match key {
            Key::Interrupt => return Err(Error::new(Kind::Interrupted, "interrupted").into()),
            Key::Suspend => screen.suspend().map_err(gone)?,
            key if view.typing.is_some() => {
                if let Some(words) = view.typed(key) {
                    let selectors: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
                    match Selection::parse(&fleet.cluster, &selectors) {
                        Ok(selection) => {
                            filter = (!selectors.is_empty()).then_some(selection);
                            view.filter = selectors.join(" ");
                        }
                        Err(error) => view.message = Some(error.message),
                    }
                }
            }
            Key::Char('q') | Key::Escape => return Ok(()),
            key => view.press(key, shown.room, last),
        }
    }
}

impl View {
    /// Takes a key while a filter is typed; returns it when it is whole.
    fn typed(&mut self, key: Key) -> Option<String> {
        /// The longest filter, in characters.
        const LONGEST: usize = 200;
        let typing = self.typing.as_mut()?;
        match key {
            Key::Char(c) if typing.chars().count() < LONGEST => typing.push(c),
            Key::Backspace => drop(typing.pop()),
            Key::Escape => self.typing = None,
            Key::Enter => return self.typing.take(),
            _ => {}
        }
        None
    }

    /// Takes another key, where so many rows have room, and so many can be above.
    fn press(&mut self, key: Key, room: usize, last: usize) {
        self.message = None;
        match key {
            Key::Char(' ') => self.paused = !self.paused,
            Key::Char('r') => self.reverse = !self.reverse,
            Key::Char('/') => self.typing = Some(self.filter.clone()),
            Key::Char(c) => self.sort = Sort::of(c).unwrap_or(self.sort),
            Key::Up => self.offset = self.offset.saturating_sub(1),
            Key::Down => self.offset = (self.offset + 1).min(last),
            Key::PageUp => self.offset = self.offset.saturating_sub(room),
            Key::PageDown => self.offset = (self.offset + room).min(last),
            Key::Home => self.offset = 0,
            Key::End => self.offset = last,
            _ => {}
        }
    }
}

/// One look.
#[derive(Debug, Default, Serialize)]
pub(crate) struct TopReport {
    hosts: Vec<HostRow>,
    nodes: Vec<NodeRow>,
    #[serde(skip)]
    shown: bool,
}

impl TopReport {
    fn of(watched: &Watched) -> Self {
        let mut nodes: Vec<NodeRow> = watched.nodes.iter().map(|(row, _)| row.clone()).collect();
        Sort::Cpu.apply(&mut nodes, false);
        Self { hosts: watched.hosts.iter().map(|host| host.row.clone()).collect(), nodes, shown: true }
    }

    fn unknown(&self) -> Vec<(String, String)> {
        self.hosts.iter().filter_map(|row| Some((row.host.clone(), row.why.clone()?))).collect()
    }
}

impl Report for TopReport {
    fn kind(&self) -> Option<&'static str> {
        Some("top")
    }

    fn show(&self, ui: &Ui) {
        if !self.shown {
            return;
        }
        let known: Vec<_> = self.hosts.iter().filter(|row| row.why.is_none()).map(|row| host_cells(row, 0)).collect();
        let mut text = String::new();
        // One sample is no history.
        if !known.is_empty() {
            text.push_str(&table(ui.out, &view::HOSTS[..view::HOSTS.len() - 1], &known));
            text.push('\n');
        }
        if !self.nodes.is_empty() {
            let nodes: Vec<_> = self.nodes.iter().map(|row| node_cells(row, 0)).collect();
            text.push_str(&table(ui.out, &view::NODES[..view::NODES.len() - 1], &nodes));
        }
        text.push_str(&unknown_hosts(ui, &self.unknown()));
        ui.result(&text);
    }

    fn end(&self) -> Option<Kind> {
        partial(self.hosts.len(), self.unknown().len())
    }
}
