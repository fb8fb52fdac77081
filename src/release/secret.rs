//! Names of secrets: of those that hosts keep, and of those that a description names.

use crate::cluster::EnvValue;

/// What the name of ZeroMQ's keys begins with.
pub const CURVE: &str = "zeromq";

/// What the name of a passphrase begins with.
pub const PASSPHRASE: &str = "passphrase";

/// Returns what a secret is that hosts keep, by its name.
pub fn secret_kind(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(kind, _)| kind)
}

/// Returns the name under which the value of a secret is looked up; none for a value that is no secret.
pub fn secret_key(value: &EnvValue) -> Option<String> {
    match value {
        EnvValue::Plain(_) | EnvValue::Elsewhere => None,
        EnvValue::SecretFile(path) => Some(format!("file {path}")),
        EnvValue::SecretEnv(name) => Some(format!("env {name}")),
    }
}
