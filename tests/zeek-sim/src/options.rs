//! The command line, as Zeek reads it (its src/Options.cc).

/// What the command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `-i`.
    pub interface: Option<String>,
    /// `-U`.
    pub status_file: Option<String>,
    /// `-a`.
    pub parse_only: bool,
    /// How often `-N`.
    pub print_plugins: u32,
    /// `-v`.
    pub version: bool,
    /// `-h`.
    pub help: bool,
    /// `-e`.
    pub exec: Option<String>,
    /// `-p`, in their order.
    pub prefixes: Vec<String>,
    /// `VAR=value`.
    pub assignments: Vec<String>,
    /// The scripts, in their order.
    pub scripts: Vec<String>,
}

/// Short options that take a value.
const WITH_VALUE: &str = "BceEfGHiIOo0prsTtUwXn";
/// Short options that take none.
const PLAIN: &str = "CDFMNPQSWabdhmuvVj";

/// Long options with the short ones they stand for; `?` for those that change nothing here.
const LONG: &[(&str, char, bool)] = &[
    ("parse-only", 'a', false),
    ("bare-mode", 'b', false),
    ("capture-unprocessed", 'c', true),
    ("debug-script", 'd', false),
    ("exec", 'e', true),
    ("filter", 'f', true),
    ("help", 'h', false),
    ("iface", 'i', true),
    ("zeekygen", 'X', true),
    ("prefix", 'p', true),
    ("readfile", 'r', true),
    ("rulefile", 's', true),
    ("tracefile", 't', true),
    ("writefile", 'w', true),
    ("usage-issues", 'u', false),
    ("version", 'v', false),
    ("build-info", 'V', false),
    ("no-checksums", 'C', false),
    ("force-dns", 'F', false),
    ("deterministic", 'D', false),
    ("event-trace", 'E', true),
    ("load-seeds", 'G', true),
    ("save-seeds", 'H', true),
    ("print-plugins", 'N', false),
    ("optimize", 'O', true),
    ("optimize-funcs", 'o', true),
    ("optimize-files", '0', true),
    ("prime-dns", 'P', false),
    ("time", 'Q', false),
    ("debug-rules", 'S', false),
    ("re-level", 'T', true),
    ("watchdog", 'W', false),
    ("print-id", 'I', true),
    ("no-optimize-funcs", '?', true),
    ("no-optimize-files", '?', true),
    ("status-file", 'U', true),
    ("debug", 'B', true),
    ("no-unused-warnings", '?', false),
    ("profile-scripts", '?', false),
    ("profile-script-call-stacks", '?', false),
    ("pseudo-realtime", '?', false),
    ("jobs", 'j', false),
];

impl Options {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    /// Returns Zeek's message for an option that it doesn't know or that lacks its value.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = Vec::new();
        let mut i = 0;
        while i < args.len() {
            let arg = &args[i];
            i += 1;
            if let Some(long) = arg.strip_prefix("--") {
                if long.is_empty() {
                    rest.extend_from_slice(&args[i..]);
                    break;
                }
                let (name, inline) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v.to_owned())));
                // As getopt_long: an unambiguous beginning is enough.
                let fits: Vec<_> = LONG.iter().filter(|(n, ..)| n.starts_with(name)).collect();
                let exact = LONG.iter().find(|(n, ..)| *n == name);
                let Some((_, short, takes)) = exact.or(if fits.len() == 1 { Some(fits[0]) } else { None }) else {
                    return Err(format!("ERROR: Unrecognized option {arg}"));
                };
                let value = match (takes, inline) {
                    (false, _) => None,
                    (true, Some(value)) => Some(value),
                    (true, None) => {
                        i += 1;
                        Some(args.get(i - 1).cloned().ok_or(format!("ERROR: Option {arg} requires an argument."))?)
                    }
                };
                options.set(*short, value)?;
            } else if arg.len() > 1 && arg.starts_with('-') {
                let letters = arg[1..].char_indices();
                for (at, letter) in letters {
                    if WITH_VALUE.contains(letter) {
                        let tail = &arg[1 + at + letter.len_utf8()..];
                        let value = if tail.is_empty() {
                            i += 1;
                            args.get(i - 1).cloned().ok_or(format!("ERROR: Option {arg} requires an argument."))?
                        } else {
                            tail.to_owned()
                        };
                        options.set(letter, Some(value))?;
                        break;
                    }
                    if !PLAIN.contains(letter) {
                        return Err(format!("ERROR: Unrecognized option {arg}"));
                    }
                    options.set(letter, None)?;
                }
            } else {
                rest.push(arg.clone());
            }
        }
        for arg in rest {
            if arg.contains('=') {
                options.assignments.push(arg);
            } else if !arg.contains("::") {
                options.scripts.push(arg);
            }
        }
        Ok(options)
    }

    fn set(&mut self, letter: char, value: Option<String>) -> Result<(), String> {
        match letter {
            'i' if self.interface.is_some() => {
                return Err("ERROR: Only a single interface option (-i) is allowed.".into());
            }
            'i' => self.interface = value,
            'U' => self.status_file = value,
            'e' => self.exec = value,
            'p' => self.prefixes.extend(value),
            'a' => self.parse_only = true,
            'N' => self.print_plugins += 1,
            'v' => self.version = true,
            'h' => self.help = true,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(&args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn reads_the_command_line_of_a_node() {
        let options =
            parse(&["-i", "lo", "-U", ".status", "-p", "zeekctl", "local", "X::y=3", "AF::Plugin", "-Ca"]).unwrap();
        assert_eq!(options.interface.as_deref(), Some("lo"));
        assert_eq!(options.status_file.as_deref(), Some(".status"));
        assert_eq!(options.scripts, ["local"]);
        assert_eq!(options.assignments, ["X::y=3"]);
        assert!(options.parse_only);
        assert!(parse(&["--parse-only", "--iface=lo"]).unwrap().parse_only);
    }

    #[test]
    fn refuses_what_zeek_refuses() {
        assert_eq!(parse(&["-Z"]).unwrap_err(), "ERROR: Unrecognized option -Z");
        assert_eq!(parse(&["--nonsense"]).unwrap_err(), "ERROR: Unrecognized option --nonsense");
        assert_eq!(parse(&["-i"]).unwrap_err(), "ERROR: Option -i requires an argument.");
        assert!(parse(&["-i", "a", "-i", "b"]).unwrap_err().contains("single interface"));
    }
}
