//! Plans: the events of an incident as JSON text, and when each is due.
//!
//! A compiled scenario and a recorded incident both become a plan. The player plays it, and the journal stores it with
//! the incident's first event, so that another process can continue the incident.
//!
//! Invariants:
//! - the due times of a plan never fall;
//! - the number of an event in its plan, from 1, is its index in the incident;
//! - a payload keeps fields that this version does not know.
//!
//! ```
//! use incident::plan::Plan;
//! use incident::scenario::{SHIPPED, Scenario};
//!
//! let (file, text) = SHIPPED[0];
//! let scenario = Scenario::parse(file, text)?;
//! let plan = scenario.compile(42)?;
//! for (event, index) in plan.events().iter().zip(1..) {
//!     println!("{:9.3} s  {index:3}  {}", event.due as f64 / 1e6, event.kind().as_str());
//! }
//! assert_eq!(Plan::read(&plan.text()?)?, plan, "a plan is stored as it is played");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fields;
mod stored;
mod symptoms;
mod totals;
mod upcoming;

/// The longest incident, in microseconds: a year.
pub const LONGEST_US: u64 = 366 * 86_400_000_000;

pub use stored::{Plan, PlannedEvent, as_drill, is_of_drill, with_durations, with_second};
pub use symptoms::{Firing, LABEL_CHARS, PlannedAlert, RESERVED_LABELS, Symptoms, is_label};
pub use totals::{IncidentTotals, PhaseRates};
pub use upcoming::Upcoming;
