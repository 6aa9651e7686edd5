//! The lines of a file or of standard input, each with an event.

use std::io::Read;
use std::path::Path;

use anyhow::anyhow;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::cli::exit::{Exit, Failure};
use crate::contract::{SPEC_VERSION, now, strange_line};
use crate::input_file;
use crate::recording::TextLines;
use crate::unread_json::sentence;

/// Lines that are read ahead.
const AHEAD: usize = 256;

/// A line and its number, from 1; or why the file cannot be read further.
pub(super) type Line = Result<(usize, String), Failure>;

/// Reads a file, or standard input for `-`, on a thread of its own, which ends with the process.
pub(super) fn read(file: &Path) -> Result<mpsc::Receiver<Line>, Failure> {
    let name = file.display().to_string();
    let input: Box<dyn Read + Send> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        let opened = input_file::open(file);
        Box::new(
            opened.map_err(|error| Failure::new(Exit::Usage, anyhow!("{name} cannot be read: {error}")))?,
        )
    };
    let (lines, read) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        for line in TextLines::new(input, &name) {
            let failed = line.is_err();
            let line = line.map_err(|error| Failure::new(Exit::Invalid, error));
            if lines.blocking_send(line).is_err() || failed {
                return;
            }
        }
    });
    Ok(read)
}

/// The event of a line, with everything that can be filled in; `None` for an empty line.
///
/// # Errors
/// The line is not a JSON object.
pub(super) fn event(line: &str, source: &str) -> Result<Option<Value>, String> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(None);
    }
    let strange = strange_line(line);
    let mut event: Value = serde_json::from_str(line)
        .map_err(|error| strange.map_or_else(|| sentence("the line", &error), ToOwned::to_owned))?;
    let Some(attributes) = event.as_object_mut() else {
        return Err(strange.unwrap_or("an event is a JSON object").to_owned());
    };
    attributes.entry("specversion").or_insert_with(|| SPEC_VERSION.into());
    attributes.entry("source").or_insert_with(|| source.into());
    attributes.entry("time").or_insert_with(|| now().to_string().into());
    if !attributes.contains_key("id") {
        let digest = Sha256::digest(Value::Object(attributes.clone()).to_string().as_bytes());
        let id: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        attributes.insert("id".to_owned(), id.into());
    }
    Ok(Some(event))
}
