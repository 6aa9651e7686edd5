//! `incident` plays incidents written as TOML scenarios and streams them over WebSocket and Server-Sent Events.
//!
//! ```text
//! scenarios/*.toml -> scenario ---+                                     sse ---------> curl | EventSource
//!                                 |                                    /
//!                                 +-> plan -> player -> journal -> hub -> connection -> client -> watch | page
//! recording.ndjson -> recording --+               ^                                        |   \-> validate
//!                                              server <------ POST /api/incidents <--- trigger
//! ```
//!
//! One rule carries the design: **the journal is the only way in, and a position in it is the only way out.** A player
//! appends events and knows nothing of sockets. The hub follows the journal's head. A connection is a cursor into the
//! hub. So a late joiner, a reconnect and a slow client are the same thing: a cursor that is behind.
//!
//! Invariants, each held by tests:
//! - positions are gapless from 1 and below 2^53; (subject, index) names one event for ever;
//! - nothing is sent that the journal has not committed;
//! - an event's text is a pure function of (stream, position, record): every client gets the same bytes;
//! - only the holder of the journal's lease plays its incidents;
//! - the same file and seed compile to the same plan on every machine;
//! - a module imports only what `ARCHITECTURE.md` lists for it, and no folder has a circle of imports.
//!
//! Start with [`contract`] for what is on the wire, [`server::Server`] to embed a server, and [`client::Follower`] to
//! follow one; `examples/` has a program for each.
#![forbid(unsafe_code)]
#![warn(clippy::print_stdout)]

pub mod breaking;
pub mod check;
pub mod cli;
pub mod client;
pub mod connection;
pub mod contract;
pub mod contract_file;
pub mod dashboard;
pub mod deflated;
pub mod delivery;
pub mod hub;
pub mod ingest;
pub mod input_file;
pub mod journal;
pub mod json_schema;
pub mod log_limiter;
pub mod metrics;
pub mod new_file;
pub mod plan;
pub mod player;
pub mod random;
pub mod receivers;
pub mod recording;
pub mod report;
pub mod scenario;
pub mod server;
pub mod shell;
pub mod sinks;
pub mod sse;
pub mod token;
pub mod unread_json;
pub mod visible;
pub mod world;
