//! The scenario file as TOML types, in the words of the file. Unknown keys are errors everywhere.

mod alert;
mod curves;
mod edge;
mod ordered;
mod resolution;
mod scenario_file;
mod step;

pub use alert::AlertFile;
pub use curves::{CostFile, Hypothesis, Impact, Metric};
pub use edge::{Edge, On};
pub use ordered::Ordered;
pub use resolution::Resolution;
pub use scenario_file::{PhaseFile, Provenance, ScenarioFile};
pub use step::{EvidenceFile, ForecastFile, OutcomeSummaries, Retry, Step};
