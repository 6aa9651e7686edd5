//! When the events of a recorded incident are due, although the clock of its server may have been set or have stood still.

use jiff::Timestamp;

use crate::contract::{IncidentStarted, Message, ScreenMap};

/// A longer distance between the time of an event and its planned second shows that the server's clock was set, in
/// microseconds.
pub(super) const STEP_US: i64 = 60 * 1_000_000;

/// A longer wait for the next event, in microseconds of wall-clock time, is reported: the clock may have been set.
pub(super) const LONG_US: i64 = 24 * 60 * 60 * 1_000_000;

/// The due times of one incident by the recorded times and by the plan, both in microseconds of screen time.
#[derive(Debug)]
pub(super) struct Timing {
    /// Second 0, as wall-clock time. In a real incident the impact may have begun before the first event.
    pub(super) second_zero: Timestamp,
    /// How long before its impact the first event of a real incident was, in whole seconds. A drill has no seconds before 0.
    pub(super) early_s: u64,
    pub(super) speed: f64,
    map: ScreenMap,
    recorded: Vec<u64>,
    /// Empty if an event has no planned second.
    planned: Vec<u64>,
    /// The latest time of the events.
    pub(super) newest: Timestamp,
    /// The longest wait for an event, in microseconds of wall-clock time.
    pub(super) longest_us: i64,
}

impl Timing {
    pub(super) fn new(began: Timestamp) -> Self {
        Self {
            second_zero: began,
            early_s: 0,
            speed: 1.0,
            map: ScreenMap::default(),
            recorded: Vec::new(),
            planned: Vec::new(),
            newest: began,
            longest_us: 0,
        }
    }

    pub(super) fn start(&mut self, started: &IncidentStarted, speed: f64) {
        self.speed = speed;
        self.map = ScreenMap::of(&started.phases);
        if !started.synthetic || started.origin.is_some() {
            self.second_zero = started.impact_started_at.min(self.newest);
            let early = started.impact_started_at.duration_since(self.newest).as_secs();
            self.early_s = u64::try_from(early).unwrap_or_default();
        }
    }

    /// Takes in the next event. Returns when it is due by the recorded times, and whether its time is not before that of
    /// the previous event.
    pub(super) fn take(&mut self, time: Timestamp, message: &Message) -> (u64, bool) {
        let rises = time >= self.newest;
        let wait = time.duration_since(self.newest).as_micros();
        self.longest_us = self.longest_us.max(i64::try_from(wait).unwrap_or(i64::MAX));
        self.newest = self.newest.max(time);
        let due = self.due(self.newest);
        let offset_s = message.offset_s().filter(|offset_s| message.is_synthetic() && *offset_s >= 0.0);
        if let Some(offset_s) = offset_s.filter(|_| self.planned.len() == self.recorded.len()) {
            let planned = self.map.screen((offset_s * 1e6).round() as u64);
            self.planned.push(planned.max(self.planned.last().copied().unwrap_or(0)));
        } else {
            self.planned.clear();
        }
        self.recorded.push(due);
        (due, rises)
    }

    /// The screen time of a wall-clock time, in microseconds.
    pub(super) fn due(&self, time: Timestamp) -> u64 {
        let wall = time.duration_since(self.second_zero).as_micros() as f64;
        (wall * self.speed).round() as u64
    }

    /// The planned due times, if the recorded ones contradict them: an event came more than a minute before it was due, or
    /// the last one more than a minute after, or all came at the same time. A server that was down publishes what is overdue at once and is punctual
    /// again; a clock that was set stays wrong.
    pub(super) fn planned_instead(&self) -> Option<&[u64]> {
        let step = STEP_US as f64 * self.speed;
        let late = |(recorded, planned): (&u64, &u64)| *recorded as f64 - *planned as f64;
        let mut all = self.recorded.iter().zip(&self.planned).map(late);
        let is_known = !self.recorded.is_empty() && self.planned.len() == self.recorded.len();
        // Beyond these speeds, which no player has, a step is a rounding error.
        let is_known = is_known && (1e-3..=1e6).contains(&self.speed);
        let early = all.clone().any(|late| late < -step);
        let stays_late = all.next_back().is_some_and(|late| late > step);
        (is_known && (early || stays_late || self.stands_still())).then_some(&*self.planned)
    }

    /// Whether several events all have the same time, which no player does.
    pub(super) fn stands_still(&self) -> bool {
        self.recorded.len() >= 10 && self.recorded.first() == self.recorded.last()
    }
}
