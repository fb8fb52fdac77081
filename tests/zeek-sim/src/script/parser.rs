//! Zeek's grammar, without its types' meaning: enough to say where a script is broken, as Zeek says it.

use crate::script::ast::{Expr, Param, Stmt, Type};
use crate::script::lexer::{Kind, Place, Token};
use crate::script::value::Value;

/// Why reading stopped.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Where, if it has a place.
    pub place: Option<Place>,
    /// The last line, where several are meant.
    pub until: Option<u32>,
    /// What Zeek says.
    pub text: String,
    /// Whether Zeek calls it fatal.
    pub fatal: bool,
}

impl Failure {
    /// An error at a place.
    pub fn error(place: &Place, text: impl Into<String>) -> Self {
        Self { place: Some(place.clone()), until: None, text: text.into(), fatal: false }
    }

    /// A fatal error, with or without a place.
    pub fn fatal(place: Option<&Place>, text: impl Into<String>) -> Self {
        Self { place: place.cloned(), until: None, text: text.into(), fatal: true }
    }

    /// The failure as Zeek writes it, with the kind that it gives to those that aren't fatal.
    pub fn line(&self, kind: &str) -> String {
        let kind = if self.fatal { "fatal error" } else { kind };
        match (&self.place, self.until) {
            (Some(Place { file, line }), Some(until)) if until > *line => {
                format!("{kind} in {file}, lines {line}-{until}: {}", self.text)
            }
            (Some(place), _) => format!("{kind} in {place}: {}", self.text),
            (None, _) => format!("{kind}: {}", self.text),
        }
    }

    /// The syntax error at a token.
    pub fn syntax(token: &Token) -> Self {
        match token.kind {
            Kind::End => {
                let text = format!("syntax error, at end of file {}", token.place.file);
                Self { place: None, until: None, text, fatal: false }
            }
            _ => Self::error(&token.place, format!("syntax error, at or near \"{}\"", token.text)),
        }
    }
}

/// What parsing gives.
pub(crate) type Parsed<T> = Result<T, Failure>;

/// Binary operators with how tightly they bind; `=` is apart, it binds to the right.
const BINARY: &[(&str, u8)] = &[
    ("||", 2),
    ("&&", 3),
    ("in", 4),
    ("!in", 4),
    ("==", 5),
    ("!=", 5),
    ("<", 5),
    ("<=", 5),
    (">", 5),
    (">=", 5),
    ("|", 6),
    ("^", 7),
    ("&", 8),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
    ("%", 10),
    ("as", 11),
    ("is", 11),
];

/// A stream of tokens that can be parsed. Nothing is looked at before it is needed, because what follows a statement
/// may be an `@if` that depends on it.
pub trait Parse {
    /// Takes the next token from below.
    fn pull(&mut self) -> Parsed<Token>;
    /// Where one token that was looked at is kept.
    fn slot(&mut self) -> &mut Option<Token>;

    /// Returns the next token and leaves it there.
    fn peek(&mut self) -> Parsed<Token> {
        if self.slot().is_none() {
            let token = self.pull()?;
            *self.slot() = Some(token);
        }
        self.slot().clone().ok_or_else(|| Failure::fatal(None, "no token"))
    }

    /// Takes the next token.
    fn next(&mut self) -> Parsed<Token> {
        match self.slot().take() {
            Some(token) => Ok(token),
            None => self.pull(),
        }
    }

    /// Tells whether an operator or a bracket follows.
    fn at(&mut self, op: &str) -> Parsed<bool> {
        Ok(matches!(self.peek()?.kind, Kind::Op(o) if o == op))
    }

    /// Tells whether a word follows.
    fn at_word(&mut self, word: &str) -> Parsed<bool> {
        Ok(matches!(&self.peek()?.kind, Kind::Ident(w) if w == word))
    }

    /// Takes an operator if it follows.
    fn eat(&mut self, op: &str) -> Parsed<bool> {
        let here = self.at(op)?;
        if here {
            self.next()?;
        }
        Ok(here)
    }

    /// Takes a word if it follows.
    fn eat_word(&mut self, word: &str) -> Parsed<bool> {
        let here = self.at_word(word)?;
        if here {
            self.next()?;
        }
        Ok(here)
    }

    /// Takes an operator that has to follow.
    fn expect(&mut self, op: &str) -> Parsed<()> {
        let token = self.next()?;
        if matches!(token.kind, Kind::Op(o) if o == op) { Ok(()) } else { Err(Failure::syntax(&token)) }
    }

    /// Takes a name that has to follow.
    fn name(&mut self) -> Parsed<(String, Place)> {
        let token = self.next()?;
        match token.kind {
            Kind::Ident(name) => Ok((name, token.place)),
            _ => Err(Failure::syntax(&token)),
        }
    }

