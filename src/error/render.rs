//! Diagnostics as text: the lines of the file, carets and help.

use std::fmt::Write as _;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::problem::{Diagnostic, Label, Severity, Source};

/// How many diagnostics are shown; a file that has more is told so.
const SHOWN: usize = 100;
/// How far apart two labels may be to stand in one excerpt of the file.
const NEAR_LINES: usize = 200;
/// The longest line that is shown; of a longer one only the place is told.
const LONGEST_LINE: usize = 4096;

/// How diagnostics are to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderStyle {
    /// Whether escape codes may be used.
    pub color: bool,
    /// The width of the terminal, in columns.
    pub width: usize,
}

impl Default for RenderStyle {
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// Renders diagnostics one below the other, each with an empty line after it.
pub fn render(diagnostics: &[Diagnostic], look: RenderStyle) -> String {
    let renderer = if look.color { Renderer::styled() } else { Renderer::plain() }.term_width(look.width.max(40));
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN) {
        out.push_str(&one(diagnostic, &renderer));
        out.push_str("\n\n");
    }
    if diagnostics.len() > SHOWN {
        let _ = writeln!(out, "and {} more problems, not shown", diagnostics.len() - SHOWN);
    }
    out
}

fn one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let message = clean(&diagnostic.message);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(message);
    let mut group = match &diagnostic.primary {
        Some(primary) => title.elements(excerpts(primary, &diagnostic.also)),
        None => title.element(annotate_snippets::Origin::path(clean(&diagnostic.file))),
    };
    if let Some(help) = &diagnostic.help {
        // A help of its own group would repeat the path; as a message it stands below the lines.
        group = group.element(Level::HELP.message(clean(help)));
    }
    let report: &[Group<'_>] = &[group];
    renderer.render(report)
}

/// Cuts the parts of the files that the labels need, so that a problem costs the same in a short file and a long one.
fn excerpts<'a>(primary: &'a Label, also: &'a [Label]) -> Vec<Snippet<'a, Annotation<'a>>> {
    let mut rest: Vec<&Label> = also.iter().collect();
    let mut out = Vec::new();
    let mut kind = AnnotationKind::Primary;
    let mut next = Some(primary);
    while let Some(label) = next {
        let (line, _) = label.source.line_column(label.span.start);
        let near = |other: &&Label| {
            Arc::ptr_eq(&other.source, &label.source)
                && other.source.line_column(other.span.start).0.abs_diff(line) <= NEAR_LINES
        };
        let (with, apart): (Vec<_>, Vec<_>) = rest.into_iter().partition(near);
        out.push(excerpt(label, kind, &with));
        kind = AnnotationKind::Context;
        next = apart.first().copied();
        rest = apart.into_iter().skip(1).collect();
    }
    out
}

fn excerpt<'a>(label: &'a Label, kind: AnnotationKind, with: &[&'a Label]) -> Snippet<'a, Annotation<'a>> {
    let source: &'a Source = &label.source;
    let lines = |l: &Label| {
        let last = l.span.end.max(l.span.start + 1) - 1;
        (source.line_column(l.span.start).0, source.line_column(last).0)
    };
    let all = || std::iter::once(label).chain(with.iter().copied());
    let first = all().map(|l| lines(l).0).min().unwrap_or(1).saturating_sub(1).max(1);
    let last = all().map(|l| lines(l).1).max().unwrap_or(1);
    let (start, end) = (source.line_start(first), source.line_start(last + 1));
    let text = source.text.get(start..end).unwrap_or("");
    if text.lines().any(|line| line.len() > LONGEST_LINE) {
        return Snippet::source("").path(clean(&source.file)).line_start(lines(label).0);
    }
    let note = |l: &'a Label, kind: AnnotationKind| {
        let from = l.span.start.saturating_sub(start).min(text.len());
        let to = l.span.end.saturating_sub(start).clamp(from, text.len());
        // A caret under a line's end would be drawn on the next line.
        let to = from + text[from..to].trim_end_matches(['\n', '\r', ' ']).len();
        let annotation = kind.span(from..to);
        if l.text.is_empty() { annotation } else { annotation.label(clean(&l.text)) }
    };
    Snippet::source(escape_control(text))
        .line_start(first)
        .path(clean(&source.file))
        .annotation(note(label, kind))
        .annotations(with.iter().map(|l| note(l, AnnotationKind::Context)))
}

/// Characters that turn the direction of what follows.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Replaces the control characters that the renderer leaves alone, each by one of the same length in bytes.
fn escape_control(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\u{80}'..='\u{9f}') { '\u{b7}' } else { c }).collect()
}

/// Makes control characters visible, so that a file can't write to the terminal.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_bidi(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
