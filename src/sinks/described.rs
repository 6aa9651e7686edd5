//! What a sink is told to do: the content of `sinks.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::client::Endpoint;
use crate::token::Sources;

/// The keys of a sink.
pub const SINK_KEYS: &[&str] = &[
    "name",
    "kind",
    "url",
    "token_file",
    "username",
    "password_file",
    "ca_file",
    "labels",
    "scenarios",
    "generator_url",
];

/// The programs to which alerts can be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Prometheus' Alertmanager, by its API v2, and every program with the same interface.
    Alertmanager,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Alertmanager];

    /// Its name in `sinks.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
        }
    }
}

/// How a sink is told who posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A file with what follows `Bearer`.
    Token(PathBuf),
    /// A name, and a file with its password.
    Basic(String, PathBuf),
}

/// One sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// Its name in metrics and in the log.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub url: Endpoint,
    /// Who posts, unless everyone may.
    pub credentials: Option<Credentials>,
    /// The certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Labels that every alert gets.
    pub labels: BTreeMap<String, String>,
    /// The scenarios whose alerts it gets.
    pub scenarios: Sources,
    /// Where an alert's link leads.
    pub generator_url: Option<String>,
}
