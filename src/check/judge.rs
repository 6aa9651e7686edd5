//! Judges a stream while it arrives. Each observation is taken once and in order, and the memory does not grow with the
//! length of the stream.

use std::time::Duration;

use super::by_position::ByPosition;
use super::clock::Clock;
use super::connection;
use super::context::{Context, MustResolve};
use super::control::Control;
use super::expected::Expectations;
use super::finding::{Finding, Verdict, cut};
use super::followed::MOST_STREAMS;
use super::foreign::{Shared, Strangers};
use super::frame::{Frame, Note};
use super::further::{First, Further};
use super::head::Sender;
use super::incident::Stream;
use super::incidents::{Incidents, StreamEnd};
use super::numbering::{Numbering, Standing};
use super::observation::{Closing, MAIN, Observation, Observed, Purpose};
use super::reader::Reader;
use super::rules::{Found, Rule, RuleId};
use crate::contract::{Message, MessageType};

/// Judges one stream.
pub struct Judge {
    pub(super) context: Context,
    pub(super) found: Found,
    pub(super) control: Control,
    pub(super) numbering: Numbering,
    pub(super) clock: Clock,
    pub(super) incidents: Incidents,
    expectations: Expectations,
    /// Messages since the last event of which nothing can be read.
    unreadable: u64,
    pub(super) further: Further,
    pub(super) by_position: ByPosition,
    /// The judging of another program's stream; `None` for our own.
    pub(super) strangers: Option<Strangers>,
    /// Events of the stream, also those that can't be read.
    pub(super) events: u64,
    texts: u64,
    /// Messages of other senders.
    pub(super) foreign: u64,
    ended: Option<Duration>,
    /// The last comment of an event stream.
    comment: Option<String>,
    /// Whether the connection ended before the validator wanted it to.
    is_cut: bool,
}

/// The verdicts of all selected rules.
pub struct Judgement {
    /// Each rule with its verdict, in the order of [`RULES`](super::RULES).
    pub rules: Vec<(&'static Rule, Verdict)>,
    /// How many events of incidents arrived, even if they could not be read.
    pub events: u64,
    /// Whether a profile says how the stream is read, so that its events are of no incidents.
    pub is_foreign: bool,
    /// What is worth knowing beside the verdicts: about the server's clock, and what was not judged. One sentence each.
    pub warnings: Vec<String>,
    /// What of the user's contract is not checked, a sentence each.
    pub left_out: Vec<String>,
}

impl Judge {
    /// A judge of the rules whose names `selected` accepts. If `is_compared`, other connections will be compared with
    /// the main one.
    pub fn new(context: Context, is_compared: bool, selected: impl Fn(&str) -> bool) -> Self {
        let profile = context.profile.clone();
        Self {
            context,
            found: Found::new(selected),
            control: Control::default(),
            numbering: profile.as_deref().map(Strangers::numbering).unwrap_or_default(),
            strangers: profile.map(Strangers::new),
            clock: Clock::default(),
            incidents: Incidents::default(),
            expectations: Expectations::default(),
            unreadable: 0,
            further: Further::default(),
            by_position: ByPosition::new(is_compared),
            events: 0,
            texts: 0,
            foreign: 0,
            ended: None,
            comment: None,
            is_cut: false,
        }
    }

    /// Takes an observation. Returns what a text says of itself.
    pub fn see(&mut self, observed: &Observed, reader: &Reader) -> Note {
        let mut note = Note::default();
        match &observed.what {
            Observation::Text(text) => {
                note = self.read(observed.connection, reader.read(observed.line, observed.at, text));
            }
            Observation::Event(event) => {
                note = self.read(observed.connection, reader.event(observed.line, observed.at, event));
            }
            Observation::Comment(comment) if observed.connection == MAIN => {
                self.comment = Some(cut(comment));
                self.alive(observed);
            }
            Observation::Opened(purpose) if observed.connection != MAIN => {
                self.open(observed.connection, purpose.clone(), None);
            }
            Observation::Refused(purpose, status) if observed.connection != MAIN => {
                self.open(observed.connection, purpose.clone(), Some(*status));
            }
            Observation::Opened(_) => {
                self.found.judged(RuleId::Connection);
                self.alive(observed);
            }
            Observation::Stopped(must_resolve) if observed.connection == MAIN => {
                self.ended = self.ended.or(observed.at);
                self.context.must_resolve = must_resolve.clone();
            }
            Observation::Closed(closing) if observed.connection == MAIN => {
                self.is_cut = true;
                self.ended = observed.at;
                if *closing == Closing::Left {
                    return note;
                }
                let said = self.comment.as_deref();
                self.found.add(RuleId::Connection, connection::ended_early(closing, said, observed));
            }
            Observation::Binary(bytes) if observed.connection == MAIN => {
                self.lose_one();
                self.found.add(RuleId::Connection, connection::binary(*bytes, observed));
            }
            Observation::Closed(closing) => self.further.closed(closing, observed),
            Observation::Binary(bytes) => self.further.binary(*bytes, observed),
            Observation::Refused(..) | Observation::Comment(_) | Observation::Stopped(_) => {}
        }
        note
    }

