//! Further connections, by themselves: their greetings, envelopes and payloads, and how they ended. The rules are those of
//! the first connection. What they got is compared with what the first one got in `by_position.rs` and
//! `foreign/in_order.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::connection;
use super::control::{wrong_first, wrong_greeting};
use super::finding::{Finding, cut, quoted};
use super::frame::Frame;
use super::head::Sender;
use super::observation::{Closing, Observed, Promise, Purpose};
use super::rules::{Found, RuleId};
use crate::contract::{Message, MessageType, StreamOpened};

/// How many faults of a connection are remembered.
const KEPT: usize = 20;

/// The server may end all connections at the same moment. One that ends this much before the first one ends by itself.
const TOGETHER: Duration = Duration::from_secs(1);

/// All further connections, by number.
#[derive(Debug, Default)]
pub(super) struct Further {
    connections: BTreeMap<u32, Connection>,
}

/// A further connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) purpose: Purpose,
    /// The HTTP status with which it was refused.
    pub(super) refused: Option<u16>,
    /// Why there was no connection.
    pub(super) failed: Option<String>,
    /// Whether any message came.
    pub(super) has_messages: bool,
    /// The greeting.
    opened: Option<StreamOpened>,
    /// Whether the greeting agrees with itself.
    is_sound: bool,
    faults: Vec<Fault>,
    closing: Option<Ended>,
    /// Whether the first connection says why the end of the stream is missing here, or this one's closing does.
    pub(super) is_cut: bool,
    /// Whether what it got can be compared: nothing that was found here makes it differ.
    pub(super) is_comparable: bool,
    /// Whether a rule that is not about comparing has found something.
    pub(super) has_faults: bool,
}

#[derive(Debug)]
struct Fault {
    rule: RuleId,
    finding: Finding,
    /// Whether the events that came say nothing more because of it.
    hides_events: bool,
    /// Whether it is that something is of another stream than the greeting.
    is_of_stream: bool,
}

#[derive(Debug)]
struct Ended {
    closing: Closing,
    at: Option<Duration>,
    finding: Finding,
}

/// The first connection, as far as the others are judged by it.
pub(super) struct First<'a> {
    pub(super) stream: Option<&'a str>,
    pub(super) is_cut: bool,
    pub(super) ended: Option<Duration>,
    /// Whether the stream is of another program: it has no greeting.
    pub(super) is_foreign: bool,
}

impl Further {
    pub(super) fn open(&mut self, number: u32, purpose: Purpose, refused: Option<u16>) {
        let (purpose, failed) = purpose.split();
        let connection = Connection {
            purpose,
            refused,
            failed,
            has_messages: false,
            opened: None,
            is_sound: true,
            faults: Vec::new(),
            closing: None,
            is_cut: false,
            is_comparable: true,
            has_faults: false,
        };
        self.connections.insert(number, connection);
    }

    /// Takes a message. Its faults are taken out of it.
    pub(super) fn see(&mut self, number: u32, frame: &mut Frame, is_foreign: bool) {
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.see(frame, is_foreign);
        }
    }

    pub(super) fn closed(&mut self, closing: &Closing, observed: &Observed) {
        if let Some(connection) = self.connections.get_mut(&observed.connection) {
            let finding = connection::ended_early(closing, None, observed);
            connection.closing = Some(Ended { closing: closing.clone(), at: observed.at, finding });
        }
    }

    pub(super) fn binary(&mut self, bytes: usize, observed: &Observed) {
        if let Some(connection) = self.connections.get_mut(&observed.connection) {
            connection.note(RuleId::Connection, connection::binary(bytes, observed), true);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Connection)> {
        self.connections.iter().map(|(number, connection)| (*number, connection))
    }

    /// `, beside one that read nothing`.
    pub(super) fn stalled_in_words(&self) -> &'static str {
        let is_stalled = |one: &Connection| one.purpose == Purpose::Stalled && unconnected(one).is_none();
        if self.connections.values().any(is_stalled) { ", beside one that read nothing" } else { "" }
    }

    /// Judges all of them by themselves. A fault that the first connection has too, or one before, is told once.
    pub(super) fn finish(&mut self, first: &First<'_>, found: &mut Found) {
        let mut told = BTreeSet::new();
        for (number, connection) in &mut self.connections {
            let who = connection.who(*number, first.is_foreign);
            connection.compare_streams(first);
            connection.end(first);
            if connection.is_to_be_refused() {
                // That it was not refused is the fault.
                connection.faults.clear();
            }
            connection.has_faults = !connection.faults.is_empty();
            for Fault { rule, mut finding, hides_events, .. } in std::mem::take(&mut connection.faults) {
                if found.knows(rule, &finding) {
                    continue;
                }
                connection.is_comparable &= !hides_events;
                // How long the connection lasted differs.
                let is_new = rule == RuleId::Connection
                    || told.insert((rule as usize, finding.message.clone(), finding.pointer.clone()));
                if is_new {
                    finding.message = format!("{who}: {}", finding.message);
                    found.add(rule, finding);
                }
            }
        }
    }
}

impl Connection {
    /// What findings call it.
    fn who(&self, number: u32, is_foreign: bool) -> String {
        match &self.purpose {
            Purpose::Resume(after) if is_foreign => format!("after the cut at event {after}"),
            Purpose::Resume(after) => format!("after the cut at position {after}"),
            Purpose::Position(position, _) => format!("asked for the position {}", quoted(position)),
            Purpose::Stalled => format!("client {number}, which reads nothing"),
            Purpose::Twin | Purpose::Follow | Purpose::Failed(..) => format!("client {number}"),
        }
    }

