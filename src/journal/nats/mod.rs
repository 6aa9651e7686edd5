//! The engine on NATS JetStream: several processes have the same stream open, and each may append.
//!
//! An event is one message of the stream, and its position is the message's sequence number. A server of NATS numbers what
//! it stores and nothing else, so positions have no gaps. What is not left to NATS:
//! - Each process reads the events of others and folds all (`tail.rs`, `fold.rs`). An append is judged against that fold and what
//!   this process has appended since, and stored only if the stream's head is still the one that it names (`draft.rs`,
//!   `writer.rs`): so every append that is in the stream was judged against exactly the events before it, however many
//!   processes append at once.
//! - Acknowledgements, refusals and timeouts are hints (`attempt.rs`). An append is in the stream if its last event is read there
//!   (`confirm.rs`). Meanwhile the next append is on its way.
//! - Every message has a checksum over the one before it (`message.rs`). A message of another program, and history that was
//!   lost or replaced, break that chain: then the stream is not read any further, or goes on under another name, so
//!   that clients are told.
//! - Before a server says that there is no such incident or event, it reads up to where the leader is (`question.rs`).
//! - One process holds the lease and plays (`lease.rs`). It also drops old events and the plans of incidents that have
//!   ended (`upkeep.rs`).
//!
//! A second stream has the lease, how far retention has gone (`kept.rs`), the plans of open incidents, the ids of incidents whose
//! events are gone, notes (`register.rs`), and what a server that starts need not read anew (`checkpoint.rs`).

mod api;
mod asked;
mod attempt;
mod audit;
mod checkpoint;
mod config;
mod confirm;
mod copies;
mod draft;
mod engine;
mod export;
mod figures;
mod fold;
mod footing;
mod import;
mod kept;
mod lease;
mod link;
mod location;
mod loss;
mod message;
mod names;
mod open;
mod over;
mod permissions;
mod plans;
mod post;
mod question;
mod reader;
mod register;
mod rotation;
mod shared;
mod tail;
mod upkeep;
mod vitals;
mod walk;
mod writer;

pub(super) use audit::audit;
pub(super) use engine::CHOICE;
pub use engine::Nats;
pub(super) use export::StreamExport;
pub(super) use import::StreamImport;
pub(super) use location::{claims, described};
