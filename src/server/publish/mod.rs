//! Publishing: events from outside on their way into the journal.
//!
//! One task ([`worker`]) takes the events of all requests in turn, judges each by its incident, and appends those of many
//! requests as one batch. So the events of an incident are judged in the order in which they are stored, and many
//! publishers share a commit. A request is answered after the commit that has its events.

mod drills;
mod elsewhere;
mod known;
mod publisher;
mod rate;
mod waiting;
mod worker;

pub(super) use elsewhere::Elsewhere;
pub(super) use publisher::Publisher;
pub(super) use rate::{PublishRate, PublisherId};
pub(super) use waiting::{Mode, Placed};
