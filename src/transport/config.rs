//! The SSH configuration of a connection. All that goes into it goes through [`Lines::option`], which refuses what could
//! begin a line of its own, whatever its caller has checked: a setting that did would run a command here.

use std::fmt::Write;
use std::path::Path;

use super::SshTarget;
use super::failure::{Failure, HostFailure};
use crate::values::{SshHost, SshUser, never_for_ssh};

/// Lines of an SSH configuration (`ssh_config(5)`).
struct Lines(String);

impl Lines {
    /// Adds a setting. Quotes are put around a value with blanks.
    fn option(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        if let Some(why) = never_for_ssh(value) {
            return Err(refused(name, value, why));
        }
        let quote = if value.contains(char::is_whitespace) || value.starts_with('#') { "\"" } else { "" };
        let _ = writeln!(self.0, "  {name} {quote}{value}{quote}");
        Ok(())
    }

    /// Adds the setting of a file, which is always quoted.
    fn file(&mut self, name: &str, path: &Path) -> Result<(), Failure> {
        let Some(text) = path.to_str() else { return Err(refused(name, &path.to_string_lossy(), "is not UTF-8")) };
        if let Some(why) = never_for_ssh(text) {
            return Err(refused(name, text, why));
        }
        let _ = writeln!(self.0, "  {name} \"{text}\"");
        Ok(())
    }

    /// Adds a setting of ours that is the same for everyone.
    fn constant(&mut self, name: &str, value: &'static str) {
        let _ = writeln!(self.0, "  {name} {value}");
    }
}

fn refused(name: &str, value: &str, why: &str) -> Failure {
    Failure::new(HostFailure::Other, format!("`{}` is not a valid {name} for ssh: it {why}", value.escape_debug()))
}

/// Returns the text of an SSH configuration: ours for this host first, since the first value wins, then the user's, and
/// last what counts where neither says anything.
///
/// # Errors
/// Where a setting is not what ssh should be given; which, and why.
pub(super) fn configuration(target: &SshTarget, destination: &str) -> Result<String, Failure> {
    let form = |name: &str, why: String| Failure::new(HostFailure::Other, format!("{why} ({name} for ssh)"));
    let host: SshHost = target.host.parse().map_err(|why| form("the address", why))?;
    let destination: SshHost = destination.parse().map_err(|why| form("the destination", why))?;
    let user: Option<SshUser> =
        target.user.as_ref().map(|user| user.parse()).transpose().map_err(|why| form("the user", why))?;
    let mut lines = Lines("# Written by clusterctl.\n".to_owned());
    // For jump hosts too: what failed must be said, whatever the user wants to hear elsewhere.
    lines.constant("LogLevel", "INFO");
    // Only for this host: a jump host is reached with the user's own settings.
    let _ = writeln!(lines.0, "Host {destination}");
    lines.constant("BatchMode", "yes");
    lines.option("ControlPersist", &target.persist.as_secs().max(1).to_string())?;
    lines.option("ConnectTimeout", &target.connect_timeout.as_secs().max(1).to_string())?;
    lines.constant("RequestTTY", "no");
    lines.constant("ClearAllForwardings", "yes");
    // What a host could use to act as the user, or on this machine, is no host's business.
    lines.constant("ForwardAgent", "no");
    lines.constant("ForwardX11", "no");
    lines.constant("Tunnel", "no");
    lines.constant("EscapeChar", "none");
    lines.constant("PermitLocalCommand", "no");
    lines.constant("RemoteCommand", "none");
    if let Some(user) = user {
        lines.option("User", user.as_str())?;
    }
    if let Some(port) = target.port {
        lines.option("Port", &port.to_string())?;
    }
    if let Some(identity) = &target.identity {
        lines.file("IdentityFile", identity)?;
        lines.constant("IdentitiesOnly", "yes");
    }
    if let Some(jump) = &target.jump {
        lines.option("ProxyJump", jump)?;
    }
    if let Some(known_hosts) = &target.known_hosts {
        lines.file("UserKnownHostsFile", known_hosts)?;
    }
    lines.0.push_str(&includes(target)?);
    if destination != host {
        let _ = writeln!(lines.0, "Host {destination}");
        // ssh replaces what follows a `%`, such as the zone of an address.
        lines.option("HostName", &host.as_str().replace('%', "%%"))?;
    }
    lines.0.push_str("Match all\n");
    lines.constant("ServerAliveInterval", "15");
    lines.constant("ServerAliveCountMax", "2");
    Ok(lines.0)
}

