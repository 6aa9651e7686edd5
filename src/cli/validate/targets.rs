//! The targets to check: scenarios, recordings or a server.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::args::Validate;
use super::judged::Unjudged;
use super::link::Dial;
use super::peek::{self, Content, Opened, Source};
use crate::check::Expected;
use crate::cli::exit::{Exit, Failure};
use crate::cli::scenarios::{self, shipped};
use crate::scenario::{
    Library, Loaded, Scenario, ScenarioError, Settings, SettingsError, VARIANT, is_scenario_file, text_of,
    text_of_stream,
};

/// One target to check.
pub(super) enum Target {
    /// A scenario, played by a temporary server. `warns` says whether what is suspicious in it is told here: what is suspicious in
    /// a variant is told with the scenario as it is.
    Scenario { scenario: Box<Scenario>, expect: Option<Expected>, warns: bool },
    /// A recording, read from a file.
    Recording { path: PathBuf, expect: Option<Expected>, opened: Option<Opened> },
    /// A running server.
    Server { dial: Box<Dial>, expect: Option<Expected> },
}

impl Target {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Scenario { scenario, .. } => match settings_of(scenario) {
                Some(settings) => format!("{} with {settings}", scenario.origin),
                None => scenario.origin.clone(),
            },
            Self::Recording { path, .. } => path.display().to_string(),
            Self::Server { dial, .. } => dial.endpoint.to_string(),
        }
    }

    /// The name of the transcript's file, without extension.
    pub(super) fn stem(&self) -> String {
        match self {
            Self::Scenario { scenario, .. } => match scenario.settings.get(VARIANT) {
                Some(variant) => format!("{}-{variant}", scenario.id()),
                None => scenario.id().to_owned(),
            },
            Self::Recording { path, .. } => {
                path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
            }
            Self::Server { .. } => "server".to_owned(),
        }
    }

    pub(super) fn is_scenario(&self) -> bool {
        matches!(self, Self::Scenario { .. })
    }

    /// What is suspicious in a scenario.
    pub(super) fn warned(&self) -> Option<ScenarioError> {
        match self {
            Self::Scenario { scenario, warns: true, .. } => scenario.warned(),
            Self::Scenario { .. } | Self::Recording { .. } | Self::Server { .. } => None,
        }
    }

    /// The file of a recording.
    pub(super) fn recording(&self) -> Option<&Path> {
        match self {
            Self::Recording { path, .. } => Some(path),
            Self::Scenario { .. } | Self::Server { .. } => None,
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

/// What is to be checked.
#[derive(Default)]
pub(super) struct Targets {
    pub(super) found: Vec<Target>,
    /// Scenario files with mistakes. They are reported, and do not keep the other targets from being checked.
    pub(super) wrong: Vec<ScenarioError>,
    /// What was named and can't be read. It does not keep the other targets from being checked either.
    pub(super) unjudged: Vec<Unjudged>,
}

impl Targets {
    fn add(&mut self, loaded: Loaded, given: Given<'_>) -> Result<(), Failure> {
        self.wrong.extend(loaded.errors);
        loaded.library.iter().try_for_each(|scenario| self.add_scenario(scenario, given))
    }

    /// Adds a scenario with the settings that were given, or as it is and in each of its variants.
    fn add_scenario(&mut self, scenario: &Scenario, given: Given<'_>) -> Result<(), Failure> {
        let with = |settings: &Settings| {
            scenario.with(settings).map_err(|error| {
                let error = match error {
                    SettingsError::File(error) => return Failure::scenarios(vec![error]),
                    SettingsError::NotOffered(_) => anyhow!("{}: {error}", scenario.origin),
                };
                Failure::new(Exit::Usage, error)
                    .hint("`incident list --json` has the variants and the parameters of each scenario")
            })
        };
        if !given.settings.is_empty() {
            self.found.push(scenario_target(with(given.settings)?, given, true));
            return Ok(());
        }
        self.found.push(scenario_target(scenario.clone(), given, true));
        for (name, _) in &scenario.file.variant.0 {
            self.found.push(scenario_target(with(&Settings::variant(name.get_ref()))?, given, false));
        }
        Ok(())
    }
}

/// What the flags say about the targets.
#[derive(Clone, Copy)]
struct Given<'a> {
    expect: Option<&'a Expected>,
    settings: &'a Settings,
}

/// `variant=failover-fails release=2026.8.1`
fn settings_of(scenario: &Scenario) -> Option<String> {
    let settings: Vec<String> =
        scenario.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    (!settings.is_empty()).then(|| settings.join(" "))
}

impl Validate {
    /// All targets of the flags.
    ///
    /// # Errors
    /// A file can't be read; there is nothing to check.
    pub(super) fn targets(&self) -> Result<Targets, Failure> {
        let given = self.expect.as_deref().map(sound_scenario_at).transpose()?;
        let given = given.map(|scenario| Expected::of(&scenario));
        if let Some(given) = &given
            && given.is_none()
        {
            let file = self.expect.as_deref().unwrap_or(Path::new("")).display();
            return Err(Failure::new(Exit::Usage, anyhow!("{file} has no [expect] table")));
        }
        let given = given.flatten();
        self.check_settings()?;
        if let Some(dial) = &self.dial {
            // A server that has a scenario with the name of a built-in one must meet the expectations of that one.
            let own = self
                .trigger
                .as_deref()
                .and_then(|name| shipped().ok().and_then(|library| library.get(name).and_then(Expected::of)));
            let (only_drills, settings) = (self.trigger.is_some(), self.settings.settings()?);
            let expect = given.or(own).map(|expect| Expected { only_drills, settings, ..expect });
            let server = Target::Server { dial: Box::new(dial.clone()), expect };
            return Ok(Targets { found: vec![server], ..Targets::default() });
        }
        let mut found = Targets::default();
        let folder = PathBuf::from("scenarios");
        let settings = self.settings.settings()?;
        let given = Given { expect: given.as_ref(), settings: &settings };
        match &*self.files {
            [] if folder.is_dir() => found.add_path(&folder, given)?,
            [] => found.add(Loaded { library: shipped()?, errors: Vec::new() }, given)?,
            [file] => found.add_path(file, given)?,
            files => {
                for file in files {
                    if let Err(failure) = found.add_path(file, given) {
                        found.unjudged.push(Unjudged { name: file.display().to_string(), failure });
                    }
                }
            }
        }
        Ok(found)
    }
}

impl Validate {
    /// Settings are for what is played: nothing can be chosen of a stream that is only listened to.
    fn check_settings(&self) -> Result<(), Failure> {
        if !self.settings.settings()?.is_empty() && self.dial.is_some() && self.trigger.is_none() {
            let error = anyhow!("--set chooses how a scenario is played, and nothing is played here");
            return Err(Failure::new(Exit::Usage, error).hint("add --trigger NAME, or leave out --set"));
        }
        Ok(())
    }
}

impl Targets {
    /// Adds a file, everything in a folder, or the scenario of that name.
    fn add_path(&mut self, path: &Path, given: Given<'_>) -> Result<(), Failure> {
        let is = |path: &Path, extension: &str| {
            path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
        };
        if path.is_dir() {
            let before = self.found.len() + self.wrong.len();
            self.add(Library::read(path), given)?;
            let mut files: Vec<PathBuf> = std::fs::read_dir(path)
                .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
                .unwrap_or_default();
            files.retain(|file| is(file, "ndjson"));
            files.sort();
            for file in files {
                let expect = given.expect.cloned();
                self.found.push(Target::Recording { path: file, expect, opened: None });
            }
            if self.found.len() + self.wrong.len() == before {
                let folder = path.display();
                let error =
                    anyhow!("nothing was checked: {folder} has no scenario (*.toml) or recording (*.ndjson)");
                return Err(Failure::new(Exit::Invalid, error).hint("name a scenario, a recording or --url"));
            }
        } else if is_scenario_file(path) {
            match scenario_at(path)? {
                Ok(scenario) => self.add_scenario(&scenario, given)?,
                Err(error) => self.wrong.push(error),
            }
        } else if let Some(name) = scenarios::name_of(path) {
            self.add_scenario(&scenarios::named(name, None)?, given)?;
        } else if ["ndjson", "jsonl"].iter().any(|extension| is(path, extension)) {
            self.add_recording(path, None, given)?;
        } else {
            match peek::look(path) {
                Ok(Content::Scenario(source)) => {
                    let read = match source {
                        Source::Path => scenario_at(path)?,
                        Source::Once(opened) => scenario_of(path, text_of_stream(opened))?,
                    };
                    match read {
                        Ok(scenario) => self.add_scenario(&scenario, given)?,
                        Err(error) => self.wrong.push(error),
                    }
                }
                Ok(Content::Recording(Source::Once(opened))) => {
                    self.add_recording(path, Some(opened), given)?;
                }
                // Who reads it says why it can't be read.
                Ok(Content::Recording(Source::Path)) | Err(_) => self.add_recording(path, None, given)?,
            }
        }
        Ok(())
    }

    fn add_recording(
        &mut self,
        path: &Path,
        opened: Option<Opened>,
        given: Given<'_>,
    ) -> Result<(), Failure> {
        if !given.settings.is_empty() {
            let error =
                anyhow!("--set chooses how a scenario is played, and {} is a recording", path.display());
            return Err(Failure::new(Exit::Usage, error).hint("name scenarios only, or leave out --set"));
        }
        let (path, expect) = (path.to_owned(), given.expect.cloned());
        self.found.push(Target::Recording { path, expect, opened });
        Ok(())
    }
}

fn scenario_target(scenario: Scenario, given: Given<'_>, warns: bool) -> Target {
    let expect = given.expect.cloned().or_else(|| Expected::of(&scenario));
    Target::Scenario { scenario: Box::new(scenario), expect, warns }
}

/// Reads a scenario file. The inner error has the mistakes in it.
///
/// # Errors
/// The file can't be read, which is a usage error.
fn scenario_at(file: &Path) -> Result<Result<Scenario, ScenarioError>, Failure> {
    scenario_of(file, text_of(file))
}

/// The scenario of a file of which the text was read.
fn scenario_of(
    file: &Path,
    text: std::io::Result<String>,
) -> Result<Result<Scenario, ScenarioError>, Failure> {
    let text = text.map_err(|error| {
        let failure = |exit| Failure::new(exit, anyhow!("{} cannot be read: {error}", file.display()));
        // It is there, and its error says what to do about what is in it.
        if error.kind() == ErrorKind::InvalidData {
            return failure(Exit::Scenario);
        }
        failure(Exit::Usage).hint(
            "the name of a scenario ends in .toml, that of a recording in .ndjson; `incident watch --record FILE` makes recordings",
        )
    })?;
    Ok(Scenario::parse(&file.display().to_string(), &text))
}

/// Reads a scenario file without mistakes.
pub(super) fn sound_scenario_at(file: &Path) -> Result<Scenario, Failure> {
    scenario_at(file)?.map_err(|error| Failure::scenarios(vec![error]))
}
