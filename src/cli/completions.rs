//! `incident completions`: prints shell completion scripts.

use clap_complete::env::Shells;

use super::complete::VARIABLE;
use super::exit::{Exit, Failure};
use super::out::print_own;

/// Print a completion script for a shell
///
/// The script asks `incident` itself what could come next, so it knows the scenarios and the running incidents of the
/// server in --url or `INCIDENT_URL`. The scripts for bash, zsh and fish are also in the folder completions/ of the source.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Install it for yourself:
  bash  incident completions bash > ~/.local/share/bash-completion/completions/incident
  zsh   incident completions zsh > ~/.zfunc/_incident       with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  fish  incident completions fish > ~/.config/fish/completions/incident.fish")]
pub(super) struct Completions {
    /// The shell that reads the script
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Scripts of our own. Bash breaks words at the colons of a URL, and writes what it is offered into the line as it is; zsh and fish hand
/// words over with their quotes and backslashes. Those that clap would make leave that as it is: the name of a file could become a command,
/// and nothing would be found in a folder with a blank in its name.
const OWN: [(clap_complete::Shell, &str); 3] = [
    (clap_complete::Shell::Bash, include_str!("../../completions/incident.bash")),
    (clap_complete::Shell::Zsh, include_str!("../../completions/_incident")),
    (clap_complete::Shell::Fish, include_str!("../../completions/incident.fish")),
];

impl Completions {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let name = self.shell.to_string();
        if let Some((_, script)) = OWN.iter().find(|(shell, _)| *shell == self.shell) {
            print_own(script.as_bytes())?;
            return Ok(Exit::Fine);
        }
        let mut script = Vec::new();
        if let Some(shell) = Shells::builtins().completer(&name) {
            shell.write_registration(VARIABLE, "incident", "incident", "incident", &mut script)?;
        }
        print_own(script.trim_ascii_start())?;
        Ok(Exit::Fine)
    }
}
