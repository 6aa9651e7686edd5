//! `incident schema`: prints the JSON Schema of the messages.

use super::exit::{Exit, Failure};
use super::out::print_own;
use crate::contract::schema;

/// Print the JSON Schema of the messages
///
/// It describes all events and control messages of a stream, envelope and payload.
#[derive(Debug, clap::Args)]
pub(super) struct Schema {}

impl Schema {
    #[expect(clippy::unused_self, reason = "all subcommands have the same signature")]
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let text = serde_json::to_string_pretty(&schema::document())
            .map_err(|error| Failure::new(Exit::Internal, error))?;
        print_own(format!("{text}\n").as_bytes())?;
        Ok(Exit::Fine)
    }
}
