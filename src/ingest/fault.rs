//! What is wrong with which event, and the refusal of a whole request.

use super::kind::Kind;

/// The most faults that a refusal lists.
pub const MAX_FAULTS: usize = 20;

/// One thing that is wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Number of the event in the request, from 0.
    pub event: usize,
    /// What kind of problem it is.
    pub kind: Kind,
    /// A JSON pointer into the event; empty for the event as a whole.
    pub pointer: String,
    /// What is wrong, for people: one sentence without a full stop.
    pub detail: String,
    /// The index of the incident's newest event, if it is not the expected one.
    pub current: Option<u64>,
}

impl Fault {
    /// A fault of the first event; [`Fault::of`] says of which one it is.
    pub fn new(kind: Kind, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { event: 0, kind, pointer: pointer.into(), detail: detail.into(), current: None }
    }

    /// The same fault of another event.
    #[must_use]
    pub fn of(self, event: usize) -> Self {
        Self { event, ..self }
    }
}

/// A refused request. Nothing of it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The kind of the first fault.
    pub kind: Kind,
    /// What is wrong, for people.
    pub detail: String,
    /// The first faults, at most [`MAX_FAULTS`]; none if no single event is at fault.
    pub faults: Vec<Fault>,
    /// How many faults there are.
    pub total: usize,
}

impl Refused {
    /// The refusal of a request as a whole.
    pub fn whole(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), faults: Vec::new(), total: 0 }
    }

    /// The refusal for faults of single events.
    pub fn of(mut faults: Vec<Fault>) -> Self {
        let total = faults.len();
        let Some(first) = faults.first() else { return Self::whole(Kind::BadEnvelope, "no event was sent") };
        let kind = first.kind;
        let more = if total > 1 { format!(" (and {} more)", total - 1) } else { String::new() };
        let detail = format!("event {}: {}{more}; nothing was stored", first.event, first.detail);
        faults.truncate(MAX_FAULTS);
        Self { kind, detail, faults, total }
    }
}
