//! The received events of each incident, sorted by their index.

use std::collections::BTreeMap;

use super::transcript::{Received, Transcript};
use crate::contract::{IncidentResolved, IncidentStarted, Message, ScreenMap, offset_of};

/// A received event of an incident.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeenEvent<'a> {
    pub(super) frame: &'a Received,
    pub(super) message: &'a Message,
    /// The event's index in the incident.
    pub(super) index: u64,
    /// Second of the incident: the planned one, or in a real incident the wall-clock time since its start.
    pub(super) offset_s: f64,
}

/// The events of each incident, sorted by index. The order of arrival has rules of its own. An event without an index
/// is left out, because the rule `envelope` reports it.
pub(super) fn incidents(transcript: &Transcript) -> BTreeMap<&str, Vec<SeenEvent<'_>>> {
    let mut incidents: BTreeMap<&str, Vec<SeenEvent<'_>>> = BTreeMap::new();
    for (frame, envelope, message) in transcript.events() {
        let Some(index) = envelope.index else { continue };
        let event = SeenEvent { frame, message, index, offset_s: 0.0 };
        incidents.entry(envelope.incident()).or_default().push(event);
    }
    for events in incidents.values_mut() {
        events.sort_by_key(|event| event.index);
        // The rule `duplicate` reports repeated events.
        events.dedup_by_key(|event| event.index);
        let began = started(events).map(|started| started.impact_started_at);
        for event in events {
            let time = event.frame.envelope().map(|envelope| envelope.time);
            let offset_s = time.and_then(|time| offset_of(event.message, time, began));
            event.offset_s = offset_s.unwrap_or_default();
        }
    }
    incidents
}

/// The `incident_resolved` among an incident's events.
pub(super) fn resolved<'a>(events: &[SeenEvent<'a>]) -> Option<(SeenEvent<'a>, &'a IncidentResolved)> {
    events.iter().find_map(|event| match event.message {
        Message::IncidentResolved(resolved) => Some((*event, resolved)),
        _ => None,
    })
}

/// The `incident_started` among an incident's events.
pub(super) fn started<'a>(events: &[SeenEvent<'a>]) -> Option<&'a IncidentStarted> {
    events.iter().find_map(|event| match event.message {
        Message::IncidentStarted(started) => Some(started),
        _ => None,
    })
}

/// Whether a scenario generated the incident: then everything is announced, and the seconds are exact. A drill without a
/// scenario is the replay of a real incident.
pub(super) fn is_generated(started: &IncidentStarted) -> bool {
    started.synthetic && started.run.is_some()
}

/// The speed that an incident announces; 1 if it announces none.
pub(super) fn speed(events: &[SeenEvent<'_>]) -> f64 {
    started(events).and_then(|started| started.speed).unwrap_or(1.0)
}

/// Computes the screen second, at speed 1, of a second of the incident, according to the phases that the incident
/// announces.
pub(super) fn screen_s(started: Option<&IncidentStarted>) -> impl Fn(f64) -> f64 {
    let map = ScreenMap::of(started.map(|started| started.phases.as_slice()).unwrap_or_default());
    move |offset_s| map.screen((offset_s * 1e6).round() as u64) as f64 / 1e6
}
