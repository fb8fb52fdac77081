//! Loading scripts: finding them, `@load`, `@if`, and putting what they say into the world.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::options::Options;
use crate::script::ast::{Decl, Expr, Stmt};
use crate::script::decl::ParseDecl as _;
use crate::script::eval::Locals;
use crate::script::lexer::{self, Kind, Place, Token};
use crate::script::parser::{Failure, Parse, Slice};
use crate::script::value::Value;
use crate::script::world::{Fate, Handler, World};
use crate::script::{check, defaults, own};
use crate::setup::Setup;

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// What the scripts say.
    pub world: World,
    /// What is wrong with them; loading stopped at the last where that is a matter of form.
    pub failures: Vec<Failure>,
    /// Deprecations and the like.
    pub warnings: Vec<Failure>,
}

/// Loads the layout and the scripts of a command line.
pub fn load(setup: &Setup, options: &Options) -> Loaded {
    let mut loader = Loader {
        world: defaults::world(setup),
        failures: Vec::new(),
        warnings: Vec::new(),
        path: setup.zeekpath(),
        files: Vec::new(),
        conditions: Vec::new(),
        seen: HashSet::new(),
        slot: None,
        exporting: false,
    };
    if let Err(failure) = loader.all(setup, options) {
        loader.failures.push(failure);
    }
    Loaded { world: loader.world, failures: loader.failures, warnings: loader.warnings }
}

struct File {
    tokens: std::vec::IntoIter<Token>,
    dir: PathBuf,
    /// The module of the script that loaded this one.
    outer: String,
}

struct Condition {
    /// Whether the part at hand is read.
    active: bool,
    /// Whether an `@else` would be.
    other: bool,
}

struct Loader {
    world: World,
    failures: Vec<Failure>,
    warnings: Vec<Failure>,
    path: Vec<PathBuf>,
    files: Vec<File>,
    conditions: Vec<Condition>,
    seen: HashSet<PathBuf>,
    slot: Option<Token>,
    exporting: bool,
}

impl Loader {
    fn all(&mut self, setup: &Setup, options: &Options) -> Result<(), Failure> {
        if !self.world.node.is_empty() {
            let load = setup.share().join("base/frameworks/cluster/__load__.zeek");
            let place = Place { file: load.to_string_lossy().into(), line: 42 };
            self.open("cluster-layout", Some(&place))?;
            self.decls()?;
            self.world.module = "GLOBAL".into();
            defaults::after_layout(&mut self.world);
        }
        for script in &options.scripts {
            self.open(script, None)?;
            self.decls()?;
        }
        if let Some(code) = &options.exec {
            self.push(&"<command line>".into(), code, PathBuf::from("."))?;
            self.decls()?;
        }
        self.finish(options);
        Ok(())
    }

    /// Settles what depends on all scripts: assignments of the command line, what `zeek_init` does.
    fn finish(&mut self, options: &Options) {
        let place = Place { file: "<params>".into(), line: 1 };
        for assignment in &options.assignments {
            let Some((name, text)) = assignment.split_once('=') else { continue };
            // Zeek takes what is no expression for a string.
            let value =
                parse_value(text).map_or_else(|| Value::Text(text.to_owned()), |e| self.world.eval(&e, &Locals::new()));
            let value = if value == Value::Unknown { Value::Text(text.to_owned()) } else { value };
            self.redef(name, "=", value, &place);
        }
        let inits: Vec<Handler> = self.world.handlers.get("zeek_init").cloned().unwrap_or_default();
        for handler in &inits {
            self.run(&handler.body);
        }
        own::websocket_server(&mut self.world);
    }

    /// Reads declarations to the end of the files that are open.
    fn decls(&mut self) -> Result<(), Failure> {
        loop {
            let token = self.peek()?;
            match &token.kind {
                Kind::End => {
                    self.slot = None;
                    return if self.exporting { Err(Failure::syntax(&token)) } else { Ok(()) };
                }
                Kind::Ident(word) if word == "export" && !self.exporting => {
                    self.next()?;
                    self.expect("{")?;
                    self.exporting = true;
                }
                Kind::Op("}") if self.exporting => {
                    self.next()?;
                    self.exporting = false;
                }
                _ => {
                    if let Some(decl) = self.decl()? {
                        self.apply(decl, &token.place);
                    }
                }
            }
        }
    }

