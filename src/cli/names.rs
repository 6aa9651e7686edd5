//! Scenario names on the command line: any name is accepted, and shells complete the built-in ones.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};

use crate::scenario::SHIPPED;

/// Accepts any name, because a server may have other scenarios than this program.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScenarioName;

impl TypedValueParser for ScenarioName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = SHIPPED.iter().map(|(file, _)| PossibleValue::new(file.trim_end_matches(".toml")));
        Some(Box::new(names))
    }
}
