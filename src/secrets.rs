//! Secrets that hosts keep in `<home>/secrets/`, never in a release: what they are, and under which name.
//!
//! A name has a digest of the content in it. So it may stand in a release, a plan or a log, tells whether two hosts have
//! the same, and an old one stays beside a new one until no release needs it. What is guessable by itself must not be
//! the whole content.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::release::digest;
pub use crate::release::{CURVE, PASSPHRASE};

/// A file that a host keeps to itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name: what it is, and 16 hex digits of the SHA-256 of its content.
    pub name: String,
    /// What is in it.
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
    name.rsplit_once('-').is_some_and(|(_, part)| part.len() == 16 && digest.starts_with(part))
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

    #[test]
    fn a_secret_is_not_in_what_is_printed_for_debugging() {
        let secret = Secret::new("x", *b"hush");
        assert!(!format!("{secret:?}").contains("hush") && !format!("{secret:?}").contains("104"));
    }
}
