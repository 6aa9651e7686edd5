//! The traits that an engine implements, split by what callers need.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::clock::{Clock, Times};
use super::error::{JournalError, Trouble};
use super::lease::Lease;
use super::record::{Appended, Batch, KeyedEvent, Stored};
use crate::contract::StreamId;
use crate::metrics::Cluster;

/// How many events a journal keeps. It keeps the events of open incidents in any case. What is too much goes with an append
/// or soon after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The highest number of events.
    pub events: usize,
    /// The highest age of an event, by the steady clock (`ages.rs` has the rules). Every append drops events that are
    /// too old; an engine on disk also drops them from time to time without an append.
    pub age: Option<Duration>,
}

impl Retention {
    /// How many events are kept by default.
    pub const EVENTS: usize = 1_000_000;
}

impl Default for Retention {
    fn default() -> Self {
        Self { events: Self::EVENTS, age: None }
    }
}

/// How much one read returns. The read stops at the limit that it reaches first, but returns at least one event if
/// there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    /// The most events.
    pub events: usize,
    /// The highest number of bytes of `data`, exceeded by one event at most. This bounds a reader's memory, however
    /// large the events are.
    pub bytes: usize,
}

impl ReadLimit {
    /// No limit.
    pub const ALL: Self = Self::events(usize::MAX);

    /// A limit of `events` events, of any size.
    pub const fn events(events: usize) -> Self {
        Self { events, bytes: usize::MAX }
    }
}

/// The positions at which the log begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Position of the oldest event that is kept; `head` + 1 if no event is kept.
    pub oldest: u64,
    /// Position of the newest event; 0 in a log that never had an event.
    pub head: u64,
}

/// An incident that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIncident {
    /// The incident's id.
    pub subject: String,
    /// Position of its first event.
    pub start: u64,
    /// Index of its newest event.
    pub index: u64,
    /// Time of its newest event.
    pub time: Timestamp,
    /// How long ago this process has seen it begin, by its own steady clock, if it has: then it does not matter by which
    /// clocks the events are dated.
    pub age: Option<Duration>,
    /// The plan that was stored with its first event, or an empty text if it is damaged; `None` if there was none.
    pub plan: Option<Arc<str>>,
}

/// The positions at which an incident begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The incident's id.
    pub subject: String,
    /// Position of its first event. Retention may have dropped that event since.
    pub start: u64,
    /// Position of its resolution; `None` while it is open.
    pub end: Option<u64>,
}

/// The future that every operation of a journal returns. It is boxed, so that the engine can be chosen at start.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, JournalError>> + Send + 'a>>;

/// Appending events.
pub trait Append: Send + Sync + 'static {
    /// Appends all records of `batch` in order, or none of them, and returns once they are durable. The result has for
    /// each record its position, its index and whether it was new.
    ///
    /// # Errors
    /// A record cannot become an event, would leave a gap in its incident, would follow its incident's end, or has the
    /// key of another event; another player has taken over the lease; or the engine cannot write.
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>>;
}

/// Reading and following the log.
pub trait Log: Send + Sync + 'static {
    /// The stream's name, which never changes while the journal is open.
    fn stream(&self) -> &StreamId;

    /// The events after position `after`, in order, up to `limit`. Begins with the oldest kept event if retention
    /// dropped the event after `after`.
    fn read(&self, after: u64, limit: ReadLimit) -> Pending<'_, Vec<Stored>>;

    /// The positions at which the log begins and ends now.
    fn extent(&self) -> Extent;

    /// Whether the stream has an event at this position, which a client says that it was sent. A journal that other
    /// processes append to may not have read it yet: then this waits for it, and asks.
    ///
    /// # Errors
    /// It can't be said at the moment.
    fn has(&self, position: u64) -> Pending<'_, bool> {
        let has = self.extent().head >= position;
        Box::pin(async move { Ok(has) })
    }

    /// Waits until this process has read everything that others have stored before the call. Until then it must not say that there is
    /// no such incident or event. Costs little, however many wait; a journal of one process returns at once.
    ///
    /// # Errors
    /// It can't be found out at the moment.
    fn catch_up(&self) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// A receiver of the extent, which changes whenever an append becomes visible.
    fn follow(&self) -> watch::Receiver<Extent>;
}

