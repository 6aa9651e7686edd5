//! Building one incident of a recording, event by event.

use std::time::Duration;

use jiff::Timestamp;

use super::line::RecordedEvent;
use super::recorded::Recorded;
use super::timing::{LONG_US, Timing, moment_of};
use crate::contract::{Durations, IncidentStarted, Message, Role, offset_of};
use crate::plan::{
    IncidentTotals, LONGEST_US, PhaseRates, Plan, PlannedEvent, as_drill, is_of_drill, with_durations,
    with_second,
};

/// One incident of a recording, with the events that were read so far.
pub(super) struct IncidentBuilder {
    /// The sources of its events: the streams in which they were recorded.
    sources: Vec<String>,
    pub(super) id: String,
    pub(super) extent: RecordedExtent,
    /// When its first event was stored: the incidents of a recording begin one after the other as they came.
    pub(super) began: Timestamp,
    /// How far the times of its events are moved, in microseconds: the server's clock may have been set back before it.
    pub(super) shift_us: i64,
    timing: Timing,
    plan: Plan,
    /// Whether the plan has the planned due times instead of the recorded ones.
    is_timed_by_plan: bool,
    /// Whether the recorded resolution has other durations than the replay.
    tells_others: bool,
    /// The totals of the plan's events.
    totals: IncidentTotals,
    /// The lines of the plan's events, from 1.
    lines: Vec<usize>,
    /// The highest index among the events that stood before the start and were skipped, and its line.
    pub(super) early: Option<(u64, usize)>,
}

/// Which part of an incident was read so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordedExtent {
    /// Events without the start.
    WithoutStart,
    /// The start and no resolution.
    Open,
    /// The start and the resolution.
    Ended,
}

impl IncidentBuilder {
    /// An incident whose first event in the recording is this one. `shift_us` is how far its times are moved.
    ///
    /// # Errors
    /// The event cannot be the first one of an incident.
    pub(super) fn new(event: &RecordedEvent, shift_us: i64) -> Result<Self, String> {
        let envelope = &event.envelope;
        let mut incident = Self {
            sources: vec![envelope.source.clone()],
            id: envelope.incident().to_owned(),
            extent: RecordedExtent::WithoutStart,
            began: envelope.time,
            shift_us,
            timing: Timing::new(moment_of(&event.message, envelope.time), envelope.time),
            plan: Plan::new(String::new(), 0),
            is_timed_by_plan: false,
            tells_others: false,
            totals: IncidentTotals::default(),
            lines: Vec::new(),
            early: None,
        };
        match &event.message {
            Message::IncidentStarted(started) if event.index == 1 => incident.start(started)?,
            _ if event.index == 1 => {
                return Err(format!(
                    "{} begins with {} instead of incident_started",
                    incident.id, envelope.kind
                ));
            }
            _ => {}
        }
        Ok(incident)
    }

    fn start(&mut self, started: &IncidentStarted) -> Result<(), String> {
        let speed = started.speed.unwrap_or(1.0);
        if !(speed.is_finite() && speed > 0.0) {
            return Err(format!("{} has the speed {speed}, which must be above 0", self.id));
        }
        let (scenario, seed) = match &started.run {
            Some(run) => (run.scenario.clone(), run.seed),
            None => (stem(&self.id).to_owned(), 0),
        };
        self.timing.start(started, speed);
        self.plan = Plan::new(scenario, seed);
        self.extent = RecordedExtent::Open;
        Ok(())
    }

    /// Notes that another stream repeats the incident. A journal whose newest events could not be confirmed continues as a new
    /// stream, and its clients receive the events of open incidents again from there.
    pub(super) fn also_in(&mut self, source: &str) {
        self.sources.push(source.to_owned());
    }

    /// The stream in which it was recorded last.
    pub(super) fn source(&self) -> &str {
        self.sources.last().map_or("", String::as_str)
    }

    /// Whether to skip the event: it was read already, or belongs to an incident without its start.
    pub(super) fn skips(&self, event: &RecordedEvent) -> bool {
        match self.extent {
            // The start may still follow: a recording can be joined from parts in any order.
            RecordedExtent::WithoutStart => event.index > 1,
            RecordedExtent::Open | RecordedExtent::Ended => event.index <= self.plan.events().len() as u64,
        }
    }

