//! The scenario language: what a file may say beyond a straight course, and what comes of it in the plan.

mod author;
mod branches;
mod broken;
mod curves;
mod golden;
mod guide;
mod large;
mod outcomes;
mod properties;
mod settings;
mod warnings;
mod world;

use incident::contract::{AgentAction, IncidentStarted, Message, Status, SystemMetrics};
use incident::scenario::{Scenario, ScenarioError};

use crate::harness::Timeline;

/// A small sound scenario. Each test puts its own lines in place of `# metrics`, `# steps` and `# more`.
const BASE: &str = r#"id = "small"
title = "Slow"
severity = "SEV2"
services = ["shop"]
target = "1m"
agents = { watcher = "Watches" }
# metrics
[[phases]]
name = "all"
at = "0s"
# steps
[resolution]
at = "60s"
summary = "Over"
# more
"#;

fn step(id: &str, more: &str) -> String {
    format!("[[steps]]\nid = \"{id}\"\nagent = \"watcher\"\naction = \"look\"\nsummary = \"{id}\"\n{more}\n")
}

fn text(metrics: &str, steps: &str, more: &str) -> String {
    let text = BASE.replace("# metrics", metrics).replace("# more", more);
    let steps = if steps.is_empty() { step("look", "at = \"5s\"") } else { steps.to_owned() };
    text.replace("# steps", &steps)
}

fn parse(text: &str) -> Scenario {
    Scenario::parse("small.toml", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The mistakes of a file, one a line.
fn mistakes(text: &str) -> String {
    let error: ScenarioError = Scenario::parse("small.toml", text).unwrap_err();
    error.to_string()
}

fn started(timeline: &Timeline) -> &IncidentStarted {
    let Some(Message::IncidentStarted(started)) = timeline.events.first().map(|event| &event.message) else {
        panic!("the first event starts the incident");
    };
    started
}

fn actions(timeline: &Timeline) -> Vec<&AgentAction> {
    let actions = timeline.events.iter().filter_map(|event| match &event.message {
        Message::AgentAction(action) => Some(action),
        _ => None,
    });
    actions.collect()
}

fn samples(timeline: &Timeline) -> Vec<&SystemMetrics> {
    let samples = timeline.events.iter().filter_map(|event| match &event.message {
        Message::SystemMetrics(sample) => Some(sample),
        _ => None,
    });
    samples.collect()
}

/// The second and the step of every completed action.
fn completed(timeline: &Timeline) -> Vec<(f64, &str)> {
    let actions = actions(timeline).into_iter().filter(|action| action.status == Status::Completed);
    actions.map(|action| (action.offset_s.unwrap(), action.step.as_deref().unwrap())).collect()
}
