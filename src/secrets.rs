//! Secrets that hosts keep in `<home>/secrets/`, never in a release: what they are, and under which name.
//!
//! A name has a digest of the content in it. So it may stand in a release, a plan or a log, tells whether two hosts have
//! the same, and an old one stays beside a new one until no release needs it. What is guessable by itself must not be
//! the whole content.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
pub use crate::release::{CURVE, PASSPHRASE};
use crate::release::{digest, secret_kind};
use crate::values::is_secret_name;
use crate::zeek::{TLS_FILES, TLS_PASSPHRASE};

/// A file that a host keeps to itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name: what it is, and 16 hex digits of the SHA-256 of its content.
    pub name: String,
    pub content: Arc<[u8]>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secret").field(&self.name).finish()
    }
}

impl Secret {
    /// Names a content.
    pub fn new(kind: &str, content: impl Into<Arc<[u8]>>) -> Self {
        let content = content.into();
        Self { name: format!("{kind}-{}", &digest(&content)[..16]), content }
    }
}

/// Tells whether a name means a content of this digest.
pub fn is_named(name: &str, digest: &str) -> bool {
    is_secret_name(name) && name.rsplit_once('-').is_some_and(|(_, part)| digest.starts_with(part))
}

/// The largest secret that is taken from a host, in bytes.
const LARGEST: usize = 1 << 20;

/// What precedes each of [`KEYS`].
const VARIABLES: &str = "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_";
/// The variables of CURVE's keys.
const KEYS: [&str; 4] = ["SERVER_PUBLICKEY", "SERVER_SECRETKEY", "CLIENT_PUBLICKEY", "CLIENT_SECRETKEY"];

impl Secret {
    /// Takes a secret that a host handed out: it is what its name says, and nothing beside that. Its lines end on other
    /// hosts in the environment of nodes, or in a file that Zeek reads.
    ///
    /// # Errors
    /// Where it is not; what is wrong, without any of its content.
    pub fn from_host(name: &str, content: Vec<u8>) -> Result<Self, String> {
        if !is_secret_name(name) {
            return Err("it has a name that clusterctl never gives to a secret".to_owned());
        }
        if content.len() > LARGEST {
            return Err("it is too large for a secret".to_owned());
        }
        let secret = Self::new(secret_kind(name), content);
        if secret.name != name {
            return Err("the content does not match the digest in its name".to_owned());
        }
        let text = std::str::from_utf8(&secret.content).map_err(|_| "it is not text".to_owned())?;
        let right = match secret_kind(name) {
            CURVE => is_curve(text),
            PASSPHRASE => is_passphrase(text),
            kind if kind == TLS_FILES[2].kind => is_pem(text, "PRIVATE KEY"),
            kind if TLS_FILES.iter().any(|file| file.kind == kind) => is_pem(text, "CERTIFICATE"),
            _ => return Err("it is of a kind that is not known".to_owned()),
        };
        if right { Ok(secret) } else { Err("the content is not of the kind that its name says".to_owned()) }
    }
}

/// Tells whether a text is CURVE's four keys, each once, one a line, and nothing else.
fn is_curve(text: &str) -> bool {
    let key = |line: &str| {
        let (name, key) = line.strip_prefix(VARIABLES)?.split_once('=')?;
        let at = KEYS.iter().position(|known| *known == name)?;
        (key.len() == 40 && z85::decode(key).is_ok_and(|bytes| bytes.len() == 32)).then_some(at)
    };
    let Some(lines) = text.strip_suffix('\n') else { return false };
    let mut seen: Vec<Option<usize>> = lines.split('\n').map(key).collect();
    seen.sort_unstable();
    seen == (0..KEYS.len()).map(Some).collect::<Vec<_>>()
}

