//! Tables that fit: columns that matter least go first, and only then are the longest cells cut.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use super::escape::in_line;
use super::screen::Piece;
use super::stream::{Stream, Tone};

/// A column of a table.
pub(crate) struct Column {
    pub(crate) head: &'static str,
    /// What goes first where there is no room: the highest number; 0 never goes.
    pub(crate) drop_priority: u8,
    pub(crate) right: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
    /// Whether the eye is to fall on it, on a screen.
    marked: bool,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: in_line(text.as_ref()), tone, marked: false }
    }

    pub(crate) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Tone::Plain)
    }

    /// What is not known or does not apply.
    pub(crate) fn none() -> Self {
        Self::new("-", Tone::Dim)
    }
}

/// The blanks between columns.
const GAP: usize = 2;
/// The narrowest that a cell is cut to.
const NARROWEST: usize = 6;

/// Which columns are shown within a width, and how wide they are, by their index among all.
fn fitted(limit: Option<usize>, columns: &[Column], rows: &[Vec<Cell>]) -> (Vec<usize>, Vec<usize>) {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(i, c)| {
            rows.iter().filter_map(|r| r.get(i)).map(|cell| cell.text.width()).max().unwrap_or(0).max(c.head.len())
        })
        .collect();
    let Some(limit) = limit else { return (shown, widths) };
    let total =
        |shown: &[usize], widths: &[usize]| shown.iter().map(|i| widths[*i] + GAP).sum::<usize>().saturating_sub(GAP);
    while total(&shown, &widths) > limit {
        let Some(least) =
            shown.iter().copied().filter(|i| columns[*i].drop_priority > 0).max_by_key(|i| columns[*i].drop_priority)
        else {
            break;
        };
        shown.retain(|i| *i != least);
    }
    // Still too wide: cut the widest column bit by bit.
    while total(&shown, &widths) > limit {
        let Some(widest) = shown.iter().copied().max_by_key(|i| widths[*i]).filter(|i| widths[*i] > NARROWEST) else {
            break;
        };
        widths[widest] -= 1;
    }
    (shown, widths)
}

/// Lays a table out as the lines of a screen of so many columns, the head first.
pub(crate) fn grid(width: usize, columns: &[Column], rows: &[Vec<Cell>]) -> Vec<Vec<Piece>> {
    let (shown, widths) = fitted(Some(width), columns, rows);
    let line = |cell: &dyn Fn(usize) -> Cell| {
        let mut pieces = Vec::new();
        for (n, index) in shown.iter().enumerate() {
            let cell = cell(*index);
            let text = cut(&cell.text, widths[*index]);
            let room = " ".repeat(widths[*index].saturating_sub(text.width()));
            let gap = " ".repeat(if n + 1 == shown.len() { 0 } else { GAP });
            let piece = Piece::new(text, cell.tone).marked(cell.marked);
            if columns[*index].right {
                pieces.extend([Piece::plain(room), piece, Piece::plain(gap)]);
            } else {
                pieces.extend([piece, Piece::plain(room + &gap)]);
            }
        }
        pieces
    };
    let head = line(&|index| Cell::new(columns[index].head, Tone::Strong));
    let body = rows.iter().map(|row| line(&|index| row.get(index).cloned().unwrap_or_else(|| Cell::plain(""))));
    std::iter::once(head).chain(body).collect()
}

/// Renders a table for a stream.
pub(crate) fn table(stream: Stream, columns: &[Column], rows: &[Vec<Cell>]) -> String {
    let (shown, widths) = fitted(stream.width, columns, rows);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(shown.iter().map(|i| stream.paint(Tone::Strong, &cut(columns[*i].head, widths[*i]))));
    for row in rows {
        table.add_row(shown.iter().map(|i| match row.get(*i) {
            Some(cell) => stream.paint(cell.tone, &cut(&cell.text, widths[*i])),
            None => String::new(),
        }));
    }
    let mut lines = String::new();
    for (n, index) in shown.iter().enumerate() {
        if let Some(column) = table.column_mut(n) {
            let last = n + 1 == shown.len();
            column.set_padding((0, if last { 0 } else { 2 }));
            if columns[*index].right {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    for line in table.lines() {
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// Cuts a text to a width, with a sign that it was cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        if short.width() + unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) + 1 > width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::{Cell, Column, table};
    use crate::ui::{Stream, Tone};
    use unicode_width::UnicodeWidthStr;

    fn sample(width: Option<usize>) -> String {
        let columns = [
            Column { head: "NODE", drop_priority: 0, right: false },
            Column { head: "PID", drop_priority: 2, right: true },
            Column { head: "HOST", drop_priority: 1, right: false },
        ];
        let rows = vec![vec![Cell::plain("a-rather-long-worker-name-1"), Cell::plain("12345"), Cell::plain("sensor1")]];
        table(Stream { terminal: width.is_some(), color: false, width }, &columns, &rows)
    }

    #[test]
    fn the_least_goes_first() {
        insta::assert_snapshot!(sample(None), @r"
        NODE                           PID  HOST
        a-rather-long-worker-name-1  12345  sensor1
        ");
        insta::assert_snapshot!(sample(Some(38)), @r"
        NODE                         HOST
        a-rather-long-worker-name-1  sensor1
        ");
        insta::assert_snapshot!(sample(Some(20)), @r"
        NODE
        a-rather-long-worke…
        ");
    }

    #[test]
    fn colours_take_no_room() {
        let columns = [
            Column { head: "NODE", drop_priority: 0, right: false },
            Column { head: "STATE", drop_priority: 0, right: false },
            Column { head: "PID", drop_priority: 0, right: true },
        ];
        let row = |state: &str, tone| vec![Cell::new("worker-1", Tone::Strong), Cell::new(state, tone), Cell::none()];
        let rows = [row("running", Tone::Good), row("starting", Tone::Plain)];
        let shown = |color| table(Stream { terminal: true, color, width: Some(80) }, &columns, &rows);
        let painted = shown(true);
        assert!(painted.contains("\u{1b}["), "{painted}");
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), shown(false));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 10..60 {
            for line in sample(Some(width)).lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }
}
