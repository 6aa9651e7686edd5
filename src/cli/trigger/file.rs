//! A file where `trigger` takes the name of a scenario: says how to play it.

use std::path::Path;

use anyhow::anyhow;

use crate::cli::exit::{Exit, Failure};
use crate::scenario::Library;
use crate::shell::{self, word};

/// What to give in its place.
const NAMED: &str = "name a scenario; `incident list` prints their names";

/// The failure for a file. A server plays the scenarios that it has read itself, so that nobody on the network can make it
/// compile a file of theirs.
pub(super) fn refused(file: &str) -> Failure {
    if file.contains("://") {
        return Failure::new(Exit::Usage, anyhow!("{file} is a URL: trigger takes the name of a scenario"))
            .hint("incident trigger NAME --url URL");
    }
    let loaded = Library::read(Path::new(file));
    let Some(id) = loaded.library.ids().next().filter(|_| loaded.library.len() == 1) else {
        if !loaded.errors.is_empty() {
            // Whatever is wrong with it: if there is no such file, no other one would do.
            return Failure::scenarios(loaded.errors).hint(NAMED);
        }
        return Failure::new(Exit::Usage, anyhow!("{file} is not a scenario file")).hint(NAMED);
    };
    let error = anyhow!("{file} is a file: trigger takes the name of a scenario that the server has");
    let (file, id) = (shell::file(Path::new(file)), word(id));
    Failure::new(Exit::Usage, error).hint(format!(
        "play it on a server of its own: incident serve --port 0 --journal memory --scenarios {file} --trigger {id} --open"
    ))
}
