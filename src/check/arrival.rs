//! `pacing`, `silence`, `heartbeat`: when messages arrive. A playback at high speed shows nothing of these.

use std::collections::HashMap;
use std::time::Duration;

use super::context::Context;
use super::incident::{Event, incidents, resolved, screen_s, speed, started};
use super::transcript::{Received, Transcript};
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::Message;

/// Seconds that a timer and a network may add to a silence.
const SLACK: f64 = 0.1;

fn no_arrivals() -> Verdict {
    Verdict::NotChecked("arrival times count with --real-time and --url only".to_owned())
}

/// A live event of an incident. Seconds; `due` counts from the incident's start.
struct Live<'a> {
    frame: &'a Received,
    arrival: f64,
    due: f64,
    excused: bool,
}

fn live<'a>(transcript: &Transcript, events: &[Event<'a>]) -> Vec<Live<'a>> {
    let replayed_to = transcript.replayed_to();
    let started = started(events);
    let speed = speed(events);
    let live =
        events.iter().filter(|event| event.frame.position().is_none_or(|position| position > replayed_to));
    live.filter_map(|event| {
        Some(Live {
            frame: event.frame,
            arrival: event.frame.arrival?.as_secs_f64(),
            // A real incident has no planned seconds: its events are never due.
            due: screen_s(started, event.message.offset_s()?) / speed,
            // An event that was published late says so.
            excused: matches!(event.message, Message::AgentAction(action) if action.late_s.is_some()),
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
        return Verdict::NotChecked("fewer than two live events with planned seconds".to_owned());
    }
    verdict(findings, || format!("{judged} live events, the latest {:.1} ms after it was due", worst * 1e3))
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
        // A replayed event is older than its arrival: the silence after it began then at the latest.
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
                let end = if before.line == frame.line { " (it was the last)" } else { "" };
                let message = format!("nothing arrived for {silent:.1} s, allowed {allowed:.1} s{end}");
                findings.push(Finding::new(message).at(frame));
            }
        }
    }
    if judged == 0 {
        return Verdict::NotChecked("no incident was listened to for a while".to_owned());
    }
    verdict(findings, || format!("the longest silence was {longest:.1} s"))
}

pub(super) fn heartbeat(transcript: &Transcript, context: &Context) -> Verdict {
    if !context.arrivals {
        return no_arrivals();
    }
    let Some((_, opened)) = transcript.greetings().next() else {
        return Verdict::NotChecked("no stream_opened came".to_owned());
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
        (silent > interval)
            .then(|| Finding::new(format!("nothing at all for {seconds:.1} s, promised every {promised} ms")))
    };
    for frame in &transcript.frames {
        let Some(here) = frame.arrival else { continue };
        findings.extend(silence(last, here).map(|finding| finding.at(frame)));
        last = Some((frame, here));
    }
    let heard = last.map(|(_, heard)| heard).unwrap_or_default();
    let ended = transcript.ended.unwrap_or(heard);
    if let Some(finding) = silence(last, ended) {
        let finding = finding.hint("nothing came after it");
        findings.push(match last {
            Some((frame, _)) => finding.at(frame),
            None => finding,
        });
    }
    let beats = lost_tails(transcript, &mut findings);
    if findings.is_empty() && beats == 0 && ended <= interval {
        let (listened, promised) = (ended.as_secs_f64(), interval.as_secs_f64());
        return Verdict::NotChecked(format!(
            "listened for {listened:.1} s, and no heartbeat has to come within {promised:.1} s"
        ));
    }
    findings.sort_by_key(|finding| finding.line);
    verdict(findings, || {
        let (longest, allowed) = (longest.as_secs_f64(), interval.as_secs_f64());
        format!("{beats} heartbeats, silent for {longest:.1} s at most, allowed {allowed:.1} s")
    })
}

/// A heartbeat goes to clients at the head: a client that holds less has lost events. Counts heartbeats.
fn lost_tails(transcript: &Transcript, findings: &mut Vec<Finding>) -> usize {
    let mut positions: HashMap<&str, u64> = HashMap::new();
    let mut beats = 0;
    for frame in &transcript.frames {
        let Some(parsed) = frame.parsed.as_ref().ok() else { continue };
        match (&parsed.message, &parsed.envelope) {
            // A client holds what comes before the events that are announced to it.
            (Some(Message::StreamOpened(opened)), _) => {
                positions.insert(&opened.stream, opened.follows.range().0.saturating_sub(1));
            }
            (Some(Message::Heartbeat(beat)), _) => {
                beats += 1;
                if let Some(held) = positions.get(beat.stream.as_str()).filter(|held| beat.head > **held) {
                    let message = format!("the heartbeat's head is {}, the last event was {held}", beat.head);
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
