//! What `deploy`, `rollback`, `resume` and `secrets rotate` share: show what was planned, ask, and do it.

use futures_util::future::BoxFuture;
use serde::Serialize;

use super::Session;
use super::args::{ConfirmArgs, RolloutArgs};
use super::hooks::{self, Hook, News};
use super::report::Report;
use super::show::{agreement, failures, lacking, last_words, outcome_rows, plan_aside, plan_text};
use crate::deploy::{self, DeployReport, Offers, Options, Prepared, how_to_continue};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::Fleet;
use crate::observed::OperationKind;
use crate::plan::{Plan, SavedPlan};
use crate::ui::{Output, Tone, Ui, at_terminal, in_line, typed};
use crate::values::count;

/// What came of it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Acted {
    /// It was only planned, or there was nothing to do.
    Planned(Planned),
    /// It was done, or tried.
    Done(DeployReport),
}

/// A plan that nobody does.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
    #[serde(skip)]
    pub(crate) end: Option<Kind>,
}

impl Report for Planned {
    fn kind(&self) -> Option<&'static str> {
        Some("plan")
    }

    fn show(&self, ui: &Ui) {
        ui.result(&plan_text(ui, &self.plan));
    }

    fn end(&self) -> Option<Kind> {
        self.end
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Report for Acted {
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Planned(planned) => planned.kind(),
            Self::Done(report) => report.kind(),
        }
    }

    fn show(&self, ui: &Ui) {
        match self {
            Self::Planned(planned) => planned.show(ui),
            Self::Done(report) => report.show(ui),
        }
    }

    fn end(&self) -> Option<Kind> {
        match self {
            Self::Planned(planned) => planned.end(),
            Self::Done(report) => report.end(),
        }
    }

    fn notes(&self) -> &[String] {
        match self {
            Self::Planned(planned) => planned.notes(),
            Self::Done(_) => &[],
        }
    }
}

/// What is said of how to do it, but for the hosts to skip: which ones there are depends on the release.
pub(crate) fn options(rollout: &RolloutArgs, accept_backend_change: bool) -> Options {
    Options {
        allow_failed: rollout.allow_failed,
        max_unavailable: rollout.max_unavailable,
        offers: Offers { skip: true, backend: true },
        accept_backend_change,
        ..Options::default()
    }
}

/// Shows what was planned, asks, and does it; asks nobody where it is what a file has agreed to.
///
/// # Errors
/// Where nothing was changed.
pub(crate) async fn act(
    session: &mut Session,
    fleet: &Fleet,
    kind: OperationKind,
    confirm: &ConfirmArgs,
    saved: Option<SavedPlan>,
    mut prepared: Prepared,
) -> Result<Acted, CommandError> {
    if let Some(saved) = &saved {
        deploy::agreed(fleet, &prepared, saved)?;
    }
    deploy::compare(fleet, &mut prepared).await;
    if (prepared.plan.is_empty() && !prepared.is_unfinished() && !prepared.is_outdated()) || confirm.dry_run {
        let end = prepared.has_excluded_hosts().then_some(Kind::Partial);
        return Ok(Acted::Planned(Planned { plan: prepared.plan, notes: prepared.notes, end }));
    }
    let ui = session.ui;
    let asks = !confirm.yes && saved.is_none();
    if asks && !ui.can_ask() && at_terminal() {
        // A user who has sent stderr elsewhere is not taken for a script.
        let error = Error::new(Kind::Usage, "cannot ask for confirmation (stderr is not a terminal); nothing changed");
        return Err(error.hint("use --yes").into());
    }
    session.settle().await;
    let ask = asks && ui.can_ask();
    let question = format!("{}?", kind.name());
    let show = |prepared: &Prepared| {
        prepared.notes.iter().for_each(|note| ui.say(note));
        if prepared.plan.is_empty() && ui.output != Output::Json {
            ui.say(&format!("{}: finishing the interrupted operation", agreement(&prepared.plan)));
        } else {
            plan_aside(&ui, &prepared.plan, ask);
        }
    };
    show(&prepared);
    // Locks and refusals come before the question.
    fleet.unless_interrupted(deploy::unlocked(fleet, &prepared)).await??;
    deploy::allowed(&prepared)?;
    // On a thread of its own, so that an interrupt is heard meanwhile.
    let confirmed = || -> BoxFuture<'static, Result<(), CommandError>> {
        let question = question.clone();
        Box::pin(async move {
            let yes = !ask || tokio::task::spawn_blocking(move || ui.confirm(&question)).await.unwrap_or(false);
            if yes { Ok(()) } else { Err(Error::cancelled().into()) }
        })
    };
    fleet.unless_interrupted(confirmed()).await??;
    let mut agree = |prepared: &Prepared| -> BoxFuture<'static, Result<(), CommandError>> {
        if let Some(saved) = &saved {
            return Box::pin(std::future::ready(deploy::agreed(fleet, prepared, saved)));
        }
        show(prepared);
        confirmed()
    };
    hooks::before(fleet, Hook::PreDeploy, || News::of_plan(kind, &prepared.plan)).await?;
    let release = prepared.plan.release.clone();
    let done = deploy::apply(fleet, prepared, kind, &mut agree).await;
    let end = done.as_ref().map(|report| (report, report.nodes.as_slice()));
    hooks::after(fleet, Hook::PostDeploy, || News::of_end(kind, Some(&release), end)).await;
    Ok(Acted::Done(done?))
}