/// Finding the incidents in the log.
pub trait IncidentIndex: Send + Sync + 'static {
    /// All incidents that have not ended, in order of their start.
    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>>;

    /// The incidents that have not ended and have no plan, in order of their start: publishers and receivers tell them.
    /// Costs as little as there are such incidents, however long the journal is.
    fn open_without_plan(&self) -> Pending<'_, Vec<Span>>;

    /// The newest `limit` incidents with at least one kept event, in order of their start.
    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>>;

    /// The incident with this id, if at least one of its events is kept.
    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>>;

    /// Whether no incident can begin with this id: one has it, or had it, and retention has dropped its events.
    fn is_taken(&self, subject: &str) -> Pending<'_, bool>;

    /// What time it is for the incidents that have not ended.
    fn times(&self) -> Times;

    /// How far an event that is appended to an incident now is dated ahead of [`Clock::now`].
    fn ahead_in(&self, subject: &str) -> Duration;

    /// The plan of an open incident; `None` if it has none or it is damaged.
    fn plan(&self, subject: &str) -> Pending<'_, Option<Arc<str>>>;

    /// For each pair of a publisher and its name for an event: the event that has this key, if it is kept.
    fn keyed(&self, names: Vec<(String, String)>) -> Pending<'_, Vec<Option<KeyedEvent>>>;
}

/// Reporting health and figures.
pub trait Health: Send + Sync + 'static {
    /// A receiver of the journal's health: `None` while it accepts appends, otherwise the reason why not.
    fn health(&self) -> watch::Receiver<Option<Trouble>>;

    /// Why the journal can't be read at the moment, if the engine knows: the disk hangs.
    fn unreadable(&self) -> Option<Trouble> {
        None
    }

    /// Number of commits since the journal was opened. The ratio of appends to commits shows how many appends share a
    /// commit.
    fn commits(&self) -> u64;

    /// The clock that dates the events.
    fn clock(&self) -> &Clock;

    /// Bytes of the log in which the engine keeps the newest commits until it moves them to their place; 0 if it has
    /// none.
    fn log_bytes(&self) -> u64 {
        0
    }

    /// What is known of the other processes that have the journal open; `None` if it is for one process.
    fn cluster(&self) -> Option<Cluster> {
        None
    }

    /// What could lose events, although everything works at the moment; `None` if nothing is known.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// A small fact that processes with the same journal share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// What it says; `None` once it was withdrawn.
    pub text: Option<String>,
    /// Grows with every change of any note.
    pub revision: u64,
}

/// How far the notes of all processes go at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shelf {
    /// When it was begun. If that is another time than before, what was read is gone, and revisions count anew.
    pub origin: String,
    /// Notes with lower revisions are gone.
    pub oldest: u64,
    /// No revision is higher, and none was written before that is not known here.
    pub newest: u64,
}

/// Keeping notes beside the log for all processes that have the journal open. A journal of one process has none.
pub trait Register: Send + Sync + 'static {
    /// How far the notes go. What any process has written before is counted.
    fn shelf(&self) -> Pending<'_, Shelf> {
        Box::pin(async { Ok(Shelf::default()) })
    }

    /// The notes that changed after a revision, in order of their revisions; all after 0. None is missing that any process has written
    /// before.
    fn notes(&self, _after: u64) -> Pending<'_, Vec<Note>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Writes a note or, without a text, withdraws it. `over` is the revision that it must still have, 0 for a new one. Returns its
    /// new revision; `None` if another process was faster.
    fn note(&self, _name: &str, _text: Option<String>, _over: Option<u64>) -> Pending<'_, Option<u64>> {
        Box::pin(async { Ok(None) })
    }

    /// Removes what is left of a note.
    fn forget_note(&self, _name: &str) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Granting the player's lease.
pub trait Leases: Send + Sync + 'static {
    /// Waits until this process may play, and takes the lease. A journal for one process grants it at once, which ends
    /// the lease that it granted before: when this returns, the journal refuses every batch under that one.
    fn lease(&self) -> Pending<'_, Lease>;

    /// Whether nobody has taken the lease over, as whoever grants it says. What this process knows of that may be old, if it has just
    /// stood still.
    fn is_held<'a>(&'a self, lease: &'a Lease) -> Pending<'a, bool> {
        Box::pin(async { Ok(!lease.is_lost()) })
    }

    /// Whether other processes may have the journal open, too. Then a lease is long in coming while another process has it,
    /// it can be lost and come again, and who has it plays what all of them start.
    fn is_shared(&self) -> bool {
        false
    }
}
