//! Sessions on every server: if servers share the journal, each writes the sessions of its browsers beside the log, and reads those of
//! the others.
//!
//! A note has the digest of a session's id as its name, and says the digest of the token, its scope and when the session was used. So
//! neither an id nor a token is in it. A session that has ended leaves a note without a text, which ends it on every server. Each server
//! takes a session only if its own file has the token.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::auth::Auth;
use super::sessions::{IDLE, Shown};
use crate::journal::{Journal, JournalError, Note};
use crate::log_limiter::limited;
use crate::token::{Digest, Scope};

/// How often changes are looked for. A log-out has to reach all servers within two seconds.
const LOOK: Duration = Duration::from_millis(500);

/// How long a request that begins or ends a session waits until the others can know it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often notes that no server needs any more are looked for.
const CLEAN: Duration = Duration::from_secs(60 * 60);

/// What a note says of a session.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    token: String,
    scope: Scope,
    /// Seconds since 1970.
    used: i64,
}

/// Writes and reads the sessions of all servers.
pub(in crate::server) struct Share {
    journal: Journal,
    auth: Arc<Auth>,
    /// The newest revision that was read.
    read: u64,
    /// Sessions that have begun or ended here and could not be written yet.
    unwritten: HashSet<Digest>,
    /// When each note was written, in seconds since 1970, as far as this server has read.
    notes: HashMap<Digest, i64>,
    cleaned: Instant,
}

impl Share {
    /// Learns the sessions that there are, before the first request. `None` if the journal belongs to this server alone, or it has no
    /// sessions.
    pub(in crate::server) async fn begin(journal: Journal, auth: &Arc<Auth>) -> Option<Self> {
        if !journal.is_shared() || auth.is_open() {
            return None;
        }
        let mut share = Self {
            journal,
            auth: Arc::clone(auth),
            read: 0,
            unwritten: HashSet::new(),
            notes: HashMap::new(),
            cleaned: Instant::now(),
        };
        if let Err(error) = share.look().await {
            limited!(warn, "the sessions of browsers can't be read yet", %error);
        }
        Some(share)
    }

    /// Follows what happens, here and on the others.
    pub(in crate::server) async fn run(mut self, stop: CancellationToken) {
        let changed = self.auth.changed();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = changed.notified() => {}
                () = sleep(LOOK) => {}
            }
            let round = async {
                self.write().await?;
                self.look().await?;
                self.clean().await
            };
            if let Err(error) = round.await {
                limited!(warn, "the sessions of browsers can't be shared with the other servers", %error);
            }
        }
    }

    /// Writes what has changed here.
    async fn write(&mut self) -> Result<(), JournalError> {
        let (changed, reread) = self.auth.take_changed();
        self.unwritten.extend(changed);
        if reread {
            // Tokens are known now whose sessions were not taken before.
            self.read = 0;
        }
        while let Some(id) = self.unwritten.iter().next().copied() {
            write(&self.journal, &self.auth, &id).await?;
            self.unwritten.remove(&id);
        }
        Ok(())
    }

    /// Reads what has changed on other servers.
    async fn look(&mut self) -> Result<(), JournalError> {
        let now = Timestamp::now().as_second();
        for Note { name, text, revision } in self.journal.notes(self.read).await? {
            self.read = self.read.max(revision);
            let Some(id) = Digest::from_hex(&name) else { continue };
            // One that has ended here and is not written yet would begin again.
            if self.unwritten.contains(&id) {
                continue;
            }
            let written = text.as_deref().and_then(|text| serde_json::from_str::<Written>(text).ok());
            self.notes.insert(id, written.as_ref().map_or(now, |written| written.used));
            match written.and_then(|written| written.shown(now, revision)) {
                Some(shown) => self.auth.learn(id, &shown),
                None => self.auth.forget(&id),
            }
        }
        Ok(())
    }

    /// Removes notes of sessions that ended long ago, or that no server has used.
    async fn clean(&mut self) -> Result<(), JournalError> {
        if self.cleaned.elapsed() < CLEAN {
            return Ok(());
        }
        self.cleaned = Instant::now();
        let old = Timestamp::now().as_second() - 2 * IDLE.as_secs().cast_signed();
        let gone: Vec<Digest> = self.notes.iter().filter(|(_, at)| **at < old).map(|(id, _)| *id).collect();
        for id in gone {
            self.journal.forget_note(&id.to_hex()).await?;
            self.notes.remove(&id);
        }
        Ok(())
    }
}

impl Written {
    /// `None` if the session has expired.
    fn shown(&self, now: i64, revision: u64) -> Option<Shown> {
        let idle = Duration::from_secs(now.saturating_sub(self.used).max(0).cast_unsigned());
        if idle >= IDLE {
            return None;
        }
        let instant = Instant::now();
        // The machine may have started after the session was used.
        let used = instant.checked_sub(idle).unwrap_or(instant);
        Some(Shown { key: Digest::from_hex(&self.token)?, scope: self.scope, used, revision })
    }
}

/// Writes a session as it is now, or that it has ended.
async fn write(journal: &Journal, auth: &Auth, id: &Digest) -> Result<(), JournalError> {
    let name = id.to_hex();
    let Some(shown) = auth.shown(id) else { return journal.note(&name, None, None).await.map(drop) };
    let idle = i64::try_from(shown.used.elapsed().as_secs()).unwrap_or(i64::MAX);
    let used = Timestamp::now().as_second().saturating_sub(idle);
    let written = Written { token: shown.key.to_hex(), scope: shown.scope, used };
    let Ok(text) = serde_json::to_string(&written) else { return Ok(()) };
    // If another server has written it since, it is as new there, or has ended: that will be read.
    if let Some(revision) = journal.note(&name, Some(text), Some(shown.revision)).await? {
        auth.was_written(id, revision);
    }
    Ok(())
}

/// Tells the other servers of a session that has just begun or ended here, so that they know it when the browser has its answer. If that
/// can't be done soon, it is done later.
pub(super) async fn tell(auth: &Auth, id: &Digest) {
    let Some(journal) = auth.journal() else { return };
    if !matches!(timeout(PATIENCE, write(journal, auth, id)).await, Ok(Ok(()))) {
        auth.note_changed(*id);
    }
}
