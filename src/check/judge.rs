//! Judges a stream while it arrives. Each observation is taken once and in order, and the memory does not grow with the
//! length of the stream.

use std::collections::HashMap;
use std::time::Duration;

use super::clock::Clock;
use super::connection;
use super::context::{Context, MustResolve};
use super::control::Control;
use super::finding::{Finding, Place, Verdict, cut};
use super::followed::Followed;
use super::foreign::{Shared, Strangers};
use super::frame::{Frame, Note};
use super::head::Sender;
use super::incident::{End, Incident, Stream};
use super::numbering::{Numbering, Standing};
use super::observation::{MAIN, Observation, Observed, Purpose};
use super::outcomes::Outcomes;
use super::probes::Probes;
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
    incidents: HashMap<String, State>,
    followed: Followed,
    pub(super) outcomes: Outcomes,
    pub(super) probes: Probes,
    /// The judging of another program's stream; `None` for our own.
    pub(super) strangers: Option<Strangers>,
    /// Events of the stream, also those that can't be read.
    pub(super) events: u64,
    texts: u64,
    /// Messages of other senders.
    pub(super) foreign: u64,
    /// Events whose incident or index is not known: each explains one missing index of any incident.
    unplaced: u64,
    pub(super) longest_delay: f64,
    pub(super) longest_silence: f64,
    ended: Option<Duration>,
    /// Whether the connection ended before the validator wanted it to.
    is_cut: bool,
}

