//! Hosts that maintain themselves: by a timer of systemd's, or else cron.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::super::report::{Report, partial};
use super::super::show::uptime;
use crate::cluster::Folders;
use crate::error::Kind;
use crate::fleet::{Fleet, HostAnswer, Selection};
use crate::release::digest;
use crate::scripts;
use crate::transport::RemoteScript;
use crate::ui::{Tone, Ui, escape_control};
use crate::values::shell_word;

/// How often hosts maintain themselves.
const EVERY: Duration = Duration::from_secs(300);

/// What came of making a host maintain itself, or of ending that.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Installed {
    pub(crate) host: String,
    /// What runs it there (`systemd UNIT`, `cron`); `removed`; none where it failed.
    pub(crate) by: Option<String>,
    /// Why it failed.
    pub(crate) why: Option<String>,
}

impl HostAnswer for Installed {
    fn failure(&self) -> Option<String> {
        self.why.clone()
    }
}

/// What came of it on all hosts.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Installations(Vec<Installed>);

impl Report for Installations {
    fn kind(&self) -> Option<&'static str> {
        Some("maintain_install")
    }

    fn show(&self, ui: &Ui) {
        for host in &self.0 {
            let line = match (&host.by, &host.why) {
                (Some(by), _) if by == "removed" => "automatic maintenance removed".to_owned(),
                (Some(by), _) => {
                    let (by, unit) = by.split_once(' ').unwrap_or((by, ""));
                    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
                    #[expect(clippy::cast_precision_loss, reason = "a few minutes")]
                    let every = uptime(EVERY.as_secs() as f64);
                    format!("automatic maintenance installed: every {every} and after a reboot, by {by}{unit}")
                }
                (None, why) => {
                    format!("{}: {}", ui.out.paint(Tone::Bad, "failed"), why.as_deref().unwrap_or("no reason given"))
                }
            };
            ui.result(&format!("{}: {}", host.host, escape_control(&line)));
        }
    }

    fn end(&self) -> Option<Kind> {
        partial(self.0.len(), self.0.iter().filter(|h| h.by.is_none()).count())
    }
}

/// Makes hosts maintain themselves by a timer of systemd's or else cron, or ends that.
pub(crate) async fn install(fleet: &Fleet, selection: &Selection, remove: bool) -> Installations {
    let cluster = &fleet.cluster;
    let hosts = fleet.selected_hosts(selection);
    let answers = fleet
        .each(if remove { "removing timers" } else { "installing timers" }, fleet.handles(hosts), |handle| async move {
            let text = if remove { String::new() } else { units(&cluster.name, &handle.folders) };
            let call = RemoteScript::new(scripts::MAINTAIN_INSTALL, fleet.settings.question)
                .arg(&handle.folders.home)
                .arg(timer_name(&cluster.name, &handle.folders))
                .arg(if remove { "remove" } else { "install" })
                .arg(EVERY.as_secs().to_string())
                .input(text);
            let mut done = Installed { host: handle.name.clone(), by: None, why: None };
            match handle.connection.run(call).await {
                Ok(reply) => {
                    for line in &reply.lines {
                        match line.split_once(' ').unwrap_or((line, "")) {
                            ("installed", by) => done.by = Some(by.to_owned()),
                            ("removed", _) => done.by = Some("removed".to_owned()),
                            ("fail", why) => done.why = Some(why.to_owned()),
                            _ => {}
                        }
                    }
                    if done.by.is_none() && done.why.is_none() {
                        done.why = Some(reply.stderr.lines().last().unwrap_or("the host gave no reason").to_owned());
                    }
                }
                Err(failure) => done.why = Some(failure.text()),
            }
            done
        })
        .await;
    Installations(answers.into_iter().map(|(_, done)| done).collect())
}

/// The name of a host's timer: two clusters, or one in two folders, have two.
fn timer_name(cluster: &str, folders: &Folders) -> String {
    let mut id = digest(folders.home.as_bytes());
    id.truncate(8);
    format!("clusterctl-maintain-{cluster}-{id}")
}

/// The command of a crontab line, a service and a timer, with an empty line after each.
fn units(cluster: &str, folders: &Folders) -> String {
    let script = format!("{}/current/clusterctl/maintain.sh", folders.home);
    let log = format!("{}/maintain.log", folders.home);
    let mut text = String::new();
    // crontab(5): a `%` ends the command unless it has a `\` before it.
    let words: Vec<String> = ["sh", &script, &folders.home, &folders.spool, "maintain", "the host's own maintenance"]
        .iter()
        .map(|w| shell_word(w))
        .collect();
    let _ = writeln!(text, "{} >{} 2>&1\n", words.join(" ").replace('%', "\\%"), shell_word(&log).replace('%', "\\%"));
    let words: Vec<String> =
        ["/bin/sh", &script, &folders.home, &folders.spool, "maintain", "the host's own maintenance"]
            .iter()
            .map(|w| unit_word(w))
            .collect();
    // The nodes that it starts stay when it has ended.
    let _ = writeln!(
        text,
        "[Unit]\nDescription=Maintenance of the Zeek cluster {cluster} on this host\n[Service]\nType=oneshot\n\
         ExecStart={}\nKillMode=process\nTimeoutStartSec=3600\n",
        words.join(" ")
    );
    let every = EVERY.as_secs();
    let _ = writeln!(
        text,
        "[Unit]\nDescription=Maintenance of the Zeek cluster {cluster} on this host\n[Timer]\nOnActiveSec=10\n\
         OnBootSec=20\nOnUnitActiveSec={every}\nAccuracySec=10\n[Install]\nWantedBy=timers.target\n"
    );
    text
}

/// Quotes a word for `ExecStart` (systemd.service(5), "Command lines").
fn unit_word(word: &str) -> String {
    let word = word.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$").replace('%', "%%");
    format!("\"{word}\"")
}

#[cfg(test)]
mod tests {
    use super::{Folders, units};

    #[test]
    fn odd_paths_are_quoted_for_cron_and_systemd() {
        let folders = Folders { home: "/x y/100%'s/$c".to_owned(), spool: "/s".to_owned() };
        let text = units("campus", &folders);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(r"sh '/x y/100\%'\''s/$c/current/clusterctl/maintain.sh' "), "{text}");
        assert!(text.contains("ExecStart=\"/bin/sh\" \"/x y/100%%'s/$$c/current/clusterctl/maintain.sh\" "), "{text}");
        assert_eq!(text.matches("\n\n").count(), 3, "{text}");
    }
}
