//! What a host answered to `templates/doctor.sh`. Other people's bytes: never taken for more than text and numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use crate::nodes::Listener;
use crate::observed::Component;
use crate::observed::HostCpus;
use crate::transport::Failure;
use crate::values::{is_account_name, is_secret_name};

/// What is known of a host.
#[derive(Debug, Clone, Default)]
pub(crate) struct DoctorFacts {
    pub(crate) machine: String,
    pub(crate) boot: String,
    /// By how many seconds its clock is ahead of ours, as far as that is certain.
    pub(crate) ahead: i64,
    pub(crate) uid: Option<u32>,
    pub(crate) user: String,
    pub(crate) cpus: HostCpus,
    /// Tools that it lacks, of those that every host needs.
    pub(crate) lacks: Vec<String>,
    /// What it has of what not every host needs: tools by their names, `archiver`, `systemd`, `usermanager`.
    pub(crate) has: BTreeSet<String>,
    /// `missing`, `noexec`, or what `zeek --version` said.
    pub(crate) zeek: String,
    /// What getcap said of Zeek; none where it could not be asked.
    pub(crate) capabilities: Option<String>,
    /// Whether Zeek has the packet source; none where it did not say.
    pub(crate) af_packet: Option<bool>,
    /// The folders, by what they are for.
    pub(crate) folders: BTreeMap<String, FolderFacts>,
    /// The components of the paths of the folders and of Zeek.
    pub(crate) ways: Vec<Component>,
    pub(crate) format: Option<String>,
    /// Secrets that the current release needs and that can't be read.
    pub(crate) missing_secrets: Vec<String>,
    /// The first and the last port that the kernel gives to whoever asks for any.
    pub(crate) ephemeral: Option<(u16, u16)>,
    /// What of these it does not give: `1000-1010,2000`.
    pub(crate) reserved: String,
    pub(crate) linger: bool,
    /// Whether logind ends processes of users who log out.
    pub(crate) kills: bool,
    /// Why there is no room for as many sessions as are needed.
    pub(crate) sessions: Option<Failure>,
    /// Why the control port can't be dialed.
    pub(crate) forbids: Option<Failure>,
    /// The flags of each interface that there is; none of one that there is not.
    pub(crate) interfaces: BTreeMap<String, Option<u32>>,
    pub(crate) listeners: Vec<Listener>,
    /// The addresses of its interfaces; none where they could not be read.
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// What a node gets at most of what limits name, by runner and limit (`process`, `nofile`).
    pub(crate) at_most: BTreeMap<(String, String), u64>,
    /// Whether the script came to its end.
    pub(crate) complete: bool,
}

/// A folder, or what there is of the way to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FolderFacts {
    /// The part that exists.
    pub(crate) path: String,
    pub(crate) writable: bool,
    pub(crate) mode: Option<u32>,
    pub(crate) owner: Option<u32>,
    /// In KiB.
    pub(crate) free: Option<u64>,
}

/// The most addresses of a host that are taken.
const MOST_ADDRESSES: usize = 10_000;

/// Reads an address: the kernel writes one of IPv6 as 32 hex digits.
fn address_of(text: &str) -> Option<IpAddr> {
    let six = || u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32).map(Ipv6Addr::from_bits);
    text.parse().ok().or_else(|| six().map(IpAddr::from))
}

impl DoctorFacts {
    /// Reads the lines of an answer that came between two points in time, in seconds since 1970.
    pub(crate) fn parse(lines: &[String], (before, after): (i64, i64)) -> Self {
        let mut facts = Self::default();
        for line in lines {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let mut parts = rest.split_whitespace();
            let mut next = || parts.next().unwrap_or_default();
            match word {
                "host" => {
                    next().clone_into(&mut facts.machine);
                    next().clone_into(&mut facts.boot);
                    if let Ok(clock) = next().parse::<i64>() {
                        facts.ahead = clock.saturating_sub(clock.clamp(before, after));
                    }
                }
                "user" => {
                    facts.uid = next().parse().ok();
                    let name = next();
                    // It stands in commands for root; its number says as much where it has an odd name.
                    facts.user = match facts.uid {
                        Some(uid) if !is_account_name(name) => uid.to_string(),
                        None if !is_account_name(name) => String::new(),
                        _ => name.to_owned(),
                    };
                }
                "cpus" => facts.cpus = HostCpus::parse(rest).unwrap_or_default(),
                "lacks" => facts.lacks.push(rest.to_owned()),
                "has" | "granted" => drop(facts.has.insert(rest.to_owned())),
                "zeek" => rest.clone_into(&mut facts.zeek),
                "caps" => facts.capabilities = (rest != "?").then(|| rest.to_owned()),
                "af_packet" => facts.af_packet = Some(rest == "yes"),
                "folder" => {
                    if let [what, writable, mode, owner, free, path] =
                        rest.splitn(6, ' ').collect::<Vec<_>>().as_slice()
                    {
                        let folder = FolderFacts {
                            path: (*path).to_owned(),
                            writable: *writable == "yes",
                            mode: u32::from_str_radix(mode, 8).ok(),
                            owner: owner.parse().ok(),
                            free: free.parse().ok(),
                        };
                        facts.folders.insert((*what).to_owned(), folder);
                    }
                }
                "way" => facts.ways.extend(Component::parse(rest)),
                "lost" if is_secret_name(rest) => facts.missing_secrets.push(rest.to_owned()),
                "format" => facts.format = Some(rest.to_owned()),
                "ephemeral" => {
                    facts.ephemeral = next().parse().ok().and_then(|first| Some((first, next().parse().ok()?)));
                }
                "reserved" => rest.clone_into(&mut facts.reserved),
                "logind" => {
                    facts.linger = next() == "yes";
                    facts.kills = rest.ends_with(" true") || rest.ends_with("=yes") || rest.ends_with("=true");
                }
                "at_most" => {
                    let (runner, limit) = (next().to_owned(), next().to_owned());
                    let most = match next() {
                        "unlimited" => Some(u64::MAX),
                        number => number.parse().ok(),
                    };
                    if let Some(most) = most {
                        facts.at_most.insert((runner, limit), most);
                    }
                }
                "archiver" | "systemd" | "usermanager" => drop(facts.has.insert(word.to_owned())),
                "interface" => {
                    if let Some((flags, name)) = rest.split_once(' ') {
                        let flags = flags.strip_prefix("0x").and_then(|f| u32::from_str_radix(f, 16).ok());
                        facts.interfaces.insert(name.to_owned(), flags);
                    }
                }
                "address" if facts.addresses.len() < MOST_ADDRESSES => facts.addresses.extend(address_of(rest)),
                "listens" => facts.listeners.extend(Listener::parse(rest)),
                "ports" => facts.complete = true,
                _ => {}
            }
        }
        facts
    }

    /// Tells whether it has something of what not every host needs.
    pub(crate) fn has(&self, what: &str) -> bool {
        self.has.contains(what)
    }

    /// Tells whether the kernel may give a port to anybody.
    pub(crate) fn is_ephemeral(&self, port: u16) -> bool {
        let inside = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            matches!((first.trim().parse::<u16>(), last.trim().parse::<u16>()), (Ok(a), Ok(b)) if (a..=b).contains(&port))
        };
        self.ephemeral.is_some_and(|(first, last)| (first..=last).contains(&port))
            && !self.reserved.split(',').any(inside)
    }
}
