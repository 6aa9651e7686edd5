//! The rule `lifecycle`: an incident starts, acts and ends, in this order.

use std::collections::{HashMap, HashSet};

use super::context::{Context, MustResolve};
use super::incident::{SeenEvent, incidents, is_generated, resolved, started};
use super::transcript::{Received, Transcript};
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{self, AgentAction, IncidentStarted, Message, Role, Status};

pub(super) fn judge(transcript: &Transcript, context: &Context) -> Verdict {
    let incidents = incidents(transcript);
    let mut findings = Vec::new();
    if let MustResolve::Only(id) = &context.must_resolve
        && !incidents.contains_key(id.as_str())
    {
        findings.push(Finding::new(format!("{id} was triggered, but no event of it arrived")));
    } else if incidents.is_empty() {
        return Verdict::NotChecked("no event of an incident arrived".to_owned());
    }
    let replayed_to = transcript.replayed_to();
    let mut outcomes = OutcomeCounts::default();
    for (id, events) in &incidents {
        outcomes.count(events);
        ends(id, events, context.must_resolve.requires(id), replayed_to, &mut findings);
        let Some(started) = started(events) else { continue };
        phases(started, events, &mut findings);
        actions(started, events, &mut findings);
    }
    verdict(findings, || outcomes.summary())
}

/// How many incidents had each outcome.
#[derive(Default)]
struct OutcomeCounts {
    resolved: usize,
    cancelled: usize,
    open: usize,
}

impl OutcomeCounts {
    fn count(&mut self, events: &[SeenEvent<'_>]) {
        match resolved(events).map(|(_, resolved)| resolved.outcome) {
            Some(contract::Outcome::Resolved) => self.resolved += 1,
            Some(contract::Outcome::Cancelled) => self.cancelled += 1,
            None => self.open += 1,
        }
    }

    /// The outcomes in words.
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
        format!("{all} incident{s}: {}", ways.collect::<Vec<_>>().join(", "))
    }
}

/// Checks that the incident starts once, first, and is resolved once, last.
fn ends(id: &str, events: &[SeenEvent<'_>], required: bool, replayed_to: u64, findings: &mut Vec<Finding>) {
    let last = events.len() - 1;
    // Replayed events begin at the start of the oldest open incident. An incident that ended among them may have
    // started before.
    let end = resolved(events).and_then(|(event, _)| event.frame.position());
    let may_lack_start = end.is_some_and(|position| position <= replayed_to);
    let mut resolved = None;
    for (place, event) in events.iter().enumerate() {
        let frame = event.frame;
        match event.message.kind().role() {
            Role::Start if place > 0 => {
                findings.push(Finding::new(format!("{id} has a second incident_started")).at(frame));
            }
            Role::End if resolved.is_some() => {
                findings.push(Finding::new(format!("{id} has a second incident_resolved")).at(frame));
            }
            Role::End => {
                resolved = Some(frame);
                if place < last {
                    let message = format!("{id} has {} events after its resolution", last - place);
                    findings.push(Finding::new(message).at(events[place + 1].frame));
                }
            }
            Role::Middle if place == 0 && !may_lack_start => {
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

/// Checks that phases are announced and come in order. In a real incident they may not be known.
fn phases(started: &IncidentStarted, events: &[SeenEvent<'_>], findings: &mut Vec<Finding>) {
    if started.phases.is_empty() && !is_generated(started) {
        return;
    }
    let mut reached = 0;
    let mut place_of: HashMap<&str, usize> = HashMap::new();
    for (place, phase) in started.phases.iter().enumerate() {
        place_of.entry(&phase.name).or_insert(place);
    }
    for event in events {
        let (frame, Some(phase)) = (event.frame, event.message.phase()) else { continue };
        match place_of.get(phase).copied() {
            None => findings.push(Finding::new(format!("phase {phase:?} was not announced")).at(frame)),
            Some(place) if place < reached => {
                let message =
                    format!("the phase goes back from {:?} to {phase:?}", started.phases[reached].name);
                findings.push(Finding::new(message).at(frame));
            }
            Some(place) => reached = place,
        }
    }
}

/// Checks that agents are announced, that causes precede effects, and that every action ends before the incident.
fn actions(started: &IncidentStarted, events: &[SeenEvent<'_>], findings: &mut Vec<Finding>) {
    let mut busy: HashMap<(&str, u32), &Received> = HashMap::new();
    let agents: HashSet<&str> = started.agents.iter().map(|agent| agent.id.as_str()).collect();
    for event in events {
        let frame = event.frame;
        if let Message::AgentAction(action) = event.message {
            let known = agents.contains(action.agent.as_str());
            // In a real incident agents may join later.
            if is_generated(started) && !known {
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

/// Notes that an attempt at a step began or ended.
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
