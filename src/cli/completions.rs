//! `incident completions`: prints shell completion scripts.

use std::io::Write;

use super::exit::{Exit, Failure};

/// Print a completion script for a shell
///
/// For bash, zsh and fish the scripts are also in the folder completions/ of the source.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell that reads the script
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(self, command: &mut clap::Command) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "incident", &mut script);
        std::io::stdout().write_all(&script)?;
        Ok(Exit::Fine)
    }
}
