//! One incident on its way through the rules. Its events come here in the order of their positions; two are held
//! back until later ones show whether their seconds can be right.

mod content;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::announced::Announced;
use super::arrival::{Pacing, Silence, allowed_silence};
use super::confidence::Confidence;
use super::context::Context;
use super::cost::Growth;
use super::course::Course;
use super::declared::Declared;
use super::doubts;
use super::expected::Expected;
use super::finding::{Finding, Place, cut};
use super::frame::Frame;
use super::indexes::{IndexStanding, Indexes};
use super::lifecycle::Lifecycle;
use super::names::MOST;
use super::numbering::Standing;
use super::phases::Phases;
use super::rules::{Found, RuleId};
use super::seconds::Seconds;
use super::tally::Totals;
use super::times::{Times, Warnings};
use crate::contract::{Message, Outcome, Role};

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
    /// What is expected of the incident that the event starts.
    pub(super) expected: Option<Arc<Expected>>,
}

/// An open incident.
#[derive(Debug)]
pub(super) struct Incident {
    /// The id as findings name it: cut if it is long.
    pub(super) id: String,
    /// How much memory it may take.
    pub(super) bytes: usize,
    announced: Option<Announced>,
    /// What is doubtful about its services.
    doubt: Option<String>,
    /// What is expected of it, if it is an incident of the scenario.
    expected: Option<Arc<Expected>>,
    indexes: Indexes,
    pub(super) last_time: Option<Timestamp>,
    /// Whether it began with `incident_started`, even with one that can't be read.
    pub(super) has_start: bool,
    /// Where it was first seen, if its start is missing.
    begins_at: Option<Place>,
    /// Whether all of its events were received and read. Otherwise its totals say nothing.
    is_whole: bool,
    /// Whether the last event has no type that can be read: it may be the end.
    is_unknown: bool,
    /// Whether its last event is a resolution.
    is_over: bool,
    /// Whether it has nothing but its start, and another incident lacks one: they may be the same.
    pub(super) is_misnamed: bool,
    /// Whether the second of each event is known.
    is_timed: bool,
    held: VecDeque<Held>,
    last_place: Place,
    seconds: Seconds,
    lifecycle: Lifecycle,
    phases: Phases,
    declared: Declared,
    confidence: Confidence,
    growth: Growth,
    totals: Totals,
    times: Times,
    course: Course,
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
    /// Whether it came when it was due, or not.
    is_paced: bool,
}

/// How an event fits into its incident.
#[derive(Default)]
pub(super) struct Fit {
    /// Whether the incident has ended with it.
    pub(super) has_ended: bool,
    /// Whether it has an index that is not its own.
    pub(super) is_elsewhere: bool,
    /// What is wrong if the events before it should have come.
    pub(super) orphan: Option<Finding>,
}

/// How many events wait: two later seconds show which of two is wrong.
const HELD: usize = 2;

impl Incident {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: cut(id),
            bytes: 0,
            announced: None,
            doubt: None,
            expected: None,
            indexes: Indexes::default(),
            last_time: None,
            has_start: false,
            begins_at: None,
            is_whole: true,
            is_unknown: false,
            is_over: false,
            is_misnamed: false,
            is_timed: true,
            held: VecDeque::new(),
            last_place: Place::default(),
            seconds: Seconds::default(),
            lifecycle: Lifecycle::default(),
            phases: Phases::default(),
            declared: Declared::default(),
            confidence: Confidence::default(),
            growth: Growth::default(),
            totals: Totals::default(),
            times: Times::default(),
            course: Course::default(),
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

    /// Another event follows the last one. Returns whether the incident goes on with it, because its resolution can't be
    /// read: it may be an event of another type.
    pub(super) fn goes_on(&mut self) -> bool {
        self.is_over = self.held.back().is_none_or(|held| held.frame.message.is_some());
        !self.is_over
    }

    /// Events follow the resolution, which is reported: then nobody knows what it should have said.
    pub(super) fn forget_resolution(&mut self) {
        self.held.pop_back();
    }

