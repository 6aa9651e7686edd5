//! `incident man`: prints the man pages.

use anyhow::anyhow;
use clap_mangen::Man;

use super::exit::{Exit, Failure};
use super::out::print_own;
use crate::scenario::did_you_mean;

/// Print a man page
///
/// The pages are also in the folder man/ of the source.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident man | man -l -                            Read the page of incident
  incident man serve > incident-serve.1              Write the page of a command")]
pub(super) struct ManPage {
    /// The command that the page is about [default: incident itself]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// A command by its name, or one of a command by both, as `publish-note`: pages refer to each other so.
fn found<'a>(within: &'a clap::Command, name: &str) -> Option<&'a clap::Command> {
    within.find_subcommand(name).or_else(|| {
        within.get_subcommands().find_map(|outer| {
            let rest = name.strip_prefix(outer.get_name())?.strip_prefix('-')?;
            found(outer, rest)
        })
    })
}

impl ManPage {
    /// Prints the page of the whole program or of a command in it.
    pub(super) fn run(self, whole: clap::Command) -> Result<Exit, Failure> {
        let mut whole = whole.disable_help_subcommand(true);
        whole.build();
        let page = match self.command.as_deref() {
            None => whole,
            Some(name) => match found(&whole, name) {
                Some(page) => page.clone(),
                None => {
                    let names = whole.get_subcommands().map(clap::Command::get_name);
                    let near = did_you_mean(name, names).map(|near| format!("did you mean {near:?}?"));
                    let error = anyhow!("no command is called {name:?}");
                    let hint = near.unwrap_or_else(|| "`incident --help` lists the commands".to_owned());
                    return Err(Failure::new(Exit::Usage, error).hint(hint));
                }
            },
        };
        let mut text = Vec::new();
        let source = concat!("incident ", env!("CARGO_PKG_VERSION"));
        Man::new(page).source(source).render(&mut text)?;
        print_own(&text)?;
        Ok(Exit::Fine)
    }
}
