//! `incident schema`

use std::io::Write;

use super::exit::{Exit, Failure};
use crate::contract::schema;

/// Print the JSON Schema of the messages
#[derive(Debug, clap::Args)]
pub(super) struct Schema {}

impl Schema {
    #[expect(clippy::unused_self, reason = "every subcommand has the same shape")]
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let text = serde_json::to_string_pretty(&schema::document())
            .map_err(|error| Failure::new(Exit::Internal, error))?;
        writeln!(std::io::stdout(), "{text}")?;
        Ok(Exit::Fine)
    }
}
