//! The validator: rules over a recorded or live stream. Pure over (frame, arrival time): nothing here opens a
//! socket or reads a clock.
//!
//! A rule is a file here and an entry in [`RULES`].

mod account;
mod arrival;
mod compiled;
mod confidence;
mod context;
mod cost;
mod envelope;
mod expect;
mod incident;
mod lifecycle;
mod resume;
mod rules;
mod schema;
mod sequence;
mod tally;
mod transcript;
mod verdict;

pub use compiled::{CompiledSchema, SchemaMismatch};
pub use context::{Context, Ends, Expected};
pub use rules::{RULES, Rule, check};
pub use transcript::{Parsed, Probe, Received, Transcript};
pub use verdict::{Finding, Verdict};
