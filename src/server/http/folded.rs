//! The states of incidents as far as the journal has been read, within a bounded memory: whoever may publish must not make the server
//! hold more than it has.

use std::collections::{HashMap, HashSet};

use crate::contract::{Envelope, MessageType};
use crate::report::{Board, IncidentState, IncidentStatus};

/// Ended incidents that are remembered. Older ones are folded anew when a client asks for them.
pub(super) const KEEP: usize = 200;

/// The most that the state of one incident may take. It is far more than events leave that are published now.
pub(super) const INCIDENT_BYTES: usize = 4 * 1024 * 1024;

/// The most that all states together may take.
const BOARD_BYTES: usize = 64 * 1024 * 1024;

/// The fold and how far it got.
#[derive(Default)]
pub(super) struct Folded {
    pub(super) board: Board,
    /// The ended incidents of the board, each with the position of its last event.
    pub(super) ended: Vec<(u64, String)>,
    /// `None` until the first request.
    pub(super) position: Option<u64>,
    /// The bytes of each state on the board, and of all of them.
    sizes: HashMap<String, usize>,
    bytes: usize,
    /// Open incidents that are not on the board, because it would take too much memory.
    left_out: HashSet<String>,
}

impl Folded {
    /// Adds events that follow those before, the last of which has this position.
    pub(super) fn fold(&mut self, events: &[Envelope], position: u64) {
        let mut changed = HashSet::new();
        for event in events {
            let id = event.incident();
            if self.left_out.contains(id) {
                if event.kind == MessageType::IncidentResolved.as_str() {
                    self.left_out.remove(id);
                }
            } else if self.board.fold(event).is_some() {
                changed.insert(id);
            }
        }
        self.board.forget_ended(KEEP);
        for state in self.board.incidents().iter().filter(|state| changed.contains(state.id.as_str())) {
            self.sizes.insert(state.id.clone(), state.bytes());
        }
        self.bound();
        self.position = Some(position);
    }

    /// Goes on behind this position, although not everything before it was folded. Only these incidents are open.
    pub(super) fn pass(&mut self, position: u64, open: &HashSet<&str>) {
        let is_over =
            |state: &IncidentState| state.state == IncidentStatus::Open && !open.contains(state.id.as_str());
        self.board.retain(|state| !is_over(state));
        self.left_out.retain(|id| open.contains(id.as_str()));
        self.count();
        self.position = Some(position);
    }

    /// How many open incidents are not on the board.
    pub(super) fn left_out(&self) -> usize {
        self.left_out.len()
    }

    /// Removes the incidents of which retention has dropped every event: nothing else of them can be asked for.
    pub(super) fn forget_dropped(&mut self, oldest: u64) {
        let Self { board, ended, .. } = self;
        ended.retain(|(position, id)| {
            if *position < oldest {
                board.forget(id);
            }
            *position >= oldest && board.get(id).is_some()
        });
        self.count();
    }

    /// Counts the bytes of what is on the board.
    fn count(&mut self) {
        if self.sizes.len() != self.board.incidents().len() {
            let known: HashSet<&str> = self.board.incidents().iter().map(|state| state.id.as_str()).collect();
            self.sizes.retain(|id, _| known.contains(id.as_str()));
        }
        self.bytes = self.sizes.values().sum();
    }

    /// Takes incidents from the board until it is small enough: each that is too large, then the oldest that have ended, then the
    /// largest.
    fn bound(&mut self) {
        self.count();
        let large = self.sizes.iter().filter(|(_, bytes)| **bytes > INCIDENT_BYTES);
        for id in large.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.take(&id);
        }
        while self.bytes > BOARD_BYTES {
            let has_ended = |state: &&IncidentState| state.state != IncidentStatus::Open;
            let oldest = self.board.incidents().iter().find(has_ended).map(|state| state.id.clone());
            let largest = || self.sizes.iter().max_by_key(|(_, bytes)| **bytes).map(|(id, _)| id.clone());
            let Some(id) = oldest.or_else(largest) else { return };
            self.take(&id);
        }
    }

    fn take(&mut self, id: &str) {
        if self.board.get(id).is_some_and(|state| state.state == IncidentStatus::Open) {
            self.left_out.insert(id.to_owned());
        }
        self.board.forget(id);
        self.bytes -= self.sizes.remove(id).unwrap_or_default();
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

    #[test]
    fn an_incident_that_grows_without_end_is_left_out_until_it_ends() {
        let mut folded = Folded::default();
        folded.fold(&[sample("small", 1, 1)], 1);
        for index in 1..60 {
            folded.fold(&[sample("large", index, 1_000)], index + 1);
        }
        let ids = |folded: &Folded| -> Vec<String> {
            folded.board.incidents().iter().map(|state| state.id.clone()).collect()
        };
        assert_eq!((ids(&folded), folded.left_out()), (vec!["small".to_owned()], 1));
        assert!(folded.bytes < 10_000, "{}", folded.bytes);
        let data = r#"{"synthetic":false,"outcome":"resolved","summary":"over","durations":{"resolve_s":1},
            "actions":{"total":0,"failed":0}}"#;
        folded.fold(&[event("large", 60, "incident_resolved", data)], 61);
        assert_eq!((ids(&folded), folded.left_out()), (vec!["small".to_owned()], 0));
    }

    #[test]
    fn many_incidents_together_take_a_bounded_memory() {
        let mut folded = Folded::default();
        for incident in 0..100 {
            folded.fold(&[sample(&format!("i{incident}"), 1, 8_000)], incident + 1);
        }
        assert!(folded.bytes <= BOARD_BYTES, "{}", folded.bytes);
        assert_eq!(folded.board.incidents().len() + folded.left_out(), 100);
        assert!(folded.left_out() > 0);
    }
}
