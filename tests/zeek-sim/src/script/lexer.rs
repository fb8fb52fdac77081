//! The tokens of Zeek's language, as far as a stand-in has to tell them apart.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

/// Where a token stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as Zeek would name it.
    pub file: Rc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A name, with its `::` parts.
    Ident(String),
    /// A string, its escapes resolved (see [`unescape`]).
    Text(String),
    /// A regular expression with its slashes.
    Pattern(String),
    /// A whole number.
    Count(u64),
    /// A number with a fraction or an exponent.
    Double(f64),
    /// An interval, in seconds.
    Interval(f64),
    /// An address.
    Addr(IpAddr),
    /// A subnet, as written.
    Subnet(IpAddr, u8),
    /// A port with its protocol.
    Port(u16, &'static str),
    /// An operator or a bracket.
    Op(&'static str),
    /// An attribute: `&redef`.
    Attr(String),
    /// A directive with the rest of what belongs to it (`@load` a file name, else nothing).
    Directive(String, String),
    /// The end of the file.
    End,
}

/// A token.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its text in the file.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// Operators, the longest first.
const OPS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "+=", "-=", "++", "--", "?$", "$", "=", "+", "-", "*", "/", "%", "<", ">", "!",
    "?", ":", ";", ",", "(", ")", "{", "}", "[", "]", "|", "&", "^", "~", ".",
];

const UNITS: &[(&str, f64)] =
    &[("usec", 1e-6), ("msec", 1e-3), ("sec", 1.0), ("min", 60.0), ("hr", 3600.0), ("day", 86_400.0)];

/// The first character of those that stand for a byte that is no UTF-8: `\xff` is U+F7FF here.
pub const RAW_BYTE: u32 = 0xF700;

/// Splits a script into tokens; the last is [`Kind::End`].
///
/// # Errors
/// Returns where it stopped and the character there, for a string without end or what Zeek doesn't know.
pub fn tokens(file: &Rc<str>, source: &str) -> Result<Vec<Token>, (Place, String)> {
    let mut lexer = Lexer { file: Rc::clone(file), rest: source, line: 1, out: Vec::new() };
    lexer.run()?;
    Ok(lexer.out)
}

struct Lexer<'a> {
    file: Rc<str>,
    rest: &'a str,
    line: u32,
    out: Vec<Token>,
}

