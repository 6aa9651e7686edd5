//! A real incident as its publishers have told it so far, and whether an event can follow.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize as _;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::check::completed;
use super::fault::Fault;
use super::incoming::Incoming;
use super::kind::Kind;
use super::remembered::Remembered;
use super::sound::Sound;
use crate::contract::{
    Actions, AgentAction, Cost, Durations, IncidentResolved, Mark, Message, MessageType, Role, check_size,
    parse_time,
};

/// The most events of a real incident.
const MAX_EVENTS: u64 = 100_000;

/// An action that was observed longer ago than this gets `late_s`.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);

/// How many seconds a duration may differ from what the marks say.
const SECOND: f64 = 1.0;

/// What the next event of an incident is judged by. Bounded, however long the incident is, and cheap to clone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Incident {
    index: u64,
    ended: bool,
    /// Whether it is a drill: then what is published into it is one, too.
    is_drill: bool,
    began: Option<Timestamp>,
    phases: Vec<String>,
    phase: usize,
    marks: Vec<Mark>,
    durations: Durations,
    cost: Option<Cost>,
    users_peak: Option<u64>,
    actions: Actions,
    remembered: Remembered,
    /// By how much the newest event was observed before it was stored.
    observed_before: Duration,
}

/// How long ago an event was observed, if that is told.
fn late(event: &Incoming, now: Timestamp) -> Option<Duration> {
    Duration::try_from(now.duration_since(event.time)).ok().filter(|late| *late > OLD)
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Whether the event is small enough with the fields that the server has set: the journal would refuse it together with others.
fn fits(event: &Incoming, payload: &RawValue) -> Result<(), Vec<Fault>> {
    check_size(&event.subject, event.kind, payload.get().len())
        .map_err(|detail| vec![Fault::new(Kind::TooLarge, "", detail)])
}

impl Incident {
    /// An incident that has ended, of which nothing else needs to be known.
    pub fn over() -> Self {
        Self { index: 1, ended: true, ..Self::default() }
    }

    /// About the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let phases: usize = self.phases.iter().map(|phase| 32 + phase.len()).sum();
        512 + phases + self.remembered.held()
    }

    /// Index of its newest event; 0 before the first.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Whether it has begun and not ended.
    pub fn is_open(&self) -> bool {
        self.index > 0 && !self.ended
    }

    /// Adds an event that is stored. `at` is when it was observed, or else stored.
    pub fn see(&mut self, message: &Message, index: u64, at: Timestamp, stored: Timestamp) {
        self.index = index;
        self.observed_before = Duration::try_from(stored.duration_since(at)).unwrap_or_default();
        let second = self.second(at);
        self.remembered.see(message);
        match message {
            Message::IncidentStarted(started) => {
                self.began = Some(started.impact_started_at);
                self.is_drill = started.synthetic;
                self.phases = started.phases.iter().map(|phase| phase.name.clone()).collect();
            }
            Message::AgentAction(action) => {
                self.actions.count(action.status);
                for mark in &action.marks {
                    self.marks.push(*mark);
                    self.durations.reach(*mark, second);
                }
            }
            Message::SystemMetrics(sample) => self.users_peak = self.users_peak.max(sample.users_affected),
            Message::IncidentResolved(_) => self.ended = true,
            Message::StreamOpened(_) | Message::Heartbeat(_) => {}
        }
        if let Some(cost) = message.cost() {
            self.cost = Some(cost.clone());
        }
        let phase = message.phase().and_then(|name| self.phases.iter().position(|known| known == name));
        self.phase = phase.unwrap_or(self.phase).max(self.phase);
    }

    /// Judges an event that is sound by itself, adds it, and gives the payload to store. `ahead` says how far the events of the
    /// incident are dated ahead of `now`: since the server's clock was set back, what its publishers observe is dated as they are.
    ///
    /// # Errors
    /// Everything because of which it can't follow. Then nothing is added.
    pub fn accept(
        &mut self,
        sound: &Sound,
        now: Timestamp,
        ahead: Duration,
    ) -> Result<Box<RawValue>, Vec<Fault>> {
        let event = sound.event();
        let one = |kind, pointer: &str, detail: String| Err(vec![Fault::new(kind, pointer, detail)]);
        let subject = &event.subject;
        if self.ended {
            return one(Kind::IncidentClosed, "/subject", format!("the incident {subject} has ended"));
        }
        if let Some(expected) = event.after_index.filter(|expected| *expected != self.index) {
            let current = self.index;
            let detail = format!("the newest event of {subject} has the index {current}, not {expected}");
            let fault = Fault::new(Kind::IndexMoved, "/afterindex", detail);
            return Err(vec![Fault { current: Some(current), ..fault }]);
        }
        match (event.kind.role() == Role::Start, self.index) {
            (true, 0) => {}
            (true, _) => {
                return one(Kind::Lifecycle, "/type", format!("the incident {subject} has started before"));
            }
            (false, 0) => {
                let detail = format!("no incident is called {subject}; its first event is incident_started");
                return one(Kind::Lifecycle, "/subject", detail);
            }
            (false, MAX_EVENTS..) if event.kind.role() != Role::End => {
                let detail = format!("{subject} has {MAX_EVENTS} events; it can only be resolved");
                return one(Kind::Lifecycle, "/subject", detail);
            }
            (false, _) => {}
        }
        let stored = later(now, ahead);
        // Who was behind the server by as much before the step had the right time all along.
        let ahead = if self.observed_before * 2 < ahead { ahead } else { Duration::ZERO };
        let observed = later(event.time.min(now), ahead);
        if let Some(ready) = &sound.ready
            && !self.is_drill
            && ahead.is_zero()
            && late(event, now).is_none()
        {
            fits(event, &ready.payload)?;
            self.add(event, &ready.message, observed, stored)?;
            return Ok(ready.payload.clone());
        }
        let data = self.payload(event, now, ahead);
        let unreadable =
            |error: serde_json::Error| vec![Fault::new(Kind::Schema, "/data", error.to_string())];
        let message = Message::from_value(event.kind, &data).map_err(unreadable)?;
        let payload = to_raw_value(&data).map_err(unreadable)?;
        fits(event, &payload)?;
        self.add(event, &message, observed, stored)?;
        Ok(payload)
    }

    /// Adds an event unless it contradicts those before.
    fn add(
        &mut self,
        event: &Incoming,
        message: &Message,
        observed: Timestamp,
        stored: Timestamp,
    ) -> Result<(), Vec<Fault>> {
        let faults = self.faults(event, message, observed);
        if faults.is_empty() {
            self.see(message, self.index + 1, observed, stored);
            return Ok(());
        }
        Err(faults)
    }

    /// Seconds from the start of the impact, in whole milliseconds.
    fn second(&self, at: Timestamp) -> f64 {
        let began = self.began.unwrap_or(at);
        (at.as_millisecond() - began.as_millisecond()) as f64 / 1e3
    }

    /// The second of a resolution that was observed at this time. The clocks of publishers differ, and the incident has lasted at
    /// least until its last milestone.
    fn end(&self, observed: Timestamp) -> f64 {
        self.second(observed).max(self.durations.last_mark().1)
    }

    fn payload(&self, event: &Incoming, now: Timestamp, ahead: Duration) -> Value {
        let mut data = completed(event, event.data.clone());
        data.insert("synthetic".to_owned(), self.is_drill.into());
        let observed = later(event.time.min(now), ahead);
        data.insert("origin".to_owned(), json!({ "source": event.source, "id": event.id }));
        data.insert("observed_at".to_owned(), format!("{:.6}", later(event.time, ahead)).into());
        match event.kind {
            MessageType::IncidentStarted => {
                // A publisher's clock may be ahead.
                let began = data.get("impact_started_at").and_then(Value::as_str);
                let began = began.and_then(parse_time).unwrap_or(observed);
                data.insert("impact_started_at".to_owned(), format!("{:.6}", began.min(now)).into());
            }
            MessageType::AgentAction => {
                if let Some(late) = late(event, now) {
                    data.insert("late_s".to_owned(), late.as_secs().into());
                }
            }
            MessageType::IncidentResolved => {
                let computed = Durations { resolve_s: self.end(observed), ..self.durations.clone() };
                let sent = event.data.get("durations").and_then(Value::as_object);
                let mut durations = serde_json::to_value(&computed).unwrap_or_default();
                if let (Some(all), Some(sent)) = (durations.as_object_mut(), sent) {
                    all.extend(sent.clone());
                    // A mark that the resolution alone tells may be a moment after the end.
                    if !sent.contains_key("resolve_s")
                        && let Ok(told) = Durations::deserialize(&Value::Object(all.clone()))
                    {
                        let last = told.last_mark().1.clamp(computed.resolve_s, computed.resolve_s + SECOND);
                        all.insert("resolve_s".to_owned(), last.into());
                    }
                }
                data.insert("durations".to_owned(), durations);
                if !event.data.contains_key("actions") {
                    data.insert("actions".to_owned(), json!(self.actions));
                }
                if !event.data.contains_key("users_peak") && self.users_peak.is_some() {
                    data.insert("users_peak".to_owned(), json!(self.users_peak));
                }
            }
            _ => {}
        }
        Value::Object(data)
    }

    fn faults(&self, event: &Incoming, message: &Message, observed: Timestamp) -> Vec<Fault> {
        let mut faults = Vec::new();
        match message {
            Message::AgentAction(action) => self.action(action, &mut faults),
            Message::IncidentResolved(resolved) => self.resolved(event, resolved, observed, &mut faults),
            _ => {}
        }
        self.remembered.judge(message, &mut faults);
        if let (Some(before), Some(cost)) = (&self.cost, message.cost()) {
            let fault = |name: &str, detail| Fault::new(Kind::Value, format!("/data/cost/{name}"), detail);
            if before.currency != cost.currency {
                let detail = format!("the currency changes from {} to {}", before.currency, cost.currency);
                faults.push(fault("currency", detail));
            } else if cost.total < before.total {
                faults
                    .push(fault("total", format!("the cost falls from {} to {}", before.total, cost.total)));
            }
        }
        if let Some(name) = message.phase().filter(|_| !self.phases.is_empty()) {
            let detail = match self.phases.iter().position(|known| known == name) {
                None => Some(format!("incident_started has announced no phase {name:?}")),
                Some(place) if place < self.phase => {
                    Some(format!("the phase goes back from {:?} to {name:?}", self.phases[self.phase]))
                }
                Some(_) => None,
            };
            faults.extend(detail.map(|detail| Fault::new(Kind::Lifecycle, "/data/phase", detail)));
        }
        faults
    }

    fn action(&self, action: &AgentAction, faults: &mut Vec<Fault>) {
        for (place, mark) in action.marks.iter().enumerate().filter(|(_, mark)| self.marks.contains(mark)) {
            let detail = format!("the incident has reached {} before; a mark comes once", json!(mark));
            faults.push(Fault::new(Kind::Lifecycle, format!("/data/marks/{place}"), detail));
        }
        if let Some(cause) = action.caused_by.filter(|cause| *cause > self.index) {
            let detail = format!("caused_by is {cause}; the newest event has the index {}", self.index);
            faults.push(Fault::new(Kind::Value, "/data/caused_by", detail));
        }
    }

    fn resolved(
        &self,
        event: &Incoming,
        resolved: &IncidentResolved,
        observed: Timestamp,
        faults: &mut Vec<Fault>,
    ) {
        let mut fault =
            |name: &str, detail| faults.push(Fault::new(Kind::Value, format!("/data/{name}"), detail));
        let (sent, ours) = (&resolved.durations, &self.durations);
        let end = self.end(observed);
        for (name, sent, ours) in [
            ("detect_s", sent.detect_s, ours.detect_s),
            ("diagnose_s", sent.diagnose_s, ours.diagnose_s),
            ("mitigate_s", sent.mitigate_s, ours.mitigate_s),
            ("resolve_s", Some(sent.resolve_s), Some(end)),
        ] {
            let wrong = match (sent, ours) {
                (Some(sent), Some(ours)) if (sent - ours).abs() > SECOND => {
                    format!("{name} is {sent}; according to the events it is {ours}")
                }
                // No event tells it, but it can't have been after the end.
                (Some(sent), None) if sent > end + SECOND => {
                    format!("{name} is {sent}; the incident ended at second {end}")
                }
                _ => continue,
            };
            fault(&format!("durations/{name}"), wrong);
        }
        if let Some(cause) = &resolved.root_cause
            && self.remembered.has_claims()
            && !self.remembered.has_claim(cause)
        {
            fault(
                "root_cause",
                format!("{cause:?} is none of the incident's hypotheses; give the id of one"),
            );
        }
        if event.data.contains_key("actions") && resolved.actions != self.actions {
            let (total, failed) = (self.actions.total, self.actions.failed);
            fault("actions", format!("the events have {total} finished actions, {failed} of them failed"));
        }
        if let (Some(sent), Some(ours)) = (resolved.users_peak, self.users_peak)
            && sent < ours
        {
            fault("users_peak", format!("users_peak is {sent}, but a sample has {ours} affected users"));
        }
    }
}
