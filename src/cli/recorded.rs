//! The text of a recording, for the commands that judge or report its lines.

use std::fs::File;
use std::io::{ErrorKind, Read, stdin};
use std::path::{MAIN_SEPARATOR, Path};

use super::exit::{Exit, Failure};
use crate::input_file;
use crate::recording::{RecordingError, read_text};

/// What to do about a file that is not text in an encoding that is read.
pub(super) const ENCODING: &str = "`incident watch --record FILE` writes UTF-8; UTF-16 is read too";

/// The text of a file.
///
/// # Errors
/// It can't be read, or is not the text of a recording.
pub(super) fn recorded(file: &Path) -> Result<String, Failure> {
    read(Ok(open(file)?), &file.display().to_string())
}

/// Opens the file of a recording.
///
/// # Errors
/// It can't be opened.
pub(super) fn open(file: &Path) -> Result<File, Failure> {
    let origin = file.display().to_string();
    input_file::open(file).map_err(|source| {
        let is_missing = source.kind() == ErrorKind::NotFound;
        let is_url = origin.contains("://") || is_address(&origin);
        let failure = Failure::new(Exit::Usage, RecordingError::Unreadable { origin, source });
        if is_missing && is_url {
            failure.hint("a running server is checked with --url URL, an event stream of another program with --sse URL")
        } else if is_missing {
            failure.hint("name a recording, or a scenario: its file (*.toml), or its name without a folder")
        } else {
            failure
        }
    })
}

/// Whether it is HOST:PORT.
fn is_address(name: &str) -> bool {
    let parts = name.rsplit_once(':');
    parts.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(MAIN_SEPARATOR) && port.parse::<u16>().is_ok()
    })
}

/// The text on stdin.
///
/// # Errors
/// As [`recorded`].
pub(super) fn recorded_on_stdin() -> Result<String, Failure> {
    read(Ok(stdin().lock()), "stdin")
}

fn read(recording: Result<impl Read, RecordingError>, origin: &str) -> Result<String, Failure> {
    let text = recording.and_then(|recording| read_text(recording, origin));
    text.map_err(|error| {
        let encoding = matches!(error, RecordingError::Encoding { .. });
        let failure = Failure::new(Exit::Usage, error);
        if encoding { failure.hint(ENCODING) } else { failure }
    })
}