    /// Parses an expression.
    fn expr(&mut self) -> Parsed<Expr> {
        self.assignment(true)
    }

    /// Parses an expression; within `|...|` a bar ends it.
    fn assignment(&mut self, bar: bool) -> Parsed<Expr> {
        let left = self.binary(2, bar)?;
        if self.eat("?")? {
            if self.eat_word("as")? {
                self.of()?;
                return Ok(Expr::Opaque);
            }
            let yes = self.assignment(bar)?;
            self.expect(":")?;
            let no = self.assignment(bar)?;
            return Ok(Expr::Cond(Box::new(left), Box::new(yes), Box::new(no)));
        }
        for op in ["=", "+=", "-="] {
            if self.eat(op)? {
                let right = self.assignment(bar)?;
                return Ok(Expr::Binary(op, Box::new(left), Box::new(right)));
            }
        }
        Ok(left)
    }

    /// Parses operators that bind at least as tightly as `floor`.
    fn binary(&mut self, floor: u8, bar: bool) -> Parsed<Expr> {
        let mut left = self.unary()?;
        loop {
            let token = self.peek()?;
            let text = match &token.kind {
                Kind::Op("!") => "!in",
                Kind::Op(op) => op,
                Kind::Ident(word) => word.as_str(),
                _ => return Ok(left),
            };
            if text == "|" && !bar {
                return Ok(left);
            }
            let Some((op, level)) = BINARY.iter().find(|(op, _)| *op == text) else { return Ok(left) };
            if *level < floor {
                return Ok(left);
            }
            self.next()?;
            if *op == "!in" && !self.eat_word("in")? {
                return Err(Failure::syntax(&self.peek()?));
            }
            if matches!(*op, "as" | "is") {
                self.of()?;
                left = Expr::Opaque;
                continue;
            }
            let right = self.binary(level + 1, bar)?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
    }

    /// Parses what may stand before a value, and the value with what follows it.
    fn unary(&mut self) -> Parsed<Expr> {
        for op in ["!", "-", "+", "~", "++", "--"] {
            if self.eat(op)? {
                return Ok(Expr::Unary(op, Box::new(self.unary()?)));
            }
        }
        let mut value = self.primary()?;
        loop {
            if self.eat("(")? {
                let args = self.list(")")?;
                value = Expr::Call(Box::new(value), args);
            } else if self.eat("[")? {
                let mut keys = Vec::new();
                while !self.eat("]")? {
                    if !self.eat(":")? && !self.eat(",")? {
                        keys.push(self.expr()?);
                    }
                }
                value = Expr::Index(Box::new(value), keys);
            } else if self.eat("$")? {
                value = Expr::Member(Box::new(value), self.name()?.0);
            } else if self.eat("?$")? {
                value = Expr::Has(Box::new(value), self.name()?.0);
            } else if self.eat("++")? || self.eat("--")? {
                value = Expr::Opaque;
            } else {
                return Ok(value);
            }
        }
    }

    /// Parses a value.
    fn primary(&mut self) -> Parsed<Expr> {
        let token = self.next()?;
        Ok(match token.kind.clone() {
            Kind::Text(text) => Expr::Value(Value::Text(text)),
            Kind::Count(n) => Expr::Value(Value::Count(n)),
            Kind::Double(n) => Expr::Value(Value::Double(n)),
            Kind::Interval(n) => Expr::Value(Value::Interval(n)),
            Kind::Addr(a) => Expr::Value(Value::Addr(a)),
            Kind::Subnet(a, w) => Expr::Value(Value::Subnet(a, w)),
            Kind::Port(n, proto) => Expr::Value(Value::Port(n, proto)),
            Kind::Pattern(text) => Expr::Value(Value::Raw(text)),
            Kind::Directive(name, _) if name == "DIR" || name == "FILENAME" => Expr::Opaque,
            Kind::Op("(") => {
                let inner = self.expr()?;
                self.expect(")")?;
                inner
            }
            Kind::Op("{") => Expr::Braces(self.list("}")?),
            Kind::Op("[") => Expr::Brackets(self.list("]")?),
            Kind::Op("$") => {
                let (name, place) = self.name()?;
                if self.at("(")? {
                    self.next()?;
                    self.params(")")?;
                    if self.eat(":")? {
                        self.of()?;
                    }
                    self.expect("=")?;
                    self.block()?;
                    return Ok(Expr::Field(name, Box::new(Expr::Opaque), place));
                }
                self.expect("=")?;
                Expr::Field(name, Box::new(self.assignment(true)?), place)
            }
            Kind::Op("|") => {
                let inner = self.assignment(false)?;
                self.expect("|")?;
                Expr::Size(Box::new(inner))
            }
            Kind::Ident(word) => match word.as_str() {
                "T" => Expr::Value(Value::Bool(true)),
                "F" => Expr::Value(Value::Bool(false)),
                "function" => {
                    // Captures may stand before or after the parameters.
                    if self.eat("[")? {
                        self.list("]")?;
                    }
                    self.expect("(")?;
                    self.params(")")?;
                    if self.eat(":")? {
                        self.of()?;
                    }
                    if self.eat("[")? {
                        self.list("]")?;
                    }
                    self.block()?;
                    Expr::Opaque
                }
                "hook" | "event" => self.unary()?,
                "schedule" => {
                    self.expr()?;
                    self.expect("{")?;
                    self.list("}")?;
                    Expr::Opaque
                }
                _ => Expr::Name(word, token.place),
            },
            _ => return Err(Failure::syntax(&token)),
        })
    }

    /// Parses expressions up to a closing bracket; a comma may stand after the last.
    fn list(&mut self, close: &str) -> Parsed<Vec<Expr>> {
        let mut items = Vec::new();
        loop {
            if self.eat(close)? {
                return Ok(items);
            }
            items.push(self.expr()?);
            self.attrs()?;
            if !self.eat(",")? {
                self.expect(close)?;
                return Ok(items);
            }
        }
    }

    /// Parses parameters or a record's fields up to a closing bracket.
    fn params(&mut self, close: &str) -> Parsed<Vec<Param>> {
        let mut params = Vec::new();
        loop {
            if self.eat(close)? {
                return Ok(params);
            }
            let (name, _) = self.name()?;
            self.expect(":")?;
            let of = self.of()?.text;
            self.attrs()?;
            params.push(Param { name, of });
            if !self.eat(";")? && !self.eat(",")? {
                self.expect(close)?;
                return Ok(params);
            }
        }
    }

    /// Parses a type.
    fn of(&mut self) -> Parsed<Type> {
        let (word, _) = self.name()?;
        let plain = |text: String| Type { text, event: None };
        match word.as_str() {
            "set" | "table" => {
                self.expect("[")?;
                let mut keys = vec![self.of()?.text];
                while self.eat(",")? {
                    keys.push(self.of()?.text);
                }
                self.expect("]")?;
                let keys = keys.join(",");
                if word == "table" && self.eat_word("of")? {
                    return Ok(plain(format!("table[{keys}] of {}", self.of()?.text)));
                }
                Ok(plain(format!("{word}[{keys}]")))
            }
            "vector" | "opaque" | "list" | "file" if self.eat_word("of")? => {
                Ok(plain(format!("{word} of {}", self.of()?.text)))
            }
            "record" => {
                self.expect("{")?;
                self.params("}")?;
                Ok(plain("record".into()))
            }
            "enum" => {
                self.expect("{")?;
                self.enumerators()?;
                Ok(plain("enum".into()))
            }
            "event" | "function" | "hook" => {
                self.expect("(")?;
                let params = self.params(")")?;
                if self.eat(":")? {
                    self.of()?;
                }
                Ok(Type { text: word.clone(), event: (word == "event").then_some(params) })
            }
            _ => Ok(plain(word)),
        }
    }

    /// Parses an enum's names up to the brace.
    fn enumerators(&mut self) -> Parsed<Vec<String>> {
        let mut names = Vec::new();
        loop {
            if self.eat("}")? {
                return Ok(names);
            }
            names.push(self.name()?.0);
            if self.eat("=")? {
                self.expr()?;
            }
            self.attrs()?;
            if !self.eat(",")? {
                self.expect("}")?;
                return Ok(names);
            }
        }
    }

    /// Passes over attributes.
    fn attrs(&mut self) -> Parsed<()> {
        while let Kind::Attr(_) = self.peek()?.kind {
            self.next()?;
            if self.eat("=")? {
                self.assignment(true)?;
            }
        }
        Ok(())
    }

    /// Parses a body in braces.
    fn block(&mut self) -> Parsed<Stmt> {
        self.expect("{")?;
        let mut stmts = Vec::new();
        while !self.eat("}")? {
            stmts.push(self.stmt()?);
        }
        Ok(Stmt::Block(stmts))
    }

    /// Parses a statement.
    fn stmt(&mut self) -> Parsed<Stmt> {
        if self.at("{")? {
            return self.block();
        }
        if self.eat(";")? {
            return Ok(Stmt::Other);
        }
        let token = self.peek()?;
        let word = match &token.kind {
            Kind::Ident(word) => word.clone(),
            _ => String::new(),
        };
        match word.as_str() {
            "if" => {
                self.next()?;
                self.expect("(")?;
                let cond = self.expr()?;
                self.expect(")")?;
                let yes = self.stmt()?;
                let no = if self.eat_word("else")? { Some(Box::new(self.stmt()?)) } else { None };
                return Ok(Stmt::If(cond, Box::new(yes), no));
            }
            "for" => {
                self.next()?;
                self.expect("(")?;
                if self.eat("[")? {
                    self.list("]")?;
                } else {
                    self.name()?;
                }
                while self.eat(",")? {
                    self.name()?;
                }
                if !self.eat_word("in")? {
                    return Err(Failure::syntax(&self.peek()?));
                }
                self.expr()?;
                self.expect(")")?;
                self.stmt()?;
                return Ok(Stmt::Other);
            }
            "while" => return self.while_loop(),
            "when" => return self.when(),
            "switch" => return self.switch(),
            "local" | "const" => {
                self.next()?;
                let (name, _) = self.name()?;
                if self.eat(":")? {
                    self.of()?;
                }
                let value = if self.eat("=")? { self.expr()? } else { Expr::Opaque };
                self.attrs()?;
                self.expect(";")?;
                return Ok(Stmt::Local(name, value));
            }
            "return" => {
                self.next()?;
                if self.at_word("when")? {
                    return self.when();
                }
                if !self.at(";")? {
                    self.expr()?;
                    self.attrs()?;
                }
                self.expect(";")?;
                return Ok(Stmt::Return);
            }
            "print" | "add" | "delete" | "assert" => {
                self.next()?;
                self.expr()?;
                while self.eat(",")? {
                    self.expr()?;
                }
                self.expect(";")?;
                return Ok(Stmt::Other);
            }
            "next" | "break" | "fallthrough" => {
                self.next()?;
                self.expect(";")?;
                return Ok(Stmt::Other);
            }
            _ => {}
        }
        let value = self.expr()?;
        // A word that begins no statement is taken for a name, and Zeek knows of none.
        if let (Expr::Name(name, place), false) = (&value, self.at(";")?)
            && !name.contains("::")
            && matches!(self.peek()?.kind, Kind::Ident(_))
        {
            let text = format!("unknown identifier {name}, at or near \"{name}\"");
            return Err(Failure::error(place, text));
        }
        self.attrs()?;
        self.expect(";")?;
        Ok(Stmt::Expr(value))
    }

    /// Parses `while ( ... ) ...`.
    fn while_loop(&mut self) -> Parsed<Stmt> {
        self.next()?;
        self.expect("(")?;
        let cond = self.expr()?;
        self.expect(")")?;
        let idle = match self.stmt()? {
            Stmt::Block(stmts) => stmts.is_empty(),
            Stmt::Other => true,
            _ => false,
        };
        Ok(if idle { Stmt::While(cond) } else { Stmt::Other })
    }

    /// Parses `when ( ... ) { } timeout x { }`.
    fn when(&mut self) -> Parsed<Stmt> {
        self.next()?;
        if self.eat("[")? {
            self.list("]")?;
        }
        self.expect("(")?;
        if self.eat_word("local")? {
            self.name()?;
            self.expect("=")?;
        }
        self.expr()?;
        self.expect(")")?;
        self.stmt()?;
        if self.eat_word("timeout")? {
            self.expr()?;
            self.block()?;
        }
        Ok(Stmt::Other)
    }

    /// Parses `switch ( ... ) { case ...: ... }`.
    fn switch(&mut self) -> Parsed<Stmt> {
        self.next()?;
        self.expr()?;
        self.expect("{")?;
        while !self.eat("}")? {
            if self.eat_word("case")? {
                if self.eat_word("type")? {
                    self.of()?;
                    if self.eat_word("as")? {
                        self.name()?;
                    }
                } else {
                    self.expr()?;
                    while self.eat(",")? {
                        self.expr()?;
                    }
                }
                self.expect(":")?;
            } else if self.eat_word("default")? {
                self.expect(":")?;
            } else {
                self.stmt()?;
            }
        }
        Ok(Stmt::Other)
    }
}

/// Tokens that lie in memory: a condition, an assignment of the command line.
#[derive(Debug)]
pub struct Slice {
    tokens: std::vec::IntoIter<Token>,
    end: Token,
    slot: Option<Token>,
}

impl Slice {
    /// Makes a stream of tokens; where they end, `end` follows for ever.
    pub fn new(tokens: Vec<Token>, end: Token) -> Self {
        Self { tokens: tokens.into_iter(), end, slot: None }
    }
}

impl Parse for Slice {
    fn pull(&mut self) -> Parsed<Token> {
        Ok(self.tokens.next().unwrap_or_else(|| self.end.clone()))
    }

    fn slot(&mut self) -> &mut Option<Token> {
        &mut self.slot
    }
}
