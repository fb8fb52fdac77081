//! What a description names on the operator's machine: the site folder, scripts, secrets, certificates. Looked at
//! before any connection, so that what is missing is told with its place.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::site;
use crate::error::{CommandError, Error, Place, Problem};
use crate::files;
use crate::spec::{EnvSpec, GroupHosts, OrderedMap, Spec, StringList};
use crate::values::nearest;
use crate::zeek;

/// How much of a secret or a certificate is read.
const LARGEST: u64 = 1 << 20;

/// Finds what the description names and this machine has not; `dir` is the description's folder.
pub fn missing(spec: &Spec, dir: &Path) -> Vec<Problem> {
    let mut found = Missing { dir, patience: files::PATIENCE, problems: Vec::new() };
    let zeek = Place::of(&["zeek"]);
    found.env(&spec.zeek.env, &zeek.key("env"));
    found.tls(spec, &zeek.key("tls"));
    let scripts = found.site(spec, &zeek.key("site"));
    found.scripts(&spec.zeek.scripts, &zeek.key("scripts"), &scripts);
    for (name, host) in spec.hosts.iter() {
        found.env(&host.env, &Place::of(&["hosts", name, "env"]));
    }
    for (name, group) in spec.nodes.iter() {
        let place = Place::of(&["nodes", name]);
        found.env(&group.settings.env, &place.key("env"));
        found.scripts(&group.settings.scripts, &place.key("scripts"), &scripts);
        let Some(GroupHosts::Map(hosts)) = &group.hosts else { continue };
        for (host, own) in hosts.iter() {
            let place = place.key("hosts").key(host);
            found.env(&own.env, &place.key("env"));
            found.scripts(&own.scripts, &place.key("scripts"), &scripts);
        }
    }
    found.problems
}

/// Gives what is wrong with the site folder its place in the description.
pub(crate) fn located_site_error(error: Error) -> CommandError {
    let message = error.causes.iter().fold(error.message, |message, cause| format!("{message}: {cause}"));
    let problem = Problem::value(Place::of(&["zeek", "site"]), message, "this folder");
    CommandError::Problems(vec![Problem { help: error.hints.into_iter().next(), ..problem }])
}

struct Missing<'a> {
    dir: &'a Path,
    /// How long all of its files together may take.
    patience: Duration,
    problems: Vec<Problem>,
}

