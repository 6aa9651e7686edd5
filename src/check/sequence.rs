//! The rules `order`, `gap` and `duplicate`: the numbering of the stream and of its incidents.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::context::Context;
use super::incident::incidents;
use super::transcript::{Received, Transcript};
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::StreamOpened;

/// The frames of each stream with their positions, in order of arrival.
fn streams(transcript: &Transcript) -> BTreeMap<String, Vec<(&Received, u64)>> {
    let mut streams: BTreeMap<String, Vec<(&Received, u64)>> = BTreeMap::new();
    for (frame, envelope, _) in transcript.events() {
        if let Some(position) = envelope.position() {
            streams.entry(position.stream.to_string()).or_default().push((frame, position.n));
        }
    }
    streams
}

fn nothing() -> Verdict {
    Verdict::NotChecked("no event has a position".to_owned())
}

pub(super) fn order(transcript: &Transcript, _: &Context) -> Verdict {
    let streams = streams(transcript);
    if streams.is_empty() {
        return nothing();
    }
    let mut findings = Vec::new();
    for events in streams.values() {
        for pair in events.windows(2) {
            let ((_, before), (frame, position)) = (pair[0], pair[1]);
            if position < before {
                findings.push(Finding::new(format!("position {position} comes after {before}")).at(frame));
            }
        }
    }
    // Times are compared in the order of positions, so that a swapped pair is one mistake and not two.
    let mut sorted: Vec<_> = transcript.events().collect();
    sorted.sort_by(|(a, one, _), (b, other, _)| {
        (&one.source, a.position()).cmp(&(&other.source, b.position()))
    });
    for pair in sorted.windows(2) {
        let ((_, before, _), (frame, after, _)) = (&pair[0], &pair[1]);
        if before.source == after.source && after.time < before.time {
            let message = format!("the time goes back from {} to {}", before.time, after.time);
            findings.push(Finding::new(message).at(frame));
        }
    }
    for events in incidents(transcript).values() {
        for pair in events.windows(2) {
            // The seconds of a real incident are computed from the time, which is checked above.
            if let (Some(before), Some(after)) = (pair[0].message.offset_s(), pair[1].message.offset_s())
                && after < before
            {
                let message = format!("offset_s goes back from {before} to {after}");
                findings.push(Finding::new(message).at(pair[1].frame));
            }
        }
    }
    verdict(findings, || {
        let ranges = streams.values().map(|events| {
            format!("{}..{}", events.first().map_or(0, |(_, n)| *n), events.last().map_or(0, |(_, n)| *n))
        });
        format!("positions {} rise", ranges.collect::<Vec<_>>().join(", "))
    })
}

pub(super) fn gap(transcript: &Transcript, _: &Context) -> Verdict {
    let mut streams = streams(transcript);
    let mut greetings: HashMap<&str, Vec<(&Received, &StreamOpened)>> = HashMap::new();
    for (greeting, opened) in transcript.greetings() {
        greetings.entry(&opened.stream).or_default().push((greeting, opened));
        let (from, to) = opened.follows.range();
        if from <= to {
            streams.entry(opened.stream.clone()).or_default();
        }
    }
    if streams.is_empty() {
        return nothing();
    }
    let mut findings = Vec::new();
    let mut count = 0;
    for (stream, events) in &streams {
        let by_position: BTreeMap<u64, &Received> = events.iter().map(|(frame, n)| (*n, *frame)).collect();
        count += by_position.len();
        let greetings = greetings.get(stream.as_str()).map(Vec::as_slice).unwrap_or_default();
        announced(greetings, &by_position, &mut findings);
        let positions: Vec<_> = by_position.into_iter().collect();
        for pair in positions.windows(2) {
            let ((before, _), (here, frame)) = (pair[0], pair[1]);
            if here > before + 1 {
                let message = missing("position", before + 1, here - 1);
                findings.push(Finding::new(message).at(frame));
            }
        }
    }
    for (id, events) in incidents(transcript) {
        for pair in events.windows(2).filter(|pair| pair[1].index > pair[0].index + 1) {
            // A missing event lacks its position and its index: that is one mistake.
            if findings.is_empty() {
                let message = missing("index", pair[0].index + 1, pair[1].index - 1);
                findings.push(Finding::new(format!("{id}: {message}")).at(pair[1].frame));
            }
        }
    }
    verdict(findings, || format!("{count} events, none missing"))
}

/// Checks that the events announced by the `stream_opened` of a stream arrived, from the first to the last. Gaps between two
/// events are found elsewhere.
fn announced(
    greetings: &[(&Received, &StreamOpened)],
    received: &BTreeMap<u64, &Received>,
    findings: &mut Vec<Finding>,
) {
    let mut last = received.keys().next_back().copied().unwrap_or(0);
    for (greeting, opened) in greetings {
        let (from, to) = opened.follows.range();
        let hint = format!("stream_opened announced that position {from} follows");
        if let Some((first, frame)) = received.first_key_value()
            && *first > from
        {
            let message = missing("position", from, first - 1);
            findings.push(Finding::new(message).at(frame).hint(hint));
        }
        if to > last && from <= to {
            let message = missing("position", from.max(last + 1), to);
            findings.push(
                Finding::new(message).at(greeting).hint(format!("stream_opened announced {from} to {to}")),
            );
            last = to;
        }
    }
}

fn missing(what: &str, from: u64, to: u64) -> String {
    if from == to {
        format!("{what} {from} is missing")
    } else {
        format!("{what}s {from} to {to} are missing")
    }
}

pub(super) fn duplicate(transcript: &Transcript, _: &Context) -> Verdict {
    let mut findings = Vec::new();
    let mut positions = HashSet::new();
    let mut indexes = HashSet::new();
    let mut count = 0;
    for (frame, envelope, _) in transcript.events() {
        count += 1;
        if !positions.insert((&envelope.source, &envelope.id)) {
            findings.push(Finding::new(format!("position {} arrived twice", envelope.id)).at(frame));
        } else if let Some(index) = envelope.index
            && !indexes.insert((envelope.incident(), index))
        {
            findings.push(
                Finding::new(format!("index {index} of {} arrived twice", envelope.incident())).at(frame),
            );
        }
    }
    if count == 0 {
        return nothing();
    }
    verdict(findings, || format!("{count} events, each once"))
}
