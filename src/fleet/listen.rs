//! Listening to nodes: one question, asked again and again over one connection to the manager, and whose answers count.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::ask::{Unasked, dial, may_be_asked};
use super::authenticity::reject_foreign;
use super::facts::{Facts, running, runs};
use super::hosts::{Fleet, HostHandle};
use super::select::Selection;
use crate::control::{Conversation, Heard, NoAnswer, Question};
use crate::observed::Observed;
use crate::transport::Failure;
use crate::zeek::{self, Live};

/// How long to wait before a host is looked at again whose node answers with another process than the host knows: it may
/// have been restarted.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long the answers of such a node may be held back before they are another's.
const DOUBT: Duration = Duration::from_secs(8);
/// How many answers wait to be judged. What does not fit is asked for again.
const WAITING: usize = 4096;

/// What the nodes said in one round.
pub(crate) type Round<T> = BTreeMap<String, Result<T, NoAnswer>>;

/// Listens to the nodes of a selection and to the manager, which shows whether the connection is ours, and hands on what
/// counts in each round, until that says to end; nothing of a node whose host does not know its process (yet). Looks at the
/// hosts first.
///
/// # Errors
/// Why it could not begin, or the connection ended.
pub(crate) async fn listen<Q: Question>(
    fleet: &Fleet,
    selection: &Selection,
    question: &Q,
    every: Duration,
    mut tell: impl FnMut(Round<Q::Answer>) -> bool,
) -> Result<(), Unasked> {
    let cluster = &*fleet.cluster;
    let Some(manager) = cluster.manager() else { return Err(Unasked::NoManager) };
    may_be_asked(cluster, manager)?;
    let mut hosts: BTreeSet<usize> = selection.hosts(cluster).into_iter().collect();
    hosts.insert(manager.host);
    let enabled = hosts.into_iter().filter(|host| cluster.hosts[*host].enabled);
    let mut facts: Facts = by_host(fleet.observe(fleet.handles(enabled)).await);
    let Some((version, backend)) = running(cluster, &facts) else {
        return Err(match facts.remove(&manager.host) {
            Some(Err(failure)) => Unasked::Unreachable(failure),
            _ => Unasked::NotDeployed,
        });
    };
    if let Live::None(why) = zeek::live(cluster, version) {
        return Err(Unasked::Never(why));
    }
    if matches!(facts.get(&manager.host), Some(Ok(observed)) if !runs(observed, &manager.name)) {
        return Err(Unasked::NotRunning);
    }
    let topics = zeek::topics(cluster, version, backend);
    let nodes = selection.nodes(cluster).filter(|n| cluster.host_of(n).enabled);
    let mut nodes: Vec<(String, String)> = nodes.map(|n| (n.name.clone(), topics.node(&n.name))).collect();
    if nodes.iter().all(|(name, _)| *name != manager.name) {
        nodes.push((manager.name.clone(), topics.node(&manager.name)));
    }
    let stream = dial(fleet, manager, fleet.settings.question).await.map_err(Unasked::Unreachable)?;
    let ready = Instant::now() + fleet.settings.question;
    let conversation = match Conversation::open(stream, zeek::ANSWERS, question, ready).await {
        Ok(conversation) => conversation,
        Err(error) => return Err(Unasked::Refused(error).because_of_the_host(fleet, manager.host).await),
    };
    let (sender, mut heard) = mpsc::channel(WAITING);
    let listening = conversation.listen(&nodes, every, sender);
    tokio::pin!(listening);
    let mut hearing =
        Hearing { fleet, facts, ours: false, doubts: BTreeMap::new(), looking: None, looked: Instant::now() };
    let mut round = Round::new();
    loop {
        tokio::select! {
            ended = &mut listening => return Err(Unasked::Ended(ended)),
            news = heard.recv() => match news {
                Some(Heard::Answer(node, said)) => {
                    round.insert(node, said);
                }
                Some(Heard::Round) => {
                    if !tell(hearing.judge(std::mem::take(&mut round), Q::process)?) {
                        return Ok(());
                    }
                }
                None => tokio::task::yield_now().await,
            },
            looked = looked(&mut hearing.looking) => {
                hearing.looking = None;
                hearing.looked = Instant::now();
                hearing.facts.extend(by_host(looked));
            }
        }
    }
}

type Looked = Vec<(HostHandle, Result<Observed, Failure>)>;

fn by_host(looked: Looked) -> Facts {
    looked.into_iter().filter_map(|(handle, answer)| Some((handle.index?, answer))).collect()
}

/// Waits for hosts that are being looked at; for ever if there are none.
async fn looked(looking: &mut Option<Pin<Box<dyn Future<Output = Looked> + '_>>>) -> Looked {
    match looking {
        Some(looking) => looking.await,
        None => std::future::pending().await,
    }
}

/// Tells whose answers they are, as hosts know the processes of their nodes.
struct Hearing<'a> {
    fleet: &'a Fleet,
    facts: Facts,
    /// Whether an answer on this connection is known to be of this cluster.
    ours: bool,
    /// Nodes that answer with another process than their hosts know, and since when.
    doubts: BTreeMap<String, Instant>,
    /// A new look at the hosts of such nodes.
    looking: Option<Pin<Box<dyn Future<Output = Looked> + 'a>>>,
    /// When the hosts were last looked at.
    looked: Instant,
}

impl Hearing<'_> {
    /// Returns what counts of a round.
    fn judge<T>(&mut self, mut round: Round<T>, process: impl Fn(&T) -> Option<u64>) -> Result<Round<T>, Unasked> {
        let cluster = &*self.fleet.cluster;
        let now = Instant::now();
        let stranger = match reject_foreign(cluster, &self.facts, &mut round, process) {
            Ok(ours) => {
                self.ours |= ours;
                None
            }
            Err(stranger) => Some(stranger),
        };
        let doubtful = |said: &Result<T, NoAnswer>| matches!(said, Err(NoAnswer::OtherProcess { .. }));
        self.doubts.retain(|node, _| round.get(node).is_none_or(doubtful));
        for (node, _) in round.iter().filter(|(_, said)| doubtful(said)) {
            self.doubts.entry(node.clone()).or_insert(now);
        }
        let long = |since: &Instant| now - *since > DOUBT;
        if let Some(stranger) = stranger.filter(|_| !self.ours && self.doubts.values().any(long)) {
            return Err(Unasked::ForeignResponder(stranger));
        }
        if !self.doubts.is_empty() && self.looking.is_none() && now - self.looked > LOOK_AGAIN {
            let hosts: BTreeSet<usize> =
                cluster.nodes.iter().filter(|n| self.doubts.contains_key(&n.name)).map(|n| n.host).collect();
            let fleet = self.fleet;
            self.looking = Some(Box::pin(async move { fleet.observe(fleet.handles(hosts)).await }));
        }
        // Until one is known to be ours, all might be another cluster's.
        round.retain(|node, said| match said {
            Err(NoAnswer::OtherProcess { .. }) => self.doubts.get(node).is_some_and(long),
            _ => self.ours,
        });
        Ok(round)
    }
}
