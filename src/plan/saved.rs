//! A plan in a file: what somebody agreed to, and what of it differs from what a deploy would do now.
//!
//! A file is only ever compared: what is done comes from the description and the hosts, so that nothing in it can make
//! anything happen but a refusal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::model::Plan;

/// The form of the file.
const SCHEMA: u32 = 1;
/// What its document is called.
const KIND: &str = "saved_plan";
/// The largest that is written or read, in bytes: texts of differences are the most of it, and are bounded themselves.
pub const LARGEST_SAVED: u64 = 64 << 20;
/// The most differences that are told.
const MOST: usize = 12;

/// What a release would be without keys and values of secrets, both of which another command may have made anew: by host,
/// the digest of its part; and by path, the digest of each file that changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    pub parts: BTreeMap<String, String>,
    pub files: BTreeMap<String, String>,
}

/// A plan that was read from a file.
#[derive(Debug, Deserialize)]
pub struct SavedPlan {
    cluster: String,
    clusterctl: String,
    contents: Contents,
    plan: Terms,
}

#[derive(Serialize)]
struct ToSave<'a> {
    cluster: &'a str,
    clusterctl: &'a str,
    contents: &'a Contents,
    plan: &'a Plan,
}

#[derive(Serialize, Deserialize)]
struct Document<T> {
    schema: u32,
    kind: String,
    data: T,
}