/// Tells whether a text is a passphrase after the digest of its key.
fn is_passphrase(text: &str) -> bool {
    let Some((key, rest)) = text.strip_prefix("# ").and_then(|rest| rest.split_once('\n')) else { return false };
    let value = rest.strip_prefix(TLS_PASSPHRASE).and_then(|rest| rest.strip_prefix('=')?.strip_suffix('\n'));
    key.len() == 64
        && key.bytes().all(|b| b.is_ascii_hexdigit())
        && value.is_some_and(|value| !value.contains(['\n', '\0']))
}

/// Tells whether a text is PEM (RFC 7468) of nothing but this; text around it may explain it.
fn is_pem(text: &str, label: &str) -> bool {
    let mut open: Option<&str> = None;
    let mut blocks = 0;
    for line in text.lines() {
        if line.chars().any(|c| c.is_control() && c != '\t' && c != '\r') {
            return false;
        }
        let line = line.trim_end();
        let mark = |what: &str| line.strip_prefix(what).and_then(|rest| rest.strip_suffix("-----"));
        match (mark("-----BEGIN "), mark("-----END "), open) {
            (Some(begins), _, None) if begins.ends_with(label) || begins.ends_with("PARAMETERS") => open = Some(begins),
            (Some(_), ..) => return false,
            (_, Some(ends), Some(begun)) if ends == begun => {
                blocks += usize::from(ends.ends_with(label));
                open = None;
            }
            (_, Some(_), _) => return false,
            _ => {}
        }
    }
    blocks > 0 && open.is_none()
}

/// Makes new CURVE keys for ZeroMQ, one pair for those that listen and one for those that connect, as lines
/// `VARIABLE=KEY` of the variables that Zeek reads (its frameworks/cluster/backend/zeromq/main.zeek, 8.2).
///
/// # Errors
/// Where the machine has no random numbers.
pub fn curve() -> Result<Secret, Error> {
    let mut text = String::new();
    for side in ["SERVER", "CLIENT"] {
        let (public, secret) = key_pair()?;
        for (kind, key) in [("PUBLIC", public), ("SECRET", secret)] {
            text.push_str(&format!("ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_{side}_{kind}KEY={key}\n"));
        }
    }
    Ok(Secret::new(CURVE, text.into_bytes()))
}

/// Makes what digests of secrets are made with: 64 hex digits.
///
/// # Errors
/// Where the machine has no random numbers.
pub fn salt() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::failed("can't hide secrets: this machine has no random numbers").because(e))?;
    // Of random bytes, so that it is hex without a further word on how.
    Ok(digest(&bytes))
}