    fn apply(&mut self, decl: Decl, place: &Place) {
        check::names(&self.world, &decl, place, &mut self.failures, &mut self.warnings);
        match decl {
            Decl::Module(name) => self.world.module = name,
            Decl::Variable { name, of, value } => {
                let full = self.world.full(&name);
                if let Some(params) = of.as_ref().and_then(|t| t.event.clone()) {
                    self.world.events.insert(full, params);
                    return;
                }
                let text = of.map(|t| t.text).unwrap_or_default();
                let value = value.map_or(Value::NoValue, |e| self.world.eval(&e, &Locals::new()));
                self.world.globals.insert(full, shaped(value, &text));
            }
            Decl::Redef { name, op, value, place } => {
                if name == "Cluster::nodes" || (name == "nodes" && self.world.module == "Cluster") {
                    check::layout(&mut self.world, &value, &mut self.failures);
                    return;
                }
                let value = self.world.eval(&value, &Locals::new());
                self.redef(&name, op, value, &place);
            }
            Decl::Event { name, params, body } => {
                let full = if self.world.events.contains_key(&name) { name } else { self.world.full(&name) };
                let full = match full.rsplit("::").next() {
                    Some(last @ ("zeek_init" | "zeek_done")) => last.to_owned(),
                    _ => full,
                };
                self.world.events.entry(full.clone()).or_insert_with(|| params.clone());
                self.world.handlers.entry(full).or_default().push(Handler { params, body });
            }
            Decl::Stmt(stmt) => {
                self.run(&stmt);
            }
            Decl::Other(name) => {
                if let Some(name) = name {
                    let full = self.world.full(&name);
                    self.world.others.insert(full, Value::NoValue);
                }
            }
        }
    }

    fn redef(&mut self, name: &str, op: &str, value: Value, place: &Place) {
        let full = self.world.full(name);
        let known = self.world.globals.contains_key(&full) || check::can_be_redefined(&full);
        let full = if known { full } else { name.to_owned() };
        let old = self.world.globals.get(&full).cloned();
        let value = match (op, old, value) {
            ("+=", Some(Value::Set(mut items)), Value::Set(more)) => {
                items.extend(more);
                Value::Set(items)
            }
            ("+=", Some(Value::Table(mut items)), Value::Table(more)) => {
                items.extend(more);
                Value::Table(items)
            }
            ("+=", Some(Value::Vector(mut items)), Value::Vector(more)) => {
                items.extend(more);
                Value::Vector(items)
            }
            ("+=", Some(Value::Set(mut items)), one) => {
                items.push(one);
                Value::Set(items)
            }
            (_, Some(Value::Double(_)), value) => shaped(value, "double"),
            (_, Some(Value::Table(_)), value) => shaped(value, "table"),
            (_, _, value) => value,
        };
        check::redef(&self.world, &full, &value, place, &mut self.failures);
        self.world.globals.insert(full, value);
    }