/// Returns the lines that bring in the user's configuration.
///
/// # Errors
/// Where its name is none that ssh should be given.
pub(super) fn includes(target: &SshTarget) -> Result<String, Failure> {
    let mut lines = Lines("Match all\n".to_owned());
    if let Some(config) = &target.config {
        lines.file("Include", config)?;
    } else {
        lines.constant("Include", "~/.ssh/config");
        lines.constant("Include", "/etc/ssh/ssh_config");
    }
    Ok(lines.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{SshTarget, configuration};

    fn target() -> SshTarget {
        SshTarget {
            name: None,
            host: "2001:db8::12".to_owned(),
            user: Some("zeek".to_owned()),
            port: Some(2222),
            identity: Some("/keys/my key".into()),
            config: None,
            jump: Some("gate.example.org".to_owned()),
            known_hosts: None,
            persist: Duration::ZERO,
            connect_timeout: Duration::from_secs(10),
        }
    }

    #[test]
    fn our_settings_come_first_and_only_for_the_host() {
        insta::assert_snapshot!(configuration(&target(), "2001:db8::12").unwrap(), @r#"
        # Written by clusterctl.
          LogLevel INFO
        Host 2001:db8::12
          BatchMode yes
          ControlPersist 1
          ConnectTimeout 10
          RequestTTY no
          ClearAllForwardings yes
          ForwardAgent no
          ForwardX11 no
          Tunnel no
          EscapeChar none
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

    #[test]
    fn no_setting_begins_a_line_of_its_own() {
        let command = "x\n  ProxyCommand sh -c 'id >/tmp/pwned'";
        let with = |change: fn(&mut SshTarget, &str)| {
            let mut target = target();
            change(&mut target, command);
            configuration(&target, "h")
        };
        assert!(with(|t, bad| t.host = bad.to_owned()).is_err());
        assert!(with(|t, bad| t.user = Some(bad.to_owned())).is_err());
        assert!(with(|t, bad| t.jump = Some(bad.to_owned())).is_err());
        assert!(with(|t, bad| t.identity = Some(bad.into())).is_err());
        assert!(with(|t, bad| t.config = Some(bad.into())).is_err());
        assert!(with(|t, bad| t.known_hosts = Some(bad.into())).is_err());
        assert!(with(|t, _| t.host = "-oProxyCommand=id".to_owned()).is_err());
        assert!(with(|t, _| t.host = "* !a".to_owned()).is_err());
        assert!(with(|t, _| t.identity = Some("/a\" /b".into())).is_err());
        assert!(configuration(&target(), command).is_err());
    }

    #[test]
    fn the_address_counts_after_what_the_user_says_of_the_name() {
        let target = SshTarget { host: "fe80::1%eth0".to_owned(), ..target() };
        let text = configuration(&target, "sensor1").unwrap();
        assert!(text.contains("\nHost sensor1\n  BatchMode yes\n"), "{text}");
        let include = text.find("Include").unwrap();
        assert!(text[include..].contains("\nHost sensor1\n  HostName fe80::1%%eth0\nMatch all\n"), "{text}");
    }

    proptest! {
        #[test]
        fn whatever_the_caller_gives_the_lines_stay_ours(
            texts in proptest::collection::vec("(\\PC|[\\x00-\\x20\"'\\\\%$#=]){0,30}", 6)
        ) {
            let [host, user, jump, identity, config, known_hosts] = <[String; 6]>::try_from(texts).unwrap();
            let ours = SshTarget { config: Some("/c".into()), known_hosts: Some("/k".into()), ..target() };
            let lines = |t: &SshTarget| configuration(t, "h").map(|text| -> Vec<String> {
                text.lines().map(|l| l.trim_start().split(' ').next().unwrap_or_default().to_owned()).collect()
            });
            let wanted = lines(&ours).unwrap();
            for target in [
                SshTarget { host, ..ours.clone() },
                SshTarget { user: Some(user), ..ours.clone() },
                SshTarget { jump: Some(jump), ..ours.clone() },
                SshTarget { identity: Some(identity.into()), ..ours.clone() },
                SshTarget { config: Some(config.into()), ..ours.clone() },
                SshTarget { known_hosts: Some(known_hosts.into()), ..ours.clone() },
            ] {
                if let Ok(lines) = lines(&target) {
                    prop_assert_eq!(&lines, &wanted);
                }
            }
        }
    }
}
