//! The signals that ask for an end: Ctrl-C, `kill`, a terminal that is closed, Ctrl-\\. All are alike, but for those that
//! come in bursts.

use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long after a hangup a termination still belongs to it: where a session ends, systemd sends both
/// (systemd.kill(5), `SendSIGHUP`), in whatever order they arrive.
const BURST: Duration = Duration::from_secs(5);

/// Listens for them.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    quit: Option<Signal>,
    hangup: Option<Signal>,
    burst: Burst,
}

impl Signals {
    /// Begins to listen: from now on they end nothing by themselves.
    ///
    /// # Errors
    /// Where the system has no room for it.
    pub(super) fn new() -> std::io::Result<Self> {
        // What was ignored when we were started, as `nohup` has it, stays so.
        let ignored = ignored(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
        let unless_ignored = |kind: SignalKind| {
            let number = kind.as_raw_value();
            if ignored >> (number - 1) & 1 == 1 { Ok(None) } else { signal(kind).map(Some) }
        };
        Ok(Self {
            hangup: unless_ignored(SignalKind::hangup())?,
            quit: unless_ignored(SignalKind::quit())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            burst: Burst::default(),
        })
    }

    /// Waits for the next one that counts.
    pub(super) async fn next(&mut self) {
        loop {
            let kind = tokio::select! {
                _ = self.interrupt.recv() => EndRequest::Hand,
                _ = self.terminate.recv() => EndRequest::Termination,
                () = heard(&mut self.quit) => EndRequest::Hand,
                () = heard(&mut self.hangup) => EndRequest::Hangup,
            };
            if self.burst.counts(kind, Instant::now()) {
                return;
            }
        }
    }
}

/// Waits for a signal; for ever where it is not listened for.
async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Reads which signals are ignored from a process's status (proc(5)): a mask, the first signal in its lowest bit.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// How an end is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndRequest {
    Hand,
    Termination,
    Hangup,
}

/// Tells those that count from those that only repeat what the death of a terminal or a session has said.
#[derive(Debug, Default)]
struct Burst {
    hangup: Option<Instant>,
    any: bool,
}

impl Burst {
    fn counts(&mut self, asked: EndRequest, now: Instant) -> bool {
        let repeats = match asked {
            // A shell and what holds its terminal each send one; nobody sends a second one to press for an end.
            EndRequest::Hangup => self.any,
            EndRequest::Termination => self.hangup.is_some_and(|at| now < at + BURST),
            EndRequest::Hand => false,
        };
        if asked == EndRequest::Hangup && self.hangup.is_none() {
            self.hangup = Some(now);
        }
        self.any = true;
        !repeats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangups_of_a_dying_terminal_are_one_signal() {
        let now = Instant::now();
        let mut burst = Burst::default();
        assert!(burst.counts(EndRequest::Hangup, now));
        assert!(!burst.counts(EndRequest::Hangup, now));
        assert!(!burst.counts(EndRequest::Termination, now + Duration::from_secs(1)));
        assert!(burst.counts(EndRequest::Termination, now + BURST));
        assert!(!burst.counts(EndRequest::Hangup, now + BURST * 9));
        // In the other order.
        let mut burst = Burst::default();
        assert!(burst.counts(EndRequest::Termination, now) && !burst.counts(EndRequest::Hangup, now));
        // Somebody who presses twice means it.
        let mut burst = Burst::default();
        assert!(burst.counts(EndRequest::Hand, now) && burst.counts(EndRequest::Hand, now));
        let mut burst = Burst::default();
        assert!(burst.counts(EndRequest::Hangup, now) && burst.counts(EndRequest::Hand, now));
    }

    #[test]
    fn what_is_ignored_is_read_from_the_status() {
        assert_eq!(ignored("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000001\n"), 0x1001);
        assert_eq!(ignored(""), 0);
    }
}
