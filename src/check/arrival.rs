//! `pacing`, `silence`, `heartbeat`: when things arrive. A playback at high speed says nothing about these.

use std::collections::HashMap;
use std::time::Duration;

use super::transcript::{resolved, screen_s, started};
use super::{Context, Finding, Frame, Outcome, Transcript, verdict};
use crate::contract::Message;

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
    let expected = context.expect.as_ref();
    let Some((expected, most)) = expected.and_then(|expected| Some((expected, expected.expect.max_silence?)))
    else {
        return Outcome::NotChecked("[expect] has no max_silence".to_owned());
    };
    let replayed_to = transcript.replayed_to();
    let mut findings = Vec::new();
    let (mut judged, mut longest) = (0, 0.0_f64);
    for events in transcript.incidents().values().filter(|events| expected.concerns(events)) {
        let speed = started(events).map_or(1.0, |started| started.speed);
        let allowed = most.secs() / speed + SLACK;
        // What was replayed is older than its arrival: the silence after it began then at the latest.
        let replayed = |frame: &Frame| frame.position().is_some_and(|position| position <= replayed_to);
        let first = events.iter().rposition(|(frame, _)| replayed(frame)).unwrap_or(0);
        let arrivals = events[first..].iter().filter_map(|(frame, _)| Some((*frame, frame.arrival?)));
        let mut arrivals: Vec<(&Frame, Duration)> = arrivals.collect();
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
        return Outcome::NotChecked("no incident was listened to for a while".to_owned());
    }
    verdict(findings, || format!("the longest silence was {longest:.1} s"))
}

pub(super) fn heartbeat(transcript: &Transcript, context: &Context) -> Outcome {
    if !context.arrivals {
        return no_arrivals();
    }
    let Some((_, opened)) = transcript.greetings().next() else {
        return Outcome::NotChecked("no stream_opened came".to_owned());
    };
    let promised = opened.heartbeat_ms;
    let interval = Duration::from_millis(promised).mul_f64(2.5);
    let mut findings = Vec::new();
    let mut last: Option<(&Frame, Duration)> = None;
    let mut longest = Duration::ZERO;
    let mut silence = |last: Option<(&Frame, Duration)>, until: Duration| {
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
        return Outcome::NotChecked(format!(
            "listened for {listened:.1} s, and no heartbeat has to come within {promised:.1} s"
        ));
    }
    findings.sort_by_key(|finding| finding.line);
    verdict(findings, || {
        let (longest, allowed) = (longest.as_secs_f64(), interval.as_secs_f64());
        format!("{beats} heartbeats, silent for {longest:.1} s at most, allowed {allowed:.1} s")
    })
}

/// A heartbeat comes to whoever was sent everything: who holds less than its head has lost a tail. Counts heartbeats.
fn lost_tails(transcript: &Transcript, findings: &mut Vec<Finding>) -> usize {
    let mut positions: HashMap<&str, u64> = HashMap::new();
    let mut beats = 0;
    for frame in &transcript.frames {
        let Some(parsed) = frame.parsed.as_ref().ok() else { continue };
        match (&parsed.message, &parsed.envelope) {
            // Who was promised what follows holds what comes before it.
            (Some(Message::StreamOpened(opened)), _) => {
                positions.insert(&opened.stream, opened.follows.range().0.saturating_sub(1));
            }
            (Some(Message::Heartbeat(beat)), _) => {
                beats += 1;
                if let Some(held) = positions.get(beat.stream.as_str()).filter(|held| beat.head > **held) {
                    let message = format!("the heartbeat's head is {}, the last event was {held}", beat.head);
                    findings.push(Finding::new(message).at(frame).hint("a tail of the stream was lost"));
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
