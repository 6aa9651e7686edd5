//! When what is due: heartbeats spread over their interval, deadlines looked at now and then.

use std::time::{Duration, Instant};

/// Groups of clients that get their heartbeats at different moments: thousands at once would hold up an event.
const MOST_PHASES: u32 = 16;

/// No finer than timers are.
const LEAST: Duration = Duration::from_millis(5);

/// How often it looks at least: so long may somebody stay on what was taken back.
const SELDOM: Duration = Duration::from_millis(500);

/// How often a shard looks when everybody is asked to leave.
const DRAINING: Duration = Duration::from_millis(10);

/// The moments of one shard.
pub(super) struct Schedule {
    /// Between two looks.
    tick: Duration,
    next_tick: Instant,
    /// Between the heartbeats of two groups.
    step: Duration,
    phases: u32,
    phase: u32,
    next_beat: Instant,
}

impl Schedule {
    pub(super) fn new(heartbeat: Duration, write_deadline: Duration) -> Self {
        let phases = (heartbeat.as_millis() / 20).clamp(1, u128::from(MOST_PHASES)) as u32;
        let step = heartbeat / phases;
        let tick = step.min(write_deadline / 8).min(SELDOM).max(LEAST);
        let now = Instant::now();
        Self { tick, next_tick: now + tick, step, phases, phase: 0, next_beat: now + step }
    }

    /// How long nothing is due.
    pub(super) fn rest(&self) -> Duration {
        self.next_tick.saturating_duration_since(Instant::now())
    }

    /// Whether it is time to look at deadlines.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        if now < self.next_tick {
            return false;
        }
        // What was missed is not made up for.
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

    /// The group of who comes now: the one whose heartbeat is the longest away.
    pub(super) fn group(&self) -> u8 {
        ((self.phase + self.phases - 1) % self.phases) as u8
    }

    /// From now on somebody is asked to leave at any moment.
    pub(super) fn hurry(&mut self) {
        self.tick = self.tick.min(DRAINING);
        self.next_tick = Instant::now();
    }
}
