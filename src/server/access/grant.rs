//! What a request may do, and by which credential.

use crate::delivery::Lease;
use crate::server::publish::PublisherId;
use crate::token::{Digest, Scope, Sources};

/// An extension of every request that was let in, unless its path is public.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) scope: Scope,
    pub(super) by: Credential,
    /// Ends when the credential is withdrawn; `None` on an open server.
    pub(super) lease: Option<Lease>,
    /// The sources under which it may publish; `None` for any.
    pub(super) sources: Option<Sources>,
}

impl Grant {
    /// By which token and under which sources it may publish.
    pub(super) fn publisher(&self) -> PublisherId {
        let token = match self.by {
            Credential::Token(digest) | Credential::Session(digest) => Some(digest),
            Credential::Open => None,
        };
        PublisherId { token, sources: self.sources.clone() }
    }
}

/// What a request is let in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential {
    /// None: the server has no tokens.
    Open,
    Token(Digest),
    /// The session of a browser, and the token that it was exchanged for.
    Session(Digest),
}
