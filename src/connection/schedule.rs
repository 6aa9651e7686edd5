//! When heartbeats and deadlines of a shard are due. Heartbeats are spread over their interval.

use std::time::{Duration, Instant};

/// Groups of clients with heartbeats at different moments: thousands at once would delay an event.
const MOST_PHASES: u32 = 16;

/// The shortest tick: timers are no finer.
const SHORTEST: Duration = Duration::from_millis(5);

/// The longest tick: a client stays connected for at most this long after its access was withdrawn.
const LONGEST: Duration = Duration::from_millis(500);

/// The tick while clients are asked to leave.
const DRAINING: Duration = Duration::from_millis(10);

/// The due times of one shard.
pub(super) struct Schedule {
    /// Time between two checks of the deadlines.
    tick: Duration,
    next_tick: Instant,
    /// Time between the heartbeats of two groups.
    step: Duration,
    phases: u32,
    phase: u32,
    next_beat: Instant,
}

impl Schedule {
    pub(super) fn new(heartbeat: Duration, write_deadline: Duration) -> Self {
        let phases = (heartbeat.as_millis() / 20).clamp(1, u128::from(MOST_PHASES)) as u32;
        let step = heartbeat / phases;
        let tick = step.min(write_deadline / 8).min(LONGEST).max(SHORTEST);
        let now = Instant::now();
        Self { tick, next_tick: now + tick, step, phases, phase: 0, next_beat: now + step }
    }

    /// How long nothing is due, in which the shard may sleep.
    pub(super) fn rest(&self) -> Duration {
        self.next_tick.saturating_duration_since(Instant::now())
    }

    /// Whether it is time to check the deadlines.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        if now < self.next_tick {
            return false;
        }
        // Missed ticks are skipped.
        self.next_tick = now + self.tick;
        true
    }

    /// The next group whose heartbeat is due.
    pub(super) fn beat(&mut self, now: Instant) -> Option<u8> {
        if now < self.next_beat {
            return None;
        }
        self.next_beat = (self.next_beat + self.step).max(now);
        let phase = self.phase;
        self.phase = (phase + 1) % self.phases;
        Some(phase as u8)
    }

    /// The group for a new client: the one whose next heartbeat is furthest away.
    pub(super) fn group(&self) -> u8 {
        ((self.phase + self.phases - 1) % self.phases) as u8
    }

    /// From now on a client may have to leave at any moment.
    pub(super) fn hurry(&mut self) {
        self.tick = self.tick.min(DRAINING);
        self.next_tick = Instant::now();
    }
}
