//! Judges the messages of another program: takes each of them to the folds of the rules.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::super::clock::Clock;
use super::super::context::Context;
use super::super::finding::{Finding, Place, Spot, quoted};
use super::super::frame::{Foreign, ForeignNote, ForeignRole, Frame};
use super::super::further::Further;
use super::super::head::Sender;
use super::super::numbering::{Numbering, Standing};
use super::super::observation::Purpose;
use super::super::profile::Profile;
use super::super::rules::{Found, RuleId};
use super::in_order::InOrder;
use super::lives::{Lives, SUBJECTS};
use super::quiet::Quiet;
use super::recent::Recent;

/// How many keys are followed. The numbers and times of further ones are not judged.
const KEYS: usize = 100_000;

/// Judges the stream of another program.
pub(in crate::check) struct Strangers {
    pub(super) profile: Arc<Profile>,
    /// How many events came on the main connection.
    pub(in crate::check) events: u64,
    /// The keys, and how many ids the next one of each makes compared: the first one is compared with the second.
    keys: HashMap<String, u8>,
    /// Events of further keys.
    unfollowed: u64,
    ids: Recent,
    pub(super) lives: Lives,
    pub(super) quiet: Quiet,
    pub(super) in_order: InOrder,
}

/// What the folds have in common with those for our own stream.
pub(in crate::check) struct Shared<'a> {
    pub(in crate::check) context: &'a Context,
    pub(in crate::check) numbering: &'a mut Numbering,
    pub(in crate::check) clock: &'a mut Clock,
    pub(in crate::check) found: &'a mut Found,
}

impl Strangers {
    pub(in crate::check) fn new(profile: Arc<Profile>) -> Self {
        Self {
            profile,
            events: 0,
            keys: HashMap::new(),
            unfollowed: 0,
            ids: Recent::default(),
            lives: Lives::default(),
            quiet: Quiet::default(),
            in_order: InOrder::default(),
        }
    }

    /// The numbering of the profile's sequence numbers.
    pub(in crate::check) fn numbering(profile: &Profile) -> Numbering {
        Numbering::new("sequence number", !profile.is_gapless)
    }

    /// What an event says of itself; `None` for what is no event.
    pub(in crate::check) fn note(&self, frame: &Frame, context: &Context) -> Option<ForeignNote> {
        let foreign = frame.foreign.as_ref().filter(|foreign| foreign.role != ForeignRole::Control)?;
        Some(ForeignNote {
            count: None,
            identity: foreign.identity,
            ends: foreign.role == ForeignRole::End && self.is_live(frame, context).unwrap_or(true),
            bookmark: foreign.bookmark.clone(),
        })
    }

    /// How many events of the main connection are compared with those of others.
    pub(in crate::check) fn compared(&self) -> u64 {
        self.in_order.count()
    }

    pub(in crate::check) fn open(&mut self, connection: u32, purpose: &Purpose) {
        self.in_order.open(connection, purpose);
    }

    /// Takes a message of another connection.
    pub(in crate::check) fn see(&mut self, connection: u32, frame: &Frame) {
        self.in_order.see(connection, frame);
    }

    /// The main connection was opened, or something came on it that is not a message.
    pub(in crate::check) fn alive(
        &mut self,
        at: Option<Duration>,
        line: usize,
        context: &Context,
        found: &mut Found,
    ) {
        let place = Place { line, spot: Spot::default() };
        self.quiet.see(at, place, &self.profile, context, found);
    }

    /// Takes a message of the main connection.
    pub(in crate::check) fn take(&mut self, mut frame: Frame, shared: &mut Shared<'_>) {
        let profile = self.profile.clone();
        self.quiet.see(frame.arrival, frame.place(), &profile, shared.context, shared.found);
        // Of what is ignored only the type is read.
        let is_ignored = |foreign: &Foreign| foreign.role == ForeignRole::Control;
        let is_held = profile.is_json || profile.names_fields() || shared.context.contract.is_some();
        if is_held && !frame.foreign.as_deref().is_some_and(is_ignored) {
            shared.found.judged(RuleId::Schema);
        }
        if profile.envelope.is_some() {
            shared.found.judged(RuleId::Envelope);
        }
        for (rule, finding) in std::mem::take(&mut frame.faults) {
            shared.found.add(rule, finding);
            frame.is_faulty = true;
        }
        match frame.foreign.take() {
            None => shared.numbering.lose_one(),
            Some(foreign) if foreign.role == ForeignRole::Control => {}
            Some(foreign) => {
                self.events += 1;
                let role = foreign.role;
                frame.foreign = Some(foreign);
                self.event(&frame, role, shared);
            }
        }
    }

