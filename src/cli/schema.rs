//! `incident schema`: prints the contract, and compares an older one with it.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;
use colored::{ColoredString, Colorize};
use serde_json::Value;

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::out::{painted, print, print_own};
use crate::contract::{asyncapi, schema};
use crate::input_file;
use crate::json_schema::compare::{Breaks, Change, compare};
use crate::json_schema::words::counted;
use crate::unread_json::sentence;

/// Print the contract of the stream, or compare an older one with it
///
/// The JSON Schema describes all events and control messages, envelope and payload. The folder contract/ of the
/// source has both documents as they were published.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident schema > contract.json               The JSON Schema (draft 2020-12)
  incident schema --asyncapi > asyncapi.json    An AsyncAPI 3.0 document: channels and messages
  incident schema --scenario > scenario.json    What a scenario file may have, for editors
  incident schema --check contract.json         What changed since then; status 5 if that breaks")]
pub(super) struct Schema {
    /// Print an AsyncAPI 3.0 document
    #[arg(long, conflicts_with = "check")]
    asyncapi: bool,

    /// Print the JSON Schema of a scenario file, for editors
    #[arg(long, conflicts_with_all = ["asyncapi", "check"])]
    scenario: bool,

    /// Compare this older JSON Schema with the one of this program, and fail if a change breaks readers or writers
    ///
    /// Prints a line for each change. A change breaks readers if a program that was written for the old schema can no
    /// longer rely on it when it reads the stream: a field is gone or may be absent, a value may be of another type or a
    /// new one. A change breaks writers if a message of the old schema is no longer valid: a field is required, a value is
    /// no longer allowed.
    #[arg(long, value_name = "OLD", value_hint = ValueHint::FilePath)]
    check: Option<PathBuf>,
}

impl Schema {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        if let Some(old) = &self.check {
            color.apply(&std::io::stdout());
            return check(old, quiet);
        }
        let document = match (self.asyncapi, self.scenario) {
            (true, _) => asyncapi::document(),
            (_, true) => crate::scenario::schema::document(),
            _ => schema::document(),
        };
        let text =
            serde_json::to_string_pretty(&document).map_err(|error| Failure::new(Exit::Internal, error))?;
        print_own(format!("{text}\n").as_bytes())?;
        Ok(Exit::Fine)
    }
}

fn check(old: &Path, quiet: bool) -> Result<Exit, Failure> {
    let changes = compare(&read(old)?, &schema::document());
    let breaking = changes.iter().filter(|change| change.breaks != Breaks::Nothing).count();
    for change in &changes {
        if !quiet || change.breaks != Breaks::Nothing {
            let pointer = format!("#{}", change.pointer).dimmed();
            print(painted![label(change), "  ", change.text, "  ", pointer])?;
        }
    }
    let file = old.display();
    let compatible = changes.len() - breaking;
    if breaking > 0 {
        print(format!(
            "{} since {file}, {breaking} of which {} readers or writers",
            counted(changes.len(), "change"),
            if breaking == 1 { "breaks" } else { "break" }
        ))?;
        return Ok(Exit::Invalid);
    }
    if !quiet {
        let text = match compatible {
            0 => format!("nothing changed since {file}"),
            some => format!("{} since {file}, compatible for readers and writers", counted(some, "change")),
        };
        print(text)?;
    }
    Ok(Exit::Fine)
}

fn label(change: &Change) -> ColoredString {
    match change.breaks {
        Breaks::Nothing => "compatible    ".green(),
        Breaks::Readers => "breaks readers".red().bold(),
        Breaks::Writers => "breaks writers".red().bold(),
        Breaks::Both => "breaks both   ".red().bold(),
    }
}

/// What to do about a file that is no schema.
const NEXT: &str = "name a file that `incident schema` has printed";

/// The most bytes of a schema: ours has fewer by far.
const MAX_SCHEMA_BYTES: u64 = 8 * 1024 * 1024;

fn read(file: &Path) -> Result<Value, Failure> {
    let usage =
        |error: anyhow::Error, hint: &str| Err(Failure::new(Exit::Usage, error).hint(hint.to_owned()));
    let name = file.display();
    let text = match input_file::read(file, MAX_SCHEMA_BYTES).and_then(input_file::text) {
        Ok(text) => text,
        Err(error) => return usage(anyhow!("{name} cannot be read: {error}"), NEXT),
    };
    let schema: Value = match serde_json::from_str(&text) {
        Ok(schema) => schema,
        Err(error) => return usage(anyhow!(sentence(&name.to_string(), &error)), NEXT),
    };
    if schema.get("asyncapi").is_some() {
        return usage(
            anyhow!("{name} is an AsyncAPI document, and --check compares JSON Schemas"),
            "name the JSON Schema of the same version: `incident schema` prints it without --asyncapi",
        );
    }
    if schema.get("title").is_some()
        && schema.get("title") == crate::scenario::schema::document().get("title")
    {
        return usage(
            anyhow!("{name} is the schema of scenario files, and --check compares that of the messages"),
            "name the schema of an older version's messages: `incident schema` prints it without --scenario",
        );
    }
    let describes = ["oneOf", "anyOf", "allOf", "$ref", "properties", "type", "$defs"];
    if !describes.iter().any(|keyword| schema.get(keyword).is_some()) {
        return usage(anyhow!("{name} is not a JSON Schema"), NEXT);
    }
    Ok(schema)
}
