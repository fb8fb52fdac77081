//! YAML -> [`Spec`] with positions. One parser makes the values and the places; every problem is told with its place.

mod decode;
mod foreign;
mod forms;
mod include;
mod read;
mod tree;
mod types;
mod value;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{At, Diagnostic, Label, Place, Problem, Source, Step};

pub use decode::schema;
pub use forms::*;
pub use types::*;

/// A description as it was read.
#[derive(Debug)]
pub struct Description {
    /// The folder of the file, absolute; relative paths in it are relative to this.
    pub dir: PathBuf,
    /// What could be read.
    pub spec: Spec,
    /// What is wrong with its form, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The file itself, then included ones.
    files: Vec<File>,
    /// Which file an entry of `hosts` or `nodes` stands in, if not the first.
    owners: HashMap<(&'static str, String), usize>,
}

/// One file of a description.
#[derive(Debug)]
struct File {
    source: Arc<Source>,
    root: Option<Arc<tree::Node>>,
}

/// Reads a description. Never fails: what is wrong stands in the diagnostics.
pub fn load(path: &Path) -> Description {
    let name = path.display().to_string();
    let dir = std::path::absolute(path).ok().and_then(|p| p.parent().map(Path::to_owned)).unwrap_or_default();
    let mut budget = read::Budget::default();
    match read::read(path, &mut budget) {
        Ok(text) => include::with_includes(parse(&name, text, dir), budget),
        Err(diagnostic) => Description {
            dir,
            spec: Spec::default(),
            diagnostics: vec![*diagnostic],
            files: vec![File { source: Arc::new(Source::new(name, "")), root: None }],
            owners: HashMap::new(),
        },
    }
}

/// Reads a description from a text; includes are not followed.
pub fn parse(name: &str, text: String, dir: PathBuf) -> Description {
    let (file, value, mut diagnostics) = open(name, text);
    let mut spec = Spec::default();
    if let (Some(value), Some(root)) = (value, &file.root) {
        let decoded = decode::decode::<Spec>(&file.source, root, value);
        spec = decoded.value;
        spec.broken = decoded.broken;
        diagnostics.extend(decoded.diagnostics);
    }
    sort(&mut diagnostics, name);
    Description { dir, spec, diagnostics, files: vec![file], owners: HashMap::new() }
}

/// Text -> tree -> value.
fn open(name: &str, text: String) -> (File, Option<serde_yaml::Value>, Vec<Diagnostic>) {
    let (text, bom) = match text.strip_prefix('\u{feff}') {
        Some(rest) => (rest.to_owned(), true),
        None => (text, false),
    };
    let source = Arc::new(Source::new(name, text));
    let (root, mut diagnostics) = tree::parse(&source);
    if bom {
        let message = "the file begins with a byte order mark";
        let diagnostic = Diagnostic::at(&source, 0..0, message, "before this");
        diagnostics.push(diagnostic.help("save it as UTF-8 without a byte order mark"));
    }
    let value = root.as_ref().and_then(|root| match value::value(&source, root) {
        Ok(value) => Some(value),
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            None
        }
    });
    if !root.as_ref().is_some_and(|root| matches!(root.kind, tree::Kind::Mapping(_))) && foreign::is_ini(&source.text) {
        let diagnostic = Diagnostic::at(&source, 0..0, "this is not a description", "here");
        return (File { source, root: None }, None, vec![diagnostic.help(foreign::INI)]);
    }
    if value.is_none() && diagnostics.is_empty() {
        diagnostics.push(Diagnostic::file(name, "the description is empty").help("begin with `cluster: NAME`"));
    }
    (File { source, root }, value, diagnostics)
}

/// Puts diagnostics in the order of their files, the main one first, and lines.
fn sort(diagnostics: &mut [Diagnostic], main: &str) {
    diagnostics.sort_by(|a, b| {
        let place = |d: &Diagnostic| (d.file != main, d.line, d.column);
        let ((x, ..), (y, ..)) = (place(a), place(b));
        x.cmp(&y).then_with(|| a.file.cmp(&b.file)).then(place(a).cmp(&place(b)))
    });
}

impl Description {
    /// Tells whether the whole of it was read as YAML, so that its meaning can be judged.
    pub fn is_readable(&self) -> bool {
        self.files.iter().all(|file| file.root.is_some())
    }

    /// The file as the user named it.
    pub fn name(&self) -> &str {
        self.files.first().map_or("", |file| &file.source.file)
    }

    /// Returns all that is wrong, in the order of the files: its form, and these problems of its meaning.
    pub fn with(&self, problems: &[Problem]) -> Vec<Diagnostic> {
        let located = problems.iter().map(|problem| self.locate(problem));
        let mut all: Vec<_> = self.diagnostics.iter().cloned().chain(located).collect();
        sort(&mut all, self.name());
        all
    }

    /// Finds the place of a problem in the files; if it is not there, the nearest one that it would stand in.
    pub fn locate(&self, problem: &Problem) -> Diagnostic {
        let (source, span) = self.find(&problem.place, problem.at);
        let mut diagnostic = Diagnostic::at(&source, span, problem.message.clone(), problem.label.clone());
        diagnostic.also = problem
            .also
            .iter()
            .map(|(place, at, text)| {
                let (source, span) = self.find(place, *at);
                Label { source, span, text: text.clone() }
            })
            .collect();
        diagnostic.help.clone_from(&problem.help);
        diagnostic.severity = problem.severity;
        diagnostic
    }

    fn find(&self, place: &Place, at: At) -> (Arc<Source>, std::ops::Range<usize>) {
        let owner = match place.0.as_slice() {
            [Step::Key(section), Step::Key(name), ..] => match section.as_str() {
                "hosts" => self.owners.get(&("hosts", name.clone())),
                "nodes" => self.owners.get(&("nodes", name.clone())),
                _ => None,
            },
            _ => None,
        };
        let Some(file) = self.files.get(owner.copied().unwrap_or(0)) else {
            return (Arc::new(Source::new("", "")), 0..0);
        };
        let span = match &file.root {
            Some(root) if place.0.is_empty() => root.span.start..root.span.start,
            Some(root) => shown(&file.source, root.find(place, at == At::Key)),
            None => 0..0,
        };
        (Arc::clone(&file.source), span)
    }
}

/// Of a place that is not there, the ancestor's first line is shown; so it is of a value of many lines.
fn shown(source: &Source, (span, _): (std::ops::Range<usize>, bool)) -> std::ops::Range<usize> {
    let text = source.text.get(span.clone()).unwrap_or("");
    let first = text.lines().next().unwrap_or("").trim_end().len();
    span.start..span.start + first
}
