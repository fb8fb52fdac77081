//! SSH over masters of our own.
//!
//! A master is started once for each way to reach a host, under a lock, and left to OpenSSH's `ControlPersist`, so
//! that the next command finds it warm. Its generated configuration includes the user's, which decides all that the
//! description does not, host key checking above all. Every call on a master has a deadline, because a frozen one
//! never answers.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};

use super::config::{configuration, includes};
use super::failure::{Failure, HostFailure};
use super::frame::{self, RemoteScript, ScriptOutput};
use super::{ByteStream, SshTarget};
use crate::scripts;

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
pub(super) struct SshHost {
    target: Box<SshTarget>,
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
    pub(super) fn new(target: Box<SshTarget>, connecting: Arc<Semaphore>) -> Self {
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

    pub(super) async fn run(&self, call: RemoteScript<'_>, limit: Instant) -> Result<ScriptOutput, Failure> {
        let deadline = call.deadline;
        let late = |_| Failure::timeout(deadline);
        let mut master = tokio::time::timeout_at(limit, self.master()).await.map_err(late)??;
        // Constant but for the script's length, which is a number.
        let sent = scripts::sent(call.script);
        let line = format!("exec sh -c '{}' sh {}", scripts::LOADER, sent.len());
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
                    return Err(Failure::new(HostFailure::Sessions, why));
                }
                Err(e) => return Err(Failure::new(HostFailure::Dropped, chain(&e))),
            }
        };
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin().take(), child.stdout().take(), child.stderr().take())
        else {
            return Err(Failure::new(HostFailure::Other, "the ssh session has no standard streams"));
        };
        match frame::converse(sent, call, stdin, stdout, stderr, limit).await {
            // What says nothing may be a connection that broke.
            Err(failure) if failure.kind == HostFailure::Shell && !master.answers().await => {
                Err(Failure::new(HostFailure::Dropped, "the connection broke before the host answered"))
            }
            reply => reply,
        }
    }

    pub(super) async fn forbids(&self, port: u16) -> Option<Failure> {
        let dir = socket_dir().ok()?;
        let way = Route::find(&self.target, &dir).await.ok()?;
        let _permit = self.connecting.acquire().await.ok()?;
        let mut ssh = way.ssh();
        ssh.args(["-o", "ControlMaster=no", "-o", "ControlPersist=no", "-S", "none"]);
        ssh.arg("-W").arg(format!("127.0.0.1:{port}")).arg("--").arg(&way.destination);
        let (_, text) = said(ssh, patience(&self.target)).await.ok()?;
        let failure = Failure::from_ssh(&text);
        (failure.kind == HostFailure::Forwarding && !failure.on_the_way).then(|| {
            Failure::new(
                HostFailure::Forwarding,
                format!("its sshd forbids connections to port {port} (AllowTcpForwarding or PermitOpen)"),
            )
        })
    }

    pub(super) async fn dial(&self, port: u16) -> Result<(Box<dyn ByteStream>, Child), Failure> {
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
    // Which destination it is for is asked only where a master has to be started.
    let named = target.name.as_deref().unwrap_or(&target.host);
    let name = short_digest(configuration(target, named)?.as_bytes());
    let socket = dir.join(&name);
    if let Some(master) = enter(&socket).await {
        return Ok(master);
    }
    sweep_once(&dir);
    let _held = Lock::take(dir.join(format!("{name}.lock")), target.connect_timeout * 2 + Duration::from_secs(20))
        .await
        .map_err(|e| io("can't lock the SSH socket", e))?;
    // Somebody else may have started it while we waited.
    if let Some(master) = enter(&socket).await {
        return Ok(master);
    }
    let _ = fs::remove_file(&socket);
    let way = Route::find(target, &dir).await?;
    let mut tries = 0;
    loop {
        tries += 1;
        let result = {
            let Ok(_permit) = connecting.acquire().await else {
                return Err(Failure::new(HostFailure::Other, "interrupted"));
            };
            start(target, &way, &socket).await
        };
        match result {
            Ok(()) => match enter(&socket).await {
                Some(master) => return Ok(master),
                // One that nobody has entered yet ends after `ControlPersist`, which is a second without `persist`: on a
                // busy machine it may be over.
                None if tries < HANDSHAKES => drop(fs::remove_file(&socket)),
                None => {
                    let why = "the SSH connection was set up but does not answer";
                    return Err(Failure::new(HostFailure::Other, why));
                }
            },
            Err(e) if e.kind == HostFailure::Dropped && tries < HANDSHAKES => {
                // Spread over time, so that those who were dropped together do not come back together.
                let spread = u64::from(std::process::id() % 97) * 3 + u64::from(tries) * 250;
                tokio::time::sleep(Duration::from_millis(spread)).await;
            }
            Err(e) => return Err(e),
        }
    }
}

