//! Leaving secrets out of what may go to others. The hosts leave out those that they know (`templates/diag.sh`); this is
//! for what looks like one, in texts and in the description.

use std::sync::LazyLock;

use regex::Regex;
use serde_yaml::Value;

/// What stands in the place of a secret.
const LEFT_OUT: &str = "[left out]";
/// Variables of an environment whose values are of use to others, and are none.
const HARMLESS: [&str; 4] = ["TZ", "LANG", "LD_LIBRARY_PATH", "MALLOC_CONF"];

#[expect(clippy::unwrap_used, reason = "constant patterns, held by the tests below")]
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)((?:passw|passphrase|secret|token|credential|authorization|api_?key|private_?key|_key)[a-z0-9_.-]*["']?\s*(?:\+?=|:))\s*("[^"]*"|'[^']*'|\S.*$)"#,
    )
    .unwrap()
});
#[expect(clippy::unwrap_used, reason = "a constant pattern")]
static IN_URL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)([a-z][a-z0-9+.-]*://)[^/\s@]+@").unwrap());
#[expect(clippy::unwrap_used, reason = "a constant pattern")]
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)passw|passphrase|secret|token|credential|authorization|api_?key|private_?key|_key|pwd").unwrap()
});

/// Tells whether something of this name is a secret, for all that its name says.
pub(super) fn is_secret(name: &str) -> bool {
    NAME.is_match(name)
}

/// Leaves out of lines what looks like a secret: values of such names, passwords in addresses, private keys.
pub(super) fn lines(lines: &mut Vec<String>) {
    let mut in_key = false;
    for line in lines.iter_mut() {
        let begins = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY");
        let ends = line.contains("-----END ");
        if begins || in_key {
            LEFT_OUT.clone_into(line);
        } else {
            *line = self::line(line);
        }
        in_key = (in_key || begins) && !ends;
    }
    lines.dedup_by(|a, b| a == b && a == LEFT_OUT);
}

/// Leaves out of a line what looks like a secret; see [`lines`].
pub(super) fn line(line: &str) -> String {
    let line = IN_URL.replace_all(line, format!("${{1}}{LEFT_OUT}@"));
    NAMED.replace_all(&line, format!("$1 {LEFT_OUT}")).into_owned()
}

/// A description as others may see it: without the values of variables, and of what has the name of a secret. Comments are
/// left out as well. None where it is no YAML.
pub(super) fn description(text: &str) -> Option<String> {
    let mut value: Value = serde_yaml::from_str(text).ok()?;
    tidy(&mut value, None);
    serde_yaml::to_string(&value).ok()
}

fn tidy(value: &mut Value, key: Option<&str>) {
    match value {
        Value::Mapping(entries) => {
            let is_environment = key == Some("env");
            for (name, value) in entries.iter_mut() {
                let name = name.as_str().unwrap_or_default().to_owned();
                let refers =
                    value.as_mapping().is_some_and(|m| m.keys().all(|k| matches!(k.as_str(), Some("file" | "env"))));
                let hidden = is_secret(&name) || is_environment && !HARMLESS.contains(&name.as_str());
                if hidden && !refers {
                    *value = Value::String(LEFT_OUT.to_owned());
                } else {
                    tidy(value, Some(&name));
                }
            }
        }
        Value::Sequence(all) => all.iter_mut().for_each(|one| tidy(one, None)),
        Value::String(text) => {
            let mut all: Vec<String> = text.split('\n').map(str::to_owned).collect();
            lines(&mut all);
            *text = all.join("\n");
        }
        Value::Tagged(tagged) => tidy(&mut tagged.value, key),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{description, is_secret, line, lines};

    #[test]
    fn what_looks_like_a_secret_is_left_out() {
        for (text, shown) in [
            ("Foo::password=hunter2", "Foo::password= [left out]"),
            ("SMTP_PASSWD = \"a b\", then more", "SMTP_PASSWD = [left out], then more"),
            ("{\"api_key\": \"abc\", \"n\": 1}", "{\"api_key\": [left out], \"n\": 1}"),
            ("Authorization: Bearer abc def", "Authorization: [left out]"),
            (
                "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_SECRETKEY=abc",
                "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_SECRETKEY= [left out]",
            ),
            ("fetch https://me:it%20is@example.org/x", "fetch https://[left out]@example.org/x"),
            (
                "1700000000.1 error in ./local.zeek, line 3: unknown identifier",
                "1700000000.1 error in ./local.zeek, line 3: unknown identifier",
            ),
            ("the token is not known", "the token is not known"),
        ] {
            assert_eq!(line(text), shown);
        }
        let mut all: Vec<String> = "a\nx -----BEGIN RSA PRIVATE KEY-----\nMIIE\n\n-----END RSA PRIVATE KEY-----\nb"
            .split('\n')
            .map(str::to_owned)
            .collect();
        lines(&mut all);
        assert_eq!(all, ["a", "[left out]", "b"]);
        assert!(is_secret("MY_TOKEN") && is_secret("mysqlPassword") && !is_secret("CLUSTER_NODE"));
    }

    #[test]
    fn a_description_keeps_its_form() {
        let text = "cluster: c # my secret\nzeek:\n  env: { A: one, TZ: UTC, B: { env: FROM_HERE }, C: { file: ./f } }\n  \
                    redefs: { \"Notice::api_key\": abc, \"Pcap::bufsize\": 256 }\n  args: [\"X::token=t0k\", -C]\n\
                    x-more: |\n  -----BEGIN PRIVATE KEY-----\n  abc\n  -----END PRIVATE KEY-----\n";
        insta::assert_snapshot!(description(text).unwrap(), @r#"
        cluster: c
        zeek:
          env:
            A: '[left out]'
            TZ: UTC
            B:
              env: FROM_HERE
            C:
              file: ./f
          redefs:
            Notice::api_key: '[left out]'
            Pcap::bufsize: 256
          args:
          - X::token= [left out]
          - -C
        x-more: |
          [left out]
        "#);
    }
}
