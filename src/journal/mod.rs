//! The append-only log: the only way in. An event has a position here or it does not exist.
//!
//! Promises of every engine, held by one conformance suite:
//! - positions are gapless from 1, in the order of the appends;
//! - what `append` returned is as durable as the engine gets, and only then visible to `read` and `head`;
//! - an append is idempotent by (subject, index): a repeat yields the position that the event has;
//! - times never fall;
//! - retention drops the oldest events, never one of an incident that is open.

mod clock;
mod memory;
mod sqlite;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::contract::{Frame, MAX_EVENT_BYTES, Message, MessageType, Source, StreamId};

pub use memory::Memory;
pub use sqlite::{Audit, Checked, OpenError, Salvaged, Sqlite, audit, salvage};

/// Room for the attributes beside `data` and `subject`: what a client reads as one message is bounded, not its data.
const ENVELOPE_BYTES: usize = 512;

/// How much is kept. Events of open incidents are kept in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// At most this many events.
    pub events: usize,
    /// Only events younger than this; looked at with every append, by engines that outlive their process now and
    /// then without one too.
    pub age: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { events: 1_000_000, age: None }
    }
}

/// An event on its way in.
#[derive(Debug, Clone)]
pub struct Record {
    /// The incident's id.
    pub subject: String,
    /// The event's place in its incident, from 1.
    pub index: u64,
    /// The event's type: never a control message.
    pub kind: MessageType,
    /// The payload, kept verbatim.
    pub data: Box<RawValue>,
    /// What is played, stored with `incident_started`: an opaque text for whoever picks the incident up.
    pub plan: Option<Arc<str>>,
}

impl Record {
    /// A message of an incident, without a plan. `None` for control messages: they are not stored.
    pub fn new(subject: &str, message: &Message) -> Option<Self> {
        let index = message.index()?;
        Some(Self {
            subject: subject.to_owned(),
            index,
            kind: message.kind(),
            data: message.data(),
            plan: None,
        })
    }

    /// Whether it can be an event at all.
    fn check(&self) -> Result<(), JournalError> {
        let refuse = |why: String| Err(JournalError::Refused(why));
        if self.kind.is_control() {
            return refuse(format!("{} is not stored", self.kind.as_str()));
        }
        if self.index == 0 {
            return refuse("an index of 0".to_owned());
        }
        if self.data.get().len() + self.subject.len() + ENVELOPE_BYTES > MAX_EVENT_BYTES {
            return refuse(format!("more than {MAX_EVENT_BYTES} bytes"));
        }
        Ok(())
    }

    /// Whether it can come after the `has` events of its incident, of which the last may have ended it. A repeat
    /// always can.
    fn follows(&self, has: u64, ended: bool) -> Result<(), JournalError> {
        if self.index > has + 1 {
            return Err(JournalError::Gap { subject: self.subject.clone(), index: self.index, has });
        }
        if self.index > has && ended {
            return Err(JournalError::Refused(format!("{} has ended with event {has}", self.subject)));
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
    /// The text frame: a pure function of stream, position and record. `source` is the stream.
    pub fn frame<'a>(&'a self, source: &'a Source) -> Frame<'a> {
        Frame::new(source, self.position, self.kind, Some(&self.subject), self.time, &self.data)
    }

    /// Its text.
    pub fn encode(&self, stream: &StreamId) -> String {
        self.frame(&Source::Stream(stream.clone())).encode()
    }
}

/// How much is read at once: whichever limit is reached first, but always one event if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The most events.
    pub events: usize,
    /// About the most bytes of `data`: what a reader holds in memory is bounded, however large the events are.
    pub bytes: usize,
}

impl Page {
    /// Everything there is.
    pub const ALL: Self = Self::of(usize::MAX);

    /// So many events, of whatever size.
    pub const fn of(events: usize) -> Self {
        Self { events, bytes: usize::MAX }
    }
}

/// Where the log begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Position of the oldest event that is kept; `head` + 1 when none is.
    pub oldest: u64,
    /// Position of the newest event, 0 in a log that never had one.
    pub head: u64,
}

/// An incident whose `incident_resolved` is not in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIncident {
    /// The incident's id.
    pub subject: String,
    /// Position of its first event.
    pub start: u64,
    /// Index of its newest event.
    pub index: u64,
    /// What was stored with its start.
    pub plan: Option<Arc<str>>,
}

/// Where an incident stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The incident's id.
    pub subject: String,
    /// Position of its first event, which retention may have dropped since.
    pub start: u64,
    /// Position of its resolution; `None` while it is open.
    pub end: Option<u64>,
}

/// Why a journal did not take or give events.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The record can't be an event: too large, a control message, an index of 0.
    #[error("not an event: {0}")]
    Refused(String),
    /// The incident's earlier events are not in: nothing may be left out.
    #[error("event {index} of {subject} does not follow: the journal has {has} of them")]
    Gap {
        /// The incident.
        subject: String,
        /// The index that was offered.
        index: u64,
        /// The newest index that is in.
        has: u64,
    },
    /// It can't be written or read now: a full disk, an I/O error. Trying again may help.
    #[error("the journal can't be used: {0}")]
    Unavailable(String),
    /// What is stored is not what was stored.
    #[error("event {position} is damaged: {what}")]
    Damaged {
        /// The event's position.
        position: u64,
        /// What is wrong with it.
        what: String,
    },
}

/// What every journal operation returns: boxed, so that engines can be chosen at start.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, JournalError>> + Send + 'a>>;

/// An append-only log of events.
pub trait Journal: Send + Sync + 'static {
    /// The stream's name, the same as long as the log lives.
    fn stream(&self) -> &StreamId;

    /// Appends all of `batch` or nothing, in order, and returns once that is durable. Each record's position is
    /// returned; a repeat has the position it had.
    ///
    /// # Errors
    /// A record that is no event, one that leaves a gap in its incident, one after its incident's end. Nothing of
    /// the batch is in then.
    fn append(&self, batch: Vec<Record>) -> Pending<'_, Vec<u64>>;

    /// A page of the events after position `after`, in order. Begins with the oldest kept if `after` is older.
    fn read(&self, after: u64, page: Page) -> Pending<'_, Vec<Stored>>;

    /// Where the log begins and ends now.
    fn extent(&self) -> Extent;

    /// Follows the extent: changes whenever an append became visible.
    fn follow(&self) -> watch::Receiver<Extent>;

    /// Follows whether appends are taken: why not, if they are not.
    fn health(&self) -> watch::Receiver<Option<String>>;

    /// Commits since it was opened: how many appends share one tells how well they are grouped.
    fn commits(&self) -> u64;

    /// The incidents that did not end, in order of their start.
    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>>;

    /// The newest `limit` incidents of which events are kept, in order of their start.
    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>>;

    /// One incident, if events of it are kept.
    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>>;
}
