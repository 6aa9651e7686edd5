//! What an engine is: the traits, split by what callers need.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::error::{JournalError, Trouble};
use super::lease::Lease;
use super::record::{Appended, Batch, Stored};
use crate::contract::StreamId;

/// How much is kept. Events of open incidents are kept in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// At most this many events.
    pub events: usize,
    /// Only events younger than this. Every append looks; an engine on disk looks now and then without one too.
    pub age: Option<Duration>,
}

impl Retention {
    /// Events that are kept where nothing else is said.
    pub const EVENTS: usize = 1_000_000;
}

impl Default for Retention {
    fn default() -> Self {
        Self { events: Self::EVENTS, age: None }
    }
}

/// How much is read at once: the first limit that is reached ends the page, which has at least one event if there is
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    /// The most events.
    pub events: usize,
    /// About the most bytes of `data`: this bounds the memory of a reader, however large the events are.
    pub bytes: usize,
}

impl ReadLimit {
    /// Everything there is.
    pub const ALL: Self = Self::events(usize::MAX);

    /// So many events, of any size.
    pub const fn events(events: usize) -> Self {
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

/// An incident that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIncident {
    /// The incident's id.
    pub subject: String,
    /// Position of its first event.
    pub start: u64,
    /// Index of its newest event.
    pub index: u64,
    /// The plan that was stored with its start; `None` if there was none or it is damaged.
    pub plan: Option<Arc<str>>,
}

/// Where an incident lies in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The incident's id.
    pub subject: String,
    /// Position of its first event, which retention may have dropped since.
    pub start: u64,
    /// Position of its resolution; `None` while it is open.
    pub end: Option<u64>,
}

/// What every journal operation returns: boxed, so that engines can be chosen at start.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, JournalError>> + Send + 'a>>;

/// Writing.
pub trait Append: Send + Sync + 'static {
    /// Appends all of `batch` or nothing, in order, and returns once that is durable. Says of each record where it is
    /// and whether it is new.
    ///
    /// # Errors
    /// A record that is no event, one that leaves a gap in its incident, one after its incident's end, a key that
    /// belongs to another event, a lease that was lost, or an engine that can't write.
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>>;
}

/// Reading and following.
pub trait Log: Send + Sync + 'static {
    /// The stream's name, the same as long as the log lives.
    fn stream(&self) -> &StreamId;

    /// A page of the events after position `after`, in order. Begins with the oldest kept event if `after` is older.
    fn read(&self, after: u64, limit: ReadLimit) -> Pending<'_, Vec<Stored>>;

    /// Where the log begins and ends now.
    fn extent(&self) -> Extent;

    /// Follows the extent: changes whenever an append became visible.
    fn follow(&self) -> watch::Receiver<Extent>;
}

/// The incidents in the log.
pub trait IncidentIndex: Send + Sync + 'static {
    /// The incidents that have not ended, in order of their start.
    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>>;

    /// The newest `limit` incidents of which events are kept, in order of their start.
    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>>;

    /// One incident, if events of it are kept.
    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>>;

    /// The plan of an open incident, if it has one that is what was stored.
    fn plan(&self, subject: &str) -> Pending<'_, Option<Arc<str>>>;
}

/// Health and figures.
pub trait Health: Send + Sync + 'static {
    /// Follows whether appends are taken: why not, if they are not.
    fn health(&self) -> watch::Receiver<Option<Trouble>>;

    /// Commits since the journal was opened. Compared with the number of appends it shows how well they are grouped.
    fn commits(&self) -> u64;
}

/// Who plays.
pub trait Leases: Send + Sync + 'static {
    /// Waits until this process may play, and takes the lease. A journal for one process grants it at once; the lease
    /// that was granted before is lost then, and when this returns nothing can be appended under it any more.
    fn lease(&self) -> Pending<'_, Lease>;
}
