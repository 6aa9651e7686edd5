//! A request on its way to the worker, and its outcome.

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::ingest::{Fault, Incoming, Kind, Refused};

/// Whether the events of a request are stored together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Mode {
    /// All or none.
    Together,
    /// Each that is sound.
    Each,
}

/// Where an event is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) struct Placed {
    pub(in crate::server) position: u64,
    pub(in crate::server) index: u64,
    /// Whether it was stored before, under the same `source` and `id`.
    pub(in crate::server) duplicate: bool,
}

/// What became of each event of a request, in order. In [`Mode::Together`] each of them is placed.
pub(super) type Outcome = Result<Vec<Result<Placed, Vec<Fault>>>, Refused>;

/// A request on its way to the worker.
pub(super) struct Waiting {
    pub(super) events: Vec<Result<Incoming, Vec<Fault>>>,
    pub(super) mode: Mode,
    pub(super) reply: oneshot::Sender<Outcome>,
    /// Its part of the memory.
    pub(super) held: OwnedSemaphorePermit,
}

pub(super) fn stopping() -> Refused {
    Refused::whole(Kind::ShuttingDown, "the server is stopping; nothing was stored")
}

/// The faults of the events of a request, each with the number of its event.
pub(super) fn numbered(faults: impl Iterator<Item = Option<Vec<Fault>>>) -> Vec<Fault> {
    let of = |(event, faults): (usize, Option<Vec<Fault>>)| {
        faults.unwrap_or_default().into_iter().map(move |fault| fault.of(event))
    };
    faults.enumerate().flat_map(of).collect()
}
