//! Token files: one `read TOKEN`, `publish TOKEN [SOURCE …]` or `write TOKEN` per line; `#` begins a comment.

use std::collections::HashMap;

use super::scope::Scope;
use super::secret::{Token, TokenError};
use super::sources::Sources;

/// What is wrong with a token file, and on which line. The message never shows a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {mistake}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct FileError {
    file: String,
    line: Option<usize>,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What is wrong with a token file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// The line has another form.
    #[error("expected `read TOKEN`, `publish TOKEN [SOURCE …]` or `write TOKEN`")]
    Form,
    /// The token is malformed.
    #[error("this is not a token: {0}")]
    Token(#[from] TokenError),
    /// The token is so short that it can be guessed.
    #[error("the token has {0} characters; at least {min} are needed", min = Token::MIN_LENGTH)]
    Short(usize),
    /// The token is in the file twice.
    #[error("this is the same token as on line {0}")]
    Repeated(usize),
    /// The file has no token.
    #[error("the file has no token")]
    Nothing,
    /// The file of a receiver has a scope.
    #[error("the token of a receiver stands alone on its line, without a scope")]
    Scoped,
}

/// The tokens in a server's file.
///
/// # Errors
/// A line without a scope and a token, a token that is too short or there twice, a file without tokens.
pub fn for_server(file: &str, text: &str) -> Result<Vec<(Scope, Token)>, FileError> {
    let wrong = |line, mistake| FileError { file: file.to_owned(), line: Some(line), mistake };
    let (mut tokens, mut lines) = (Vec::new(), HashMap::new());
    for (line, entry) in entries(text) {
        let (Some(scope), token) = entry.map_err(|mistake| wrong(line, mistake))? else {
            return Err(wrong(line, Mistake::Form));
        };
        if token.is_short() {
            return Err(wrong(line, Mistake::Short(token.reveal().len())));
        }
        if let Some(before) = lines.insert(token.digest(), line) {
            return Err(wrong(line, Mistake::Repeated(before)));
        }
        tokens.push((scope, token));
    }
    if tokens.is_empty() {
        return Err(FileError { file: file.to_owned(), line: None, mistake: Mistake::Nothing });
    }
    Ok(tokens)
}

/// The token that a client sends: the one in the file, alone on its line or after its scope. If the file has several, as
/// a server's own has, the first with the scope `write`, else the first.
///
/// # Errors
/// A line without a token, a file without tokens.
pub fn for_client(file: &str, text: &str) -> Result<Token, FileError> {
    let mut first = None;
    for (line, entry) in entries(text) {
        let (scope, token) =
            entry.map_err(|mistake| FileError { file: file.to_owned(), line: Some(line), mistake })?;
        if scope.is_none_or(|scope| scope == Scope::Write) {
            return Ok(token);
        }
        first.get_or_insert(token);
    }
    first.ok_or_else(|| FileError { file: file.to_owned(), line: None, mistake: Mistake::Nothing })
}

/// The tokens of a receiver, each alone on its line. A token with a scope is refused: one that opens the server is not to be
/// given to a sender of alerts.
///
/// # Errors
/// A line without a token or with a scope, a token that is too short or there twice, a file without tokens.
pub fn for_receiver(file: &str, text: &str) -> Result<Vec<Token>, FileError> {
    let wrong = |line, mistake| FileError { file: file.to_owned(), line: Some(line), mistake };
    let (mut tokens, mut lines) = (Vec::new(), HashMap::new());
    for (line, entry) in entries(text) {
        let (None, token) = entry.map_err(|mistake| wrong(line, mistake))? else {
            return Err(wrong(line, Mistake::Scoped));
        };
        if token.is_short() {
            return Err(wrong(line, Mistake::Short(token.reveal().len())));
        }
        if let Some(before) = lines.insert(token.digest(), line) {
            return Err(wrong(line, Mistake::Repeated(before)));
        }
        tokens.push(token);
    }
    if tokens.is_empty() {
        return Err(FileError { file: file.to_owned(), line: None, mistake: Mistake::Nothing });
    }
    Ok(tokens)
}

type Entry = (Option<Scope>, Token);

/// Line number and content of every line that is neither empty nor only a comment.
fn entries(text: &str) -> impl Iterator<Item = (usize, Result<Entry, Mistake>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().zip(1..).filter_map(|(line, number)| {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().filter(|word| !word.starts_with('#'))?;
        Some((number, entry(first, words)))
    })
}

fn entry<'a>(first: &str, mut words: impl Iterator<Item = &'a str>) -> Result<Entry, Mistake> {
    let is_end = |word: Option<&str>| word.is_none_or(|word| word.starts_with('#'));
    let scope = match first {
        "read" => Scope::Read,
        "publish" => Scope::Publish,
        "write" => Scope::Write,
        _ if is_end(words.next()) => return Ok((None, first.parse()?)),
        _ => return Err(Mistake::Form),
    };
    let token: Token = words.next().ok_or(Mistake::Form)?.parse()?;
    if scope == Scope::Publish {
        let sources: Vec<String> =
            words.take_while(|word| !word.starts_with('#')).map(str::to_owned).collect();
        let token = if sources.is_empty() { token } else { token.limited_to(Sources::new(sources)) };
        return Ok((Some(scope), token));
    }
    if is_end(words.next()) { Ok((Some(scope), token)) } else { Err(Mistake::Form) }
}