/// A key pair in Z85 (ZeroMQ RFC 32), as `zmq_curve_keypair` makes it: public, then secret.
fn key_pair() -> Result<(String, String), Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)
        .map_err(|e| Error::failed("can't make keys: this machine has no random numbers").because(e))?;
    let public = x25519_dalek::x25519(secret, x25519_dalek::X25519_BASEPOINT_BYTES);
    Ok((z85::encode(public), z85::encode(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn z85_is_that_of_the_rfc() {
        let bytes = [0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B];
        assert_eq!(z85::encode(bytes), "HelloWorld");
    }

    /// The server's keys of `zmq_curve(7)` and RFC 26's examples.
    #[test]
    fn the_public_key_follows_from_the_secret_as_libzmq_has_it() {
        let secret = z85::decode("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6").unwrap();
        let public = x25519_dalek::x25519(secret.try_into().unwrap(), x25519_dalek::X25519_BASEPOINT_BYTES);
        assert_eq!(z85::encode(public), "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
    }

    #[test]
    fn keys_are_new_each_time_and_have_the_names_that_zeek_reads() {
        let (one, two) = (curve().unwrap(), curve().unwrap());
        assert_ne!(one, two);
        let text = String::from_utf8(one.content.to_vec()).unwrap();
        let keys: Vec<(&str, &str)> = text.lines().filter_map(|l| l.split_once('=')).collect();
        assert_eq!(keys.len(), 4);
        assert!(
            keys.iter().all(|(name, key)| name.starts_with("ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_") && key.len() == 40)
        );
        assert!(is_named(&one.name, &digest(&one.content)) && !is_named(&two.name, &digest(&one.content)));
    }

    fn from_host(kind: &str, text: &str) -> Result<Secret, String> {
        Secret::from_host(&Secret::new(kind, text.as_bytes()).name, text.as_bytes().to_vec())
    }

    #[test]
    fn keys_from_a_host_are_the_four_lines_and_nothing_else() {
        let keys = String::from_utf8(curve().unwrap().content.to_vec()).unwrap();
        assert!(from_host(CURVE, &keys).is_ok());
        let first = keys.lines().next().unwrap();
        let planted = [
            format!("{keys}ZEEKPATH=/tmp/evil\n"),
            format!("LD_LIBRARY_PATH=/tmp/evil\n{keys}"),
            format!("{keys}\n"),
            format!("{keys}{first}\n"),
            keys.trim_end().to_owned(),
            keys.replacen("SERVER_PUBLICKEY", "SERVER_OTHERKEY", 1),
            keys.replacen("ZEEK_", "ZEEK-", 1),
            keys.replace('\n', "\r\n"),
            keys.replacen(&first[first.len() - 40..], "short", 1),
            keys.replacen(&first[first.len() - 40..], &"\"".repeat(40), 1),
            keys.lines().take(3).map(|line| format!("{line}\n")).collect(),
            format!("# {}\n{keys}", "0".repeat(64)),
            String::new(),
            "ZEEKPATH=/tmp/evil\nLD_LIBRARY_PATH=/tmp/evil\n".to_owned(),
        ];
        for text in planted {
            assert!(from_host(CURVE, &text).is_err(), "{text:?}");
        }
        // Another content than that of the name, names that are paths, and kinds that are none.
        let other = curve().unwrap();
        assert!(Secret::from_host(&other.name, keys.clone().into_bytes()).is_err());
        for name in ["zeromq-../../../../etc/", "zeromq", "../zeromq-0123456789abcdef", "zeromq-0123456789abcde\n"] {
            assert!(Secret::from_host(name, keys.clone().into_bytes()).is_err(), "{name:?}");
            assert!(!is_named(name, name.rsplit('-').next().unwrap()), "{name:?}");
        }
        assert!(from_host("environment", &keys).is_err());
        assert!(Secret::from_host("zeromq-0123456789abcdef", vec![b'x'; 2 << 20]).is_err());
    }

    #[test]
    fn other_secrets_from_a_host_have_their_form_too() {
        let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let [ca, certificate, key] = TLS_FILES.map(|file| file.kind);
        assert!(from_host(ca, &format!("subject=x\n{}{}", pem("CERTIFICATE"), pem("TRUSTED CERTIFICATE"))).is_ok());
        assert!(from_host(certificate, &pem("CERTIFICATE")).is_ok());
        assert!(from_host(key, &pem("ENCRYPTED PRIVATE KEY")).is_ok());
        assert!(from_host(key, &(pem("EC PARAMETERS") + &pem("EC PRIVATE KEY"))).is_ok());
        assert!(from_host(key, &pem("CERTIFICATE")).is_err());
        assert!(from_host(certificate, &(pem("CERTIFICATE") + &pem("PRIVATE KEY"))).is_err());
        assert!(from_host(certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n").is_err());
        assert!(from_host(certificate, "").is_err());
        let digest = "0".repeat(64);
        assert!(from_host(PASSPHRASE, &format!("# {digest}\n{TLS_PASSPHRASE}=a b $(id)\n")).is_ok());
        for wrong in [
            format!("# {digest}\n{TLS_PASSPHRASE}=x\nLD_PRELOAD=/tmp/x\n"),
            format!("LD_PRELOAD=/tmp/x\n{TLS_PASSPHRASE}=x\n"),
            format!("# {digest}\nLD_PRELOAD=x\n"),
        ] {
            assert!(from_host(PASSPHRASE, &wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_secret_is_not_in_what_is_printed_for_debugging() {
        let secret = Secret::new("x", *b"hush");
        assert!(!format!("{secret:?}").contains("hush") && !format!("{secret:?}").contains("104"));
    }
}
