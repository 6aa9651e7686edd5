//! The scenarios a server can play: a file, a folder of files, or those that ship with the program.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::compiled::Scenario;
use super::diagnostic::{Diagnostic, ScenarioError};
use super::file::LONGEST;
use crate::input_file;

/// The files of `scenarios/`, name and text, built into the program.
pub const SHIPPED: [(&str, &str); 18] = [
    ("api-overload.toml", include_str!("../../scenarios/api-overload.toml")),
    ("aws-2025-10.toml", include_str!("../../scenarios/aws-2025-10.toml")),
    ("cascade.toml", include_str!("../../scenarios/cascade.toml")),
    ("cloudflare-2019.toml", include_str!("../../scenarios/cloudflare-2019.toml")),
    ("cloudflare-2025-11.toml", include_str!("../../scenarios/cloudflare-2025-11.toml")),
    ("cloudflare-dns-2025.toml", include_str!("../../scenarios/cloudflare-dns-2025.toml")),
    ("database-outage.toml", include_str!("../../scenarios/database-outage.toml")),
    ("ddos-attack.toml", include_str!("../../scenarios/ddos-attack.toml")),
    ("facebook-2021.toml", include_str!("../../scenarios/facebook-2021.toml")),
    ("false-alarm.toml", include_str!("../../scenarios/false-alarm.toml")),
    ("fastly-2021.toml", include_str!("../../scenarios/fastly-2021.toml")),
    ("github-2018.toml", include_str!("../../scenarios/github-2018.toml")),
    ("gitlab-2017.toml", include_str!("../../scenarios/gitlab-2017.toml")),
    ("google-cloud-2025.toml", include_str!("../../scenarios/google-cloud-2025.toml")),
    ("memory-leak.toml", include_str!("../../scenarios/memory-leak.toml")),
    ("noise.toml", include_str!("../../scenarios/noise.toml")),
    ("s3-2017.toml", include_str!("../../scenarios/s3-2017.toml")),
    ("storage-failure.toml", include_str!("../../scenarios/storage-failure.toml")),
];

/// The text of a scenario file. Nothing that is no file is opened, and of a huge file no more is read than a scenario may have.
///
/// # Errors
/// It can't be read, is no file, is too long, or is not UTF-8.
pub fn text_of(path: &Path) -> io::Result<String> {
    let read = input_file::read(path, LONGEST as u64).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "no such file"),
        _ => error,
    });
    input_file::utf8(read?)
}

/// The text of a scenario that is read once, as from a pipe.
///
/// # Errors
/// As [`text_of`].
pub fn text_of_stream(stream: impl io::Read) -> io::Result<String> {
    input_file::utf8(input_file::contents(stream, LONGEST as u64)?)
}

/// Whether a name is that of a scenario file. Some systems write extensions in capitals.
pub fn is_scenario_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
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

/// What was found when the files of a library were read again; the names are those of files.
#[derive(Debug, Clone, Default)]
pub struct Reread {
    /// The scenarios from now on.
    pub library: Library,
    /// Files that were not there before.
    pub new: Vec<String>,
    /// Files with another content.
    pub changed: Vec<String>,
    /// Files that have mistakes now: the scenarios that they had before stay.
    pub kept: Vec<String>,
    /// Files that are no longer there.
    pub gone: Vec<String>,
    /// The mistakes, one entry per file.
    pub errors: Vec<ScenarioError>,
}

/// The scenario files of a folder, sorted. Hidden files belong to editors and systems.
fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    let is_hidden =
        |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    paths.retain(|path| is_scenario_file(path) && !is_hidden(path));
    paths.sort();
    Ok(paths)
}

/// A library that is replaced while others use it.
#[derive(Debug, Clone, Default)]
pub struct SharedLibrary(Arc<RwLock<Arc<Library>>>);

impl SharedLibrary {
    /// The library of this moment.
    pub fn get(&self) -> Arc<Library> {
        // Nothing panics while it holds the lock, and what is in it is whole at any time.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another library in its place.
    pub fn replace(&self, library: Library) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(library);
    }
}

