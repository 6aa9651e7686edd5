//! The tokens that the server accepts: from a file that is read again while the server runs, or from the environment.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use data_encoding::HEXLOWER;
use parking_lot::Mutex;

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
        /// What was read of the file: the digest, or why it can't be read.
        read: Result<Digest, String>,
        tokens: Vec<(Scope, Token)>,
        accepted: Accepted,
        /// What the file had, or why it could not be read, if a server that started anew goes on with the tokens that it had.
        mistaken: Option<Result<String, String>>,
    },
    Environment(Vec<(Scope, Token)>),
}

/// The tokens that are accepted at the moment, as a file would have them: a process that goes on for this one may find that its file
/// has a mistake. Clones are the same.
#[derive(Clone)]
pub(super) struct Accepted(Arc<Mutex<Kept>>);

/// The text, as long as a process may go on for this one.
enum Kept {
    Text(Option<String>),
    Nothing,
}

impl Accepted {
    fn new(text: String) -> Self {
        Self(Arc::new(Mutex::new(Kept::Text(Some(text)))))
    }

    /// No process will go on for this one: from now on no text is kept.
    fn forget(&self) {
        *self.0.lock() = Kept::Nothing;
    }

    /// `None` if there is none that could be handed on.
    pub(super) fn text(&self) -> Option<Vec<u8>> {
        match &*self.0.lock() {
            Kept::Text(text) => text.clone().map(String::into_bytes),
            Kept::Nothing => None,
        }
    }

    fn replace(&self, text: &str) {
        self.keep(|| Some(text.to_owned()));
    }

    fn keep(&self, text: impl FnOnce() -> Option<String>) {
        if let Kept::Text(kept) = &mut *self.0.lock() {
            *kept = text();
        }
    }

    /// All are withdrawn: what is handed on is a token that nobody has.
    fn withdraw(&self) {
        let mut token = [0; 32];
        let drawn = getrandom::fill(&mut token).is_ok();
        self.keep(|| drawn.then(|| format!("read {}\n", HEXLOWER.encode(&token))));
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted").finish_non_exhaustive()
    }
}

impl Tokens {
    /// Reads the tokens. A file replaces the variables, so that a token that is removed from it is no longer valid. If it has a
    /// mistake, the tokens count that the server `before` accepted which this process goes on for, if there was one.
    pub(super) fn read(file: Option<&Path>, before: Option<String>) -> Result<Self, Failure> {
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
        let (bytes, name) = (token_args::bytes(path), path.display().to_string());
        let read = bytes.as_ref().map(|bytes| Digest::of(bytes)).map_err(Clone::clone);
        let text = bytes.and_then(token_args::text);
        let judged = match &text {
            Ok(text) => token::for_server(&name, text).map_err(|error| token_args::file_failure(error, FORM)),
            Err(why) => Err(token_args::unreadable(path, why)),
        };
        let (tokens, accepted, mistaken) = match judged {
            Ok(tokens) => (tokens, text.unwrap_or_default(), None),
            Err(failure) => {
                let before = before.and_then(|text| Some((token::for_server(&name, &text).ok()?, text)));
                let (tokens, accepted) = before.ok_or(failure)?;
                (tokens, accepted, Some(text))
            }
        };
        for (_, variable) in variables {
            let set = token_args::from_environment(variable).ok().flatten();
            if set.is_some_and(|set| !tokens.iter().any(|(_, token)| *token == set)) {
                tracing::warn!(
                    "{variable} is set, but its token is not in {name}: this server does not accept it"
                );
            }
        }
        let (path, accepted) = (path.to_owned(), Accepted::new(accepted));
        Ok(Self::File { path, read, tokens, accepted, mistaken })
    }

    pub(super) fn all(&self) -> &[(Scope, Token)] {
        match self {
            Self::None => &[],
            Self::File { tokens, .. } | Self::Environment(tokens) => tokens,
        }
    }

    /// Whether there is a file that is read again.
    pub(super) fn is_followed(&self) -> bool {
        matches!(self, Self::File { path, mistaken, .. } if path.is_file() || mistaken.is_some())
    }

    /// What a process that goes on for this one needs of a file that is read again.
    pub(super) fn accepted(&self) -> Option<Accepted> {
        match self {
            Self::File { accepted, .. } if self.is_followed() => Some(accepted.clone()),
            _ => None,
        }
    }

    /// No process will go on for this one: the text of the file is kept no longer.
    pub(super) fn forget_text(&self) {
        if let Self::File { accepted, .. } = self {
            accepted.forget();
        }
    }

    /// Replaces the server's tokens soon after the file changes, and at once on SIGHUP, which is handled from this call
    /// on. What was wrong with the file at a start anew is told now, as it is while the server runs. Must be called in a runtime.
    pub(super) fn follow_file(&self, auth: Arc<Auth>) -> impl Future<Output = ()> + use<> {
        let file = match self {
            Self::File { path, read, accepted, mistaken, .. } => {
                let name = path.display().to_string();
                let files = match mistaken {
                    Some(text) => {
                        let text = text.clone().map_err(|why| unreadable(&name, &why));
                        take(&name, text, &auth, accepted);
                        Some(Files::follow(&[(path, read.clone())]))
                    }
                    None => read.as_ref().ok().and_then(|digest| Files::new(&[(path, *digest)])),
                };
                files.map(|files| (name, files, accepted.clone()))
            }
            _ => None,
        };
        async move {
            let Some((name, mut files, accepted)) = file else { return std::future::pending().await };
            loop {
                let text = files.changed().await.and_then(|contents| {
                    token_args::text(contents.concat()).map_err(|why| unreadable(&name, &why))
                });
                take(&name, text, &auth, &accepted);
            }
        }
    }
}

fn unreadable(name: &str, why: &str) -> String {
    format!("{name} cannot be read ({why})")
}

/// Takes what was read of the file.
fn take(name: &str, text: Result<String, String>, auth: &Auth, accepted: &Accepted) {
    match text {
        Ok(text) => replace(name, &text, auth, accepted),
        Err(why) => tracing::error!("{why}; the previous tokens stay valid"),
    }
}

/// Replaces the tokens. A file with a mistake changes nothing, because a part of it may be missing; a file without tokens
/// withdraws all.
fn replace(name: &str, text: &str, auth: &Auth, accepted: &Accepted) {
    match token::for_server(name, text) {
        Ok(tokens) => {
            let Replaced { read, publish, write, added, withdrawn } = auth.replace(tokens);
            accepted.replace(text);
            tracing::info!(read, publish, write, added, withdrawn, "{name} was read again");
        }
        Err(error) if error.mistake == Mistake::Nothing => {
            let withdrawn = auth.replace(Vec::new()).withdrawn;
            accepted.withdraw();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_process_goes_on_for_is_not_kept() {
        let accepted = Accepted::new("read a\n".to_owned());
        let clone = accepted.clone();
        assert_eq!(clone.text().as_deref(), Some(&b"read a\n"[..]));
        clone.replace("read b\n");
        assert_eq!(accepted.text().as_deref(), Some(&b"read b\n"[..]));
        accepted.forget();
        for change in [Accepted::withdraw, |accepted: &Accepted| accepted.replace("read c\n")] {
            change(&clone);
            assert_eq!(clone.text(), None);
        }
    }
}