    /// The greeting, if it agrees with itself.
    pub(super) fn greeting(&self) -> Option<&StreamOpened> {
        self.opened.as_ref().filter(|_| self.is_sound)
    }

    /// Whether a server that keeps the contract refuses it.
    fn is_to_be_refused(&self) -> bool {
        matches!(self.purpose, Purpose::Position(_, Promise::BadRequest))
    }

    fn note(&mut self, rule: RuleId, finding: Finding, hides_events: bool) {
        if self.faults.len() < KEPT {
            self.faults.push(Fault { rule, finding, hides_events, is_of_stream: false });
        }
    }

    /// Something is of another stream than the greeting. Each further message of it says nothing new.
    fn note_stream(&mut self, rule: RuleId, finding: Finding, hides_events: bool) {
        let same = |fault: &Fault| fault.is_of_stream && fault.rule == rule;
        if self.faults.len() < KEPT && !self.faults.iter().any(same) {
            self.faults.push(Fault { rule, finding, hides_events, is_of_stream: true });
        }
    }

    fn see(&mut self, frame: &mut Frame, is_foreign: bool) {
        let first = !std::mem::replace(&mut self.has_messages, true);
        if first
            && !is_foreign
            && let Some(wrong) = wrong_first(frame)
        {
            self.note(RuleId::Greeting, wrong, false);
        }
        let envelope_is_wrong = frame.faults.iter().any(|(rule, _)| *rule == RuleId::Envelope);
        for (rule, finding) in std::mem::take(&mut frame.faults) {
            if rule == RuleId::Envelope || !envelope_is_wrong {
                self.note(rule, finding, true);
                frame.is_faulty = true;
            }
        }
        if is_foreign || envelope_is_wrong {
            return;
        }
        let stream = match frame.head.as_ref().map(|head| &head.sender) {
            Some(Sender::Stream(stream)) if !frame.kind().is_some_and(MessageType::is_control) => {
                Some(stream)
            }
            _ => None,
        };
        match (&frame.message, stream, &self.opened) {
            (Some(Message::StreamOpened(opened)), None, None) => {
                let wrong = wrong_greeting(opened, frame);
                self.opened = Some(opened.clone());
                if let Some((finding, field)) = wrong {
                    self.is_sound = field == "contract";
                    self.note(RuleId::Greeting, finding, false);
                }
            }
            (Some(Message::StreamOpened(_)), None, Some(_)) => {
                let text = "stream_opened came twice on one connection";
                self.note(RuleId::Greeting, Finding::new(text).at(frame), false);
            }
            (Some(Message::Heartbeat(beat)), None, Some(opened)) if beat.stream != opened.stream => {
                let text = format!(
                    "the heartbeat is of stream {}; expected {}",
                    quoted(&beat.stream),
                    quoted(&opened.stream)
                );
                let finding = Finding::new(text).at(frame).field("/data/stream");
                self.note_stream(RuleId::Heartbeat, finding, false);
            }
            (_, Some(stream), Some(opened)) if *stream != opened.stream => {
                let text = format!(
                    "an event of stream {} arrived; stream_opened announced {}",
                    quoted(stream),
                    quoted(&opened.stream)
                );
                self.note_stream(RuleId::Greeting, Finding::new(text).at(frame).field("/source"), true);
            }
            _ => {}
        }
    }

    /// Whether the greeting is of the stream that the first connection follows.
    fn compare_streams(&mut self, first: &First<'_>) {
        let (Some(opened), Some(stream)) = (&self.opened, first.stream) else { return };
        if opened.stream != stream {
            let text = format!(
                "stream_opened is of stream {}; the first connection's is of {}",
                quoted(&opened.stream),
                quoted(stream)
            );
            // Then its events and heartbeats are of another stream than one of the two greetings says.
            self.faults.retain(|fault| !fault.is_of_stream);
            self.note(RuleId::Greeting, Finding::new(text).field("/data/stream"), true);
        }
    }

    /// Judges how it ended.
    fn end(&mut self, first: &First<'_>) {
        self.is_cut = first.is_cut;
        let Some(Ended { closing, at, finding }) = self.closing.take() else { return };
        let is_violation = matches!(closing, Closing::Protocol(_));
        // What is to be refused is not to be served; a client that reads nothing may be sent away.
        if self.is_to_be_refused() || (self.purpose == Purpose::Stalled && !is_violation) {
            self.is_cut = true;
            return;
        }
        let before = |moment: Option<Duration>, gap: Duration| match (at, moment) {
            (Some(at), Some(moment)) => at.saturating_add(gap) < moment,
            _ => true,
        };
        let is_own = match (&self.purpose, first.is_cut) {
            (Purpose::Twin | Purpose::Stalled, true) => before(first.ended, TOGETHER),
            (Purpose::Twin, false) => is_violation || before(first.ended, Duration::ZERO),
            _ => true,
        };
        if is_own {
            self.is_cut = true;
            self.note(RuleId::Connection, finding, false);
        }
    }
}

/// What is wrong with how a connection that should be open was refused, or with why there was none.
pub(super) fn unconnected(connection: &Connection) -> Option<String> {
    match (&connection.failed, connection.refused) {
        (Some(why), _) => Some(format!("could not connect: {}", cut(why))),
        (None, Some(status)) => Some(format!("was refused, with the HTTP status {status}")),
        (None, None) => None,
    }
}