async fn enter(socket: &Path) -> Option<Master> {
    if !socket.exists() {
        return None;
    }
    let session = Arc::new(openssh::Session::resume_mux(socket.into(), None));
    let master = Master { session, socket: socket.to_owned() };
    master.answers().await.then_some(master)
}

/// How ssh is asked for a target: its configuration, which is there as long as this, and the destination.
struct Route {
    config: tempfile::NamedTempFile,
    destination: String,
}

impl Route {
    /// Finds the destination: the host's name, so that what the user's configuration says of it counts. Where it says
    /// something of the address alone, the address.
    async fn find(target: &SshTarget, dir: &Path) -> Result<Self, Failure> {
        let other =
            |e: std::io::Error| Failure::new(HostFailure::Other, format!("can't write the SSH configuration: {e}"));
        let file = |text: &str| -> std::io::Result<tempfile::NamedTempFile> {
            use std::io::Write;
            // Mode 0600.
            let mut file = tempfile::Builder::new().suffix(".conf").tempfile_in(dir)?;
            file.write_all(text.as_bytes())?;
            Ok(file)
        };
        let mut destination = target.host.clone();
        if let Some(name) = &target.name {
            let users = file(&includes(target)?).map_err(other)?;
            let [nobody, named, addressed] = futures_util::future::join_all(
                [NOBODY, name, &target.host].map(|destination| said_of(target, users.path(), destination)),
            )
            .await
            .try_into()
            .unwrap_or_default();
            // What can't be told is as if nothing was said; a configuration that is wrong is told by the connection.
            if named != nobody || addressed == nobody {
                destination.clone_from(name);
            }
        }
        let config = file(&configuration(target, &destination)?).map_err(other)?;
        Ok(Self { config, destination })
    }

    fn ssh(&self) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(self.config.path());
        command
    }
}

/// A name that no configuration says anything of but what it says of all.
const NOBODY: &str = "clusterctl-knows-no-such-host.invalid";
/// How long ssh may take to read its configuration, and the most that it may say of it.
const READING: Duration = Duration::from_secs(5);
const SAID: u64 = 64 << 10;

/// What the user's configuration says of a destination, without what names the destination itself.
async fn said_of(target: &SshTarget, config: &Path, destination: &str) -> Option<Vec<String>> {
    let mut ssh = Command::new("ssh");
    ssh.arg("-F").arg(config).arg("-G");
    if let Some(user) = &target.user {
        ssh.arg("-l").arg(user);
    }
    if let Some(port) = target.port {
        ssh.arg("-p").arg(port.to_string());
    }
    ssh.arg("--").arg(destination).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = ssh.process_group(0).kill_on_drop(true).spawn().ok()?;
    let mut text = Vec::new();
    let mut stdout = child.stdout.take()?.take(SAID);
    timeout(READING, stdout.read_to_end(&mut text)).await.ok()?.ok()?;
    let line = |line: &str| match line.split_once(' ') {
        // Ours is given with -S, and its tokens are filled in.
        Some(("host" | "controlpath", _)) => None,
        Some(("hostname", name)) => Some(format!("hostname {}", name.replace(destination, "%h"))),
        _ => Some(line.to_owned()),
    };
    Some(String::from_utf8_lossy(&text).lines().filter_map(line).collect())
}

/// How long ssh may take to get in: `ConnectTimeout` bounds TCP and the banner, and authentication may take as long again.
fn patience(target: &SshTarget) -> Duration {
    target.connect_timeout * 2 + Duration::from_secs(5)
}

/// Runs an ssh to its end; returns whether it ended well and what it wrote on stderr.
async fn said(mut ssh: Command, deadline: Duration) -> Result<(bool, String), Failure> {
    use std::io::{Read, Seek};
    let other = |e: std::io::Error| Failure::new(HostFailure::Other, format!("can't start ssh: {e}"));
    // A daemon keeps stderr open, so it is a file: reading a pipe to its end would wait for the daemon's.
    let mut log = tempfile::tempfile().map_err(other)?;
    let mut child = ssh
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.try_clone().map_err(other)?)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(other)?;
    let Ok(status) = timeout(deadline, child.wait()).await else {
        let _ = child.kill().await;
        return Err(Failure::timeout(deadline));
    };
    let status = status.map_err(other)?;
    let mut raw = Vec::new();
    let _ = log.rewind();
    let _ = log.take(SAID).read_to_end(&mut raw);
    Ok((status.success(), String::from_utf8_lossy(&raw).into_owned()))
}

