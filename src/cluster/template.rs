//! Interfaces with places for a node's number: `{index}` and the like; braces that mean themselves are doubled.

use crate::values::nearest;

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// The node's index among those of its role on its host, from `first_index`; or one less.
    Index {
        from_zero: bool,
    },
    /// Its place within its group on its host, from 1 or from 0.
    GroupIndex {
        from_zero: bool,
    },
}

const WORDS: [(&str, Piece<'static>); 4] = [
    ("index", Piece::Index { from_zero: false }),
    ("index0", Piece::Index { from_zero: true }),
    ("group_index", Piece::GroupIndex { from_zero: false }),
    ("group_index0", Piece::GroupIndex { from_zero: true }),
];

/// A text with places for a node's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template<'a>(Vec<Piece<'a>>);

/// Why a text is no template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) help: String,
}

impl<'a> Template<'a> {
    /// Reads a template.
    ///
    /// # Errors
    /// For a word between braces that means nothing, and a brace that stands alone.
    pub(super) fn parse(mut text: &'a str) -> Result<Self, Wrong> {
        let mut parts = Vec::new();
        while !text.is_empty() {
            let at = text.find(['{', '}']).unwrap_or(text.len());
            let (before, rest) = text.split_at(at);
            if !before.is_empty() {
                parts.push(Piece::Text(before));
            }
            text = rest;
            if let Some(after) = ["{{", "}}"].iter().find_map(|double| rest.strip_prefix(double)) {
                parts.push(Piece::Text(&rest[..1]));
                text = after;
            } else if let Some(after) = rest.strip_prefix('{') {
                let Some((word, after)) = after.split_once('}') else { return Err(lonely('{')) };
                let known = WORDS.iter().find(|(known, _)| *known == word);
                parts.push(known.map(|(_, part)| *part).ok_or_else(|| unknown(word))?);
                text = after;
            } else if !rest.is_empty() {
                return Err(lonely('}'));
            }
        }
        Ok(Self(parts))
    }

    /// Fills in a node's numbers: its index, and its place within its group from 0.
    pub(super) fn fill(&self, index: u32, place: u32) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match *part {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Index { from_zero } => text.push_str(&index.saturating_sub(from_zero.into()).to_string()),
                Piece::GroupIndex { from_zero } => {
                    text.push_str(&place.saturating_add((!from_zero).into()).to_string());
                }
            }
        }
        text
    }
}

fn lonely(brace: char) -> Wrong {
    Wrong {
        what: format!("has a `{brace}` that belongs to no placeholder"),
        help: format!("write `{brace}{brace}` for a literal brace; placeholders are {}", words()),
    }
}

fn unknown(word: &str) -> Wrong {
    let help = match nearest(word, WORDS.iter().map(|(known, _)| *known)) {
        Some(near) => format!("did you mean `{{{near}}}`? Double a literal brace: `{{{{` or `}}}}`"),
        None => format!("placeholders are {}; double a literal brace: `{{{{` or `}}}}`", words()),
    };
    Wrong { what: format!("has the unknown placeholder `{{{word}}}`"), help }
}

fn words() -> String {
    let [words @ .., last] = WORDS.map(|(word, _)| format!("`{{{word}}}`"));
    format!("{} and {last}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::Template;

    fn filled(text: &str) -> String {
        Template::parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}")).fill(99, 0)
    }

    #[test]
    fn numbers_are_filled_in_and_doubled_braces_are_braces() {
        assert_eq!(filled("eth1"), "eth1");
        assert_eq!(filled("zc:99@{index0}"), "zc:99@98");
        assert_eq!(filled("napatech::{group_index0}"), "napatech::0");
        assert_eq!(filled("eth{group_index}.{index}"), "eth1.99");
        assert_eq!(filled("netmap::eth1}}{group_index0}"), "netmap::eth1}0");
        assert_eq!(filled("{{index}}"), "{index}");
        assert_eq!(filled("{{{index}}}"), "{99}");
    }

    #[test]
    fn what_means_nothing_is_told_with_what_could_be_meant() {
        let told = |text: &str| {
            let wrong = Template::parse(text).unwrap_err();
            format!("{} | {}", wrong.what, wrong.help)
        };
        assert_eq!(
            told("eth{n}"),
            "has the unknown placeholder `{n}` | placeholders are `{index}`, `{index0}`, `{group_index}` and \
             `{group_index0}`; double a literal brace: `{{` or `}}`"
        );
        assert!(told("eth{gruop_index0}").contains("did you mean `{group_index0}`?"));
        assert!(told("netmap::eth1}0").contains("has a `}` that belongs to no placeholder | write `}}`"));
        assert!(told("eth{index").contains("has a `{` that"));
        assert!(told("eth{").contains("has a `{` that"));
        assert!(told("{}").contains("unknown placeholder `{}`"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[{}a-z0-9_:]{0,30}") {
            if let Ok(template) = Template::parse(&text) {
                let _ = template.fill(u32::MAX, u32::MAX);
            }
        }
    }
}
