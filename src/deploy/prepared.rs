//! All that a deploy knows before it changes anything.

use std::collections::{BTreeMap, BTreeSet};

use super::current_secrets::RollbackTarget;
use super::keys::{self, Keys};
use super::leaving::Leaving;
use super::options::{Excluded, Options};
use crate::cluster::Cluster;
use crate::fleet::HostHandle;
use crate::observed::{FullObserved, Observed, ObservedNode, RemovedHost, StoredRelease};
use crate::plan::{Action, Apart, Deployments, Plan, PossibleDuplicate};
use crate::release::Release;
use crate::values::Version;

/// All that a deploy knows before it changes anything.
pub struct Prepared {
    /// What it would do.
    pub plan: Plan,
    /// Zeek's version.
    pub version: Version,
    /// Things that the user should know first.
    pub notes: Vec<String>,
    pub(crate) release: Release,
    /// The release on the hosts that this one is made from, with its manifest on each host: the parts have only the files
    /// that differ from it.
    pub(crate) base: Option<(String, BTreeMap<usize, Vec<String>>)>,
    pub(crate) found: Vec<Option<FullObserved>>,
    /// What the release would be without keys and values of secrets, where that is asked for ([`Options::compared`]).
    pub(crate) unkeyed: Option<Release>,
    /// What the hosts keep to themselves.
    pub(crate) keys: Keys,
    pub(crate) leaving: Vec<(HostHandle, Observed)>,
    /// Those of them on which something runs or is meant to, and which therefore must not be forgotten.
    pub(crate) removed_hosts: Vec<RemovedHost>,
    /// Hosts that left the description and can't be asked, and why.
    pub(crate) unreachable_hosts: Vec<(RemovedHost, String)>,
    /// Nodes that may run on where nobody looks, and would run twice.
    pub(crate) unseen: Vec<PossibleDuplicate>,
    /// Hosts of the description that are left out, and why.
    pub(crate) excluded: BTreeMap<usize, Excluded>,
    /// How it is to be done.
    pub(crate) options: Options,
    /// What it leads to.
    pub(crate) goal: Goal,
}

/// What is known once all hosts of the cluster were observed, and the release is made or found.
pub(crate) struct Draft {
    pub(crate) version: Version,
    pub(crate) notes: Vec<String>,
    pub(crate) release: Release,
    pub(crate) base: Option<(String, BTreeMap<usize, Vec<String>>)>,
    pub(crate) found: Vec<Option<FullObserved>>,
    pub(crate) keys: Keys,
    pub(crate) excluded: BTreeMap<usize, Excluded>,
    pub(crate) options: Options,
    pub(crate) goal: Goal,
}

impl Draft {
    /// Plans, with the hosts that leave the cluster and what each release is that hosts have.
    pub(crate) fn plan(self, cluster: &Cluster, deployed: &Deployments, leaving: Leaving) -> Prepared {
        let Self { version, notes, release, base, found, keys, excluded, options, goal } = self;
        let mut plan = Plan::make(cluster, &found, &release, deployed);
        plan.new_keys = options.new_keys.any();
        leaving.plan(&mut plan);
        let Leaving { there: leaving, removed_hosts, unreachable_hosts, .. } = leaving;
        let away: BTreeSet<&str> = unreachable_hosts.iter().map(|(left, _)| left.name.as_str()).collect();
        let unseen = plan.find_possible_duplicates(cluster, &found, deployed, &away);
        if options.no_restart {
            plan.without_restarts();
        } else if options.max_unavailable.is_some() {
            plan.roll(cluster, &found, &release);
        }
        plan.apart = apart(cluster, &excluded);
        Prepared {
            plan,
            version,
            notes,
            release,
            base,
            found,
            unkeyed: None,
            keys,
            leaving,
            removed_hosts,
            unreachable_hosts,
            unseen,
            excluded,
            options,
            goal,
        }
    }
}

/// The hosts that take no part, and why.
fn apart(cluster: &Cluster, excluded: &BTreeMap<usize, Excluded>) -> Vec<Apart> {
    let hosts = cluster.hosts.iter().enumerate();
    hosts
        .filter_map(|(index, host)| {
            let why = match excluded.get(&index) {
                _ if !host.enabled => "is disabled".to_owned(),
                Some(Excluded::Skipped) => "was skipped".to_owned(),
                Some(Excluded::Failed(why)) => format!("could not be reached ({why})"),
                None => return None,
            };
            Some(Apart { host: host.name.clone(), why, disabled: !host.enabled })
        })
        .collect()
}

