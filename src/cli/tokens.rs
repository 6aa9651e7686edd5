//! The tokens that `serve` knows: from a file that is read again while it serves, or from the environment.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use super::exit::{Exit, Failure};
use super::proof::{self, MAKE_ONE, VARIABLE};
use super::reread::Files;
use crate::server::{Auth, Replaced};
use crate::token::{self, Digest, Mistake, Scope, Token};

/// A token that may only read.
const READ_VARIABLE: &str = "INCIDENT_READ_TOKEN";

const FORM: &str = "its scope, read or write, stands before it";

/// Where the tokens come from.
#[derive(Debug)]
pub(super) enum Tokens {
    /// Nobody has to show one.
    None,
    File {
        path: PathBuf,
        /// Of its content.
        taken: Digest,
        tokens: Vec<(Scope, Token)>,
    },
    Environment(Vec<(Scope, Token)>),
}

impl Tokens {
    /// A file replaces the variables, so that what is not in it is withdrawn.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let variables = [(Scope::Write, VARIABLE), (Scope::Read, READ_VARIABLE)];
        let Some(path) = file else {
            let mut tokens = Vec::new();
            for (scope, variable) in variables {
                if let Some(token) = proof::from_environment(variable)? {
                    tokens.push((scope, long_enough(variable, token)?));
                }
            }
            if let [(_, write), (_, read)] = &*tokens
                && write == read
            {
                let error = anyhow!("{VARIABLE} and {READ_VARIABLE} are the same token");
                return Err(Failure::new(Exit::Usage, error).hint("a token that may write may read too"));
            }
            return Ok(if tokens.is_empty() { Self::None } else { Self::Environment(tokens) });
        };
        let (text, name) = (proof::read(path)?, path.display().to_string());
        let tokens = token::for_server(&name, &text).map_err(|error| proof::mistaken(error, FORM))?;
        for (_, variable) in variables {
            let set = proof::from_environment(variable).ok().flatten();
            if set.is_some_and(|set| !tokens.iter().any(|(_, token)| *token == set)) {
                tracing::warn!("{variable} is set but not in {name}: it opens nothing here");
            }
        }
        Ok(Self::File { path: path.to_owned(), taken: Digest::of(text.as_bytes()), tokens })
    }

    pub(super) fn all(&self) -> &[(Scope, Token)] {
        match self {
            Self::None => &[],
            Self::File { tokens, .. } | Self::Environment(tokens) => tokens,
        }
    }

    /// Keeps what the server knows at what the file says: soon after it has changed, and at once at SIGHUP, which is
    /// heard from this call on, not from the first poll. To be called within a runtime.
    pub(super) fn keep_up(&self, auth: Arc<Auth>) -> impl Future<Output = ()> + use<> {
        let file = match self {
            Self::File { path, taken, .. } => {
                Files::new(&[(path, *taken)]).map(|files| (path.display().to_string(), files))
            }
            _ => None,
        };
        async move {
            let Some((name, mut files)) = file else { return std::future::pending().await };
            loop {
                let text = files.changed().await.and_then(|contents| {
                    proof::text(contents.concat()).map_err(|why| format!("{name} cannot be read ({why})"))
                });
                match text {
                    Ok(text) => take(&name, &text, &auth),
                    Err(why) => tracing::error!("{why}; the tokens before stay good"),
                }
            }
        }
    }
}

/// A file with a mistake changes nothing: half of it could be missing. One without tokens means what it says.
fn take(name: &str, text: &str, auth: &Auth) {
    match token::for_server(name, text) {
        Ok(tokens) => {
            let Replaced { read, write, added, withdrawn } = auth.replace(tokens);
            tracing::info!(read, write, added, withdrawn, "{name} was read again");
        }
        Err(error) if error.mistake == Mistake::Nothing => {
            let withdrawn = auth.replace(Vec::new()).withdrawn;
            tracing::warn!(withdrawn, "{error} any more: every request is refused");
        }
        Err(error) => tracing::error!("{error}; the tokens before stay good"),
    }
}

fn long_enough(variable: &str, token: Token) -> Result<Token, Failure> {
    if token.is_short() {
        let error = anyhow!("the token in {variable} has fewer than {} characters", Token::MIN_LENGTH);
        return Err(
            Failure::new(Exit::Usage, error).hint(format!("make one that nobody guesses: {MAKE_ONE}"))
        );
    }
    Ok(token)
}

/// `3 tokens from tokens.txt (1 read, 2 write)`
impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let write = self.all().iter().filter(|(scope, _)| *scope == Scope::Write).count();
        let (count, read) = (self.all().len(), self.all().len() - write);
        let s = if count == 1 { "" } else { "s" };
        let scopes = match (read, write) {
            (0, _) => "write".to_owned(),
            (_, 0) => "read".to_owned(),
            _ => format!("{read} read, {write} write"),
        };
        match self {
            Self::None => f.write_str("nobody is asked for a token"),
            Self::File { path, .. } => write!(f, "{count} token{s} from {} ({scopes})", path.display()),
            Self::Environment(_) => write!(f, "{count} token{s} from the environment ({scopes})"),
        }
    }
}
