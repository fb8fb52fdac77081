//! Asking nodes: one question to many of them over one connection to the manager, and whose answers count.
//!
//! [`ask`] is for a command that looks at the hosts as well; [`Rounds`] for what waits for nodes, and asks the same ones
//! again and again. Whatever is asked, an answer counts only if it comes from the process that its host knows as the node's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::authenticity::{ForeignResponder, reject_foreign, verify_manager};
use super::facts::{Facts, gather, might_run, running, runs, wait_for_facts};
use super::hosts::Fleet;
use super::select::Selection;
use crate::cluster::{Cluster, Node};
use crate::control::{Answerer, Answers, ControlError, Conversation, NoAnswer, NodeStatus, Question, StatusQuestion};
use crate::transport::{Failure, Tunnel};
use crate::values::Version;
use crate::zeek::{self, Live};

/// How long nodes are asked in turn, where they can't be asked at once.
const IN_TURN: Duration = Duration::from_secs(60);

/// Nodes, with the topics to ask them on.
type Whom = Vec<(String, String)>;

/// What came of asking the nodes of a selection.
#[derive(Debug)]
pub(crate) struct NodeAnswers<T> {
    /// The version of the manager's Zeek; none where no answer shows that it is this cluster's.
    pub(crate) version: Option<String>,
    /// What each node said that was asked.
    pub(crate) nodes: BTreeMap<String, Result<T, NoAnswer>>,
    /// Why no node, or not all, could be asked.
    pub(crate) unasked: Option<Unasked>,
}

/// Why nodes could not be asked.
#[derive(Debug)]
pub(crate) enum Unasked {
    /// There is no manager.
    NoManager,
    /// The manager's host is disabled.
    Disabled,
    /// This Zeek, or how it is set up, can't be asked; why, as a lowercase sentence fragment.
    Never(String),
    /// Nothing tells which Zeek runs.
    NotDeployed,
    /// The manager is not running, as its host says.
    NotRunning,
    /// There is no way to the manager's host.
    Unreachable(Failure),
    /// The manager's host lets nobody through to the control port.
    Forbidden {
        host: String,
        /// What it said.
        failure: Failure,
    },
    /// The manager did not answer the hello.
    Refused(ControlError),
    /// The connection ended before all had answered.
    Ended(ControlError),
    /// Something else answered in their place.
    ForeignResponder(ForeignResponder),
}

impl fmt::Display for Unasked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoManager => f.write_str("there is no manager"),
            Self::Disabled => f.write_str("the manager's host is disabled"),
            Self::Never(why) => f.write_str(why),
            Self::NotDeployed => f.write_str("nothing is deployed on the manager's host"),
            Self::NotRunning => f.write_str("the manager is not running"),
            Self::Unreachable(failure) => f.write_str(&failure.text()),
            Self::Forbidden { host, failure } => write!(f, "{host}: {}", failure.text()),
            Self::Refused(error) | Self::Ended(error) => error.fmt(f),
            Self::ForeignResponder(stranger) => stranger.fmt(f),
        }
    }
}

impl Unasked {
    /// What to do about it, where that is known.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Forbidden { host, failure } => failure.hint(host),
            Self::Ended(ControlError::UnknownQuestion) => Some("`clusterctl deploy` brings one that does".to_owned()),
            _ => None,
        }
    }

    /// Takes, for a reason that says little, the one that the manager's host has. Without that, a connection that is
    /// refused looks as if nobody listened there.
    pub(crate) async fn because_of_the_host(self, fleet: &Fleet, manager: usize) -> Self {
        if !matches!(self, Self::Refused(_)) {
            return self;
        }
        let handle = fleet.handle(manager);
        match handle.connection.forbids(fleet.cluster.ports.control, fleet.settings.question).await {
            Some(failure) => Self::Forbidden { host: handle.name, failure },
            None => self,
        }
    }

    /// Takes, for what the connection said, the reason that the facts give, if they do.
    fn because_of_facts(self, cluster: &Cluster, facts: &Facts) -> Self {
        if !matches!(self, Self::Unreachable(_) | Self::Forbidden { .. } | Self::Refused(_)) {
            return self;
        }
        if let Some((version, _)) = running(cluster, facts)
            && let Live::None(why) = zeek::live(cluster, version)
        {
            return Self::Never(why);
        }
        match cluster.manager().and_then(|m| Some((m, facts.get(&m.host)?.as_ref().ok()?))) {
            Some((manager, observed)) if !runs(observed, &manager.name) => Self::NotRunning,
            _ => self,
        }
    }
}

impl<T> NodeAnswers<T> {
    fn none(why: Unasked) -> Self {
        Self { version: None, nodes: BTreeMap::new(), unasked: Some(why) }
    }

    /// The answer of a node.
    pub(crate) fn of(&self, node: &str) -> Option<&T> {
        self.nodes.get(node)?.as_ref().ok()
    }
}

