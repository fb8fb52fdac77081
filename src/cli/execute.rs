//! Running one command: its runtime, its interrupts, and what it comes to.

use std::time::Duration;

use tokio::sync::watch;

use super::global::{Definition, Global};
use super::signals::Signals;
use crate::commands::{Command, Hosts, Report, Session};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::Settings;
use crate::ui::{Output, Ui};

/// Runs a command; returns the kind of end.
///
/// # Errors
/// Where nothing came of it.
pub(crate) fn execute<C: Command>(
    command: &C,
    ui: Ui,
    global: &Global,
    definition: Definition,
) -> Result<Option<Kind>, CommandError> {
    if ui.output == Output::Prometheus && !C::PROMETHEUS {
        let error = Error::new(Kind::Usage, "this command has no output for Prometheus");
        return Err(error
            .hint("use `-o table` or `-o json` here; `clusterctl status -o prometheus` has output for Prometheus")
            .into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Error::failed("can't start").because(e))?;
    let (stop, stopping) = watch::channel(false);
    let trace = global.verbose || global.log.is_some();
    let settings = Settings { parallel: usize::from(global.parallel), question: global.timeout, trace };
    let session = Session::new(ui, &global.file, definition, settings, C::PROGRESS, stopping);
    let result = runtime.block_on(async {
        let mut work = std::pin::pin!(work(command, session));
        if C::HOSTS == Hosts::Untouched {
            return work.await;
        }
        let mut signals = Signals::new().map_err(|e| Error::failed("can't listen for signals").because(e))?;
        loop {
            tokio::select! {
                result = &mut work => return result,
                () = signals.next() => {}
            }
            if C::HOSTS == Hosts::Watched && !stop.send_replace(true) {
                ui.fresh_line();
                continue;
            }
            // The first lets what was begun come to an orderly end, the second does not.
            if C::HOSTS == Hosts::Read || stop.send_replace(true) {
                ui.fresh_line();
                return Err(interrupted(C::HOSTS).into());
            }
            ui.interrupted(
                "interrupted, finishing safely; press Ctrl-C again to quit now (may leave the operation half done)",
            );
        }
    });
    // What still waits for a host is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn work<C: Command>(command: &C, mut session: Session) -> Result<Option<Kind>, CommandError> {
    let result = command.run(&mut session).await;
    session.close().await;
    let report = result.map_err(|error| session.located(error))?;
    let ui = session.ui;
    report.notes().iter().for_each(|note| ui.say(note));
    match report.kind() {
        Some(kind) if ui.output == Output::Json => ui.json(kind, &report),
        _ => report.show(&ui),
    }
    Ok(report.end())
}

fn interrupted(hosts: Hosts) -> Error {
    let error = Error::new(Kind::Interrupted, "interrupted");
    if hosts == Hosts::Changed {
        return error.hint("the operation may be half done; see `clusterctl status`");
    }
    error
}
