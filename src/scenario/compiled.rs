//! A scenario: a file that was read, checked, and compiled once.

use sha2::{Digest, Sha256};

use super::check;
use super::diagnostic::{Diagnostic, ScenarioError};
use super::duration::Micros;
use super::file::ScenarioFile;
use super::read;
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
    /// What can be played, but was probably not meant so.
    pub warnings: Vec<Diagnostic>,
    duration: Micros,
}

impl Scenario {
    /// Reads a scenario from the text of a file. `origin` names it in diagnostics.
    ///
    /// # Errors
    /// All mistakes, with their places in the text.
    pub fn parse(origin: &str, text: &str) -> Result<Self, ScenarioError> {
        let fail = |diagnostics| ScenarioError::new(origin, text, diagnostics);
        let file = read::read(text).map_err(fail)?;
        let digest = Sha256::digest(text.as_bytes());
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let plan = timeline::compile(&file, &digest, file.seed);
        let plan = plan.map_err(|error| fail(vec![error.diagnostic()]))?;
        let duration = Micros(plan.duration());
        let end = plan.events().last().and_then(|event| event.message().ok()?.offset_s());
        let warnings = check::warnings(&file, text, Micros::from_secs(end.unwrap_or_default()));
        Ok(Self { file, origin: origin.to_owned(), text: text.to_owned(), digest, warnings, duration })
    }

    /// The plan that is played with this seed.
    ///
    /// # Errors
    /// With this seed a step runs past the resolution, or the resolution is never reached.
    pub fn compile(&self, seed: u64) -> Result<Plan, CompileError> {
        timeline::compile(&self.file, &self.digest, seed)
    }

    /// The warnings with their places in the file; `None` if there are none.
    pub fn warned(&self) -> Option<ScenarioError> {
        let warnings = self.warnings.clone();
        (!warnings.is_empty()).then(|| ScenarioError::new(&self.origin, &self.text, warnings))
    }

    /// How long it takes on screen at speed 1 with the file's own seed; another seed may give another duration.
    pub fn duration(&self) -> Micros {
        self.duration
    }

    /// What lists of scenarios say of it, as JSON: id, title, severity, services, target and length in seconds, number of
    /// alerts, provenance.
    pub fn summary(&self) -> serde_json::Value {
        let file = &self.file;
        serde_json::json!({
            "id": self.id(),
            "title": file.title,
            "severity": file.severity,
            "services": file.services,
            "target_s": file.target.secs(),
            "screen_s": self.duration().secs(),
            "alerts": file.alerts.len(),
            "provenance": file.provenance.as_ref().map(|provenance| &provenance.url),
        })
    }

    /// The scenario's id.
    pub fn id(&self) -> &str {
        self.file.id.get_ref()
    }
}
