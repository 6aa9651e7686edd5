//! Saying again and again what outsiders can provoke as often as they like would fill the log.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a kind of thing is only counted after it was said.
const QUIET: Duration = Duration::from_secs(10);

/// What was said when, and how often it was left unsaid since.
pub struct Seldom<K>(Mutex<HashMap<K, (Instant, u64)>>);

impl<K> Default for Seldom<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Seldom<K> {
    /// Whether to say it now, and then how many were left unsaid before.
    pub fn now(&self, kind: K) -> Option<u64> {
        self.at(kind, Instant::now())
    }

    fn at(&self, kind: K, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get_mut(&kind) {
            Some((last, unsaid)) if now.duration_since(*last) < QUIET => {
                *unsaid += 1;
                None
            }
            _ => Some(said.insert(kind, (now, 0)).map_or(0, |(_, unsaid)| unsaid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_said_at_once_and_then_seldom() {
        let (seldom, begin) = (Seldom::default(), Instant::now());
        let at = |kind, seconds| seldom.at(kind, begin + Duration::from_secs(seconds));
        assert_eq!(at("full", 0), Some(0));
        assert_eq!(at("origin", 0), Some(0));
        assert_eq!((at("full", 1), at("full", 9)), (None, None));
        assert_eq!(at("full", 10), Some(2));
        assert_eq!(at("full", 19), None);
        assert_eq!(at("full", 100), Some(1));
    }
}
