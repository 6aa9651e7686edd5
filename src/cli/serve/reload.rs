//! Scenario files that change while the server runs: the next trigger plays what is in them then.

use std::path::{Path, PathBuf};

use colored::Colorize;

use crate::cli::changes::{Changes, LOOK_EVERY};
use crate::cli::log::LogFormat;
use crate::cli::mistakes;
use crate::cli::out::{painted, say};
use crate::scenario::{Reread, ScenarioError, SharedLibrary};

/// How changes are told.
#[derive(Clone, Copy)]
pub(super) struct Telling {
    pub(super) color: bool,
    pub(super) log: LogFormat,
    pub(super) quiet: bool,
}

/// The file or folder of a library, and how it looked before the library was read.
pub(super) struct Watched {
    path: PathBuf,
    changes: Changes,
    /// The mistakes that were told last: those of a file that stays as it is are not told again.
    told: Vec<ScenarioError>,
}

impl Watched {
    /// To be called before the files are read: what changes in between is read again.
    pub(super) fn new(path: &Path) -> Self {
        let changes = Changes::new(vec![path.to_owned()], &["toml"]);
        Self { path: path.to_owned(), changes, told: Vec::new() }
    }

    /// The mistakes that were told when the files were read.
    pub(super) fn told(self, told: Vec<ScenarioError>) -> Self {
        Self { told, ..self }
    }

    fn read_again(&mut self, library: &SharedLibrary, telling: Telling) {
        match library.get().read_again(&self.path) {
            Ok(reread) => {
                self.tell(&reread, telling);
                library.replace(reread.library);
                self.told = reread.errors;
            }
            Err(error) => tracing::error!("{error}; the scenarios stay as they were"),
        }
    }

    fn tell(&self, reread: &Reread, telling: Telling) {
        let Reread { library: _, new, changed, kept, gone, errors } = reread;
        let is_new = |error: &&ScenarioError| !self.told.contains(error);
        let unsaid: Vec<ScenarioError> = errors.iter().filter(is_new).cloned().collect();
        mistakes::show(&unsaid, telling.color, telling.log);
        let is_wrong = |file: &str, among: &[ScenarioError]| among.iter().any(|error| error.origin() == file);
        let is_mended = |file: &&String| {
            is_wrong(file, &self.told)
                && !is_wrong(file, errors)
                && !changed.contains(file)
                && !new.contains(file)
        };
        let mended: Vec<String> =
            reread.library.iter().map(|scenario| &scenario.origin).filter(is_mended).cloned().collect();
        for (files, what) in [
            (new, "is new: it can be triggered"),
            (changed, "has changed: the next trigger plays it as it is now"),
            (&mended, "has no mistakes any longer"),
            (gone, "is gone: it can't be triggered any longer"),
        ] {
            for file in files {
                if !telling.quiet {
                    told(file, what, telling.log);
                }
            }
        }
        for file in kept.iter().filter(|file| is_wrong(file, &unsaid)) {
            told(file, "has mistakes now: triggers play the last version without", telling.log);
        }
    }
}

/// Follows the files that a library was read from, on a thread of its own: a disk may be slow or hang. Built-in scenarios
/// don't change. The thread ends with the process.
pub(super) fn follow(watched: Option<Watched>, library: SharedLibrary, telling: Telling) {
    let Some(mut watched) = watched else { return };
    let watch = move || {
        loop {
            std::thread::sleep(LOOK_EVERY);
            if !watched.changes.look().is_empty() {
                watched.read_again(&library, telling);
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("scenarios".to_owned()).spawn(watch) {
        tracing::warn!(%error, "changes of scenario files will not be noticed until the next start");
    }
}

fn told(file: &str, what: &str, log: LogFormat) {
    match log {
        LogFormat::Json => tracing::info!("{file} {what}"),
        LogFormat::Text => say(painted!["scenarios:".bold(), " ", file, " ", what]),
    }
}