/// Asks the nodes of a selection that run or might, while the facts of their hosts come in, which are returned as well.
/// Questions to the agent always include the manager: the pid in its answer shows whether the connection is ours.
pub(crate) async fn ask<Q: Question>(
    fleet: &Fleet,
    selection: &Selection,
    question: &Q,
) -> (Facts, NodeAnswers<Q::Answer>) {
    let cluster = &*fleet.cluster;
    let ask = async |facts: &Mutex<Facts>, news| {
        let asking = Asking { fleet, selection, question };
        match cluster.manager() {
            None => (NodeAnswers::none(Unasked::NoManager), None),
            Some(manager) => match asking.ask(manager, facts, news).await {
                Ok(asked) => asked,
                Err(why) => (NodeAnswers::none(why.because_of_the_host(fleet, manager.host).await), None),
            },
        }
    };
    let (facts, (mut asked, mut witness)) = gather(fleet, selection, ask).await;
    let ours = match (Q::ANSWERER, &mut witness) {
        (Answerer::Agent, _) => reject_foreign(cluster, &facts, &mut asked.nodes, Q::process),
        // The answer to another question tells whose they are.
        (Answerer::Controllee, Some(nodes)) => reject_foreign(cluster, &facts, nodes, StatusQuestion::process),
        (Answerer::Controllee, None) => Ok(false),
    };
    match ours {
        Ok(true) => {}
        // Where not one is known to be ours, what was said on that connection is nobody's.
        Ok(false) => {
            asked.version = None;
            for said in asked.nodes.values_mut().filter(|said| said.is_ok()) {
                *said = Err(NoAnswer::Silent);
            }
        }
        Err(stranger) => asked = NodeAnswers::none(Unasked::ForeignResponder(stranger)),
    }
    asked.unasked = asked.unasked.map(|why| why.because_of_facts(cluster, &facts));
    (facts, asked)
}

/// What the manager said to the agent's question, where the nodes' own answers do not tell whose they are.
type Witness = Option<BTreeMap<String, Result<NodeStatus, NoAnswer>>>;

/// A question on its way.
struct Asking<'a, Q> {
    fleet: &'a Fleet,
    selection: &'a Selection,
    question: &'a Q,
}

impl<Q: Question> Asking<'_, Q> {
    /// Asks while facts come in: connection and hello need none of them, whom to ask does.
    async fn ask(
        &self,
        manager: &Node,
        facts: &Mutex<Facts>,
        news: watch::Receiver<bool>,
    ) -> Result<(NodeAnswers<Q::Answer>, Witness), Unasked> {
        let cluster = &*self.fleet.cluster;
        may_be_asked(cluster, manager)?;
        let patience = cluster.timeouts.control;
        let stream = dial(self.fleet, manager, self.fleet.settings.question).await.map_err(Unasked::Unreachable)?;
        match Q::ANSWERER {
            Answerer::Agent => {
                let ready = Instant::now() + self.fleet.settings.question;
                let open = Conversation::open(stream, zeek::ANSWERS, self.question, ready).await;
                let conversation = open.map_err(Unasked::Refused)?;
                wait_for_facts(cluster, manager.host, facts, news).await;
                let (_, nodes, _) = self.whom(manager, facts)?;
                Ok((conversation.ask(&nodes, Instant::now() + patience).await.into(), None))
            }
            Answerer::Controllee => {
                wait_for_facts(cluster, manager.host, facts, news).await;
                let (topic, nodes, live) = self.whom(manager, facts)?;
                let witness = self.witness(manager, topic).await?;
                let asked = match live {
                    Live::OneAtATime => self.in_turn(manager, stream, nodes).await,
                    _ => at_once(stream, self.question, &nodes, Instant::now() + patience)
                        .await
                        .map_err(Unasked::Refused)?
                        .into(),
                };
                Ok((asked, witness))
            }
        }
    }

    /// Asks the manager's agent, over a connection of its own.
    async fn witness(&self, manager: &Node, topic: String) -> Result<Witness, Unasked> {
        let stream = dial(self.fleet, manager, self.fleet.settings.question).await.map_err(Unasked::Unreachable)?;
        let deadline = Instant::now() + self.fleet.cluster.timeouts.control;
        let whom = [(manager.name.clone(), topic)];
        let answers = at_once(stream, &StatusQuestion::unique(), &whom, deadline).await;
        Ok(answers.ok().map(|answers| answers.nodes))
    }

    /// Asks one node after another, each over a connection of its own, as answers do not name their node.
    async fn in_turn(&self, manager: &Node, first: Tunnel, nodes: Whom) -> NodeAnswers<Q::Answer> {
        let limit = Instant::now() + IN_TURN;
        let mut asked = NodeAnswers { version: None, nodes: BTreeMap::new(), unasked: None };
        let mut first = Some(first);
        for node in nodes {
            if Instant::now() >= limit {
                asked.nodes.insert(node.0, Err(NoAnswer::NoTurn));
                continue;
            }
            let stream = match first.take() {
                Some(stream) => Ok(stream),
                None => dial(self.fleet, manager, self.fleet.settings.question).await,
            };
            let answers = match stream {
                Ok(stream) => {
                    let deadline = Instant::now() + self.fleet.cluster.timeouts.control;
                    at_once(stream, self.question, &[node], deadline).await.map_err(Unasked::Refused)
                }
                Err(failure) => Err(Unasked::Unreachable(failure)),
            };
            match answers {
                Ok(answers) => {
                    asked.version.get_or_insert(answers.version);
                    asked.nodes.extend(answers.nodes);
                }
                Err(why) => {
                    asked.unasked = Some(why.because_of_the_host(self.fleet, manager.host).await);
                    break;
                }
            }
        }
        asked
    }

    /// Returns the manager's topic, the nodes to ask, with theirs, and how they can be asked.
    fn whom(&self, manager: &Node, facts: &Mutex<Facts>) -> Result<(String, Whom, Live), Unasked> {
        let cluster = &*self.fleet.cluster;
        let facts = facts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (version, backend) = running(cluster, &facts).ok_or(Unasked::NotDeployed)?;
        let live = zeek::live(cluster, version);
        if let Live::None(why) = live {
            return Err(Unasked::Never(why));
        }
        let topics = zeek::topics(cluster, version, backend);
        let its = topics.node(&manager.name);
        let nodes = self.selection.nodes(cluster).filter(|n| might_run(cluster, &facts, n));
        let mut nodes: Whom = nodes.map(|n| (n.name.clone(), topics.node(&n.name))).collect();
        match Q::ANSWERER {
            Answerer::Agent if nodes.iter().all(|(name, _)| *name != manager.name) => {
                nodes.push((manager.name.clone(), its.clone()));
            }
            Answerer::Agent => {}
            // Where all nodes have the manager's topic, only the manager can be asked.
            Answerer::Controllee => nodes.retain(|(name, topic)| *name == manager.name || *topic != its),
        }
        Ok((its, nodes, live))
    }
}

