//! Tokens: secrets with which somebody proves what they may do. A text is checked once, here, and never shown again.

mod file;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

pub use file::{FileError, Mistake, for_client, for_server};

/// What a token is good for. `Write` includes `Read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The page, the stream and everything that only looks.
    Read,
    /// Starting and cancelling incidents too.
    Write,
}

impl Scope {
    /// Its name in token files and in `/api/session`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A secret that fits into a header: visible ASCII. It has no `Display`, and its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Token(Box<str>);

/// Why a text is no token. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// A space, a line break, a control character, or something beyond ASCII.
    #[error("it has a character that is not visible ASCII")]
    Character,
    /// More than a header should carry.
    #[error("it has more than {} characters", Token::MOST)]
    Long,
}

impl Token {
    /// What a server asks of its tokens: as hexadecimal digits, 64 bits that nobody guesses.
    pub const LEAST: usize = 16;

    const MOST: usize = 512;

    /// For the one header that carries it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a server would refuse it as too easily guessed.
    pub fn is_short(&self) -> bool {
        self.0.len() < Self::LEAST
    }

    /// What a server keeps of it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        match text {
            "" => Err(TokenError::Empty),
            _ if text.len() > Self::MOST => Err(TokenError::Long),
            _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => Err(TokenError::Character),
            _ => Ok(Self(text.into())),
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

/// The SHA-256 of a secret. Comparing two takes the same time whether and wherever they differ.
#[derive(Clone, Copy, Eq, Hash)]
#[allow(clippy::derived_hash_with_manual_eq, reason = "the same equality, in constant time")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of any bytes.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }
}

impl ConstantTimeEq for Digest {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}