impl Lexer<'_> {
    fn place(&self) -> Place {
        Place { file: Rc::clone(&self.file), line: self.line }
    }

    /// Takes `len` bytes as one token.
    fn take(&mut self, len: usize, kind: Kind) {
        let text = self.rest[..len].to_owned();
        let place = self.place();
        self.line += u32::try_from(text.matches('\n').count()).unwrap_or(0);
        self.rest = &self.rest[len..];
        self.out.push(Token { kind, text, place });
    }

    fn run(&mut self) -> Result<(), (Place, String)> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.line += u32::try_from(self.rest[..blank].matches('\n').count()).unwrap_or(0);
            self.rest = &self.rest[blank..];
            let Some(first) = self.rest.chars().next() else {
                let place = self.place();
                self.out.push(Token { kind: Kind::End, text: String::new(), place });
                return Ok(());
            };
            match first {
                '#' => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.rest = &self.rest[end..];
                }
                '@' => self.directive(),
                '"' => self.text()?,
                '/' if self.pattern_may_follow() => self.pattern()?,
                '&' if self.rest[1..].starts_with(|c: char| c.is_ascii_lowercase()) => {
                    let len = 1 + word_len(&self.rest[1..]);
                    let name = self.rest[1..len].to_owned();
                    self.take(len, Kind::Attr(name));
                }
                c if c.is_ascii_alphabetic() || c == '_' => self.word(),
                c if c.is_ascii_digit() => self.number(),
                '[' if self.bracketed_address() => {}
                _ => {
                    let Some(op) = OPS.iter().find(|op| self.rest.starts_with(**op)) else {
                        return Err((self.place(), first.to_string()));
                    };
                    self.take(op.len(), Kind::Op(op));
                }
            }
        }
    }

    fn directive(&mut self) {
        let len = 1 + self.rest[1..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            .unwrap_or(self.rest.len() - 1);
        let name = self.rest[1..len].to_owned();
        let line_end = self.rest.find('\n').unwrap_or(self.rest.len());
        match name.as_str() {
            "load" | "load-sigs" | "load-plugin" | "unload" | "prefixes" | "pragma" | "DEBUG" | "deprecated" => {
                let line = &self.rest[len..line_end];
                let operand = line.split('#').next().unwrap_or("").trim().to_owned();
                let end = self.rest[..line_end].trim_end().len();
                self.take(end, Kind::Directive(name, operand));
            }
            _ => self.take(len, Kind::Directive(name, String::new())),
        }
    }

    fn text(&mut self) -> Result<(), (Place, String)> {
        let mut escaped = false;
        for (i, c) in self.rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                '"' if !escaped => {
                    let value = unescape(&self.rest[1..i]);
                    self.take(i + 1, Kind::Text(value));
                    return Ok(());
                }
                _ => escaped = c == '\\' && !escaped,
            }
        }
        Err((self.place(), "\"".to_owned()))
    }

    /// A slash begins a pattern where a value may stand, else it divides.
    fn pattern_may_follow(&self) -> bool {
        let patterns = matches!(self.out.iter().rev().nth(1).map(|t| &t.kind), Some(Kind::Pattern(_)));
        self.out.last().is_none_or(|t| match &t.kind {
            // Alternatives of patterns, or the end of a size.
            Kind::Op("|") => patterns,
            Kind::Op(op) => !matches!(*op, ")" | "]"),
            Kind::Ident(word) => matches!(word.as_str(), "in" | "return" | "print"),
            _ => false,
        })
    }

    fn pattern(&mut self) -> Result<(), (Place, String)> {
        let mut escaped = false;
        for (i, c) in self.rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                '/' if !escaped => {
                    let len = i + 1 + word_len(&self.rest[i + 1..]);
                    let text = self.rest[..len].to_owned();
                    self.take(len, Kind::Pattern(text));
                    return Ok(());
                }
                _ => escaped = c == '\\' && !escaped,
            }
        }
        Err((self.place(), "/".to_owned()))
    }

    fn word(&mut self) {
        let mut len = word_len(self.rest);
        while self.rest[len..].starts_with("::") {
            let more = word_len(&self.rest[len + 2..]);
            if more == 0 {
                break;
            }
            len += 2 + more;
        }
        let word = self.rest[..len].to_owned();
        self.take(len, Kind::Ident(word));
    }

    fn number(&mut self) {
        let run =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == ':')).unwrap_or(self.rest.len());
        let word = &self.rest[..run];
        if let Ok(addr) = word.parse::<IpAddr>() {
            self.address(run, addr, run);
            return;
        }
        let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        for proto in ["tcp", "udp", "icmp", "unknown"] {
            if self.rest[digits..].strip_prefix('/').is_some_and(|r| r.starts_with(proto)) {
                let number = self.rest[..digits].parse().unwrap_or(0);
                self.take(digits + 1 + proto.len(), Kind::Port(number, proto));
                return;
            }
        }
        if let Some(hex) = word.strip_prefix("0x") {
            let value = u64::from_str_radix(hex, 16).unwrap_or(0);
            self.take(run, Kind::Count(value));
            return;
        }
        // 1.5, 1e-3: a dot or an exponent makes it a double.
        let mut len = digits;
        let bytes = self.rest.as_bytes();
        if bytes.get(len) == Some(&b'.') && bytes.get(len + 1).is_some_and(u8::is_ascii_digit) {
            len += 1;
            len += self.rest[len..].find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len() - len);
        }
        if matches!(bytes.get(len), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(len + 1), Some(b'-' | b'+')));
            if bytes.get(len + 1 + sign).is_some_and(u8::is_ascii_digit) {
                len += 1 + sign;
                len += self.rest[len..].find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len() - len);
            }
        }
        let value: f64 = self.rest[..len].parse().unwrap_or(0.0);
        let after = self.rest[len..].trim_start_matches([' ', '\t']);
        let gap = self.rest.len() - len - after.len();
        let unit = word_len(after);
        let name = after[..unit].strip_suffix('s').unwrap_or(&after[..unit]);
        if let Some((_, seconds)) = UNITS.iter().find(|(unit, _)| *unit == name) {
            self.take(len + gap + unit, Kind::Interval(value * seconds));
        } else if len == digits {
            let count = self.rest[..len].parse().unwrap_or(u64::MAX);
            self.take(len, Kind::Count(count));
        } else {
            self.take(len, Kind::Double(value));
        }
    }

    /// `[2001:db8::1]` is an address where it has two colons and nothing else in its brackets.
    fn bracketed_address(&mut self) -> bool {
        let Some(close) = self.rest.find(']') else { return false };
        match self.rest[1..close].parse::<IpAddr>() {
            Ok(addr @ IpAddr::V6(_)) => {
                self.address(close + 1, addr, close + 1);
                true
            }
            _ => false,
        }
    }

    fn address(&mut self, len: usize, addr: IpAddr, run: usize) {
        if let Some(after) = self.rest[run..].strip_prefix('/') {
            let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            if let Ok(width) = after[..digits].parse() {
                self.take(run + 1 + digits, Kind::Subnet(addr, width));
                return;
            }
        }
        self.take(len, Kind::Addr(addr));
    }
}

