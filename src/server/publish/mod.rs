//! Publishing: events from outside on their way into the journal.
//!
//! What can be judged by an event alone is judged by its request. Then one task ([`worker`]) takes the events of all requests
//! in turn, judges each by its incident, and appends those of many requests as one batch. So the events of an incident are
//! judged in the order in which they are stored, and many publishers share a commit. Meanwhile another task ([`gather`])
//! looks up which of the next events are stored already. A request is answered after the commit that has its events.
//!
//! An incident of which much has to be read before is read beside the worker ([`far`]); its events wait for that, and no others.
//!
//! If several servers have the journal open, what does not fit is judged [`again`] before it is refused: this server may not have read
//! yet what it follows.

mod again;
mod drills;
mod elsewhere;
mod far;
mod gather;
mod known;
mod others;
mod publisher;
mod rate;
mod recent;
mod steps;
mod waiting;
mod worker;

pub(super) use elsewhere::Elsewhere;
pub(super) use publisher::Publisher;
pub(super) use rate::{PublishRate, PublisherId};
pub(super) use waiting::{Mode, Placed};