impl From<Library> for SharedLibrary {
    fn from(library: Library) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(library))))
    }
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
        let origin = format!("{}/", path.display().to_string().trim_end_matches('/'));
        match files_of(path) {
            Ok(paths) => Self::collect(origin, paths.iter().map(|path| named(path))),
            Err(error) => Loaded {
                library: Self { scenarios: Vec::new(), origin },
                errors: vec![ScenarioError::unreadable(&path.display().to_string(), &error)],
            },
        }
    }

    /// Reads the same files again. Of a file that has mistakes now, or the id of another one, the scenario that was read before
    /// stays.
    ///
    /// # Errors
    /// The folder can't be read, or is not there at the moment.
    pub fn read_again(&self, path: &Path) -> Result<Reread, ScenarioError> {
        let unreadable = |error: io::Error| ScenarioError::unreadable(&path.display().to_string(), &error);
        let is_folder = self.origin.ends_with('/');
        let paths = if is_folder { files_of(path).map_err(unreadable)? } else { vec![path.to_owned()] };
        let before: HashMap<&str, &Scenario> =
            self.scenarios.iter().map(|scenario| (scenario.origin.as_str(), scenario)).collect();
        let mut reread = Reread::default();
        let mut read: Vec<Scenario> = Vec::with_capacity(paths.len());
        let mut names = HashSet::with_capacity(paths.len());
        for path in paths {
            let name = path.display().to_string();
            names.insert(name.clone());
            let parsed =
                text_of(&path).map_err(|error| ScenarioError::unreadable(&name, &error)).and_then(|text| {
                    match before.get(name.as_str()) {
                        Some(same) if same.text == text => Ok((*same).clone()),
                        _ => Scenario::parse(&name, &text),
                    }
                });
            match (parsed, before.get(name.as_str())) {
                (Ok(now), _) => read.push(now),
                // It may be gone for the moment in which an editor replaces it; a later reading finds it or doesn't.
                (Err(error), Some(before)) => {
                    reread.kept.push(name);
                    reread.errors.push(error);
                    read.push((*before).clone());
                }
                (Err(error), None) => reread.errors.push(error),
            }
        }
        // An id belongs to the file that had it, whatever the names of the files are. A file that falls back to what it had
        // takes its id from the others again.
        loop {
            let had = |scenario: &Scenario| {
                before.get(scenario.origin.as_str()).is_some_and(|before| before.id() == scenario.id())
            };
            let owners = read.iter().filter(|scenario| had(scenario));
            let mut taken: HashMap<&str, &str> =
                owners.map(|scenario| (scenario.id(), scenario.origin.as_str())).collect();
            let mut falls = Vec::new();
            for (place, now) in read.iter().enumerate().filter(|(_, now)| !had(now)) {
                match taken.get(now.id()) {
                    Some(other) => falls.push((place, id_of_another(now, other))),
                    None => {
                        taken.insert(now.id(), &now.origin);
                    }
                }
            }
            if falls.is_empty() {
                break;
            }
            for (place, error) in falls.into_iter().rev() {
                reread.errors.push(error);
                let now = read.remove(place);
                if let Some(before) = before.get(now.origin.as_str()) {
                    reread.kept.push(now.origin);
                    read.insert(place, (*before).clone());
                }
            }
        }
        for now in &read {
            match before.get(now.origin.as_str()) {
                Some(before) if before.digest == now.digest => {}
                Some(_) => reread.changed.push(now.origin.clone()),
                None => reread.new.push(now.origin.clone()),
            }
        }
        let gone = self.scenarios.iter().map(|scenario| &scenario.origin);
        reread.gone = gone.filter(|origin| !names.contains(origin.as_str())).cloned().collect();
        reread.library.scenarios = read;
        reread.library.scenarios.sort_by(|a, b| a.id().cmp(b.id()));
        reread.library.origin.clone_from(&self.origin);
        Ok(reread)
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
                    Some(other) => errors.push(id_of_another(&scenario, other)),
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

/// The mistake of a scenario whose id another file has.
fn id_of_another(scenario: &Scenario, other: &str) -> ScenarioError {
    let message = format!("{:?} is also the id of {other}", scenario.id());
    let twice = Diagnostic::new(scenario.file.id.span(), message, "the second");
    ScenarioError::new(&scenario.origin, &scenario.text, vec![twice])
}
