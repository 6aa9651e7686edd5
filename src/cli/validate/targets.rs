//! The targets to check: scenarios, recordings or a server.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::args::Validate;
use crate::check::Expected;
use crate::cli::exit::{Exit, Failure};
use crate::cli::recorded::recorded;
use crate::client::Endpoint;
use crate::scenario::{Library, Scenario};

/// One target to check.
pub(super) enum Target {
    /// A scenario, played by a temporary server.
    Scenario { scenario: Box<Scenario>, expect: Option<Expected> },
    /// A recording, read from a file.
    Recording { path: PathBuf, text: String, expect: Option<Expected> },
    /// A running server.
    Server { endpoint: Endpoint, until_resolved: bool, expect: Option<Expected> },
}

impl Target {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Scenario { scenario, .. } => scenario.origin.clone(),
            Self::Recording { path, .. } => path.display().to_string(),
            Self::Server { endpoint, .. } => endpoint.to_string(),
        }
    }

    /// The name of the transcript's file, without extension.
    pub(super) fn stem(&self) -> String {
        match self {
            Self::Scenario { scenario, .. } => scenario.id().to_owned(),
            Self::Recording { path, .. } => {
                path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
            }
            Self::Server { .. } => "server".to_owned(),
        }
    }

    pub(super) fn expect(&self) -> Option<Expected> {
        match self {
            Self::Scenario { expect, .. } | Self::Recording { expect, .. } | Self::Server { expect, .. } => {
                expect.clone()
            }
        }
    }
}

impl Validate {
    /// All targets of the flags.
    ///
    /// # Errors
    /// A file can't be read or has mistakes; there is nothing to check.
    pub(super) fn targets(&self) -> Result<Vec<Target>, Failure> {
        let given =
            self.expect.as_deref().map(scenario_at).transpose()?.map(|scenario| expectations(&scenario));
        if let Some(given) = &given
            && given.is_none()
        {
            let file = self.expect.as_deref().unwrap_or(Path::new("")).display();
            return Err(Failure::new(Exit::Usage, anyhow!("{file} has no [expect] table")));
        }
        let given = given.flatten();
        if let Some(url) = &self.url {
            // A server that has a scenario with the name of a built-in one must meet the expectations of that one.
            let own = self.trigger.as_deref().and_then(|name| {
                Library::shipped().ok().and_then(|library| library.get(name).and_then(expectations))
            });
            let expect = given.or(own);
            return Ok(vec![Target::Server {
                endpoint: url.clone(),
                until_resolved: self.listen.is_none(),
                expect,
            }]);
        }
        if !self.files.is_empty() {
            return self.files.iter().map(|file| target(file, given.as_ref())).collect();
        }
        let folder = Path::new("scenarios");
        let library = if folder.is_dir() { Library::from_folder(folder) } else { Library::shipped() };
        let library = library.map_err(Failure::scenarios)?;
        if library.is_empty() {
            let error = anyhow!("nothing was checked: there is no scenario (*.toml) in scenarios/");
            return Err(Failure::new(Exit::Invalid, error).hint("name a scenario, a recording or --url"));
        }
        Ok(library.iter().map(|scenario| scenario_target(scenario.clone(), given.as_ref())).collect())
    }
}

fn target(file: &Path, given: Option<&Expected>) -> Result<Target, Failure> {
    if file.extension().is_some_and(|extension| extension == "toml") {
        return Ok(scenario_target(scenario_at(file)?, given));
    }
    let text = recorded(file)?;
    if text.trim().is_empty() {
        let error = anyhow!("nothing was checked: {} is empty", file.display());
        return Err(Failure::new(Exit::Invalid, error));
    }
    Ok(Target::Recording { path: file.to_owned(), text, expect: given.cloned() })
}

fn scenario_target(scenario: Scenario, given: Option<&Expected>) -> Target {
    let expect = given.cloned().or_else(|| expectations(&scenario));
    Target::Scenario { scenario: Box::new(scenario), expect }
}

/// Reads a scenario file.
///
/// # Errors
/// The file can't be read, which is a usage error; or it is not a scenario without mistakes.
pub(super) fn scenario_at(file: &Path) -> Result<Scenario, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let exit = if error.kind() == ErrorKind::InvalidData { Exit::Scenario } else { Exit::Usage };
        Failure::new(exit, anyhow!("{} cannot be read: {error}", file.display())).hint(
            "the name of a scenario ends in .toml, that of a recording in .ndjson; `incident watch --record FILE` makes recordings",
        )
    })?;
    Scenario::parse(&file.display().to_string(), &text).map_err(|error| Failure::scenarios(vec![error]))
}

/// The expectations of a scenario, and their place: `FILE:LINE`.
fn expectations(scenario: &Scenario) -> Option<Expected> {
    let expect = scenario.file.expect.as_ref()?;
    let start = expect.span().start;
    let line = scenario.text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    Some(Expected {
        expect: expect.get_ref().clone(),
        origin: format!("{}:{line}", scenario.origin),
        scenario: scenario.id().to_owned(),
    })
}