    /// Notes an event that was skipped because the start has not been read.
    pub(super) fn skipped(&mut self, index: u64, line: usize) {
        if self.extent == RecordedExtent::WithoutStart && self.early.is_none_or(|(before, _)| before < index)
        {
            self.early = Some((index, line));
        }
    }

    /// The line of an event that stood before the start and did not come again behind it although the incident lacks its
    /// end, and what is wrong.
    pub(super) fn misplaced(&self) -> Option<(usize, String)> {
        let is_cut = self.extent == RecordedExtent::Open;
        let (index, line) =
            self.early.filter(|(index, _)| is_cut && *index > self.plan.events().len() as u64)?;
        let (start, id) = (self.lines.first()?, &self.id);
        Some((
            line,
            format!(
                "the event {index} of {id} stands before its start, which is in line {start}: put the parts of the recording \
                 in order"
            ),
        ))
    }

    /// Adds the next event, which is in this line. Returns whether its time is not before that of the previous event.
    ///
    /// # Errors
    /// The event cannot be the next one.
    pub(super) fn push(&mut self, event: RecordedEvent, line: usize) -> Result<bool, String> {
        let (id, next) = (&self.id, self.plan.events().len() as u64 + 1);
        if self.extent == RecordedExtent::Ended {
            return Err(format!("{id} has an event after its resolution, with the index {}", event.index));
        }
        if event.index > next {
            let last = event.index - 1;
            let missing = if last == next {
                format!("index {next} is")
            } else {
                format!("indexes {next} to {last} are")
            };
            return Err(format!("index {} of {id} follows, but {missing} missing", event.index));
        }
        match event.message.kind().role() {
            Role::Start if next > 1 => {
                return Err(format!("{id} has a second incident_started"));
            }
            Role::End => self.extent = RecordedExtent::Ended,
            Role::Start | Role::Middle | Role::Control => {}
        }
        let (due, rises) = self.timing.take(event.envelope.time, &event.message);
        let offset_s = offset_of(&event.message, self.timing.newest, Some(self.timing.second_zero));
        let offset_s = offset_s.unwrap_or_default().max(0.0);
        let mut data = as_drill(event.envelope.data, &event.message, offset_s);
        if let Message::IncidentResolved(resolved) = &event.message
            && !is_of_drill(&event.message)
        {
            // A publisher may say what does not follow from the events in the order in which they were stored.
            let durations = self.totals.durations(offset_s);
            self.tells_others = apart(&durations, &resolved.durations);
            data = with_durations(&data, &durations);
        }
        self.plan.push(due, event.message.kind(), data);
        self.totals.add(&event.message, offset_s);
        self.lines.push(line);
        Ok(rises)
    }

    /// The line of the first event that is due more than a year after the incident's first one, and what is wrong with it.
    /// By its seconds an incident may be as long as one of a scenario; by its times as long at the speed of the recording.
    pub(super) fn too_late(&self) -> Option<(usize, String)> {
        let speed = if self.is_timed_by_plan { 1.0 } else { self.timing.speed };
        let after = |due: u64| (due - self.plan.lead()) as f64 / 1e6 / speed;
        let is_late = |event: &&PlannedEvent| after(event.due) > LONGEST_US as f64 / 1e6;
        let place = self.plan.events().iter().position(|event| is_late(&event))?;
        let event = &self.plan.events()[place];
        // What ends an incident that was cut is in no line.
        let line = self.lines.get(place).or(self.lines.last())?;
        let (kind, id) = (event.kind().as_str(), &self.id);
        Some((
            *line,
            format!(
                "the {kind} of {id} would be played after {:.0} days, more than a year",
                after(event.due) / 86_400.0
            ),
        ))
    }

