//! The clock of a journal: dates its events, and notices when the machine's clock is set.
//!
//! The time of an event is the machine's wall clock at the moment of the append, with these exceptions:
//! - Within an incident the time never falls.
//! - If the wall clock is set back by up to [`HIDDEN`], the time goes on at half the rate until the wall clock has caught
//!   up: no event is dated before an earlier one.
//! - If it is set back by more, the next incident is dated by the wall clock as it is then, so one run with a clock that
//!   is years ahead does not spoil the times of later events. Incidents that are open go on from their own last time at
//!   the rate of the steady clock, so their durations stay right. Over the whole stream the time falls here and only here.
//! - A step forward is followed at once. After a suspension of the machine it is the truth, and no program can tell a
//!   suspension from a correction.
//!
//! If several processes write one stream, all of them follow the one whose clock is ahead, by up to [`HIDDEN`].
//!
//! The same rules hold at a start, between the newest events of the file and the wall clock. Open incidents that are
//! dated ahead of it go on together, from the latest of their times.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::doubt::{ClockDoubt, span};
use super::time_source::{HIDDEN, NEVER_SET_BEFORE_US, TimeSource};

/// The smallest step that is counted and logged. A steady clock may drift against the wall clock by some seconds a day.
const NOTICED: Duration = Duration::from_secs(10);

/// Two readings of the steady clock with the wall clock between them belong together if they are this close.
const TOGETHER: Duration = Duration::from_millis(100);

/// The longest time between two processes that the wall clock is trusted to measure.
const LONGEST_STOP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The part of its rate by which a clock that followed another one, which is gone, goes back to its own time.
const SLEW: i128 = 100;

const NANOS_PER_MICRO: i128 = 1_000;

/// The clock of one journal. All readings of time that have to do with its events come from here.
#[derive(Debug)]
pub struct Clock {
    source: Arc<dyn TimeSource>,
    state: Mutex<State>,
    doubt: Option<ClockDoubt>,
}

/// The last reading of the two clocks. Times are in nanoseconds, so that frequent readings at half the rate add up.
#[derive(Debug)]
struct State {
    steady: Duration,
    wall: i128,
    /// The time of an event of a new incident.
    time: i128,
    /// The time of the newest event.
    newest: Option<i128>,
    /// How far the clock of another process that writes the same stream is ahead of this machine's.
    lead: i128,
    steps: Steps,
}

/// How often the machine's clock was set while the journal was open, by more than ten seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps {
    /// Steps forward, or suspensions of the machine.
    pub forward: u64,
    /// Steps back.
    pub back: u64,
}

/// What time it is for the incidents of a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// The time of an event that is appended now as the first one of its incident.
    pub now: Timestamp,
    /// The open incidents that go on by another time, which is later: the clock was set back while they were open.
    pub apart: BTreeMap<String, Timestamp>,
}

/// When an event was appended, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) time: Timestamp,
    pub(super) steady: Duration,
}

/// The times of the newest events of a journal that is opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// The time of the newest event, in microseconds since 1970.
    pub(super) newest_us: Option<i64>,
    /// The latest time among the newest events that the wall clock is not further behind than [`HIDDEN`].
    pub(super) latest_us: Option<i64>,
}

impl Clock {
    /// The clock of a journal. `found` looks for the newest events by the wall clock in microseconds since 1970.
    pub(super) fn new<E>(
        source: Arc<dyn TimeSource>,
        found: impl FnOnce(i64) -> Result<Found, E>,
    ) -> Result<Self, E> {
        let (wall, steady) = read(&*source);
        let found = found((wall / NANOS_PER_MICRO) as i64)?;
        let nanos = |us: i64| i128::from(us) * NANOS_PER_MICRO;
        let time = found.latest_us.map(nanos).filter(|latest| latest - wall <= hidden());
        let doubt = ClockDoubt::find(timestamp(wall), found.newest_us);
        let state = State {
            steady,
            wall,
            time: time.map_or(wall, |time| time.max(wall)),
            newest: found.newest_us.map(nanos),
            lead: 0,
            steps: Steps::default(),
        };
        Ok(Self { source, state: Mutex::new(state), doubt })
    }

    /// The time of an event that is appended now as the first one of its incident, in whole microseconds.
    pub fn now(&self) -> Timestamp {
        timestamp(self.reading().time)
    }

    /// How long ago an event of an earlier process was, if the wall clock can say it: not if the event's time is in the
    /// future, if one of both times is older than any machine's clock can be, or if 30 days lie between them.
    pub fn elapsed_since(&self, time: Timestamp) -> Option<Duration> {
        let now = self.now();
        let are_set = time.min(now).as_microsecond() >= NEVER_SET_BEFORE_US;
        let elapsed = Duration::try_from(now.duration_since(time)).ok()?;
        (are_set && elapsed <= LONGEST_STOP).then_some(elapsed)
    }

    /// How far the time of the newest event is ahead of the machine's clock.
    pub fn ahead(&self) -> Duration {
        let reading = self.reading();
        let ahead = reading.newest.map_or(0, |newest| newest - reading.wall);
        Duration::from_nanos(u64::try_from(ahead.max(0)).unwrap_or(u64::MAX))
    }

    /// How often the machine's clock was set.
    pub fn steps(&self) -> Steps {
        self.reading().steps
    }

    /// Why the machine's clock or the times of the newest events seemed to be wrong when the journal was opened.
    pub fn doubt(&self) -> Option<&ClockDoubt> {
        self.doubt.as_ref()
    }

    /// The steady clock, which nobody sets.
    pub fn steady(&self) -> Duration {
        self.source.steady()
    }

