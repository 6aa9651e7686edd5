//! What a command that follows a stream knows of its incidents, within a bounded memory: a server may name ever new ones, and ever
//! new metrics and agents of one.

use std::collections::{HashMap, HashSet};

use anyhow::anyhow;

use super::exit::{Exit, Failure};
use crate::contract::Envelope;
use crate::report::{Board, IncidentState, IncidentStatus};

/// The most incidents that are known.
const MOST: usize = 10_000;

/// The most bytes that their states take together.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What is told when it is more.
const TOLD: &str = "the stream tells of more than this command keeps, 10,000 incidents or 64 MiB of them: it forgets the \
                    oldest that have ended, then the oldest";

/// What a command fails with whose server does not know the incident any more that it follows.
pub(super) fn forgotten(id: &str) -> Failure {
    Failure::new(Exit::Unresolved, anyhow!(is_forgotten(id)))
}

/// The server says no better than the event that can't be read how the incident has ended.
pub(super) fn unread_end(id: &str) -> Failure {
    let error = anyhow!("{id} has ended, and how it ended can't be read");
    Failure::new(Exit::Unresolved, error)
        .hint("`incident validate --url` names what is wrong with the events")
}

/// What a command says that goes on without it.
pub(super) fn is_forgotten(id: &str) -> String {
    format!("the server does not know {id} any more: how it ended is lost")
}

/// What is said of an incident when it is left, whether or not it is known that it has not ended.
pub(super) fn goes_on(is_known: bool) -> &'static str {
    if is_known { "goes on" } else { "may go on" }
}

/// The states of incidents.
#[derive(Debug, Default)]
pub(super) struct Known {
    most: usize,
    most_bytes: usize,
    board: Board,
    /// The bytes of each state, and of all of them.
    sizes: HashMap<String, usize>,
    bytes: usize,
    /// The incident that the user asks for: it is forgotten last.
    wanted: Option<String>,
    is_told: bool,
}

impl Known {
    pub(super) fn new(wanted: Option<&str>) -> Self {
        Self { most: MOST, most_bytes: MOST_BYTES, wanted: wanted.map(str::to_owned), ..Self::default() }
    }

    /// Forgets everything: another stream begins.
    pub(super) fn begin_anew(&mut self) {
        let Self { most, most_bytes, is_told, .. } = *self;
        *self = Self { most, most_bytes, wanted: self.wanted.take(), is_told, ..Self::default() };
    }

    /// Applies one event, and returns the incident's state if it changed. What is too much is forgotten with the next event.
    pub(super) fn fold(&mut self, event: &Envelope) -> Option<&IncidentState> {
        let bytes = self.board.fold(event)?.bytes();
        self.weigh(event.incident(), bytes);
        self.board.get(event.incident())
    }

    /// Takes what the server says of an incident, unless more is known of it here.
    pub(super) fn put(&mut self, state: IncidentState) {
        let id = state.id.clone();
        self.board.put(state);
        let bytes = self.board.get(&id).map_or(0, IncidentState::bytes);
        self.weigh(&id, bytes);
    }

    /// Forgets an incident that the server does not know any more.
    pub(super) fn forget(&mut self, id: &str) {
        self.board.forget(id);
        self.bytes -= self.sizes.remove(id).unwrap_or_default();
    }

    /// Counts the bytes of a state.
    fn weigh(&mut self, id: &str, bytes: usize) {
        match self.sizes.get_mut(id) {
            Some(size) => {
                self.bytes = self.bytes - *size + bytes;
                *size = bytes;
            }
            None => {
                self.sizes.insert(id.to_owned(), bytes);
                self.bytes += bytes;
            }
        }
    }

    /// Forgets incidents if there are too many: the oldest that have ended, then the oldest. Returns what to tell the user of it, at
    /// the first time.
    pub(super) fn bound(&mut self) -> Option<String> {
        if self.board.incidents().len() <= self.most && self.bytes <= self.most_bytes {
            return None;
        }
        // Some more than necessary, so that not every event makes one go.
        let (most, most_bytes) = (self.most / 10 * 9, self.most_bytes / 10 * 9);
        let (mut left, mut bytes) = (self.board.incidents().len(), self.bytes);
        let rank = |incident: &&IncidentState| {
            let is_wanted = self.wanted.as_deref() == Some(incident.id.as_str());
            (is_wanted, incident.state == IncidentStatus::Open)
        };
        let mut oldest: Vec<&IncidentState> = self.board.incidents().iter().collect();
        oldest.sort_by_key(rank);
        let mut gone = HashSet::new();
        for incident in oldest {
            if left <= most && bytes <= most_bytes {
                break;
            }
            left -= 1;
            bytes -= self.sizes.get(&incident.id).copied().unwrap_or_default();
            gone.insert(incident.id.clone());
        }
        self.board.retain(|incident| !gone.contains(&incident.id));
        self.sizes.retain(|id, _| !gone.contains(id));
        self.bytes = bytes;
        if std::mem::replace(&mut self.is_told, true) {
            return None;
        }
        Some(TOLD.to_owned())
    }

