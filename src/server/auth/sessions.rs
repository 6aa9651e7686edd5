//! Sessions of browsers: what a token is exchanged for, so that no page ever has to keep one.
//!
//! Why that is no weaker than the token itself:
//!
//! - **Guessing.** An id is 256 bits from the operating system; without them nobody is logged in. It is found by its
//!   SHA-256, so that what a look-up takes says nothing of how near a guess was.
//! - **Theft.** The cookie is `HttpOnly`: no script reads it, not even one that should not be there. It is `Secure`
//!   where the page came encrypted. It is worth nothing elsewhere, and nothing once the session has ended.
//! - **Fixation.** An id is made at login and at no other time; one that the server did not make is nobody. Whoever
//!   plants a cookie can only plant a session of his own, and whoever logs in gets a new one and ends the old one.
//! - **Riding.** `SameSite=Strict` keeps the cookie from pages of other sites. It does not keep it from other ports of
//!   this host, which are the same site: that is why the guard checks `Origin` and `Sec-Fetch-Site` of everything that
//!   changes or streams something, and why a cookie without `Origin` changes nothing.
//! - **Outliving.** A session has the digest and scope of its token and ends with it: at once, streams included. It
//!   ends when its user says so, and [`IDLE`] after it was used last; an open stream is use.
//!
//! What stays: a browser sends the cookie to every port of the host name. Whoever may run a server on this very host
//! can collect it from a user who is made to look there. A host name of its own keeps them apart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{By, Grant};
use crate::connection::Lease;
use crate::token::{Digest, Scope};

/// A session that was not used for this long is over.
pub(super) const IDLE: Duration = Duration::from_secs(12 * 60 * 60);

/// Sessions at once. Beyond it the one that was used the longest ago ends. Only who has a token can begin any.
const MOST: usize = 1_000;

#[derive(Default)]
pub(super) struct Sessions {
    /// By the digest of their ids.
    open: HashMap<Digest, Session>,
}

struct Session {
    /// The token that it came from.
    key: Digest,
    scope: Scope,
    used: InUse,
    /// Goes with the session: the streams that it opened notice.
    good: watch::Sender<()>,
}

/// A share in a session's use. It was used last when the last share was given back.
#[derive(Debug, Clone)]
pub(super) struct InUse(Arc<Mutex<Instant>>);

impl InUse {
    fn since(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Session {
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.used.0) > 1
    }

    fn is_over(&self, now: Instant) -> bool {
        !self.is_in_use() && now.saturating_duration_since(self.used.since()) >= IDLE
    }
}

impl Sessions {
    /// Begins a session and gives its id.
    pub(super) fn begin(
        &mut self,
        key: Digest,
        scope: Scope,
        now: Instant,
    ) -> Result<String, getrandom::Error> {
        let mut id = [0; 32];
        getrandom::fill(&mut id)?;
        let id = id.map(|byte| format!("{byte:02x}")).concat();
        self.open.retain(|_, session| !session.is_over(now));
        if self.open.len() >= MOST {
            self.end_oldest();
        }
        let used = InUse(Arc::new(Mutex::new(now)));
        let session = Session { key, scope, used, good: watch::channel(()).0 };
        self.open.insert(Digest::of(id.as_bytes()), session);
        Ok(id)
    }

    /// What the first of these ids grants that is a session's.
    pub(super) fn find(&mut self, ids: &[String], now: Instant) -> Option<Grant> {
        for id in ids.iter().map(|id| Digest::of(id.as_bytes())) {
            if self.open.get(&id).is_some_and(|session| session.is_over(now)) {
                self.open.remove(&id);
            } else if let Some(session) = self.open.get(&id) {
                let lease = Lease::new(session.good.subscribe(), Some(Arc::new(session.used.clone())));
                return Some(Grant { scope: session.scope, by: By::Session, lease: Some(lease) });
            }
        }
        None
    }

    pub(super) fn end(&mut self, id: &str) {
        self.open.remove(&Digest::of(id.as_bytes()));
    }

    /// Ends those whose token is not known any more.
    pub(super) fn end_unless(&mut self, known: impl Fn(&Digest, Scope) -> bool) {
        self.open.retain(|_, session| known(&session.key, session.scope));
    }

    /// Rather one that nobody looks at.
    fn end_oldest(&mut self) {
        let oldest = self.open.iter().min_by_key(|(_, session)| (session.is_in_use(), session.used.since()));
        if let Some(id) = oldest.map(|(id, _)| *id) {
            self.open.remove(&id);
        }
    }
}
