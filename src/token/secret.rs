//! Tokens as secrets: a text is checked once, here, and never shown.

use std::fmt;
use std::str::FromStr;

use super::digest::Digest;
use super::sources::Sources;

/// A secret that fits into an HTTP header: visible ASCII. It has no `Display`, and its `Debug` hides it.
#[derive(Clone)]
pub struct Token {
    secret: Box<str>,
    sources: Option<Sources>,
}

/// Why a text is not a token. The message never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It has a space, a line break, a control character, or a character outside ASCII.
    #[error("it has a character that is not visible ASCII")]
    Character,
    /// It is longer than a header should be.
    #[error("it has more than {} characters", Token::MAX_LENGTH)]
    Long,
}

impl Token {
    /// The minimum length that a server accepts: 64 bits as hexadecimal digits, which can't be guessed.
    pub const MIN_LENGTH: usize = 16;

    const MAX_LENGTH: usize = 512;

    /// The secret, for the header that carries it.
    pub fn reveal(&self) -> &str {
        &self.secret
    }

    /// Whether it is shorter than [`Token::MIN_LENGTH`].
    pub fn is_short(&self) -> bool {
        self.secret.len() < Self::MIN_LENGTH
    }

    /// The same token, which may publish under these sources only.
    #[must_use]
    pub fn limited_to(self, sources: Sources) -> Self {
        Self { sources: Some(sources), ..self }
    }

    /// The sources under which it may publish; `None` for any.
    pub fn sources(&self) -> Option<&Sources> {
        self.sources.as_ref()
    }

    /// Its digest, which is all that a server keeps.
    pub fn digest(&self) -> Digest {
        Digest::of(self.secret.as_bytes())
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        match text {
            "" => Err(TokenError::Empty),
            _ if text.len() > Self::MAX_LENGTH => Err(TokenError::Long),
            _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => Err(TokenError::Character),
            _ => Ok(Self { secret: text.into(), sources: None }),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for Token {}
