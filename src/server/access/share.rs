//! Sessions on every server: if servers share the journal, each writes the sessions of its browsers beside the log, and reads those of
//! the others.
//!
//! A note has the digest of a session's id as its name, and says the digest of the token, its scope and when the session was used. So
//! neither an id nor a token is in it. A session that has ended leaves a note without a text, which ends it on every server. Each server
//! takes a session only if its own file has the token.
//!
//! The clocks of the servers may differ, and be set. So a note that appears while a server runs was written just then; only of those that
//! a server finds when it starts does it reckon the age by its clock.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::auth::Auth;
use super::cleaning::{Cleaning, ROUND, Removed};
use super::sessions::{Begun, IDLE, Shown};
use crate::journal::{Journal, JournalError, Note, Shelf, Trouble, TroubleKind};
use crate::log_limiter::limited;
use crate::token::{Digest, Scope};

/// How often changes are looked for. A log-out has to reach all servers within two seconds.
const LOOK: Duration = Duration::from_millis(500);

/// How long a request that begins or ends a session waits until the others can know it.
const PATIENCE: Duration = Duration::from_secs(1);

/// So many notes are written at the same time.
const AT_ONCE: usize = 64;

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
    /// Where they are, as it was seen last.
    origin: String,
    /// The revision up to which all notes were read; `None` before those that were there at the start are.
    read: Option<u64>,
    /// Whether they are to be read again from the first one on.
    again: bool,
    /// Sessions that have begun or ended here and could not be written yet.
    unwritten: HashSet<Digest>,
    /// Whether the last round has left something to be written or removed.
    has_rest: bool,
    cleaning: Cleaning,
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
            origin: String::new(),
            read: None,
            again: false,
            unwritten: HashSet::new(),
            has_rest: false,
            cleaning: Cleaning::new(),
        };
        if let Err(error) = share.look().await {
            limited!(warn, "the sessions of browsers can't be read yet", %error);
        }
        Some(share)
    }

    /// Follows what happens, here and on the others.
    pub(in crate::server) async fn run(mut self, stop: CancellationToken) {
        let auth = Arc::clone(&self.auth);
        let (changed, asked) = (auth.changed(), auth.asked());
        let mut looked = Instant::now();
        loop {
            // The rest of a round goes on at once.
            let pause = if self.has_rest { Duration::ZERO } else { LOOK };
            tokio::select! {
                () = stop.cancelled() => return self.finish().await,
                () = changed.notified() => {}
                () = asked.wanted(looked) => {}
                () = sleep(pause) => {}
            }
            looked = Instant::now();
            let number = asked.begin();
            self.take_changed();
            let round = async {
                let looked = self.look().await;
                // Those who wait for it do not wait for what comes next.
                asked.answer(number, looked.clone());
                looked?;
                self.has_rest = false;
                self.write(ROUND).await?;
                self.clean().await
            };
            let ended = tokio::select! {
                () = stop.cancelled() => None,
                ended = round => Some(ended),
            };
            match ended {
                None => return self.finish().await,
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    limited!(warn, "the sessions of browsers can't be shared with the other servers", %error);
                }
            }
        }
    }

    /// Tells what could not be told yet, as far as that can be done at once: after that nobody knows of it.
    async fn finish(mut self) {
        self.take_changed();
        if !matches!(timeout(PATIENCE, self.write(usize::MAX)).await, Ok(Ok(()))) {
            let sessions = self.unwritten.len();
            limited!(
                warn,
                "the other servers can't be told of sessions that have begun or ended here",
                sessions
            );
        }
    }

    /// Takes over what has changed here.
    fn take_changed(&mut self) {
        let (changed, has_new_tokens) = self.auth.take_changed();
        self.unwritten.extend(changed);
        // Their sessions were not taken before.
        self.again |= has_new_tokens;
    }

    /// Writes so much of what has changed here, many notes at the same time: a token that is withdrawn may end a thousand sessions.
    async fn write(&mut self, most: usize) -> Result<(), JournalError> {
        let ids: Vec<Digest> = self.unwritten.iter().copied().take(most).collect();
        let (journal, auth) = (&self.journal, &self.auth);
        let writing = ids.into_iter().map(|id| async move { (id, write(journal, auth, &id).await) });
        let mut written = stream::iter(writing).buffer_unordered(AT_ONCE);
        while let Some((id, told)) = written.next().await {
            match told {
                Ok(()) => {
                    self.unwritten.remove(&id);
                }
                // What was not told is told in a later round.
                Err(error) => return Err(error),
            }
        }
        drop(written);
        self.has_rest |= !self.unwritten.is_empty();
        Ok(())
    }

    /// Removes notes that no server needs any more.
    async fn clean(&mut self) -> Result<(), JournalError> {
        match self.cleaning.round(&self.journal, &self.auth).await? {
            Removed::All => {}
            Removed::Some => self.has_rest = true,
            Removed::NotNow => self.again = true,
        }
        Ok(())
    }

    /// Reads what has changed on other servers.
    async fn look(&mut self) -> Result<(), JournalError> {
        let looked = self.read_on().await;
        // While nothing was heard of the stream, it may have been restored, and may have grown as long as it was.
        self.again |= looked.is_err();
        looked
    }

    async fn read_on(&mut self) -> Result<(), JournalError> {
        let Shelf { origin, oldest, newest } = self.journal.shelf().await?;
        if self.read.is_some_and(|read| newest < read || origin != self.origin) {
            limited!(
                warn,
                "the stream with the sessions of browsers was remade or restored: they are read anew"
            );
            self.read = None;
        }
        self.origin = origin;
        // If some are gone, it was purged.
        let is_whole =
            self.again || self.read.is_none() || self.auth.oldest().is_some_and(|known| known < oldest);
        let read = match self.read.filter(|_| !is_whole) {
            Some(after) => self.read_after(after, newest).await?,
            None => None,
        };
        let read = match read {
            Some(read) => read,
            None => self.read_all(newest).await?,
        };
        self.again = false;
        self.read = Some(read);
        Ok(())
    }

    /// Reads what has changed after a revision, and gives up to which one everything is read then; `None` if some of what this server
    /// has not read is removed.
    async fn read_after(&mut self, after: u64, newest: u64) -> Result<Option<u64>, JournalError> {
        if newest <= after {
            return Ok(Some(newest));
        }
        let (mut read, mut is_missing) = (newest, false);
        let (wall, now) = (Timestamp::now().as_second(), Instant::now());
        for note in self.journal.notes(after).await? {
            read = read.max(note.revision);
            if let Some(id) = Digest::from_hex(&note.name) {
                self.take_in(id, note, wall, now);
            } else if let Some(upto) = self.cleaning.take_in(&note) {
                is_missing |= upto > after;
                self.auth.are_removed(upto);
            }
        }
        Ok((!is_missing).then_some(read))
    }

    /// Reads all notes, and gives up to which revision that is. Sessions that this server knows, and of which there is no note, have ended.
    async fn read_all(&mut self, newest: u64) -> Result<u64, JournalError> {
        let mut gone: HashSet<Digest> = self.auth.noted().into_iter().collect();
        let mut read = newest;
        self.cleaning.begin_anew();
        let (wall, now) = (Timestamp::now().as_second(), Instant::now());
        let notes = if newest > 0 { self.journal.notes(0).await? } else { Vec::new() };
        for note in notes {
            read = read.max(note.revision);
            if let Some(id) = Digest::from_hex(&note.name) {
                gone.remove(&id);
                self.take_in(id, note, wall, now);
            } else {
                self.cleaning.take_in(&note);
            }
        }
        for id in gone {
            self.auth.is_gone(&id);
        }
        Ok(read)
    }

    fn take_in(&mut self, id: Digest, note: Note, wall: i64, now: Instant) {
        let Note { text, revision, .. } = note;
        let Some(written) = text.as_deref().and_then(|text| serde_json::from_str::<Written>(text).ok())
        else {
            return self.auth.has_ended(id, revision);
        };
        if self.auth.is_over(&id) {
            // The note that says so was not written yet, or the stream was restored older.
            self.unwritten.insert(id);
            return;
        }
        let seen = match (self.auth.used(&id, revision), self.read) {
            // It is read again.
            (Some(used), _) => Seen::Before(used),
            (None, Some(read)) if revision > read => Seen::Appear,
            (None, _) => Seen::AtStart { wall },
        };
        let idle = written.idle(seen, now);
        let used = now.checked_sub(idle);
        if idle >= IDLE {
            return self.auth.has_expired(id, revision, used);
        }
        // The machine may have started after the session was used.
        match written.shown(used.unwrap_or(now), revision) {
            Some(shown) => self.auth.learn(id, &shown),
            None => self.auth.has_ended(id, revision),
        }
    }
}

