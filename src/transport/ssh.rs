//! SSH over masters of our own.
//!
//! A master is started once for each way to reach a host, under a lock, and left to OpenSSH's `ControlPersist`, so
//! that the next command finds it warm. Its generated configuration includes the user's, which decides all that the
//! description does not, host key checking above all. Every call on a master has a deadline, because a frozen one
//! never answers.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};

use super::failure::{Failure, HostFailure};
use super::frame::{self, Call, Reply};
use super::{SshTarget, Stream};

/// How long a master on this machine may take to answer.
const MASTER_DEADLINE: Duration = Duration::from_secs(3);
/// How long a host that could not be reached is taken to be away.
const AWAY: Duration = Duration::from_secs(10);
/// How often a handshake that was dropped is tried.
const HANDSHAKES: u32 = 3;
/// How often a session that a master refused (`MaxSessions`) is asked for again.
const SESSIONS: u32 = 20;

/// A host reached by SSH.
#[derive(Debug)]
pub struct SshHost {
    target: SshTarget,
    connecting: Arc<Semaphore>,
    /// The master, once somebody needed it; a failure to get one is kept for a while, so that one look at a host that is
    /// away costs one attempt.
    master: Mutex<Option<Attempt>>,
}

#[derive(Debug)]
struct Attempt {
    result: Result<Arc<Master>, Failure>,
    ended: Instant,
}

#[derive(Debug)]
struct Master {
    session: Arc<openssh::Session>,
    socket: PathBuf,
}

impl Master {
    async fn answers(&self) -> bool {
        matches!(timeout(MASTER_DEADLINE, self.session.check()).await, Ok(Ok(())))
    }
}

impl SshHost {
    pub(super) fn new(target: SshTarget, connecting: Arc<Semaphore>) -> Self {
        Self { target, connecting, master: Mutex::new(None) }
    }

    async fn master(&self) -> Result<Arc<Master>, Failure> {
        let mut slot = self.master.lock().await;
        if let Some(known) = &*slot
            && (known.result.is_ok() || known.ended.elapsed() < AWAY)
        {
            return known.result.clone();
        }
        let result = open(&self.target, &self.connecting).await.map(Arc::new);
        *slot = Some(Attempt { result: result.clone(), ended: Instant::now() });
        result
    }

    /// Forgets a master that has died, so that the next call starts another one.
    async fn forget(&self, dead: &Arc<Master>) {
        let mut slot = self.master.lock().await;
        if matches!(&*slot, Some(Attempt { result: Ok(known), .. }) if Arc::ptr_eq(known, dead)) {
            *slot = None;
        }
    }

