//! Which releases lie on which host.

use serde::Serialize;

use super::Failure;
use super::fleet::{Detail, Fleet};

/// A release on a host.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseRow {
    /// The host.
    pub host: String,
    /// The id.
    pub release: String,
    /// When it was made the current one there, as RFC 3339 in UTC; none: it was only staged.
    pub time: Option<String>,
    /// Who did.
    pub who: String,
    /// By which command.
    pub command: String,
    /// Zeek's version.
    pub zeek: String,
    /// Zeek's prefix.
    pub prefix: String,
    /// Whether it is the current one.
    pub current: bool,
    /// How many nodes run it.
    pub running: usize,
}

/// What all hosts have.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReleasesReport {
    /// Releases by host, the newest first.
    pub releases: Vec<ReleaseRow>,
    /// Hosts that could not be asked, and why.
    pub unknown: Vec<(String, String)>,
    /// What lies there and is not what clusterctl writes: the host, which file, and why.
    pub odd: Vec<(String, String)>,
}

/// Asks all hosts for their releases.
///
/// # Errors
/// None so far: hosts that can't be asked are in the report.
pub async fn releases(fleet: &Fleet) -> Result<ReleasesReport, Failure> {
    let mut report = ReleasesReport::default();
    let mut answers = fleet.observe(fleet.seats(fleet.enabled()), Detail::Full).await;
    answers.sort_by_key(|(seat, _)| seat.index);
    for (seat, answer) in answers {
        let observed = match answer {
            Ok(observed) => observed,
            Err(failure) => {
                report.unknown.push((seat.name, failure.text()));
                continue;
            }
        };
        let wrong = observed.wrong.iter().filter(|wrong| wrong.file.starts_with("releases"));
        report.odd.extend(wrong.map(|wrong| (seat.name.clone(), format!("{}: {}", wrong.file, wrong.why))));
        let mut kept = observed.releases.clone();
        kept.sort_by_key(|k| std::cmp::Reverse(k.time));
        for release in kept {
            let runs = |n: &&crate::observed::ObservedNode| {
                n.process.is_some() && n.release.as_deref() == Some(release.id.as_str())
            };
            let time = release.when();
            report.releases.push(ReleaseRow {
                host: seat.name.clone(),
                current: observed.current.as_deref() == Some(release.id.as_str()),
                running: observed.nodes.values().filter(runs).count(),
                time: time.map(|t| t.to_string()),
                release: release.id,
                who: release.who,
                command: release.command,
                zeek: release.zeek,
                prefix: release.prefix,
            });
        }
    }
    Ok(report)
}
