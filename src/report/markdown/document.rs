//! The whole report: its sections in order.

use super::section::section;
use super::{failures, findings, impact, metrics, opening, simulation, summary, text, timeline};
use crate::report::history::History;

impl History {
    /// The post-incident report as Markdown, for readers who did not follow the incident.
    pub fn markdown(&self) -> String {
        let sections = [
            opening::title(self),
            opening::notices(self),
            summary::summary(self),
            impact::impact(self),
            impact::durations(self),
            timeline::timeline(self),
            findings::hypotheses(self),
            failures::failures(self),
            findings::forecasts(self),
            metrics::metrics(self),
            followups(self),
            simulation::simulation(self),
        ];
        let sections: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
        sections.join("\n")
    }
}

/// What remains to be done.
fn followups(history: &History) -> String {
    let followups = history.incident.resolution.as_ref().map(|resolution| resolution.followups.as_slice());
    let items = followups.unwrap_or_default().iter().map(|item| format!("- [ ] {}\n", text::text(item)));
    section("Follow-ups", &items.collect::<String>())
}
