//! A message as one line of text, for all lists of messages (`watch`, `validate --timeline`).

use super::rejection::rejection;
use super::words;
use crate::contract::{Message, Outcome, Status};

/// A message as one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The kind of message, which decides how the line is highlighted.
    pub kind: LineKind,
    /// The agent that acted.
    pub agent: Option<String>,
    /// How sure the agent is, 0 to 1.
    pub confidence: Option<f64>,
    /// The text. It comes from the event and may contain control characters: [`crate::visible::visible`] shows them.
    pub text: String,
    /// What the confidence is of, if not of the words: shown instead of it.
    pub belief: Option<String>,
    /// More words that a search should find, such as the kind of an action.
    pub keywords: String,
}

/// The kind of a message, as far as a list distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// An incident started.
    Start,
    /// An agent acted.
    Action(Status),
    /// The metrics were sampled.
    Sample,
    /// An incident ended.
    End(Outcome),
    /// A control message.
    Control,
}

impl Line {
    /// The line of a message.
    pub fn of(message: &Message) -> Self {
        let line = |kind, text: String| Self {
            kind,
            agent: None,
            confidence: None,
            belief: None,
            keywords: String::new(),
            text,
        };
        match message {
            Message::IncidentStarted(started) => {
                // As on the page: a real incident must be told from a drill at a glance.
                let mark = if started.synthetic { "DRILL" } else { "REAL INCIDENT" };
                line(LineKind::Start, format!("{mark} {} {}", started.severity.as_str(), started.title))
            }
            Message::AgentAction(action) => {
                let beliefs = action.hypotheses.iter().map(|belief| (belief.claim.as_str(), belief.p));
                let attempt = action.attempt.filter(|attempt| *attempt > 1);
                let attempt = attempt.map(|attempt| format!(" (attempt {attempt})")).unwrap_or_default();
                Self {
                    agent: Some(action.agent.clone()),
                    confidence: action.confidence,
                    belief: rejection(&action.action, action.confidence, beliefs),
                    keywords: action.action.clone(),
                    ..line(LineKind::Action(action.status), format!("{}{attempt}", action.summary))
                }
            }
            Message::SystemMetrics(sample) => {
                let values = sample.metrics.iter();
                let mut values: Vec<String> =
                    values.map(|(name, value)| format!("{name}={}", words::value(*value))).collect();
                values.extend(sample.users_affected.map(|users| format!("users={users}")));
                let cost = sample.cost.as_ref();
                values.extend(cost.map(|cost| format!("cost={:.2}{}", cost.total, cost.currency)));
                line(LineKind::Sample, values.join(" "))
            }
            Message::IncidentResolved(resolved) => {
                let took = words::clock(resolved.durations.resolve_s);
                let word = resolved.outcome.as_str();
                line(LineKind::End(resolved.outcome), format!("{word} in {took}: {}", resolved.summary))
            }
            Message::StreamOpened(_) | Message::Heartbeat(_) => line(LineKind::Control, String::new()),
        }
    }
}
