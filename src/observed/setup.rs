//! What a host has of all that a cluster needs: what it answers to `templates/doctor.sh`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use super::cpus::HostCpus;
use super::limits::{number, time};
use super::listener::Listener;
use super::malformed::{Malformed, account, fields, word_of};
use super::path_owners::Component;
use crate::values::is_secret_name;

/// What a host has of all that a cluster needs.
#[derive(Debug, Clone, Default)]
pub struct HostSetup {
    /// `/etc/machine-id`, or `-`.
    pub machine: String,
    pub boot: String,
    /// The host's clock, in seconds since 1970.
    pub epoch: i64,
    pub uid: u32,
    /// The name of the account, or the number where it has an odd one.
    pub user: String,
    pub cpus: HostCpus,
    /// Tools that it lacks, of those that every host needs.
    pub lacks: Vec<String>,
    /// What it has of what not every host needs: tools by their names, `archiver`, `systemd`, `usermanager`, capabilities
    /// that the manager of its units hands on.
    pub has: BTreeSet<String>,
    /// `missing`, `noexec`, or what `zeek --version` said.
    pub zeek: String,
    /// What getcap said of Zeek; none where it could not be asked.
    pub capabilities: Option<String>,
    /// Whether Zeek has the packet source; none where it did not say.
    pub af_packet: Option<bool>,
    /// The folders, by what they are for.
    pub folders: BTreeMap<String, FolderSetup>,
    /// The components of the paths of the folders and of Zeek.
    pub ways: Vec<Component>,
    /// What the file `format` of the cluster's folder says.
    pub format: Option<String>,
    /// Secrets that the current release needs and that can't be read.
    pub missing_secrets: Vec<String>,
    /// The first and the last port that the kernel gives to whoever asks for any; none where it does not say.
    pub ephemeral: Option<(u16, u16)>,
    /// What of these it does not give, from and to.
    pub reserved: Vec<(u16, u16)>,
    /// Whether the account's processes go on without a log-in.
    pub linger: bool,
    /// Whether logind ends processes of users who log out.
    pub kills: bool,
    /// The flags of each interface that there is; none of one that there is not.
    pub interfaces: BTreeMap<String, Option<u32>>,
    /// Who has ports that nodes are to have.
    pub listeners: Vec<Listener>,
    /// The addresses of its interfaces; none where they could not be read.
    pub addresses: BTreeSet<IpAddr>,
    /// What a node gets at most of what limits name, by runner and limit (`process`, `nofile`).
    pub at_most: BTreeMap<(String, String), u64>,
    /// Names of secrets in the current release that are none.
    pub odd_secrets: Vec<String>,
}

/// A folder, or what there is of the way to it.
#[derive(Debug, Clone, Default)]
pub struct FolderSetup {
    /// The part that exists.
    pub path: String,
    pub writable: bool,
    /// None where it could not be read.
    pub mode: Option<u32>,
    pub owner: Option<u32>,
    /// Size of its file system and what is free there, in KiB; none where df does not say.
    pub room: Option<(u64, u64)>,
}

impl FolderSetup {
    /// What is free there, in per cent.
    pub fn free_percent(&self) -> Option<u64> {
        let (size, free) = self.room?;
        Some(u64::try_from(u128::from(free) * 100 / u128::from(size.max(1))).unwrap_or(100))
    }
}

/// The most addresses of a host that are taken.
const MOST_ADDRESSES: usize = 10_000;

/// The words that every answer has, in the order in which they come.
const ALWAYS: [&str; 5] = ["host", "user", "cpus", "looked", "ports"];

/// Reads an address: the kernel writes one of IPv6 as 32 hex digits.
fn address_of(text: &str) -> Option<IpAddr> {
    let six = || u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32).map(Ipv6Addr::from_bits);
    text.parse().ok().or_else(|| six().map(IpAddr::from))
}

/// Reads `yes` or `no`.
fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(format!("{text:?} is neither yes nor no")),
    }
}

/// Reads what stands there, or nothing of `-`.
fn unless_unknown<T>(text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text == "-" { Ok(None) } else { read(text).map(Some) }
}

/// Reads ports as the kernel lists them: `1000-1010,2000`, or nothing.
fn ports(text: &str) -> Result<Vec<(u16, u16)>, String> {
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Ok((number(first)?, number(last)?))
    };
    text.split(',').filter(|part| !part.is_empty()).map(range).collect()
}

