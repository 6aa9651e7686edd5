//! A scenario: a file that was read, checked, and compiled once.

use sha2::{Digest, Sha256};

use super::check;
use super::diagnostic::{Diagnostic, ScenarioError};
use super::duration::Micros;
use super::file::ScenarioFile;
use super::timeline::{self, CompileError};
use crate::plan::Plan;

/// A scenario without mistakes.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The content of the file.
    pub file: ScenarioFile,
    /// The file it was read from, as diagnostics name it.
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
    /// All mistakes, with their places in the text.
    pub fn parse(origin: &str, text: &str) -> Result<Self, ScenarioError> {
        let fail = |diagnostics| ScenarioError::new(origin, text, diagnostics);
        let file: ScenarioFile =
            toml::from_str(text).map_err(|error| fail(vec![Diagnostic::from_toml(&error)]))?;
        let diagnostics = check::diagnostics(&file);
        if !diagnostics.is_empty() {
            return Err(fail(diagnostics));
        }
        let digest = Sha256::digest(text.as_bytes());
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let plan = timeline::compile(&file, &digest, file.seed);
        let duration = Micros(plan.map_err(|error| fail(vec![error.diagnostic()]))?.duration());
        Ok(Self { file, origin: origin.to_owned(), text: text.to_owned(), digest, duration })
    }

    /// The plan that is played with this seed.
    ///
    /// # Errors
    /// With this seed a step runs past the resolution, or the resolution is never reached.
    pub fn compile(&self, seed: u64) -> Result<Plan, CompileError> {
        timeline::compile(&self.file, &self.digest, seed)
    }

    /// How long it takes on screen at speed 1 with the file's own seed; another seed may give another duration.
    pub fn duration(&self) -> Micros {
        self.duration
    }

    /// The scenario's id.
    pub fn id(&self) -> &str {
        self.file.id.get_ref()
    }
}
