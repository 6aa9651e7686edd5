//! One line per event: for people on a terminal, separated by tabs in a pipe.

use colored::Colorize;

use crate::cli::format;
use crate::contract::{Envelope, Message, MessageType, Outcome};

/// How many characters of a payload are shown if it can't be parsed.
const UNREADABLE_CHARS: usize = 200;

/// The format of lines.
pub(super) struct Lines {
    terminal: bool,
    utc: bool,
}

/// The content of a line, in either format.
struct Content {
    phase: String,
    agent: String,
    confidence: Option<f64>,
    summary: String,
    mark: colored::ColoredString,
}

impl Lines {
    pub(super) fn new(terminal: bool, utc: bool) -> Self {
        Self { terminal, utc }
    }

    /// The line of an event; `offset_s` is its second in the incident.
    pub(super) fn line(&self, envelope: &Envelope, offset_s: Option<f64>) -> String {
        let message = envelope.message().ok();
        let content = content(envelope, message.as_ref());
        if self.terminal {
            self.for_people(envelope, message.as_ref(), offset_s, &content)
        } else {
            for_programs(envelope, &content)
        }
    }

    fn for_people(
        &self,
        envelope: &Envelope,
        message: Option<&Message>,
        offset_s: Option<f64>,
        content: &Content,
    ) -> String {
        let when = if self.utc {
            format!("{:.0}", envelope.time).split('T').nth(1).unwrap_or_default().to_owned()
        } else {
            format!("T+{}", format::clock(offset_s.unwrap_or_default()))
        };
        let Content { phase, agent, confidence, summary, mark } = content;
        let percent = format::percent(*confidence);
        let colored_phase = format::in_phase(phase, &format!("{phase:<9}"));
        let incident = format::plain(envelope.incident());
        let prefix =
            format!("{} {} {colored_phase} {agent:<13} {percent} {mark} ", when.dimmed(), incident.cyan());
        // Long summaries are wrapped and indented, so that the columns stay clear.
        let indent = console::measure_text_width(&prefix);
        let width = usize::from(console::Term::stdout().size().1).saturating_sub(indent).max(30);
        let emphasise = |line: &str| match message {
            Some(Message::IncidentStarted(_) | Message::IncidentResolved(_)) => line.bold().to_string(),
            Some(Message::SystemMetrics(_)) => line.dimmed().to_string(),
            Some(Message::AgentAction(_) | Message::StreamOpened(_) | Message::Heartbeat(_)) | None => {
                line.to_owned()
            }
        };
        let lines = textwrap::wrap(summary, width);
        let lines = lines.iter().map(|line| emphasise(line)).collect::<Vec<_>>();
        prefix + &lines.join(&format!("\n{}", " ".repeat(indent)))
    }
}

/// Time in RFC 3339, position, incident, type, phase, confidence, summary.
fn for_programs(envelope: &Envelope, content: &Content) -> String {
    let position = envelope.position().map_or_else(|| envelope.id.clone(), |position| position.to_string());
    let confidence = content.confidence.map(|confidence| confidence.to_string()).unwrap_or_default();
    let fields = [
        &format!("{:.6}", envelope.time),
        &position,
        envelope.incident(),
        &envelope.kind,
        &content.phase,
        &confidence,
        &content.summary,
    ];
    // A tab or a line break in a field would look like another column or line.
    fields.map(|field| field.replace(['\t', '\n', '\r'], " ")).join("\t")
}

fn content(envelope: &Envelope, message: Option<&Message>) -> Content {
    let mut content = Content {
        phase: String::new(),
        agent: String::new(),
        confidence: None,
        summary: String::new(),
        mark: " ".normal(),
    };
    match message {
        Some(Message::IncidentStarted(started)) => {
            content.summary = format!("{} {}", started.severity.as_str(), started.title);
            content.mark = "●".red();
        }
        Some(Message::AgentAction(action)) => {
            content.phase = action.phase.clone().unwrap_or_default();
            content.agent.clone_from(&action.agent);
            content.confidence = action.confidence;
            content.summary.clone_from(&action.summary);
            if let Some(attempt) = action.attempt.filter(|attempt| *attempt > 1) {
                content.summary += &format!(" (attempt {attempt})");
            }
            content.mark = format::mark(action.status);
        }
        Some(Message::SystemMetrics(sample)) => {
            content.phase = sample.phase.clone().unwrap_or_default();
            let mut values: Vec<String> = sample
                .metrics
                .iter()
                .map(|(name, value)| format!("{name}={}", format::value(*value)))
                .collect();
            values.extend(sample.users_affected.map(|users| format!("users={users}")));
            values
                .extend(sample.cost.as_ref().map(|cost| format!("cost={:.2}{}", cost.total, cost.currency)));
            content.summary = values.join(" ");
            content.mark = "·".dimmed();
        }
        Some(Message::IncidentResolved(resolved)) => {
            let word = if resolved.outcome == Outcome::Resolved { "resolved" } else { "cancelled" };
            content.summary =
                format!("{word} in {}: {}", format::clock(resolved.durations.resolve_s), resolved.summary);
            content.mark = if resolved.outcome == Outcome::Resolved { "✓".green() } else { "✗".red() };
        }
        // Control messages are not printed.
        Some(Message::StreamOpened(_) | Message::Heartbeat(_)) => {}
        None => content.summary = unreadable(envelope),
    }
    for text in [&mut content.phase, &mut content.agent, &mut content.summary] {
        *text = format::plain(text);
    }
    content
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
