//! A real sshd on the loopback address, with keys and a client configuration of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";
/// From the start of sshd to its first accepted connection.
const READY: Duration = Duration::from_secs(10);

/// Tells that a test has to be skipped, since there is no sshd.
pub(crate) fn is_missing() -> bool {
    super::lacks("no sshd", "install openssh-server", !Path::new(SSHD).exists())
}

/// A running sshd. It ends, with all its connections, when this is dropped.
#[derive(Debug)]
pub(crate) struct Sshd {
    child: Child,
    port: u16,
    dir: TempDir,
}

impl Sshd {
    /// Starts one that lets the current user in, from 127.0.0.1 only.
    ///
    /// # Panics
    /// With the reason, when there is no sshd or it does not start.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`Sshd::start`], with further lines of `sshd_config`. They stand first, where sshd lets the first
    /// of two values win. `ListenAddress 127.0.0.2` adds an address that can play another host.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        assert!(Path::new(SSHD).exists(), "{SSHD} is missing: install openssh-server (tests/run.sh does)");
        // Where sshd, as root, jails its unprivileged half; its package's unit makes it, and nothing started that here.
        if !Path::new("/run/sshd").exists() {
            fs::create_dir_all("/run/sshd").unwrap_or_else(|error| panic!("cannot make /run/sshd: {error}"));
        }
        let dir = tempfile::Builder::new().prefix("sshd-").tempdir().unwrap_or_else(|error| panic!("{error}"));
        for key in ["host_key", "id"] {
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"])
                .arg(dir.path().join(key)));
        }
        // A port that was free a moment ago may be taken by now, so there is more than one try.
        let mut tries = 3;
        loop {
            let port = free_port();
            write_configs(dir.path(), port, options);
            match spawn(dir.path(), port) {
                Ok(child) => return Self { child, port, dir },
                Err(reason) => {
                    tries -= 1;
                    assert!(tries > 0, "sshd does not start: {reason}");
                }
            }
        }
    }

    /// The configuration with which `ssh -F` gets in, without a question, at any address of 127.0.0.0/24.
    pub(crate) fn ssh_config_path(&self) -> PathBuf {
        self.dir.path().join("ssh_config")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The listener's process, for tests that freeze or end it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Each connection is served by a child that outlives the listener, and leads a session of its own.
        let pid = self.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !children.trim().is_empty() {
            let _ = Command::new("kill").args(children.split_whitespace()).stderr(Stdio::null()).status();
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .unwrap_or_else(|error| panic!("no free port: {error}"))
        .port()
}

fn write_configs(dir: &Path, port: u16, options: &[&str]) {
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let write = |name: &str, text: String| {
        fs::write(dir.join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o600))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    };
    let folder = dir.display();
    let options = options.join("\n");
    write("authorized_keys", read("id.pub"));
    write("known_hosts", format!("[127.0.0.*]:{port} {}", read("host_key.pub")));
    write(
        "sshd_config",
        format!(
            "{options}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\n\
             AuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nUsePAM no\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
             MaxStartups 200:30:400\nPrintMotd no\n"
        ),
    );
    write(
        "ssh_config",
        format!(
            "Host 127.0.0.*\n    Port {port}\n    IdentityFile {folder}/id\n    IdentitiesOnly yes\n    \
             IdentityAgent none\n    UserKnownHostsFile {folder}/known_hosts\n    GlobalKnownHostsFile /dev/null\n    \
             StrictHostKeyChecking yes\n    BatchMode yes\n"
        ),
    );
}

/// Starts sshd and waits until it accepts; else its own words.
fn spawn(dir: &Path, port: u16) -> Result<Child, String> {
    let log = dir.join("log");
    let mut child = Command::new(SSHD)
        .arg("-D")
        .arg("-f")
        .arg(dir.join("sshd_config"))
        .arg("-E")
        .arg(&log)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let end = Instant::now() + READY;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("{status}: {}", fs::read_to_string(&log).unwrap_or_default()));
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(child);
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("nothing listens on port {port} after {READY:?}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn ssh(server: &Sshd, address: &str) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(server.ssh_config_path()).arg(address).stdin(Stdio::null());
        command
    }

    #[test]
    fn lets_us_in_at_each_of_its_addresses() {
        if is_missing() {
            return;
        }
        let server = Sshd::start_with(&["ListenAddress 127.0.0.2"]);
        for address in ["127.0.0.1", "127.0.0.2"] {
            run(ssh(&server, address).arg("true"));
        }
    }

    #[test]
    fn ends_with_its_connections() {
        if is_missing() {
            return;
        }
        let server = Sshd::start();
        // `cat` ends with its channel; other commands would outlive it.
        let mut open = ssh(&server, "127.0.0.1")
            .arg("echo in; exec cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut word = [0; 3];
        open.stdout.as_mut().unwrap().read_exact(&mut word).unwrap();
        let port = server.port();
        drop(server);
        assert!(!open.wait().unwrap().success());
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