    fn read(&mut self, connection: u32, frame: Frame) -> Note {
        let mut note = frame.note();
        note.foreign = self.strangers.as_ref().and_then(|strangers| strangers.note(&frame, &self.context));
        let compared = |judge: &Self| judge.strangers.as_ref().map_or(0, Strangers::compared);
        let before = compared(self);
        self.take(connection, frame);
        if let Some(event) = &mut note.foreign {
            event.count = Some(compared(self)).filter(|count| *count > before);
        }
        note
    }

    fn open(&mut self, connection: u32, purpose: Purpose, refused: Option<u16>) {
        match &mut self.strangers {
            Some(strangers) => strangers.open(connection, &purpose),
            None => self.by_position.open(connection),
        }
        self.further.open(connection, purpose, refused);
    }

    /// The main connection was opened, or something came on it that is not a message.
    fn alive(&mut self, observed: &Observed) {
        if let Some(strangers) = &mut self.strangers {
            strangers.alive(observed.at, observed.line, &self.context, &mut self.found);
        }
    }

    /// Takes a frame that was read.
    pub fn take(&mut self, connection: u32, mut frame: Frame) {
        if connection != MAIN {
            self.further.see(connection, &mut frame, self.strangers.is_some());
            match &mut self.strangers {
                Some(strangers) => strangers.see(connection, &frame),
                None => self.by_position.see(connection, &frame),
            }
            return;
        }
        self.texts += 1;
        if let Some(strangers) = &mut self.strangers {
            let (context, found) = (&self.context, &mut self.found);
            let mut shared =
                Shared { context, numbering: &mut self.numbering, clock: &mut self.clock, found };
            strangers.take(frame, &mut shared);
            return;
        }
        self.found.judged(RuleId::Envelope);
        self.control.see(&frame, &self.context, &mut self.found);
        let has_payload =
            frame.message.is_some() || frame.faults.iter().any(|(rule, _)| *rule == RuleId::Schema);
        if has_payload {
            self.found.judged(RuleId::Schema);
        }
        self.unknown_type(&mut frame);
        let envelope_is_wrong = frame.faults.iter().any(|(rule, _)| *rule == RuleId::Envelope);
        for (rule, finding) in std::mem::take(&mut frame.faults) {
            // A wrong envelope is the cause: what the payload lacks then says nothing more.
            if rule == RuleId::Envelope || !envelope_is_wrong {
                self.found.add(rule, finding);
                frame.is_faulty = true;
            }
        }
        let Some(head) = &frame.head else {
            self.lose_one();
            return;
        };
        match &head.sender {
            Sender::Stream(stream) if !frame.kind().is_some_and(MessageType::is_control) => {
                let stream = stream.clone();
                self.event(&stream, frame);
            }
            _ if envelope_is_wrong && frame.kind().is_some_and(MessageType::is_control) => {
                self.numbering.lose_one();
            }
            _ if envelope_is_wrong => {
                let is_known = self.incidents.lose_of(head.subject.as_deref());
                self.numbering.lose_one();
                self.unreadable += u64::from(!is_known);
            }
            Sender::Server | Sender::Stream(_) => self.message_of_server(&frame),
            Sender::Other => self.foreign += 1,
        }
    }

    /// An event of a type that nobody knows is a fault, unless the server has a newer contract.
    fn unknown_type(&mut self, frame: &mut Frame) {
        let is_newer = self.control.greeting.as_ref().is_some_and(|greeting| greeting.is_newer);
        let Some(head) = frame.head.as_ref().filter(|head| matches!(head.sender, Sender::Stream(_))) else {
            return;
        };
        if frame.kind().is_some() || is_newer || head.kind.is_empty() {
            return;
        }
        let known = MessageType::ALL.iter().filter(|kind| !kind.is_control()).map(|kind| kind.as_str());
        let text = format!(
            "the type is \"{}\"; expected one of {}",
            cut(&head.kind),
            known.collect::<Vec<_>>().join(", ")
        );
        let finding = Finding::new(text).at(frame).field("/type");
        self.found.judged(RuleId::Schema);
        frame.faults.push((RuleId::Schema, finding));
    }

    fn message_of_server(&mut self, frame: &Frame) {
        match &frame.message {
            Some(Message::StreamOpened(opened)) => {
                self.control.greet(opened, frame, &self.context, &mut self.numbering, &mut self.found);
            }
            Some(Message::Heartbeat(beat)) if self.context.arrivals || self.control.greeting.is_some() => {
                self.control.beat(beat, frame, &mut self.numbering, &mut self.found);
            }
            _ => {}
        }
    }

