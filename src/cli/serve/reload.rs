//! Scenario files that change while the server runs: the next trigger plays what is in them then.

use std::path::{Path, PathBuf};

use colored::Colorize;

use crate::cli::changes::{Changes, LOOK_EVERY};
use crate::cli::log::LogFormat;
use crate::cli::mistakes;
use crate::cli::out::{painted, say};
use crate::scenario::{Reread, SharedLibrary};

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
}

impl Watched {
    /// To be called before the files are read: what changes in between is read again.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), changes: Changes::new(vec![path.to_owned()], &["toml"]) }
    }
}

/// Follows the files that a library was read from, on a thread of its own: a disk may be slow or hang. Built-in scenarios
/// don't change. The thread ends with the process.
pub(super) fn follow(watched: Option<Watched>, library: SharedLibrary, telling: Telling) {
    let Some(Watched { path, mut changes }) = watched else { return };
    let watch = move || {
        loop {
            std::thread::sleep(LOOK_EVERY);
            if !changes.look().is_empty() {
                read_again(&path, &library, telling);
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("scenarios".to_owned()).spawn(watch) {
        tracing::warn!(%error, "changes of scenario files will not be noticed until the next start");
    }
}

fn read_again(path: &Path, library: &SharedLibrary, telling: Telling) {
    match library.get().read_again(path) {
        Ok(reread) => {
            tell(&reread, telling);
            library.replace(reread.library);
        }
        Err(error) => tracing::error!("{error}; the scenarios stay as they were"),
    }
}

fn tell(reread: &Reread, telling: Telling) {
    let Reread { library: _, new, changed, kept, gone, errors } = reread;
    mistakes::show(errors, telling.color, telling.log);
    for (files, what) in [
        (new, "is new: it can be triggered"),
        (changed, "has changed: the next trigger plays it as it is now"),
        (gone, "is gone: it can't be triggered any longer"),
    ] {
        for file in files {
            if !telling.quiet {
                told(file, what, telling.log);
            }
        }
    }
    for file in kept {
        told(file, "has mistakes now: triggers play the last version without", telling.log);
    }
}

fn told(file: &str, what: &str, log: LogFormat) {
    match log {
        LogFormat::Json => tracing::info!("{file} {what}"),
        LogFormat::Text => say(painted!["scenarios:".bold(), " ", file, " ", what]),
    }
}
