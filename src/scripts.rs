//! The scripts that run on hosts: what each is composed of. POSIX sh, from `templates/`.
//!
//! Those of the first part are sent over a connection, each after the prelude and with what `say` needs; those of the
//! second are files of a release. A part stands after the parts whose functions it calls. All of them are checked whole,
//! and each runs alone in several shells (`tests/scripts`).

/// What the remote `sh -c` runs: it reads the script from stdin and evaluates it.
pub const LOADER: &str = r#"eval "$(dd bs=1 count=$1 2>/dev/null)""#;

/// What stands before every script that is sent: the token, the arguments, and both begin marks.
pub const PRELUDE: &str = include_str!("../templates/prelude.sh");

/// Returns a script as it is sent: after the prelude, without comments and indentation, since a loader reads it byte by
/// byte. Scripts have no here-documents and no text over several lines that would begin with a blank or `#`.
pub fn sent(script: &str) -> String {
    let mut text = String::with_capacity(PRELUDE.len() + script.len());
    let lines = PRELUDE.lines().chain(script.lines()).map(str::trim_start);
    for line in lines.filter(|l| !l.is_empty() && !l.starts_with('#')) {
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

/// Returns the name of a script, as `-v` tells it.
pub fn name(script: &str) -> &'static str {
    // Most differ in their lengths already.
    ALL.iter().find(|(_, text)| *text == script).map_or("a script", |(name, _)| name)
}

macro_rules! scripts {
    ($($(#[doc = $doc:literal])+ $name:ident: $($part:literal)+;)+) => {
        $(
            $(#[doc = $doc])+
            pub const $name: &str = concat!($(include_str!(concat!("../templates/", $part, ".sh"))),+);
        )+

        /// All scripts, by their names.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

scripts! {
    /// What a host and its nodes do, as far as `status` needs it.
    OBSERVE: "say" "lib" "units" "missing-secrets" "manifest-size" "altered" "observe";
    /// All that a deploy needs: the files of the current release are read, which may take a while.
    OBSERVE_ALL: "say" "beat" "lib" "units" "cpus" "trail" "manifest" "missing-secrets" "manifest-size" "altered-all" "observe"
        "observe-all";
    /// Holds the host's lock as long as its input is open, and writes the journal.
    LOCK: "say" "lib" "claim" "format" "locking" "history-note" "lock";
    /// Frees a lock whose holder does not let go.
    UNLOCK: "say" "lib" "history-note" "unlock";
    /// What was done on a host.
    HISTORY: "say" "history";
    /// The `cluster.json` of a release.
    CLUSTER: "say" "cluster";
    /// What a host has of a release, verified.
    RELEASE: "say" "lib" "beat" "manifest" "manifest-size" "release";
    /// The start files of a release.
    STARTS: "say" "lib" "start-files";
    /// Texts of files of releases.
    DIFF: "say" "diff";
    /// Unpacks a release beside the others, and verifies it.
    STAGE: "say" "guard" "beat" "manifest" "sweep" "stage";
    /// Names what was unpacked.
    SETTLE: "say" "guard" "settle";
    /// Takes secrets into the host's keeping.
    KEEP: "say" "guard" "keep";
    /// Reads a secret from the host's keeping.
    SECRET: "say" "lib" "secret";
    /// Lets Zeek parse a staged release.
    CHECK: "say" "check";
    /// Makes a release the current one.
    ACTIVATE: "say" "guard" "activate";
    /// Deletes releases that are not needed any more.
    PRUNE: "say" "guard" "beat" "prune";
    /// Starts nodes of every runner, and waits until they are ready.
    START: "say" "guard" "lib" "units" "clean" "process-start" "systemd-start" "start";
    /// Stops nodes of every runner.
    STOP: "say" "guard" "lib" "units" "stop";
    /// Who listens on ports.
    PORTS: "say" "lib" "ports";
    /// Runs a command.
    EXEC: "say" "exec";
    /// What people want to know of nodes that are not well; no secret.
    DIAG: "say" "lib" "units" "missing-secrets" "manifest-size" "altered" "observe" "diag";
    /// Reads logs of nodes, and follows them.
    LOGS: "say" "logs-read";
    /// Counts the rotated logs that wait for the archive.
    QUEUE: "say" "lib" "logs" "queue";
    /// Maintains a host now.
    MAINTAIN: "say" "lib" "logs" "claim" "format" "locking" "crashes" "sweep" "textfile" "maintain";
    /// Installs or removes the timer with which a host maintains itself.
    MAINTAIN_INSTALL: "say" "lib" "format" "maintain-install";
    /// What a host has of what clusterctl needs.
    DOCTOR: "say" "lib" "units" "cpus" "missing-secrets" "trail" "room" "doctor" "ports";
    /// What a host and its nodes do, again and again.
    TOP: "say" "lib" "room" "top";
    /// What arrives at interfaces.
    CAPSTATS: "say" "capstats";
    /// The file systems of folders.
    DF: "say" "room" "df";
    /// In a release: becomes a node and records its end, whatever keeps it running.
    RELEASE_NODE: "lib" "crashes" "logs" "clean" "node" "node-become" "node-run" "node-parse" "node-may" "node-ended"
        "node-backtrace" "node-asked" "node-verb";
    /// In a release: keeps a node running; it tells processes apart as all scripts do.
    RELEASE_SUPERVISOR: "lib" "claim" "supervisor";
    /// In a release: starts nodes on their own host.
    RELEASE_START: "here" "say" "lib" "units" "clean" "process-start" "systemd-start" "start";
    /// In a release: archives rotated logs.
    RELEASE_ARCHIVER: "here" "lib" "claim" "logs" "archiver";
    /// In a release: maintains the host, for a timer or cron.
    RELEASE_MAINTAIN: "here" "say" "lib" "logs" "claim" "format" "locking" "crashes" "sweep" "textfile" "maintain";
}

/// In a release: the unit of all nodes (systemd.unit(5)).
pub const UNIT: &str = include_str!("../templates/clusterctl@.service");
