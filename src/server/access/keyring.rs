//! The tokens that the server accepts, as digests.

use subtle::{ConditionallySelectable, ConstantTimeEq};
use tokio::sync::watch;

use super::grant::{Credential, Grant};
use crate::delivery::Lease;
use crate::token::{Digest, Scope, Sources, Token};

/// What replacing the tokens changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// Tokens of scope read now.
    pub read: usize,
    /// Tokens of scope publish now.
    pub publish: usize,
    /// Tokens of scope write now.
    pub write: usize,
    /// Tokens that are new.
    pub added: usize,
    /// Tokens that are no longer accepted.
    pub withdrawn: usize,
}

#[derive(Default)]
pub(super) struct Keyring {
    keys: Vec<Key>,
}

struct Key {
    digest: Digest,
    scope: Scope,
    sources: Option<Sources>,
    /// Dropped with the key, which ends the leases of the streams that this token opened.
    valid: watch::Sender<()>,
}

impl Keyring {
    /// Accepts these tokens and no others. The same token with another scope is another token.
    pub(super) fn replace(&mut self, tokens: Vec<(Scope, Token)>) -> Replaced {
        let mut before = std::mem::take(&mut self.keys);
        let old = before.len();
        for (scope, token) in tokens {
            let digest = token.digest();
            let sources = token.sources().cloned();
            let known = before
                .iter()
                .position(|key| key.digest == digest && key.scope == scope && key.sources == sources);
            let key = known.map(|place| before.swap_remove(place));
            self.keys.push(key.unwrap_or_else(|| Key {
                digest,
                scope,
                sources,
                valid: watch::channel(()).0,
            }));
        }
        let count = |scope| self.keys.iter().filter(|key| key.scope == scope).count();
        let (read, publish, write) = (count(Scope::Read), count(Scope::Publish), count(Scope::Write));
        Replaced {
            read,
            publish,
            write,
            added: self.keys.len() + before.len() - old,
            withdrawn: before.len(),
        }
    }

    /// The grant of a token. Compares with every key in constant time, so that the duration tells nothing.
    pub(super) fn find(&self, token: &[u8]) -> Option<Grant> {
        let shown = Digest::of(token);
        let mut place = u32::MAX;
        for (key, at) in self.keys.iter().zip(0_u32..) {
            place.conditional_assign(&at, key.digest.ct_eq(&shown));
        }
        let key = self.keys.get(place as usize)?;
        let lease = Lease::new(key.valid.subscribe(), None);
        let sources = key.sources.clone();
        Some(Grant { scope: key.scope, by: Credential::Token(key.digest), lease: Some(lease), sources })
    }

    pub(super) fn has(&self, digest: &Digest, scope: Scope) -> bool {
        self.keys.iter().any(|key| key.digest == *digest && key.scope == scope)
    }
}
