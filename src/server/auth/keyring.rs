//! The tokens that are known, as digests.

use subtle::{ConditionallySelectable, ConstantTimeEq};
use tokio::sync::watch;

use super::{By, Grant};
use crate::connection::Lease;
use crate::token::{Digest, Scope, Token};

/// What became of the tokens when others were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// How many may read.
    pub read: usize,
    /// How many may write.
    pub write: usize,
    /// How many were not known before.
    pub added: usize,
    /// How many are not known any more.
    pub withdrawn: usize,
}

#[derive(Default)]
pub(super) struct Keyring {
    keys: Vec<Key>,
}

struct Key {
    digest: Digest,
    scope: Scope,
    /// Goes with the key: the streams that this token opened notice.
    good: watch::Sender<()>,
}

impl Keyring {
    /// The same token with another scope is another token.
    pub(super) fn replace(&mut self, tokens: Vec<(Scope, Token)>) -> Replaced {
        let mut before = std::mem::take(&mut self.keys);
        let old = before.len();
        for (scope, token) in tokens {
            let digest = token.digest();
            let known = before.iter().position(|key| key.digest == digest && key.scope == scope);
            let key = known.map(|place| before.swap_remove(place));
            self.keys.push(key.unwrap_or_else(|| Key { digest, scope, good: watch::channel(()).0 }));
        }
        let write = self.keys.iter().filter(|key| key.scope == Scope::Write).count();
        let read = self.keys.len() - write;
        Replaced { read, write, added: self.keys.len() + before.len() - old, withdrawn: before.len() }
    }

    /// Looks at every key, whichever fits and wherever it stands.
    pub(super) fn find(&self, token: &[u8]) -> Option<Grant> {
        let shown = Digest::of(token);
        let mut place = u32::MAX;
        for (key, at) in self.keys.iter().zip(0_u32..) {
            place.conditional_assign(&at, key.digest.ct_eq(&shown));
        }
        let key = self.keys.get(place as usize)?;
        let lease = Lease::new(key.good.subscribe(), None);
        Some(Grant { scope: key.scope, by: By::Token(key.digest), lease: Some(lease) })
    }

    pub(super) fn has(&self, digest: &Digest, scope: Scope) -> bool {
        self.keys.iter().any(|key| key.digest == *digest && key.scope == scope)
    }
}