/// What of a plan is agreed to. The texts of differences are not compared: what they come to is in the digests.
#[derive(Debug, PartialEq, Deserialize)]
struct Terms {
    release: String,
    new_keys: bool,
    upgrade: Option<serde_json::Value>,
    backend_change: Option<serde_json::Value>,
    hosts: Vec<HostTerms>,
    files: Vec<FileTerms>,
    nodes: Vec<NodeTerms>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct HostTerms {
    host: String,
    from: Option<String>,
    leaving: bool,
    at: Option<String>,
    unknown: Option<String>,
    #[serde(default)]
    repairs: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct FileTerms {
    change: String,
    paths: Vec<String>,
    hosts: Vec<String>,
    mode: Option<(String, String)>,
    settings: Vec<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct NodeTerms {
    node: String,
    host: String,
    action: String,
    reasons: Vec<String>,
    from: Option<String>,
}

impl Terms {
    /// What a plan comes to, by the same way that one in a file took.
    fn of(plan: &Plan) -> Result<Self, String> {
        serde_json::to_value(plan).and_then(serde_json::from_value).map_err(|e| e.to_string())
    }
}

impl SavedPlan {
    /// Returns the bytes of a file that keeps a plan.
    ///
    /// # Errors
    /// Where it would be too large to be read again.
    pub fn write(cluster: &str, plan: &Plan, contents: &Contents) -> Result<Vec<u8>, String> {
        let data = ToSave { cluster, clusterctl: env!("CARGO_PKG_VERSION"), contents, plan };
        let document = Document { schema: SCHEMA, kind: KIND.to_owned(), data };
        let mut text = serde_json::to_vec_pretty(&document).map_err(|e| e.to_string())?;
        text.push(b'\n');
        if text.len() as u64 > LARGEST_SAVED {
            return Err(format!("the plan is larger than {}", bytesize::ByteSize(LARGEST_SAVED)));
        }
        Ok(text)
    }

    /// Reads what [`SavedPlan::write`] wrote.
    ///
    /// # Errors
    /// Says why it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            schema: u32,
            kind: String,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if (head.schema, head.kind.as_str()) != (SCHEMA, KIND) {
            return Err(format!("it is a document `{}` of schema {}", head.kind, head.schema));
        }
        let document: Document<Self> = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        Ok(document.data)
    }

    /// The cluster that it is a plan for.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The version of clusterctl that made it, where that is another one: then other files come of the same description.
    pub fn other_version(&self) -> Option<&str> {
        Some(self.clusterctl.as_str()).filter(|version| *version != env!("CARGO_PKG_VERSION"))
    }

    /// What a plan of now would do otherwise, a sentence for each difference: at most so many as somebody reads.
    ///
    /// # Errors
    /// Where the two can't be compared.
    pub fn differences(&self, plan: &Plan, contents: &Contents) -> Result<Vec<String>, String> {
        let (then, now) = (&self.plan, Terms::of(plan)?);
        let mut told = hosts(&then.hosts, &now.hosts);
        told.extend(nodes(&then.nodes, &now.nodes));
        told.extend(files(&then.files, &now.files));
        if then.upgrade != now.upgrade {
            told.push("nodes move to another Zeek than in the plan".to_owned());
        }
        if then.backend_change != now.backend_change {
            told.push("the change of the backend is another one than in the plan".to_owned());
        }
        let other = |(path, digest): &(&String, &String)| self.contents.files.get(*path).is_some_and(|d| d != *digest);
        told.extend(
            contents.files.iter().filter(other).map(|(path, _)| format!("{path}: other content than in the plan")),
        );
        if told.is_empty() {
            let other = |(host, digest): &(&String, &String)| self.contents.parts.get(*host) != Some(digest);
            let other = contents.parts.iter().filter(other);
            told.extend(other.map(|(host, _)| format!("{host}: its files are other ones than in the plan")));
        }
        if then.new_keys != now.new_keys {
            let told_now = if now.new_keys { "new keys are made" } else { "no keys are made" };
            told.push(format!("{told_now}, other than in the plan"));
        }
        // Keys that are made with a deploy, and all that is said with them, are other ones each time.
        if told.is_empty() && !now.new_keys && then.release != now.release {
            told.push("values of secrets are other ones than in the plan".to_owned());
        }
        let more = told.len().saturating_sub(MOST);
        told.truncate(MOST);
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        Ok(told)
    }
}

fn hosts(then: &[HostTerms], now: &[HostTerms]) -> Vec<String> {
    let runs = |release: Option<&String>| release.map_or_else(|| "no release".to_owned(), |id| format!("release {id}"));
    let before: BTreeMap<&str, &HostTerms> = then.iter().map(|h| (h.host.as_str(), h)).collect();
    let after: BTreeSet<&str> = now.iter().map(|h| h.host.as_str()).collect();
    let mut told = Vec::new();
    for new in now {
        let host = &new.host;
        let Some(old) = before.get(host.as_str()) else {
            told.push(format!("{host}: not in the plan"));
            continue;
        };
        if old.from != new.from {
            let (now, then) = (runs(new.from.as_ref()), runs(old.from.as_ref()));
            told.push(format!("{host}: has {now} now, and had {then}"));
        }
        if (old.leaving, &old.at, old.unknown.is_some()) != (new.leaving, &new.at, new.unknown.is_some()) {
            told.push(format!("{host}: leaves the cluster in another way than in the plan"));
        }
        if old.repairs != new.repairs {
            told.push(format!("{host}: other files were changed by hand than in the plan"));
        }
    }
    told.extend(
        then.iter().filter(|h| !after.contains(h.host.as_str())).map(|h| format!("{}: takes no part now", h.host)),
    );
    told
}

fn nodes(then: &[NodeTerms], now: &[NodeTerms]) -> Vec<String> {
    let said = |node: &NodeTerms| {
        let why =
            if node.reasons.is_empty() { String::new() } else { format!(", because {}", node.reasons.join("; ")) };
        format!("{}{why}", node.action)
    };
    let key = |node: &NodeTerms| (node.node.clone(), node.host.clone());
    let before: BTreeMap<(String, String), &NodeTerms> = then.iter().map(|n| (key(n), n)).collect();
    let after: BTreeSet<(String, String)> = now.iter().map(key).collect();
    let mut told = Vec::new();
    for new in now {
        let name = format!("{} on {}", new.node, new.host);
        match before.get(&key(new)) {
            None => told.push(format!("{name}: {}; not in the plan", said(new))),
            Some(old) if (&old.action, &old.reasons) != (&new.action, &new.reasons) => {
                told.push(format!("{name}: {}; in the plan: {}", said(new), said(old)));
            }
            Some(old) if old.from != new.from => {
                told.push(format!("{name}: runs another release than when the plan was made"));
            }
            Some(_) => {}
        }
    }
    let gone = then.iter().filter(|n| !after.contains(&key(n)));
    told.extend(gone.map(|n| format!("{} on {}: in the plan: {}; not now", n.node, n.host, said(n))));
    told
}

/// What is told of one file, however many hosts have it.
type File<'a> = (&'a str, &'a str, &'a Option<(String, String)>, &'a [String]);

fn files(then: &[FileTerms], now: &[FileTerms]) -> Vec<String> {
    fn all(list: &[FileTerms]) -> BTreeMap<File<'_>, BTreeSet<&str>> {
        let mut all: BTreeMap<File<'_>, BTreeSet<&str>> = BTreeMap::new();
        for file in list {
            for path in &file.paths {
                let hosts = all.entry((path, &file.change, &file.mode, &file.settings)).or_default();
                hosts.extend(file.hosts.iter().map(String::as_str));
            }
        }
        all
    }
    let (then, now) = (all(then), all(now));
    let paths = |list: &BTreeMap<File<'_>, BTreeSet<&str>>, other: &BTreeMap<File<'_>, BTreeSet<&str>>| {
        let differ = list.iter().filter(|(file, hosts)| other.get(*file) != Some(*hosts));
        differ.map(|(file, _)| (file.0.to_owned(), file.1.to_owned())).collect::<BTreeSet<_>>()
    };
    let (fresh, gone) = (paths(&now, &then), paths(&then, &now));
    let found: BTreeSet<&String> = fresh.iter().map(|(path, _)| path).collect();
    let lost: BTreeSet<&String> = gone.iter().map(|(path, _)| path).collect();
    let mut told: Vec<String> = fresh
        .iter()
        .map(|(path, change)| {
            if lost.contains(path) {
                format!("{path}: changes in another way than in the plan")
            } else {
                format!("{path}: {change}; not in the plan")
            }
        })
        .collect();
    let only = gone.iter().filter(|(path, _)| !found.contains(path));
    told.extend(only.map(|(path, change)| format!("{path}: {change} in the plan; does not change now")));
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{WORKERS, campus, site, way};

    fn contents(of: &[(&str, &str)]) -> Contents {
        let files = of.iter().map(|(path, digest)| ((*path).to_owned(), (*digest).to_owned())).collect();
        Contents { parts: BTreeMap::from([("mgmt".to_owned(), "aa".to_owned())]), files }
    }

    fn plan() -> Plan {
        let cluster = campus("", "", WORKERS);
        way((&cluster, "8.0.10", &[site("local.zeek", b"1")]), (&cluster, "8.0.10", &[site("local.zeek", b"2")]))
    }

    fn saved(plan: &Plan, contents: &Contents) -> SavedPlan {
        SavedPlan::read(&SavedPlan::write("campus", plan, contents).unwrap()).unwrap()
    }

    #[test]
    fn a_plan_is_itself_whatever_its_texts_and_new_keys() {
        let (plan, contents) = (plan(), contents(&[("site/local.zeek", "22")]));
        let saved = saved(&plan, &contents);
        assert_eq!((saved.cluster(), saved.other_version()), ("campus", None));
        let mut now = plan.clone();
        now.files[0].diff = Some("@@".to_owned());
        assert_eq!(saved.differences(&now, &contents).unwrap(), [""; 0]);
        now.release = "other".to_owned();
        let told = saved.differences(&now, &contents).unwrap();
        assert_eq!(told, ["values of secrets are other ones than in the plan"]);
        now.new_keys = true;
        assert_eq!(saved.differences(&now, &contents).unwrap(), ["new keys are made, other than in the plan"]);
        // Those that the plan has announced are other ones each time.
        let with_keys = Plan { new_keys: true, ..plan };
        let announced = self::saved(&with_keys, &contents);
        assert_eq!(announced.differences(&now, &contents).unwrap(), [""; 0]);
        now.new_keys = false;
        assert_eq!(announced.differences(&now, &contents).unwrap()[0], "no keys are made, other than in the plan");
    }

    #[test]
    fn each_difference_is_told() {
        let plan = plan();
        let contents = contents(&[("site/local.zeek", "22")]);
        let saved = saved(&plan, &contents);
        let told = |now: &Plan, contents: &Contents| saved.differences(now, contents).unwrap().join("\n");
        let mut now = plan.clone();
        now.hosts[0].from = Some("0123".to_owned());
        assert!(told(&now, &contents).contains("has release 0123 now, and had "), "{}", told(&now, &contents));
        let mut now = plan.clone();
        let gone = now.hosts.pop().unwrap();
        assert_eq!(told(&now, &contents), format!("{}: takes no part now", gone.host));
        let mut now = plan.clone();
        let node = now.nodes.iter_mut().find(|n| n.role == Some(crate::cluster::Role::Worker)).unwrap();
        (node.action, node.reasons) = (super::super::node::Action::Start, vec!["it is stopped".to_owned()]);
        assert!(told(&now, &contents).contains(": start, because it is stopped; in the plan: restart, because "));
        let mut now = plan.clone();
        now.files.remove(0);
        assert!(told(&now, &contents).contains("does not change now"), "{}", told(&now, &contents));
        let other = super::tests::contents(&[("site/local.zeek", "33")]);
        assert_eq!(told(&plan, &other), "site/local.zeek: other content than in the plan");
        let mut other = contents.clone();
        other.parts.insert("mgmt".to_owned(), "bb".to_owned());
        assert_eq!(told(&plan, &other), "mgmt: its files are other ones than in the plan");
        // More than somebody reads.
        let mut now = plan.clone();
        now.nodes.iter_mut().for_each(|n| n.reasons.push("x".to_owned()));
        now.hosts.iter_mut().for_each(|h| h.from = None);
        now.hosts.extend((0..20).map(|n| crate::plan::HostPlan { host: format!("h{n}"), ..Default::default() }));
        assert_eq!(saved.differences(&now, &contents).unwrap().len(), MOST + 1);
    }

    #[test]
    fn what_is_no_saved_plan_is_told() {
        for (text, why) in [
            ("", "EOF"),
            ("{}", "missing field"),
            (r#"{"schema": 1, "kind": "plan", "data": {}}"#, "it is a document `plan` of schema 1"),
            (r#"{"schema": 2, "kind": "saved_plan", "data": {}}"#, "of schema 2"),
            (r#"{"schema": 1, "kind": "saved_plan", "data": {}}"#, "missing field"),
        ] {
            let error = SavedPlan::read(text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        let deep = format!(r#"{{"schema": 1, "kind": "saved_plan", "data": {}"#, "[".repeat(1 << 20));
        assert!(SavedPlan::read(deep.as_bytes()).is_err());
    }
}
