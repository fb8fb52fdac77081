//! Settings that are given at several levels: environment, redefs, limits, scripts, arguments, AF_PACKET.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::model::{AfPacketValue, EnvValue, Limits, Redef, Tls};
use super::problems::Problems;
use crate::error::{Place, Problem};
use crate::spec::{AfPacketSpec, EnvSpec, LimitsSpec, OrderedMap, StringList, TlsSpec};
use crate::values::{Interval, is_zeek_identifier};

/// What Linux bounds `fs.nr_open` to, rounded (fs/file.c, `sysctl_nr_open_max`).
const NOFILE: u64 = 1 << 30;

/// Variables that clusterctl sets itself.
const OURS: [&str; 3] = ["CLUSTER_NODE", "CLUSTERCTL", "ZEEKPATH"];

/// Names that the scripts still use once they have set a node's environment (templates/node.sh, templates/check.sh).
const SCRIPTS: [&str; 16] = [
    "cpu", "deadline", "dir", "home", "inputs", "line", "me", "nice", "node", "parsing", "release", "restarts",
    "start", "value", "zeek", "zeekpath",
];

/// Names that some `sh` keeps for itself: a value given to them is refused, which ends the script, or is lost on the way
/// to the node (bash(1), dash(1)). `PATH`, `LD_LIBRARY_PATH`, `LD_PRELOAD`, `ENV`, `HOME` and `TZ` do arrive.
const SHELL: [&str; 24] = [
    "BASHOPTS",
    "BASHPID",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "IFS",
    "LINENO",
    "OLDPWD",
    "OPTARG",
    "OPTERR",
    "OPTIND",
    "PIPESTATUS",
    "PPID",
    "PWD",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SHLVL",
    "SRANDOM",
    "UID",
];

/// Tells whether shells treat a variable specially.
fn is_the_shells(name: &str) -> bool {
    name == "_" || name.starts_with("BASH_") || SHELL.contains(&name)
}

/// Checks the names and texts of an environment.
pub(super) fn check_env(env: &OrderedMap<EnvSpec>, place: &Place, problems: &mut Problems<'_>) {
    for (name, value) in env.iter() {
        let here = place.key(name);
        if SCRIPTS.contains(&name) {
            let message = format!("`{name}` is a variable of the script that starts nodes");
            problems.push(Problem::key(here, message, "can't be set here").help("write the name in capital letters"));
        } else if is_the_shells(name) {
            let message = format!("`{name}` is a variable of the shell itself: its value would not reach the node");
            problems.push(Problem::key(here, message, "can't be set here").help("choose another name"));
        } else if OURS.contains(&name) || name.starts_with("CLUSTERCTL_") {
            problems.push(Problem::key(here, format!("`{name}` is set by clusterctl"), "can't be set here"));
        } else if !is_variable(name) {
            problems.push(Problem::key(
                here,
                format!("`{name}` is not the name of a variable"),
                "letters, digits and `_`",
            ));
        } else if let EnvSpec::Variable(source) = value
            && !is_variable(source)
        {
            let message = format!("`{source}` is not the name of a variable");
            problems.push(Problem::value(here.key("env"), message, "letters, digits and `_`"));
        } else if let EnvSpec::Plain(text) | EnvSpec::File(text) = value
            && text.chars().any(char::is_control)
        {
            problems.push(Problem::value(here, format!("the value of `{name}` contains a control character"), ""));
        } else if *value == EnvSpec::File(String::new()) {
            problems.push(Problem::value(here.key("file"), "the name of the file is empty", ""));
        }
    }
}

pub(super) fn is_variable(name: &str) -> bool {
    is_zeek_identifier(name) && !name.contains(':')
}

