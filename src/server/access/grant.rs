//! What a request may do, and by which credential.

use crate::delivery::Lease;
use crate::token::{Digest, Scope};

/// An extension of every request that was let in, unless its path is public.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) scope: Scope,
    pub(super) by: Credential,
    /// Ends when the credential is withdrawn; `None` on an open server.
    pub(super) lease: Option<Lease>,
}

/// What a request is let in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential {
    /// None: the server has no tokens.
    Open,
    Token(Digest),
    Session,
}
