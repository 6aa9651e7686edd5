//! The records that go into a journal and the stored events that come out.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::error::JournalError;
use super::lease::Term;
use crate::contract::{
    EventWriter, IncidentEvent, MAX_INDEX, Message, MessageType, Source, StreamId, check_size,
};

/// An event to be appended.
#[derive(Debug, Clone)]
pub struct Record {
    /// The incident's id.
    pub subject: String,
    /// Which index in the incident it asks for.
    pub place: Place,
    /// The event's type. The journal refuses control messages.
    pub kind: MessageType,
    /// The payload, kept verbatim.
    pub data: Box<RawValue>,
    /// The incident's plan, stored with its first event. The journal does not read it; it keeps it for the player that
    /// picks the incident up.
    pub plan: Option<Arc<str>>,
}

/// Which index in its incident a record asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This index, from 1. If the incident already has an event with this index, the record is a repeat of it. A player
    /// that does not know whether an append succeeded appends the same again.
    At(u64),
    /// The next free index. If the journal already has an event with the same key, the record is a repeat of it. A
    /// publisher that does not know whether an append succeeded appends again under the same key.
    Next(Key),
}

/// The name that a publisher gives to an event, unique among all events of that publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The publisher.
    pub source: String,
    /// The publisher's name for the event.
    pub id: String,
    /// SHA-256 of what the publisher sent. The same key with another digest is an error, not a repeat.
    pub digest: [u8; 32],
}

/// The digest of a key that was made anew from its event: what the publisher sent is not known any more. Whatever comes
/// under that name is a repeat.
pub(super) const UNKNOWN_DIGEST: [u8; 32] = [0; 32];

/// The event to which a publisher gave a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedEvent {
    /// The event's position.
    pub position: u64,
    /// The event's index in its incident.
    pub index: u64,
    /// The digest of the key.
    pub digest: [u8; 32],
}

impl KeyedEvent {
    /// Whether what has this digest, and the same name, is this event again.
    pub fn is_repeated_by(&self, digest: &[u8; 32]) -> bool {
        self.digest == *digest || self.digest == UNKNOWN_DIGEST
    }
}

/// Records that are appended together, all or none.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The records in order.
    pub records: Vec<Record>,
    /// The term of the lease under which a player appends; `None` for operations without a lease: starting an incident,
    /// cancelling one, publishing.
    pub term: Option<Term>,
    /// The index that the newest event of an incident must have, if one is added to it: what the caller has judged the records
    /// against.
    pub expected: Vec<(String, u64)>,
}

impl From<Vec<Record>> for Batch {
    fn from(records: Vec<Record>) -> Self {
        Self { records, ..Self::default() }
    }
}

impl From<Record> for Batch {
    fn from(record: Record) -> Self {
        vec![record].into()
    }
}

/// What an append did with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The event's position.
    pub position: u64,
    /// The event's index in its incident, from 1.
    pub index: u64,
    /// Whether this append added the event; `false` if the journal already had it.
    pub new: bool,
}

impl Record {
    /// A record of a message that asks for this index, without a plan.
    pub fn at(subject: &str, index: u64, message: &Message) -> Self {
        Self {
            subject: subject.to_owned(),
            place: Place::At(index),
            kind: message.kind(),
            data: message.data(),
            plan: None,
        }
    }

    /// Refuses a record that cannot become an event.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        let refuse = |why: String| Err(JournalError::Refused(why));
        if self.kind.is_control() {
            return refuse(format!("{} is a control message", self.kind.as_str()));
        }
        if let Place::At(index) = self.place
            && !(1..=MAX_INDEX).contains(&index)
        {
            return refuse(format!("the index {index} is not between 1 and {MAX_INDEX}"));
        }
        check_size(&self.subject, self.kind, self.data.get().len()).or_else(refuse)
    }
}

/// An event in the journal.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The event's position.
    pub position: u64,
    /// When it was appended.
    pub time: Timestamp,
    /// The incident's id.
    pub subject: Arc<str>,
    /// The event's index in its incident, from 1.
    pub index: u64,
    /// The event's type.
    pub kind: MessageType,
    /// The payload, verbatim.
    pub data: Box<RawValue>,
}

impl Stored {
    /// A writer of the event as clients read it. `source` must be the journal's stream.
    pub fn writer<'a>(&'a self, source: &'a Source) -> EventWriter<'a> {
        EventWriter {
            source,
            id: self.position,
            kind: self.kind,
            of: Some(IncidentEvent { subject: &self.subject, index: self.index }),
            time: self.time,
            data: &self.data,
        }
    }

    /// The event's JSON text as clients read it: a pure function of stream, position and record.
    pub fn encode(&self, stream: &StreamId) -> String {
        self.writer(&Source::Stream(stream.clone())).encode()
    }

    /// The payload, read as the event's type.
    pub fn message(&self) -> Result<Message, serde_json::Error> {
        Message::parse(self.kind.as_str(), &self.data)
    }
}