impl HostSetup {
    /// Reads the lines of a host's answer.
    ///
    /// # Errors
    /// Where one is not of the script's, or one is missing that is always there.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, Malformed> {
        let mut setup = Self::default();
        let mut said = [false; ALWAYS.len()];
        for line in lines {
            let line = line.as_ref();
            let (word, value) = word_of(line);
            if let Some(at) = ALWAYS.iter().position(|always| *always == word) {
                if said[at] || said[at + 1..].contains(&true) {
                    return Err(Malformed::line(line, "it is there twice, or comes too late"));
                }
                said[at] = true;
            } else if said[ALWAYS.len() - 1] {
                return Err(Malformed::unsaid(line));
            }
            let taken =
                setup.of_the_machine(word, value).and_then(|taken| Ok(taken || setup.of_the_cluster(word, value)?));
            if !taken.map_err(|why| Malformed::line(line, why))? {
                return Err(Malformed::unsaid(line));
            }
        }
        match ALWAYS.iter().zip(said).find(|(_, said)| !said) {
            Some((word, _)) => Err(Malformed::Missing(word)),
            None => Ok(setup),
        }
    }

    /// Takes what is said of the machine and the account.
    fn of_the_machine(&mut self, word: &str, value: &str) -> Result<bool, String> {
        match word {
            "host" => {
                let [machine, boot, epoch] = fields(value)?;
                (self.machine, self.boot) = (machine.to_owned(), boot.to_owned());
                self.epoch = time(epoch).ok_or("its clock is not a time")?;
            }
            "user" => {
                let [uid, name] = fields(value)?;
                self.uid = number(uid)?;
                self.user = account(self.uid, name);
            }
            "cpus" => self.cpus = HostCpus::parse(value)?,
            "lacks" if !value.is_empty() => self.lacks.push(value.to_owned()),
            "has" | "granted" if !value.is_empty() => drop(self.has.insert(value.to_owned())),
            "archiver" | "systemd" | "usermanager" if value.is_empty() => drop(self.has.insert(word.to_owned())),
            // The kernel has a tab between them.
            "ephemeral" if value.is_empty() => {}
            "ephemeral" => {
                let (first, last) = value.split_once('\t').ok_or("it has no two ports")?;
                self.ephemeral = Some((number(first)?, number(last)?));
            }
            "reserved" => self.reserved = ports(value)?,
            "logind" => {
                let [linger, kills] = fields(value)?;
                self.linger = unless_unknown(linger, yes)?.unwrap_or_default();
                // busctl's word for it, or that of logind's own files.
                self.kills =
                    kills == "b true" || matches!(kills.split_once('='), Some((_, "yes" | "true" | "on" | "1")));
            }
            "at_most" => {
                let [runner, limit, most] = fields(value)?;
                let most = if most == "unlimited" { u64::MAX } else { number(most)? };
                self.at_most.insert((runner.to_owned(), limit.to_owned()), most);
            }
            "interface" => {
                let [flags, name] = fields(value)?;
                let hex = |text: &str| {
                    let digits = text.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
                    digits.ok_or_else(|| format!("{text:?} are not flags"))
                };
                self.interfaces.insert(name.to_owned(), unless_unknown(flags, hex)?);
            }
            "address" => {
                let address = address_of(value).ok_or("it is not an address")?;
                if self.addresses.len() < MOST_ADDRESSES {
                    self.addresses.insert(address);
                }
            }
            "listens" => self.listeners.push(Listener::parse(value)?),
            "looked" => return Ok(value.is_empty()),
            "ports" => return Ok(value == "end"),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes what is said of Zeek, of the cluster's folders, and of what is in them.
    fn of_the_cluster(&mut self, word: &str, value: &str) -> Result<bool, String> {
        match word {
            "zeek" => value.clone_into(&mut self.zeek),
            "caps" => self.capabilities = (value != "?").then(|| value.to_owned()),
            "af_packet" => self.af_packet = Some(yes(value)?),
            "folder" => {
                let [what, writable, mode, owner, size, free, path] = fields(value)?;
                let octal = |text: &str| u32::from_str_radix(text, 8).map_err(|_| format!("{text:?} is not a mode"));
                let folder = FolderSetup {
                    path: path.to_owned(),
                    writable: yes(writable)?,
                    mode: unless_unknown(mode, octal)?,
                    owner: unless_unknown(owner, number)?,
                    room: unless_unknown(size, number)?.zip(unless_unknown(free, number)?),
                };
                self.folders.insert(what.to_owned(), folder);
            }
            "way" => self.ways.push(Component::parse(value).ok_or("these are not a mode, an owner and a path")?),
            // What follows is quoted from files.
            "lost" if is_secret_name(value) => self.missing_secrets.push(value.to_owned()),
            "lost" => self.odd_secrets.push(value.to_owned()),
            "format" => self.format = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Tells whether it has something of what not every host needs.
    pub fn has(&self, what: &str) -> bool {
        self.has.contains(what)
    }

    /// Tells whether the kernel may give a port to anybody.
    pub fn is_ephemeral(&self, port: u16) -> bool {
        let has = |range: &(u16, u16)| (range.0..=range.1).contains(&port);
        self.ephemeral.as_ref().is_some_and(has) && !self.reserved.iter().any(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer that has each line which the script says.
    const ALL: [&str; 30] = [
        "host 0123abcd boot-1 1795370070",
        "user 1000 zeek",
        "cpus 0-3 -",
        "lacks tar",
        "has taskset",
        "zeek zeek version 8.0.10",
        "caps ?",
        "af_packet no",
        "archiver",
        "folder base yes 755 1000 1000 70 /var/lib",
        "folder spool no - - - - /data of logs",
        "way base 41ed 0 /var",
        "format 1",
        "lost zeromq-curve-0123456789abcdef",
        "ephemeral 32768\t60999",
        "reserved 40000-40010,50000",
        "address 10.0.0.1",
        "address fe80000000000000c04511fffedc2ca8",
        "logind - b true",
        "systemd",
        "at_most process nofile 4096",
        "at_most kernel nofile unlimited",
        "usermanager",
        "granted CAP_NET_RAW",
        "interface 0x1003 eth1",
        "interface - eth2",
        "looked",
        "listens 0100007F:6C70 zeek 4711 nc",
        "listens 00000000:0016 root - -",
        "ports end",
    ];

    #[test]
    fn an_answer_is_read() {
        let setup = HostSetup::parse(&ALL).unwrap();
        assert_eq!((setup.machine.as_str(), setup.epoch, setup.user.as_str()), ("0123abcd", 1_795_370_070, "zeek"));
        assert_eq!((setup.folders["base"].free_percent(), setup.folders["spool"].free_percent()), (Some(7), None));
        assert!(setup.has("archiver") && setup.has("CAP_NET_RAW") && setup.kills && !setup.linger);
        let loose = [32767, 32768, 39999, 40000, 40010, 40011, 50000, 61000].map(|port| setup.is_ephemeral(port));
        assert_eq!(loose, [false, true, true, false, false, true, false, false]);
        assert_eq!(setup.interfaces, BTreeMap::from([("eth1".to_owned(), Some(0x1003)), ("eth2".to_owned(), None)]));
        assert_eq!((setup.listeners.len(), setup.addresses.len(), setup.missing_secrets.len()), (2, 2, 1));
        let nothing = ["ephemeral ", "reserved ", "logind yes -", "caps "];
        let least = [&ALL[..3], &nothing[..], &["looked", "ports end"]].concat();
        let setup = HostSetup::parse(&least).unwrap();
        assert!(setup.ephemeral.is_none() && setup.linger && setup.capabilities.as_deref() == Some(""));
    }

    #[test]
    fn an_answer_that_is_cut_off_is_none() {
        for end in 0..ALL.len() {
            assert!(matches!(HostSetup::parse(&ALL[..end]), Err(Malformed::Missing(_))), "{end}");
        }
    }

    #[test]
    fn a_line_that_is_malformed_is_named_and_nothing_is_a_zero_by_it() {
        for line in [
            "",
            "noise",
            "host 0123abcd boot-1 soon",
            "host 0123abcd boot-1",
            "host 0123abcd boot-1 9223372036854775807",
            "user zeek 1000",
            "user -1 zeek",
            "user 1000",
            "cpus 0-3",
            "cpus most -",
            "has",
            "lacks ",
            "archiver yes",
            "af_packet perhaps",
            "folder base perhaps 755 1000 1000 70 /var/lib",
            "folder base yes 9 1000 1000 70 /var/lib",
            "folder base yes 755 zeek 1000 70 /var/lib",
            "folder base yes 755 1000 x 70 /var/lib",
            "folder base yes 755 1000 1000 -70 /var/lib",
            "folder base yes 755 1000 70 /var/lib",
            "way base zz 0 /x",
            "ephemeral 32768 60999",
            "ephemeral 32768\tmany",
            "ephemeral 32768\t70000",
            "reserved 1-",
            "reserved all",
            "logind",
            "logind perhaps b true",
            "at_most process nofile",
            "at_most process nofile much",
            "at_most process nofile -1",
            "interface 4099 eth1",
            "interface 0x eth1",
            "interface 0x1003",
            "address 10.0.0",
            "address fe80",
            "listens 0100007F:6C70 zeek x nc",
            "looked away",
            "ports",
        ] {
            // In the place of the good line of that word, or before the end.
            let word = word_of(line).0;
            let at = ALL.iter().position(|good| word_of(good).0 == word).unwrap_or(4);
            let mut all = ALL.to_vec();
            all[at] = line;
            let Err(Malformed::Line(said)) = HostSetup::parse(&all) else { panic!("{line}") };
            assert!(said.starts_with(&format!("{line:?}: ")), "{said}");
        }
        for (at, line) in [(5, ALL[0]), (30, "lacks dd"), (1, "looked"), (30, "ports end")] {
            let mut all = ALL.to_vec();
            all.insert(at, line);
            assert!(matches!(HostSetup::parse(&all), Err(Malformed::Line(_))), "{at} {line}");
        }
    }

    #[test]
    fn what_is_quoted_from_files_is_wrong_by_itself() {
        let with = |line: &'static str| HostSetup::parse(&[&ALL[..3], &[line], &ALL[26..]].concat()).unwrap();
        assert_eq!(with("lost ../../etc/x").odd_secrets, ["../../etc/x"]);
        assert!(with("lost ../../etc/x").missing_secrets.is_empty());
        assert_eq!(with("format \u{1b}[2J").format.as_deref(), Some("\u{1b}[2J"));
    }
}
