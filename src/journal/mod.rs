//! The journal: the append-only log of all events. An event has a position here or it does not exist.
//!
//! Every engine promises, and one suite of tests (`tests/it/journal/`) checks for each of them:
//! - positions count from 1 without gaps, in the order of the appends;
//! - events that `append` returned are as durable as the engine can make them, and only then do `read` and `extent`
//!   show them;
//! - an append says for each record whether it was new; for a repeat it returns the position of the existing event;
//! - the time of an event is close to the wall clock and never falls within an incident (`clock.rs` has the rules);
//! - retention drops the oldest events, but never an event of an open incident, nor one that is added in the same commit;
//! - a player that lost its lease cannot append under it any more.
//!
//! An engine implements the traits in `log.rs`, decides about batches with `admission.rs`, and is listed in
//! `engines.rs`. Callers hold a [`Journal`], which has one object per trait, so that a wrapper can replace one of
//! them and leave the others alone.
//!
//! ```
//! use incident::contract::{Message, StreamId};
//! use incident::journal::{Journal, Memory, ReadLimit, Record, Retention};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let journal = Journal::new(Memory::new(StreamId::fresh(), Retention::default()));
//! let data = serde_json::value::to_raw_value(&serde_json::json!({
//!     "synthetic": true, "title": "Checkout fails", "severity": "SEV2", "services": ["checkout"],
//!     "impact_started_at": "2026-11-22T10:00:00Z",
//! }))?;
//! let start = Record::at("checkout-1", 1, &Message::parse("incident_started", &data)?);
//!
//! let appended = journal.append(start.clone()).await?;
//! assert_eq!((appended[0].position, appended[0].index, appended[0].new), (1, 1, true));
//! // A caller that does not know whether an append succeeded appends the same again.
//! assert!(!journal.append(start).await?[0].new);
//!
//! let events = journal.read(0, ReadLimit::ALL).await?;
//! assert_eq!((events.len(), &*events[0].subject), (1, "checkout-1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admission;
mod ages;
mod choice;
mod clock;
mod doubt;
mod engines;
mod error;
mod handle;
mod lease;
mod log;
mod memory;
#[cfg(feature = "nats")]
mod nats;
mod offline;
mod open_error;
mod plans;
mod recent;
mod record;
mod sqlite;
mod stop;
mod time_source;
mod transfer;

pub use clock::{Clock, Steps, Times};
pub use doubt::ClockDoubt;
pub use engines::{Opened, open};
pub use error::{JournalError, PATIENCE, Trouble, TroubleKind};
pub use handle::{Engine, Journal};
pub use lease::{Lease, Term};
pub use log::{
    Append, Extent, Health, IncidentIndex, Leases, Log, Note, OpenIncident, Pending, ReadLimit, Register,
    Retention, Shelf, Span,
};
pub use memory::Memory;
#[cfg(feature = "nats")]
pub use nats::Nats;
pub use offline::{
    CopyError, Naming, Phase, Progress, audit, backup, copy, described, is_stream, salvage, served_as,
};
pub use open_error::OpenError;
pub use record::{Appended, Batch, Key, KeyedEvent, Place, Record, Stored};
pub use sqlite::{Audit, Checked, Copied, Sqlite};
pub use stop::Stop;
pub use time_source::TimeSource;
