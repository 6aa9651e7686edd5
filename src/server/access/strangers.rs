//! The ids of sessions that no server knew a moment ago: those who send them again do not wait for another look at what the others have
//! begun. Nobody can have got such an id since: a new session has a new random one. If a server could not tell the others of its
//! session at first, they hear of it all the same, within the time between two looks that nobody asks for.

use std::collections::HashSet;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::token::Digest;

/// How long an id is remembered: so long, and up to twice as long.
const LIFE: Duration = Duration::from_secs(30);

/// The most ids in each half: a stranger can make up any number.
const MOST: usize = 5_000;

#[derive(Default)]
pub(super) struct Strangers(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    young: HashSet<Digest>,
    old: HashSet<Digest>,
    /// Since when the young ones are gathered.
    since: Option<Instant>,
}

impl Halves {
    fn age(&mut self, now: Instant) {
        let age = now.saturating_duration_since(*self.since.get_or_insert(now));
        if age >= 2 * LIFE {
            self.young.clear();
        }
        if age >= LIFE || self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
            self.since = Some(now);
        }
    }
}

impl Strangers {
    /// Whether no server knew this id a moment ago.
    pub(super) fn has(&self, id: &Digest, now: Instant) -> bool {
        let mut halves = self.0.lock();
        halves.age(now);
        halves.young.contains(id) || halves.old.contains(id)
    }

    /// No server knows this id.
    pub(super) fn note(&self, id: Digest, now: Instant) {
        let mut halves = self.0.lock();
        halves.age(now);
        halves.young.insert(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> Digest {
        Digest::of(&number.to_be_bytes())
    }

    #[test]
    fn an_id_is_remembered_for_a_while() {
        let (strangers, began) = (Strangers::default(), Instant::now());
        strangers.note(id(1), began);
        assert!(strangers.has(&id(1), began + LIFE / 2) && !strangers.has(&id(2), began));
        strangers.note(id(2), began + LIFE);
        assert!(strangers.has(&id(1), began + LIFE) && strangers.has(&id(2), began + LIFE));
        assert!(!strangers.has(&id(1), began + 2 * LIFE));
        assert!(strangers.has(&id(2), began + 2 * LIFE));
        assert!(!strangers.has(&id(2), began + 9 * LIFE));
        // Nobody came for long.
        strangers.note(id(3), began + 10 * LIFE);
        assert!(!strangers.has(&id(3), began + 13 * LIFE));
    }

    #[test]
    fn however_many_there_are_the_memory_is_bounded_and_the_newest_are_known() {
        let (strangers, now) = (Strangers::default(), Instant::now());
        for number in 0..5 * MOST {
            strangers.note(id(number), now);
        }
        let halves = strangers.0.lock();
        assert!(halves.young.len() <= MOST && halves.old.len() <= MOST);
        drop(halves);
        assert!(strangers.has(&id(5 * MOST - 1), now) && strangers.has(&id(4 * MOST), now));
        assert!(!strangers.has(&id(0), now));
    }
}
