//! What hosts have to say about themselves.

use super::facts::{current_of, state_of};
use super::types::{HostStatus, State, Trouble};
use super::unmanaged;
use crate::cluster::{Cluster, Folders, RunnerKind};
use crate::deploy::how_to_continue;
use crate::fleet::Facts;
use crate::nodes::archiver;
use crate::observed::Observed;
use crate::plan::{Folder, Misplaced};

/// What a host's archiver and its own maintenance have to say.
fn upkeep(
    cluster: &Cluster,
    index: usize,
    observed: &Observed,
    troubles: &mut Vec<Trouble>,
    warnings: &mut Vec<Trouble>,
) {
    let subject = &cluster.hosts[index].name;
    let trouble = |what: String, hint: &str| Trouble {
        subject: subject.clone(),
        what,
        hint: Some(hint.to_owned()).filter(|h| !h.is_empty()),
    };
    if observed.current.is_none() {
        return;
    }
    if let Some(missing) = archiver::missing(cluster, index, observed) {
        warnings.push(trouble(missing, ""));
    } else if let Some(archiver) = &observed.archiver
        && cluster.archive_on(index).is_some()
        && archiver.process.is_none()
        && archiver.desired_release().is_some()
    {
        let (state, detail) = state_of(archiver, &observed.boot_id);
        let detail = detail.map(|d| format!(" ({d})")).unwrap_or_default();
        if state != State::Starting {
            troubles.push(trouble(
                format!("logs are not archived: its archiver is {}{detail}", state.name()),
                // Maintenance leaves a host alone on which an operation was cut off.
                if observed.unfinished().is_some() { "" } else { "clusterctl maintain" },
            ));
        }
    }
    for (mount, free) in &observed.room {
        if cluster.logs.is_low(*free) {
            troubles.push(trouble(
                format!("only {free} % free on {mount}, which holds its logs"),
                if cluster.logs.expire.is_some() {
                    "free some space there"
                } else {
                    "free some space there, or delete old logs earlier: `logs.expire`"
                },
            ));
        }
    }
    match (observed.maintain, observed.maintained) {
        (None, _) if cluster.runner == RunnerKind::Process && observed.nodes.values().any(|n| n.process.is_some()) => {
            warnings.push(trouble(
                "automatic maintenance is not installed: no restart after a reboot, no log expiry".to_owned(),
                "clusterctl maintain --install",
            ));
        }
        (Some(_), last) if is_overdue(observed) => {
            let since = last.map_or_else(
                || "yet".to_owned(),
                |at| {
                    let at = jiff::Timestamp::from_second(at).unwrap_or_default();
                    format!("since {at:.0}")
                },
            );
            troubles.push(trouble(format!("maintenance has not run {since}"), "clusterctl maintain --install"));
        }
        _ => {}
    }
}

/// Tells whether a host that maintains itself has missed more than three rounds. It could not work while it was off, so
/// only rounds since its boot count.
fn is_overdue(observed: &Observed) -> bool {
    let Some((every, installed)) = observed.maintain else { return false };
    let patience = every.saturating_mul(3).saturating_add(60);
    let quiet = observed.maintained.max(installed).map(|last| observed.epoch.saturating_sub(last));
    #[expect(clippy::cast_precision_loss, reason = "seconds of a host's life")]
    let up_long_enough = observed.uptime > patience as f64;
    up_long_enough && quiet.is_none_or(|quiet| u64::try_from(quiet).is_ok_and(|quiet| quiet > patience))
}

/// Says which files of a host's release are not as they were put there.
fn altered(host: &str, observed: &Observed) -> Option<Trouble> {
    const NAMED: usize = 4;
    let files = observed.altered.of_the_release();
    if files.is_empty() {
        return None;
    }
    let named: Vec<String> = files.iter().take(NAMED).map(|(path, how)| format!("{path} {}", how.word())).collect();
    let more = files.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(Trouble {
        subject: host.to_owned(),
        what: format!("release files were changed by hand: {}{more}", named.join(", ")),
        hint: Some("clusterctl diff shows how, clusterctl deploy puts them back".to_owned()),
    })
}

/// Says that a host has lost what its nodes need at their next start.
fn missing_keys(host: &str, observed: &Observed) -> Option<Trouble> {
    (!observed.missing_secrets.is_empty()).then(|| Trouble {
        subject: host.to_owned(),
        what: format!("its keys are missing: nodes there cannot start again ({})", observed.missing_secrets.join(", ")),
        hint: Some("clusterctl deploy".to_owned()),
    })
}

