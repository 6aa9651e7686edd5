//! `expect`: what a scenario's `[expect]` asserts, by planned seconds.

use super::account::Account;
use super::context::{Context, Expected};
use super::incident::{Event, incidents, resolved, screen_s, started};
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{Mark, Message, Status};
use crate::scenario::{Bounds, Counts, Expect};

/// Planned seconds are whole milliseconds.
const MILLISECOND: f64 = 0.0011;

pub(super) fn judge(transcript: &Transcript, context: &Context) -> Verdict {
    let Some(expected) = &context.expect else {
        return Verdict::NotChecked(
            "nothing is expected: give a scenario with [expect], or --expect FILE".to_owned(),
        );
    };
    let Expected { expect, origin, scenario } = expected;
    if *expect == Expect::default() {
        return Verdict::NotChecked(format!("[expect] of {origin} is empty"));
    }
    let mut findings = Vec::new();
    let mut judged = 0;
    for (id, events) in incidents(transcript) {
        if expected.concerns(&events) {
            judged += 1;
            incident(expect, &events, context.ends.requires(id), &mut findings);
        }
    }
    if judged == 0 {
        return Verdict::NotChecked(format!("no start of an incident of {scenario} was seen"));
    }
    let findings =
        findings.into_iter().map(|finding| finding.hint(format!("see [expect] in {origin}"))).collect();
    verdict(findings, || format!("{origin} holds"))
}

/// `required`: the incident was followed to its end, so a milestone that is missing was never reached.
fn incident(expect: &Expect, events: &[Event<'_>], required: bool, findings: &mut Vec<Finding>) {
    let resolved = resolved(events);
    let seen = Account::of(events);
    let ended = resolved.is_some() || required;
    // Where no action is marked as the detection, the first action counts as it.
    let detected = seen.reached(Mark::Detected).or(seen.first_action);
    for (what, bounds, reached) in [
        ("detect", expect.detect, detected),
        ("diagnose", expect.diagnose, seen.reached(Mark::Diagnosed)),
        ("mitigate", expect.mitigate, seen.reached(Mark::Mitigated)),
        ("resolve", expect.resolve, resolved.map(|(event, _)| event)),
    ] {
        let Some(bounds) = bounds else { continue };
        match reached {
            Some(event) => {
                findings.extend(duration(what, bounds, event.offset_s).map(|found| found.at(event.frame)));
            }
            None if ended => findings.push(Finding::new(format!("{what} never happened"))),
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
            let message = format!("the phases were {}, expected {}", seen.join(", "), wanted.join(", "));
            findings.push(Finding::new(message));
        }
    }
    if let Some(order) = &expect.order {
        findings.extend(in_order(order, events));
    }
    if let Some(wanted) = &expect.root_cause {
        let found = resolved.and_then(|(_, resolved)| resolved.root_cause.as_deref());
        if found != Some(wanted) {
            let message = format!("the root cause is {}, expected {wanted:?}", found.unwrap_or("not named"));
            findings.push(Finding::new(message));
        }
    }
}

fn duration(what: &str, bounds: Bounds, seconds: f64) -> Option<Finding> {
    let low = bounds.min.map_or(0.0, crate::scenario::Micros::secs);
    let high = bounds.max.map_or(f64::INFINITY, crate::scenario::Micros::secs);
    if (low - MILLISECOND..=high + MILLISECOND).contains(&seconds) {
        return None;
    }
    let allowed = match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => return None,
    };
    Some(Finding::new(format!("{what} took {seconds} s, allowed {allowed}")))
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

/// The longest screen time without any message.
fn silence(expect: &Expect, events: &[Event<'_>], findings: &mut Vec<Finding>) {
    let Some(most) = expect.max_silence else { return };
    let started = started(events);
    let at = |event: &Event<'_>| screen_s(started, event.offset_s);
    for pair in events.windows(2) {
        let silent = at(&pair[1]) - at(&pair[0]);
        if silent > most.secs() + MILLISECOND {
            let message = format!("silent for {silent:.1} s, allowed {most}");
            findings.push(Finding::new(message).at(pair[1].frame));
        }
    }
}

/// Steps complete in the wanted order; a step that never completes breaks it too.
fn in_order(order: &[String], events: &[Event<'_>]) -> Option<Finding> {
    let completed = |step: &String| {
        events.iter().position(|event| {
            matches!(event.message, Message::AgentAction(action)
                if action.step.as_ref() == Some(step) && action.status == Status::Completed)
        })
    };
    let mut last: Option<(usize, &String)> = None;
    for step in order {
        let Some(place) = completed(step) else {
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
