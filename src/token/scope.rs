//! What a token allows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a token allows. `Write` includes the other two, which do not include one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The page, the stream and everything else that changes nothing.
    Read,
    /// Publishing events, and nothing else.
    Publish,
    /// Reading, publishing, and starting and cancelling incidents.
    Write,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Publish, Self::Write];

    /// Its name in token files and in `/api/session`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Publish => "publish",
            Self::Write => "write",
        }
    }

    /// Whether it includes another one.
    pub fn includes(self, other: Self) -> bool {
        self == Self::Write || self == other
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
