//! Which events are shown.

use regex::Regex;

use super::args::Watch;
use crate::contract::{Envelope, Message, MessageType};
use crate::report::Line;

/// The conditions of the flags; an event must meet all of them.
pub(super) struct Filter {
    incident: Option<String>,
    phases: Vec<String>,
    kinds: Vec<MessageType>,
    min_confidence: Option<f64>,
    include: Option<Regex>,
    exclude: Option<Regex>,
    metrics: bool,
}

impl Filter {
    /// On a terminal the footer shows metrics, and lines only show them if --type asks for them.
    pub(super) fn new(watch: &Watch, terminal: bool) -> Self {
        Self {
            incident: watch.incident.clone(),
            phases: watch.phase.clone(),
            kinds: watch.kind.clone(),
            min_confidence: watch.min_confidence,
            include: watch.include.clone(),
            exclude: watch.exclude.clone(),
            metrics: watch.json || !terminal || watch.kind.contains(&MessageType::SystemMetrics),
        }
    }

    pub(super) fn admits(&self, envelope: &Envelope) -> bool {
        let kind = MessageType::from_name(&envelope.kind);
        let message = envelope.message().ok();
        let phase = message.as_ref().and_then(Message::phase);
        let line = message.as_ref().map(Line::of);
        let confidence = line.as_ref().and_then(|line| line.confidence);
        let words = line.map_or_else(String::new, |line| {
            format!("{} {} {}", line.agent.unwrap_or_default(), line.keywords, line.text)
        });
        self.incident.as_deref().is_none_or(|wanted| wanted == envelope.incident())
            && (self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.contains(&kind)))
            && (self.metrics || kind != Some(MessageType::SystemMetrics))
            && (self.phases.is_empty()
                || phase.is_some_and(|phase| self.phases.iter().any(|wanted| wanted == phase)))
            && self
                .min_confidence
                .is_none_or(|least| confidence.is_some_and(|confidence| confidence >= least))
            && self.include.as_ref().is_none_or(|include| include.is_match(&words))
            && self.exclude.as_ref().is_none_or(|exclude| !exclude.is_match(&words))
    }
}