#[derive(Debug)]
enum State {
    Open(Box<Incident>),
    /// It is over: how many events came after the end, and where the first of them was.
    Over(u64, Option<Place>),
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
            incidents: HashMap::new(),
            followed: Followed::default(),
            outcomes: Outcomes::default(),
            probes: Probes::new(is_compared),
            events: 0,
            texts: 0,
            foreign: 0,
            unplaced: 0,
            longest_delay: 0.0,
            longest_silence: 0.0,
            ended: None,
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
            Observation::Comment(_) if observed.connection == MAIN => self.alive(observed),
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
                self.found.add(RuleId::Connection, connection::ended_early(closing, observed));
            }
            Observation::Binary(bytes) if observed.connection == MAIN => {
                self.numbering.lose_one();
                self.found.add(RuleId::Connection, connection::binary(*bytes, observed));
            }
            Observation::Refused(..)
            | Observation::Comment(_)
            | Observation::Binary(_)
            | Observation::Closed(_)
            | Observation::Stopped(_) => {}
        }
        note
    }

    fn read(&mut self, connection: u32, frame: Frame) -> Note {
        let mut note = frame.note();
        note.foreign = self.strangers.as_ref().and_then(|strangers| strangers.note(&frame, &self.context));
        let remembered = |judge: &Self| judge.strangers.as_ref().map_or(0, Strangers::remembered);
        let before = remembered(self);
        self.take(connection, frame);
        if let Some(event) = &mut note.foreign {
            event.count = Some(remembered(self)).filter(|count| *count > before);
        }
        note
    }

    fn open(&mut self, connection: u32, purpose: Purpose, refused: Option<u16>) {
        match &mut self.strangers {
            Some(strangers) => strangers.open(connection, purpose, refused),
            None => self.probes.open(connection, purpose, refused),
        }
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
            match &mut self.strangers {
                Some(strangers) => strangers.see(connection, &frame),
                None => self.probes.see(connection, &frame),
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
            self.numbering.lose_one();
            return;
        };
        match &head.sender {
            Sender::Stream(stream) if !frame.kind().is_some_and(MessageType::is_control) => {
                let stream = stream.clone();
                self.event(&stream, frame);
            }
            _ if envelope_is_wrong => self.numbering.lose_one(),
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
            self.lose(head.subject.clone());
            return;
        }
        let Some(position) = head.position else {
            self.numbering.lose_one();
            self.lose(head.subject.clone());
            return;
        };
        self.probes.see_main(position, &frame);
        self.control.arrived(position, &mut self.found);
        let standing = self.numbering.see(stream, position, &frame, &mut self.found);
        if standing == Standing::Repeated {
            return;
        }
        let (Some(subject), Some(index)) = (head.subject.clone(), head.index) else {
            self.lose(head.subject.clone());
            return;
        };
        let is_live = position > self.control.replayed_to();
        let before = match self.incidents.get(&subject) {
            Some(State::Open(incident)) => incident.last_time,
            _ => None,
        };
        if standing != Standing::Late
            && !self.clock.see(stream, before, is_live, &frame, &self.context, &mut self.found)
            && let Some(head) = &mut frame.head
        {
            head.time = None;
        }
        let positions = self.numbering.stream(stream);
        let greeting = self.control.greeting.as_ref();
        let about = Stream {
            context: &self.context,
            is_live,
            unseen: positions.and_then(super::numbering::Positions::first).unwrap_or(1) - 1,
            has_holes: standing != Standing::Next
                || positions.is_some_and(super::numbering::Positions::has_holes),
            promises_start: greeting.is_some_and(|greeting| greeting.promises_start),
        };
        let known = self.incidents.len();
        let state = match self.incidents.get_mut(&subject) {
            Some(state) => state,
            None if !self.followed.admits(known) => return,
            None => {
                let new = State::Open(Box::new(Incident::new(&subject)));
                self.incidents.entry(subject).or_insert(new)
            }
        };
        match state {
            State::Over(after, place) => {
                if standing != Standing::Late {
                    *after += 1;
                    place.get_or_insert_with(|| frame.place());
                }
            }
            State::Open(incident) => {
                let jumps = index > incident.last_index() + 1;
                let standing = if jumps && standing == Standing::Next && self.unplaced > 0 {
                    self.unplaced -= 1;
                    Standing::AfterGap
                } else {
                    standing
                };
                if incident.see(frame, index, standing, &about, &mut self.found) {
                    let end = End { context: &self.context, ended: None, is_due: false };
                    self.longest_delay = self.longest_delay.max(incident.finish(&end, &mut self.found));
                    self.longest_silence = self.longest_silence.max(incident.silence.longest);
                    self.clock.warnings.add(incident.clock_warning());
                    self.outcomes.count(incident.outcome, true);
                    *state = State::Over(0, None);
                    self.followed.end();
                }
            }
        }
    }

    /// An event arrived whose place is not known.
    fn lose(&mut self, subject: Option<String>) {
        match subject.and_then(|subject| self.incidents.get_mut(&subject)) {
            Some(State::Open(incident)) => incident.lose(),
            _ => self.unplaced += 1,
        }
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
        if let MustResolve::Only(id) = &self.context.must_resolve
            && !self.incidents.contains_key(id)
            && !self.is_cut
        {
            let text = format!("{} was triggered, but no event of it arrived", cut(id));
            self.found.add(RuleId::Lifecycle, Finding::new(text));
        }
        let mut incidents: Vec<_> = std::mem::take(&mut self.incidents).into_iter().collect();
        incidents.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (id, state) in incidents {
            match state {
                State::Open(mut incident) => {
                    // If the connection was cut, or the last message can't be read, that is why the end is missing.
                    let is_lost = self.is_cut || self.unplaced > 0 || self.numbering.unreadable() > 0;
                    let is_due = self.context.must_resolve.requires(&id) && !is_lost;
                    let end = End { context: &self.context, ended: self.ended, is_due };
                    self.longest_delay = self.longest_delay.max(incident.finish(&end, &mut self.found));
                    self.longest_silence = self.longest_silence.max(incident.silence.longest);
                    self.clock.warnings.add(incident.clock_warning());
                    self.outcomes.count(None, false);
                }
                State::Over(0, _) => {}
                State::Over(after, place) => {
                    let events = if after == 1 { "event" } else { "events" };
                    let text = format!("{} has {after} {events} after its resolution", cut(&id));
                    self.found.add(RuleId::Lifecycle, Finding::new(text).place(&place.unwrap_or_default()));
                }
            }
        }
        self.probes.finish(&mut self.found);
        if let Some(strangers) = &mut self.strangers {
            strangers.finish(self.ended, self.is_cut, &self.context, &mut self.found);
            self.events = strangers.events;
        }
        let (events, is_foreign) = (self.events, self.strangers.is_some());
        let mut warnings = self.clock.warnings.finish();
        let strangers = self.strangers.as_ref().and_then(Strangers::warning);
        warnings.extend(self.followed.warning().or(strangers));
        Judgement { rules: self.verdicts(), events, is_foreign, warnings }
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
