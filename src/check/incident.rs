//! One incident on its way through the rules. Its events come here in the order of their positions; two are held
//! back until later ones show whether their seconds can be right.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::announced::Announced;
use super::arrival::{Pacing, Silence, allowed_silence};
use super::confidence::Confidence;
use super::context::Context;
use super::cost::Growth;
use super::declared::Declared;
use super::expect::Expectation;
use super::finding::{Finding, Place, cut};
use super::frame::Frame;
use super::indexes::{Follows, Indexes};
use super::lifecycle::Lifecycle;
use super::numbering::Standing;
use super::phases::Phases;
use super::rules::{Found, RuleId};
use super::tally::Totals;
use super::times::Times;
use crate::contract::{IncidentResolved, Message, Outcome, Role, offset_of};

/// What an incident needs to know about the stream.
pub(super) struct Stream<'a> {
    pub(super) context: &'a Context,
    /// Whether the event was sent live, not replayed.
    pub(super) is_live: bool,
    /// How many events of the stream came before the first one that was to be received.
    pub(super) unseen: u64,
    /// Whether positions are missing before this event.
    pub(super) has_holes: bool,
    /// Whether the server promised every event of an incident that is open.
    pub(super) promises_start: bool,
}

/// An open incident.
#[derive(Debug)]
pub(super) struct Incident {
    /// The id as findings name it: cut if it is long.
    pub(super) id: String,
    announced: Option<Announced>,
    /// Whether the scenario of the expectations plays it.
    is_expected: bool,
    indexes: Indexes,
    pub(super) last_time: Option<Timestamp>,
    /// Whether it began with `incident_started`, even with one that can't be read.
    has_start: bool,
    /// Where it was first seen, if its start is missing.
    begins_at: Option<Place>,
    /// Whether all of its events were received and read. Otherwise its totals say nothing.
    is_whole: bool,
    /// Whether the last event has no type that can be read: it may be the end.
    is_unknown: bool,
    /// Whether the second of each event is known.
    is_timed: bool,
    held: VecDeque<Held>,
    last_place: Place,
    /// The last planned second that can be trusted.
    second: Option<f64>,
    lifecycle: Lifecycle,
    phases: Phases,
    declared: Declared,
    confidence: Confidence,
    growth: Growth,
    totals: Totals,
    times: Times,
    expectation: Expectation,
    pub(super) pacing: Pacing,
    pub(super) silence: Silence,
    /// How it ended.
    pub(super) outcome: Option<Outcome>,
}

/// An event that waits for the next ones.
#[derive(Debug)]
struct Held {
    frame: Frame,
    /// Whether it follows the event before it.
    follows: bool,
}

/// How many events wait: two later seconds show which of two is wrong.
const HELD: usize = 2;