    /// All that are known, in order of appearance.
    pub(super) fn incidents(&self) -> &[IncidentState] {
        self.board.incidents()
    }

    pub(super) fn get(&self, id: &str) -> Option<&IncidentState> {
        self.board.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(subject: &str, index: u64, kind: &str, data: &str) -> Envelope {
        let text = format!(
            r#"{{"specversion":"1.0","id":"{index}","source":"/streams/S","type":"{kind}","subject":"{subject}",
                "time":"2026-11-22T10:00:00.000000Z","index":{index},"data":{data}}}"#
        );
        serde_json::from_str(&text).expect("it is an event")
    }

    fn sample(subject: &str, index: u64, names: usize) -> Envelope {
        let metrics: Vec<String> =
            (0..names).map(|name| format!("\"metric {index} {name:0>50}\":1")).collect();
        let data = format!(r#"{{"synthetic":false,"metrics":{{{}}}}}"#, metrics.join(","));
        event(subject, index, "system_metrics", &data)
    }

    fn end(subject: &str, index: u64) -> Envelope {
        let data = r#"{"synthetic":false,"outcome":"resolved","summary":"over","durations":{"resolve_s":1},
            "actions":{"total":0,"failed":0}}"#;
        event(subject, index, "incident_resolved", data)
    }

    fn ids(known: &Known) -> Vec<&str> {
        known.incidents().iter().map(|incident| incident.id.as_str()).collect()
    }

    #[test]
    fn the_oldest_that_have_ended_are_forgotten_and_it_is_told_once() {
        const MOST: usize = 100;
        let mut known = Known { most: MOST, ..Known::new(Some("wanted")) };
        let mut told = Vec::new();
        let mut take = |known: &mut Known, event: &Envelope| {
            told.extend(known.bound());
            assert!(known.fold(event).is_some());
        };
        take(&mut known, &sample("wanted", 1, 1));
        take(&mut known, &end("wanted", 2));
        take(&mut known, &sample("open", 1, 1));
        for incident in 0..3 * MOST {
            let id = format!("i{incident}");
            take(&mut known, &sample(&id, 1, 1));
            take(&mut known, &end(&id, 2));
            assert!(known.incidents().len() <= MOST + 1);
        }
        assert_eq!(ids(&known)[..2], ["wanted", "open"]);
        assert_eq!(ids(&known).last(), Some(&&*format!("i{}", 3 * MOST - 1)));
        // All of them are open.
        for incident in 0..2 * MOST {
            take(&mut known, &sample(&format!("o{incident}"), 1, 1));
        }
        assert!(known.incidents().len() <= MOST + 1 && known.get("wanted").is_some());
        assert!(known.get("open").is_none());
        assert_eq!(known.sizes.len(), known.incidents().len());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("10,000 incidents or 64 MiB"), "{told:?}");
    }

    #[test]
    fn incidents_that_grow_without_end_are_forgotten_too() {
        const MOST_BYTES: usize = 1 << 20;
        let mut known = Known { most_bytes: MOST_BYTES, ..Known::new(None) };
        for index in 1..=40 {
            for id in ["a", "b"] {
                known.bound();
                known.fold(&sample(id, index, 800));
                assert!(known.bytes < MOST_BYTES * 2, "{}", known.bytes);
            }
        }
        known.bound();
        assert_eq!(known.bytes, known.incidents().iter().map(IncidentState::bytes).sum::<usize>());
        let mut newer = known.get("a").expect("it is known").clone();
        (newer.index, newer.title) = (99, "x".repeat(1000));
        known.put(newer);
        assert_eq!(known.get("a").map(|incident| incident.index), Some(99));
        known.put(IncidentState { index: 1, ..known.get("b").expect("it is known").clone() });
        assert_ne!(known.get("b").map(|incident| incident.index), Some(1), "more is known here");
        known.forget("b");
        assert_eq!(known.bytes, known.incidents().iter().map(IncidentState::bytes).sum::<usize>());
        known.begin_anew();
        assert_eq!((known.bytes, known.incidents().len()), (0, 0));
    }
}