    /// Plays the incident by its planned seconds if its times cannot be right. Returns what is to be said about its times.
    pub(super) fn check_times(&mut self) -> Option<String> {
        if let Some(days) = self.timing.too_long_days() {
            self.count_stored();
            return Some(format!(
                "the events of {} were observed over {days} days, more than a year, so an `observed_at` in them is wrong; it is \
                 played by the times at which its events were stored",
                self.id
            ));
        }
        let id = &self.id;
        if let Some(dues) = self.timing.planned_instead() {
            self.plan.set_dues(dues);
            self.is_timed_by_plan = true;
            return Some(format!(
                "the times of {id} contradict its seconds, because the clock of its server was set or stood still; it is \
                 played by its seconds"
            ));
        }
        if self.timing.stands_still() {
            let events = self.plan.events().len();
            return Some(format!("all {events} events of {id} have the same time; they are played at once"));
        }
        if self.timing.early_s > 0 {
            return Some(format!(
                "{id} begins {} s before its impact; a drill has no seconds before its start, so its seconds and durations are counted \
                 from its first event",
                self.timing.early_s
            ));
        }
        if self.timing.counts && self.plan.lead() > LONGEST_US {
            return Some(format!(
                "the impact of {id} began {:.0} days before its first event, and its seconds are counted from there",
                self.plan.lead() as f64 / 86_400e6 / self.timing.speed
            ));
        }
        if self.timing.longest_us > LONG_US {
            let hours = self.timing.longest_us / 3_600_000_000;
            return Some(format!(
                "an event of {id} comes {hours} hours after the one before; the replay waits as long. If the clock of its \
                 server was set, --speed shortens it"
            ));
        }
        self.tells_others.then(|| {
            format!(
                "the durations in the resolution of {id} do not follow from its events in the order in which they were stored; \
                 its replay has those that do"
            )
        })
    }

    /// Times the events by when they were stored, and counts their seconds and the durations from that.
    fn count_stored(&mut self) {
        self.totals = IncidentTotals::default();
        for (place, (due, stored)) in self.timing.count_stored().into_iter().enumerate() {
            let event = &self.plan.events()[place];
            // It was read before it was put into the plan.
            let Ok(message) = event.message() else { continue };
            let second = stored.map(|time| time.as_millisecond() - self.timing.second_zero.as_millisecond());
            let offset_s = second.map(|millis| millis as f64 / 1e3).or(message.offset_s());
            let offset_s = offset_s.unwrap_or_default().max(0.0);
            let mut data =
                if stored.is_some() { with_second(event.data(), offset_s) } else { event.data().to_owned() };
            if matches!(message, Message::IncidentResolved(_)) {
                data = with_durations(&data, &self.totals.durations(offset_s));
            }
            self.totals.add(&message, offset_s);
            self.plan.replace(place, due, data);
        }
    }

    /// Ends the incident as cancelled at the time at which its stream ends.
    pub(super) fn cut(&mut self, time: Timestamp) {
        // A stream that repeats the incident may end before the stream in which it was recorded first.
        let ends = self.timing.cut(time);
        let due = if self.is_timed_by_plan { self.plan.duration() } else { ends };
        let mut resolved = std::mem::take(&mut self.totals).cancelled(&PhaseRates::of(&self.plan), due);
        "The recording ends here, before the incident was resolved".clone_into(&mut resolved.summary);
        // A replayed incident is a drill, even if the recorded one was not.
        resolved.synthetic = true;
        resolved.offset_s = Some(resolved.durations.resolve_s);
        self.plan.push_message(due, &Message::IncidentResolved(resolved));
        self.extent = RecordedExtent::Ended;
    }

    /// When it started, in microseconds since 1970, moved as the whole recording's times are.
    pub(super) fn start_us(&self) -> i64 {
        self.began.as_microsecond().saturating_add(self.shift_us)
    }

    /// The incident as it can be played. `first_us` is the first [`IncidentBuilder::start_us`] in the recording.
    pub(super) fn recorded(self, first_us: i64) -> Recorded {
        let start = u64::try_from(self.start_us() - first_us).unwrap_or_default();
        let start = Duration::from_micros(start);
        let source = self.sources.into_iter().next().unwrap_or_default();
        Recorded { source, id: self.id, start, speed: self.timing.speed, plan: self.plan }
    }
}

/// Whether two resolutions differ by more than the second that a publisher's numbers may be off.
fn apart(one: &Durations, other: &Durations) -> bool {
    let all = |durations: &Durations| {
        [durations.detect_s, durations.diagnose_s, durations.mitigate_s, Some(durations.resolve_s)]
    };
    all(one).into_iter().zip(all(other)).any(|pair| match pair {
        (Some(one), Some(other)) => (one - other).abs() > 1.0,
        (one, other) => one.is_some() != other.is_some(),
    })
}

/// The scenario's name in `database-outage-x7k2p`; any other name unchanged.
fn stem(id: &str) -> &str {
    match id.rsplit_once('-') {
        Some((scenario, suffix)) if suffix.len() == 5 && !scenario.is_empty() => scenario,
        _ => id,
    }
}
