//! Why a server can't be reached, or refuses.

use std::time::Duration;

use super::distrust::Distrust;
use super::trust::TrustError;

/// What a server's table of problems says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The name of the problem: the last part of its `type`.
    pub problem: String,
    /// What the caller can do.
    pub advice: String,
}

/// Why a request or a connection to a server failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// No server listens there, or the network does not reach it.
    #[error("no server answers at {url}: {why}")]
    Unreachable {
        /// The URL.
        url: String,
        /// The operating system's reason.
        why: String,
    },
    /// The server took a request and has not answered it. It may still do what was asked for.
    #[error("{url} has given no answer within {} s", .within.as_secs_f64())]
    Late {
        /// The URL.
        url: String,
        /// How long the answer was waited for.
        within: Duration,
    },
    /// The connection ended while the server had the request, or was given it. It may do what was asked for all the same.
    #[error("{url} has given no answer: {why}")]
    Unanswered {
        /// The URL.
        url: String,
        /// How the connection ended.
        why: String,
    },
    /// The server answered the handshake or request with an HTTP error.
    #[error("{url} answered HTTP {status}{}", detail(.said))]
    Status {
        /// The URL.
        url: String,
        /// The status.
        status: u16,
        /// The detail of the problem document, or the beginning of the body.
        said: String,
        /// How long the caller should wait before the next attempt, if the server says it in seconds (`Retry-After`).
        retry_after: Option<Duration>,
        /// Whether the body is a problem document (RFC 9457): then an incident server answered, not another one.
        problem: bool,
        /// What the server's table of problems says about it, if it is in that table.
        advice: Option<Box<Advice>>,
    },
    /// The server does not speak WebSocket.
    #[error("{url} does not speak WebSocket: {why}")]
    Handshake {
        /// The URL.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// The server's certificate is not trusted.
    #[error("the certificate of {url} is not trusted: {why}")]
    Certificate {
        /// The URL.
        url: String,
        /// Why it is not trusted.
        why: Distrust,
    },
    /// The server does not speak TLS.
    #[error("{url} does not speak TLS")]
    NotTls {
        /// The URL.
        url: String,
    },
    /// The TLS handshake failed.
    #[error("the TLS handshake with {url} failed: {why}")]
    Tls {
        /// The URL.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// There are no certificates to trust.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// None of several servers can be used.
    #[error("none of the {} servers can be used: {}", .0.len(), in_turn(.0))]
    NoServer(
        /// Why not, for each.
        Vec<ClientError>,
    ),
    /// The server's answer can't be read.
    #[error("{url} gave an answer that can't be read: {why}")]
    Answer {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

fn detail(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

/// Each error in a few words, in turn.
fn in_turn(errors: &[ClientError]) -> String {
    let briefly = |error: &ClientError| match error {
        ClientError::Unreachable { url, why } | ClientError::Unanswered { url, why } => {
            format!("{url} ({why})")
        }
        ClientError::Late { url, within } => format!("{url} (no answer within {} s)", within.as_secs_f64()),
        ClientError::Status { url, status, said, .. } => format!("{url} (HTTP {status}{})", detail(said)),
        error => error.to_string(),
    };
    errors.iter().map(briefly).collect::<Vec<_>>().join("; ")
}

impl ClientError {
    /// Whether only this server has a reason to fail: another one with the same stream may well do what was asked.
    pub fn is_of_one_server(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Late { .. }
            | Self::Unanswered { .. }
            | Self::Handshake { .. }
            | Self::Certificate { .. }
            | Self::NotTls { .. }
            | Self::Tls { .. }
            | Self::Answer { .. } => true,
            Self::Status { status, .. } => matches!(status, 502..=504),
            Self::Trust(_) | Self::NoServer(_) => false,
        }
    }

    /// Whether a server may have taken the request, so that what was asked for may be done although it gave no answer. A proxy says 502 or 504
    /// when it has waited for long enough.
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Late { .. } | Self::Unanswered { .. } => true,
            Self::Status { status, problem, .. } => !problem && [502, 504].contains(status),
            Self::NoServer(errors) => errors.iter().any(Self::may_be_done),
            _ => false,
        }
    }

    /// What comes before the advice to look whether it is done: a proxy that has no answer may have no server either.
    pub fn first_wait(&self) -> &'static str {
        if matches!(self, Self::Status { .. }) { "wait until the server runs: " } else { "" }
    }

    /// Whether something in front of a server answers, as a proxy does that finds no server behind it: a server that was there may be back.
    pub(super) fn is_of_something_before_it(&self) -> bool {
        matches!(self, Self::Status { status, problem: false, .. } if ![401, 403].contains(status))
    }

    /// Whether something has answered, so that more is known than that no server is there.
    pub fn is_an_answer(&self) -> bool {
        match self {
            Self::Status { .. }
            | Self::Handshake { .. }
            | Self::Certificate { .. }
            | Self::NotTls { .. }
            | Self::Tls { .. }
            | Self::Answer { .. } => true,
            Self::NoServer(errors) => errors.iter().any(Self::is_an_answer),
            Self::Unreachable { .. } | Self::Late { .. } | Self::Unanswered { .. } | Self::Trust(_) => false,
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Late { .. } | Self::Unanswered { .. } => true,
            Self::Status { status, .. } => *status >= 500 || [408, 425, 429].contains(status),
            Self::NoServer(errors) => errors.iter().any(Self::is_passing),
            Self::Handshake { .. }
            | Self::Certificate { .. }
            | Self::NotTls { .. }
            | Self::Tls { .. }
            | Self::Trust(_)
            | Self::Answer { .. } => false,
        }
    }
}
