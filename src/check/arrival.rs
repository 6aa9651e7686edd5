//! The rules `pacing`, `silence` and `heartbeat`, about when messages arrive. They need a stream in real time.

use std::collections::HashMap;
use std::time::Duration;

use super::context::Context;
use super::incident::{SeenEvent, incidents, resolved, screen_s, speed, started};
use super::transcript::{Received, Transcript};
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::Message;

/// How many seconds a timer and the network may add to a silence.
const SLACK: f64 = 0.1;

fn no_arrivals() -> Verdict {
    Verdict::NotChecked("arrival times are only checked with --real-time or --url".to_owned())
}

/// An event of an incident that was sent live, not replayed. All times are in seconds.
struct LiveEvent<'a> {
    frame: &'a Received,
    /// When it arrived, since the connection was opened.
    arrival: f64,
    /// When it was due, since the incident's start.
    due: f64,
    /// Whether the event itself says that it was published late.
    late: bool,
}

fn live<'a>(transcript: &Transcript, events: &[SeenEvent<'a>]) -> Vec<LiveEvent<'a>> {
    let replayed_to = transcript.replayed_to();
    let screen_s = screen_s(started(events));
    let speed = speed(events);
    let live =
        events.iter().filter(|event| event.frame.position().is_none_or(|position| position > replayed_to));
    live.filter_map(|event| {
        Some(LiveEvent {
            frame: event.frame,
            arrival: event.frame.arrival?.as_secs_f64(),
            // Events of a real incident have no planned second, so they are not checked.
            due: screen_s(event.message.offset_s()?) / speed,
            late: matches!(event.message, Message::AgentAction(action) if action.late_s.is_some()),
        })
    })
    .collect()
}

pub(super) fn pacing(transcript: &Transcript, context: &Context) -> Verdict {
    if !context.arrivals {
        return no_arrivals();
    }
    let tolerance = context.tolerance.as_secs_f64();
    let mut findings = Vec::new();
    let (mut judged, mut worst) = (0, 0.0_f64);
    for events in incidents(transcript).values() {
        let mut live = live(transcript, events);
        live.retain(|event| !event.late);
        if live.len() < 2 {
            continue;
        }
        // The event with the shortest delay is taken as punctual; the delays of the others are measured against it.
        let origin = live.iter().map(|event| event.arrival - event.due).fold(f64::INFINITY, f64::min);
        for event in live {
            let late = event.arrival - event.due - origin;
            judged += 1;
            worst = worst.max(late);
            if late > tolerance {
                let message = format!("the event arrived {late:.3} s late; {tolerance:.3} s is allowed");
                findings.push(Finding::new(message).at(event.frame).hint("--tolerance allows more"));
            }
        }
    }
    if judged == 0 {
        return Verdict::NotChecked("there are fewer than two live events with a planned second".to_owned());
    }
    verdict(findings, || format!("{judged} live events, at most {:.1} ms late", worst * 1e3))
}

pub(super) fn silence(transcript: &Transcript, context: &Context) -> Verdict {
    if !context.arrivals {
        return no_arrivals();
    }
    let expected = context.expect.as_ref();
    let Some((expected, most)) = expected.and_then(|expected| Some((expected, expected.expect.max_silence?)))
    else {
        return Verdict::NotChecked("[expect] has no max_silence".to_owned());
    };
    let replayed_to = transcript.replayed_to();
    let mut findings = Vec::new();
    let (mut judged, mut longest) = (0, 0.0_f64);
    for events in incidents(transcript).values().filter(|events| expected.concerns(events)) {
        let allowed = most.secs() / speed(events) + SLACK;
        // A replayed event happened before it arrived, so the silence after it may be longer than the measured one.
        let replayed = |frame: &Received| frame.position().is_some_and(|position| position <= replayed_to);
        let first = events.iter().rposition(|event| replayed(event.frame)).unwrap_or(0);
        let arrivals = events[first..].iter().filter_map(|event| Some((event.frame, event.frame.arrival?)));
        let mut arrivals: Vec<(&Received, Duration)> = arrivals.collect();
        if resolved(events).is_none()
            && let (Some((last, _)), Some(ended)) = (arrivals.last(), transcript.ended)
        {
            arrivals.push((*last, ended));
        }
        for pair in arrivals.windows(2) {
            let ((before, since), (frame, until)) = (pair[0], pair[1]);
            let silent = until.as_secs_f64() - since.as_secs_f64();
            judged += 1;
            longest = longest.max(silent);
            if silent > allowed {
                let end = if before.line == frame.line { " after the last event" } else { "" };
                let message = format!(
                    "no event of the incident arrived for {silent:.1} s{end}; {allowed:.1} s is allowed"
                );
                findings.push(Finding::new(message).at(frame));
            }
        }
    }
    if judged == 0 {
        return Verdict::NotChecked("no incident has two events with arrival times".to_owned());
    }
    verdict(findings, || format!("the longest silence was {longest:.1} s"))
}