impl Report for DeployReport {
    fn kind(&self) -> Option<&'static str> {
        Some("deploy")
    }

    fn show(&self, ui: &Ui) {
        let bad = self.nodes.iter().filter(|n| !n.outcome.is_good()).count();
        if self.done {
            let what = match self.command {
                OperationKind::Rollback => "went back to",
                OperationKind::Resume => "up to date with",
                _ => "deployed",
            };
            let nodes = count(self.nodes.len(), "node");
            let touched = match bad {
                0 if !self.lacks.is_empty() => format!("{nodes} touched"),
                0 if self.nodes.is_empty() => "no node had to restart".to_owned(),
                0 => format!("{nodes} touched, all as planned"),
                bad => format!("{nodes} touched, {bad} not as planned"),
            };
            ui.result(&format!("{what} {}: {touched}", self.release));
            failures(ui, &self.nodes);
            lacking(ui, &self.lacks);
            for behind in &self.pending {
                let why = in_line(&behind.why);
                // One that a deploy left out is at another release; one that could not be asked may be at this one.
                let what = if self.command == OperationKind::Resume { "may be behind" } else { "is behind" };
                let later = typed(&format!("clusterctl resume @{}", behind.host));
                let subject = ui.out.paint(Tone::Warn, &format!("{} {what}", behind.host));
                ui.result(&format!("{subject}: {why}; later: {later}"));
            }
            for one in &self.unseen {
                let (node, host) = (&one.node, &one.host);
                ui.result(&format!("{node} may run twice: {host} was not reached; stop {node} on {host}"));
            }
            for host in &self.unreachable_hosts {
                ui.result(&format!("{host} left the description, but could not be reached: nodes may still run there"));
            }
        } else {
            failures(ui, &self.nodes);
            for host in &self.not_back {
                ui.result(&format!("{}: {}", ui.out.paint(Tone::Bad, "not all hosts went back"), in_line(host)));
            }
            match &self.rolled_back {
                Some(_) if !self.not_back.is_empty() => {
                    ui.result(&typed(how_to_continue(Some(self.command), self.first)));
                }
                Some(back) if back.is_empty() && self.interrupted => {
                    ui.result("went back: no node was stopped or started");
                }
                Some(back) if back.is_empty() && self.first => {
                    ui.result("first deploy failed; the nodes that it started are stopped");
                }
                Some(back) if back.is_empty() => {
                    ui.result("went back: the nodes that it started are stopped, the others kept running");
                }
                Some(back) if back.iter().all(|n| n.outcome.is_good()) => {
                    ui.result(&format!("went back: {} run again as before", count(back.len(), "node")));
                }
                Some(back) => {
                    ui.result("went back, but not all nodes run as before:");
                    ui.result(&outcome_rows(ui, back));
                    last_words(back.iter().filter(|n| !n.outcome.is_good()));
                }
                None => {}
            }
        }
    }

    fn end(&self) -> Option<Kind> {
        let bad = self.nodes.iter().filter(|n| !n.outcome.is_good()).count();
        match (self.done, self.interrupted) {
            (_, true) => Some(Kind::Interrupted),
            (true, _)
                if bad + self.lacks.len() + self.unreachable_hosts.len() + self.unseen.len() + self.pending.len()
                    == 0 =>
            {
                None
            }
            (true, _) => Some(Kind::Partial),
            (false, _) => Some(Kind::Failed),
        }
    }
}
