//! The token that a command shows to a server: from a file or the environment, never from an argument, which `ps` shows.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;

use super::exit::{Exit, Failure};
use super::reread;
use crate::client::Endpoint;
use crate::token::{self, FileError, Mistake, Token};

/// A token of a program, and on a server the one that may write.
pub(super) const VARIABLE: &str = "INCIDENT_TOKEN";

/// How a token is made that nobody guesses.
pub(super) const MAKE_ONE: &str = "openssl rand -hex 32";

/// Flags of every command that shows a token.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Proof {
    /// File with the token to show to the server [default: the variable `INCIDENT_TOKEN`]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) token_file: Option<PathBuf>,
}

impl Proof {
    /// The flag with which another command shows the same token.
    pub(super) fn flags(&self) -> String {
        self.token_file.as_ref().map(|file| format!(" --token-file {}", file.display())).unwrap_or_default()
    }

    /// The endpoint with the token, if there is one.
    ///
    /// # Errors
    /// A file or variable with no token in it: without one the server would refuse for a reason that is none.
    pub(super) fn add_to(&self, endpoint: Endpoint) -> Result<Endpoint, Failure> {
        let token = match &self.token_file {
            Some(file) => {
                let name = file.display().to_string();
                let text = read(file)?;
                Some(
                    token::for_client(&name, &text)
                        .map_err(|error| mistaken(error, "a token alone is enough"))?,
                )
            }
            None => from_environment(VARIABLE)?,
        };
        let Some(token) = token else { return Ok(endpoint) };
        if !endpoint.is_encrypted() && !endpoint.is_loopback() {
            tracing::warn!(
                "the token goes to {} unencrypted: whoever is in between can take it",
                endpoint.authority()
            );
        }
        Ok(endpoint.with_token(token))
    }
}

/// The token in a variable; `None` if it is not set.
pub(super) fn from_environment(variable: &str) -> Result<Option<Token>, Failure> {
    let Some(text) = std::env::var_os(variable) else { return Ok(None) };
    // What can't be read is not ASCII: its replacement is not either.
    let token = text.to_string_lossy().parse().map_err(|error| {
        Failure::new(Exit::Usage, anyhow!("the variable {variable} is no token: {error}"))
            .hint(format!("unset {variable}, or give it one: {MAKE_ONE}"))
    })?;
    Ok(Some(token))
}

/// The text of a token file, before anything begins. Warns if others can read it too.
pub(super) fn read(file: &Path) -> Result<String, Failure> {
    let name = file.display();
    if is_open_to_others(file) {
        tracing::warn!("other users can read the tokens in {name}: chmod 600 {name}");
    }
    let text = reread::read(file).and_then(text);
    text.map_err(|why| Failure::new(Exit::Usage, anyhow!("the token file {name} cannot be read: {why}")))
}

/// What is in a token file as text.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// Pipes and the like belong to whoever made them.
#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata();
    metadata.is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

pub(super) fn mistaken(error: FileError, form: &str) -> Failure {
    let hint = match error.mistake {
        Mistake::Form => format!("a line a token; {form}; behind # is a comment"),
        Mistake::Nothing => format!("a line a token; {form}; make one: {MAKE_ONE}"),
        Mistake::Token(_) | Mistake::Short(_) => format!("make one that nobody guesses: {MAKE_ONE}"),
        Mistake::Repeated(_) => "a token has one scope: write includes read".to_owned(),
    };
    Failure::new(Exit::Usage, error).hint(hint)
}
