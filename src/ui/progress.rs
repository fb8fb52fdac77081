//! Events as progress bars on a terminal, or as plain lines.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::mpsc::UnboundedReceiver;

use super::bars::draw;
use super::console::{Output, Ui, complain};
use super::escape::{escape_control, in_line};
use super::stream::{Tone, dumb};
use crate::error::typed;
use crate::fleet::Event;
use crate::values::{count, shell_word};

/// How much is shown where there is no terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// What happens to nodes and hosts, a line each: for commands that change something.
    Lines,
    /// Nothing: for commands that only look.
    Silent,
}

/// The most bars at the same time: more than a screen's height would flicker.
const BARS: usize = 8;
/// The most of what was done on a host that is told, in characters.
const LONGEST: usize = 300;

/// Shows events until their sender is gone.
pub async fn follow(ui: Ui, mut events: UnboundedReceiver<Event>, plain: Progress) {
    if ui.quiet {
        while next(ui, &mut events).await.is_some() {}
    } else if ui.output == Output::Json {
        while let Some(event) = next(ui, &mut events).await {
            if plain == Progress::Lines {
                ui.event(&event);
            }
        }
    } else if ui.err.terminal && !dumb() {
        bars(ui, &mut events, plain).await;
    } else {
        while let Some(event) = next(ui, &mut events).await {
            if plain == Progress::Lines
                && let Some(line) = line(ui, &event)
            {
                complain(&line);
            }
        }
    }
}

/// Returns the next event that everybody sees; what was done on hosts is told on the way.
async fn next(ui: Ui, events: &mut UnboundedReceiver<Event>) -> Option<Event> {
    loop {
        let event = events.recv().await?;
        let Event::Ran { host, what, args, seconds, failure } = &event else { return Some(event) };
        let mut did = format!("{host}: {what}");
        for arg in args {
            did.push(' ');
            did.push_str(&shell_word(arg));
        }
        let did = in_line(&did);
        let did = cut(&did);
        let failure = failure.as_ref().map(|why| format!(", {}", in_line(why))).unwrap_or_default();
        ui.trace(&event, &format!("{did}: {seconds:.3} s{failure}"));
    }
}

/// Leaves out what is more than somebody reads of a line.
fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{} ...", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Returns the plain line of an event.
fn line(ui: Ui, event: &Event) -> Option<String> {
    Some(match event {
        Event::Ran { .. }
        | Event::Phase { total: 0, .. }
        | Event::HostBegins { .. }
        | Event::HostEnds { failure: None, .. } => {
            return None;
        }
        Event::Phase { name, total } => format!("{name}: {}", count(*total, "host")),
        Event::HostEnds { host, failure: Some(failure) } => {
            format!("{host}: {}", ui.err.paint(Tone::Bad, &in_line(failure)))
        }
        Event::Node { passing: true, .. } => return None,
        Event::Node { node, host, what, bad, .. } => {
            let tone = if *bad { Tone::Bad } else { Tone::Plain };
            format!("{node} on {host}: {}", ui.err.paint(tone, &escape_control(&typed(what))))
        }
        Event::Note { text } => escape_control(&typed(text)),
    })
}

async fn bars(ui: Ui, events: &mut UnboundedReceiver<Event>, plain: Progress) {
    let all = MultiProgress::new();
    draw(Some(all.clone()));
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let total_style =
        ProgressStyle::with_template("{msg} {pos}/{len}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let mut total: Option<ProgressBar> = None;
    let mut hosts: BTreeMap<String, ProgressBar> = BTreeMap::new();
    let mut phase = "";
    while let Some(event) = next(ui, events).await {
        match &event {
            Event::Phase { name, total: number } => {
                phase = name;
                // Not drawn before there is something to draw.
                let total = total.get_or_insert_with(|| {
                    let bar = ProgressBar::new(*number as u64).with_style(total_style.clone()).with_message(*name);
                    all.insert(0, bar)
                });
                total.set_length(*number as u64);
                total.set_position(0);
                total.set_message(*name);
            }
            Event::HostBegins { host } if hosts.len() < BARS => {
                let bar = all.add(ProgressBar::new_spinner().with_style(style.clone()));
                bar.set_message(format!("{host}: {phase}"));
                bar.enable_steady_tick(Duration::from_millis(120));
                hosts.insert(host.clone(), bar);
            }
            Event::HostEnds { host, .. } => {
                if let Some(total) = &total {
                    total.inc(1);
                }
                if let Some(bar) = hosts.remove(host) {
                    bar.finish_and_clear();
                    all.remove(&bar);
                }
            }
            _ => {}
        }
        let told = match event {
            Event::Phase { .. } => None,
            _ if plain == Progress::Silent => None,
            _ => line(ui, &event),
        };
        if let Some(text) = told {
            complain(&text);
        }
    }
    for bar in hosts.values() {
        bar.finish_and_clear();
    }
    if let Some(total) = total {
        total.finish_and_clear();
    }
    // What is left of the bars must not stand in the way of the result.
    let _ = all.clear();
    draw(None);
}
