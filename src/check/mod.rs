//! The validator: checks a recorded or live stream against rules. It only reads frames and their times of arrival: it
//! opens no socket and reads no clock.
//!
//! A rule is a function in a file of this folder and an entry in [`RULES`]. The entry's name and meaning are what
//! `incident validate --list` prints.
//!
//! Invariants:
//! - a rule without anything to check is [`Verdict::NotChecked`], never passed;
//! - one mistake in a stream breaks one rule, so that a finding points at its cause.
//!
//! ```
//! use std::time::Duration;
//!
//! use incident::check::{Context, MustResolve, Transcript, Verdict, check};
//!
//! let event = |id: u64, index: u64| {
//!     format!(
//!         r#"{{"specversion":"1.0","id":"{id}","source":"/streams/S","type":"system_metrics","subject":"checkout-1",
//!             "time":"2026-11-22T10:00:00Z","index":{index},"data":{{"synthetic":true,"metrics":{{}}}}}}"#
//!     )
//!     .replace('\n', "")
//! };
//! let transcript = Transcript::from_recording(&[event(1, 1), event(3, 3)].join("\n"));
//! let context = Context {
//!     expect: None,
//!     arrivals: false,
//!     must_resolve: MustResolve::None,
//!     tolerance: Duration::from_millis(500),
//! };
//! let verdicts = check(&transcript, &context, |rule| rule == "gap");
//! let [(_, Verdict::Failed(findings))] = verdicts.as_slice() else { panic!("a gap") };
//! assert_eq!(findings[0].message, "position 2 is missing");
//! ```

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
mod times;
mod totals;
mod transcript;
mod verdict;

pub use compiled::{CompiledSchema, SchemaMismatch};
pub use context::{Context, Expected, MustResolve};
pub use rules::{RULES, Rule, check};
pub use times::clock_warnings;
pub use transcript::{Parsed, Probe, Received, Transcript};
pub use verdict::{Finding, Verdict};
