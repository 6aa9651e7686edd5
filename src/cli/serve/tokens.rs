//! The tokens that the server accepts: from a file that is read again while the server runs, or from the environment.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use crate::cli::exit::{Exit, Failure};
use crate::cli::format;
use crate::cli::reread::Files;
use crate::cli::token_args::{self, MAKE_ONE, VARIABLE};
use crate::server::{Auth, Replaced};
use crate::token::{self, Digest, Mistake, Scope, Token};

/// The variable with a token that allows reading only.
const READ_VARIABLE: &str = "INCIDENT_READ_TOKEN";

const FORM: &str = "the scope, `read`, `publish` or `write`, comes before the token";

/// Where the tokens come from.
#[derive(Debug)]
pub(super) enum Tokens {
    /// There are none: no client needs one.
    None,
    File {
        path: PathBuf,
        /// The digest of the file.
        digest: Digest,
        tokens: Vec<(Scope, Token)>,
    },
    Environment(Vec<(Scope, Token)>),
}

impl Tokens {
    /// Reads the tokens. A file replaces the variables, so that a token that is removed from it is no longer valid.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let variables = [(Scope::Write, VARIABLE), (Scope::Read, READ_VARIABLE)];
        let Some(path) = file else {
            let mut tokens = Vec::new();
            for (scope, variable) in variables {
                if let Some(token) = token_args::from_environment(variable)? {
                    tokens.push((scope, long_enough(variable, token)?));
                }
            }
            if let [(_, write), (_, read)] = &*tokens
                && write == read
            {
                let error = anyhow!("{VARIABLE} and {READ_VARIABLE} are the same token");
                return Err(Failure::new(Exit::Usage, error)
                    .hint("a token with the scope `write` allows reading too"));
            }
            return Ok(if tokens.is_empty() { Self::None } else { Self::Environment(tokens) });
        };
        let (text, name) = (token_args::read(path)?, path.display().to_string());
        let tokens =
            token::for_server(&name, &text).map_err(|error| token_args::file_failure(error, FORM))?;
        for (_, variable) in variables {
            let set = token_args::from_environment(variable).ok().flatten();
            if set.is_some_and(|set| !tokens.iter().any(|(_, token)| *token == set)) {
                tracing::warn!(
                    "{variable} is set, but its token is not in {name}: this server does not accept it"
                );
            }
        }
        Ok(Self::File { path: path.to_owned(), digest: Digest::of(text.as_bytes()), tokens })
    }

    pub(super) fn all(&self) -> &[(Scope, Token)] {
        match self {
            Self::None => &[],
            Self::File { tokens, .. } | Self::Environment(tokens) => tokens,
        }
    }

    /// Whether there is a file that is read again.
    pub(super) fn is_followed(&self) -> bool {
        matches!(self, Self::File { path, .. } if path.is_file())
    }

    /// Replaces the server's tokens soon after the file changes, and at once on SIGHUP, which is handled from this call
    /// on. Must be called in a runtime.
    pub(super) fn follow_file(&self, auth: Arc<Auth>) -> impl Future<Output = ()> + use<> {
        let file = match self {
            Self::File { path, digest, .. } => {
                Files::new(&[(path, *digest)]).map(|files| (path.display().to_string(), files))
            }
            _ => None,
        };
        async move {
            let Some((name, mut files)) = file else { return std::future::pending().await };
            loop {
                let text = files.changed().await.and_then(|contents| {
                    token_args::text(contents.concat())
                        .map_err(|why| format!("{name} cannot be read ({why})"))
                });
                match text {
                    Ok(text) => replace(&name, &text, &auth),
                    Err(why) => tracing::error!("{why}; the previous tokens stay valid"),
                }
            }
        }
    }
}

/// Replaces the tokens. A file with a mistake changes nothing, because a part of it may be missing; a file without tokens
/// withdraws all.
fn replace(name: &str, text: &str, auth: &Auth) {
    match token::for_server(name, text) {
        Ok(tokens) => {
            let Replaced { read, publish, write, added, withdrawn } = auth.replace(tokens);
            tracing::info!(read, publish, write, added, withdrawn, "{name} was read again");
        }
        Err(error) if error.mistake == Mistake::Nothing => {
            let withdrawn = auth.replace(Vec::new()).withdrawn;
            tracing::warn!(withdrawn, "{error} any more: every request is refused");
        }
        Err(error) => tracing::error!("{error}; the previous tokens stay valid"),
    }
}

fn long_enough(variable: &str, token: Token) -> Result<Token, Failure> {
    if token.is_short() {
        let error = anyhow!("the token in {variable} has fewer than {} characters", Token::MIN_LENGTH);
        return Err(Failure::new(Exit::Usage, error).hint(format!("make a token with: {MAKE_ONE}")));
    }
    Ok(token)
}

/// `3 tokens from tokens.txt (1 read, 2 write)`
impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = format::count(self.all().len() as u64, "token");
        let count = |scope| self.all().iter().filter(|(known, _)| *known == scope).count();
        let counts = Scope::ALL.map(|scope| (scope, count(scope)));
        let there: Vec<_> = counts.iter().filter(|(_, count)| *count > 0).collect();
        let scopes = match there[..] {
            [(scope, _)] => scope.to_string(),
            _ => there.iter().map(|(scope, count)| format!("{count} {scope}")).collect::<Vec<_>>().join(", "),
        };
        match self {
            Self::None => f.write_str("no token needed"),
            Self::File { path, .. } => write!(f, "{tokens} from {} ({scopes})", path.display()),
            Self::Environment(_) => write!(f, "{tokens} from the environment ({scopes})"),
        }
    }
}
