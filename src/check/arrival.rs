//! `pacing`, `silence`, `heartbeat`: when things arrive. A playback at high speed says nothing about these.

use std::collections::HashMap;
use std::time::Duration;

use super::transcript::{screen_s, started};
use super::{Context, Finding, Frame, Outcome, Transcript, verdict};
use crate::contract::{Message, MessageType};

/// Seconds that a timer and a network may add to a silence.
const SLACK: f64 = 0.1;

fn no_arrivals() -> Outcome {
    Outcome::NotChecked("arrival times count with --real-time and --url only".to_owned())
}

/// A live event of an incident. Seconds; `due` counts from the incident's start.
struct Live<'a> {
    frame: &'a Frame,
    arrival: f64,
    due: f64,
    excused: bool,
}

fn live<'a>(transcript: &Transcript, events: &[(&'a Frame, &Message)]) -> Vec<Live<'a>> {
    let replayed_to = transcript.replayed_to();
    let started = started(events);
    let speed = started.map_or(1.0, |started| started.speed);
    let live =
        events.iter().filter(|(frame, _)| frame.position().is_none_or(|position| position > replayed_to));
    live.filter_map(|(frame, message)| {
        Some(Live {
            frame,
            arrival: frame.arrival?.as_secs_f64(),
            due: screen_s(started, message.offset_s()?) / speed,
            // What was late when it was published says so.
            excused: matches!(message, Message::AgentAction(action) if action.late_s.is_some()),
        })
    })
    .collect()
}

pub(super) fn pacing(transcript: &Transcript, context: &Context) -> Outcome {
    if !context.arrivals {
        return no_arrivals();
    }
    let tolerance = context.tolerance.as_secs_f64();
    let mut findings = Vec::new();
    let (mut judged, mut worst) = (0, 0.0_f64);
    for events in transcript.incidents().values() {
        let mut live = live(transcript, events);
        live.retain(|event| !event.excused);
        if live.len() < 2 {
            continue;
        }
        // The clock starts with the event that came most punctually: the others are late against it.
        let origin = live.iter().map(|event| event.arrival - event.due).fold(f64::INFINITY, f64::min);
        for event in live {
            let late = event.arrival - event.due - origin;
            judged += 1;
            worst = worst.max(late);
            if late > tolerance {
                let message = format!("{late:.3} s late, allowed {tolerance:.3} s");
                findings.push(Finding::new(message).at(event.frame).hint("--tolerance allows more"));
            }
        }
    }
    if judged == 0 {
        return Outcome::NotChecked("fewer than two live events of an incident".to_owned());
    }
    verdict(findings, || format!("{judged} live events, the latest {:.1} ms after it was due", worst * 1e3))
}

pub(super) fn silence(transcript: &Transcript, context: &Context) -> Outcome {
    if !context.arrivals {
        return no_arrivals();
    }
    let most = context.expect.as_ref().and_then(|(expect, _)| expect.max_silence);
    let Some(most) = most else { return Outcome::NotChecked("[expect] has no max_silence".to_owned()) };
    let mut findings = Vec::new();
    let (mut judged, mut longest) = (0, 0.0_f64);
    for events in transcript.incidents().values() {
        let speed = started(events).map_or(1.0, |started| started.speed);
        let allowed = most.secs() / speed + SLACK;
        for pair in live(transcript, events).windows(2) {
            let silent = pair[1].arrival - pair[0].arrival;
            judged += 1;
            longest = longest.max(silent);
            if silent > allowed {
                let message = format!("nothing arrived for {silent:.1} s, allowed {allowed:.1} s");
                findings.push(Finding::new(message).at(pair[1].frame));
            }
        }
    }
    if judged == 0 {
        return Outcome::NotChecked("fewer than two live events of an incident".to_owned());
    }
    verdict(findings, || format!("the longest silence was {longest:.1} s"))
}

pub(super) fn heartbeat(transcript: &Transcript, context: &Context) -> Outcome {
    if !context.arrivals {
        return no_arrivals();
    }
    let opened = transcript.controls().find_map(|(_, message)| match message {
        Message::StreamOpened(opened) => Some(opened),
        _ => None,
    });
    let Some(opened) = opened else { return Outcome::NotChecked("no stream_opened came".to_owned()) };
    let interval = Duration::from_millis(opened.heartbeat_ms).mul_f64(2.5);
    let mut findings = Vec::new();
    let mut last: Option<Duration> = None;
    let mut positions: HashMap<&str, u64> = HashMap::new();
    let mut beats = 0;
    for frame in &transcript.frames {
        if let (Some(before), Some(here)) = (last, frame.arrival)
            && here.saturating_sub(before) > interval
        {
            let silent = here.saturating_sub(before).as_secs_f64();
            let message =
                format!("nothing at all for {silent:.1} s, promised every {} ms", opened.heartbeat_ms);
            findings.push(Finding::new(message).at(frame));
        }
        last = frame.arrival.or(last);
        let Some(parsed) = frame.parsed.as_ref().ok() else { continue };
        match (&parsed.message, &parsed.envelope) {
            (Some(Message::Heartbeat(beat)), _) => {
                beats += 1;
                let seen = positions.get(beat.stream.as_str()).copied();
                if seen.is_some_and(|seen| beat.head > seen) {
                    let message = format!(
                        "the heartbeat's head is {}, the last event was {}",
                        beat.head,
                        seen.unwrap_or(0)
                    );
                    findings.push(Finding::new(message).at(frame).hint("a tail of the stream was lost"));
                }
            }
            (Some(message), Some(envelope)) if message.kind() != MessageType::StreamOpened => {
                if let (Some(stream), Some(position)) =
                    (envelope.source.strip_prefix("/streams/"), frame.position())
                {
                    positions.insert(stream, position);
                }
            }
            _ => {}
        }
    }
    verdict(findings, || format!("{beats} heartbeats, never silent for {:.1} s", interval.as_secs_f64()))
}
