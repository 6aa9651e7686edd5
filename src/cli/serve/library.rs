//! The scenarios that the server can play.

use std::path::Path;

use anyhow::anyhow;

use super::args::Serve;
use crate::cli::exit::{Exit, Failure};
use crate::scenario::{Library, did_you_mean};
use crate::server::TriggerError;

/// The folder that is used, if it has scenarios, when no other is given.
const FOLDER: &str = "scenarios";

/// Reads the scenarios, and checks that those of --trigger are among them.
pub(super) fn read(args: &Serve) -> Result<Library, Failure> {
    let library = match &args.scenarios {
        Some(folder) => Library::from_folder(folder),
        None if has_scenarios(Path::new(FOLDER)) => Library::from_folder(Path::new(FOLDER)),
        None => Library::shipped(),
    };
    let library = library.map_err(Failure::scenarios)?;
    if library.is_empty() {
        let error = anyhow!("there is no scenario file (*.toml) in {}", library.origin);
        return Err(
            Failure::new(Exit::Scenario, error).hint("leave out --scenarios for the built-in scenarios")
        );
    }
    for name in &args.trigger {
        if library.get(name).is_none() {
            let near = did_you_mean(name, library.ids()).map(str::to_owned);
            return Err(trigger_failure(TriggerError::Unknown { name: name.clone(), near }));
        }
    }
    Ok(library)
}

fn has_scenarios(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.path().extension().is_some_and(|extension| extension == "toml"))
}

/// The failure of a --trigger.
pub(super) fn trigger_failure(error: TriggerError) -> Failure {
    let hint = match &error {
        TriggerError::Unknown { near: Some(near), .. } => format!("did you mean {near:?}?"),
        _ => "`incident validate` checks the scenarios and prints their names".to_owned(),
    };
    Failure::new(Exit::Usage, error).hint(hint)
}
