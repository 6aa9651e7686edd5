//! The scenario language: TOML files, their mistakes shown as a compiler shows them, and the scenarios that ship with
//! the program. [`timeline`] compiles a scenario and a seed to the plan that is played.

mod check;
mod compiled;
mod condition;
mod diagnostic;
mod duration;
mod excerpt;
mod expect;
mod file;
mod keyframes;
mod library;
mod read;
mod suggest;
mod symptoms;
mod table;
pub mod timeline;

pub use compiled::Scenario;
pub use condition::{Comparison, Condition, ConditionError};
pub use diagnostic::{Diagnostic, ScenarioError};
pub use duration::{DurationError, Micros, Moment};
pub use expect::{Bounds, Counts, Expect};
pub use file::{
    AlertFile, CostFile, Edge, EvidenceFile, ForecastFile, Hypothesis, Impact, Metric, On, Ordered,
    OutcomeSummaries, PhaseFile, Provenance, Resolution, Retry, ScenarioFile, Step,
};
pub use keyframes::{Interpolate, Keyframes};
pub use library::{Library, Loaded, SHIPPED, text_of};
pub use suggest::did_you_mean;
pub(crate) use table::{Table, Text};
