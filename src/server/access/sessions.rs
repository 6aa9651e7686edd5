//! Sessions of browsers: a page exchanges a token for a session, so that it never has to store the token.
//!
//! Why a session is no weaker than the token itself:
//!
//! - **Guessing.** An id is 256 bits from the operating system; it is looked up by its SHA-256, so that the
//!   duration of a look-up does not tell how close a guess was.
//! - **Theft.** The cookie is `HttpOnly`: no script can read it, not even an injected one. It is `Secure` where the page
//!   came encrypted. It is useless on other servers, and once the session has ended.
//! - **Fixation.** The server makes an id at login and at no other time, and refuses ids that it did not make. An attacker
//!   who plants a cookie can only plant a session of their own, and a login replaces it with a new one.
//! - **Riding.** `SameSite=Strict` keeps the cookie from pages of other sites. It does not keep it from other ports of
//!   this host, which are the same site: so the guard checks `Origin` and `Sec-Fetch-Site` of every request that
//!   changes or streams something, and a cookie without `Origin` changes nothing.
//! - **Outliving.** A session has the digest and scope of its token and ends with it: at once, streams included. It
//!   ends when its user logs out, and [`IDLE`] after its last use; an open stream is use.
//!
//! What remains: a browser sends the cookie to every port of the host name. A server on another port of the same host
//! can collect it from a user who visits that server. A host name of its own prevents this.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::grant::{Credential, Grant};
use crate::delivery::Lease;
use crate::token::{Digest, Scope};

/// A session that was not used for this long has expired.
pub(super) const IDLE: Duration = Duration::from_secs(12 * 60 * 60);

/// How often the other servers are told that a session is in use.
const TELL: Duration = Duration::from_secs(15 * 60);

/// The most sessions of each scope at once, so that a read token ends no session that may write. Beyond it the token that
/// has most of them loses the one that was used longest ago, so that no token ends all sessions of others. Only a log-in ends one, and
/// its note ends it on every server: if each server chose for itself, a session would be valid here and not there.
const MOST: usize = 1_000;

/// The most sessions of each scope that are learnt of. Servers whose files have different tokens each count others.
const MOST_LEARNT: usize = 2 * MOST;

/// A session as other servers have to know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) key: Digest,
    pub(super) scope: Scope,
    pub(super) used: Instant,
    /// Of its note; 0 if it was not written yet.
    pub(super) revision: u64,
}

/// A session that has just begun.
pub(super) struct Begun {
    pub(super) id: String,
    /// The digest of its id.
    pub(super) digest: Digest,
    /// The sessions that have ended for it.
    pub(super) ended: Vec<Digest>,
}

#[derive(Default)]
pub(super) struct Sessions {
    /// By the digest of their ids.
    open: HashMap<Digest, Session>,
}

struct Session {
    /// The token that it was exchanged for.
    key: Digest,
    scope: Scope,
    used: InUse,
    /// Of the note that tells the other servers of it; 0 without one.
    revision: u64,
    /// The last use that the other servers know.
    told: Instant,
    /// Dropped with the session, which ends the leases of the streams that it opened.
    valid: watch::Sender<()>,
}

/// Held while a session is used. Dropping one sets the time of the session's last use.
#[derive(Debug, Clone)]
pub(super) struct InUse(Arc<Mutex<Instant>>);

impl InUse {
    fn since(&self) -> Instant {
        *self.0.lock()
    }
}

impl InUse {
    /// It was used elsewhere, maybe later.
    fn also(&self, used: Instant) {
        let mut known = self.0.lock();
        *known = (*known).max(used);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        *self.0.lock() = Instant::now();
    }
}

impl Session {
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.used.0) > 1
    }

    fn has_expired(&self, now: Instant) -> bool {
        !self.is_in_use() && now.saturating_duration_since(self.used.since()) >= IDLE
    }
}

/// Whether a text can be the id of a session.
pub(super) fn is_id(text: &str) -> bool {
    Digest::from_hex(text).is_some()
}

impl Sessions {
    /// Begins a session.
    pub(super) fn begin(
        &mut self,
        key: Digest,
        scope: Scope,
        now: Instant,
    ) -> Result<Begun, getrandom::Error> {
        let mut id = [0; 32];
        getrandom::fill(&mut id)?;
        let id = id.map(|byte| format!("{byte:02x}")).concat();
        self.open.retain(|_, session| !session.has_expired(now));
        let ended = self.make_room(scope, MOST);
        let used = InUse(Arc::new(Mutex::new(now)));
        let session = Session { key, scope, used, revision: 0, told: now, valid: watch::channel(()).0 };
        let digest = Digest::of(id.as_bytes());
        self.open.insert(digest, session);
        Ok(Begun { id, digest, ended })
    }

