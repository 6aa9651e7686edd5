//! Limits how often each kind of message is logged: clients can cause some of them as often as they like.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lines that the log of this process lacks.
static MISSING: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// Why a line is not in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A message of its kind was logged within the last seconds.
    Limited,
    /// Stderr is not read, and too many lines wait already.
    Unread,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Limited, Self::Unread];

    /// The name, as metrics have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::Unread => "unread",
        }
    }

    /// Counts a line that is left out for this reason.
    pub fn count(self) {
        MISSING[self as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many lines were left out for this reason.
    pub fn counted(self) -> u64 {
        MISSING[self as usize].load(Ordering::Relaxed)
    }
}

/// After a message of a kind was logged, further ones are only counted for this long.
const QUIET: Duration = Duration::from_secs(10);

/// When a message of each kind was last logged, and how many were left out since.
pub struct LogLimiter<K>(Mutex<HashMap<K, Logged>>);

struct Logged {
    at: Instant,
    unsaid: u64,
}

impl<K> Default for LogLimiter<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> LogLimiter<K> {
    /// Whether to log a message of this kind now: `Some` with the number of messages that were left out since the last
    /// one, `None` to leave this one out.
    pub fn allows(&self, kind: K) -> Option<u64> {
        self.allows_at(kind, Instant::now())
    }

    fn allows_at(&self, kind: K, now: Instant) -> Option<u64> {
        let mut logged = self.0.lock();
        match logged.get_mut(&kind) {
            Some(Logged { at, unsaid }) if now.duration_since(*at) < QUIET => {
                *unsaid += 1;
                Why::Limited.count();
                None
            }
            _ => Some(logged.insert(kind, Logged { at: now, unsaid: 0 }).map_or(0, |last| last.unsaid)),
        }
    }
}

/// The messages of this process that [`limited!`] logs, by their text.
static MESSAGES: LazyLock<LogLimiter<&'static str>> = LazyLock::new(LogLimiter::default);

/// Whether to log this message now, see [`LogLimiter::allows`].
pub fn allows(message: &'static str) -> Option<u64> {
    MESSAGES.allows(message)
}

/// Logs a message that clients can cause, at most every ten seconds, with the number of those that were left `unsaid`:
/// `limited!(warn, "cannot accept a connection", %error)`.
macro_rules! limited {
    ($level:ident, $message:literal $(, $($fields:tt)*)?) => {
        if let Some(unsaid) = $crate::log_limiter::allows($message) {
            let unsaid = (unsaid > 0).then_some(unsaid);
            tracing::$level!($($($fields)*,)? unsaid, $message);
        }
    };
}

pub(crate) use limited;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_logged_at_once_and_then_rarely() {
        let (limiter, begin) = (LogLimiter::default(), Instant::now());
        let at = |kind, seconds| limiter.allows_at(kind, begin + Duration::from_secs(seconds));
        assert_eq!(at("full", 0), Some(0));
        assert_eq!(at("origin", 0), Some(0));
        assert_eq!((at("full", 1), at("full", 9)), (None, None));
        assert_eq!(at("full", 10), Some(2));
        assert_eq!(at("full", 19), None);
        assert_eq!(at("full", 100), Some(1));
    }
}