    fn event(&mut self, frame: &Frame, role: ForeignRole, shared: &mut Shared<'_>) {
        let Some(head) = &frame.head else { return };
        let key = match &head.sender {
            Sender::Stream(key) => key.as_str(),
            Sender::Server | Sender::Other => "",
        };
        let is_new = !self.keys.contains_key(key);
        if is_new && self.keys.len() >= KEYS {
            self.unfollowed += 1;
            self.in_order.see_first(frame, self.events);
            return;
        }
        if is_new {
            self.keys.insert(key.to_owned(), 0);
        }
        let standing = self.sequence(key, is_new, head.position, frame, shared);
        // With a sequence number of its own an event is another one, whatever its id.
        let is_known = standing != Standing::Repeated && self.is_known(key, frame, shared.found);
        if standing == Standing::Repeated || (is_known && head.position.is_none()) {
            self.in_order.repeat(frame);
            return;
        }
        self.in_order.see_first(frame, self.events);
        if standing == Standing::Late {
            // Its time and its place in the life of its subject say nothing more than its number.
            self.in_order.disorder();
            return;
        }
        self.time(key, frame, shared);
        if let (Some(subject), true) = (&head.subject, self.profile.has_lifecycle()) {
            let at_first = self.profile.subject.is_none()
                && !self.profile.begins.is_empty()
                && self.profile.first.is_some()
                && head.position == self.profile.first;
            self.lives.see(subject, role, at_first, frame, shared.found);
        }
    }

    /// Judges the sequence number.
    fn sequence(
        &mut self,
        key: &str,
        is_new: bool,
        position: Option<u64>,
        frame: &Frame,
        shared: &mut Shared<'_>,
    ) -> Standing {
        if self.profile.sequence.is_none() {
            return Standing::Next;
        }
        let Some(n) = position else {
            if frame.is_faulty {
                shared.numbering.lose_one();
            }
            return Standing::Next;
        };
        // A recording may begin anywhere.
        if let Some(first) = self.profile.first.filter(|_| is_new && shared.context.began.is_some()) {
            if n < first {
                let text = format!("the sequence begins with {n}; expected {first}");
                shared.found.add(RuleId::Order, Finding::new(text).at(frame));
            } else {
                shared.numbering.announce(key, (first, first.saturating_sub(1)), frame);
            }
        }
        shared.numbering.see(key, n, false, frame, shared.found)
    }

    /// Whether the id came before, which is reported.
    fn is_known(&mut self, key: &str, frame: &Frame, found: &mut Found) -> bool {
        let id = frame.foreign.as_ref().and_then(|foreign| foreign.bookmark.id.as_deref());
        let Some(id) = id.filter(|_| self.profile.is_unique) else { return false };
        let mut hasher = DefaultHasher::new();
        (key, id).hash(&mut hasher);
        if let Some(compared) = self.keys.get_mut(key) {
            (0..*compared).for_each(|_| found.judged(RuleId::Duplicate));
            *compared = if *compared == 0 { 2 } else { 1 };
        }
        let is_known = !self.ids.add(hasher.finish());
        if is_known {
            found.add(
                RuleId::Duplicate,
                Finding::new(format!("the id {} arrived twice", quoted(id))).at(frame),
            );
        }
        is_known
    }

    /// Judges the time.
    fn time(&self, key: &str, frame: &Frame, shared: &mut Shared<'_>) {
        let Some(time) = frame.head.as_ref().and_then(|head| head.time) else {
            shared.clock.timeless += u64::from(!frame.is_faulty && self.profile.time.is_some());
            return;
        };
        let is_live = self.is_live(frame, shared.context) == Some(true);
        if self.profile.is_rising {
            // However far it falls: nothing is known of the server's clock.
            let before = Some(jiff::Timestamp::MAX);
            shared.clock.see(key, before, is_live, frame, shared.context, shared.found);
        } else if is_live && shared.clock.arrive(time, frame, shared.context, shared.found) {
            shared.found.judged(RuleId::Clock);
        }
    }

    /// Whether an event is live: what happened before the connection was opened is a replay. `None` if that is not known.
    fn is_live(&self, frame: &Frame, context: &Context) -> Option<bool> {
        let time = frame.head.as_ref()?.time?;
        Some(!self.profile.replays || context.began.is_some_and(|began| time >= began))
    }

    /// Judges the end of the stream.
    pub(in crate::check) fn finish(
        &mut self,
        ended: Option<Duration>,
        is_cut: bool,
        further: &Further,
        context: &Context,
        found: &mut Found,
    ) {
        self.quiet.finish(ended, &self.profile, context, found);
        self.lives.finish(context, is_cut, found);
        self.in_order.finish(further, &self.profile, found);
    }

    /// What was not judged.
    pub(in crate::check) fn warning(&self) -> Option<String> {
        let others = [("keys", KEYS, self.unfollowed), ("subjects", SUBJECTS, self.lives.unfollowed)];
        let said = others.into_iter().filter(|(.., events)| *events > 0).map(|(what, most, events)| {
            format!(
                "{events} events were not judged by their {what}, because at most {most} {what} are followed"
            )
        });
        let said: Vec<String> = said.collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}