impl Missing<'_> {
    fn tell(&mut self, place: Place, message: String, label: &str, help: Option<String>) {
        self.problems.push(Problem { help, ..Problem::value(place, message, label) });
    }

    /// Says where a relative path is looked for.
    fn looked_for(&self, path: &str) -> Option<String> {
        (!path.starts_with('/')).then(|| format!("it is looked for in {}", self.dir.display()))
    }

    fn env(&mut self, env: &OrderedMap<EnvSpec>, place: &Place) {
        for (name, value) in env.iter() {
            self.secret(value, &place.key(name), None);
        }
    }

    /// Looks for a secret; `pem` is what must be in it where it has more than one line.
    fn secret(&mut self, value: &EnvSpec, place: &Place, pem: Option<&str>) {
        match value {
            EnvSpec::Plain(_) => {}
            EnvSpec::File(path) => self.file(path, place.key("file"), "secret", pem),
            EnvSpec::Variable(name) if std::env::var_os(name).is_none() => {
                let help = "set it where clusterctl runs, or write `{ file: PATH }`".to_owned();
                self.tell(place.key("env"), format!("the variable `{name}` is not set"), "no secret", Some(help));
            }
            EnvSpec::Variable(name) => {
                if std::env::var(name).is_err() {
                    self.tell(place.key("env"), format!("the variable `{name}` is not UTF-8"), "", None);
                }
            }
        }
    }

    fn file(&mut self, path: &str, place: Place, what: &str, pem: Option<&str>) {
        // What is wrong with its form has been told.
        if path.is_empty() || path.chars().any(char::is_control) {
            return;
        }
        let label = format!("no {what}");
        let metadata = match std::fs::metadata(self.dir.join(path)) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return self.tell(place, format!("there is no file `{path}`"), &label, self.looked_for(path));
            }
            Err(error) => return self.tell(place, format!("`{path}` can't be read: {error}"), &label, None),
        };
        if metadata.is_dir() {
            return self.tell(place, format!("`{path}` is a folder, not a file"), &label, None);
        }
        // A pipe can be read but once.
        if !metadata.is_file() {
            return;
        }
        let text = match files::read(&self.dir.join(path), LARGEST, &mut self.patience) {
            Ok(text) => text,
            Err(why) => return self.tell(place, format!("`{path}` can't be used: {why}"), &label, None),
        };
        let Ok(text) = String::from_utf8(text) else {
            return self.tell(place, format!("`{path}` is not UTF-8"), &label, None);
        };
        match pem {
            Some(pem) => {
                let begins = |l: &str| l.starts_with("-----BEGIN ") && l.trim_end().ends_with(&format!("{pem}-----"));
                if !text.lines().any(begins) {
                    let help = "Broker reads PEM; `openssl` converts other formats".to_owned();
                    let message = format!("`{path}` has no line `-----BEGIN {pem}-----`");
                    self.tell(place, message, &format!("no {}", pem.to_lowercase()), Some(help));
                }
            }
            None if text.lines().count() > 1 || text.contains('\0') => {
                self.tell(place, format!("the {what} in `{path}` has more than one line"), "one line", None);
            }
            None => {}
        }
    }

    fn tls(&mut self, spec: &Spec, place: &Place) {
        let Some(tls) = &spec.zeek.tls else { return };
        for (key, path) in [("ca", &tls.ca), ("certificate", &tls.certificate)] {
            if let Some(path) = path {
                self.file(path, place.key(key), "certificate", Some("CERTIFICATE"));
            }
        }
        if let Some(key) = &tls.key {
            self.secret(key, &place.key("key"), Some("PRIVATE KEY"));
        }
        if let Some(passphrase) = &tls.passphrase {
            self.secret(passphrase, &place.key("passphrase"), None);
        }
    }

    /// Looks at the site folder, and returns the names of its scripts, as one loads them.
    fn site(&mut self, spec: &Spec, place: &Place) -> BTreeSet<String> {
        let mut scripts = BTreeSet::new();
        let Some(site) = spec.zeek.site.as_deref().filter(|site| !site.is_empty() && !site.contains('\0')) else {
            return scripts;
        };
        let root = self.dir.join(site);
        let label = "no folder";
        match std::fs::read_dir(&root) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let looked = self.looked_for(site).map(|looked| format!("; {looked}")).unwrap_or_default();
                let help = format!("create it, or remove `site`{looked}");
                self.tell(place.clone(), format!("there is no folder `{site}`"), label, Some(help));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                self.tell(place.clone(), format!("`{site}` is not a folder"), label, None);
            }
            Err(error) => self.tell(place.clone(), format!("`{site}` can't be read: {error}"), label, None),
        }
        let (found, flaws) = site::walk(&root);
        for flaw in flaws {
            let message = format!("the site folder `{site}`: {}", flaw.what);
            self.tell(place.clone(), message, "this folder", flaw.hint.map(str::to_owned));
        }
        for file in found {
            if let Some(name) = file.name.strip_suffix(".zeek") {
                scripts.insert(name.strip_suffix("/__load__").unwrap_or(name).to_owned());
            }
        }
        scripts
    }

    /// Looks for scripts that are nearly what there is. One that is like nothing else may be of the hosts alone.
    fn scripts(&mut self, named: &StringList, place: &Place, site: &BTreeSet<String>) {
        let mut known: Vec<&str> = zeek::known_scripts().collect();
        known.push("local");
        known.extend(site.iter().map(String::as_str));
        for (index, name) in named.0.iter().enumerate() {
            let bare = name.strip_suffix(".zeek").unwrap_or(name);
            if bare.starts_with(['/', '.']) || bare.contains("::") || known.contains(&bare) {
                continue;
            }
            let Some(near) = nearest(bare, known.iter().copied()).filter(|near| is_misspelt(bare, near)) else {
                continue;
            };
            let help = format!("did you mean `{near}`? For a script that only the hosts have, write its path there");
            let message = format!("there is no script `{name}`");
            self.tell(place.index(index), message, "neither in `zeek.site` nor in Zeek", Some(help));
        }
    }
}

/// Tells whether a name is another one with a typing error; `local2` beside `local1` is none.
fn is_misspelt(name: &str, known: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let errors = if name.chars().count() < 8 { 1 } else { 2 };
    strsim::damerau_levenshtein(name, known) <= errors && letters(name) != letters(known)
}
