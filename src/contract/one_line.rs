//! Which texts of a payload are one line: all names, and what is shown as a line. Only the `text` of evidence may have several.
//! The schema says so in words alone: a pattern would break those who write by version 1.1.

use super::agent_action::AgentAction;
use super::incident_resolved::IncidentResolved;
use super::incident_started::IncidentStarted;
use super::message::Message;

/// What is said of a text that should be one line and is not.
pub const SEVERAL_LINES: &str = "it has more than one line; only the `text` of evidence may";

/// Whether a text has no line break.
pub fn is_one_line(text: &str) -> bool {
    !text.contains(['\n', '\r'])
}

impl Message {
    /// The JSON pointer within `data` to the first text that should be one line and has several.
    pub fn broken_line(&self) -> Option<String> {
        match self {
            Self::IncidentStarted(started) => of_started(started),
            Self::AgentAction(action) => of_action(action),
            Self::SystemMetrics(sample) => of([("/phase", sample.phase.as_deref())]),
            Self::IncidentResolved(resolved) => of_resolved(resolved),
            Self::StreamOpened(_) | Self::Heartbeat(_) => None,
        }
    }
}

/// The first of some texts that has several lines.
fn of<'a>(texts: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Option<String> {
    let is_broken = |(_, text): &(&str, Option<&str>)| text.is_some_and(|text| !is_one_line(text));
    texts.into_iter().find(is_broken).map(|(pointer, _)| pointer.to_owned())
}

/// The first of the texts of some items that has several lines.
fn among<'a, T: 'a, const N: usize>(
    list: &str,
    items: impl IntoIterator<Item = &'a T>,
    texts: impl Fn(&'a T) -> [(&'static str, &'a str); N],
) -> Option<String> {
    items.into_iter().enumerate().find_map(|(place, item)| {
        let broken = texts(item).into_iter().find(|(_, text)| !is_one_line(text));
        broken.map(|(name, _)| format!("/{list}/{place}{name}"))
    })
}

fn of_started(started: &IncidentStarted) -> Option<String> {
    of([("/title", Some(&*started.title))])
        .or_else(|| among("services", &started.services, |name| [("", name)]))
        .or_else(|| among("phases", &started.phases, |phase| [("/name", &phase.name)]))
        .or_else(|| among("agents", &started.agents, |agent| [("/id", &agent.id), ("/role", &agent.role)]))
        .or_else(|| {
            among("metrics", &started.metrics, |metric| [("/name", &metric.name), ("/unit", &metric.unit)])
        })
}

fn of_action(action: &AgentAction) -> Option<String> {
    of([
        ("/phase", action.phase.as_deref()),
        ("/agent", Some(&action.agent)),
        ("/action", Some(&action.action)),
        ("/summary", Some(&action.summary)),
        ("/step", action.step.as_deref()),
        ("/forecast/quantity", action.forecast.as_ref().map(|forecast| &*forecast.quantity)),
        ("/forecast/unit", action.forecast.as_ref().map(|forecast| &*forecast.unit)),
    ])
    .or_else(|| {
        among("hypotheses", &action.hypotheses, |belief| [("/id", &belief.id), ("/claim", &belief.claim)])
    })
    .or_else(|| {
        among("evidence", &action.evidence, |piece| [("/kind", &piece.kind), ("/ref", &piece.reference)])
    })
}

fn of_resolved(resolved: &IncidentResolved) -> Option<String> {
    of([("/summary", Some(&*resolved.summary)), ("/root_cause", resolved.root_cause.as_deref())])
        .or_else(|| among("followups", &resolved.followups, |text| [("", text)]))
}
