//! `incident` plays incidents written as TOML scenarios and streams them over WebSocket and Server-Sent Events.
//!
//! ```text
//! *.toml -> scenario -> timeline -+                                  sse ---------> curl | EventSource
//!                                 |                                 /
//!                                 +-> plan -> player -> journal -> hub -> connection -> client -> watch | page
//! *.ndjson ---------> recording --+              ^                                         |   \-> validate
//!                                              server  <------ POST /api/incidents <---- trigger
//! ```
//!
//! One rule carries the design: **the journal is the only way in, a position in it the only way out.** A player
//! appends events and knows nothing of sockets; the hub follows the journal's head; a connection is a cursor into
//! it. A late joiner, a reconnect and a slow client are the same thing: a cursor that is behind.
//!
//! Invariants, each held by tests:
//! - positions are gapless from 1 and below 2^53; (subject, index) is unique for ever;
//! - nothing is sent that the journal has not taken;
//! - a frame is a pure function of (stream, position, record): every client gets the same bytes;
//! - the same file and seed compile to the same timeline on every machine;
//! - nothing on the left of the path imports what is on its right (`tests/it/tidy.rs` has the table).
#![forbid(unsafe_code)]

pub mod check;
pub mod cli;
pub mod client;
pub mod connection;
pub mod contract;
pub mod dashboard;
pub mod delivery;
pub mod hub;
pub mod journal;
pub mod log_limiter;
pub mod metrics;
pub mod plan;
pub mod player;
pub mod random;
pub mod recording;
pub mod report;
pub mod scenario;
pub mod server;
pub mod sse;
pub mod token;
