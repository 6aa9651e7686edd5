//! The path below which a proxy publishes the server.

use std::fmt;
use std::str::FromStr;

/// `/incident`: without a slash at its end, so that a path of the server can follow; empty for a whole host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// The text is not a base path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a base path begins with / and has only letters, digits, -, _, . and ~ between slashes, as in /incident"
)]
pub struct BasePathError;

impl FromStr for BasePath {
    type Err = BasePathError;

    /// One slash at the end is ignored; `/` is a whole host.
    fn from_str(text: &str) -> Result<Self, BasePathError> {
        let path = text.strip_suffix('/').unwrap_or(text);
        // The path goes into headers, a cookie's attributes and links: nothing in it may need quoting there.
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        let segment = |segment: &str| {
            !matches!(segment, "" | "." | "..") && segment.len() <= 200 && segment.bytes().all(plain)
        };
        let rest = path.strip_prefix('/');
        match rest {
            None if text == "/" => Ok(Self::default()),
            Some(rest) if rest.split('/').all(segment) && rest.len() <= 1000 => Ok(Self(path.to_owned())),
            _ => Err(BasePathError),
        }
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BasePath {
    /// Whether the server has the whole host.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What follows it in a path: nothing, or a path of the server.
    pub(super) fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&self.0).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}
