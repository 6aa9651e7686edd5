//! The token that a command sends to a server: from a file or the environment, never from an argument, which `ps` shows.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;

use super::exit::{Exit, Failure};
use super::reread;
use crate::client::Endpoints;
use crate::input_file;
use crate::shell;
use crate::token::{self, FileError, Mistake, Token};

/// The variable with the token of a client; on a server, the token with the scope `write`.
pub(super) const VARIABLE: &str = "INCIDENT_TOKEN";

/// The command that makes a good token.
pub(super) const MAKE_ONE: &str = "openssl rand -hex 32";

/// The flag of the commands that send a token.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TokenArgs {
    /// File with the token to send [default: the variable `INCIDENT_TOKEN`]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Server")]
    pub(super) token_file: Option<PathBuf>,
}

impl TokenArgs {
    /// The flag with which another command sends the same token.
    pub(super) fn flags(&self) -> String {
        self.token_file
            .as_deref()
            .map(|file| format!(" --token-file {}", shell::file(file)))
            .unwrap_or_default()
    }

    /// Adds the token, if there is one, to the endpoints: all of them are sent the same one.
    ///
    /// # Errors
    /// The file or variable has no valid token. (Without one, the server's refusal would not say why.)
    pub(super) fn add_to(&self, endpoints: &Endpoints) -> Result<Endpoints, Failure> {
        let token = match &self.token_file {
            Some(file) => {
                let name = file.display().to_string();
                let text = read(file)?;
                Some(
                    token::for_client(&name, &text)
                        .map_err(|error| file_failure(error, "the scope may be left out"))?,
                )
            }
            None => from_environment(VARIABLE)?,
        };
        let Some(token) = token else { return Ok(endpoints.clone()) };
        for endpoint in endpoints.all().iter().filter(|one| !one.is_encrypted() && !one.is_loopback()) {
            tracing::warn!(
                "the token goes to {} unencrypted: the network in between can read it",
                endpoint.authority()
            );
        }
        Ok(endpoints.map(|endpoint| endpoint.with_token(token.clone())))
    }
}

/// The token in a variable; `None` if the variable is not set.
pub(super) fn from_environment(variable: &str) -> Result<Option<Token>, Failure> {
    let Some(text) = std::env::var_os(variable) else { return Ok(None) };
    // Bytes that are not UTF-8 become U+FFFD, which is refused because it is not ASCII.
    let token = text.to_string_lossy().parse().map_err(|error| {
        Failure::new(Exit::Usage, anyhow!("the variable {variable} is not a token: {error}"))
            .hint(format!("unset {variable}, or set it to a token made with: {MAKE_ONE}"))
    })?;
    Ok(Some(token))
}

/// Reads a file with a token or another secret.
pub(super) fn read(file: &Path) -> Result<String, Failure> {
    bytes(file).and_then(text).map_err(|why| unreadable(file, &why))
}

/// The content of a file with secrets. Warns if other users can read it too.
pub(super) fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    if is_open_to_others(file) {
        let (name, shown) = (file.display(), shell::file(file));
        tracing::warn!("other users can read the secrets in {name}: chmod 600 {shown}");
    }
    reread::read(file)
}

/// The failure for a file with a token or another secret that can't be read.
pub(super) fn unreadable(file: &Path, why: &str) -> Failure {
    Failure::new(Exit::Usage, anyhow!("the file with secrets {} cannot be read: {why}", file.display()))
}

/// The file with a secret that a file in `folder` names under `key`. Where that is no file, it may be the secret itself: it is told only
/// if it looks like the name of one.
pub(super) fn named(folder: &Path, name: &Path, key: &str, whose: &str) -> Result<PathBuf, Failure> {
    let file = folder.join(name);
    if is_like_a_name(&name.to_string_lossy()) || file.symlink_metadata().is_ok() {
        return Ok(file);
    }
    let error = anyhow!("the file with secrets that {key} of {whose:?} names cannot be read: no such file");
    let hint = format!("write the secret into a file of its own, and {key} = \"NAME-OF-THAT-FILE\"");
    Err(Failure::new(Exit::Usage, error).hint(hint))
}

fn is_like_a_name(text: &str) -> bool {
    let is_random = |word: &str| word.len() >= 16 && word.contains(|c: char| c.is_ascii_digit());
    text.contains(['.', '/', '\\']) && !text.split(|c: char| !c.is_alphanumeric()).any(is_random)
}

/// The content of a token file as text.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, String> {
    input_file::utf8(bytes).map_err(|error| error.to_string())
}

/// Whether other users can read a file. The permissions of pipes and the like are not checked.
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

/// The failure for a mistake in a token file. `form` says what a line looks like.
pub(super) fn file_failure(error: FileError, form: &str) -> Failure {
    let hint = match error.mistake {
        Mistake::Form => format!("write one token per line; {form}; # begins a comment"),
        Mistake::Nothing => format!("write one token per line; {form}; make a token with: {MAKE_ONE}"),
        Mistake::Scoped => format!("remove the scope; make a token of its own with: {MAKE_ONE}"),
        Mistake::Token(_) | Mistake::Short(_) => format!("make a token with: {MAKE_ONE}"),
        Mistake::Repeated(_) => "give each token one scope: `write` includes `read`".to_owned(),
    };
    Failure::new(Exit::Usage, error).hint(hint)
}
