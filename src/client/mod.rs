//! The client's side: one socket, a follower that reconnects and resumes, and the few HTTP requests.

mod backoff;
mod endpoint;
mod follow;
mod http;
mod socket;
mod tls;
mod trust;

pub use backoff::Backoff;
pub use endpoint::{Endpoint, EndpointError};
pub use follow::{Follower, Item};
pub use http::{request, request_markdown};
pub use socket::{Received, Socket};
pub use tls::Distrust;
pub use trust::{Trust, TrustError};

/// Why a server could not be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there, or the network is in between.
    #[error("no server answers at {url}: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why, in the system's words.
        why: String,
    },
    /// It answered the handshake or request with an HTTP error.
    #[error("{url} answered HTTP {status}{}", detail(.said))]
    Status {
        /// Where.
        url: String,
        /// The status.
        status: u16,
        /// The problem document's detail, or the body's beginning.
        said: String,
        /// Whether it was a problem document: what it says is about the request, not about some other server.
        problem: bool,
    },
    /// It speaks something else.
    #[error("{url} does not speak WebSocket: {why}")]
    Handshake {
        /// Where.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// It is not who it should be, or can't prove it.
    #[error("the certificate of {url} is not good: {why}")]
    Certificate {
        /// Where.
        url: String,
        /// Why it is not believed.
        why: Distrust,
    },
    /// It does not encrypt.
    #[error("{url} does not speak TLS")]
    NotTls {
        /// Where.
        url: String,
    },
    /// The two ends find no way to encrypt.
    #[error("no TLS with {url}: {why}")]
    Tls {
        /// Where.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// Nobody could be believed.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It answered with something that can't be read.
    #[error("{url} gave an answer that can't be read: {why}")]
    Answer {
        /// Where.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

fn detail(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

impl ClientError {
    /// Whether trying again later may help: not when the server said "never so".
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429,
            Self::Handshake { .. }
            | Self::Certificate { .. }
            | Self::NotTls { .. }
            | Self::Tls { .. }
            | Self::Trust(_)
            | Self::Answer { .. } => false,
        }
    }
}
