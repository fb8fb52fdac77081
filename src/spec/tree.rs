//! YAML events -> a tree of texts with their places, under limits.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::error::{Diagnostic, Place, Source, Step};

/// How many events a file may have, and how many values it may have with its aliases expanded.
pub(super) const EVENTS: usize = 400_000;
/// How deep a file may be nested, with its aliases expanded.
pub(super) const DEPTH: usize = 32;
/// From how many entries on a mapping gets an index.
const INDEXED: usize = 8;

/// A value with its place in the text, in bytes.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    /// How many values it is, with those in it; aliases are counted each time.
    pub(super) size: usize,
    /// How many levels it has, itself included.
    height: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A text; `plain` ones may stand for a number, a boolean or nothing.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Arc<Node>>),
    Mapping(Mapping),
}

/// One `key: value`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) span: Range<usize>,
    pub(super) value: Arc<Node>,
}

#[derive(Debug, Default)]
pub(super) struct Mapping {
    pub(super) entries: Vec<Entry>,
    index: HashMap<String, usize>,
}

impl Mapping {
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        if self.entries.len() > INDEXED {
            self.index.get(key).and_then(|&at| self.entries.get(at))
        } else {
            self.entries.iter().find(|entry| entry.key == key)
        }
    }

    fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        match self.entries.len().cmp(&(INDEXED + 1)) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => {
                self.index = self.entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
            }
            std::cmp::Ordering::Greater => {
                if let Some(entry) = self.entries.last() {
                    self.index.insert(entry.key.clone(), self.entries.len() - 1);
                }
            }
        }
    }
}

impl Node {
    fn new(span: Range<usize>, kind: Kind) -> Self {
        let mut node = Self { span, kind, size: 1, height: 1 };
        let (size, height) = node
            .children()
            .fold((1_usize, 0), |(size, height), child| (size.saturating_add(child.size), height.max(child.height)));
        (node.size, node.height) = (size, height + 1);
        node
    }

    fn children(&self) -> Box<dyn Iterator<Item = &Arc<Self>> + '_> {
        match &self.kind {
            Kind::Scalar { .. } => Box::new(std::iter::empty()),
            Kind::Sequence(items) => Box::new(items.iter()),
            Kind::Mapping(mapping) => Box::new(mapping.entries.iter().map(|entry| &entry.value)),
        }
    }

    /// Finds where the file, with its aliases expanded, becomes larger or deeper than it may be.
    fn too_much(&self) -> Option<(Range<usize>, String)> {
        let (mut node, mut before, mut depth) = (self, 0, 0);
        loop {
            before += 1;
            if before > EVENTS {
                return Some((node.span.clone(), format!("the aliases stand for more than {EVENTS} values")));
            }
            if depth > DEPTH {
                return Some((node.span.clone(), format!("the description is nested more than {DEPTH} levels deep")));
            }
            let exceeds = |child: &Self, before: usize| {
                before.saturating_add(child.size) > EVENTS || depth + child.height > DEPTH
            };
            let mut next = None;
            for child in node.children() {
                if exceeds(child, before) {
                    next = Some(child);
                    break;
                }
                before += child.size;
            }
            (node, depth) = (next?, depth + 1);
        }
    }

    /// Finds the span of a place, or else of its nearest ancestor that exists; the key's only if the whole place exists.
    pub(super) fn find(&self, place: &Place, key: bool) -> Range<usize> {
        let (mut node, mut span) = (self, None);
        for (depth, step) in place.0.iter().enumerate() {
            let last = depth + 1 == place.0.len();
            let next = match (step, &node.kind) {
                (Step::Key(key), Kind::Mapping(mapping)) => mapping.get(key).map(|e| (Some(&e.span), &e.value)),
                (Step::Index(index), Kind::Sequence(items)) => items.get(*index).map(|item| (None, item)),
                _ => None,
            };
            match next {
                Some((at, value)) => {
                    span = at;
                    node = value;
                    if last {
                        break;
                    }
                }
                None => return span.unwrap_or(&node.span).clone(),
            }
        }
        let whole = if key { span.unwrap_or(&node.span) } else { &node.span };
        whole.clone()
    }
}

/// What is being built: a sequence, or a mapping with the key that waits for its value.
enum Open {
    Sequence { items: Vec<Arc<Node>>, from: usize, anchor: usize },
    Mapping { mapping: Mapping, merges: Vec<Arc<Node>>, key: Option<Key>, from: usize, anchor: usize },
}

/// A key that waits for its value.
struct Key {
    text: Result<String, ()>,
    plain: bool,
    span: Range<usize>,
}

