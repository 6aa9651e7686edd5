//! What the times of a stream show about the clock of its server. None of it breaks a rule: a clock can be set.

use std::collections::BTreeMap;

use super::incident::{incidents, is_generated, screen_s, speed, started};
use super::transcript::{Received, Transcript};
use crate::contract::{Envelope, Message};

/// A longer distance between the time of an event and its planned second shows that the clock was set, in seconds.
const STEP_S: f64 = 60.0;

/// The events of each stream in the order of their positions, so that a swapped pair is one mistake and not two.
pub(super) fn sorted(transcript: &Transcript) -> Vec<(&Received, &Envelope)> {
    let mut sorted: Vec<_> = transcript.events().map(|(frame, envelope, _)| (frame, envelope)).collect();
    sorted.sort_by_key(|(frame, envelope)| (envelope.source.clone(), frame.position()));
    sorted
}

/// What is worth knowing about the clock of the server that sent a stream, one sentence each.
pub fn clock_warnings(transcript: &Transcript) -> Vec<String> {
    let mut warnings: Vec<String> = falls(transcript).into_iter().collect();
    for (id, events) in incidents(transcript) {
        let Some(started) = started(&events).filter(|started| is_generated(started)) else { continue };
        let was_down =
            |message: &Message| matches!(message, Message::AgentAction(action) if action.late_s.is_some());
        if events.iter().any(|event| was_down(event.message)) {
            continue;
        }
        let times = events.iter().filter_map(|event| Some(event.frame.envelope()?.time));
        if events.len() >= 10 && times.clone().min() == times.clone().max() {
            warnings.push(format!(
                "all {} events of {id} have the same time: the clock of the server stood still",
                events.len()
            ));
            continue;
        }
        let late = events.iter().filter_map(|event| {
            let time = event.frame.envelope()?.time;
            let since_s = time.duration_since(started.impact_started_at).as_secs_f64();
            Some(since_s - screen_s(Some(started), event.message.offset_s()?) / speed(&events))
        });
        let worst = late.max_by(|one, other| one.abs().total_cmp(&other.abs())).unwrap_or_default();
        if worst.abs() > STEP_S {
            let side = if worst > 0.0 { "after" } else { "before" };
            warnings.push(format!(
                "the times of {id} contradict its seconds: an event is dated {} {side} its planned second. The server's \
                 clock was set or stood still, or the server was suspended",
                span(worst.abs())
            ));
        }
    }
    warnings
}

/// Where the time falls from one incident to another, as it may if the server's clock is set back.
fn falls(transcript: &Transcript) -> Option<String> {
    let mut worst: Option<(f64, String)> = None;
    let mut count = 0;
    let mut latest: BTreeMap<&str, &Envelope> = BTreeMap::new();
    for (frame, envelope) in sorted(transcript) {
        let before = latest.insert(&envelope.source, envelope);
        let Some(before) = before.filter(|before| before.incident() != envelope.incident()) else { continue };
        let fall_s = before.time.duration_since(envelope.time).as_secs_f64();
        if fall_s > 0.0 {
            count += 1;
            if worst.as_ref().is_none_or(|(most, _)| fall_s > *most) {
                worst = Some((fall_s, frame.place()));
            }
        }
    }
    let (fall_s, place) = worst?;
    let times = if count > 1 { format!(" (the largest of {count} falls)") } else { String::new() };
    Some(format!(
        "the time falls by {} from one incident to another at {place}{times}: the server's clock was set back",
        span(fall_s)
    ))
}

/// Seconds for people.
fn span(seconds: f64) -> String {
    match seconds {
        days if days >= 172_800.0 => format!("{:.0} days", seconds / 86_400.0),
        hours if hours >= 7_200.0 => format!("{:.1} h", seconds / 3_600.0),
        seconds => format!("{seconds:.1} s"),
    }
}
