//! Sessions on every server: if servers share the journal, each writes the sessions of its browsers beside the log, and reads those of
//! the others.
//!
//! A note has the digest of a session's id as its name, and says the digest of the token, its scope and when the session was used. So
//! neither an id nor a token is in it. A session that has ended leaves a note without a text, which ends it on every server. Each server
//! takes a session only if its own file has the token.
//!
//! The clocks of the servers may differ, and be set. So a note that appears while a server runs was written just then; only of those that
//! a server finds when it starts does it reckon the age by its clock.

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
    /// When it was used, in seconds since 1970 by the clock of the server that has written the note.
    used: i64,
    /// How long it had not been used when the note was written, in seconds.
    #[serde(default)]
    idle: u64,
}

/// Writes and reads the sessions of all servers.
pub(in crate::server) struct Share {
    journal: Journal,
    auth: Arc<Auth>,
    /// The newest revision that was read.
    read: u64,
    /// The newest revision that was ever read; `None` before the notes that were there at the start are.
    newest: Option<u64>,
    /// Sessions that have begun or ended here and could not be written yet.
    unwritten: HashSet<Digest>,
    /// The last use of each session, or when its note was read if it has none, by the steady clock.
    notes: HashMap<Digest, Instant>,
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
            newest: None,
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
        let (wall, now) = (Timestamp::now().as_second(), Instant::now());
        for Note { name, text, revision } in self.journal.notes(self.read).await? {
            self.read = self.read.max(revision);
            let Some(id) = Digest::from_hex(&name) else { continue };
            // One that has ended here and is not written yet would begin again.
            if self.unwritten.contains(&id) {
                continue;
            }
            let written = text.as_deref().and_then(|text| serde_json::from_str::<Written>(text).ok());
            let seen = match self.newest {
                None => Seen::AtStart { wall },
                Some(newest) if revision > newest => Seen::Appear,
                // It is read again.
                Some(_) => Seen::Before(self.notes.get(&id).copied()),
            };
            let idle = written.as_ref().map(|written| written.idle(seen, now));
            let expired = idle.is_some_and(|idle| idle >= IDLE);
            // The machine may have started after the session was used.
            let used = idle.and_then(|idle| now.checked_sub(idle)).or((!expired).then_some(now));
            match used {
                Some(used) => self.notes.insert(id, used),
                None => self.notes.remove(&id),
            };
            let shown = used.and_then(|used| written?.shown(used, revision));
            match shown.filter(|_| !expired) {
                Some(shown) => self.auth.learn(id, &shown),
                None => self.auth.forget(&id),
            }
        }
        self.newest = Some(self.newest.unwrap_or_default().max(self.read));
        Ok(())
    }

    /// Removes notes of sessions that ended long ago, or that no server has used.
    async fn clean(&mut self) -> Result<(), JournalError> {
        if self.cleaned.elapsed() < CLEAN {
            return Ok(());
        }
        self.cleaned = Instant::now();
        let gone: Vec<Digest> =
            self.notes.iter().filter(|(_, at)| at.elapsed() > 2 * IDLE).map(|(id, _)| *id).collect();
        for id in gone {
            self.journal.forget_note(&id.to_hex()).await?;
            self.notes.remove(&id);
        }
        Ok(())
    }
}

/// When a server has seen a note.
#[derive(Clone, Copy)]
enum Seen {
    /// When it started, at this time by its clock.
    AtStart { wall: i64 },
    /// It has just appeared.
    Appear,
    /// Before: the session was used at this moment, if that is known.
    Before(Option<Instant>),
}

impl Written {
    /// How long the session has not been used.
    fn idle(&self, seen: Seen, now: Instant) -> Duration {
        let since = |wall: i64| Duration::from_secs(wall.saturating_sub(self.used).max(0).cast_unsigned());
        match seen {
            Seen::AtStart { wall } => since(wall),
            Seen::Appear => Duration::from_secs(self.idle),
            Seen::Before(used) => used.map_or(IDLE, |used| now.saturating_duration_since(used)),
        }
    }

    fn shown(&self, used: Instant, revision: u64) -> Option<Shown> {
        Some(Shown { key: Digest::from_hex(&self.token)?, scope: self.scope, used, revision })
    }
}

/// Writes a session as it is now, or that it has ended.
async fn write(journal: &Journal, auth: &Auth, id: &Digest) -> Result<(), JournalError> {
    let name = id.to_hex();
    let Some(shown) = auth.shown(id) else { return journal.note(&name, None, None).await.map(drop) };
    let idle = shown.used.elapsed().as_secs();
    let used = Timestamp::now().as_second().saturating_sub(i64::try_from(idle).unwrap_or(i64::MAX));
    let written = Written { token: shown.key.to_hex(), scope: shown.scope, used, idle };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_appears_is_in_use_whatever_the_clocks_of_the_servers_show() {
        let written = |used: i64, idle: u64| Written { token: String::new(), scope: Scope::Read, used, idle };
        let now = Instant::now();
        let wall = 1_800_000_000;
        for clock in [-40, -13, 0, 13, 40].map(|hours| wall + hours * 3_600) {
            assert_eq!(written(clock, 7).idle(Seen::Appear, now), Duration::from_secs(7));
            let again = Seen::Before(Some(now));
            assert_eq!(written(clock, 7).idle(again, now + IDLE), IDLE, "as long as it is known here");
        }
        // Of those that were there before, nothing else says how old they are.
        assert_eq!(written(wall - 60, 0).idle(Seen::AtStart { wall }, now), Duration::from_secs(60));
        assert!(written(wall - 50_000, 0).idle(Seen::AtStart { wall }, now) >= IDLE);
        assert_eq!(written(wall + 60, 0).idle(Seen::AtStart { wall }, now), Duration::ZERO);
    }
}
