//! The rule `expect`: the incident does what the scenario's `[expect]` says, in planned seconds.

use std::collections::HashMap;

use super::context::{Context, Expected};
use super::incident::{SeenEvent, incidents, resolved, screen_s, started};
use super::totals::SeenTotals;
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{Mark, Message, Status};
use crate::scenario::{Bounds, Counts, Expect, Micros};

/// Planned seconds are whole milliseconds.
const MILLISECOND: f64 = 0.0011;

pub(super) fn judge(transcript: &Transcript, context: &Context) -> Verdict {
    let Some(expected) = &context.expect else {
        return Verdict::NotChecked(
            "there are no expectations: use a scenario with [expect], or --expect FILE".to_owned(),
        );
    };
    let Expected { expect, origin, scenario } = expected;
    if *expect == Expect::default() {
        return Verdict::NotChecked(format!("the [expect] of {origin} is empty"));
    }
    let mut findings = Vec::new();
    let mut judged = 0;
    for (id, events) in incidents(transcript) {
        if expected.concerns(&events) {
            judged += 1;
            incident(expect, &events, context.must_resolve.requires(id), &mut findings);
        }
    }
    if judged == 0 {
        return Verdict::NotChecked(format!("no incident of {scenario} was received from its start"));
    }
    let findings =
        findings.into_iter().map(|finding| finding.hint(format!("see [expect] in {origin}"))).collect();
    verdict(findings, || format!("the [expect] of {origin} is met"))
}

/// Checks one incident. If `required`, it was followed to its end, so a missing milestone was never reached.
fn incident(expect: &Expect, events: &[SeenEvent<'_>], required: bool, findings: &mut Vec<Finding>) {
    let resolved = resolved(events);
    let seen = SeenTotals::of(events);
    let ended = resolved.is_some() || required;
    // If no action is marked as the detection, the first action counts as the detection.
    let detected = seen.reached(Mark::Detected).or(seen.first_action);
    for (what, bounds, reached) in [
        ("detected", expect.detect, detected),
        ("diagnosed", expect.diagnose, seen.reached(Mark::Diagnosed)),
        ("mitigated", expect.mitigate, seen.reached(Mark::Mitigated)),
        ("resolved", expect.resolve, resolved.map(|(event, _)| event)),
    ] {
        let Some(bounds) = bounds else { continue };
        match reached {
            Some(event) => {
                findings.extend(duration(what, bounds, event.offset_s).map(|found| found.at(event.frame)));
            }
            None if ended => findings.push(Finding::new(format!("the incident was never {what}"))),
            None => {}
        }
    }
    silence(expect, events, findings);
    if !ended {
        return;
    }
    findings.extend(count("actions", expect.actions, seen.actions.total));
    findings.extend(count("failed actions", expect.failed, seen.actions.failed));
    if let Some(wanted) = &expect.phases {
        let mut seen: Vec<&str> = Vec::new();
        for phase in events.iter().filter_map(|event| event.message.phase()) {
            if seen.last() != Some(&phase) {
                seen.push(phase);
            }
        }
        if seen != wanted.iter().map(String::as_str).collect::<Vec<_>>() {
            let message = format!("the phases were {}; expected are {}", seen.join(", "), wanted.join(", "));
            findings.push(Finding::new(message));
        }
    }
    if let Some(order) = &expect.order {
        findings.extend(in_order(order, events));
    }
    if let Some(wanted) = &expect.root_cause {
        let found = resolved.and_then(|(_, resolved)| resolved.root_cause.as_deref());
        if found != Some(wanted) {
            let message =
                format!("the root cause is {}; expected is {wanted:?}", found.unwrap_or("not named"));
            findings.push(Finding::new(message));
        }
    }
}

fn duration(what: &str, bounds: Bounds, seconds: f64) -> Option<Finding> {
    let low = bounds.min.map_or(0.0, Micros::secs);
    let high = bounds.max.map_or(f64::INFINITY, Micros::secs);
    if (low - MILLISECOND..=high + MILLISECOND).contains(&seconds) {
        return None;
    }
    let allowed = match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => return None,
    };
    Some(Finding::new(format!("the incident was {what} after {seconds} s; allowed is {allowed}")))
}

fn count(what: &str, bounds: Option<Counts>, seen: u32) -> Option<Finding> {
    let bounds = bounds?;
    let (low, high) = (bounds.min.unwrap_or(0), bounds.max.unwrap_or(u32::MAX));
    (!(low..=high).contains(&seen)).then(|| match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => Finding::new(format!("{seen} {what}, expected {min} to {max}")),
        (Some(min), None) => Finding::new(format!("{seen} {what}, expected at least {min}")),
        _ => Finding::new(format!("{seen} {what}, expected at most {high}")),
    })
}

/// Checks the longest screen time without a message.
fn silence(expect: &Expect, events: &[SeenEvent<'_>], findings: &mut Vec<Finding>) {
    let Some(most) = expect.max_silence else { return };
    let screen_s = screen_s(started(events));
    let at = |event: &SeenEvent<'_>| screen_s(event.offset_s);
    for pair in events.windows(2) {
        let silent = at(&pair[1]) - at(&pair[0]);
        if silent > most.secs() + MILLISECOND {
            let message = format!("no message for {silent:.1} s; {most} is allowed");
            findings.push(Finding::new(message).at(pair[1].frame));
        }
    }
}

/// Checks that steps complete in the expected order. A step that never completes breaks the order too.
fn in_order(order: &[String], events: &[SeenEvent<'_>]) -> Option<Finding> {
    let mut completed: HashMap<&str, usize> = HashMap::new();
    for (place, event) in events.iter().enumerate() {
        if let Message::AgentAction(action) = event.message
            && let (Some(step), Status::Completed) = (&action.step, action.status)
        {
            completed.entry(step).or_insert(place);
        }
    }
    let mut last: Option<(usize, &String)> = None;
    for step in order {
        let Some(place) = completed.get(step.as_str()).copied() else {
            return Some(Finding::new(format!("step {step:?} never completed")));
        };
        if let Some((before, earlier)) = last
            && place < before
        {
            return Some(
                Finding::new(format!("step {step:?} completed before {earlier:?}")).at(events[place].frame),
            );
        }
        last = Some((place, step));
    }
    None
}
