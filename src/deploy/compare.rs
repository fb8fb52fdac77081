//! Reads the texts of changed files from hosts, so that a plan can show the lines that change: one bounded call for each
//! host that is needed, and each content once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;

use super::prepared::Prepared;
use crate::fleet::{Fleet, HostHandle};
use crate::plan::RemoteText;
use crate::release::digest;
use crate::scripts;
use crate::transport::{RemoteScript, ScriptOutput};

/// The most bytes that are read for one plan; one file gives at most what the plan has use for.
const MOST: usize = 16 << 20;

/// Fills in the differences of texts. What can't be read is told in the plan, and no reason to stop.
pub async fn compare(fleet: &Fleet, prepared: &mut Prepared) {
    // The same content is asked for once, and of a host that is asked anyway.
    let mut asked: BTreeMap<usize, Vec<Question>> = BTreeMap::new();
    let mut known: HashSet<&str> = HashSet::new();
    let to = prepared.base.as_ref().map_or(&prepared.release.id, |(id, _)| id);
    for file in &prepared.plan.files {
        let before = file.before().map(|b| (b.digest.as_str(), b.path.as_str(), b.hosts.clone()));
        let after = file.after().map(|a| {
            let hosts: Vec<(usize, String)> = a.hosts.iter().map(|host| (*host, to.clone())).collect();
            (a.digest.as_str(), a.path.as_str(), hosts)
        });
        for (digest, path, hosts) in before.into_iter().chain(after) {
            if !known.insert(digest) {
                continue;
            }
            if let Some((host, release)) =
                hosts.iter().find(|(host, _)| asked.contains_key(host)).or_else(|| hosts.first())
            {
                asked.entry(*host).or_default().push(Question {
                    release: release.clone(),
                    most: file.most_bytes(),
                    digest: digest.to_owned(),
                    path: path.to_owned(),
                });
            }
        }
    }
    if asked.is_empty() {
        return;
    }
    let most = MOST / asked.len();
    let handles = fleet.handles(asked.keys().copied());
    let asked = &asked;
    let answers = fleet
        .each("comparing", handles, |handle| async move {
            let questions = handle.index.and_then(|i| asked.get(&i)).map(Vec::as_slice).unwrap_or_default();
            Ok::<_, Infallible>(ask(fleet, &handle, questions, most).await)
        })
        .await;
    let texts: HashMap<String, RemoteText> =
        answers.into_iter().filter_map(|(_, texts)| texts.ok()).flatten().collect();
    for file in &mut prepared.plan.files {
        let old = file.before().and_then(|before| texts.get(&before.digest));
        let new = file.after().and_then(|after| texts.get(&after.digest));
        if let Some(old) = old {
            file.compare(old, new);
        }
    }
}

/// What is asked of one file.
struct Question {
    release: String,
    most: u64,
    digest: String,
    path: String,
}

/// Asks one host; returns what came of each question, by digest.
async fn ask(fleet: &Fleet, handle: &HostHandle, questions: &[Question], most: usize) -> Vec<(String, RemoteText)> {
    let input: String = questions.iter().map(|q| format!("{} {}\n{}\n", q.release, q.most, q.path)).collect();
    let call = RemoteScript::new(scripts::DIFF, fleet.settings.question)
        .arg(format!("{}/releases", handle.folders.home))
        .arg(most.to_string())
        .input(input);
    let answer = match handle.connection.run(call).await {
        Ok(reply) => read(&reply, questions),
        Err(failure) => {
            let why = format!("cannot read the current content from {}: {}", handle.name, failure.text());
            questions.iter().map(|_| RemoteText::Unknown(why.clone())).collect()
        }
    };
    questions.iter().map(|q| q.digest.clone()).zip(answer).collect()
}

/// Reads the answers, in the order of the questions.
fn read(reply: &ScriptOutput, questions: &[Question]) -> Vec<RemoteText> {
    let mut answers: Vec<(Option<u64>, Option<Vec<&str>>)> = Vec::new();
    for line in &reply.lines {
        match (line.split_once(' '), line.as_str()) {
            (Some(("size", size)), _) => answers.push((size.parse().ok(), None)),
            (_, "missing") => answers.push((None, None)),
            (Some(("=", text)), _) => {
                if let Some((_, lines)) = answers.last_mut() {
                    lines.get_or_insert_default().push(text);
                }
            }
            _ => {}
        }
    }
    let mut answers = answers.into_iter();
    questions
        .iter()
        .map(|question| match answers.next() {
            Some((_, Some(lines))) => {
                let text = lines.join("\n");
                if digest(text.as_bytes()) == question.digest {
                    RemoteText::Text(text)
                } else if text.contains('\u{fffd}') || text.contains('\0') {
                    RemoteText::Size(text.len() as u64)
                } else {
                    RemoteText::Unknown("it was changed by hand on the host".to_owned())
                }
            }
            Some((Some(size), None)) => RemoteText::Size(size),
            Some((None, None)) | None => RemoteText::Unknown("cannot read the current content".to_owned()),
        })
        .collect()
}