/// When a server has seen a note.
#[derive(Clone, Copy)]
enum Seen {
    /// When it started, at this time by its clock.
    AtStart { wall: i64 },
    /// It has just appeared.
    Appear,
    /// Before: the session was used at this moment.
    Before(Instant),
}

impl Written {
    /// How long the session has not been used.
    fn idle(&self, seen: Seen, now: Instant) -> Duration {
        let since = |wall: i64| Duration::from_secs(wall.saturating_sub(self.used).max(0).cast_unsigned());
        match seen {
            Seen::AtStart { wall } => since(wall),
            Seen::Appear => Duration::from_secs(self.idle),
            Seen::Before(used) => now.saturating_duration_since(used),
        }
    }

    fn shown(&self, used: Instant, revision: u64) -> Option<Shown> {
        Some(Shown { key: Digest::from_hex(&self.token)?, scope: self.scope, used, revision })
    }
}

/// Writes a session as it is now, or that it has ended.
async fn write(journal: &Journal, auth: &Auth, id: &Digest) -> Result<(), JournalError> {
    let name = id.to_hex();
    let Some(shown) = auth.shown(id) else {
        if let Some(revision) = journal.note(&name, None, None).await? {
            auth.has_ended(*id, revision);
        }
        return Ok(());
    };
    let idle = shown.used.elapsed().as_secs();
    let used = Timestamp::now().as_second().saturating_sub(i64::try_from(idle).unwrap_or(i64::MAX));
    let written = Written { token: shown.key.to_hex(), scope: shown.scope, used, idle };
    let Ok(text) = serde_json::to_string(&written) else { return Ok(()) };
    // If another server has written it since, it is as new there, or has ended: that will be read.
    if let Some(revision) = journal.note(&name, Some(text), Some(shown.revision)).await? {
        auth.was_written(id, revision, shown.used);
    }
    Ok(())
}