/// What an operation leads to.
#[derive(Debug, Clone)]
pub(crate) enum Goal {
    /// What the description says.
    Description,
    /// A release that lies on the hosts.
    Release(RollbackTarget),
    /// Hosts that were away to the release of the others: which; none: all that are behind.
    UpToDate(Option<BTreeSet<usize>>),
}

impl Prepared {
    /// Tells whether an operation on one of the hosts did not finish, or a host lacks the cluster's keys.
    pub fn is_unfinished(&self) -> bool {
        self.found.iter().flatten().any(|o| !o.journal.is_empty())
            || !keys::lacking(&self.keys, &self.found, &self.release).is_empty()
    }

    /// Tells whether hosts have records that a deploy has to write anew, whatever else there is to do: they are not what
    /// they should be, or remember hosts that nobody has to remember any more.
    pub fn is_outdated(&self) -> bool {
        let due: BTreeSet<&str> = self
            .unreachable_hosts
            .iter()
            .map(|(left, _)| left)
            .chain(&self.removed_hosts)
            .map(|l| l.name.as_str())
            .collect();
        self.found.iter().flatten().any(|o| {
            o.wrong.iter().any(|wrong| wrong.mended) || o.pending.iter().any(|left| !due.contains(left.name.as_str()))
        })
    }

    /// Nodes that it starts and that may run on where nobody looks.
    pub(crate) fn doubled(&self) -> impl Iterator<Item = &PossibleDuplicate> {
        let starts: BTreeSet<&str> =
            self.plan.nodes.iter().filter(|n| n.action == Action::Start).map(|n| n.node.as_str()).collect();
        self.unseen.iter().filter(move |one| starts.contains(one.node.as_str()))
    }

    /// Tells whether hosts are left out that were meant, so that nothing is known of them afterwards.
    pub fn has_excluded_hosts(&self) -> bool {
        !self.is_limited_to_named_hosts() && (!self.excluded.is_empty() || !self.unreachable_hosts.is_empty())
    }

    /// Tells whether only hosts that the user named are meant.
    pub(crate) fn is_limited_to_named_hosts(&self) -> bool {
        matches!(self.goal, Goal::UpToDate(Some(_)))
    }

    /// Tells whether somebody has altered files of a host's current release.
    pub(crate) fn is_altered(&self, host: usize) -> bool {
        let observed = self.found.get(host).and_then(Option::as_ref);
        observed.is_some_and(|o| !o.altered.files().is_empty())
    }

    /// Returns the release that is current on a host.
    pub(crate) fn current(&self, host: usize) -> Option<&str> {
        self.found.get(host)?.as_ref()?.current.as_deref()
    }

    /// Releases that may go from a host: all but the newest, the current one, and those that nodes run.
    pub(crate) fn obsolete(&self, host: usize, keep: usize) -> Vec<String> {
        let Some(observed) = &self.found[host] else { return Vec::new() };
        let mut used: BTreeSet<&str> = observed.nodes.values().filter_map(|n| n.release.as_deref()).collect();
        used.extend(observed.archiver.as_ref().and_then(|a| a.release.as_deref()));
        used.extend(observed.nodes.values().filter_map(ObservedNode::desired_release));
        used.extend(observed.current.as_deref());
        used.insert(&self.release.id);
        let mut kept: Vec<&StoredRelease> = observed.releases.iter().collect();
        kept.sort_by_key(|k| std::cmp::Reverse(k.time));
        // The new one is one of them.
        let old = kept.into_iter().filter(|k| k.id != self.release.id).skip(keep.saturating_sub(1));
        old.filter(|k| !used.contains(k.id.as_str())).map(|k| k.id.clone()).collect()
    }

    /// What stays to be done on hosts that left, for the file `pending` of each host; nothing on those that are `done`.
    /// Hosts that are behind are not listed: their `current` shows it.
    pub(crate) fn pending(&self, done: &BTreeSet<String>) -> Vec<String> {
        let lost = self.unreachable_hosts.iter().map(|(left, _)| left);
        lost.chain(self.removed_hosts.iter().filter(|left| !done.contains(left.name.as_str())))
            .map(RemovedHost::line)
            .collect()
    }

    /// Tells whether two plans do the same.
    pub(crate) fn same_effect(&self, other: &Self) -> bool {
        let actions = |p: &Self| -> BTreeSet<(String, String, &'static str)> {
            p.plan.actions().map(|n| (n.host.clone(), n.node.clone(), n.action.name())).collect()
        };
        let hosts = |p: &Self| -> BTreeSet<(String, Option<String>, usize)> {
            p.plan.hosts.iter().map(|h| (h.host.clone(), h.from.clone(), h.repairs.len())).collect()
        };
        self.release.id == other.release.id && actions(self) == actions(other) && hosts(self) == hosts(other)
    }
}
