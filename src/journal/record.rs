//! What goes into a journal and what comes out.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::error::JournalError;
use super::lease::Term;
use crate::contract::{
    EventWriter, IncidentEvent, MAX_EVENT_BYTES, MAX_INDEX, Message, MessageType, Source, StreamId,
};

/// Room for the attributes beside `data` and `subject`: the limit is for the whole event as a client reads it.
const ENVELOPE_BYTES: usize = 512;

/// An event on its way in.
#[derive(Debug, Clone)]
pub struct Record {
    /// The incident's id.
    pub subject: String,
    /// Its place in the incident.
    pub place: Place,
    /// The event's type: never a control message.
    pub kind: MessageType,
    /// The payload, kept verbatim.
    pub data: Box<RawValue>,
    /// The plan of the incident, stored with its first event: an opaque text for the player that picks it up.
    pub plan: Option<Arc<str>>,
}

/// Which place in its incident a record asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This index, from 1. If the incident has an event there, the record is a repeat of it: a player that does not
    /// know whether an append arrived appends again.
    At(u64),
    /// The next index. If an event with the same key is in, the record is a repeat of it: a publisher that does not
    /// know whether an append arrived appends again under the same key.
    Next(Key),
}

/// What a publisher calls an event: unique among everything that it publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The publisher.
    pub source: String,
    /// Its name for the event.
    pub id: String,
    /// SHA-256 of what the publisher sent: the same key with another digest is an error, never a repeat.
    pub digest: [u8; 32],
}

/// Records that are appended together: all of them or none.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// In order.
    pub records: Vec<Record>,
    /// The lease under which a player appends; `None` for what needs no lease: starting an incident, cancelling one,
    /// publishing.
    pub term: Option<Term>,
}

impl From<Vec<Record>> for Batch {
    fn from(records: Vec<Record>) -> Self {
        Self { records, term: None }
    }
}

impl From<Record> for Batch {
    fn from(record: Record) -> Self {
        vec![record].into()
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The event's position.
    pub position: u64,
    /// Its place in its incident, from 1.
    pub index: u64,
    /// Whether this append put it there; `false` for a repeat.
    pub new: bool,
}

impl Record {
    /// A message at a place of an incident, without a plan.
    pub fn at(subject: &str, index: u64, message: &Message) -> Self {
        Self {
            subject: subject.to_owned(),
            place: Place::At(index),
            kind: message.kind(),
            data: message.data(),
            plan: None,
        }
    }

    /// Whether it can be an event at all.
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
        if self.data.get().len() + self.subject.len() + ENVELOPE_BYTES > MAX_EVENT_BYTES {
            return refuse(format!("more than {MAX_EVENT_BYTES} bytes"));
        }
        Ok(())
    }
}

/// An event that is in.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its position.
    pub position: u64,
    /// When it was appended.
    pub time: Timestamp,
    /// The incident's id.
    pub subject: Arc<str>,
    /// The event's place in its incident, from 1.
    pub index: u64,
    /// The event's type.
    pub kind: MessageType,
    /// The payload, verbatim.
    pub data: Box<RawValue>,
}

impl Stored {
    /// The event as it is written to clients. `source` is the stream.
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

    /// Its JSON text: a pure function of stream, position and record.
    pub fn encode(&self, stream: &StreamId) -> String {
        self.writer(&Source::Stream(stream.clone())).encode()
    }

    /// The payload as its type says.
    pub fn message(&self) -> Result<Message, serde_json::Error> {
        Message::parse(self.kind.as_str(), &self.data)
    }
}