impl Incident {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: cut(id),
            announced: None,
            is_expected: false,
            indexes: Indexes::default(),
            last_time: None,
            has_start: false,
            begins_at: None,
            is_whole: true,
            is_unknown: false,
            is_timed: true,
            held: VecDeque::new(),
            last_place: Place::default(),
            second: None,
            lifecycle: Lifecycle::default(),
            phases: Phases::default(),
            declared: Declared::default(),
            confidence: Confidence::default(),
            growth: Growth::default(),
            totals: Totals::default(),
            times: Times::default(),
            expectation: Expectation::default(),
            pacing: Pacing::default(),
            silence: Silence::default(),
            outcome: None,
        }
    }

    pub(super) fn last_index(&self) -> u64 {
        self.indexes.last()
    }

    /// An event of the incident arrived that has no index, or is in the wrong place.
    pub(super) fn lose(&mut self) {
        self.is_whole = false;
        self.indexes.unplaced();
    }

    /// Takes the next event. Returns whether the incident has ended with it.
    pub(super) fn see(
        &mut self,
        frame: Frame,
        index: u64,
        standing: Standing,
        stream: &Stream<'_>,
        found: &mut Found,
    ) -> bool {
        let role = frame.kind().map_or(Role::Middle, crate::contract::MessageType::role);
        let first = self.indexes.is_empty();
        let follows = if first {
            self.begin(index, role, standing, &frame, stream, found)
        } else {
            self.indexes.see(&self.id, index, standing, &frame, found)
        };
        if follows != Follows::Next {
            self.is_whole = false;
        }
        if follows == Follows::Wrong {
            return role == Role::End && standing != Standing::Late;
        }
        self.is_unknown = frame.is_faulty && frame.kind().is_none();
        self.last_time = frame.head.as_ref().and_then(|head| head.time).or(self.last_time);
        self.last_place = frame.place();
        if role == Role::Start && !first {
            let text = format!("{} has a second incident_started", self.id);
            found.add(RuleId::Lifecycle, Finding::new(text).at(&frame));
            self.is_whole = false;
            return false;
        }
        self.has_start |= role == Role::Start;
        if stream.is_live
            && stream.promises_start
            && let Some(place) = self.begins_at.take()
        {
            let text = format!("{} does not begin with incident_started", self.id);
            found.add(RuleId::Lifecycle, Finding::new(text).place(&place));
        }
        if let Some(Message::IncidentStarted(started)) = &frame.message {
            let is_sound = Phases::announce(started, &frame, found);
            self.is_expected =
                stream.context.expect.as_ref().is_some_and(|expected| expected.concerns(started));
            self.announced = Some(Announced::of(started, is_sound));
        }
        if stream.context.arrivals {
            let counts = stream.is_live && !first && follows == Follows::Next;
            let allowed = self.allowed_silence(stream.context);
            self.silence.see(&frame, counts, allowed, found);
        }
        if frame.message.is_none() {
            self.is_whole = false;
        }
        if stream.is_live
            && stream.context.arrivals
            && follows == Follows::Next
            && let Some(message) = &frame.message
        {
            self.pacing.see(self.announced.as_ref().filter(|announced| announced.is_sound), message, &frame);
        }
        self.held.push_back(Held { frame, follows: follows == Follows::Next });
        if self.held.len() > HELD {
            self.release(stream.context, found);
        }
        role == Role::End
    }

    fn allowed_silence(&self, context: &Context) -> Option<f64> {
        let speed = self.announced.as_ref().map_or(1.0, |announced| announced.speed);
        allowed_silence(context, self.is_expected, speed)
    }

    /// Takes the first event that was received of the incident.
    fn begin(
        &mut self,
        index: u64,
        role: Role,
        standing: Standing,
        frame: &Frame,
        stream: &Stream<'_>,
        found: &mut Found,
    ) -> Follows {
        if role == Role::Start {
            self.indexes.start(index);
            if index != 1 {
                let text = format!("the index of {}'s incident_started is {index}; expected 1", self.id);
                found.add(RuleId::Order, Finding::new(text).at(frame).field("/index"));
            }
            return Follows::Next;
        }
        self.indexes.begin(index);
        if stream.has_holes || standing != Standing::Next || (frame.is_faulty && frame.kind().is_none()) {
            return Follows::AfterGap;
        }
        if index == 1 {
            let text = format!("{} does not begin with incident_started", self.id);
            found.add(RuleId::Lifecycle, Finding::new(text).at(frame));
        } else if index - 1 > stream.unseen {
            let text = super::numbering::missing("index", 1, index - 1);
            found.add(RuleId::Gap, Finding::new(format!("{}: {text}", self.id)).at(frame).field("/index"));
        } else {
            self.begins_at = Some(frame.place());
        }
        Follows::AfterGap
    }

    /// What its times show about the server's clock.
    pub(super) fn clock_warning(&self) -> Option<String> {
        self.times.warning(&self.id)
    }

    /// Judges the content of the first event that is held. The others show whether its second can be right.
    fn release(&mut self, context: &Context, found: &mut Found) {
        let Some(Held { frame, follows }) = self.held.pop_front() else { return };
        if !follows || frame.message.is_none() {
            self.expectation.interrupt();
        }
        let mut later = self.held.iter().filter_map(|held| held.frame.message.as_ref()?.offset_s());
        let next = later.next();
        let next = next.zip(later.next());
        self.content(&frame, next, context, found);
    }

    fn content(&mut self, frame: &Frame, next: Option<(f64, f64)>, context: &Context, found: &mut Found) {
        let (Some(message), Some(head)) = (&frame.message, &frame.head) else { return };
        let planned = self.planned(message, next, frame, found);
        let began = self.announced.as_ref().map(|announced| announced.impact_started_at);
        let offset_s = match (message.offset_s(), head.time) {
            (Some(_), _) => planned,
            (None, Some(time)) => offset_of(message, time, began),
            (None, None) => None,
        };
        found.judged(RuleId::Lifecycle);
        let index = head.index.unwrap_or(u64::MAX);
        let is_generated = self.announced.as_ref().is_some_and(|announced| announced.is_generated);
        let before = found.count(RuleId::Lifecycle);
        self.lifecycle.see(message, index, frame, is_generated, found);
        // What it finds also makes totals wrong.
        self.is_whole &= found.count(RuleId::Lifecycle) == before;
        self.confidence.see(message, frame, found);
        let is_sound = self.announced.as_ref().is_none_or(|announced| announced.is_sound);
        self.growth.see(self.announced.as_ref(), message, planned.filter(|_| is_sound), frame, found);
        if let Some(announced) = &self.announced {
            self.phases.see(announced, message, planned, frame, found);
            self.declared.see(announced, message, self.is_whole, frame, found);
            if let (true, Some(time)) = (announced.is_generated, head.time) {
                self.times.see(announced, message, time);
            }
        }
        if let Message::IncidentResolved(resolved) = message {
            self.resolve(resolved, offset_s, frame, context, found);
            return;
        }
        self.is_timed &= offset_s.is_some();
        self.totals.see(message, offset_s.filter(|_| planned.is_some() || self.is_timed));
        if !is_sound {
            self.expectation.interrupt();
        }
        if offset_s.is_none() {
            self.expectation.interrupt();
        } else if let (Some(expected), Some(announced), Some(offset_s), true) =
            (&context.expect, &self.announced, offset_s, self.is_expected)
        {
            self.expectation.see(expected, announced, message, offset_s, frame, found);
        }
    }

    /// The planned second of an event, if it can be right: not before the event ahead of it, not after the next two.
    fn planned(
        &mut self,
        message: &Message,
        next: Option<(f64, f64)>,
        frame: &Frame,
        found: &mut Found,
    ) -> Option<f64> {
        let offset_s = message.offset_s()?;
        let before = self.second.unwrap_or(0.0);
        let text = if offset_s < before {
            format!("offset_s goes back from {before} to {offset_s}")
        } else if let Some((next, _)) = next
            .filter(|(next, later)| (before..offset_s).contains(next) && (*next..offset_s).contains(later))
        {
            format!(
                "offset_s is {offset_s}, but the event before is at {before} s and the next one at {next} s"
            )
        } else {
            self.second = Some(offset_s);
            return Some(offset_s);
        };
        found.add(RuleId::Clock, Finding::new(text).at(frame).field("/data/offset_s"));
        None
    }

    fn resolve(
        &mut self,
        resolved: &IncidentResolved,
        offset_s: Option<f64>,
        frame: &Frame,
        context: &Context,
        found: &mut Found,
    ) {
        self.outcome = Some(resolved.outcome);
        let Some(announced) = self.announced.as_ref() else { return };
        // The totals cannot be compared if events are missing, which other rules report.
        if self.is_whole {
            let before = found.count(RuleId::Lifecycle);
            self.lifecycle.resolved(resolved.outcome, found);
            self.is_whole = found.count(RuleId::Lifecycle) == before;
        }
        if self.is_whole {
            let second = offset_s.filter(|_| resolved.offset_s.is_some() || self.is_timed);
            self.totals.compare(resolved, second, announced.is_generated, frame, found);
        }
        if let (Some(expected), true) = (&context.expect, self.is_expected) {
            if let Some(offset_s) = offset_s {
                self.expectation.see(
                    expected,
                    announced,
                    &Message::IncidentResolved(resolved.clone()),
                    offset_s,
                    frame,
                    found,
                );
            }
            let end = Some((resolved, offset_s.unwrap_or_default(), frame)).filter(|_| offset_s.is_some());
            self.expectation.finish(expected, &self.totals, end, true, self.is_whole && self.is_timed, found);
        }
    }

    /// Judges the end: of the incident, or of the listening if it is still open. Returns its longest delay.
    pub(super) fn finish(&mut self, end: &End<'_>, found: &mut Found) -> f64 {
        let End { context, ended, is_due, .. } = *end;
        let was_resolved = matches!(
            self.held.back().map(|held| held.frame.kind()),
            Some(Some(kind)) if kind.role() == Role::End
        );
        while !self.held.is_empty() {
            self.release(context, found);
        }
        self.indexes.finish(&self.id, found);
        self.growth.finish(found);
        if !was_resolved {
            if is_due && !self.is_unknown && !self.indexes.has_unplaced() {
                let text = format!("{} is never resolved", self.id);
                let hint = "the stream ends before incident_resolved";
                found.add(RuleId::Lifecycle, Finding::new(text).place(&self.last_place).hint(hint));
            }
            if context.arrivals {
                let allowed = self.allowed_silence(context);
                self.silence.finish(ended, allowed, found);
            }
            if let (Some(expected), true) = (&context.expect, self.is_expected) {
                let is_whole = self.is_whole && self.is_timed;
                self.expectation.finish(expected, &self.totals, None, is_due, is_whole, found);
            }
        }
        self.pacing.finish(context, found)
    }
}

/// How the judging of an incident ends.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    pub(super) context: &'a Context,
    /// When the listening ended.
    pub(super) ended: Option<Duration>,
    /// Whether the incident should have been resolved by now.
    pub(super) is_due: bool,
}
