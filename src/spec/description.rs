//! A description as it was read: what it says, what is wrong with it, and where everything stands.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use super::tree::{self, Kind, Node};
use super::types::Spec;
use super::zeekctl_keys;
use crate::error::{At, Diagnostic, Label, Place, Problem, Source, Step};

/// A description as it was read.
#[derive(Debug)]
pub struct Description {
    /// The folder of the file, absolute; relative paths in it are relative to this.
    pub dir: PathBuf,
    /// What could be read.
    pub spec: Spec,
    /// Places that could not be read. A later check does not report what is missing there.
    pub broken: BTreeSet<Place>,
    /// What is wrong with its form, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The file itself, then included ones.
    pub(super) files: Vec<File>,
    /// Which file an entry of `hosts` or `nodes` stands in, if not the first.
    pub(super) owners: HashMap<(&'static str, String), usize>,
}

/// One file of a description.
#[derive(Debug)]
pub(super) struct File {
    pub(super) source: Arc<Source>,
    pub(super) root: Option<Arc<Node>>,
}

/// Text -> tree.
pub(super) fn open(name: &str, text: String) -> (File, Vec<Diagnostic>) {
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
    if !root.as_ref().is_some_and(|root| matches!(root.kind, Kind::Mapping(_))) && zeekctl_keys::is_ini(&source.text) {
        let diagnostic = Diagnostic::at(&source, 0..0, "this is not a description", "here");
        return (File { source, root: None }, vec![diagnostic.help(zeekctl_keys::INI)]);
    }
    if root.is_none() && diagnostics.is_empty() {
        diagnostics.push(Diagnostic::file(name, "the description is empty").help("begin with `cluster: NAME`"));
    }
    (File { source, root }, diagnostics)
}

/// Puts diagnostics in the order of their files, the main one first, and lines.
pub(super) fn sort(diagnostics: &mut [Diagnostic], main: &str) {
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

    /// The files, with their names and what is in them; the main one first.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|file| (file.source.file.as_str(), file.source.text.as_str()))
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

    pub(super) fn find(&self, place: &Place, at: At) -> (Arc<Source>, std::ops::Range<usize>) {
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
            Some(root) => file.source.first_line(&root.find(place, at == At::Key)),
            None => 0..0,
        };
        (Arc::clone(&file.source), span)
    }
}
