//! What a token allows.

use std::fmt;

use serde::Serialize;

/// What a token allows. `Write` includes `Read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The page, the stream and everything else that changes nothing.
    Read,
    /// Reading, and starting and cancelling incidents.
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