    /// Takes the next event.
    pub(super) fn see(
        &mut self,
        frame: Frame,
        index: u64,
        standing: Standing,
        stream: &Stream<'_>,
        found: &mut Found,
    ) -> Fit {
        let role = frame.kind().map_or(Role::Middle, crate::contract::MessageType::role);
        let first = self.indexes.is_empty();
        let mut orphan = None;
        let follows = if first {
            orphan = self.begin(index, role, standing, &frame, stream, found);
            if role == Role::Start { IndexStanding::Next } else { IndexStanding::AfterGap }
        } else {
            self.indexes.see(&self.id, index, standing, &frame, found)
        };
        if follows != IndexStanding::Next {
            self.is_whole = false;
        }
        if follows == IndexStanding::Wrong {
            self.is_over = role == Role::End && standing != Standing::Late;
            return Fit {
                has_ended: self.is_over,
                is_elsewhere: !self.is_over && standing != Standing::Late,
                orphan: None,
            };
        }
        self.is_unknown = frame.is_faulty && frame.kind().is_none();
        self.last_time = frame.head.as_ref().and_then(|head| head.time).or(self.last_time);
        self.last_place = frame.place();
        if role == Role::Start && !first {
            let text = format!("{} has a second incident_started", self.id);
            found.add(RuleId::Lifecycle, Finding::new(text).at(&frame));
            self.is_whole = false;
            return Fit::default();
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
            self.expected.clone_from(&stream.expected);
            self.announced = Some(Announced::of(started, is_sound));
            self.doubt = doubts::of_services(&self.id, started, &frame);
        }
        if stream.context.arrivals {
            let counts = stream.is_live && !first && follows == IndexStanding::Next;
            let allowed = self.allowed_silence(stream.context);
            self.silence.see(&frame, counts, allowed, found);
        }
        if frame.message.is_none() {
            self.is_whole = false;
        }
        let follows = follows == IndexStanding::Next;
        let is_paced = follows && stream.is_live && stream.context.arrivals;
        self.held.push_back(Held { frame, follows, is_paced });
        if self.held.len() > HELD {
            self.release(found);
        }
        self.is_over = role == Role::End;
        Fit { has_ended: self.is_over, is_elsewhere: false, orphan }
    }

    fn allowed_silence(&self, context: &Context) -> Option<f64> {
        let speed = self.announced.as_ref().map_or(1.0, |announced| announced.speed);
        allowed_silence(context, self.expected.as_deref(), speed)
    }

    /// Takes the first event that was received of the incident. Returns what is wrong if the events before it should have
    /// come.
    fn begin(
        &mut self,
        index: u64,
        role: Role,
        standing: Standing,
        frame: &Frame,
        stream: &Stream<'_>,
        found: &mut Found,
    ) -> Option<Finding> {
        if role == Role::Start {
            self.indexes.start(index);
            if index != 1 {
                let text = format!("the index of {}'s incident_started is {index}; expected 1", self.id);
                found.add(RuleId::Order, Finding::new(text).at(frame).field("/index"));
            }
            return None;
        }
        self.indexes.begin(index);
        if stream.has_holes || standing != Standing::Next || frame.is_faulty {
            return None;
        }
        if index == 1 {
            let text = format!("{} does not begin with incident_started", self.id);
            found.add(RuleId::Lifecycle, Finding::new(text).at(frame));
        } else if index - 1 > stream.unseen {
            let text = super::numbering::missing("index", 1, index - 1);
            return Some(Finding::new(format!("{}: {text}", self.id)).at(frame).field("/index"));
        } else {
            self.begins_at = Some(frame.place());
        }
        None
    }

    /// Whether only a part of it could be compared with what is expected.
    pub(super) fn is_partly_expected(&self) -> bool {
        self.course.is_partial
    }

    /// Adds what is worth knowing beside the findings.
    pub(super) fn warn(&self, warnings: &mut Warnings) {
        warnings.add(self.doubt.clone());
        warnings.add(self.times.warning(&self.id));
        let is_full = self.lifecycle.is_full()
            || self.declared.is_full()
            || self.confidence.is_full()
            || self.course.is_full();
        warnings.add(is_full.then(|| {
            format!(
                "{} has more steps, hypotheses or names than are followed, which are {MOST} of each: further ones were not judged",
                self.id
            )
        }));
    }

    /// Judges the end: of the incident, or of the listening if it is still open. Returns its longest delay.
    pub(super) fn finish(&mut self, end: &End<'_>, found: &mut Found) -> f64 {
        let End { context, ended, is_due, .. } = *end;
        let was_resolved = self.is_over;
        while !self.held.is_empty() {
            self.release(found);
        }
        self.indexes.finish(&self.id, found);
        self.growth.finish(found);
        if !was_resolved {
            if is_due && !self.is_unknown && !self.indexes.has_unplaced() {
                let text = format!("{} is never resolved", self.id);
                let hint = "the stream ends before incident_resolved";
                found.add(RuleId::Lifecycle, Finding::new(text).place(&self.last_place).hint(hint));
            }
            if context.arrivals && !self.is_misnamed {
                let allowed = self.allowed_silence(context);
                self.silence.end(ended, allowed, found);
            }
        }
        // Of one that has ended the resolution can't be read, or is none.
        if let Some(expected) = self.expected.as_ref().filter(|_| !self.course.is_judged) {
            let is_whole = self.is_whole && self.is_timed && !was_resolved;
            self.course.finish(expected, &self.totals, None, is_due, is_whole, found);
        }
        let before = found.count(RuleId::Pacing);
        // If the phases or the seconds are wrong, nobody knows when an event was due.
        let is_known = !self.phases.is_doubtful && !self.growth.is_doubtful;
        let longest = if is_known { self.pacing.finish(context, found) } else { 0.0 };
        let is_late = found.count(RuleId::Pacing) > before;
        self.silence.finish(is_late && context.limits.silence.is_none(), found);
        self.course.silent(is_late || self.phases.is_doubtful, found);
        longest
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
