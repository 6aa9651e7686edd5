//! Where a journal reads the time: the machine's two clocks, or a test's; and how far a wall clock is believed.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The largest step back of the wall clock that the times of events hide.
pub(super) const HIDDEN: Duration = Duration::from_secs(60);

/// A time before this one shows a machine whose clock was never set.
pub(super) const NEVER_SET_BEFORE_US: i64 = crate::contract::CLOCKS_BEGIN_US;

/// A pair of clocks. The wall clock says what time it is, and people and programs set it. The steady clock counts, and
/// nothing sets it.
pub trait TimeSource: Debug + Send + Sync + 'static {
    /// The wall clock.
    fn wall(&self) -> Timestamp;

    /// The steady clock: the time since any fixed moment. It never goes back. On most systems it stands still while the
    /// machine is suspended.
    fn steady(&self) -> Duration;
}

/// The clocks of this machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct MachineClocks(Instant);

impl MachineClocks {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl TimeSource for MachineClocks {
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn steady(&self) -> Duration {
        self.0.elapsed()
    }
}