    /// Does what a statement of `zeek_init` or of the top does, as far as a node's start depends on it; tells whether
    /// it returned.
    fn run(&mut self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Block(stmts) => stmts.iter().any(|stmt| self.run(stmt)),
            Stmt::If(cond, yes, no) => {
                self.effect(cond);
                match (self.world.eval(cond, &Locals::new()).truth(), no) {
                    (Some(true), _) => self.run(yes),
                    (Some(false), Some(no)) => self.run(no),
                    (Some(false), None) => false,
                    // It can't be told: what is in there is done, but that it returns or ends all is not believed.
                    (None, _) => {
                        let fate = self.world.fate.clone();
                        self.run(yes);
                        self.world.fate = fate;
                        false
                    }
                }
            }
            Stmt::Expr(expr) | Stmt::Local(_, expr) => {
                self.effect(expr);
                false
            }
            Stmt::While(cond) => {
                if self.world.eval(cond, &Locals::new()).truth() == Some(true) {
                    self.world.fate.get_or_insert(Fate::Hang);
                }
                false
            }
            Stmt::Return => true,
            Stmt::Other => false,
        }
    }

    fn effect(&mut self, expr: &Expr) {
        match expr {
            Expr::Call(callee, args) => {
                let Expr::Name(name, place) = &**callee else { return };
                let first = || args.first().map(|a| self.world.eval(a, &Locals::new()));
                let fate = match (name.as_str(), first()) {
                    ("Reporter::fatal", Some(Value::Text(text))) => Some(Fate::Fatal(place.to_string(), text)),
                    ("exit", Some(Value::Count(code))) => Some(Fate::Exit(u8::try_from(code & 0xff).unwrap_or(1))),
                    ("terminate", None) => Some(Fate::Terminate),
                    _ => None,
                };
                if let Some(fate) = fate {
                    self.world.fate.get_or_insert(fate);
                    return;
                }
                match name.as_str() {
                    "Cluster::listen_websocket" | "Broker::listen_websocket" => {
                        check::listen(&mut self.world, name, args);
                    }
                    "Cluster::subscribe" | "Broker::subscribe" => {
                        if let Some(Value::Text(topic)) = args.first().map(|a| self.world.eval(a, &Locals::new())) {
                            self.world.subscriptions.push(topic);
                        }
                    }
                    _ => {}
                }
            }
            Expr::Unary(_, inner) => self.effect(inner),
            Expr::Binary(_, left, right) => {
                self.effect(left);
                self.effect(right);
            }
            _ => {}
        }
    }

    /// Opens a script by the name that `@load` or the command line gives.
    fn open(&mut self, name: &str, from: Option<&Place>) -> Result<(), Failure> {
        if let Some(own) = own::name(name)
            && !self.found(name).is_some_and(|f| own::is_foreign(&f))
        {
            return own::accept(&mut self.world, &own, name, from);
        }
        let Some(file) = self.found(name) else {
            return Err(Failure::fatal(from, format!("can't find {name}")));
        };
        let real = file.canonicalize().unwrap_or_else(|_| file.clone());
        if !self.seen.insert(real) {
            return Ok(());
        }
        let source =
            std::fs::read(&file).map_err(|_| Failure::fatal(from, format!("can't open {}", file.display())))?;
        let dir = file.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        self.push(&file.to_string_lossy().into(), &String::from_utf8_lossy(&source), dir)
    }

    fn push(&mut self, file: &Rc<str>, source: &str, dir: PathBuf) -> Result<(), Failure> {
        let tokens = lexer::tokens(file, source)
            .map_err(|(place, c)| Failure::error(&place, format!("unrecognized character: '{c}'")))?;
        let outer = std::mem::replace(&mut self.world.module, "GLOBAL".into());
        self.files.push(File { tokens: tokens.into_iter(), dir, outer });
        Ok(())
    }

    /// Looks for a script: beside the one that loads it for `./x` and `../x`, else along ZEEKPATH.
    fn found(&self, name: &str) -> Option<PathBuf> {
        let here = self.files.last().map_or_else(|| PathBuf::from("."), |f| f.dir.clone());
        if name.starts_with('/') {
            return script_at(Path::new(name));
        }
        if name.starts_with("./") || name.starts_with("../") {
            let dir = if self.files.is_empty() { std::path::absolute(&here).unwrap_or(here) } else { here };
            return script_at(&dir.join(name.strip_prefix("./").unwrap_or(name)));
        }
        let beside = if self.files.is_empty() { script_at(Path::new(name)) } else { None };
        self.path.iter().find_map(|dir| script_at(&dir.join(name))).or(beside)
    }

    fn active(&self) -> bool {
        self.conditions.iter().all(|c| c.active)
    }

    fn directive(&mut self, token: &Token, name: &str, operand: &str) -> Result<(), Failure> {
        match name {
            "if" | "ifdef" | "ifndef" => {
                let tokens = self.parenthesised(token)?;
                let known = |this: &Self| match tokens.first().map(|t| &t.kind) {
                    Some(Kind::Ident(id)) => this.world.find(id).is_some() || this.world.others.contains_key(id),
                    _ => false,
                };
                let holds = match name {
                    "ifdef" => known(self),
                    "ifndef" => !known(self),
                    // In a part that isn't read nothing is looked at.
                    _ if !self.active() => false,
                    _ => {
                        let end = Token { kind: Kind::End, text: String::new(), place: token.place.clone() };
                        let expr = Slice::new(tokens, end).expr()?;
                        self.world.eval(&expr, &Locals::new()).truth().unwrap_or(true)
                    }
                };
                self.conditions.push(Condition { active: holds, other: !holds });
            }
            "else" => match self.conditions.last_mut() {
                Some(condition) => condition.active = std::mem::replace(&mut condition.other, false),
                None => return Err(Failure::error(&token.place, "@else without @if...")),
            },
            "endif" if self.conditions.pop().is_none() => {
                return Err(Failure::error(&token.place, "unbalanced @if... @endif"));
            }
            "load" if self.active() => self.open(operand, Some(&token.place))?,
            "deprecated" if self.active() => {
                let why = operand.trim_matches(['(', ')', ' ']).trim_matches('"');
                let text = format!("deprecated script loaded from command line arguments \"{why}\"");
                self.warnings.push(Failure::error(&token.place, text));
            }
            _ => {}
        }
        Ok(())
    }

    /// The tokens between the parentheses that follow a directive.
    fn parenthesised(&mut self, directive: &Token) -> Result<Vec<Token>, Failure> {
        let mut depth = 0_u32;
        let mut tokens = Vec::new();
        let Some(file) = self.files.last_mut() else { return Ok(tokens) };
        for token in file.tokens.by_ref() {
            match token.kind {
                Kind::Op("(") => {
                    depth += 1;
                    if depth == 1 {
                        continue;
                    }
                }
                Kind::Op(")") => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok(tokens);
                    }
                }
                Kind::End => return Err(Failure::syntax(&token)),
                _ if depth == 0 => return Err(Failure::syntax(&token)),
                _ => {}
            }
            tokens.push(token);
        }
        Err(Failure::syntax(directive))
    }
}

