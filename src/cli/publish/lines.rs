//! The lines of a file or of standard input, each with an event.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::anyhow;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::cli::exit::{Exit, Failure};
use crate::contract::{SPEC_VERSION, now, strange_line};
use crate::ingest::MAX_BODY_BYTES;
use crate::input_file;
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
        let mut input = BufReader::new(input);
        for number in 1.. {
            let mut bytes = Vec::new();
            let most = MAX_BODY_BYTES as u64 + 1;
            let line = match (&mut input).take(most).read_until(b'\n', &mut bytes) {
                Ok(0) => return,
                Ok(_) if bytes.len() > MAX_BODY_BYTES => {
                    Err(format!("the line has more than {MAX_BODY_BYTES} bytes"))
                }
                Ok(_) => String::from_utf8(bytes).map_err(|_| "the line is not UTF-8".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            let failed = line.is_err();
            let line = line
                .map(|line| (number, line))
                .map_err(|why| Failure::new(Exit::Invalid, anyhow!("{name}:{number}: {why}")));
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
    let line = line.trim_start_matches('\u{feff}').trim();
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
