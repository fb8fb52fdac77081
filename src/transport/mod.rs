//! Reaching hosts: a [`Connection`] runs scripts and opens byte streams, over SSH or here, by the same code.
//!
//! Knows nothing of clusters: it is given a [`Target`] and a [`RemoteScript`].
//!
//! * `frame`: how a script, its arguments and its input travel on stdin, and how the answer is told from noise;
//! * `config`: the SSH configuration that is written for a host;
//! * `ssh`: masters of our own, entered with `openssh`'s `resume_mux`;
//! * `failure`: what can go wrong, told apart.

mod config;
mod failure;
mod frame;
mod ssh;

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

use crate::scripts;

pub use failure::{Failure, HostFailure};
pub use frame::{Input, OnLine, RemoteScript, ScriptOutput};

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// Without SSH: this machine.
    Local,
    Ssh(Box<SshTarget>),
}

/// How SSH reaches a host; what is not set is decided by the user's own SSH configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshTarget {
    /// The name of the host, which is given to ssh, so that what the user's configuration says of that name counts;
    /// none where `host` is.
    pub name: Option<String>,
    /// The name or address to connect to.
    pub host: String,
    /// The user there.
    pub user: Option<String>,
    /// The port there.
    pub port: Option<u16>,
    /// A private key file.
    pub identity: Option<PathBuf>,
    /// An SSH configuration file instead of the user's.
    pub config: Option<PathBuf>,
    /// Jump hosts, as for `ssh -J`.
    pub jump: Option<String>,
    /// A `known_hosts` file.
    pub known_hosts: Option<PathBuf>,
    /// How long the connection stays open between commands; zero: it doesn't.
    pub persist: Duration,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
}

/// Limits that all hosts of one command share, and who is told of what is done on them.
#[derive(Debug, Clone)]
pub struct Shared {
    connecting: Arc<Semaphore>,
    observer: Observer,
}

/// Something that was done on a host.
#[derive(Debug)]
pub struct Done<'a> {
    /// The host, by the name that it was given ([`Connection::named`]).
    pub host: &'a str,
    /// What was done: the name of a script, or that a port was opened.
    pub what: &'a str,
    /// What the script was given on the way that is not secret: arguments (see [`RemoteScript::args`]).
    pub args: &'a [String],
    pub took: Duration,
    /// Why nothing came of it: no answer, or how the script ended.
    pub failure: Option<String>,
}

type Hears = dyn Fn(&Done<'_>) + Send + Sync;

/// Who is told of what is done on hosts, if anybody.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Hears>>);

impl Observer {
    /// Tells somebody.
    pub fn new(hears: impl Fn(&Done<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hears)))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer" } else { "nobody" })
    }
}

impl Shared {
    /// What is done on hosts is told to an observer.
    pub fn observed(observer: Observer) -> Self {
        Self { observer, ..Self::default() }
    }
}

/// What a script on this machine has of our own environment: what sshd would give to a session. The rest of an operator's
/// shell is none of its business, nor of what it starts.
const SESSION: [&str; 6] = ["HOME", "LOGNAME", "PATH", "SHELL", "USER", "XDG_RUNTIME_DIR"];

/// How many connections are set up at the same time: sshd begins to drop at ten unauthenticated ones (`MaxStartups`),
/// and a jump host is one sshd for all hosts behind it.
const CONNECTING: usize = 8;

/// File descriptors that a call to a host keeps as long as it goes on: the master's socket and three pipes.
const DESCRIPTORS: u64 = 4;
/// Those that anything else may need.
const OTHERS: u64 = 256;

/// Makes room for calls that go on to as many hosts at the same time, as far as the hard limit of open files lets
/// (getrlimit(2)); the usual soft one is 1024. Where it does not, a call says that it could not be made.
pub fn room_for(hosts: usize) {
    let wanted = DESCRIPTORS.saturating_mul(hosts as u64).saturating_add(OTHERS);
    if let Ok((soft, hard)) = rlimit::getrlimit(rlimit::Resource::NOFILE)
        && soft < wanted
    {
        // What is told of it is the call's business.
        let _ = rlimit::setrlimit(rlimit::Resource::NOFILE, wanted.min(hard), hard);
    }
}

/// The longest that it takes until as many hosts have been asked something all at once, beyond what one of them may
/// take: connections are set up a few at a time, and a slow handshake takes seconds.
pub fn queueing(hosts: usize) -> Duration {
    Duration::from_secs(2).saturating_mul(u32::try_from(hosts / CONNECTING).unwrap_or(u32::MAX))
}

impl Default for Shared {
    fn default() -> Self {
        Self { connecting: Arc::new(Semaphore::new(CONNECTING)), observer: Observer::default() }
    }
}

/// A byte stream to a port on a host's loopback.
pub struct Tunnel {
    pub stream: Box<dyn ByteStream>,
    /// The ssh process that carries it; ends with it.
    _carrier: Option<tokio::process::Child>,
}

/// Any byte stream.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for T {}