/// Checks the identifiers of redefs.
pub(super) fn check_redefs(redefs: &OrderedMap<Redef>, place: &Place, problems: &mut Problems<'_>) {
    for (id, redef) in redefs.iter() {
        let here = place.key(id);
        if !is_zeek_identifier(id) {
            let problem = Problem::key(here, format!("`{id}` is not a Zeek identifier"), "not an identifier");
            problems.push(problem.help("write it with its module, such as `Pcap::bufsize`"));
        } else if matches!(id, "Cluster::nodes" | "Cluster::manager_is_logger" | "Cluster::node") {
            problems.push(Problem::key(here, format!("`{id}` follows from the nodes"), "can't be set here"));
        } else if matches!(redef, Redef::Expr(text) if text.trim().is_empty() || text.contains('\0')) {
            problems.push(Problem::value(here.key("expr"), "this is not a Zeek expression", "empty"));
        } else if matches!(redef, Redef::Add(values) if values.is_empty()) {
            problems.push(Problem::value(here.key("add"), "there is nothing to add", "empty"));
        }
    }
}

/// Checks texts that become arguments.
pub(super) fn check_texts(texts: &StringList, place: &Place, problems: &mut Problems<'_>) {
    for (index, text) in texts.0.iter().enumerate() {
        if text.is_empty() || text.chars().any(char::is_control) {
            let what = if text.is_empty() { "is empty" } else { "contains a control character" };
            problems.push(Problem::value(place.index(index), format!("this entry {what}"), ""));
        }
    }
}

/// Checks that an interval lies in a range; zero passes where it turns something off.
pub(super) fn check_interval(
    interval: Option<Interval>,
    (least, most, off): (Duration, Duration, bool),
    place: Place,
    problems: &mut Problems<'_>,
) {
    let Some(interval) = interval else { return };
    if (off && interval.0.is_zero()) || (least..=most).contains(&interval.0) {
        return;
    }
    let what = if interval.0 < least { "too short" } else { "too long" };
    let range = format!("{} to {}", Interval(least), Interval(most));
    let zero = if off { "; 0 turns it off" } else { "" };
    problems.push(Problem::value(place, format!("{interval} is {what} here: {range}{zero}"), what));
}

pub(super) fn check_limits(limits: &LimitsSpec, place: &Place, problems: &mut Problems<'_>) {
    if limits.nofile.is_some_and(|n| n < 64) {
        problems.push(Problem::value(place.key("nofile"), "Zeek can't run with so few open files", "at least 64"));
    }
    if limits.nofile.is_some_and(|n| n > NOFILE) {
        let message = format!("Linux gives a process at most {NOFILE} open files");
        problems.push(Problem::value(place.key("nofile"), message, "too many"));
    }
    if limits.memory.is_some_and(|size| size.0 < 1 << 20) {
        let problem = Problem::value(place.key("memory"), "Zeek can't run with so little memory", "less than 1 MiB");
        problems.push(problem.help("sizes have units, such as `8GiB`"));
    }
    if limits.nice.is_some_and(|nice| !(-20..=19).contains(&nice)) {
        problems.push(Problem::value(place.key("nice"), "niceness goes from -20 to 19", "out of range"));
    }
}

/// The environment of several levels, outermost first; the nearest wins.
pub(super) fn env<'a>(
    levels: impl IntoIterator<Item = &'a OrderedMap<EnvSpec>>,
    dir: &Path,
) -> BTreeMap<String, EnvValue> {
    levels.into_iter().flat_map(OrderedMap::iter).map(|(name, env)| (name.to_owned(), env_value(env, dir))).collect()
}

fn env_value(env: &EnvSpec, dir: &Path) -> EnvValue {
    match env {
        EnvSpec::Plain(text) => EnvValue::Plain(text.clone()),
        EnvSpec::File(path) => EnvValue::SecretFile(dir.join(path).to_string_lossy().into_owned()),
        EnvSpec::Variable(name) => EnvValue::SecretEnv(name.clone()),
    }
}

