//! The report as Markdown. Pure: no clock, no locale, so that the same events are the same bytes everywhere.

mod failures;
mod findings;
mod impact;
mod metrics;
mod opening;
mod simulation;
mod summary;
mod text;
mod timeline;

use super::History;

impl History {
    /// A post-incident report for a reader who was not there.
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

/// A heading and what stands below it; nothing where there is nothing to say.
fn section(heading: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("## {heading}\n\n{body}") }
}

/// What is left to do.
fn followups(history: &History) -> String {
    let left = history.incident.resolution.as_ref().map(|resolution| resolution.followups.as_slice());
    let items = left.unwrap_or_default().iter().map(|item| format!("- [ ] {}\n", text::text(item)));
    section("Follow-ups", &items.collect::<String>())
}
