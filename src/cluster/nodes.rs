//! Nodes on their way from the description to the cluster: the groups' members on their hosts, and their drafts.

use super::model::{Host, Role};
use super::problems::Problems;
use crate::error::Place;
use crate::spec::{self, GroupSpec, MemberSpec, Spec};

/// The longest interface, in bytes.
pub(super) const INTERFACE: usize = 255;

/// How many nodes a cluster may have.
pub(super) const MOST: u32 = 20_000;

/// The nodes of one group on one host.
pub(super) struct Member<'a> {
    pub(super) group: &'a str,
    pub(super) spec: &'a GroupSpec,
    /// What differs on this host.
    pub(super) own: Option<&'a MemberSpec>,
    pub(super) host: usize,
    pub(super) role: Role,
    pub(super) named_by: Naming,
    pub(super) group_place: Place,
    /// The entry of the host in the group, or else the group's.
    pub(super) place: Place,
    pub(super) count: u32,
    /// The index of the first node.
    pub(super) first: u32,
}

/// How nodes of a group get their names.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Naming {
    Exact,
    Index,
    HostAndIndex,
}

/// A node on its way.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) host: usize,
    pub(super) member: usize,
    pub(super) index: u32,
    /// Zero if there is none, which is a problem of its own.
    pub(super) port: u16,
    pub(super) metrics_port: Option<u16>,
    pub(super) interface: Option<String>,
    pub(super) cpu: Option<u32>,
}

pub(super) struct Nodes<'a> {
    pub(super) hosts: &'a [Host],
    pub(super) members: Vec<Member<'a>>,
    pub(super) drafts: Vec<Draft>,
}

impl<'a> Member<'a> {
    /// Returns the settings: what differs on the host, and the group's.
    fn levels(&self) -> impl Iterator<Item = &'a MemberSpec> {
        self.own.into_iter().chain([&self.spec.settings])
    }

    /// Returns a setting: the host's, or else the group's.
    pub(super) fn nearest<T: 'a>(&self, of: impl Fn(&'a MemberSpec) -> Option<T>) -> Option<T> {
        self.levels().find_map(of)
    }

    /// Returns where a setting of the nodes stands: at the host's entry, or else at the group's.
    pub(super) fn setting(&self, key: &str) -> Option<Place> {
        let is_set = |settings: &MemberSpec| match key {
            "port" => settings.port.is_some(),
            "metrics_port" => settings.metrics_port.is_some(),
            "interface" => settings.interface.is_some(),
            "pin_cpus" => settings.pin_cpus.is_some(),
            "first_index" => settings.first_index.is_some(),
            "count" => settings.count.is_some(),
            "af_packet" => settings.af_packet != spec::AfPacketSpec::default(),
            _ => false,
        };
        if self.own.is_some_and(is_set) {
            return Some(self.place.key(key));
        }
        is_set(&self.spec.settings).then(|| self.group_place.key(key))
    }

    /// Tells whether there are fewer CPUs than nodes.
    pub(super) fn shares_cpus(&self) -> bool {
        self.nearest(|settings| settings.pin_cpus.as_ref()).is_some_and(|cpus| cpus.len() < self.count as usize)
    }

    /// Returns how long the interface is that each node has its own copy of.
    pub(super) fn interface_bytes(&self) -> usize {
        // One that is too long is given to none.
        self.interface().map(str::len).filter(|bytes| *bytes <= INTERFACE).unwrap_or_default()
    }

    pub(super) fn interface(&self) -> Option<&'a str> {
        self.nearest(|settings| settings.interface.as_deref())
    }

    /// Tells whether a setting could not be read, here or in the group.
    pub(super) fn is_broken(&self, key: &str, problems: &Problems<'_>) -> bool {
        problems.is_broken(&self.place.key(key)) || problems.is_broken(&self.group_place.key(key))
    }

    /// Tells whether the indices of its nodes could not be read, and are those that there would be without them.
    pub(super) fn has_unread_indices(&self, problems: &Problems<'_>) -> bool {
        self.is_broken("first_index", problems) || self.is_broken("count", problems)
    }

    pub(super) fn name(&self, host: &Host, index: u32) -> String {
        match self.named_by {
            Naming::Exact => self.group.to_owned(),
            Naming::Index => format!("{}-{index}", self.group),
            Naming::HostAndIndex => format!("{}-{}-{index}", self.group, host.name),
        }
    }
}

impl Nodes<'_> {
    /// Returns how many nodes there are to be.
    pub(super) fn count(&self) -> u64 {
        self.members.iter().map(|member| u64::from(member.count)).sum()
    }

    /// Returns the environment of the host of a member.
    pub(super) fn env_of_host<'a>(
        &self,
        spec: &'a Spec,
        member: &Member<'_>,
    ) -> Option<&'a spec::OrderedMap<spec::EnvSpec>> {
        let name = &self.hosts[member.host].name;
        spec.hosts.iter().find(|(host, _)| host == name).map(|(_, host)| &host.env)
    }
}