pub(crate) fn hosts_of(
    cluster: &Cluster,
    facts: &Facts,
    misplaced: &[&Misplaced],
    troubles: &mut Vec<Trouble>,
    warnings: &mut Vec<Trouble>,
) -> Vec<HostStatus> {
    let runs = current_of(cluster, facts);
    // Others came to its end: it is this host alone that is behind.
    let done = facts.values().flatten().any(|o| o.current == runs && runs.is_some() && o.unfinished().is_none());
    let mut hosts = Vec::new();
    for (index, answer) in facts {
        let name = &cluster.hosts[*index].name;
        let observed = match answer {
            Ok(observed) => observed,
            Err(failure) => {
                troubles.push(Trouble {
                    subject: name.clone(),
                    what: format!("cannot be reached: {}", failure.text()),
                    hint: failure.hint(name),
                });
                hosts.push(HostStatus {
                    host: name.clone(),
                    failure: Some(failure.text()),
                    release: None,
                    lock: None,
                    queue: None,
                    maintained: None,
                });
                continue;
            }
        };
        for one in misplaced.iter().filter(|one| one.host == *index && one.folder == Folder::Own) {
            let node = &one.node;
            troubles.push(Trouble {
                subject: name.clone(),
                what: match one.place {
                    Some(place) => format!("runs {node}, which the description has on {}", cluster.hosts[place].name),
                    None => format!("runs {node}, which is not in the description any more"),
                },
                hint: Some(one.remedy(cluster)),
            });
        }
        unmanaged::tell(cluster, &cluster.hosts[*index], observed, troubles, warnings);
        let home = Folders::of(&cluster.name, &cluster.hosts[*index]).home;
        for wrong in &observed.wrong {
            let file = format!("{home}/{}", wrong.file);
            troubles.push(Trouble {
                subject: name.clone(),
                what: format!("{file} is damaged and ignored: {}", wrong.why),
                hint: Some(if wrong.mended {
                    "clusterctl deploy".to_owned()
                } else {
                    format!("look at {file} on {name}")
                }),
            });
        }
        troubles.extend(missing_keys(name, observed));
        troubles.extend(altered(name, observed).filter(|_| observed.lock.is_none()));
        if let Some(begun) = observed.unfinished().filter(|_| observed.lock.is_none()) {
            troubles.push(Trouble {
                subject: name.clone(),
                what: format!("unfinished operation: {}", begun.text()),
                hint: Some(if done {
                    format!("clusterctl resume @{name}, or clusterctl deploy")
                } else {
                    how_to_continue(begun.kind, begun.from.is_none()).replace('`', "")
                }),
            });
        } else if let Some(runs) = runs.as_deref().filter(|runs| observed.current.as_deref() != Some(*runs))
            && observed.lock.is_none()
        {
            let has = observed.current.as_deref().map_or("no release".to_owned(), |id| format!("the release {id}"));
            troubles.push(Trouble {
                subject: name.clone(),
                what: format!("has {has}, and the cluster runs {runs}"),
                hint: Some(match observed.current {
                    Some(_) => format!("clusterctl resume @{name}, or clusterctl deploy"),
                    None => "clusterctl deploy".to_owned(),
                }),
            });
        }
        hosts.push(HostStatus {
            host: name.clone(),
            failure: None,
            release: observed.current.clone(),
            lock: observed.lock.clone(),
            queue: cluster
                .run_nodes()
                .any(|n| n.host == *index && cluster.writes_logs(n))
                .then(|| observed.queue.clone()),
            maintained: observed.maintain.and(observed.maintained),
        });
        upkeep(cluster, *index, observed, troubles, warnings);
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maintenance_is_overdue_after_three_rounds_in_which_the_host_was_up() {
        let host = |uptime: f64, maintained: Option<i64>| Observed {
            maintain: Some((300, Some(1_000_000))),
            maintained,
            epoch: 2_000_000,
            uptime,
            ..Observed::default()
        };
        assert!(is_overdue(&host(1000.0, Some(1_500_000))));
        assert!(is_overdue(&host(1000.0, None)));
        assert!(is_overdue(&Observed { maintain: Some((300, None)), ..host(1000.0, None) }));
        assert!(!is_overdue(&host(950.0, Some(1_500_000))), "it booted a moment ago");
        assert!(!is_overdue(&host(1e6, Some(1_999_050))));
        // A host may say anything.
        let odd = |every, epoch| Observed {
            maintain: Some((every, Some(i64::MIN))),
            epoch,
            uptime: 1e9,
            ..Observed::default()
        };
        assert!(!is_overdue(&odd(u64::MAX, i64::MAX)));
        assert!(is_overdue(&odd(0, i64::MAX)));
    }
}
