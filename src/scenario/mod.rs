//! The scenario language: TOML files, their mistakes shown as a compiler would, and the scenarios that ship
//! with the program. [`timeline`] compiles a scenario and a seed to what is played.

mod check;
mod diagnostic;
mod duration;
mod expect;
mod file;
mod keyframes;
mod library;
mod suggest;
pub mod timeline;

use sha2::{Digest, Sha256};

pub use diagnostic::{Problem, ScenarioError};
pub use duration::{DurationError, Micros};
pub use expect::{Bounds, Counts, Expect};
pub use file::{
    After, CostFile, EvidenceFile, ForecastFile, Hypothesis, Impact, Metric, On, Ordered, Outcomes,
    PhaseFile, Provenance, Resolution, Retry, ScenarioFile, Step,
};
pub use keyframes::{Interpolate, Keyframes};
pub use library::{Library, SHIPPED};
pub use suggest::did_you_mean;

use timeline::{CompileError, Timeline};

/// A scenario that was read and found sound.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What the file says.
    pub file: ScenarioFile,
    /// Where it was read from, as shown in diagnostics.
    pub origin: String,
    /// The text of the file.
    pub text: String,
    /// SHA-256 of the text, the first 16 hexadecimal digits.
    pub digest: String,
    duration: Micros,
}

impl Scenario {
    /// Reads a scenario from the text of a file. `origin` names it in diagnostics.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places in the text.
    pub fn parse(origin: &str, text: &str) -> Result<Self, ScenarioError> {
        let fail = |problems| ScenarioError::new(origin, text, problems);
        let file: ScenarioFile =
            toml::from_str(text).map_err(|error| fail(vec![Problem::from_toml(&error)]))?;
        let problems = check::problems(&file);
        if !problems.is_empty() {
            return Err(fail(problems));
        }
        let digest = Sha256::digest(text.as_bytes());
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let timeline = timeline::compile(&file, &digest, file.seed);
        let duration = timeline.map_err(|error| fail(vec![error.problem()]))?.duration();
        Ok(Self { file, origin: origin.to_owned(), text: text.to_owned(), digest, duration })
    }

    /// What is played with this seed.
    ///
    /// # Errors
    /// When this seed takes a branch that runs past the resolution, or never reaches it.
    pub fn compile(&self, seed: u64) -> Result<Timeline, CompileError> {
        timeline::compile(&self.file, &self.digest, seed)
    }

    /// How long it takes on screen at speed 1 with the file's own seed; another seed may take other branches.
    pub fn duration(&self) -> Micros {
        self.duration
    }

    /// The scenario's id.
    pub fn id(&self) -> &str {
        self.file.id.get_ref()
    }
}
