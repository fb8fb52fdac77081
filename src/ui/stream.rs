//! Streams: whether they are terminals, how wide, and what may be coloured.

use anstyle::{AnsiColor, Style};

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) terminal: bool,
    pub(crate) color: bool,
    /// Columns; none where nothing limits them.
    pub(crate) width: Option<usize>,
}

/// What a cell or a word means; it decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
    Dim,
    Strong,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
        }
    }
}

impl Stream {
    pub(crate) fn new(terminal: bool, color: Color) -> Self {
        let wanted = || std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && !dumb();
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && wanted(),
        };
        Self { terminal, color, width: terminal.then(terminal_width) }
    }

    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self.color && tone != Tone::Plain && !text.is_empty() {
            let style = tone.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Breaks a text into lines of the stream's width; further lines are indented.
    pub(crate) fn wrap(self, text: &str, indent: &str) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let options = textwrap::Options::new(width.max(20))
            .subsequent_indent(indent)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        text.split('\n').map(|line| textwrap::fill(line, &options)).collect::<Vec<_>>().join("\n")
    }
}

pub(crate) fn dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn terminal_width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).filter(|c| *c > 0);
    asked.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))).unwrap_or(80).max(20)
}