struct Builder<'a> {
    source: &'a Arc<Source>,
    chars: Chars,
    open: Vec<Open>,
    anchors: HashMap<usize, Arc<Node>>,
    root: Option<Arc<Node>>,
    diagnostics: Vec<Diagnostic>,
    /// Entries copied by `<<`, counted with the events.
    copied: usize,
}

/// Reads a file's text. There is no tree if the text is empty, can't be read to its end, or is too large.
/// A walk over the tree sees at most [`EVENTS`] values.
pub(super) fn parse(source: &Arc<Source>) -> (Option<Arc<Node>>, Vec<Diagnostic>) {
    let mut builder = Builder {
        source,
        chars: Chars::new(&source.text),
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        diagnostics: Vec::new(),
        copied: 0,
    };
    let mut parser = Parser::new_from_str(&source.text);
    let mut events = 0;
    while let Some(event) = parser.next_event() {
        events += 1;
        let done = match event {
            Err(error) => Err(Box::new(builder.syntax(&error))),
            Ok((_, span)) if events + builder.copied > EVENTS => {
                let message = format!("the description has more than {EVENTS} values");
                Err(Box::new(builder.at(span, message, "the limit is reached here")))
            }
            Ok((event, span)) => builder.event(event, span),
        };
        match done {
            Ok(true) => {}
            Ok(false) => break,
            Err(diagnostic) => {
                builder.diagnostics.push(*diagnostic);
                return (None, builder.diagnostics);
            }
        }
    }
    if let Some((span, message)) = builder.root.as_ref().and_then(|root| root.too_much()) {
        builder.root = None;
        builder.diagnostics.push(Diagnostic::at(source, span, message, "the limit is reached here"));
    }
    (builder.root, builder.diagnostics)
}

