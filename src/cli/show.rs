//! `incident show`: prints the file of a scenario.

use std::path::PathBuf;

use clap::ValueHint;

use super::complete;
use super::exit::{Exit, Failure};
use super::out::print_file;
use super::scenarios;

/// Print the TOML file of a scenario
///
/// The scenario is one of the folder scenarios/, or one that is built into the program: the beginning of your own.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident show database-outage                      Print a scenario
  incident show database-outage > mine.toml          Begin your own; give it another id")]
pub(super) struct Show {
    /// The scenario, as `incident list` prints its name, or its file
    #[arg(value_name = "SCENARIO", add = complete::here())]
    name: String,

    /// Scenario file or folder to look in, instead of scenarios/ and the built-in ones
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    scenarios: Option<PathBuf>,
}

impl Show {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let scenario = match &self.scenarios {
            Some(place) => scenarios::named(&self.name, Some(place))?,
            None => scenarios::named_or_file(&self.name)?,
        };
        print_file(&scenario.text)?;
        Ok(Exit::Fine)
    }
}
