//! Who listens on ports of a host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::limits::number;
use super::malformed::{Malformed, fields, word_of};

/// A process that listens on a port and is no node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// None: on all addresses.
    pub address: Option<IpAddr>,
    pub port: u16,
    user: String,
    /// Pid and name, where the host lets us see them.
    pub process: Option<(u32, String)>,
}

impl Listener {
    /// Reads the lines of a host's answer to `templates/ports.sh`.
    ///
    /// # Errors
    /// Where one is not of the script's, or it did not come to its end.
    pub fn all<S: AsRef<str>>(lines: &[S]) -> Result<Vec<Self>, Malformed> {
        let (mut all, mut ended) = (Vec::new(), false);
        for line in lines {
            let line = line.as_ref();
            match word_of(line) {
                _ if ended => return Err(Malformed::unsaid(line)),
                ("listens", value) => all.push(Self::parse(value).map_err(|why| Malformed::line(line, why))?),
                ("ports", "end") => ended = true,
                _ => return Err(Malformed::unsaid(line)),
            }
        }
        if ended { Ok(all) } else { Err(Malformed::Missing("ports")) }
    }

    /// Reads `ADDRESS:PORT USER PID NAME`, address and port as the kernel writes them.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let [place, user, pid, name] = fields(text)?;
        let (address, port) = place.split_once(':').ok_or("it has no port")?;
        let address = address_of(address).ok_or("its address is not one of /proc/net/tcp")?;
        let port = u16::from_str_radix(port, 16).map_err(|_| "its port is not one of /proc/net/tcp")?;
        let process = match pid {
            "-" => None,
            pid => Some((number(pid)?, name.to_owned())),
        };
        Ok(Self { address: Some(address).filter(|a| !a.is_unspecified()), port, user: user.to_owned(), process })
    }

    /// Says which process has the port.
    pub fn words(&self) -> String {
        match &self.process {
            Some((pid, name)) => {
                format!("port {} is held by {name} (pid {pid}, user {})", self.port, self.user)
            }
            None => format!("port {} is held by a process of user {}", self.port, self.user),
        }
    }
}

/// Reads an address of /proc/net/tcp: words of 32 bits as hex digits, each in the machine's own order of bytes. All
/// machines that Zeek is built for begin with the lowest.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_le_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (i, four) in bytes.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(i * 8)?);
            }
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_read() {
        let lines = ["listens 0100007F:6C70 zeek 4711 nc -l", "listens 00000000:0016 root - -", "ports end"];
        let all = Listener::all(&lines).unwrap();
        assert_eq!(all[0].words(), "port 27760 is held by nc -l (pid 4711, user zeek)");
        assert_eq!((all[0].address, all[1].address), ("127.0.0.1".parse().ok(), None));
        assert_eq!(all[1].words(), "port 22 is held by a process of user root");
        assert_eq!(Listener::all(&lines[..2]), Err(Malformed::Missing("ports")));
        assert_eq!(Listener::all(&lines[2..]), Ok(Vec::new()));
    }

    #[test]
    fn a_line_that_is_malformed_is_named_and_no_port_is_free_by_it() {
        for line in [
            "",
            "noise",
            "listens",
            "listens 0100007F:6C70 zeek 4711",
            "listens 0100007F zeek 4711 nc",
            "listens 0100007F:x zeek 4711 nc",
            "listens 0100007F:10000 zeek 4711 nc",
            "listens 7F:6C70 zeek 4711 nc",
            "listens \u{e9}00007F:6C70 zeek 4711 nc",
            "listens 0100007F:6C70 zeek x nc",
            "listens 0100007F:6C70 zeek -1 nc",
            "listens 0100007F:6C70  4711 nc",
            "ports",
            "ports end of them",
        ] {
            let Err(Malformed::Line(said)) = Listener::all(&[line, "ports end"]) else { panic!("{line}") };
            assert!(said.starts_with(&format!("{line:?}: ")), "{said}");
        }
        assert!(
            matches!(Listener::all(&["ports end", "ports end"]), Err(Malformed::Line(_))),
            "nothing follows its end"
        );
    }
}