impl Builder<'_> {
    fn at(&self, span: Span, message: impl Into<String>, label: &str) -> Diagnostic {
        Diagnostic::at(self.source, self.bytes(span), message, label)
    }

    fn bytes(&self, span: Span) -> Range<usize> {
        let text = &self.source.text;
        let start = self.chars.byte(text, span.start.index());
        start..self.chars.byte(text, span.end.index()).max(start)
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let (source, info) = (self.source, error.info());
        let at = self.chars.byte(&source.text, error.marker().index());
        let line = error.marker().line();
        // A tab that indents may be found at the end of the line before it.
        let lines = source.line_start(line)..source.line_start(line + 2);
        let tab = source.text.get(lines.clone()).and_then(|text| text.find('\t')).map(|tab| lines.start + tab);
        let message = if info.contains("recursion limit") {
            format!("the description is nested more than {DEPTH} levels deep")
        } else {
            format!("this is not YAML: {info}")
        };
        if let Some(tab) = tab {
            let span = if info.contains("tab") { tab..tab + 1 } else { at..at };
            return Diagnostic::at(source, span, message, "").help("YAML indents with spaces; there is a tab here");
        }
        let diagnostic = Diagnostic::at(source, at..at, message, "here");
        if info.contains("flow") || info.contains("illegal placement") {
            diagnostic.help("perhaps a `[`, `{` or quotation mark before this is not closed")
        } else if info.contains("block mapping") || info.contains("simple key") {
            diagnostic.help("look at the indentation and the `:` of this line and the one before")
        } else {
            diagnostic
        }
    }

    /// Takes one event; false ends the reading.
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<bool, Box<Diagnostic>> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                let second = self.at(span, "a second document begins here", "only the first is read");
                self.diagnostics.push(second.help("one file describes one cluster; use `include` for several files"));
                return Ok(false);
            }
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned().unwrap_or_else(|| {
                    self.diagnostics.push(self.at(span, "this alias refers to a value that it is part of", "here"));
                    Arc::new(Node::new(self.bytes(span), Kind::Scalar { text: String::new(), plain: true }))
                });
                self.value(node, span);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.is_some(), span);
                let plain = style == ScalarStyle::Plain;
                let kind = Kind::Scalar { text: text.into_owned(), plain };
                let node = Arc::new(Node::new(self.bytes(span), kind));
                self.anchor(anchor, &node);
                self.value(node, span);
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.is_some(), span);
                self.deeper(span)?;
                self.open.push(Open::Sequence { items: Vec::new(), from: self.bytes(span).start, anchor });
            }
            Event::MappingStart(anchor, tag) => {
                self.tag(tag.is_some(), span);
                self.deeper(span)?;
                let (mapping, from) = (Mapping::default(), self.bytes(span).start);
                self.open.push(Open::Mapping { mapping, merges: Vec::new(), key: None, from, anchor });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::StreamEnd => return Ok(false),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        Ok(true)
    }

    fn tag(&mut self, tagged: bool, span: Span) {
        if tagged {
            // The span is of the value; the tag stands before it.
            let diagnostic = self.at(span, "YAML tags (`!...`) are not supported", "the value with the tag");
            self.diagnostics.push(diagnostic.help("remove the tag"));
        }
    }

    fn deeper(&self, span: Span) -> Result<(), Box<Diagnostic>> {
        if self.open.len() < DEPTH {
            return Ok(());
        }
        Err(Box::new(self.at(span, format!("the description is nested more than {DEPTH} levels deep"), "too deep")))
    }

    fn anchor(&mut self, anchor: usize, node: &Arc<Node>) {
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(node));
        }
    }

    fn close(&mut self, span: Span) -> Result<(), Box<Diagnostic>> {
        let end = self.bytes(span).end;
        let (kind, from, anchor) = match self.open.pop() {
            Some(Open::Sequence { items, from, anchor }) => (Kind::Sequence(items), from, anchor),
            Some(Open::Mapping { mut mapping, merges, from, anchor, .. }) => {
                for merge in merges {
                    self.merge(&mut mapping, &merge, span)?;
                }
                (Kind::Mapping(mapping), from, anchor)
            }
            None => return Ok(()),
        };
        // The end of a block is found at the next token, which may be many lines below.
        let text = self.source.text.get(from..end).unwrap_or("");
        let end = from + text.trim_end().len();
        let node = Arc::new(Node::new(from..end, kind));
        self.anchor(anchor, &node);
        self.value(node, span);
        Ok(())
    }

    /// Copies the entries of `<<` that are not there already.
    fn merge(&mut self, into: &mut Mapping, from: &Node, span: Span) -> Result<(), Box<Diagnostic>> {
        match &from.kind {
            Kind::Mapping(mapping) => {
                self.copied += mapping.entries.len();
                if self.copied > EVENTS {
                    let message = format!("`<<` copies more than {EVENTS} values");
                    return Err(Box::new(self.at(span, message, "the limit is reached here")));
                }
                for entry in &mapping.entries {
                    if into.get(&entry.key).is_none() {
                        into.push(entry.clone());
                    }
                }
            }
            Kind::Sequence(items) if items.iter().all(|item| matches!(item.kind, Kind::Mapping(_))) => {
                for item in items {
                    self.merge(into, item, span)?;
                }
            }
            _ => {
                let wrong =
                    Diagnostic::at(self.source, from.span.clone(), "`<<` needs a mapping to merge", "not a mapping");
                self.diagnostics.push(wrong.help("write an alias, such as `<<: *defaults`"));
            }
        }
        Ok(())
    }

    /// Puts a finished value where it belongs; `span` is where it stands (or its alias does).
    fn value(&mut self, node: Arc<Node>, span: Span) {
        let stands = self.bytes(span);
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { key: key @ None, .. }) => {
                *key = Some(match &node.kind {
                    Kind::Scalar { text, plain } => Key { text: Ok(text.clone()), plain: *plain, span: stands },
                    _ => Key { text: Err(()), plain: false, span: node.span.clone() },
                });
            }
            Some(Open::Mapping { mapping, merges, key, .. }) => {
                let Some(Key { text, plain, span }) = key.take() else { return };
                let (message, label, also) = match text {
                    Ok(text) if plain && text == "<<" => return merges.push(node),
                    Ok(text) => match mapping.get(&text) {
                        None => return mapping.push(Entry { key: text, span, value: node }),
                        Some(first) => {
                            let first = first.span.clone();
                            (format!("the key `{text}` is given twice"), "used again here", Some(first))
                        }
                    },
                    Err(()) => ("a key must be a text".to_owned(), "this is not a text", None),
                };
                let mut diagnostic = Diagnostic::at(self.source, span, message, label);
                if let Some(span) = also {
                    let text = "first used here".to_owned();
                    diagnostic.also.push(crate::error::Label { source: Arc::clone(self.source), span, text });
                    diagnostic.help = Some("keep one of the two".to_owned());
                }
                self.diagnostics.push(diagnostic);
            }
        }
    }
}

/// Characters -> bytes: the parser counts the ones, everything else the others.
struct Chars(Vec<usize>);

impl Chars {
    const STEP: usize = 64;

    fn new(text: &str) -> Self {
        if text.is_ascii() {
            return Self(Vec::new());
        }
        Self(text.char_indices().step_by(Self::STEP).map(|(at, _)| at).collect())
    }

    fn byte(&self, text: &str, index: usize) -> usize {
        if self.0.is_empty() {
            return index.min(text.len());
        }
        let Some(&start) = self.0.get(index / Self::STEP) else { return text.len() };
        let rest = text.get(start..).unwrap_or("");
        rest.char_indices().nth(index % Self::STEP).map_or(text.len(), |(at, _)| start + at)
    }
}
