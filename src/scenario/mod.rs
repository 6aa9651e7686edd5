//! The scenario language: TOML files, their mistakes shown as a compiler shows them, and the scenarios that ship with
//! the program. [`timeline`] compiles a scenario and a seed to the plan that is played.

mod check;
mod compiled;
mod condition;
mod diagnostic;
mod duration;
mod entries;
mod excerpt;
mod expect;
mod file;
mod keyframes;
mod library;
mod masked;
mod observed;
mod read;
pub mod schema;
mod settings;
mod suggest;
mod symptoms;
mod table;
pub mod timeline;

pub use check::is_id;
pub use compiled::Scenario;
pub use condition::{Comparison, Condition, ConditionError};
pub use diagnostic::{Diagnostic, ScenarioError};
pub use duration::{DurationError, Micros, Moment};
pub(crate) use entries::{Entries, Named};
pub use expect::{Bounds, Counts, Expect};
pub use file::{
    AlertFile, ChangeFile, CostFile, Edge, EvidenceFile, ForecastFile, Hypothesis, Impact, LogFile, Metric,
    On, Ordered, ParameterFile, ParameterValue, Part, PhaseFile, Provenance, Repeat, Resolution, Retry,
    ScenarioFile, Step, UsersBy, VariantFile,
};
pub use keyframes::{Interpolate, Keyframes};
pub use library::{
    Library, Loaded, Reread, SHIPPED, SharedLibrary, is_scenario_file, text_of, text_of_stream,
};
pub(crate) use masked::Masked;
pub use observed::{Fired, Line, Observed, Series};
pub(crate) use read::syntax_mistakes;
pub use settings::{NotOffered, Settings, SettingsError, VARIANT};
pub use suggest::did_you_mean;
pub(crate) use table::{Table, Text};