    /// The grant of the first of these ids that belongs to a session.
    pub(super) fn find(&mut self, ids: &[String], now: Instant) -> Option<Grant> {
        for id in ids.iter().map(|id| Digest::of(id.as_bytes())) {
            if self.open.get(&id).is_some_and(|session| session.has_expired(now)) {
                self.open.remove(&id);
            } else if let Some(session) = self.open.get(&id) {
                let lease = Lease::new(session.valid.subscribe(), Some(Arc::new(session.used.clone())));
                return Some(Grant {
                    scope: session.scope,
                    by: Credential::Session(session.key),
                    lease: Some(lease),
                    sources: None,
                });
            }
        }
        None
    }

    /// Whether there is a session with this id.
    pub(super) fn has(&self, id: &Digest, now: Instant) -> bool {
        self.open.get(id).is_some_and(|session| !session.has_expired(now))
    }

    pub(super) fn end(&mut self, id: &Digest) -> bool {
        self.open.remove(id).is_some()
    }

    /// Ends the sessions whose token is no longer accepted, and returns their digests.
    pub(super) fn end_unless(&mut self, known: impl Fn(&Digest, Scope) -> bool) -> Vec<Digest> {
        let ends = self.open.extract_if(|_, session| !known(&session.key, session.scope));
        ends.map(|(id, _)| id).collect()
    }

    /// A session as other servers have to know it.
    pub(super) fn shown(&self, id: &Digest) -> Option<Shown> {
        let session = self.open.get(id)?;
        let used = if session.is_in_use() { Instant::now() } else { session.used.since() };
        Some(Shown { key: session.key, scope: session.scope, used, revision: session.revision })
    }

    /// Learns of a session of another server, or of its use there. Gives the sessions that have ended for it.
    pub(super) fn learn(&mut self, id: Digest, shown: &Shown) -> Vec<Digest> {
        let Shown { key, scope, used, revision } = *shown;
        if let Some(session) = self.open.get_mut(&id) {
            session.used.also(used);
            session.told = session.told.max(used);
            session.revision = revision;
            return Vec::new();
        }
        let ended = self.make_room(scope, MOST_LEARNT);
        let in_use = InUse(Arc::new(Mutex::new(used)));
        let session = Session { key, scope, used: in_use, revision, told: used, valid: watch::channel(()).0 };
        self.open.insert(id, session);
        ended
    }

    /// The other servers can know the session.
    pub(super) fn was_written(&mut self, id: &Digest, revision: u64) {
        if let Some(session) = self.open.get_mut(id) {
            session.revision = revision;
            session.told = Instant::now();
        }
    }

    /// The sessions that were used since the other servers were told. Those that have expired are removed, and the others hear
    /// nothing of that: they may have seen them used.
    pub(super) fn stale(&mut self, now: Instant) -> Vec<Digest> {
        self.open.retain(|_, session| !session.has_expired(now));
        let is_stale = |session: &Session| {
            let used = if session.is_in_use() { now } else { session.used.since() };
            used.saturating_duration_since(session.told) >= TELL
        };
        self.open.iter().filter(|(_, session)| is_stale(session)).map(|(id, _)| *id).collect()
    }

    fn of(&self, scope: Scope) -> impl Iterator<Item = (&Digest, &Session)> {
        self.open.iter().filter(move |(_, session)| session.scope == scope)
    }

    /// Ends sessions of a scope until there are fewer than that, and gives them: several servers may have begun some at once.
    fn make_room(&mut self, scope: Scope, most: usize) -> Vec<Digest> {
        let many = (self.of(scope).count() + 1).saturating_sub(most);
        (0..many).filter_map(|_| self.end_oldest(scope)).collect()
    }

    /// Ends a session of the token that has most of this scope: preferably one that is not in use.
    fn end_oldest(&mut self, scope: Scope) -> Option<Digest> {
        let mut counts: HashMap<Digest, usize> = HashMap::new();
        for (_, session) in self.of(scope) {
            *counts.entry(session.key).or_default() += 1;
        }
        let (key, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        let own = self.of(scope).filter(|(_, session)| session.key == key);
        let oldest = own.min_by_key(|(_, session)| (session.is_in_use(), session.used.since()));
        let id = oldest.map(|(id, _)| *id)?;
        self.open.remove(&id);
        Some(id)
    }
}