pub(super) fn heartbeat(transcript: &Transcript, context: &Context) -> Verdict {
    if !context.arrivals {
        return no_arrivals();
    }
    let Some((_, opened)) = transcript.greetings().next() else {
        return Verdict::NotChecked("stream_opened is missing".to_owned());
    };
    let promised = opened.heartbeat_ms;
    let interval = Duration::from_millis(promised).mul_f64(2.5);
    let mut findings = Vec::new();
    let mut last: Option<(&Received, Duration)> = None;
    let mut longest = Duration::ZERO;
    let mut silence = |last: Option<(&Received, Duration)>, until: Duration| {
        let silent = last.map_or(Duration::ZERO, |(_, since)| until.saturating_sub(since));
        longest = longest.max(silent);
        let seconds = silent.as_secs_f64();
        (silent > interval).then(|| {
            Finding::new(format!(
                "no message for {seconds:.1} s; a heartbeat is promised every {promised} ms"
            ))
        })
    };
    for frame in &transcript.frames {
        let Some(arrival) = frame.arrival else { continue };
        findings.extend(silence(last, arrival).map(|finding| finding.at(frame)));
        last = Some((frame, arrival));
    }
    let last_arrival = last.map(|(_, arrival)| arrival).unwrap_or_default();
    let ended = transcript.ended.unwrap_or(last_arrival);
    if let Some(finding) = silence(last, ended) {
        let finding = finding.hint("no message came after this one");
        findings.push(match last {
            Some((frame, _)) => finding.at(frame),
            None => finding,
        });
    }
    let beats = lost_tails(transcript, &mut findings);
    if findings.is_empty() && beats == 0 && ended <= interval {
        let (listened, promised) = (ended.as_secs_f64(), interval.as_secs_f64());
        return Verdict::NotChecked(format!(
            "validate listened for {listened:.1} s only; a heartbeat may take up to {promised:.1} s"
        ));
    }
    findings.sort_by_key(|finding| finding.line);
    verdict(findings, || {
        let (longest, allowed) = (longest.as_secs_f64(), interval.as_secs_f64());
        format!("{beats} heartbeats; the longest silence was {longest:.1} s, {allowed:.1} s is allowed")
    })
}

/// Finds events that were lost at the end of the stream: a heartbeat goes only to clients that have all events up to
/// its head. Returns the number of heartbeats.
fn lost_tails(transcript: &Transcript, findings: &mut Vec<Finding>) -> usize {
    let mut positions: HashMap<&str, u64> = HashMap::new();
    let mut beats = 0;
    for frame in &transcript.frames {
        let Some(parsed) = frame.parsed.as_ref().ok() else { continue };
        match (&parsed.message, &parsed.envelope) {
            // The client has, or does not get, every event before the first announced one.
            (Some(Message::StreamOpened(opened)), _) => {
                positions.insert(&opened.stream, opened.follows.range().0.saturating_sub(1));
            }
            (Some(Message::Heartbeat(beat)), _) => {
                beats += 1;
                if let Some(last) = positions.get(beat.stream.as_str()).filter(|last| beat.head > **last) {
                    let message =
                        format!("the heartbeat's head is {}, but the last event was {last}", beat.head);
                    findings.push(
                        Finding::new(message).at(frame).hint("events at the end of the stream were lost"),
                    );
                }
            }
            (Some(_), Some(envelope)) => {
                if let (Some(stream), Some(position)) =
                    (envelope.source.strip_prefix("/streams/"), frame.position())
                {
                    positions.insert(stream, position);
                }
            }
            _ => {}
        }
    }
    beats
}
