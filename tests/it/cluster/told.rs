//! What watchers and publishers were told, and whether it is one history, in time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use incident::contract::{Envelope, Message};
use jiff::Timestamp;

use crate::harness::envelope;

/// How late an event may be without a reason, on a machine with much else to do.
const LATE_S: f64 = 3.0;

/// How early one may be: an incident's start may be written, or come, late.
const EARLY_S: f64 = 1.0;

/// An action that is later than this says so. What is appended waits for the append before it, for two seconds, and is repeated as it
/// is for two seconds and more.
const UNMARKED_S: f64 = 6.5;

/// Everything that was told.
#[derive(Default)]
pub struct Told {
    /// By name of the stream and position.
    pub events: BTreeMap<(String, u64), String>,
    /// When the first watcher got an event, by position.
    pub came: BTreeMap<u64, Timestamp>,
    /// The clocks of the servers differ: only when events come is judged.
    pub by_arrival: bool,
    /// Source, index and position.
    pub acknowledged: Vec<(String, u64, u64)>,
    /// When events were sent, and when they were acknowledged.
    pub writes: Vec<(Timestamp, Timestamp)>,
    /// What was done to the servers.
    pub faults: Vec<Fault>,
    /// The reasons of heartbeats that said `paused`, by the number of the server.
    pub paused: Vec<(usize, String)>,
    /// Names of streams to which watchers were reset.
    pub resets: BTreeSet<String>,
}

/// Something that was done to the servers.
pub struct Fault {
    pub what: &'static str,
    pub at: Timestamp,
    /// How long the drills may pause once events are stored again.
    pub pause_s: f64,
}

/// A drill as the events tell it.
#[derive(Debug, Default)]
pub struct Drill {
    speed: f64,
    has_ended: bool,
}

impl Told {
    pub fn all(&self) -> impl Iterator<Item = (u64, Envelope)> {
        self.events.iter().map(|((_, position), text)| (*position, envelope(text)))
    }

    /// Drills by their ids. An incident that is no drill has no speed.
    pub fn drills(&self) -> BTreeMap<String, Drill> {
        let mut drills: BTreeMap<String, Drill> = BTreeMap::new();
        for (_, event) in self.all() {
            match event.message() {
                Ok(Message::IncidentStarted(started)) if started.synthetic => {
                    let speed = started.speed.unwrap_or(1.0);
                    let drill = Drill { speed, has_ended: false };
                    drills.insert(event.incident().to_owned(), drill);
                }
                Ok(Message::IncidentResolved(_)) => {
                    if let Some(drill) = drills.get_mut(event.incident()) {
                        drill.has_ended = true;
                    }
                }
                _ => {}
            }
        }
        drills
    }

    pub fn has_ended(&self) -> bool {
        let drills = self.drills();
        !drills.is_empty() && drills.values().all(|drill| drill.has_ended)
    }

    pub fn check(&self) {
        let streams: BTreeSet<&String> = self.events.keys().map(|(stream, _)| stream).collect();
        assert_eq!(streams.len(), 1, "they are compared one by one: {streams:?}");
        let positions = self.events.keys().map(|(_, position)| *position);
        assert!(positions.eq(1..=self.events.len() as u64), "every position once");
        let mut indexes: BTreeMap<String, u64> = BTreeMap::new();
        for (position, event) in self.all() {
            let index = indexes.entry(event.incident().to_owned()).or_default();
            *index += 1;
            assert_eq!(event.index, Some(*index), "each index once, in order: {position}");
        }
        for (subject, index, position) in &self.acknowledged {
            let stream = (*streams.first().expect("it is one")).clone();
            let text = self.events.get(&(stream, *position));
            let event = text.map(|text| envelope(text));
            assert!(
                event
                    .as_ref()
                    .is_some_and(|event| event.incident() == subject && event.index == Some(*index)),
                "{subject} {index} was acknowledged at {position}, where there is {text:?}"
            );
        }
        self.check_times();
    }

    /// Whether an event that was due at one time may have been stored at another: something was done to the servers between
    /// the two or shortly before, and nothing could be stored or played since.
    fn may_be_late(&self, due: Timestamp, stored: Timestamp) -> bool {
        self.faults.iter().any(|Fault { at, pause_s, .. }| {
            let written = self.writes.iter().find(|(sent, _)| sent > at);
            let written = written.map_or(Timestamp::MAX, |(_, acknowledged)| *acknowledged);
            let over = written.duration_since(due).as_secs_f64() + pause_s;
            at.duration_since(stored).is_negative() && over >= 0.0
        })
    }

    fn check_times(&self) {
        let drills = self.drills();
        let mut checked = 0;
        let when =
            |position: u64, event: &Envelope| if self.by_arrival { self.came[&position] } else { event.time };
        let mut begun = BTreeMap::new();
        let mut pauses = vec![0.0_f64; self.faults.len()];
        for (position, event) in self.all() {
            let Some(drill) = drills.get(event.incident()) else { continue };
            let (message, stored) = (event.message().unwrap(), when(position, &event));
            let began = *begun.entry(event.incident().to_owned()).or_insert(stored);
            let Some(offset_s) = message.offset_s() else { continue };
            let due_s = offset_s / drill.speed;
            let late_s = stored.duration_since(began).as_secs_f64() - due_s;
            let due = began + Duration::from_secs_f64(due_s.max(0.0));
            // What was due before a fault and came after it did not wait for the whole pause.
            if let Some(fault) = self.faults.iter().rposition(|fault| fault.at < stored) {
                pauses[fault] = pauses[fault].max(late_s);
            }
            // A start that is written late makes it shorter.
            assert!(late_s > -EARLY_S || offset_s <= 0.0, "{position} is {late_s} s early");
            assert!(
                late_s < LATE_S || self.may_be_late(due, stored),
                "{position} is {late_s} s late: {event:?}"
            );
            if let Message::AgentAction(action) = &message {
                assert!(
                    late_s < UNMARKED_S || action.late_s.is_some(),
                    "{position} does not say that it is {late_s} s late"
                );
            }
            checked += 1;
        }
        for (fault, pause_s) in self.faults.iter().zip(pauses) {
            // `./dev cluster` makes a table of these lines.
            println!("pause {pause_s:.2} s: {}", fault.what);
        }
        assert!(checked > 50, "only {checked} events of drills");
        println!("{} events, {checked} of drills; paused: {}", self.events.len(), self.paused.len());
    }
}
