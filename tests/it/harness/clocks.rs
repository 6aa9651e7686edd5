//! A machine whose clocks a test moves: people set the wall clock, and only time moves the steady one.

use std::sync::Arc;
use std::time::Duration;

use incident::journal::TimeSource;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Both clocks. Cheap to clone; all clones show the same.
#[derive(Debug, Clone)]
pub struct Clocks(Arc<Mutex<(Timestamp, Duration)>>);

impl Clocks {
    /// A wall clock that shows `wall`.
    pub fn at(wall: &str) -> Self {
        Self(Arc::new(Mutex::new((wall.parse().unwrap(), Duration::from_secs(1_000)))))
    }

    /// For [`incident::journal::Memory::with_clocks`] and the like.
    pub fn source(&self) -> Arc<dyn TimeSource> {
        Arc::new(self.clone())
    }

    /// Time passes.
    pub fn pass(&self, time: Duration) {
        let mut clocks = self.0.lock();
        clocks.0 = clocks.0 + time;
        clocks.1 += time;
    }

    /// Somebody sets the wall clock, or, forward, the machine sleeps.
    pub fn step(&self, by: SignedDuration) {
        let mut clocks = self.0.lock();
        clocks.0 = clocks.0 + by;
    }
}

impl TimeSource for Clocks {
    fn wall(&self) -> Timestamp {
        self.0.lock().0
    }

    fn steady(&self) -> Duration {
        self.0.lock().1
    }
}
