//! `status --problems`: what is wrong alone, worst first, each with the command to run.

use serde::Serialize;

use super::super::report::Report;
use super::show;
use super::types::{Health, NodeRow, State, StateDetail, StatusReport, Trouble};
use crate::error::Kind;
use crate::ui::{Tone, Ui};

/// How bad something is; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// A node or host does nothing of what it should.
    Down,
    /// It does only a part, or nobody knows how well.
    Impaired,
    /// It works, and has to be looked at.
    Attention,
    /// It is to be known, and does not change the exit code.
    Warning,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Problem {
    severity: Severity,
    #[serde(flatten)]
    trouble: Trouble,
}

/// What is wrong with a cluster, worst first.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProblemsReport {
    cluster: String,
    problems: Vec<Problem>,
}

impl ProblemsReport {
    /// Takes what is wrong from a status.
    pub(crate) fn of(status: StatusReport) -> Self {
        let troubles = status.troubles.iter().map(|trouble| (severity(&status, trouble), trouble));
        let warnings = status.warnings.iter().map(|warning| (Severity::Warning, warning));
        let problem = |(severity, trouble): (Severity, &Trouble)| {
            let mut trouble = trouble.clone();
            trouble.hint = trouble.hint.or_else(|| look(&status, &trouble.subject));
            Problem { severity, trouble }
        };
        let mut problems: Vec<Problem> = troubles.chain(warnings).map(problem).collect();
        problems.sort_by_key(|problem| problem.severity);
        Self { cluster: status.cluster, problems }
    }
}

fn row<'a>(status: &'a StatusReport, subject: &str) -> Option<&'a NodeRow> {
    status.nodes.iter().find(|row| row.node == subject)
}

/// How bad it is, by what is known of the node or host.
fn severity(status: &StatusReport, trouble: &Trouble) -> Severity {
    if let Some(host) = status.hosts.iter().find(|host| host.host == trouble.subject) {
        return if host.failure.is_some() { Severity::Down } else { Severity::Attention };
    }
    let Some(row) = row(status, &trouble.subject) else { return Severity::Impaired };
    if matches!(row.detail, Some(StateDetail::Elsewhere(_))) {
        return Severity::Impaired;
    }
    match (row.state, row.health) {
        (State::Stopped | State::Crashed | State::Failed | State::Unknown, _) => Severity::Down,
        (State::Running, Some(Health::OldBinary | Health::OldInputs | Health::QueueGrowing)) => Severity::Attention,
        _ => Severity::Impaired,
    }
}

/// The command that says more of a node's trouble which has no remedy; none where another command is at work there.
fn look(status: &StatusReport, subject: &str) -> Option<String> {
    let row = row(status, subject)?;
    if status.hosts.iter().any(|host| host.host == row.host && host.lock.is_some()) {
        return None;
    }
    match row.state {
        State::Starting | State::Stopping => Some(format!("clusterctl status --wait {subject}")),
        State::Running => Some(format!("clusterctl diag {subject}")),
        _ => None,
    }
}

impl Report for ProblemsReport {
    fn kind(&self) -> Option<&'static str> {
        Some("status_problems")
    }

    fn show(&self, ui: &Ui) {
        if self.problems.is_empty() {
            ui.result(&format!("{}: no problems", ui.out.paint(Tone::Good, &self.cluster)));
            return;
        }
        let mut text = String::new();
        for same in self.problems.chunk_by(|a, b| a.severity == b.severity) {
            let tone = if same[0].severity == Severity::Warning { Tone::Warn } else { Tone::Bad };
            let troubles: Vec<Trouble> = same.iter().map(|problem| problem.trouble.clone()).collect();
            for line in show::troubles(ui, &troubles, tone) {
                text.push_str(&ui.out.wrap(&line, "  "));
                text.push('\n');
            }
        }
        ui.result(&text);
    }

    fn end(&self) -> Option<Kind> {
        self.problems.iter().any(|problem| problem.severity != Severity::Warning).then_some(Kind::NotAsExpected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Role;
    use crate::commands::status::types::{HostStatus, Workers};

    fn node(name: &str, state: State, health: Option<Health>) -> NodeRow {
        NodeRow {
            node: name.to_owned(),
            role: Role::Worker,
            host: "sensor1".to_owned(),
            state,
            detail: None,
            health,
            health_detail: None,
            pid: None,
            runs_on: None,
            uptime: None,
            cpu: None,
            memory: None,
            peers: None,
            received: None,
            dropped_percent: None,
            release: None,
            restarts: None,
            folder: String::new(),
            ended: None,
            crash: None,
        }
    }

    fn host(name: &str, failure: Option<&str>, lock: Option<&str>) -> HostStatus {
        let (failure, lock) = (failure.map(str::to_owned), lock.map(str::to_owned));
        HostStatus { host: name.to_owned(), failure, release: None, lock, queue: None, maintained: None }
    }

    fn trouble(subject: &str, hint: Option<&str>) -> Trouble {
        Trouble { subject: subject.to_owned(), what: "is so".to_owned(), hint: hint.map(str::to_owned) }
    }

    fn status(lock: Option<&str>) -> StatusReport {
        StatusReport {
            cluster: "campus".to_owned(),
            zeek: None,
            backend: None,
            workers: Workers { described: 0, running: 0, answering: 0, counted: None },
            hosts: vec![host("sensor1", None, lock), host("sensor2", Some("gone"), None)],
            nodes: vec![
                node("w-1", State::Running, Some(Health::OldInputs)),
                node("w-2", State::Running, Some(Health::Dropping)),
                node("w-3", State::Crashed, None),
                node("w-4", State::Starting, None),
            ],
            warnings: vec![trouble("sensor1", None)],
            troubles: vec![
                trouble("w-1", Some("clusterctl deploy")),
                trouble("w-2", None),
                trouble("w-4", None),
                trouble("w-3", Some("see it")),
                trouble("control", None),
                trouble("sensor1", None),
                trouble("sensor2", None),
            ],
            note: None,
        }
    }

    #[test]
    fn the_worst_stands_first_and_each_has_its_command() {
        let report = ProblemsReport::of(status(None));
        let told: Vec<String> = report
            .problems
            .iter()
            .map(|p| format!("{:?} {} {}", p.severity, p.trouble.subject, p.trouble.hint.as_deref().unwrap_or("-")))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        Down w-3 see it
        Down sensor2 -
        Impaired w-2 clusterctl diag w-2
        Impaired w-4 clusterctl status --wait w-4
        Impaired control -
        Attention w-1 clusterctl deploy
        Attention sensor1 -
        Warning sensor1 -
        ");
        assert_eq!(report.end(), Some(Kind::NotAsExpected));
    }

    #[test]
    fn what_another_command_is_about_to_do_is_not_told_to_do() {
        let report = ProblemsReport::of(status(Some("deploy of somebody")));
        assert!(report.problems.iter().all(|p| p.trouble.subject != "w-4" || p.trouble.hint.is_none()));
    }

    #[test]
    fn warnings_alone_change_no_exit_code() {
        let report = ProblemsReport::of(StatusReport { troubles: Vec::new(), ..status(None) });
        assert_eq!((report.problems.len(), report.end()), (1, None));
    }
}
