//! One line per event: for people on a terminal, separated by tabs in a pipe.

use std::borrow::Cow;
use std::io;

use colored::{ColoredString, Colorize};

use super::layout::Cells;
use crate::cli::out::{print, print_fields};
use crate::cli::{fit, format};
use crate::contract::{Envelope, Message, MessageType, Outcome, PERSON};
use crate::report::{Line, LineKind, words};
use crate::visible::visible;

/// How many characters of a payload are shown if it can't be parsed.
const UNREADABLE_CHARS: usize = 200;

/// The format of lines.
pub(super) struct Lines {
    terminal: bool,
    utc: bool,
}

impl Lines {
    pub(super) fn new(terminal: bool, utc: bool) -> Self {
        Self { terminal, utc }
    }

    /// Prints the line of an event; `offset_s` is its second in the incident, if that is known.
    pub(super) fn print(&self, envelope: &Envelope, offset_s: Option<f64>) -> io::Result<()> {
        let message = envelope.message().ok();
        let phase = visible(message.as_ref().and_then(Message::phase).unwrap_or_default());
        let line = message.as_ref().map(Line::of);
        let text = line.as_ref().map_or_else(|| unreadable(envelope), |line| line.text.clone());
        let text = visible(&text);
        if self.terminal {
            self.print_for_people(envelope, offset_s, &phase, line.as_ref(), &text)
        } else {
            let confidence = line.and_then(|line| line.confidence);
            print_for_programs(envelope, &phase, confidence, &text)
        }
    }

    fn print_for_people(
        &self,
        envelope: &Envelope,
        offset_s: Option<f64>,
        phase: &str,
        line: Option<&Line>,
        text: &str,
    ) -> io::Result<()> {
        let when = if self.utc {
            format!("{:.0}", envelope.time).split('T').nth(1).unwrap_or_default().to_owned()
        } else {
            words::moment(offset_s)
        };
        let kind = line.map(|line| line.kind);
        let belief = line.and_then(|line| line.belief.as_deref());
        let cells = Cells {
            when,
            incident: visible(envelope.incident()).into_owned(),
            phase: phase.to_owned(),
            agent: visible(&agent(line)).into_owned(),
            percent: format::percent(line.and_then(|line| line.confidence).filter(|_| belief.is_none())),
            mark: mark(kind),
            text: belief.map_or_else(|| text.to_owned(), |belief| format!("{text} ({})", visible(belief))),
        };
        let lines = cells.laid_out(fit::of_stdout(), |text| match kind {
            Some(LineKind::Start | LineKind::End(_)) => text.bold(),
            Some(LineKind::Sample) => text.dimmed(),
            Some(LineKind::Action(_) | LineKind::Control) | None => text.normal(),
        });
        lines.iter().try_for_each(print)
    }
}

/// The agent; a person as `@NAME`, because the column is narrow.
fn agent(line: Option<&Line>) -> Cow<'_, str> {
    let agent = line.and_then(|line| line.agent.as_deref()).unwrap_or_default();
    match agent.strip_prefix(PERSON) {
        Some(name) if !name.is_empty() => format!("@{name}").into(),
        _ => agent.into(),
    }
}

/// Time in RFC 3339, position, incident, type, phase, confidence, summary.
fn print_for_programs(
    envelope: &Envelope,
    phase: &str,
    confidence: Option<f64>,
    text: &str,
) -> io::Result<()> {
    let position = envelope.position().map_or_else(|| envelope.id.clone(), |position| position.to_string());
    let confidence = confidence.map(|confidence| confidence.to_string()).unwrap_or_default();
    print_fields([
        &*format!("{:.6}", envelope.time),
        &position,
        envelope.incident(),
        &envelope.kind,
        phase,
        &confidence,
        text,
    ])
}

/// The mark of a line in one column.
fn mark(kind: Option<LineKind>) -> ColoredString {
    match kind {
        Some(LineKind::Start) => "●".red(),
        Some(LineKind::Action(status)) => format::mark(status),
        Some(LineKind::Sample) => "·".dimmed(),
        Some(LineKind::End(Outcome::Resolved)) => "✓".green(),
        Some(LineKind::End(Outcome::Cancelled)) => "✗".red(),
        Some(LineKind::Control) | None => " ".normal(),
    }
}

/// The text of an event that can't be parsed: its type is of a newer server, or its payload is malformed.
fn unreadable(envelope: &Envelope) -> String {
    let known = MessageType::from_name(&envelope.kind).is_some();
    let what = if known { "unreadable" } else { "unknown event" };
    let data = envelope.data.get();
    let start: String = data.chars().take(UNREADABLE_CHARS).collect();
    let cut = if start.len() < data.len() { "…" } else { "" };
    format!("{what} {}: {start}{cut}", envelope.kind)
}