impl<T> From<Answers<T>> for NodeAnswers<T> {
    fn from(answers: Answers<T>) -> Self {
        Self { version: Some(answers.version), nodes: answers.nodes, unasked: answers.ended.map(Unasked::Ended) }
    }
}

/// Tells whether there is any use in connecting, as far as the description says.
///
/// # Errors
/// Why there is none.
pub(super) fn may_be_asked(cluster: &Cluster, manager: &Node) -> Result<(), Unasked> {
    if !cluster.host_of(manager).enabled {
        return Err(Unasked::Disabled);
    }
    match cluster.zeek.version.map(|version| zeek::live(cluster, version)) {
        Some(Live::None(why)) => Err(Unasked::Never(why)),
        _ => Ok(()),
    }
}

/// Opens a stream to the control port.
pub(super) async fn dial(fleet: &Fleet, manager: &Node, deadline: Duration) -> Result<Tunnel, Failure> {
    fleet.handle(manager.host).connection.dial(fleet.cluster.ports.control, deadline).await
}

/// Asks nodes that are known before.
async fn at_once<Q: Question>(
    stream: Tunnel,
    question: &Q,
    nodes: &[(String, String)],
    deadline: Instant,
) -> Result<Answers<Q::Answer>, ControlError> {
    let conversation = Conversation::open(stream, zeek::ANSWERS, question, deadline).await?;
    Ok(conversation.ask(nodes, deadline).await)
}

/// The same nodes, which are asked again and again by what waits for them and has not looked at their hosts.
pub(crate) struct Rounds<'a> {
    fleet: &'a Fleet,
    manager: &'a Node,
    nodes: Whom,
    /// The manager's process, once its host has told it.
    known: Option<u64>,
}

impl<'a> Rounds<'a> {
    /// Makes rounds to ask nodes that run in a version; none where there is nobody to ask, or no way to do it.
    pub(crate) fn new<'n>(
        fleet: &'a Fleet,
        version: Version,
        nodes: impl IntoIterator<Item = &'n Node>,
    ) -> Option<Self> {
        let cluster = &*fleet.cluster;
        let manager = cluster.manager()?;
        if matches!(zeek::live(cluster, version), Live::None(_)) {
            return None;
        }
        let topics = zeek::topics(cluster, version, zeek::backend(cluster, version));
        let nodes = nodes.into_iter().map(|n| (n.name.clone(), topics.node(&n.name))).collect();
        Some(Self { fleet, manager, nodes, known: None })
    }

    /// Asks them once: `reach` for the way to the manager, `answers` for hello and answers together.
    ///
    /// # Errors
    /// Where nobody could be asked, or the manager that answers is not this cluster's.
    pub(crate) async fn ask<Q: Question>(
        &mut self,
        question: &Q,
        reach: Duration,
        answers: Duration,
    ) -> Result<BTreeMap<String, Result<Q::Answer, NoAnswer>>, Unasked> {
        let stream = dial(self.fleet, self.manager, reach).await.map_err(Unasked::Unreachable)?;
        let asked = at_once(stream, question, &self.nodes, Instant::now() + answers).await;
        let nodes = asked.map_err(Unasked::Refused)?.nodes;
        if let Some(Ok(answer)) = nodes.get(&self.manager.name)
            && let Some(pid) = Q::process(answer)
        {
            verify_manager(self.fleet, self.manager, pid, &mut self.known).await.map_err(Unasked::ForeignResponder)?;
        }
        Ok(nodes)
    }
}