/// Starts a master; returns when it is in the background and serves its socket.
async fn start(target: &SshTarget, way: &Route, socket: &Path) -> Result<(), Failure> {
    let mut ssh = way.ssh();
    ssh.args(["-o", "ControlMaster=yes", "-S"]).arg(socket).args(["-N", "-f", "-T", "--"]).arg(&way.destination);
    let (well, text) = said(ssh, patience(target)).await?;
    if well {
        return Ok(());
    }
    if Failure::hides_a_proxy(&text) {
        // ssh gives its proxy no stderr where the connection is to persist, so why it failed shows without that.
        let mut ssh = way.ssh();
        ssh.args(["-o", "ControlMaster=no", "-o", "ControlPersist=no", "-S", "none", "-T", "--"]);
        ssh.arg(&way.destination).arg("exit");
        if let Ok((false, text)) = said(ssh, patience(target)).await {
            return Err(Failure::from_ssh(&text));
        }
    }
    Err(Failure::from_ssh(&text))
}

/// Returns the folder for sockets: 0700, ours, and short, since a socket's path has at most 107 bytes.
fn socket_dir() -> std::io::Result<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
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
    let shown = dir.display();
    let wrong = if !meta.is_dir() || meta.uid() != uid {
        let what = if meta.is_dir() { format!("belongs to user {}", meta.uid()) } else { "is no folder".to_owned() };
        // Only its owner or root can take it out of /tmp, so there has to be a way beside it.
        format!(
            "{shown} {what}: set XDG_RUNTIME_DIR to a folder of your own (mode 0700, at most 58 characters), or let root \
             remove {shown}"
        )
    } else if meta.mode() & 0o077 != 0 {
        format!("others may enter {shown}; run: chmod 700 {shown}")
    } else {
        return Ok(dir);
    };
    Err(std::io::Error::other(wrong))
}

/// What is left in the folder of sockets is old after this: nothing that is at work there takes a day.
const OLD: Duration = Duration::from_secs(24 * 3600);

/// Takes away what commands that were killed have left in the folder of sockets, once for each command.
fn sweep_once(dir: &Path) {
    static SWEPT: std::sync::Once = std::sync::Once::new();
    SWEPT.call_once(|| sweep(dir));
}

fn sweep(dir: &Path) {
    let old = |meta: &fs::Metadata| meta.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > OLD));
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        if !old(&meta) {
            continue;
        }
        if meta.file_type().is_socket() {
            // One that serves lets us in; it stays.
            if std::os::unix::net::UnixStream::connect(&path).is_err() {
                let _ = fs::remove_file(&path);
            }
        } else if path.extension().is_some_and(|e| e == "lock") {
            if let Ok(file) = File::open(&path)
                && file.try_lock().is_ok()
                && is_at(&file, &path)
            {
                let _ = fs::remove_file(&path);
            }
        } else if meta.is_file() {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Tells whether a path still leads to an open file.
fn is_at(file: &File, path: &Path) -> bool {
    let one = |meta: fs::Metadata| (meta.dev(), meta.ino());
    file.metadata().ok().map(one).is_some_and(|it| fs::symlink_metadata(path).ok().map(one) == Some(it))
}

fn short_digest(data: &[u8]) -> String {
    Sha256::digest(data).iter().take(10).map(|b| format!("{b:02x}")).collect()
}

/// A lock that is a file, which is there only while somebody has it or waits for it.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    async fn take(path: PathBuf, deadline: Duration) -> std::io::Result<Self> {
        let limit = Instant::now() + deadline;
        loop {
            let file = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { path, _file: file }),
                // Who had it before us has removed it, so it is no lock any more.
                Ok(()) => {}
                Err(fs::TryLockError::Error(e)) => return Err(e),
                Err(fs::TryLockError::WouldBlock) if Instant::now() >= limit => {
                    return Err(std::io::Error::other("another clusterctl has been connecting for too long"));
                }
                Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(30)).await,
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
