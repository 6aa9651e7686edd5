//! `--set KEY=VALUE`: what is chosen of a scenario.

use anyhow::anyhow;

use super::complete;
use super::exit::{Exit, Failure};
use crate::scenario::Settings;

/// What is chosen of a scenario.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct SettingsArgs {
    /// Choose a variant (variant=NAME) or the value of a parameter (NAME=VALUE); repeat the flag for several.
    /// `incident list --json` has what a scenario offers
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, add = complete::settings())]
    set: Vec<(String, String)>,
}

impl SettingsArgs {
    /// The settings.
    ///
    /// # Errors
    /// A key is given twice.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        for (place, (key, _)) in self.set.iter().enumerate() {
            if self.set[..place].iter().any(|(before, _)| before == key) {
                let error = anyhow!("--set gives {key:?} twice");
                return Err(Failure::new(Exit::Usage, error).hint("give each key once"));
            }
        }
        Ok(self.set.iter().cloned().collect())
    }

    /// The flags as they were given.
    pub(super) fn words(&self) -> impl Iterator<Item = String> {
        self.set.iter().map(|(key, value)| format!("{key}={value}"))
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, as in variant=failover-fails".to_owned()),
    }
}