    pub(super) async fn run(&self, call: Call<'_>, limit: Instant) -> Result<Reply, Failure> {
        let deadline = call.deadline;
        let late = |_| Failure::timeout(deadline);
        let mut master = tokio::time::timeout_at(limit, self.master()).await.map_err(late)??;
        // Constant but for the script's length, which is a number.
        let line = format!("exec sh -c '{}' sh {}", frame::LOADER, call.script_length());
        let (mut tries, mut again) = (0, false);
        let mut child = loop {
            let mut command = openssh::Session::to_raw_command(master.session.clone(), &line);
            command.stdin(openssh::Stdio::piped()).stdout(openssh::Stdio::piped()).stderr(openssh::Stdio::piped());
            match tokio::time::timeout_at(limit, command.spawn()).await.map_err(late)? {
                Ok(child) => break child,
                // The master's MaxSessions are used up, perhaps by another clusterctl: nothing was started.
                Err(e) if tries < SESSIONS && chain(&e).contains("refused") => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                // The master died between two calls: nothing was started, so another one may be.
                Err(_) if !again => {
                    again = true;
                    drop(command);
                    self.forget(&master).await;
                    master = tokio::time::timeout_at(limit, self.master()).await.map_err(late)??;
                }
                Err(e) if chain(&e).contains("refused") => {
                    let why = format!("{}: all sessions of the connection are used up (sshd's MaxSessions)", chain(&e));
                    return Err(Failure::new(HostFailure::Dropped, why));
                }
                Err(e) => return Err(Failure::new(HostFailure::Dropped, chain(&e))),
            }
        };
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin().take(), child.stdout().take(), child.stderr().take())
        else {
            return Err(Failure::new(HostFailure::Other, "the ssh session has no standard streams"));
        };
        frame::converse(call, stdin, stdout, stderr, limit).await
    }

    pub(super) async fn dial(&self, port: u16) -> Result<(Box<dyn Stream>, Child), Failure> {
        let mut master = self.master().await?;
        if !master.answers().await {
            self.forget(&master).await;
            master = self.master().await?;
        }
        let mut child = Command::new("ssh")
            // Without a configuration, and with a proxy that fails, a dead socket can't make ssh go elsewhere.
            .args(["-F", "none", "-o", "ProxyCommand=false", "-S"])
            .arg(&master.socket)
            .arg("-W")
            .arg(format!("127.0.0.1:{port}"))
            .arg("over-the-master")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| Failure::new(HostFailure::Other, format!("can't start ssh: {e}")))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::new(HostFailure::Other, "ssh has no standard streams"));
        };
        Ok((Box::new(tokio::io::join(stdout, stdin)), child))
    }

    pub(super) async fn close(&self) {
        if self.target.persist.is_zero()
            && let Some(Attempt { result: Ok(master), .. }) = &*self.master.lock().await
        {
            let exit = Command::new("ssh")
                .args(["-F", "none", "-o", "ProxyCommand=false", "-S"])
                .arg(&master.socket)
                .args(["-O", "exit", "over-the-master"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .status();
            // A master that does not end now ends with its ControlPersist of one second.
            let _ = timeout(MASTER_DEADLINE, exit).await;
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Enters the master of a target, starting it where there is none.
async fn open(target: &SshTarget, connecting: &Semaphore) -> Result<Master, Failure> {
    let io = |what: &str, e: std::io::Error| Failure::new(HostFailure::Other, format!("{what}: {e}"));
    let dir = socket_dir().map_err(|e| io("can't make a folder for SSH sockets", e))?;
    let config = configuration(target);
    let name = short_digest(config.as_bytes());
    let socket = dir.join(&name);
    if let Some(master) = enter(&socket).await {
        return Ok(master);
    }
    let lock = dir.join(format!("{name}.lock"));
    let _held = lock_file(&lock, target.connect_timeout * 2 + Duration::from_secs(20))
        .await
        .map_err(|e| io("can't lock the SSH socket", e))?;
    // Somebody else may have started it while we waited.
    if let Some(master) = enter(&socket).await {
        return Ok(master);
    }
    let _ = fs::remove_file(&socket);
    let file = dir.join(format!("{name}.conf"));
    write_private(&file, config.as_bytes()).map_err(|e| io("can't write the SSH configuration", e))?;
    let mut tries = 0;
    loop {
        tries += 1;
        let result = {
            let Ok(_permit) = connecting.acquire().await else {
                return Err(Failure::new(HostFailure::Other, "interrupted"));
            };
            start(target, &file, &socket).await
        };
        match result {
            Ok(()) => break,
            Err(e) if e.kind == HostFailure::Dropped && tries < HANDSHAKES => {
                // Spread over time, so that those who were dropped together do not come back together.
                let spread = u64::from(std::process::id() % 97) * 3 + u64::from(tries) * 250;
                tokio::time::sleep(Duration::from_millis(spread)).await;
            }
            Err(e) => return Err(e),
        }
    }
    enter(&socket)
        .await
        .ok_or_else(|| Failure::new(HostFailure::Other, "the SSH connection was set up but does not answer"))
}

async fn enter(socket: &Path) -> Option<Master> {
    if !socket.exists() {
        return None;
    }
    let session = Arc::new(openssh::Session::resume_mux(socket.into(), None));
    let master = Master { session, socket: socket.to_owned() };
    master.answers().await.then_some(master)
}

/// Starts a master; returns when it is in the background and serves its socket.
async fn start(target: &SshTarget, config: &Path, socket: &Path) -> Result<(), Failure> {
    let other = |e: std::io::Error| Failure::new(HostFailure::Other, format!("can't start ssh: {e}"));
    // The daemon keeps stderr open, so it is a file: reading a pipe to its end would wait for the daemon's.
    let log = tempfile::tempfile().map_err(other)?;
    let mut child = Command::new("ssh")
        .arg("-F")
        .arg(config)
        .args(["-o", "ControlMaster=yes", "-S"])
        .arg(socket)
        .args(["-N", "-f", "-T", "--"])
        .arg(&target.host)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.try_clone().map_err(other)?)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(other)?;
    // ConnectTimeout bounds TCP and the banner; authentication may take as long again.
    let deadline = target.connect_timeout * 2 + Duration::from_secs(5);
    let Ok(status) = timeout(deadline, child.wait()).await else {
        let _ = child.kill().await;
        return Err(Failure::timeout(deadline));
    };
    let status = status.map_err(other)?;
    if status.success() {
        return Ok(());
    }
    let mut text = String::new();
    {
        use std::io::{Read, Seek};
        let mut log = log;
        let _ = log.rewind();
        let mut raw = Vec::new();
        let _ = log.take(64 << 10).read_to_end(&mut raw);
        text.push_str(&String::from_utf8_lossy(&raw));
    }
    Err(Failure::from_ssh(&text))
}

/// Returns the folder for sockets: 0700, ours, and short, since a socket's path has at most 107 bytes.
fn socket_dir() -> std::io::Result<PathBuf> {
    let uid = fs::metadata("/proc/self")?.uid();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|d| d.is_absolute() && d.is_dir());
    let dir = match runtime {
        Some(dir) if dir.as_os_str().len() <= 58 => dir.join("clusterctl"),
        _ => PathBuf::from(format!("/tmp/clusterctl-{uid}")),
    };
    match fs::DirBuilder::new().mode(0o700).create(&dir) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    let meta = fs::symlink_metadata(&dir)?;
    if !meta.is_dir() || meta.uid() != uid || meta.mode() & 0o077 != 0 {
        return Err(std::io::Error::other(format!("{} is not a folder of ours with mode 0700", dir.display())));
    }
    Ok(dir)
}

fn short_digest(data: &[u8]) -> String {
    Sha256::digest(data).iter().take(10).map(|b| format!("{b:02x}")).collect()
}

fn write_private(path: &Path, data: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(data)?;
    fs::rename(new, path)
}

async fn lock_file(path: &Path, deadline: Duration) -> std::io::Result<File> {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let limit = Instant::now() + deadline;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::Error(e)) => return Err(e),
            Err(fs::TryLockError::WouldBlock) if Instant::now() >= limit => {
                return Err(std::io::Error::other("another clusterctl has been connecting for too long"));
            }
            Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(30)).await,
        }
    }
}

