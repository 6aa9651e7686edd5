//! One line per event: for people on a terminal, separated by tabs in a pipe.

use colored::{ColoredString, Colorize};

use crate::cli::format;
use crate::contract::{Envelope, Message, MessageType, Outcome};
use crate::report::{Line, LineKind};

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

    /// The line of an event; `offset_s` is its second in the incident.
    pub(super) fn line(&self, envelope: &Envelope, offset_s: Option<f64>) -> String {
        let message = envelope.message().ok();
        let phase = format::plain(message.as_ref().and_then(Message::phase).unwrap_or_default());
        let line = message.as_ref().map(Line::of);
        let text = line.as_ref().map_or_else(|| unreadable(envelope), |line| line.text.clone());
        let text = format::plain(&text);
        if self.terminal {
            self.for_people(envelope, offset_s, &phase, line.as_ref(), &text)
        } else {
            let confidence = line.and_then(|line| line.confidence);
            for_programs(envelope, &phase, confidence, &text)
        }
    }

    fn for_people(
        &self,
        envelope: &Envelope,
        offset_s: Option<f64>,
        phase: &str,
        line: Option<&Line>,
        text: &str,
    ) -> String {
        let when = if self.utc {
            format!("{:.0}", envelope.time).split('T').nth(1).unwrap_or_default().to_owned()
        } else {
            format!("T+{}", format::clock(offset_s.unwrap_or_default()))
        };
        let agent = format::plain(line.and_then(|line| line.agent.as_deref()).unwrap_or_default());
        let percent = format::percent(line.and_then(|line| line.confidence));
        let mark = mark(line.map(|line| line.kind));
        let colored_phase = format::in_phase(phase, &format!("{phase:<9}"));
        let incident = format::plain(envelope.incident());
        let prefix =
            format!("{} {} {colored_phase} {agent:<13} {percent} {mark} ", when.dimmed(), incident.cyan());
        // Long summaries are wrapped and indented, so that the columns stay clear.
        let indent = console::measure_text_width(&prefix);
        let width = usize::from(console::Term::stdout().size().1).saturating_sub(indent).max(30);
        let emphasise = |text: &str| match line.map(|line| line.kind) {
            Some(LineKind::Start | LineKind::End(_)) => text.bold().to_string(),
            Some(LineKind::Sample) => text.dimmed().to_string(),
            Some(LineKind::Action(_) | LineKind::Control) | None => text.to_owned(),
        };
        let lines = textwrap::wrap(text, width);
        let lines = lines.iter().map(|line| emphasise(line)).collect::<Vec<_>>();
        prefix + &lines.join(&format!("\n{}", " ".repeat(indent)))
    }
}

/// Time in RFC 3339, position, incident, type, phase, confidence, summary.
fn for_programs(envelope: &Envelope, phase: &str, confidence: Option<f64>, text: &str) -> String {
    let position = envelope.position().map_or_else(|| envelope.id.clone(), |position| position.to_string());
    let confidence = confidence.map(|confidence| confidence.to_string()).unwrap_or_default();
    let fields = [
        &format!("{:.6}", envelope.time),
        &position,
        envelope.incident(),
        &envelope.kind,
        phase,
        &confidence,
        text,
    ];
    // A tab or a line break in a field would look like another column or line.
    fields.map(|field| field.replace(['\t', '\n', '\r'], " ")).join("\t")
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
