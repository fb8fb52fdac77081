//! Parsing staged scripts with the real Zeek, once for each distinct role, binary and set of scripts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::Failure;
use super::fleet::{Fleet, Seat};
use super::lock::{Locks, Operation};
use super::prepare::prepare;
use super::stage::stage;
use crate::cluster::Node;
use crate::error::Error;
use crate::release::Release;
use crate::transport::Call;

const CHECK: &str = concat!(include_str!("../../templates/say.sh"), include_str!("../../templates/check.sh"));

/// How long one Zeek may take to parse; a busy machine with ZeroMQ took 13 s.
const PARSE: Duration = Duration::from_secs(90);

/// What a check found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CheckReport {
    /// The release that was checked.
    pub release: String,
    /// The nodes for which Zeek has parsed the scripts, each standing for those alike, with its host.
    pub checked: Vec<(String, String)>,
    /// What Zeek did not accept: node, host, and its words with the user's own file names.
    pub errors: Vec<(String, String, Vec<String>)>,
}

/// Stages what the description says, lets the real Zeek parse it, and takes it away again.
///
/// # Errors
/// Where a host can't be asked. Scripts that do not parse are in the report.
pub async fn check(fleet: &Fleet) -> Result<CheckReport, Failure> {
    let prepared = prepare(fleet).await?;
    let seats = fleet.seats(prepared.release.parts.iter().map(|p| p.host));
    // What is staged for a look is taken away again, which must not meet a deploy of the same.
    let locks = Locks::take(fleet, &seats, &Operation::new("check")).await?;
    let report = match stage(fleet, &prepared).await {
        Ok(()) => parse(fleet, &prepared.release, true).await,
        Err(error) => Err(error),
    };
    locks.release(false).await;
    Ok(report?)
}

/// Lets Zeek parse a staged release.
pub(super) async fn parse(fleet: &Fleet, release: &Release, remove: bool) -> Result<CheckReport, Error> {
    // What parsing depends on; values of redefs and variables too, since they can be wrong by themselves.
    let mut classes: BTreeMap<String, &Node> = BTreeMap::new();
    for node in fleet.cluster.run_nodes() {
        if release.part(node.host).is_none() {
            continue;
        }
        let key = format!(
            "{:?} {} {:?} {:?} {:?} {:?} {}",
            node.role,
            fleet.cluster.host_of(node).prefix,
            node.scripts,
            node.args,
            node.redefs,
            node.env,
            node.af_packet.is_some()
        );
        classes.entry(key).or_insert(node);
    }
    let mut by_host: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for node in classes.values() {
        by_host.entry(node.host).or_default().push(node.name.clone());
    }
    if remove {
        // Every host that has the release is visited, since it has to be taken away there.
        for part in &release.parts {
            by_host.entry(part.host).or_default();
        }
    }
    let seats = fleet.seats(by_host.keys().copied());
    let by_host = &by_host;
    let answers = fleet
        .each("checking with Zeek", seats, |seat| async move {
            let nodes = seat.index.and_then(|i| by_host.get(&i)).cloned().unwrap_or_default();
            let answer = on_host(&seat, release, &nodes, remove).await;
            let failure = answer.as_ref().err().map(ToString::to_string);
            (answer, failure)
        })
        .await;
    let mut report = CheckReport { release: release.id.clone(), ..CheckReport::default() };
    for (seat, answer) in answers {
        for (node, lines) in answer? {
            if lines.is_empty() {
                report.checked.push((node, seat.name.clone()));
            } else {
                report.errors.push((node, seat.name.clone(), lines));
            }
        }
    }
    Ok(report)
}

async fn on_host(
    seat: &Seat,
    release: &Release,
    nodes: &[String],
    remove: bool,
) -> Result<Vec<(String, Vec<String>)>, Error> {
    let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let input: String = nodes.iter().map(|n| format!("{n}\n")).collect();
    let call = Call::new(CHECK, PARSE * count + Duration::from_secs(60))
        .arg(&seat.folders.home)
        .arg(&release.id)
        .arg(PARSE.as_secs().to_string())
        .arg(if remove { "remove" } else { "keep" })
        .input(input);
    let failed = |why: String| Error::failed(format!("the check could not be done on {}", seat.name)).because(why);
    let reply = seat.connection.run(call).await.map_err(|f| failed(f.text()))?;
    let mut checked: Vec<(String, Vec<String>)> = Vec::new();
    for line in &reply.lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "checked" => {
                let (node, code) = rest.split_once(' ').unwrap_or((rest, "0"));
                let lines = match code {
                    "0" => Vec::new(),
                    "124" => vec![format!("Zeek did not come to an end within {} s", PARSE.as_secs())],
                    code => vec![format!("Zeek ended with {code}")],
                };
                checked.push((node.to_owned(), lines));
            }
            "error" => {
                if let Some((_, lines)) = checked.last_mut() {
                    lines.push(own_names(rest, &format!("{}/releases/{}/", seat.folders.home, release.id)));
                }
            }
            "fail" => return Err(failed(rest.to_owned())),
            _ => {}
        }
    }
    if checked.len() < nodes.len() {
        return Err(failed(reply.stderr.lines().last().unwrap_or("the answer is not whole").to_owned()));
    }
    for (_, lines) in &mut checked {
        if lines.len() > 1 {
            // What Zeek said says more than its exit status.
            lines.remove(0);
        }
    }
    Ok(checked)
}

/// Puts the user's own file names in the place of a release's: `site/local.zeek:12`.
fn own_names(line: &str, release: &str) -> String {
    let line = line.replace(&format!("{release}./"), release).replace(release, "");
    // Zeek writes `error in FILE, line N: ...` or `FILE, lines N-M`.
    match line.split_once(", line ") {
        Some((before, after)) => {
            let number: String = after.chars().take_while(char::is_ascii_digit).collect();
            let rest = &after[number.len()..];
            format!("{before}:{number}{rest}")
        }
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::own_names;

    #[test]
    fn errors_name_the_users_files() {
        let release = "/var/lib/clusterctl/campus/releases/abc/";
        let line = format!("error in {release}site/local.zeek, line 12: syntax error, at or near \"foo\"");
        assert_eq!(own_names(&line, release), "error in site/local.zeek:12: syntax error, at or near \"foo\"");
    }
}
