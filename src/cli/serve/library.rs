//! The scenarios that the server can play.

use std::path::Path;

use colored::Colorize;

use super::args::Serve;
use super::reload::Watched;
use crate::cli::exit::{Exit, Failure};
use crate::cli::format::count;
use crate::cli::log::LogFormat;
use crate::cli::out::{painted, say};
use crate::cli::{mistakes, scenarios};
use crate::scenario::{Library, Loaded, ScenarioError, did_you_mean};
use crate::server::TriggerError;
use crate::shell;

/// The scenarios, and a description of them.
pub(super) struct Scenarios {
    pub(super) library: Library,
    /// How many there are, where they come from, and how many files are wrong.
    pub(super) description: String,
    /// The file or folder that they were read from; `None` for the built-in ones.
    pub(super) watched: Option<Watched>,
}

/// Reads the scenarios, and checks that those of --trigger are among them. Files with mistakes are reported and left out.
///
/// # Errors
/// There is no scenario without mistakes, or --trigger names none.
pub(super) fn read(args: &Serve, color: bool, quiet: bool) -> Result<Scenarios, Failure> {
    let watched = scenarios::place(args.scenarios.as_deref()).map(Watched::new);
    let Loaded { library, errors } = scenarios::read(args.scenarios.as_deref())?;
    let wrong = match errors.len() {
        0 => String::new(),
        1 => "; 1 file has mistakes".to_owned(),
        many => format!("; {many} files have mistakes"),
    };
    for name in &args.trigger {
        if library.get(name).is_none() {
            return Err(unknown(name, &library, errors));
        }
    }
    if !errors.is_empty() {
        mistakes::show(&errors, color, args.log_format);
        if args.log_format == LogFormat::Text {
            let summary = mistakes::summary(&errors);
            say(painted!["warning:".yellow().bold(), " ", summary, ": the other scenarios are served"]);
        }
    }
    if !quiet {
        let warned = library.iter().filter_map(|scenario| Some((&scenario.origin, scenario.warned()?)));
        for (file, warned) in warned {
            warn(file, (warned.diagnostics.len() + warned.left_out) as u64, args.log_format);
        }
    }
    let description = format!("{} from {}{wrong}", library.len(), library.origin);
    let watched = watched.map(|watched| watched.told(errors));
    Ok(Scenarios { library, description, watched })
}

/// Says that `validate` has warnings on a scenario.
fn warn(file: &str, warnings: u64, log: LogFormat) {
    let (warnings, shown) = (count(warnings, "warning"), shell::file(Path::new(file)));
    match log {
        LogFormat::Json => tracing::warn!("{warnings} in {file}: run incident validate {shown}"),
        LogFormat::Text => {
            let text = format!(" {warnings} in {file}: run incident validate {shown}");
            say(painted!["warning:".yellow().bold(), text]);
        }
    }
}

/// The failure of a --trigger whose scenario is not in the library: its file may be one of those with mistakes.
fn unknown(name: &str, library: &Library, errors: Vec<ScenarioError>) -> Failure {
    let near = did_you_mean(name, library.ids()).map(str::to_owned);
    if near.is_none() && errors.iter().any(|error| is_called(error, name)) {
        return Failure::scenarios(errors);
    }
    trigger_failure(TriggerError::Unknown { name: name.to_owned(), near })
}

fn is_called(error: &ScenarioError, name: &str) -> bool {
    Path::new(error.origin()).file_stem().is_some_and(|stem| stem == name)
}

/// The failure of a --trigger.
pub(super) fn trigger_failure(error: TriggerError) -> Failure {
    let hint = match &error {
        TriggerError::Unknown { near: Some(near), .. } => format!("did you mean {near:?}?"),
        _ => "`incident list` prints the scenarios".to_owned(),
    };
    Failure::new(Exit::Usage, error).hint(hint)
}
