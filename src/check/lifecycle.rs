//! `lifecycle`: an incident starts, acts and ends, each in its place.

use std::collections::HashMap;

use super::context::{Context, Ends};
use super::incident::{Event, incidents, resolved, started};
use super::transcript::{Received, Transcript};
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{self, AgentAction, IncidentStarted, Message, Role, Status};

pub(super) fn judge(transcript: &Transcript, context: &Context) -> Verdict {
    let incidents = incidents(transcript);
    let mut findings = Vec::new();
    if let Ends::Subject(id) = &context.ends
        && !incidents.contains_key(id.as_str())
    {
        findings.push(Finding::new(format!("{id} was triggered and no event of it came")));
    } else if incidents.is_empty() {
        return Verdict::NotChecked("no incident was seen".to_owned());
    }
    let replayed_to = transcript.replayed_to();
    let mut ended = Ended::default();
    for (id, events) in &incidents {
        ended.count(events);
        ends(id, events, context.ends.requires(id), replayed_to, &mut findings);
        let Some(started) = started(events) else { continue };
        phases(started, events, &mut findings);
        actions(started, events, &mut findings);
    }
    verdict(findings, || ended.summary())
}

/// How many incidents ended in which way.
#[derive(Default)]
struct Ended {
    resolved: usize,
    cancelled: usize,
    open: usize,
}

impl Ended {
    fn count(&mut self, events: &[Event<'_>]) {
        match resolved(events).map(|(_, resolved)| resolved.outcome) {
            Some(contract::Outcome::Resolved) => self.resolved += 1,
            Some(contract::Outcome::Cancelled) => self.cancelled += 1,
            None => self.open += 1,
        }
    }

    /// Counts only resolved incidents as resolved.
    fn summary(&self) -> String {
        let Self { resolved, cancelled, open } = *self;
        let all = resolved + cancelled + open;
        if resolved == all {
            return match all {
                1 => "started, acted and resolved".to_owned(),
                many => format!("{many} incidents started, acted and resolved"),
            };
        }
        let ways = [(resolved, "resolved"), (cancelled, "cancelled"), (open, "still open")];
        let ways = ways.iter().filter(|(count, _)| *count > 0).map(|(count, way)| match all {
            1 => (*way).to_owned(),
            _ => format!("{count} {way}"),
        });
        let s = if all == 1 { "" } else { "s" };
        format!("{all} incident{s} followed, {}", ways.collect::<Vec<_>>().join(", "))
    }
}

/// Started first and once, resolved last and once.
fn ends(id: &str, events: &[Event<'_>], required: bool, replayed_to: u64, findings: &mut Vec<Finding>) {
    let last = events.len() - 1;
    // A replay begins where the oldest open incident does: of one that ended in it the start may be older.
    let over = resolved(events).and_then(|(event, _)| event.frame.position());
    let headless = over.is_some_and(|position| position <= replayed_to);
    let mut resolved = None;
    for (place, event) in events.iter().enumerate() {
        let frame = event.frame;
        match event.message.kind().role() {
            Role::Start if place > 0 => {
                findings.push(Finding::new(format!("{id} starts again")).at(frame));
            }
            Role::End if resolved.is_some() => {
                findings.push(Finding::new(format!("{id} is resolved again")).at(frame));
            }
            Role::End => {
                resolved = Some(frame);
                if place < last {
                    let message = format!("{id} goes on after its resolution: {} more events", last - place);
                    findings.push(Finding::new(message).at(events[place + 1].frame));
                }
            }
            Role::Middle if place == 0 && !headless => {
                findings.push(Finding::new(format!("{id} does not begin with incident_started")).at(frame));
            }
            Role::Start | Role::Middle | Role::Control => {}
        }
    }
    if resolved.is_none() && required {
        let message = format!("{id} is never resolved");
        findings.push(
            Finding::new(message).at(events[last].frame).hint("the stream ends before incident_resolved"),
        );
    }
}

/// Phases are announced and come in order.
fn phases(started: &IncidentStarted, events: &[Event<'_>], findings: &mut Vec<Finding>) {
    if started.phases.is_empty() {
        return;
    }
    let mut reached = 0;
    for event in events {
        let (frame, Some(phase)) = (event.frame, event.message.phase()) else { continue };
        match started.phases.iter().position(|known| known.name == phase) {
            None => findings.push(Finding::new(format!("phase {phase:?} was not announced")).at(frame)),
            Some(place) if place < reached => {
                let message = format!("phase {phase:?} comes again after {:?}", started.phases[reached].name);
                findings.push(Finding::new(message).at(frame));
            }
            Some(place) => reached = place,
        }
    }
}

/// Agents are announced, causes precede effects, and an action that began ends before the incident does.
fn actions(started: &IncidentStarted, events: &[Event<'_>], findings: &mut Vec<Finding>) {
    let mut busy: HashMap<(&str, u32), &Received> = HashMap::new();
    for event in events {
        let frame = event.frame;
        if let Message::AgentAction(action) = event.message {
            let known = started.agents.iter().any(|agent| agent.id == action.agent);
            // Real agents join while the incident goes on.
            if started.synthetic && !known {
                findings.push(Finding::new(format!("agent {:?} was not announced", action.agent)).at(frame));
            }
            if let Some(cause) = action.caused_by.filter(|cause| *cause == 0 || *cause >= event.index) {
                findings.push(Finding::new(format!("caused_by {cause} is not an earlier event")).at(frame));
            }
            attempt(action, frame, &mut busy);
        }
        if let Message::IncidentResolved(resolved) = event.message
            && resolved.outcome == contract::Outcome::Resolved
        {
            let mut open: Vec<_> = busy.drain().collect();
            open.sort_by_key(|(_, frame)| frame.line);
            for ((step, _), frame) in open {
                findings.push(Finding::new(format!("step {step:?} began and never ended")).at(frame));
            }
        }
    }
}

fn attempt<'a>(
    action: &'a AgentAction,
    frame: &'a Received,
    busy: &mut HashMap<(&'a str, u32), &'a Received>,
) {
    let Some(step) = &action.step else { return };
    let key = (step.as_str(), action.attempt.unwrap_or(1));
    if action.status == Status::InProgress {
        busy.insert(key, frame);
    } else {
        busy.remove(&key);
    }
}
