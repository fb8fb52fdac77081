//! Where the stand-in was started: its prefix, its version, and how it is to behave.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::version::Version;

/// The surroundings of the process.
#[derive(Debug, Clone)]
pub struct Setup {
    /// How it was called: `argv[0]`.
    pub program: String,
    /// The install prefix: the parent of the program's folder.
    pub prefix: PathBuf,
    /// `CLUSTER_NODE`, or empty.
    pub node: String,
    /// `ZEEKPATH`, if it is set.
    pub zeekpath: Option<OsString>,
}

impl Setup {
    /// Reads the surroundings.
    pub fn new(program: String) -> Self {
        let path = if program.contains('/') {
            std::path::absolute(&program).ok()
        } else {
            let dirs = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&dirs).map(|d| d.join(&program)).find(|p| p.is_file())
        };
        let prefix = path
            .as_deref()
            .and_then(Path::parent)
            .and_then(Path::parent)
            .map_or_else(|| PathBuf::from("/usr/local/zeek"), Path::to_path_buf);
        let zeekpath = std::env::var_os("ZEEKPATH").filter(|p| !p.is_empty());
        Self { program, prefix, node: std::env::var("CLUSTER_NODE").unwrap_or_default(), zeekpath }
    }

    /// How the stand-in is to behave in one point, read now: the environment beats `./zeek-sim.conf`, that beats
    /// `etc/zeek-sim/<node>.conf` and `etc/zeek-sim.conf` of the prefix.
    pub fn conduct(&self, key: &str) -> Option<String> {
        if let Ok(value) = std::env::var(format!("ZEEK_SIM_{}", key.to_uppercase())) {
            return Some(value);
        }
        let etc = self.prefix.join("etc");
        let own = etc.join("zeek-sim").join(format!("{}.conf", self.node));
        [PathBuf::from("zeek-sim.conf"), own, etc.join("zeek-sim.conf")]
            .iter()
            .find_map(|file| read_conf(file)?.remove(key))
    }

    /// Whether a point of conduct is switched on.
    pub fn is(&self, key: &str) -> bool {
        self.conduct(key).is_some_and(|v| !matches!(v.as_str(), "" | "0" | "no" | "false" | "off" | "F"))
    }

    /// A number of a point of conduct.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.conduct(key)?.parse().ok()
    }

    /// A duration in milliseconds.
    pub fn millis(&self, key: &str) -> Option<Duration> {
        self.conduct(key)?.parse().ok().map(Duration::from_millis)
    }

    /// The version to play.
    pub fn version(&self) -> Version {
        self.conduct("version")
            .as_deref()
            .and_then(Version::parse)
            .unwrap_or(Version { number: (8, 0), text: "8.0.10".into() })
    }

    /// Where scripts are looked for.
    pub fn zeekpath(&self) -> Vec<PathBuf> {
        if let Some(path) = &self.zeekpath {
            std::env::split_paths(path).collect()
        } else {
            let share = self.share();
            vec![
                PathBuf::from("."),
                share.clone(),
                share.join("policy"),
                share.join("site"),
                share.join("builtin-plugins"),
            ]
        }
    }

    /// Where Zeek's own scripts would lie.
    pub fn share(&self) -> PathBuf {
        self.prefix.join("share/zeek")
    }
}

fn read_conf(file: &Path) -> Option<HashMap<String, String>> {
    let text = std::fs::read_to_string(file).ok()?;
    Some(
        text.lines()
            .map(str::trim)
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| l.split_once('='))
            .map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()))
            .collect(),
    )
}

/// Seconds since 1970.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// This machine's name.
pub fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "localhost".into(), |s| s.trim().to_owned())
}

/// Some random bytes.
pub fn random<const N: usize>() -> [u8; N] {
    use std::io::Read as _;
    let mut bytes = [0; N];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut f| f.read_exact(&mut bytes));
    if read.is_err() {
        // Distinct at least between processes.
        let seed = now().to_bits() ^ u64::from(std::process::id());
        bytes.iter_mut().zip(seed.to_le_bytes().iter().cycle()).for_each(|(b, s)| *b = *s);
    }
    bytes
}

/// A random UUID, as Broker's node ids are.
pub fn uuid() -> String {
    let mut b = random::<16>();
    b[6] = (b[6] & 0x0f) | 0x50;
    b[8] = (b[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(b));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_conf_wins_and_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let etc = dir.path().join("etc");
        std::fs::create_dir_all(etc.join("zeek-sim")).unwrap();
        std::fs::write(etc.join("zeek-sim.conf"), "version=7.0.1\nhang=1\n").unwrap();
        let setup =
            Setup { program: "zeek".into(), prefix: dir.path().into(), node: "worker-1".into(), zeekpath: None };
        assert_eq!(setup.version().number, (7, 0));
        assert!(setup.is("hang"));
        std::fs::write(etc.join("zeek-sim/worker-1.conf"), "# no\nhang = 0\n").unwrap();
        assert!(!setup.is("hang"));
    }

    #[test]
    fn the_prefix_is_above_the_folder_of_the_program() {
        assert_eq!(Setup::new("/opt/zeek/bin/zeek".into()).prefix, Path::new("/opt/zeek"));
    }
}
