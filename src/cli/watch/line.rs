//! One line an event: for people on a terminal, tab-separated in a pipe.

use colored::Colorize;

use crate::cli::format;
use crate::contract::{Envelope, Message, MessageType, Outcome};

/// Characters of a payload that are shown where the payload can't be read.
const UNREADABLE_CHARS: usize = 200;

/// How lines look.
pub(super) struct Lines {
    terminal: bool,
    utc: bool,
}

/// What a line says, whatever it looks like.
struct Told {
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

    /// The line of an event that happened at this second of its incident.
    pub(super) fn line(&self, envelope: &Envelope, offset_s: Option<f64>) -> String {
        let message = envelope.message().ok();
        let told = told(envelope, message.as_ref());
        if self.terminal {
            self.for_people(envelope, message.as_ref(), offset_s, &told)
        } else {
            for_programs(envelope, &told)
        }
    }

    fn for_people(
        &self,
        envelope: &Envelope,
        message: Option<&Message>,
        offset_s: Option<f64>,
        told: &Told,
    ) -> String {
        let when = if self.utc {
            format!("{:.0}", envelope.time).split('T').nth(1).unwrap_or_default().to_owned()
        } else {
            format!("T+{}", format::clock(offset_s.unwrap_or_default()))
        };
        let Told { phase, agent, confidence, summary, mark } = told;
        let percent = format::percent(*confidence);
        let colored_phase = format::in_phase(phase, &format!("{phase:<9}"));
        let incident = format::plain(envelope.incident());
        let prefix =
            format!("{} {} {colored_phase} {agent:<13} {percent} {mark} ", when.dimmed(), incident.cyan());
        // What does not fit goes on below its own beginning, not at the edge of the screen.
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

/// RFC 3339 time, position, incident, type, phase, confidence, summary.
fn for_programs(envelope: &Envelope, told: &Told) -> String {
    let position = envelope.position().map_or_else(|| envelope.id.clone(), |position| position.to_string());
    let confidence = told.confidence.map(|confidence| confidence.to_string()).unwrap_or_default();
    let fields = [
        &format!("{:.6}", envelope.time),
        &position,
        envelope.incident(),
        &envelope.kind,
        &told.phase,
        &confidence,
        &told.summary,
    ];
    // A tab or a line break inside a field would forge columns.
    fields.map(|field| field.replace(['\t', '\n', '\r'], " ")).join("\t")
}

fn told(envelope: &Envelope, message: Option<&Message>) -> Told {
    let mut told = Told {
        phase: String::new(),
        agent: String::new(),
        confidence: None,
        summary: String::new(),
        mark: " ".normal(),
    };
    match message {
        Some(Message::IncidentStarted(started)) => {
            told.summary = format!("{} {}", started.severity.as_str(), started.title);
            told.mark = "●".red();
        }
        Some(Message::AgentAction(action)) => {
            told.phase = action.phase.clone().unwrap_or_default();
            told.agent.clone_from(&action.agent);
            told.confidence = action.confidence;
            told.summary.clone_from(&action.summary);
            if let Some(attempt) = action.attempt.filter(|attempt| *attempt > 1) {
                told.summary += &format!(" (attempt {attempt})");
            }
            told.mark = format::mark(action.status);
        }
        Some(Message::SystemMetrics(sample)) => {
            told.phase = sample.phase.clone().unwrap_or_default();
            let mut values: Vec<String> = sample
                .metrics
                .iter()
                .map(|(name, value)| format!("{name}={}", format::value(*value)))
                .collect();
            values.extend(sample.users_affected.map(|users| format!("users={users}")));
            values
                .extend(sample.cost.as_ref().map(|cost| format!("cost={:.2}{}", cost.total, cost.currency)));
            told.summary = values.join(" ");
            told.mark = "·".dimmed();
        }
        Some(Message::IncidentResolved(resolved)) => {
            let word = if resolved.outcome == Outcome::Resolved { "resolved" } else { "cancelled" };
            told.summary =
                format!("{word} in {}: {}", format::clock(resolved.durations.resolve_s), resolved.summary);
            told.mark = if resolved.outcome == Outcome::Resolved { "✓".green() } else { "✗".red() };
        }
        // Control messages are not printed; a stream's event may be of a type that a newer server knows.
        Some(Message::StreamOpened(_) | Message::Heartbeat(_)) => {}
        None => told.summary = unreadable(envelope),
    }
    for text in [&mut told.phase, &mut told.agent, &mut told.summary] {
        *text = format::plain(text);
    }
    told
}

/// An event that can't be shown as what it is, as text.
fn unreadable(envelope: &Envelope) -> String {
    let known = MessageType::from_name(&envelope.kind).is_some();
    let what = if known { "unreadable" } else { "unknown event" };
    let data = envelope.data.get();
    let start: String = data.chars().take(UNREADABLE_CHARS).collect();
    let cut = if start.len() < data.len() { "…" } else { "" };
    format!("{what} {}: {start}{cut}", envelope.kind)
}