impl tokio::io::AsyncRead for Tunnel {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl tokio::io::AsyncWrite for Tunnel {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A machine on which scripts run.
#[derive(Debug)]
pub struct Connection {
    name: String,
    means: Means,
    observer: Observer,
}

#[derive(Debug)]
enum Means {
    /// This machine.
    Local,
    /// Another one, by SSH.
    Ssh(Box<ssh::SshHost>),
}

impl Connection {
    /// Makes a host; connects to nothing yet.
    pub fn new(target: Target, shared: &Shared) -> Self {
        let means = match target {
            Target::Local => Means::Local,
            Target::Ssh(target) => Means::Ssh(Box::new(ssh::SshHost::new(target, shared.connecting.clone()))),
        };
        Self { name: String::new(), means, observer: shared.observer.clone() }
    }

    /// Gives it a name, by which an observer is told of it.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    fn tell(&self, what: &str, args: &[String], began: Instant, failure: Option<String>) {
        if let Some(hears) = &self.observer.0 {
            hears(&Done { host: &self.name, what, args, took: began.elapsed(), failure });
        }
    }

    /// Runs a script there and returns what it printed. The whole call, connecting included, ends by the call's
    /// deadline.
    ///
    /// # Errors
    /// Where the host can't be reached, or the connection breaks, or the deadline passes. A script that fails is no
    /// error: its status is in the reply.
    pub async fn run(&self, call: RemoteScript<'_>) -> Result<ScriptOutput, Failure> {
        if self.observer.0.is_none() {
            return self.run_unobserved(call).await;
        }
        let (name, began) = (scripts::name(call.script), Instant::now());
        let mut args = call.args.clone();
        args.truncate(args.len().saturating_sub(call.untold));
        let answer = self.run_unobserved(call).await;
        let failure = match &answer {
            Ok(output) if output.ok() => None,
            Ok(output) => Some(format!("exit {}", output.status)),
            Err(failure) => Some(failure.text()),
        };
        self.tell(name, &args, began, failure);
        answer
    }

    async fn run_unobserved(&self, call: RemoteScript<'_>) -> Result<ScriptOutput, Failure> {
        let deadline = call.deadline;
        let limit = tokio::time::Instant::now() + deadline;
        match &self.means {
            Means::Local => {
                let sent = scripts::sent(call.script);
                let session = SESSION.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
                let mut child = tokio::process::Command::new("sh")
                    .args(["-c", scripts::LOADER, "sh", &sent.len().to_string()])
                    .env_clear()
                    .envs(session)
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .process_group(0)
                    .kill_on_drop(true)
                    .spawn()
                    .map_err(|e| Failure::new(HostFailure::Other, format!("can't start sh: {e}")))?;
                let (Some(stdin), Some(stdout), Some(stderr)) =
                    (child.stdin.take(), child.stdout.take(), child.stderr.take())
                else {
                    return Err(Failure::new(HostFailure::Other, "sh has no standard streams"));
                };
                frame::converse(sent, call, stdin, stdout, stderr, limit).await.map_err(|failure| match failure.kind {
                    HostFailure::Timeout => Failure { kind: HostFailure::Slow, ..failure },
                    _ => failure,
                })
            }
            Means::Ssh(host) => host.run(call, limit).await,
        }
    }

    /// Opens a byte stream to a TCP port on the host's loopback address.
    ///
    /// # Errors
    /// Where the host can't be reached by the deadline, or the port refuses (only told here for the local host; over
    /// SSH a refusal shows as the end of the stream).
    pub async fn dial(&self, port: u16, deadline: Duration) -> Result<Tunnel, Failure> {
        let work = async {
            match &self.means {
                Means::Local => {
                    let stream = tokio::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port))
                        .await
                        .map_err(|e| Failure::new(HostFailure::Refused, format!("127.0.0.1:{port}: {e}")))?;
                    Ok(Tunnel { stream: Box::new(stream), _carrier: None })
                }
                Means::Ssh(host) => {
                    let (stream, child) = host.dial(port).await?;
                    Ok(Tunnel { stream, _carrier: Some(child) })
                }
            }
        };
        let began = Instant::now();
        let tunnel = tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| Err(Failure::timeout(deadline)));
        self.tell("a stream to the port", &[port.to_string()], began, tunnel.as_ref().err().map(Failure::text));
        tunnel
    }

    /// Tells why a port on the host's loopback address can't be dialed, where that is the host's will: a refusal of sshd
    /// looks like one of the port in [`Connection::dial`]. Makes a connection of its own.
    pub async fn forbids(&self, port: u16, deadline: Duration) -> Option<Failure> {
        match &self.means {
            Means::Local => None,
            Means::Ssh(host) => tokio::time::timeout(deadline, host.forbids(port)).await.ok().flatten(),
        }
    }

    /// Ends the connection where it is not to stay open between commands.
    pub async fn close(&self) {
        if let Means::Ssh(host) = &self.means {
            host.close().await;
        }
    }
}
