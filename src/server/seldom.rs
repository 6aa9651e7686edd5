//! Saying again and again what outsiders can provoke as often as they like would fill the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::metrics::Refusal;

/// How long a kind of refusal is only counted after it was said.
const QUIET: Duration = Duration::from_secs(10);

/// What was said when, and how often it was left unsaid since.
#[derive(Default)]
pub(super) struct Seldom(Mutex<HashMap<Refusal, (Instant, u64)>>);

impl Seldom {
    /// Whether to say it now, and then how many were left unsaid before.
    pub(super) fn now(&self, refusal: Refusal) -> Option<u64> {
        self.at(refusal, Instant::now())
    }

    fn at(&self, refusal: Refusal, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get_mut(&refusal) {
            Some((last, unsaid)) if now.duration_since(*last) < QUIET => {
                *unsaid += 1;
                None
            }
            _ => Some(said.insert(refusal, (now, 0)).map_or(0, |(_, unsaid)| unsaid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_said_at_once_and_then_seldom() {
        let (seldom, begin) = (Seldom::default(), Instant::now());
        let at = |refusal, seconds| seldom.at(refusal, begin + Duration::from_secs(seconds));
        assert_eq!(at(Refusal::Full, 0), Some(0));
        assert_eq!(at(Refusal::Origin, 0), Some(0));
        assert_eq!((at(Refusal::Full, 1), at(Refusal::Full, 9)), (None, None));
        assert_eq!(at(Refusal::Full, 10), Some(2));
        assert_eq!(at(Refusal::Full, 19), None);
        assert_eq!(at(Refusal::Full, 100), Some(1));
    }
}