/// Returns the text of an SSH configuration: ours for this host first, since the first value wins, then the user's.
fn configuration(target: &SshTarget) -> String {
    use std::fmt::Write;
    let quoted = |path: &Path| format!("\"{}\"", path.display());
    let mut text = String::from("# Written by clusterctl.\n");
    // Only for this host: a jump host is reached with the user's own settings.
    let _ = writeln!(text, "Host {}", target.host);
    let mut option = |name: &str, value: String| {
        let _ = writeln!(text, "  {name} {value}");
    };
    option("BatchMode", "yes".to_owned());
    option("ControlPersist", target.persist.as_secs().max(1).to_string());
    option("ConnectTimeout", target.connect_timeout.as_secs().max(1).to_string());
    option("RequestTTY", "no".to_owned());
    option("ClearAllForwardings", "yes".to_owned());
    option("PermitLocalCommand", "no".to_owned());
    option("RemoteCommand", "none".to_owned());
    if let Some(user) = &target.user {
        option("User", user.clone());
    }
    if let Some(port) = target.port {
        option("Port", port.to_string());
    }
    if let Some(identity) = &target.identity {
        option("IdentityFile", quoted(identity));
        option("IdentitiesOnly", "yes".to_owned());
    }
    if let Some(jump) = &target.jump {
        option("ProxyJump", jump.clone());
    }
    if let Some(known_hosts) = &target.known_hosts {
        option("UserKnownHostsFile", quoted(known_hosts));
    }
    text.push_str("Match all\n");
    match &target.config {
        Some(config) => {
            let _ = writeln!(text, "  Include {}", quoted(config));
        }
        None => text.push_str("  Include ~/.ssh/config\n  Include /etc/ssh/ssh_config\n"),
    }
    text.push_str("Match all\n  ServerAliveInterval 15\n  ServerAliveCountMax 2\n");
    text
}

#[cfg(test)]
mod tests {
    use super::{SshTarget, configuration};
    use std::time::Duration;

    #[test]
    fn our_settings_come_first_and_only_for_the_host() {
        let target = SshTarget {
            host: "2001:db8::12".to_owned(),
            user: Some("zeek".to_owned()),
            port: Some(2222),
            identity: Some("/keys/my key".into()),
            config: None,
            jump: Some("gate.example.org".to_owned()),
            known_hosts: None,
            persist: Duration::ZERO,
            connect_timeout: Duration::from_secs(10),
        };
        insta::assert_snapshot!(configuration(&target), @r#"
        # Written by clusterctl.
        Host 2001:db8::12
          BatchMode yes
          ControlPersist 1
          ConnectTimeout 10
          RequestTTY no
          ClearAllForwardings yes
          PermitLocalCommand no
          RemoteCommand none
          User zeek
          Port 2222
          IdentityFile "/keys/my key"
          IdentitiesOnly yes
          ProxyJump gate.example.org
        Match all
          Include ~/.ssh/config
          Include /etc/ssh/ssh_config
        Match all
          ServerAliveInterval 15
          ServerAliveCountMax 2
        "#);
    }
}
