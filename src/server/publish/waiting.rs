//! A request on its way to the worker, and its outcome.

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::known::Unread;
use crate::ingest::{Fault, Kind, Refused, Sound};
use crate::journal::{JournalError, PATIENCE, TroubleKind};

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

/// The events of a request.
pub(super) struct Request {
    pub(super) events: Vec<Result<Sound, Vec<Fault>>>,
    pub(super) mode: Mode,
    /// Whether this server has read everything that other servers had stored before it came: then a refusal is final.
    pub(super) is_final: bool,
}

impl Request {
    /// The incident of each sound event, in order.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &str> {
        self.events.iter().flatten().map(|sound| sound.event().subject.as_str())
    }
}

/// A request on its way to the worker.
pub(super) struct Waiting {
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Outcome>,
    /// Its part of the memory.
    pub(super) held: OwnedSemaphorePermit,
    /// What was read while it waited.
    pub(super) read: Unread,
}

impl Waiting {
    /// Answers that the journal cannot store the events.
    pub(super) fn refuse(self, error: &JournalError) {
        // The client may be gone.
        let _ = self.reply.send(Err(refusal(error)));
    }
}

/// Why the journal did not take an append.
pub(super) fn refusal(error: &JournalError) -> Refused {
    let of = |kind, pointer: &str| Refused::of(vec![Fault::new(kind, pointer, error.to_string())]);
    match error {
        JournalError::Ended { .. } => of(Kind::IncidentClosed, "/subject"),
        JournalError::KeyReused { .. } => of(Kind::IdReused, "/id"),
        JournalError::Refused(_) => of(Kind::TooLarge, ""),
        JournalError::Unavailable(trouble) if trouble.kind() == TroubleKind::Stopped => stopping(),
        _ => Refused::whole(Kind::JournalPaused, error.to_string()),
    }
}

pub(super) fn stopping() -> Refused {
    Refused::whole(Kind::ShuttingDown, "the server is stopping; nothing was stored")
}

/// The journal has not answered within [`PATIENCE`]. What waits there is not taken back.
pub(super) fn unanswered() -> Refused {
    let detail = format!(
        "the journal has not answered within {} s; the events may be stored: send the same again under the same ids",
        PATIENCE.as_secs()
    );
    Refused::whole(Kind::JournalPaused, detail)
}

/// The faults of the events of a request, each with the number of its event.
pub(super) fn numbered(faults: impl Iterator<Item = Option<Vec<Fault>>>) -> Vec<Fault> {
    let of = |(event, faults): (usize, Option<Vec<Fault>>)| {
        faults.unwrap_or_default().into_iter().map(move |fault| fault.of(event))
    };
    faults.enumerate().flat_map(of).collect()
}
