//! When the events of a recorded incident are due, although the clock of its server may have been set or have stood still.

use jiff::{SignedDuration, Timestamp};

use crate::contract::{IncidentStarted, Message, ScreenMap, happened_at};
use crate::plan::LONGEST_US;

/// A longer distance between the time of an event and its planned second shows that the server's clock was set, in
/// microseconds.
pub(super) const STEP_US: i64 = 60 * 1_000_000;

/// A longer wait for the next event, in microseconds of wall-clock time, is reported: the clock may have been set.
pub(super) const LONG_US: i64 = 24 * 60 * 60 * 1_000_000;

/// When a recorded event happened: what a real incident's publisher says, and in a drill when it was played, also what people
/// added to it.
pub(super) fn moment_of(message: &Message, stored: Timestamp) -> Timestamp {
    if message.offset_s().is_some() { stored } else { happened_at(message, stored) }
}

/// The due times of one incident by the recorded times and by the plan, both in microseconds of screen time.
#[derive(Debug)]
pub(super) struct Timing {
    /// Second 0, as wall-clock time. In a real incident the impact may have begun before the first event.
    pub(super) second_zero: Timestamp,
    /// How long before its impact the first event of a real incident was, in whole seconds. A drill has no seconds before 0.
    pub(super) early_s: u64,
    /// Whether the seconds of its events follow from their times.
    pub(super) counts: bool,
    pub(super) speed: f64,
    map: ScreenMap,
    recorded: Vec<u64>,
    /// Empty if an event has no planned second.
    planned: Vec<u64>,
    /// When the newest event happened: the latest such time of the events.
    pub(super) newest: Timestamp,
    /// The latest time at which an event was stored.
    stored: Timestamp,
    /// When the first event happened, and when it was stored.
    first: (Timestamp, Timestamp),
    /// When the impact of a real incident began, as its publisher says.
    impact: Option<Timestamp>,
    /// When each event was stored, and whether it has no second of its own.
    times: Vec<(Timestamp, bool)>,
    /// The longest wait for an event, in microseconds of wall-clock time.
    pub(super) longest_us: i64,
}

impl Timing {
    /// `began` is when the first event happened, `stored` when it was stored.
    pub(super) fn new(began: Timestamp, stored: Timestamp) -> Self {
        Self {
            second_zero: began,
            early_s: 0,
            counts: false,
            speed: 1.0,
            map: ScreenMap::default(),
            recorded: Vec::new(),
            planned: Vec::new(),
            newest: began,
            stored,
            first: (began, stored),
            impact: None,
            times: Vec::new(),
            longest_us: 0,
        }
    }

    pub(super) fn start(&mut self, started: &IncidentStarted, speed: f64) {
        self.speed = speed;
        self.map = ScreenMap::of(&started.phases);
        self.counts = started.offset_s.is_none();
        if !started.synthetic || started.origin.is_some() {
            self.impact_at(started.impact_started_at);
        }
    }

    fn impact_at(&mut self, impact: Timestamp) {
        self.impact = Some(impact);
        self.second_zero = impact.min(self.newest);
        let early = impact.duration_since(self.newest).as_secs();
        self.early_s = u64::try_from(early).unwrap_or_default();
    }

    /// Takes in the next event, which was stored at this time. Returns when it is due by the recorded times, and whether its time
    /// is not before that of the previous event.
    pub(super) fn take(&mut self, stored: Timestamp, message: &Message) -> (u64, bool) {
        let rises = stored >= self.stored;
        let due = self.happens(moment_of(message, stored), stored);
        self.times.push((stored, message.offset_s().is_none()));
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

    /// When an event is due that happened and was stored at these times.
    fn happens(&mut self, time: Timestamp, stored: Timestamp) -> u64 {
        self.stored = self.stored.max(stored);
        let wait = time.duration_since(self.newest).as_micros();
        self.longest_us = self.longest_us.max(i64::try_from(wait).unwrap_or(i64::MAX));
        self.newest = self.newest.max(time);
        self.due(self.newest)
    }

    /// How many days a real incident took by what its publishers observed, if that is more than a year: then one of them has a
    /// clock that is wrong, or none.
    pub(super) fn too_long_days(&self) -> Option<i64> {
        let took = self.newest.duration_since(self.first.0);
        let is_longer = took.as_micros() > i128::from(LONGEST_US);
        (self.counts && is_longer).then(|| took.as_secs() / 86_400)
    }

    /// Counts by when the events were stored, as if nobody had observed them. Returns of each event when it is due, and when it was
    /// stored if its second follows from that.
    pub(super) fn count_stored(&mut self) -> Vec<(u64, Option<Timestamp>)> {
        let (first, times) = (self.first.1, std::mem::take(&mut self.times));
        let mut timing = Self { counts: self.counts, speed: self.speed, ..Self::new(first, first) };
        if let Some(impact) = self.impact {
            timing.impact_at(impact);
        }
        let mut dues = Vec::with_capacity(times.len());
        for (stored, has_no_second) in times {
            let due = timing.happens(stored, stored);
            timing.recorded.push(due);
            dues.push((due, has_no_second.then_some(timing.newest)));
        }
        *self = timing;
        dues
    }

    /// When the incident ends that was still open when this was the time of its stream: as long after its newest event as nothing
    /// came there.
    pub(super) fn cut(&self, time: Timestamp) -> u64 {
        let idle = time.duration_since(self.stored).max(SignedDuration::ZERO);
        self.due(self.newest.saturating_add(idle).unwrap_or(self.newest))
    }

    /// The screen time of a wall-clock time, in microseconds.
    fn due(&self, time: Timestamp) -> u64 {
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