/// Ends the sessions with these ids on all servers, also those that this one does not know, or whose token it does not accept.
///
/// # Errors
/// The others can't be told soon, or it can't be found out whether they know a session. Those that this server knows have ended here, and
/// the others are told as soon as that can be done.
pub(super) async fn end(auth: &Auth, ids: &[String]) -> Result<(), JournalError> {
    let (mut ended, mut unknown) = (Vec::new(), Vec::new());
    for id in ids {
        match auth.log_out(id) {
            Some(digest) => ended.push(digest),
            None if auth.may_be_elsewhere(id) => unknown.push(id),
            None => {}
        }
    }
    let known = tell_all(auth, &ended);
    let others = async {
        if unknown.is_empty() {
            return Ok(());
        }
        auth.asked().find_out().await?;
        // Strangers, who make ids up, write nothing: only what another server has written is ended.
        let ended: Vec<Digest> = unknown.iter().filter_map(|id| auth.log_out(id)).collect();
        tell_all(auth, &ended).await
    };
    let (known, others) = tokio::join!(known, others);
    known.and(others)
}

/// Tells the other servers of a session that has just begun, and of those that have ended for it. So whoever logs in again and again
/// waits for that, and no more sessions wait to be told of than there are log-ins under way.
pub(super) async fn begun(auth: &Auth, begun: &Begun) {
    // What can't be told now, they hear later.
    let _ = tokio::join!(tell(auth, &begun.digest), tell_all(auth, &begun.ended));
}

async fn tell_all(auth: &Auth, ids: &[Digest]) -> Result<(), JournalError> {
    join_all(ids.iter().map(|id| tell(auth, id))).await.into_iter().collect()
}

/// Tells the other servers of a session that has just begun or ended here, so that they know it when the browser has its answer.
///
/// # Errors
/// That can't be done soon: it is done later.
pub(super) async fn tell(auth: &Auth, id: &Digest) -> Result<(), JournalError> {
    let Some(journal) = auth.journal() else { return Ok(()) };
    let silent = || JournalError::Unavailable(Trouble::new(TroubleKind::Unreachable));
    let told = timeout(PATIENCE, write(journal, auth, id)).await.unwrap_or_else(|_| Err(silent()));
    if told.is_err() {
        auth.note_changed(*id);
    }
    told
}

#[cfg(test)]
mod many;
#[cfg(test)]
mod tests;
