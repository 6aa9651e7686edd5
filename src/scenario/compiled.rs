//! A scenario: a file that was read, checked, and compiled once.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::check;
use super::diagnostic::{Diagnostic, ScenarioError};
use super::duration::Micros;
use super::file::ScenarioFile;
use super::read;
use super::settings::{self, Settings, SettingsError};
use super::timeline::{self, CompileError};
use crate::plan::Plan;

/// The most bytes of the plans of all variants: each is made when the file is read.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A file with mistakes, and how many bytes of a plan were made before the last one was found: that is what it costs to look for them.
struct Failed {
    error: ScenarioError,
    bytes: usize,
}

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
    /// What was chosen of it.
    pub settings: Settings,
    duration: Micros,
    /// Bytes of the plan.
    bytes: usize,
    /// What can't happen, unless a variant makes it possible.
    never: Vec<Diagnostic>,
}

impl Scenario {
    /// Reads a scenario from the text of a file, and checks each of its variants. `origin` names it in diagnostics.
    ///
    /// # Errors
    /// All mistakes, with their places in the text.
    pub fn parse(origin: &str, text: &str) -> Result<Self, ScenarioError> {
        let fail = |diagnostics| ScenarioError::new(origin, text, diagnostics);
        let (mut scenario, mut used) = match Self::read(origin, text, Settings::default()) {
            Ok(read) => read,
            Err(Failed { error, .. }) => return Err(Self::with_variants(error, origin, text)),
        };
        let mistakes = scenario.variants(&mut used);
        if !mistakes.is_empty() {
            return Err(fail(mistakes));
        }
        scenario.warnings.extend(check::unused(&scenario.file, &used));
        scenario.warnings.append(&mut scenario.never);
        Ok(scenario)
    }

    /// Whether it offers these settings. With their values it may still have mistakes.
    ///
    /// # Errors
    /// Every setting that it does not offer.
    pub fn offers(&self, settings: &Settings) -> Result<(), SettingsError> {
        settings::choose(&self.file, settings).map(drop)
    }

    /// The scenario with some settings: a variant, and values of parameters.
    ///
    /// # Errors
    /// The scenario doesn't offer them, or has mistakes with these values.
    pub fn with(&self, settings: &Settings) -> Result<Self, SettingsError> {
        let settings = settings::choose(&self.file, settings)?;
        Ok(Self::read(&self.origin, &self.text, settings).map_err(|failed| failed.error)?.0)
    }

    /// The content of the file with some settings, which is not compiled.
    ///
    /// # Errors
    /// The scenario doesn't offer them, or has mistakes with these values.
    pub fn file_with(&self, settings: &Settings) -> Result<ScenarioFile, SettingsError> {
        let settings = settings::choose(&self.file, settings)?;
        let fail = |diagnostics| ScenarioError::new(&self.origin, &self.text, diagnostics);
        Ok(read::read(&self.text, &settings).map_err(fail)?.file)
    }

    /// The scenario with settings that it offers, and the parameters that are used.
    fn read(origin: &str, text: &str, settings: Settings) -> Result<(Self, HashSet<String>), Failed> {
        let fail =
            |diagnostics, bytes| Failed { error: ScenarioError::new(origin, text, diagnostics), bytes };
        let read::Read { file, warnings, used } =
            read::read(text, &settings).map_err(|found| fail(found, 0))?;
        let digest = Sha256::digest(text.as_bytes());
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let compiled = timeline::compile(&file, &digest, file.seed, &settings);
        let timeline::Compiled { plan, empty_phases } = compiled
            .map_err(|error| (error.made, error.diagnostic()))
            .map_err(|(made, found)| fail(vec![found], made))?;
        let (duration, bytes) = (Micros(plan.duration()), plan.bytes());
        let end = plan.events().last().and_then(|event| event.message().ok()?.offset_s());
        let mut warned = check::warnings(&file, Micros::from_secs(end.unwrap_or_default()));
        warned.extend(warnings);
        warned.extend(check::course(&file, &plan, &empty_phases));
        let branches = timeline::branches(&file);
        // What is wrong with a branch is seen with some seeds too.
        warned.extend(if branches.is_empty() {
            timeline::other_seeds(&file).into_iter().collect()
        } else {
            branches
        });
        let never = check::never(&file);
        let (origin, text) = (origin.to_owned(), text.to_owned());
        Ok((Self { file, origin, text, digest, warnings: warned, settings, duration, bytes, never }, used))
    }

