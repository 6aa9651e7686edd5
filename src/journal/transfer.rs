//! How a journal is copied from one engine to another: what a source gives and what a target takes.

use std::sync::Arc;

use super::open_error::OpenError;
use super::record::{Key, Stored};
use crate::contract::StreamId;

/// The most events and bytes, plans included, in memory at once.
pub(super) const PAGE: usize = 500;
pub(super) const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What a copy has in the place of a plan that is damaged or lost. No plan is empty: a server can't play it, and ends its incident.
pub(super) const UNPLAYABLE: &str = "";

/// An event with all that a journal knows of it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) stored: Stored,
    /// Position of its incident's first event.
    pub(super) start: u64,
    /// The name that its publisher gave it.
    pub(super) key: Option<Key>,
    /// The plan, with the first event of an incident that is open at the end of what is copied.
    pub(super) plan: Option<Arc<str>>,
}

impl Item {
    /// About the bytes that it takes in memory.
    pub(super) fn weight(&self) -> usize {
        self.stored.data.get().len() + self.plan.as_ref().map_or(0, |plan| plan.len())
    }

    /// Whether a copy has everything of it.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let (one, two) = (&self.stored, &other.stored);
        one.position == two.position
            && one.time == two.time
            && one.subject == two.subject
            && one.index == two.index
            && one.kind == two.kind
            && one.data.get() == two.data.get()
            && self.start == other.start
            && self.key == other.key
            // An incident that has ended since it was copied has no plan any more.
            && (self.plan == other.plan || self.plan.as_deref() == Some(UNPLAYABLE))
    }
}

/// What is copied of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    /// The name that the copy gets.
    pub(super) stream: StreamId,
    pub(super) oldest: u64,
    pub(super) head: u64,
}

/// A journal that is read from beginning to end.
pub(super) trait Export {
    /// The events after a position, in order, in pages; none at the end.
    fn page(&mut self, after: u64) -> Result<Vec<Item>, OpenError>;

    /// The ids of incidents of which no event is kept, with the positions of their ends: they name no other incident.
    fn over(&mut self) -> Result<Vec<(Arc<str>, u64)>, OpenError>;

    /// Position of the newest event that the journal has when this is called, or had when it was opened.
    fn newest(&mut self) -> Result<u64, OpenError>;

    /// What has the journal open; `None` if nothing has.
    fn holder(&mut self) -> Result<Option<String>, OpenError>;
}

/// A journal that is written. It can't be served before it is finished.
pub(super) trait Import {
    /// Position of the newest event that it has: an earlier copy may have been interrupted.
    fn head(&self) -> u64;

    /// The name that it has.
    fn stream(&self) -> &StreamId;

    /// Adds the events that follow.
    fn take(&mut self, items: &[Item]) -> Result<(), OpenError>;

    /// Stores the rest, and returns what was written, to be read again.
    fn written(&mut self, over: &[(Arc<str>, u64)]) -> Result<Box<dyn Export + '_>, OpenError>;

    /// Makes it a journal that can be served.
    fn finish(self: Box<Self>) -> Result<(), OpenError>;
}
