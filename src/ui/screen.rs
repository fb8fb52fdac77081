//! A full screen that is redrawn in place, and the keys that are pressed there. The terminal is as it was at every end:
//! an error, a signal, a panic, a stop by Ctrl-Z.

use std::io::{self, Stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::process::{Signal, getpgrp, kill_process_group};
use tokio::signal::unix::SignalKind;
use tokio::sync::mpsc;

use super::console::{Ui, at_terminal};
use super::escape::in_line;
use super::stream::{Tone, dumb};

/// A part of a line, with what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    text: String,
    tone: Tone,
    /// Whether the eye is to fall on it.
    marked: bool,
}

impl Piece {
    pub(crate) fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: in_line(text.as_ref()), tone, marked: false }
    }

    pub(crate) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Tone::Plain)
    }

    /// Marks it, so that the eye falls on it.
    #[must_use]
    pub(crate) fn marked(mut self, marked: bool) -> Self {
        self.marked = marked;
        self
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn style(&self, color: bool) -> Style {
        let style = match self.tone {
            _ if !color => Style::new(),
            Tone::Plain => Style::new(),
            Tone::Good => Style::new().fg(Color::Green),
            Tone::Warn => Style::new().fg(Color::Yellow),
            Tone::Bad => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Dim => Style::new().add_modifier(Modifier::DIM),
            Tone::Strong => Style::new().add_modifier(Modifier::BOLD),
        };
        if self.marked { style.add_modifier(Modifier::REVERSED) } else { style }
    }
}

/// What the user, or the terminal, wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Backspace,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
    /// All has to be drawn anew: the screen has another size, or was somebody else's meanwhile.
    Redraw,
}

/// Tells whether a user sees a whole screen and can press keys, and nothing else is told there.
pub(crate) fn can_fill_screen(ui: &Ui) -> bool {
    ui.out.terminal && at_terminal() && !ui.verbose && !dumb()
}

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, Hide)
}

/// Gives the terminal back as it was.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing.
        let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

/// A panic is told on the screen that the user sees afterwards.
fn tell_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}

/// A terminal as one page.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// Columns and lines.
    size: (u16, u16),
    keys: mpsc::Receiver<Key>,
    continued: tokio::signal::unix::Signal,
    color: bool,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Where it can't be had.
    pub(crate) fn open(color: bool) -> io::Result<Self> {
        tell_panics();
        let continued = tokio::signal::unix::signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
        let size = terminal::size()?;
        let terminal = sized(size)?;
        // More than a hand types waits in the terminal.
        let (pressed, keys) = mpsc::channel(64);
        let screen = Self { terminal, size, keys, continued, color };
        take()?;
        // It ends with the program, or with the terminal.
        std::thread::spawn(move || {
            while let Ok(event) = event::read() {
                if let Some(key) = key(&event)
                    && pressed.blocking_send(key).is_err()
                {
                    return;
                }
            }
        });
        Ok(screen)
    }

    /// Waits for the next key; none where the terminal is gone.
    pub(crate) async fn key(&mut self) -> Option<Key> {
        tokio::select! {
            key = self.keys.recv() => key,
            // Whoever had the terminal meanwhile has changed it.
            Some(()) = self.continued.recv() => {
                let _ = take().and_then(|()| self.renew());
                Some(Key::Redraw)
            }
        }
    }

    /// Columns and lines. Where they have changed, all is drawn anew.
    pub(crate) fn size(&mut self) -> (usize, usize) {
        if terminal::size().is_ok_and(|size| size != self.size) {
            let _ = self.renew();
        }
        (self.size.0.into(), self.size.1.into())
    }

    /// Draws all anew the next time. The terminal is asked nothing: an answer would come among the keys.
    fn renew(&mut self) -> io::Result<()> {
        self.size = terminal::size()?;
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.terminal = sized(self.size)?;
        Ok(())
    }

    /// Shows a page: what has not changed is not written again.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub(crate) fn draw(&mut self, lines: &[Vec<Piece>]) -> io::Result<()> {
        if !TAKEN.load(Ordering::SeqCst) {
            return Err(io::Error::other("something failed, and gave it back"));
        }
        let color = self.color;
        self.terminal.draw(|frame| {
            let area = frame.area();
            for (line, y) in lines.iter().zip(area.y..area.bottom()) {
                let spans = line.iter().map(|piece| Span::styled(piece.text.as_str(), piece.style(color)));
                frame.buffer_mut().set_line(area.x, y, &spans.collect::<Line>(), area.width);
            }
        })?;
        Ok(())
    }

    /// Stops the program as Ctrl-Z does elsewhere, with the terminal as it was; returns when it goes on.
    ///
    /// # Errors
    /// Where the terminal can't be had again.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // Whoever runs us in a pipe or a script waits for all of them.
        let _ = kill_process_group(getpgrp(), Signal::TSTP);
        take()?;
        self.renew()
    }
}

fn sized((width, height): (u16, u16)) -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
    Terminal::with_options(CrosstermBackend::new(io::stdout()), TerminalOptions { viewport })
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn key(event: &Event) -> Option<Key> {
    let pressed = match event {
        Event::Resize(..) => return Some(Key::Redraw),
        Event::Key(pressed @ KeyEvent { kind: KeyEventKind::Press | KeyEventKind::Repeat, .. }) => pressed,
        _ => return None,
    };
    Some(match pressed.code {
        KeyCode::Char('c') if pressed.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char('z') if pressed.modifiers.contains(KeyModifiers::CONTROL) => Key::Suspend,
        KeyCode::Char(c) if !pressed.modifiers.contains(KeyModifiers::CONTROL) => Key::Char(c),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    })
}