fn word_len(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// Resolves the escapes of a string. A byte above 127 becomes a private character (see [`RAW_BYTE`]), so that text
/// stays text here and is the one byte again on the wire.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('x') => {
                let mut value = 0;
                for _ in 0..2 {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else { break };
                    value = value * 16 + digit;
                    chars.next();
                }
                let code = if value < 0x80 { value } else { RAW_BYTE + value };
                out.extend(char::from_u32(code));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<Kind> {
        tokens(&"t".into(), source).unwrap().into_iter().map(|t| t.kind).collect()
    }

    #[test]
    fn tells_numbers_addresses_ports_and_intervals_apart() {
        assert_eq!(
            kinds("1 1.5 127.0.0.1 27761/tcp 0/unknown 1hr 30 secs 10.0.0.0/8 [2001:db8::1] [::]/0"),
            [
                Kind::Count(1),
                Kind::Double(1.5),
                Kind::Addr("127.0.0.1".parse().unwrap()),
                Kind::Port(27761, "tcp"),
                Kind::Port(0, "unknown"),
                Kind::Interval(3600.0),
                Kind::Interval(30.0),
                Kind::Subnet("10.0.0.0".parse().unwrap(), 8),
                Kind::Addr("2001:db8::1".parse().unwrap()),
                Kind::Subnet("::".parse().unwrap(), 0),
                Kind::End,
            ]
        );
    }

    #[test]
    fn keeps_lines_and_leaves_comments_out() {
        let tokens = tokens(&"t".into(), "# no\n\nredef x = \"a#\\\"b\"; # no\n@load ./y # why\nz").unwrap();
        assert_eq!(tokens[0].place.line, 3);
        assert_eq!(tokens[3].kind, Kind::Text("a#\"b".into()));
        assert_eq!(tokens[5].kind, Kind::Directive("load".into(), "./y".into()));
        assert_eq!(tokens[6].place.line, 5);
    }

    #[test]
    fn a_slash_is_a_pattern_or_a_division() {
        assert!(matches!(&kinds("x = /a\\/b/i;")[2], Kind::Pattern(p) if p == "/a\\/b/i"));
        assert_eq!(kinds("x / 2")[1], Kind::Op("/"));
    }

    #[test]
    fn a_string_without_end_is_an_error() {
        assert!(tokens(&"t".into(), "x = \"abc\n;").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_tokens_or_an_error(text in "\\PC*|[@\"/&\\[\\]a-z0-9.:\\\\ \n]*") {
            if let Ok(tokens) = tokens(&"t".into(), &text) {
                // All that is neither blank nor a comment is in some token.
                let kept: usize = tokens.iter().map(|t| t.text.len()).sum();
                proptest::prop_assert!(kept <= text.len());
                proptest::prop_assert_eq!(tokens.last().map(|t| t.kind == Kind::End), Some(true));
            }
        }
    }

    #[test]
    fn escaped_bytes_stay_one_character_each() {
        assert_eq!(unescape("a\\xff\\x01b").chars().map(u32::from).collect::<Vec<_>>(), [0x61, 0xF7FF, 1, 0x62]);
    }
}
