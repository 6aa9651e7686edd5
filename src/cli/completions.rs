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

/// Bash breaks words at the colons of a URL, and writes what it is offered into the line as it is. The script that clap would
/// make leaves both as they are, so that the name of a file could become a command.
const BASH: &str = include_str!("../../completions/incident.bash");

/// zsh loads a file `_incident` in its `fpath` when it completes for the first time, and expects an answer at once.
const ZSH_AUTOLOAD: &str = r#"
if [ "${funcstack[1]}" = "_incident" ]; then
    _clap_dynamic_completer_incident "$@"
fi
"#;

impl Completions {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let name = self.shell.to_string();
        if self.shell == clap_complete::Shell::Bash {
            print_own(BASH.as_bytes())?;
            return Ok(Exit::Fine);
        }
        let mut script = Vec::new();
        if let Some(shell) = Shells::builtins().completer(&name) {
            shell.write_registration(VARIABLE, "incident", "incident", "incident", &mut script)?;
        }
        if self.shell == clap_complete::Shell::Zsh {
            script.extend(ZSH_AUTOLOAD.as_bytes());
        }
        print_own(script.trim_ascii_start())?;
        Ok(Exit::Fine)
    }
}
