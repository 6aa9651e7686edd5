//! The scenarios of a command: a file or folder that is named, else the folder `scenarios/`, else those in the program.

use std::path::Path;

use anyhow::anyhow;

use super::exit::{Exit, Failure};
use crate::scenario::{Library, Loaded, Scenario, did_you_mean, is_scenario_file};

/// The folder that is used, if it has scenarios, when no other is given.
const FOLDER: &str = "scenarios";

/// Reads the scenarios that a server started here with the same `--scenarios` would play.
///
/// # Errors
/// There is no scenario file. Files with mistakes are no error as long as one other file has none.
pub(super) fn read(wanted: Option<&Path>) -> Result<Loaded, Failure> {
    let loaded = match place(wanted) {
        Some(path) => Library::read(path),
        None => Loaded { library: shipped()?, errors: Vec::new() },
    };
    match (loaded.library.is_empty(), loaded.errors.is_empty()) {
        (false, _) => Ok(loaded),
        (true, false) => Err(Failure::scenarios(loaded.errors)),
        (true, true) => {
            let error = anyhow!("there is no scenario file (*.toml) in {}", loaded.library.origin);
            Err(Failure::new(Exit::Usage, error).hint("leave out --scenarios for the built-in scenarios"))
        }
    }
}

/// The file or folder that scenarios are read from; `None` for the built-in ones.
pub(super) fn place(wanted: Option<&Path>) -> Option<&Path> {
    wanted.or_else(|| Some(Path::new(FOLDER)).filter(|folder| has_scenarios(folder)))
}

/// The scenario with that id: of the named file or folder only, or of `scenarios/` and then of the program.
///
/// # Errors
/// There is none; or the file that is called like it has mistakes.
pub(super) fn named(name: &str, wanted: Option<&Path>) -> Result<Scenario, Failure> {
    let loaded = match wanted {
        Some(_) => read(wanted)?,
        None => Library::read(Path::new(FOLDER)),
    };
    let built_in = if wanted.is_none() { shipped()? } else { Library::default() };
    if let Some(found) = loaded.library.get(name) {
        return Ok(found.clone());
    }
    let (wrong, _): (Vec<_>, Vec<_>) =
        loaded.errors.into_iter().partition(|error| is_called(Path::new(error.origin()), name));
    if !wrong.is_empty() {
        return Err(Failure::scenarios(wrong));
    }
    if let Some(found) = built_in.get(name) {
        return Ok(found.clone());
    }
    // As `incident new NAME` writes it where there is no folder scenarios/.
    let here = format!("{name}.toml");
    let hint = match did_you_mean(name, loaded.library.ids().chain(built_in.ids())) {
        _ if wanted.is_none() && Path::new(&here).is_file() => {
            format!("there is a file {here:?} here: name that")
        }
        Some(near) => format!("did you mean {near:?}?"),
        None => "`incident list` shows the scenarios".to_owned(),
    };
    Err(Failure::new(Exit::Usage, anyhow!("no scenario is called {name:?}")).hint(hint))
}

/// A scenario by its name, or by its file.
pub(super) fn named_or_file(name: &str) -> Result<Scenario, Failure> {
    let path = Path::new(name);
    if is_name(path) {
        return named(name, None);
    }
    if path.is_dir() {
        let error = anyhow!("{} is a folder", path.display());
        return Err(Failure::new(Exit::Usage, error).hint("name one of the files in it"));
    }
    let Loaded { library, errors } = Library::read(path);
    library.iter().next().cloned().ok_or_else(|| Failure::scenarios(errors))
}

/// Whether it is the name of a scenario and not a file: it has neither a folder nor an extension, which no scenario's name can
/// have.
pub(super) fn is_name(path: &Path) -> bool {
    let has_separator = path.to_str().is_none_or(|path| path.contains(std::path::is_separator));
    path.extension().is_none() && !has_separator
}

/// The same where a file of any name can be meant, as a recording can: what is there is a file, and HOST:PORT is none.
pub(super) fn name_of(path: &Path) -> Option<&str> {
    path.to_str().filter(|name| is_name(path) && !name.contains(':') && !path.exists())
}

/// Whether a file is called `NAME.toml`. An empty one does not count: `incident show NAME > scenarios/NAME.toml` creates it
/// before this program runs.
fn is_called(file: &Path, name: &str) -> bool {
    let empty = file.metadata().is_ok_and(|metadata| metadata.len() == 0);
    file.file_stem().is_some_and(|stem| stem == name) && !empty
}

/// The scenarios in the program.
pub(super) fn shipped() -> Result<Library, Failure> {
    Library::shipped().map_err(Failure::scenarios)
}

fn has_scenarios(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| is_scenario_file(&entry.path()))
}
