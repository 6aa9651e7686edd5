//! The scenario file as TOML types, in the words of the file. Unknown keys are errors everywhere.

mod alert;
mod curves;
mod edge;
mod one_of;
mod ordered;
mod resolution;
mod scenario_file;
mod settings;
mod step;
mod world;

pub use alert::AlertFile;
pub use curves::{CostFile, Hypothesis, Impact, Metric, Part, UsersBy};
pub use edge::{Edge, On};
pub use ordered::Ordered;
pub use resolution::Resolution;
pub use scenario_file::{PhaseFile, Provenance, ScenarioFile};
pub use settings::{ParameterFile, ParameterValue, VariantFile};
pub use step::{EvidenceFile, ForecastFile, Repeat, Retry, Step};
pub use world::{ChangeFile, LogFile};

/// The longest text of a scenario, in bytes: many times that of 10,000 steps.
pub(super) const LONGEST: usize = 8 * 1024 * 1024;
