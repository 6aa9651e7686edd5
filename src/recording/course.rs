//! One incident as a recording tells it.

use jiff::Timestamp;

use super::Recorded;
use super::line::Event;
use crate::contract::{IncidentStarted, Message, Role, offset_of};
use crate::plan::{Plan, SoFar, as_drill};

/// What came of one incident so far.
pub(super) struct Course {
    /// The streams that it was told in.
    sources: Vec<String>,
    pub(super) id: String,
    pub(super) state: State,
    /// When its first event was stamped.
    pub(super) began: Timestamp,
    /// And its newest.
    newest: Timestamp,
    speed: f64,
    plan: Plan,
    /// The plan's events, folded.
    so_far: SoFar,
}

/// How far an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its start did not come.
    Headless,
    Open,
    Ended,
}

impl Course {
    /// From the first event that came.
    ///
    /// # Errors
    /// It can't be the first.
    pub(super) fn new(event: &Event) -> Result<Self, String> {
        let envelope = &event.envelope;
        let mut course = Self {
            sources: vec![envelope.source.clone()],
            id: envelope.incident().to_owned(),
            state: State::Headless,
            began: envelope.time,
            newest: envelope.time,
            speed: 1.0,
            plan: Plan::new(String::new(), 0),
            so_far: SoFar::default(),
        };
        match &event.message {
            Message::IncidentStarted(started) if event.index == 1 => course.start(started)?,
            _ if event.index == 1 => {
                return Err(format!("{} begins with {}", course.id, envelope.kind));
            }
            _ => {}
        }
        Ok(course)
    }

    fn start(&mut self, started: &IncidentStarted) -> Result<(), String> {
        let speed = started.speed.unwrap_or(1.0);
        if !(speed.is_finite() && speed > 0.0) {
            return Err(format!("{} starts with a speed of {speed}", self.id));
        }
        let (scenario, seed) = match &started.run {
            Some(run) => (run.scenario.clone(), run.seed),
            None => (stem(&self.id).to_owned(), 0),
        };
        self.speed = speed;
        self.plan = Plan::new(scenario, seed);
        self.state = State::Open;
        Ok(())
    }

    /// Whether an event of this incident's id is one of this incident. A journal whose tail nobody vouches for goes on
    /// as a new stream, and tells there again what it has of an open incident.
    pub(super) fn has(&mut self, event: &Event) -> bool {
        let (source, time) = (&event.envelope.source, event.envelope.time);
        let known = self.sources.contains(source);
        let again = !known && event.index == 1 && self.state != State::Headless && time == self.began;
        if again {
            self.sources.push(source.clone());
        }
        known || again
    }

    /// The stream that it was told in last.
    pub(super) fn source(&self) -> &str {
        self.sources.last().map_or("", String::as_str)
    }

    /// Whether the event has come already, or belongs to what is left out.
    pub(super) fn skips(&self, event: &Event) -> bool {
        match self.state {
            // The start may still come: recordings can be put together in any order.
            State::Headless => event.index > 1,
            State::Open | State::Ended => event.index <= self.plan.events().len() as u64,
        }
    }

    /// Adds the next event. Whether its time is what it has to be: not before the last one's.
    ///
    /// # Errors
    /// It can't be the next.
    pub(super) fn push(&mut self, event: Event) -> Result<bool, String> {
        let (id, next) = (&self.id, self.plan.events().len() as u64 + 1);
        if self.state == State::Ended {
            return Err(format!("{id} goes on after its resolution, with index {}", event.index));
        }
        if event.index > next {
            let last = event.index - 1;
            let missing = if last == next { format!("{next} is") } else { format!("{next} to {last} are") };
            return Err(format!("index {} of {id} comes here, {missing} missing", event.index));
        }
        match event.message.kind().role() {
            Role::Start if next > 1 => return Err(format!("{id} starts again")),
            Role::End => self.state = State::Ended,
            Role::Start | Role::Middle | Role::Control => {}
        }
        let rises = event.envelope.time >= self.newest;
        self.newest = self.newest.max(event.envelope.time);
        let due = self.due(self.newest);
        self.plan.push(due, event.message.kind(), as_drill(event.envelope.data, &event.message));
        let offset_s = offset_of(&event.message, event.envelope.time, Some(self.began));
        self.so_far.take(&event.message, offset_s.unwrap_or_default());
        Ok(rises)
    }

    /// Ends it as cancelled where its stream ends.
    pub(super) fn cut(&mut self, time: Timestamp) {
        // A stream that tells it again may end before the one that told it first.
        let due = self.due(time.max(self.newest));
        let mut resolved = std::mem::take(&mut self.so_far).cancelled(Some(&self.plan), due);
        "The recording ends here, before the incident was resolved".clone_into(&mut resolved.summary);
        // A replay is a drill.
        resolved.synthetic = true;
        self.plan.push_message(due, &Message::IncidentResolved(resolved));
        self.state = State::Ended;
    }

    /// What can be played, counted from the start of the recording.
    pub(super) fn recorded(self, first: Timestamp) -> Recorded {
        let start = self.began.duration_since(first).try_into().unwrap_or_default();
        let source = self.sources.into_iter().next().unwrap_or_default();
        Recorded { source, id: self.id, start, speed: self.speed, plan: self.plan }
    }

    /// Screen time of a moment.
    fn due(&self, time: Timestamp) -> u64 {
        let wall = time.duration_since(self.began).as_micros() as f64;
        (wall * self.speed).round() as u64
    }
}

/// `database-outage-x7k2p` without what was added to the scenario's name; any other name as it is.
fn stem(id: &str) -> &str {
    match id.rsplit_once('-') {
        Some((scenario, suffix)) if suffix.len() == 5 && !scenario.is_empty() => scenario,
        _ => id,
    }
}
