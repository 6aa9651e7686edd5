//! The scenarios a server can play: a folder of files, or those that ship with the program.

use std::path::Path;

use super::compiled::Scenario;
use super::diagnostic::{Diagnostic, ScenarioError};

/// The files of `scenarios/`, name and text, built into the program.
pub const SHIPPED: [(&str, &str); 5] = [
    ("api-overload.toml", include_str!("../../scenarios/api-overload.toml")),
    ("database-outage.toml", include_str!("../../scenarios/database-outage.toml")),
    ("ddos-attack.toml", include_str!("../../scenarios/ddos-attack.toml")),
    ("memory-leak.toml", include_str!("../../scenarios/memory-leak.toml")),
    ("storage-failure.toml", include_str!("../../scenarios/storage-failure.toml")),
];

/// A set of scenarios with distinct ids, sorted by id.
#[derive(Debug, Clone, Default)]
pub struct Library {
    scenarios: Vec<Scenario>,
    /// Where they come from, for people.
    pub origin: String,
}

impl Library {
    /// The scenarios that ship with the program.
    pub fn shipped() -> Result<Self, Vec<ScenarioError>> {
        let files =
            SHIPPED.into_iter().map(|(name, text)| (format!("scenarios/{name}"), Ok(text.to_owned())));
        Self::collect("the program itself".to_owned(), files)
    }

    /// Every `.toml` file of a folder.
    ///
    /// # Errors
    /// Every file with mistakes, each with all of them; a folder that can't be read.
    pub fn from_folder(folder: &Path) -> Result<Self, Vec<ScenarioError>> {
        let unreadable = |error| vec![ScenarioError::unreadable(&folder.display().to_string(), &error)];
        let mut paths = std::fs::read_dir(folder)
            .and_then(|entries| {
                entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
            })
            .map_err(unreadable)?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        let files = paths.into_iter().map(|path| {
            let text = std::fs::read_to_string(&path);
            (path.display().to_string(), text)
        });
        Self::collect(format!("{}/", folder.display()), files)
    }

    /// A library of one scenario.
    pub fn of(scenario: Scenario) -> Self {
        Self { origin: scenario.origin.clone(), scenarios: vec![scenario] }
    }

    fn collect(
        origin: String,
        files: impl IntoIterator<Item = (String, std::io::Result<String>)>,
    ) -> Result<Self, Vec<ScenarioError>> {
        let mut scenarios: Vec<Scenario> = Vec::new();
        let mut errors = Vec::new();
        for (name, text) in files {
            let parsed = match text {
                Ok(text) => Scenario::parse(&name, &text),
                Err(error) => Err(ScenarioError::unreadable(&name, &error)),
            };
            match parsed {
                Ok(scenario) => match scenarios.iter().find(|other| other.id() == scenario.id()) {
                    Some(other) => {
                        let message = format!("{:?} is also the id of {}", scenario.id(), other.origin);
                        let twice = Diagnostic::new(scenario.file.id.span(), message, "the second");
                        errors.push(ScenarioError::new(&name, &scenario.text, vec![twice]));
                    }
                    None => scenarios.push(scenario),
                },
                Err(error) => errors.push(error),
            }
        }
        scenarios.sort_by(|a, b| a.id().cmp(b.id()));
        if errors.is_empty() { Ok(Self { scenarios, origin }) } else { Err(errors) }
    }

    /// The scenario with that id.
    pub fn get(&self, id: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.id() == id)
    }

    /// All of them, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = &Scenario> {
        self.scenarios.iter()
    }

    /// Their ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.scenarios.iter().map(Scenario::id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.scenarios.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scenarios.is_empty()
    }
}
