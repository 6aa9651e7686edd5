//! A machine whose clocks a test moves: people set the wall clock, and only time moves the steady one.

use std::sync::Arc;
use std::time::Duration;

use incident::journal::TimeSource;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::time::Instant;

/// Both clocks. Cheap to clone; all clones show the same.
#[derive(Debug, Clone)]
pub struct Clocks {
    shown: Arc<Mutex<(Timestamp, Duration)>>,
    /// They go with tokio's clock from this moment on; otherwise only as [`Clocks::pass`] says.
    since: Option<Instant>,
}

impl Clocks {
    /// A wall clock that shows `wall`.
    pub fn at(wall: &str) -> Self {
        let shown = Arc::new(Mutex::new((wall.parse().unwrap(), Duration::from_secs(1_000))));
        Self { shown, since: None }
    }

    /// Clocks that go with tokio's, which a test may have paused.
    pub fn with_tokio(wall: &str) -> Self {
        Self { since: Some(Instant::now()), ..Self::at(wall) }
    }

    fn since(&self) -> Duration {
        self.since.map(|since| since.elapsed()).unwrap_or_default()
    }

    /// For [`incident::journal::Memory::with_clocks`] and the like.
    pub fn source(&self) -> Arc<dyn TimeSource> {
        Arc::new(self.clone())
    }

    /// Time passes.
    pub fn pass(&self, time: Duration) {
        let mut clocks = self.shown.lock();
        clocks.0 += time;
        clocks.1 += time;
    }

    /// Somebody sets the wall clock, or, forward, the machine sleeps.
    pub fn step(&self, by: SignedDuration) {
        let mut clocks = self.shown.lock();
        clocks.0 += by;
    }
}

impl TimeSource for Clocks {
    fn wall(&self) -> Timestamp {
        self.shown.lock().0 + self.since()
    }

    fn steady(&self) -> Duration {
        self.shown.lock().1 + self.since()
    }
}