    fn event(&mut self, stream: &str, mut frame: Frame) {
        self.events += 1;
        if frame.is_faulty && frame.head.as_ref().is_some_and(|head| head.time.is_none()) {
            frame.message = None;
        }
        let Some(head) = &frame.head else { return };
        if self.control.is_foreign(stream, &frame, &mut self.found) {
            self.numbering.lose_one();
            self.incidents.lose(head.subject.as_deref());
            return;
        }
        if self.numbering.stream(stream).is_none() && self.numbering.streams() >= MOST_STREAMS {
            self.incidents.followed.leave_out_stream();
            return;
        }
        let Some(position) = head.position else {
            self.numbering.lose_one();
            self.incidents.lose(head.subject.as_deref());
            return;
        };
        self.control.arrived(position, &mut self.found);
        let is_new = match (&head.subject, head.index) {
            (Some(subject), Some(index)) => self.incidents.expects(subject, index),
            _ => false,
        };
        let mut standing = self.numbering.see(stream, position, is_new, &frame, &mut self.found);
        if let Some(wrong) = self.numbering.corrected {
            self.by_position.forget_first(wrong);
        }
        let unplaced = std::mem::take(&mut self.unreadable);
        self.incidents.lose_unknown(unplaced.min(self.numbering.excused));
        match standing {
            Standing::Repeated => {
                self.by_position.repeat_first(position);
                return;
            }
            // The rest of it may be right.
            Standing::Misnumbered => standing = Standing::Next,
            Standing::Next | Standing::AfterGap | Standing::Late => {
                self.by_position.see_first(position, &frame);
            }
        }
        let (Some(subject), Some(index)) = (head.subject.clone(), head.index) else {
            self.incidents.lose(head.subject.as_deref());
            return;
        };
        let is_live = position > self.control.replayed_to();
        let before = self.incidents.last_time(&subject);
        if standing != Standing::Late
            && !self.clock.see(stream, before, is_live, &frame, &self.context, &mut self.found)
            && let Some(head) = &mut frame.head
        {
            head.time = None;
        }
        let expected = match (&self.context.expect, &frame.message) {
            (Some(expected), Some(Message::IncidentStarted(started))) => {
                self.expectations.of(expected, &subject, started, &mut self.incidents.warnings)
            }
            _ => None,
        };
        let positions = self.numbering.stream(stream);
        let greeting = self.control.greeting.as_ref();
        let about = Stream {
            context: &self.context,
            is_live,
            unseen: positions.and_then(super::numbering::Positions::first).unwrap_or(1) - 1,
            has_holes: standing != Standing::Next
                || positions.is_some_and(super::numbering::Positions::has_holes),
            promises_start: greeting.is_some_and(|greeting| greeting.promises_start),
            expected,
        };
        self.incidents.see(&subject, index, standing, frame, &about, &mut self.found);
    }

    /// A message arrived of which nothing can be read.
    fn lose_one(&mut self) {
        self.numbering.lose_one();
        self.unreadable += 1;
    }

    /// The stream is not judged to its end: no incident must be resolved by now.
    pub fn interrupt(&mut self) {
        self.context.must_resolve = MustResolve::None;
    }

    /// Judges the end of the stream.
    pub fn finish(mut self) -> Judgement {
        self.numbering.finish(self.is_cut, &mut self.found);
        self.clock.finish(&self.context, &mut self.found);
        self.control.finish(self.ended, &self.context, &mut self.found);
        let end = StreamEnd {
            context: &self.context,
            ended: self.ended,
            is_lost: self.is_cut || self.numbering.unreadable() > 0,
            is_cut: self.is_cut,
        };
        self.incidents.finish(&end, &mut self.found);
        let first = First {
            stream: self.control.greeting.as_ref().map(|greeting| greeting.stream.as_str()),
            is_cut: self.is_cut,
            ended: self.ended,
            is_foreign: self.strangers.is_some(),
        };
        self.further.finish(&first, &mut self.found);
        match &mut self.strangers {
            Some(strangers) => {
                strangers.finish(self.ended, self.is_cut, &self.further, &self.context, &mut self.found);
                self.events = strangers.events;
            }
            None => self.by_position.finish(&self.further, &mut self.found),
        }
        let (events, is_foreign) = (self.events, self.strangers.is_some());
        let mut warnings = self.clock.warnings.finish();
        warnings.extend(self.incidents.warnings.finish());
        let strangers = self.strangers.as_ref().and_then(Strangers::warning);
        warnings.extend(self.incidents.followed.warning().or(strangers));
        let contract = self.context.contract.as_ref();
        let left_out = contract.map_or_else(Vec::new, |contract| contract.left_out().to_vec());
        let uncompared = self.clock.uncompared(&self.context);
        let rules = self.verdicts();
        // A rule that was not checked at all says why by itself.
        let is_clock = |(rule, verdict): &(&Rule, Verdict)| {
            rule.name == RuleId::Clock.rule().name && matches!(verdict, Verdict::Passed(_))
        };
        warnings.extend(uncompared.filter(|_| rules.iter().any(is_clock)));
        Judgement { rules, events, is_foreign, warnings, left_out }
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge")
            .field("events", &self.events)
            .field("texts", &self.texts)
            .finish_non_exhaustive()
    }
}
