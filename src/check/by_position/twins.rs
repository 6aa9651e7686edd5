//! The rule `fan-out`: what clients get that are connected at the same time.

use std::collections::BTreeSet;

use super::super::further::{Connection, unconnected};
use super::{ByPosition, Got, agree};

impl ByPosition {
    /// What is wrong with a connection that should have got the same as the first one.
    pub(super) fn twin(&self, connection: &Connection, got: &Got) -> Option<String> {
        if let Some(wrong) = unconnected(connection) {
            return Some(wrong);
        }
        if !connection.is_comparable {
            return None;
        }
        let due = self.first.last_key_value().map_or(0, |(last, _)| *last);
        if !connection.has_messages && !connection.is_cut {
            return (!self.first.is_empty()).then(|| "got nothing at all".to_owned());
        }
        if let Some(wrong) = self.twin_event(got, due) {
            return Some(wrong);
        }
        self.lost(connection, got)
    }

    /// What is wrong with what a connection got that reads nothing for a long time.
    pub(super) fn stalled(&self, connection: &Connection, got: &Got) -> Option<String> {
        if let Some(wrong) = unconnected(connection) {
            return Some(wrong);
        }
        if !connection.is_comparable {
            return None;
        }
        let due = self.first.last_key_value().map_or(0, |(last, _)| *last);
        self.twin_event(got, due).or_else(|| {
            // What was not read is not missing.
            let read = got.events.back().map_or(0, |(last, _)| *last);
            self.lost_until(read, connection, got)
        })
    }

    /// What a connection did not get that the first one got.
    fn lost(&self, connection: &Connection, got: &Got) -> Option<String> {
        let last = got.events.iter().map(|(n, _)| *n).max().unwrap_or(0);
        self.lost_until(if connection.is_cut { last } else { u64::MAX }, connection, got)
    }

    fn lost_until(&self, until: u64, connection: &Connection, got: &Got) -> Option<String> {
        let (first, last) = (got.events.front().map(|(n, _)| *n), got.events.back().map(|(n, _)| *n));
        let announced = connection.greeting().map(|opened| opened.follows.range().0);
        let from = announced.into_iter().chain(first).min()?.max(got.known_from());
        if from > until {
            return None;
        }
        let known: BTreeSet<u64> = got.events.iter().map(|(n, _)| *n).collect();
        let lost: Vec<u64> =
            self.first.range(from..=until).map(|(n, _)| *n).filter(|n| !known.contains(n)).collect();
        match lost.as_slice() {
            [] => None,
            [one] => Some(format!("did not get position {one}")),
            [one, ..] if last.is_none_or(|last| *one > last) => {
                Some(format!("got nothing from position {one} on"))
            }
            [one, .., other] => {
                Some(format!("did not get {} events from position {one} to {other}", lost.len()))
            }
        }
    }

    /// What is wrong with an event that a twin got. The last position of the first connection was `due`.
    fn twin_event(&self, got: &Got, due: u64) -> Option<String> {
        let mut known = BTreeSet::new();
        for (position, digest) in &got.events {
            let highest = known.last().copied();
            let is_new = known.insert(*position);
            match self.first.get(position) {
                Some(same) if !agree(*same, *digest) => {
                    return Some(format!("got another event at position {position}"));
                }
                Some(_) if self.disordered.contains(position) => {}
                Some(_) if !is_new => return Some(format!("got position {position} twice")),
                Some(_) => {
                    // If what is higher came early on the first connection too, other rules say so.
                    if let Some(highest) = highest.filter(|highest| position < highest) {
                        return Some(format!("got position {position} after {highest}"));
                    }
                }
                // The stream goes on after the first connection has ended.
                None if *position > due && highest.is_none_or(|highest| *position == highest + 1) => {}
                None if *position > due => {
                    return Some(format!("got position {position}, which the main connection did not get"));
                }
                // If the first connection lacks it, the rule `gap` says so; or it is forgotten.
                None => {}
            }
        }
        None
    }
}
