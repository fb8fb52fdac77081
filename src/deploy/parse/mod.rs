//! Parsing staged scripts with the real Zeek, once for each distinct role, binary and set of scripts.

mod findings;
mod names;
mod streams;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::prepared::Prepared;
use crate::error::Error;
use crate::fleet::{Fleet, HostHandle};
use crate::observed::Exit;
use crate::release::Release;
use crate::scripts;
use crate::transport::RemoteScript;
use findings::{CheckFinding, Findings, classes};
use names::Names;

pub use findings::Finding;

pub(crate) use names::in_own_names;

/// How long one Zeek may take to parse; a busy machine with ZeroMQ took 13 s.
const PARSE: Duration = Duration::from_secs(90);

/// What a check found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CheckReport {
    /// The release that was checked.
    pub release: String,
    /// The nodes for which Zeek has parsed the scripts.
    pub checked: Vec<CheckedNode>,
    /// What Zeek did not accept.
    pub errors: Vec<Finding>,
    /// What Zeek or clusterctl warns of.
    pub warnings: Vec<Finding>,
    /// What could not be checked, since Zeek itself crashed: no verdict on the scripts.
    pub unchecked: Vec<Finding>,
}

/// A node for which Zeek has parsed the scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedNode {
    /// Its name.
    pub node: String,
    pub host: String,
    /// The nodes that it stands for, since their scripts read alike; itself included.
    pub nodes: Vec<String>,
}

/// Lets Zeek parse a staged release, once for each role, binary and set of scripts.
pub(crate) async fn parse(
    fleet: &Fleet,
    prepared: &Prepared,
    present: impl Fn(usize) -> bool,
    remove: bool,
) -> Result<CheckReport, Error> {
    let (cluster, release) = (&*fleet.cluster, &prepared.release);
    let classes = classes(cluster, |host| {
        release.part(host).filter(|_| present(host))?;
        // Hosts with another build of the same version may read scripts in another way.
        Some(prepared.found.get(host)?.as_ref()?.binary.as_ref()?.size)
    });
    let mut by_host: BTreeMap<usize, Vec<&[usize]>> = BTreeMap::new();
    for class in &classes {
        let Some(node) = class.first().and_then(|first| cluster.nodes.get(*first)) else { continue };
        by_host.entry(node.host).or_default().push(class);
    }
    if remove {
        // Every host that has the release is visited, since it has to be taken away there.
        for part in &release.parts {
            by_host.entry(part.host).or_default();
        }
    }
    let handles = fleet.handles(by_host.keys().copied());
    let by_host = &by_host;
    let answers = fleet
        .each("checking with Zeek", handles, |handle| async move {
            let classes = handle.index.and_then(|i| by_host.get(&i)).map_or(&[][..], Vec::as_slice);
            let nodes: Vec<&str> =
                classes.iter().filter_map(|c| Some(cluster.nodes.get(*c.first()?)?.name.as_str())).collect();
            on_host(&handle, release, &nodes, remove).await
        })
        .await;
    let names = Names::new(cluster, release);
    let (mut errors, mut warnings, mut unchecked) = (Findings::default(), Findings::default(), Findings::default());
    let mut checked = Vec::new();
    for (handle, answer) in answers {
        let folder = format!("{}/releases/{}", handle.folders.home, release.id);
        for mut words in answer? {
            let Some(class) = classes.iter().find(|c| cluster.nodes[c[0]].name == words.node) else { continue };
            let node = &cluster.nodes[class[0]];
            let nodes = class.iter().map(|i| cluster.nodes[*i].name.clone()).collect();
            checked.push((class[0], CheckedNode { node: words.node.clone(), host: handle.name.clone(), nodes }));
            for line in &words.warnings {
                warnings.add(names.read(node, &folder, line), class);
            }
            if words.crash().is_some() {
                words.errors.retain(|line| !SHELLS.iter().any(|said| line.starts_with(said)));
            }
            let found = prepared.found.get(node.host).and_then(Option::as_ref);
            let version = found.and_then(|o| o.version.rsplit(' ').next()).unwrap_or_default();
            let zeek = format!("Zeek {version} on {}", handle.name);
            match (words.crash(), &words.crashed) {
                (Some(signal), _) if !words.errors.iter().any(|line| is_of_scripts(line)) => {
                    let last = words.errors.last().map(|line| format!("; it wrote: {line}")).unwrap_or_default();
                    let message = format!(
                        "{zeek} crashed twice ({signal}) while it parsed the scripts of a {}: they could not be \
                         checked{last}",
                        node.role.name()
                    );
                    unchecked.add(CheckFinding { message, ..CheckFinding::default() }, class);
                    continue;
                }
                (None, Some(signal)) => {
                    let message = format!(
                        "{zeek} crashed ({signal}) while it parsed the scripts of a {}, but not when tried again",
                        node.role.name()
                    );
                    warnings.add(CheckFinding { message, ..CheckFinding::default() }, class);
                }
                _ => {}
            }
            let Some(end) = words.end() else { continue };
            for line in &words.errors {
                errors.add(names.read(node, &folder, line), class);
            }
            if words.errors.is_empty() {
                errors.add(CheckFinding { message: end, ..CheckFinding::default() }, class);
            }
        }
    }
    if let Some(part) = release.parts.first() {
        streams::unknown(cluster, &part.files, &names, &mut warnings);
    }
    checked.sort_by_key(|(index, _)| *index);
    Ok(CheckReport {
        release: release.id.clone(),
        checked: checked.into_iter().map(|(_, checked)| checked).collect(),
        errors: errors.into_list(cluster),
        warnings: warnings.into_list(cluster),
        unchecked: unchecked.into_list(cluster),
    })
}

