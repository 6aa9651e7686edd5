//! The scenarios a server can play: a file, a folder of files, or those that ship with the program.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::compiled::Scenario;
use super::diagnostic::{Diagnostic, ScenarioError};
use super::read;
use crate::input_file;

/// The files of `scenarios/`, name and text, built into the program.
pub const SHIPPED: [(&str, &str); 11] = [
    ("api-overload.toml", include_str!("../../scenarios/api-overload.toml")),
    ("cloudflare-2019.toml", include_str!("../../scenarios/cloudflare-2019.toml")),
    ("database-outage.toml", include_str!("../../scenarios/database-outage.toml")),
    ("ddos-attack.toml", include_str!("../../scenarios/ddos-attack.toml")),
    ("facebook-2021.toml", include_str!("../../scenarios/facebook-2021.toml")),
    ("false-alarm.toml", include_str!("../../scenarios/false-alarm.toml")),
    ("github-2018.toml", include_str!("../../scenarios/github-2018.toml")),
    ("gitlab-2017.toml", include_str!("../../scenarios/gitlab-2017.toml")),
    ("memory-leak.toml", include_str!("../../scenarios/memory-leak.toml")),
    ("s3-2017.toml", include_str!("../../scenarios/s3-2017.toml")),
    ("storage-failure.toml", include_str!("../../scenarios/storage-failure.toml")),
];

/// The text of a scenario file. Nothing that is no file is opened, and of a huge file no more is read than a scenario may have.
///
/// # Errors
/// It can't be read, is no file, is too long, or is not UTF-8.
pub fn text_of(path: &Path) -> io::Result<String> {
    input_file::utf8(input_file::read(path, read::LONGEST as u64)?)
}

/// A set of scenarios with distinct ids, sorted by id.
#[derive(Debug, Clone, Default)]
pub struct Library {
    scenarios: Vec<Scenario>,
    /// Where they come from, for people.
    pub origin: String,
}

/// What was read from a file or a folder.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The scenarios without mistakes.
    pub library: Library,
    /// The mistakes of the other files, one entry per file. A folder that can't be read is one entry too.
    pub errors: Vec<ScenarioError>,
}

impl Library {
    /// The scenarios that ship with the program.
    ///
    /// # Errors
    /// The mistakes of the files; they have none.
    pub fn shipped() -> Result<Self, Vec<ScenarioError>> {
        let files =
            SHIPPED.into_iter().map(|(name, text)| (format!("scenarios/{name}"), Ok(text.to_owned())));
        let Loaded { library, errors } = Self::collect("the program itself".to_owned(), files);
        if errors.is_empty() { Ok(library) } else { Err(errors) }
    }

    /// One scenario file, or every `.toml` file of a folder. A file with mistakes does not keep the others out.
    pub fn read(path: &Path) -> Loaded {
        let named = |path: &Path| (path.display().to_string(), text_of(path));
        if !path.is_dir() {
            return Self::collect(path.display().to_string(), [named(path)]);
        }
        let paths = std::fs::read_dir(path).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        });
        let origin = format!("{}/", path.display().to_string().trim_end_matches('/'));
        match paths {
            Ok(mut paths) => {
                paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
                paths.sort();
                Self::collect(origin, paths.iter().map(|path| named(path)))
            }
            Err(error) => Loaded {
                library: Self { scenarios: Vec::new(), origin },
                errors: vec![ScenarioError::unreadable(&path.display().to_string(), &error)],
            },
        }
    }

    /// A library of one scenario.
    pub fn of(scenario: Scenario) -> Self {
        Self { origin: scenario.origin.clone(), scenarios: vec![scenario] }
    }

    fn collect(origin: String, files: impl IntoIterator<Item = (String, io::Result<String>)>) -> Loaded {
        let mut scenarios: Vec<Scenario> = Vec::new();
        let mut origins: HashMap<String, String> = HashMap::new();
        let mut errors = Vec::new();
        for (name, text) in files {
            let parsed = match text {
                Ok(text) => Scenario::parse(&name, &text),
                Err(error) => Err(ScenarioError::unreadable(&name, &error)),
            };
            match parsed {
                Ok(scenario) => match origins.get(scenario.id()) {
                    Some(other) => {
                        let message = format!("{:?} is also the id of {other}", scenario.id());
                        let twice = Diagnostic::new(scenario.file.id.span(), message, "the second");
                        errors.push(ScenarioError::new(&name, &scenario.text, vec![twice]));
                    }
                    None => {
                        origins.insert(scenario.id().to_owned(), scenario.origin.clone());
                        scenarios.push(scenario);
                    }
                },
                Err(error) => errors.push(error),
            }
        }
        scenarios.sort_by(|a, b| a.id().cmp(b.id()));
        Loaded { library: Self { scenarios, origin }, errors }
    }

    /// The scenario with that id.
    pub fn get(&self, id: &str) -> Option<&Scenario> {
        let place = self.scenarios.binary_search_by(|scenario| scenario.id().cmp(id)).ok()?;
        self.scenarios.get(place)
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