/// The certificates of Broker's nodes, where the description has all that belongs to them.
pub(super) fn tls(spec: &TlsSpec, dir: &Path, problems: &mut Problems<'_>) -> Option<Tls> {
    let place = Place::of(&["zeek", "tls"]);
    let mut file = |key: &str, path: Option<&String>| match path {
        None => {
            let problem = Problem::key(place.clone(), format!("`zeek.tls` needs `{key}`"), "incomplete");
            problems.missing(&place.key(key), problem.help("Broker needs an authority, a certificate and its key"));
            None
        }
        Some(path) if path.is_empty() || path.chars().any(char::is_control) => {
            problems.push(Problem::value(place.key(key), "this is not the name of a file", ""));
            None
        }
        Some(path) => Some(env_value(&EnvSpec::File(path.clone()), dir)),
    };
    let (ca, certificate) = (file("ca", spec.ca.as_ref()), file("certificate", spec.certificate.as_ref()));
    let mut secret = |key: &str, env: &EnvSpec| {
        if matches!(env, EnvSpec::Plain(_)) {
            let problem = Problem::value(place.key(key), "a secret must not be written in the description", "");
            problems.push(problem.help("write `{ file: PATH }`, or `{ env: NAME }` for a variable"));
            return None;
        }
        Some(env_value(env, dir))
    };
    let key = spec.key.as_ref().and_then(|env| secret("key", env));
    let passphrase = spec.passphrase.as_ref().map(|env| secret("passphrase", env));
    if spec.key.is_none() {
        let problem = Problem::key(place.clone(), "`zeek.tls` needs `key`", "incomplete");
        problems.missing(&place.key("key"), problem.help("write `{ file: PATH }`, or `{ env: NAME }` for a variable"));
    }
    if passphrase == Some(None) {
        return None;
    }
    Some(Tls { ca: ca?, certificate: certificate?, key: key?, passphrase: passphrase.flatten() })
}

/// The redefs of several levels, outermost first; the nearest wins.
pub(super) fn redefs<'a>(levels: impl IntoIterator<Item = &'a OrderedMap<Redef>>) -> BTreeMap<String, Redef> {
    levels.into_iter().flat_map(OrderedMap::iter).map(|(id, one)| (id.to_owned(), one.clone())).collect()
}

/// The limits of several levels, nearest first.
pub(super) fn limits(levels: &[&LimitsSpec]) -> Limits {
    Limits {
        nofile: levels.iter().find_map(|level| level.nofile),
        core: levels.iter().find_map(|level| level.core),
        memory: levels.iter().find_map(|level| level.memory).map(|size| size.0),
        nice: levels.iter().find_map(|level| level.nice),
    }
}

/// `AF_PACKET` options but the fanout id, of several levels, nearest first.
pub(super) fn af_packet(levels: &[&AfPacketSpec]) -> BTreeMap<String, AfPacketValue> {
    fn nearest<T>(levels: &[&AfPacketSpec], of: impl Fn(&AfPacketSpec) -> Option<T>) -> Option<T> {
        levels.iter().find_map(|level| of(level))
    }
    let count = |of: fn(&AfPacketSpec) -> Option<u64>| nearest(levels, of).map(AfPacketValue::Count);
    let bool = |of: fn(&AfPacketSpec) -> Option<bool>| nearest(levels, of).map(AfPacketValue::Bool);
    let word = |word: &str| AfPacketValue::Enum(format!("AF_Packet::{word}"));
    let options = [
        ("buffer_size", count(|a| a.buffer_size.map(|size| size.0))),
        ("block_size", count(|a| a.block_size.map(|size| size.0))),
        ("block_timeout", nearest(levels, |a| a.block_timeout).map(|i| AfPacketValue::Interval(i.0))),
        ("enable_hw_timestamping", bool(|a| a.enable_hw_timestamping)),
        ("enable_fanout", bool(|a| a.enable_fanout)),
        ("enable_defrag", bool(|a| a.enable_defrag)),
        ("fanout_mode", nearest(levels, |a| a.fanout_mode).map(|mode| word(mode.name()))),
        ("link_type", count(|a| a.link_type.map(u64::from))),
        ("checksum_validation_mode", nearest(levels, |a| a.checksum_validation_mode).map(|mode| word(mode.name()))),
    ];
    options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