/// What Zeek said for one node.
#[derive(Debug, Default)]
struct ParseOutput {
    node: String,
    /// Its exit status, or `late` if it had no turn.
    code: String,
    /// What Zeek died of when it was tried first.
    crashed: Option<String>,
    errors: Vec<String>,
    warnings: Vec<String>,
}

/// How shells, and timeout(1), tell of a signal.
const SHELLS: [&str; 8] = [
    "Segmentation fault",
    "Aborted",
    "Illegal instruction",
    "Trace/breakpoint trap",
    "Bus error",
    "Floating point exception",
    "Bad system call",
    "timeout: ",
];

/// Tells whether a line is Zeek's word about scripts, and not about itself or of a library.
fn is_of_scripts(line: &str) -> bool {
    ["error in ", "error: ", "fatal error in ", "fatal error: "].iter().any(|begin| line.starts_with(begin))
}

/// The signal of a crash, by a shell's exit status, as templates/check.sh tells it from other ends.
fn signal(code: &str) -> Option<String> {
    let status = code.parse().ok().filter(|code| matches!(code, 131..=136 | 139 | 159))?;
    Some(Exit { status: Some(status), ..Exit::default() }.text())
}

impl ParseOutput {
    /// The signal that Zeek died of each time.
    fn crash(&self) -> Option<String> {
        signal(&self.code)
    }

    /// Says how a Zeek that did not accept the scripts ended.
    fn end(&self) -> Option<String> {
        match self.code.as_str() {
            "0" => None,
            "124" | "137" => Some(format!("Zeek did not finish within {} s", PARSE.as_secs())),
            "late" => Some("there was no time left for Zeek: the host is busy".to_owned()),
            code => Some(format!("Zeek ended with {code} and no message")),
        }
    }
}

async fn on_host(
    handle: &HostHandle,
    release: &Release,
    nodes: &[&str],
    remove: bool,
) -> Result<Vec<ParseOutput>, Error> {
    let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    // One Zeek takes 1 to 5 s, and some run at the same time.
    let all = PARSE + Duration::from_secs(15).saturating_mul(count).min(Duration::from_secs(510));
    let input: String = nodes.iter().map(|n| format!("{n}\n")).collect();
    let call = RemoteScript::new(scripts::CHECK, all + Duration::from_secs(60))
        .arg(&handle.folders.home)
        .arg(&release.id)
        .arg(PARSE.as_secs().to_string())
        .arg(all.as_secs().to_string())
        .arg(if remove { "remove" } else { "keep" })
        .input(input);
    let failed = |why: String| Error::failed(format!("cannot check the scripts on {}", handle.name)).because(why);
    let reply = handle.connection.run(call).await.map_err(|f| failed(f.text()))?;
    let mut said: Vec<ParseOutput> = Vec::new();
    for line in &reply.lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, said.last_mut()) {
            ("checked", _) => {
                let (node, code) = rest.split_once(' ').unwrap_or((rest, "-"));
                said.push(ParseOutput { node: node.to_owned(), code: code.to_owned(), ..ParseOutput::default() });
            }
            ("crashed", Some(words)) => words.crashed = signal(rest),
            ("error", Some(words)) => words.errors.push(rest.to_owned()),
            ("warning", Some(words)) => words.warnings.push(rest.to_owned()),
            ("fail", _) => return Err(failed(rest.to_owned())),
            _ => {}
        }
    }
    if said.len() < nodes.len() {
        return Err(failed(reply.stderr.lines().last().unwrap_or("the reply is incomplete").to_owned()));
    }
    Ok(said)
}
