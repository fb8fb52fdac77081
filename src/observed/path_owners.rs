//! Who could put something else in the place of what runs: owners and modes of the folders on the way to it, judged as
//! sshd judges those of keys (`StrictModes` in `sshd_config(5)`).

/// What `templates/trail.sh` says of one component of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// What the path is for: `base`, `spool`, `zeek`.
    pub what: String,
    pub path: String,
    owner: u32,
    /// Its type and mode (inode(7)).
    mode: u32,
}

/// What is wrong with a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What, in words.
    pub what: String,
    /// A command that mends it; the path stands behind it.
    pub command: String,
    /// Whether it takes root to run it.
    pub root: bool,
}

const KIND: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
const STICKY: u32 = 0o1000;
/// Group and others may write.
const OTHERS: u32 = 0o022;

impl Component {
    /// Reads `WHAT MODE OWNER PATH`, the mode in hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (what, rest) = text.split_once(' ')?;
        Self::of(what, rest)
    }

    /// Reads `MODE OWNER PATH`.
    pub(super) fn of(what: &str, text: &str) -> Option<Self> {
        let (mode, rest) = text.split_once(' ')?;
        let (owner, path) = rest.split_once(' ')?;
        let mode = u32::from_str_radix(mode, 16).ok()?;
        Some(Self { what: what.to_owned(), path: path.to_owned(), owner: owner.parse().ok()?, mode })
    }

    /// Tells what is wrong with it for an account, by number and name. Only root and the account may own it, and nobody
    /// else may write; in root's own sticky folders everybody may, and nobody can replace what is another's.
    pub fn flaw(&self, uid: u32, user: &str) -> Option<Flaw> {
        if self.owner != 0 && self.owner != uid {
            let neither = if uid == 0 { "not to root".to_owned() } else { format!("neither to root nor to {user}") };
            let what = format!("{} belongs to uid {}, {neither}", self.path, self.owner);
            let link = if self.mode & KIND == LINK { " -h" } else { "" };
            return Some(Flaw { what, command: format!("chown{link} {user}"), root: true });
        }
        let sticky = self.owner == 0 && self.mode & STICKY != 0;
        if self.mode & KIND == LINK || sticky || self.mode & OTHERS == 0 {
            return None;
        }
        let what = format!("{} is writable by other users (mode {:o})", self.path, self.mode & 0o7777);
        Some(Flaw { what, command: "chmod go-w".to_owned(), root: self.owner != uid })
    }
}

#[cfg(test)]
mod tests {
    use super::Component;

    #[test]
    fn only_root_and_the_account_may_change_what_leads_to_it() {
        let told = |line: &str| Component::parse(line).unwrap().flaw(1000, "zeek").map(|f| (f.what, f.command, f.root));
        for good in ["base 41ed 0 /var", "base 41ed 1000 /var/x", "base 43ff 0 /tmp", "base a1ff 1000 /tmp/link"] {
            assert_eq!(told(good), None, "{good}");
        }
        let flaw = |what: &str, command: &str, root| Some((what.to_owned(), command.to_owned(), root));
        assert_eq!(
            told("base 41ed 65534 /srv/a b"),
            flaw("/srv/a b belongs to uid 65534, neither to root nor to zeek", "chown zeek", true)
        );
        assert_eq!(
            told("base a1ff 1001 /tmp/link"),
            flaw("/tmp/link belongs to uid 1001, neither to root nor to zeek", "chown -h zeek", true)
        );
        assert_eq!(told("base 43ff 1000 /x"), flaw("/x is writable by other users (mode 1777)", "chmod go-w", false));
        assert_eq!(told("base 41fd 0 /x"), flaw("/x is writable by other users (mode 775)", "chmod go-w", true));
        assert_eq!(Component::parse("base zz 0 /x"), None);
    }
}