impl Parse for Loader {
    fn pull(&mut self) -> Result<Token, Failure> {
        loop {
            let Some(file) = self.files.last_mut() else {
                let place = Place { file: "<stdin>".into(), line: 1 };
                return Ok(Token { kind: Kind::End, text: String::new(), place });
            };
            let Some(token) = file.tokens.next() else {
                self.files.pop();
                continue;
            };
            match &token.kind {
                Kind::End => {
                    self.world.module = std::mem::take(&mut file.outer);
                    let last = self.files.len() == 1;
                    self.files.pop();
                    if last {
                        if !self.conditions.is_empty() {
                            return Err(Failure::fatal(Some(&token.place), "unbalanced @if... @endif"));
                        }
                        return Ok(token);
                    }
                }
                Kind::Directive(name, operand) if !matches!(name.as_str(), "DIR" | "FILENAME") => {
                    let (name, operand) = (name.clone(), operand.clone());
                    self.directive(&token, &name, &operand)?;
                }
                _ if self.active() => return Ok(token),
                _ => {}
            }
        }
    }

    fn slot(&mut self) -> &mut Option<Token> {
        &mut self.slot
    }
}

/// A file at a path as Zeek tries it: the name with `.zeek`, the name, a folder's `__load__.zeek`.
fn script_at(path: &Path) -> Option<PathBuf> {
    let named = path.with_file_name(format!("{}.zeek", path.file_name()?.to_string_lossy()));
    if named.is_file() {
        return Some(named);
    }
    if path.is_dir() {
        let load = path.join("__load__.zeek");
        return load.is_file().then_some(load);
    }
    path.is_file().then(|| path.to_path_buf())
}

/// Parses the value of an assignment on the command line.
fn parse_value(text: &str) -> Option<Expr> {
    let mut tokens = lexer::tokens(&"<params>".into(), text).ok()?;
    let end = tokens.pop()?;
    if tokens.is_empty() {
        return None;
    }
    let mut slice = Slice::new(tokens, end);
    let expr = slice.expr().ok()?;
    matches!(slice.peek().ok()?.kind, Kind::End).then_some(expr)
}

/// A value in the shape of a declared type: `{}` may be a set or a table, `1` a double.
fn shaped(value: Value, of: &str) -> Value {
    match (value, of) {
        (Value::NoValue, t) if t.starts_with("set[") => Value::Set(Vec::new()),
        (Value::NoValue, t) if t.starts_with("table[") => Value::Table(Vec::new()),
        (Value::NoValue, t) if t.starts_with("vector") => Value::Vector(Vec::new()),
        (Value::Set(items), t) if t.starts_with("table") && items.is_empty() => Value::Table(Vec::new()),
        (Value::Count(n), "double") => Value::Double(u32::try_from(n).map_or(f64::MAX, f64::from)),
        (Value::Count(n), "int") => i64::try_from(n).map_or(Value::Unknown, Value::Int),
        (value, _) => value,
    }
}

#[cfg(test)]
#[path = "loader_tests.rs"]
mod tests;
