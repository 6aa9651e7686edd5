//! The append-only log: the only way in. An event has a position here or it does not exist.
//!
//! Promises of every engine, held by one conformance suite (`tests/it/journal.rs`):
//! - positions are gapless from 1, in the order of the appends;
//! - what `append` returned is as durable as the engine gets, and only then visible to `read` and `extent`;
//! - an append says for each record whether it was new; a repeat yields the position that the event has;
//! - times never fall;
//! - retention drops the oldest events, never one of an incident that is open;
//! - a player that lost its lease can't append under it any more.
//!
//! An engine implements the traits in [`log`], admits records by [`admission`] and is chosen in one place,
//! `cli/journal.rs`. Callers hold a [`Journal`]: the traits' objects side by side, so that a wrapper replaces one of
//! them and leaves the others alone.

mod admission;
mod clock;
mod error;
mod handle;
mod lease;
mod log;
mod memory;
mod record;
mod sqlite;

pub use error::{JournalError, Trouble, TroubleKind};
pub use handle::{Engine, Journal};
pub use lease::{Lease, Term};
pub use log::{
    Append, Extent, Health, IncidentIndex, Leases, Log, OpenIncident, Pending, ReadLimit, Retention, Span,
};
pub use memory::Memory;
pub use record::{Appended, Batch, Key, Place, Record, Stored};
pub use sqlite::{Audit, Checked, OpenError, Salvaged, Sqlite, audit, salvage};