    /// Another process has just dated an event: if its clock is ahead, this one goes with it. So all that write one stream
    /// count from the same times, whichever of them goes on with an incident.
    #[cfg(feature = "nats")]
    pub(super) fn follow(&self, time: Timestamp) {
        let mut state = self.state.lock();
        let lead = time.as_nanosecond() - read(&*self.source).0;
        if lead <= hidden() {
            state.lead = state.lead.max(lead);
        }
    }

    /// The moment of an event that is appended now. `last` is the moment of the incident's previous event.
    pub(super) fn stamp(&self, last: Option<Moment>) -> Moment {
        let reading = self.reading();
        let time = reading.after(last);
        self.state.lock().newest = Some(time);
        Moment { time: timestamp(time), steady: reading.steady }
    }

    /// How far an event that was appended now would be dated ahead of [`Clock::now`]. `last` is the moment of the incident's
    /// newest event.
    pub(super) fn ahead_after(&self, last: Option<Moment>) -> Duration {
        let reading = self.reading();
        let ahead = reading.after(last) - reading.time;
        Duration::from_nanos(u64::try_from(ahead).unwrap_or(u64::MAX))
    }

    /// The times of events that were appended now to open incidents, where that is not the time of [`Clock::now`], with that. `open`
    /// has the moments of their newest events.
    pub(super) fn times<'a>(&self, open: impl Iterator<Item = (&'a Arc<str>, Moment)>) -> Times {
        let reading = self.reading();
        let own = open.map(|(subject, last)| (subject, reading.after(Some(last))));
        let apart = own.filter(|(_, own)| timestamp(*own) > timestamp(reading.time));
        let apart = apart.map(|(subject, own)| (subject.to_string(), timestamp(own))).collect();
        Times { now: timestamp(reading.time), apart }
    }

    /// Lets the open incidents of an earlier process go on. Those that are dated further ahead than can be hidden go on
    /// together from the latest of their times: they had one clock before, and have one again.
    pub(super) fn resume<'a>(&self, open: impl Iterator<Item = &'a mut Moment>) {
        let reading = self.reading();
        let mut open: Vec<&mut Moment> = open.collect();
        let is_ahead = |moment: &Moment| moment.time.as_nanosecond() - reading.time > hidden();
        let latest = open.iter().filter(|moment| is_ahead(moment)).map(|moment| moment.time).max();
        for moment in &mut open {
            moment.steady = reading.steady;
            if let Some(latest) = latest.filter(|_| is_ahead(moment)) {
                moment.time = latest;
            }
        }
    }

    /// Reads both clocks, and notices a step since the last reading.
    fn reading(&self) -> Reading {
        let mut state = self.state.lock();
        let (wall, steady) = read(&*self.source);
        let elapsed = steady.saturating_sub(state.steady).as_nanos().cast_signed();
        let step = wall - (state.wall + elapsed);
        state.lead = (state.lead - elapsed / SLEW).max(0);
        let now = wall + state.lead;
        let slower = state.time + elapsed / 2;
        let hides = state.time > now && slower - now <= hidden();
        state.time = if hides { slower } else { now };
        state.steady = steady;
        state.wall = wall;
        if step.unsigned_abs() > NOTICED.as_nanos() {
            if step > 0 {
                state.steps.forward += 1;
            } else {
                state.steps.back += 1;
            }
        }
        let State { steady, wall, time, newest, steps, .. } = *state;
        drop(state);
        tell(step);
        Reading { steady, wall, time, newest, steps }
    }
}

struct Reading {
    steady: Duration,
    wall: i128,
    time: i128,
    newest: Option<i128>,
    steps: Steps,
}

impl Reading {
    /// The time of an event that follows the one of `last` in its incident.
    fn after(&self, last: Option<Moment>) -> i128 {
        let Some(last) = last else { return self.time };
        let elapsed = self.steady.saturating_sub(last.steady).as_nanos().cast_signed();
        let own = last.time.as_nanosecond();
        let rate = if own + elapsed - self.time > hidden() { elapsed } else { elapsed / 2 };
        self.time.max(own + rate)
    }
}

/// The wall clock in nanoseconds since 1970 and the steady clock, read at the same time: a thread that is held up between
/// the two would see a step where there is none.
fn read(source: &dyn TimeSource) -> (i128, Duration) {
    let mut before = source.steady();
    for _ in 0..3 {
        let wall = source.wall();
        let steady = source.steady();
        if steady.saturating_sub(before) <= TOGETHER {
            return (wall.as_nanosecond(), steady);
        }
        before = steady;
    }
    (source.wall().as_nanosecond(), source.steady())
}

/// Writes a step to the log.
fn tell(step: i128) {
    let size = Duration::from_nanos(u64::try_from(step.unsigned_abs()).unwrap_or(u64::MAX));
    if size <= NOTICED {
        return;
    }
    let by = span(size);
    if step > 0 {
        tracing::warn!(
            by,
            "this machine's clock was set forward, or the machine was suspended: events are dated by the new time"
        );
    } else if size <= HIDDEN {
        tracing::warn!(
            by,
            "this machine's clock was set back: the times of events go on more slowly until it has caught up"
        );
    } else {
        tracing::warn!(
            by,
            "this machine's clock was set back: the next incident is dated by the new time, and incidents that are open go on from their last event"
        );
    }
}

fn hidden() -> i128 {
    HIDDEN.as_nanos().cast_signed()
}

/// The whole microseconds of a time in nanoseconds since 1970.
fn timestamp(nanos: i128) -> Timestamp {
    let micros = i64::try_from(nanos.div_euclid(NANOS_PER_MICRO)).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}