    /// The mistakes of all variants. Adds the parameters that they use, and what is suspicious in them.
    fn variants(&mut self, used: &mut HashSet<String>) -> Vec<Diagnostic> {
        let mut mistakes: Vec<Diagnostic> = Vec::new();
        let variants = &self.file.variant.0;
        let last = variants.last().map(|(name, _)| name.span());
        if let Some(mistake) = last.and_then(|last| check::size(variants.len(), last, &self.text)) {
            return vec![mistake];
        }
        let mut bytes = 0;
        for (number, (place, _)) in variants.iter().enumerate() {
            let name = place.get_ref();
            match Self::read(&self.origin, &self.text, Settings::variant(name)) {
                Ok((variant, _)) if bytes + variant.bytes > MOST_BYTES => {
                    mistakes.push(check::too_much_of_variants(number + 1, MOST_BYTES, place.span()));
                    return mistakes;
                }
                Ok((variant, uses)) => {
                    bytes += variant.bytes;
                    used.extend(uses);
                    self.never.retain(|warning| variant.never.contains(warning));
                    let new = variant.warnings.into_iter();
                    let new = new.filter(|warning| !settings::is_known(warning, &self.warnings));
                    let new: Vec<Diagnostic> =
                        new.map(|warning| settings::in_variant(warning, name)).collect();
                    self.warnings.extend(new);
                }
                Err(failed) => {
                    let found = failed.error.diagnostics.into_iter();
                    mistakes.extend(found.map(|mistake| settings::in_variant(mistake, name)));
                    bytes += failed.bytes;
                    // What the others have is told when these are right.
                    if bytes > MOST_BYTES {
                        return mistakes;
                    }
                }
            }
        }
        mistakes
    }

    /// The mistakes of a file that is wrong without its variants too, and those that only its variants have: an author
    /// sees all of them in one run.
    fn with_variants(plain: ScenarioError, origin: &str, text: &str) -> ScenarioError {
        let names = settings::variant_names(text);
        let last = names.last().map(|(_, place)| place.clone());
        let is_large = last.is_some_and(|last| check::size(names.len(), last, text).is_some());
        if plain.left_out > 0 || is_large {
            return plain;
        }
        let mut found = plain.diagnostics;
        let count = found.len();
        let mut bytes = 0;
        for (name, _) in names {
            // What the others have is told when the file is right.
            if bytes > MOST_BYTES {
                break;
            }
            let error = match Self::read(origin, text, Settings::variant(&name)) {
                Ok((variant, _)) => {
                    bytes += variant.bytes;
                    continue;
                }
                Err(failed) => {
                    bytes += failed.bytes;
                    failed.error
                }
            };
            let new = error.diagnostics.into_iter();
            let new = new.filter(|mistake| !settings::is_known(mistake, &found[..count]));
            let new: Vec<Diagnostic> = new.map(|mistake| settings::in_variant(mistake, &name)).collect();
            found.extend(new);
        }
        ScenarioError::new(origin, text, found)
    }

    /// The plan that is played with this seed.
    ///
    /// # Errors
    /// With this seed a step runs past the resolution, or the resolution is never reached.
    pub fn compile(&self, seed: u64) -> Result<Plan, CompileError> {
        Ok(timeline::compile(&self.file, &self.digest, seed, &self.settings)?.plan)
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
    /// alerts, provenance, parameters and variants.
    pub fn summary(&self) -> serde_json::Value {
        let file = &self.file;
        serde_json::json!({
            "id": self.id(),
            "title": file.title,
            "severity": file.severity,
            "services": file.services.iter().map(toml::Spanned::get_ref).collect::<Vec<_>>(),
            "target_s": file.target.get_ref().secs(),
            "screen_s": self.duration().secs(),
            "alerts": file.alerts.len(),
            "provenance": file.provenance.as_ref().map(|provenance| &provenance.url),
            "parameters": settings::listed_parameters(file),
            "variants": settings::listed_variants(file),
        })
    }

    /// The scenario's id.
    pub fn id(&self) -> &str {
        self.file.id.get_ref()
    }
}
