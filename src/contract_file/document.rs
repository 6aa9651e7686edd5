//! A file of a contract: JSON or YAML.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::ContractError;
use super::twice::twice;
use super::yaml;
use crate::input_file;
use crate::json_schema::rounded::Rounded;
use crate::unread_json::sentence;

/// The largest file, in bytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// A file that was read.
#[derive(Debug)]
pub(super) struct Document {
    /// As the user named it, for messages.
    pub(super) name: PathBuf,
    /// Without links, for comparisons.
    pub(super) path: PathBuf,
    pub(super) value: Value,
    text: String,
}

impl Document {
    /// Reads a file. `path` is the file's canonical one.
    pub(super) fn read(name: &Path, path: &Path) -> Result<Self, ContractError> {
        let text = text(path).map_err(|why| {
            ContractError::new(name, why).hint("name a JSON Schema or an AsyncAPI document, as JSON or YAML")
        })?;
        let value = parse(name, &text)?;
        Ok(Self { name: name.to_owned(), path: path.to_owned(), value, text })
    }

    /// Its numbers that were rounded when they were read.
    pub(super) fn rounded(&self) -> Rounded {
        Rounded::of(&self.text)
    }

    /// An error at a place of this document.
    pub(super) fn error(&self, pointer: &str, text: impl Into<String>) -> ContractError {
        // JSON is YAML as far as lines are concerned. An object's own line is that of its first key.
        let line = yaml::lines(&self.text).get(pointer).copied();
        ContractError { pointer: Some(shown(pointer)), line, ..ContractError::new(&self.name, text) }
    }
}

/// A pointer in a message: `#/channels/…`, or `#` for the whole document.
fn shown(pointer: &str) -> String {
    format!("#{pointer}")
}

fn text(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("the file cannot be read: {error}");
    if path.is_dir() {
        return Err("this is a folder, not a file".to_owned());
    }
    // Opening a pipe with a name could wait for ever.
    let file = input_file::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("the file has more than {} MiB", LARGEST >> 20));
    }
    input_file::text(bytes).map_err(cannot)
}

/// What begins with a brace is JSON, unless only YAML reads it: a flow map with comments, say.
fn parse(name: &Path, text: &str) -> Result<Value, ContractError> {
    let is_json = name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json || text.trim_start().starts_with(['{', '[']) {
        match serde_json::from_str(text) {
            Ok(value) => {
                let Some((line, text)) = twice(text) else { return Ok(value) };
                let wrong = ContractError { line: Some(line), ..ContractError::new(name, text) };
                return Err(wrong.hint("remove one of the two"));
            }
            Err(error) if is_json => {
                let mut wrong = ContractError::new(name, sentence("this", &error));
                wrong.line = Some(error.line());
                return Err(wrong.hint("correct the file, or call it .yaml if it is YAML"));
            }
            Err(_) => {}
        }
    }
    yaml::parse(text).map_err(|error| {
        let mut wrong = ContractError::new(name, error.text);
        wrong.line = Some(error.line);
        wrong.hint("correct the file at this line")
    })
}
