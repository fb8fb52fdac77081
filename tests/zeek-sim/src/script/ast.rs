//! What a script says, as far as the stand-in does something with it.

use crate::script::lexer::Place;
use crate::script::value::Value;

/// An expression.
#[derive(Debug, Clone)]
pub enum Expr {
    /// A literal.
    Value(Value),
    /// A name.
    Name(String, Place),
    /// `f(a, b)`.
    Call(Box<Expr>, Vec<Expr>),
    /// `{ a, b = c }`, and what `set(...)` and the like hold.
    Braces(Vec<Expr>),
    /// `[a, b]`: a vector or, with fields, a record; also a key of several parts.
    Brackets(Vec<Expr>),
    /// `$name=value` within brackets or a call, with where it stands.
    Field(String, Box<Expr>, Place),
    /// `a[b]`.
    Index(Box<Expr>, Vec<Expr>),
    /// `a$b`.
    Member(Box<Expr>, String),
    /// `a?$b`.
    Has(Box<Expr>, String),
    /// `!a`, `-a`.
    Unary(&'static str, Box<Expr>),
    /// `a + b`, `a in b`, `a = b`.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `a ? b : c`.
    Cond(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `|a|`.
    Size(Box<Expr>),
    /// Something that has no value here: a lambda, a `schedule`.
    Opaque,
}

/// A statement in a body.
#[derive(Debug, Clone)]
pub enum Stmt {
    /// A call, an assignment.
    Expr(Expr),
    /// `if`.
    If(Expr, Box<Stmt>, Option<Box<Stmt>>),
    /// `{ ... }`.
    Block(Vec<Stmt>),
    /// `local x = ...`.
    Local(String, Expr),
    /// `while (...) { }`, with nothing in its body.
    While(Expr),
    /// `return`.
    Return,
    /// All that is only checked for its form.
    Other,
}

/// A parameter or a record's field with its type's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type.
    pub of: String,
}

/// A type, as far as anything depends on it.
#[derive(Debug, Clone, Default)]
pub struct Type {
    /// Its text: `set[string]`.
    pub text: String,
    /// The parameters, if it is an event.
    pub event: Option<Vec<Param>>,
}

/// A declaration or a redefinition at the top of a script.
#[derive(Debug, Clone)]
pub enum Decl {
    /// `module X;`.
    Module(String),
    /// `const x = ...`, `global x: T`, `option x = ...`.
    Variable {
        /// Its name as written.
        name: String,
        /// Its type, if one is given.
        of: Option<Type>,
        /// Its value, if one is given.
        value: Option<Expr>,
    },
    /// `redef x = ...`, `redef x += ...`.
    Redef {
        /// Its name as written.
        name: String,
        /// `=`, `+=`, `-=`, or empty where only attributes change.
        op: &'static str,
        /// The new value.
        value: Expr,
        /// Where the name stands.
        place: Place,
    },
    /// `event x(...) { ... }`.
    Event {
        /// Its name as written.
        name: String,
        /// Its parameters.
        params: Vec<Param>,
        /// What it does.
        body: Stmt,
    },
    /// A statement that stands at the top.
    Stmt(Stmt),
    /// `type`, `function`, `hook`, `redef record` and the like, with the name that it makes.
    Other(Option<String>),
}
