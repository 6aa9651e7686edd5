//! Removing notes that no server needs any more, so that there are so many and no more however often somebody logs in.
//!
//! A session that has ended leaves a note without a text. A server that was away may not have read it when it is removed. So before the
//! oldest of these are removed, one note says up to which revision: a server that has not read so far reads everything anew, and ends the
//! sessions of which there is no note any more.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::auth::Auth;
use crate::journal::{Journal, JournalError, Note};

/// The most notes that are written, and removed, before the server looks again. Requests wait for a look.
pub(super) const ROUND: usize = 100;

/// How often sessions that no server has used for long are looked for.
const CLEAN: Duration = Duration::from_secs(60 * 60);

/// By how many at most the numbers of notes differ that servers remove together.
const FURTHER: u64 = 400;

/// The name of the note that says what was removed: no digest.
const NAME: &str = "removed";

/// What that note says.
#[derive(Serialize, Deserialize)]
struct Written {
    /// Notes of ended sessions up to this revision are removed.
    upto: u64,
}

/// What a round has removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removed {
    /// All that are too many.
    All,
    /// Some: the rest follows.
    Some,
    /// None, because another server removes some, or did: its note is to be read first.
    NotNow,
}

/// What is removed, and was.
pub(super) struct Cleaning {
    /// When sessions that no server has used were looked for.
    looked: Instant,
    /// Up to which revision notes of ended sessions are removed, and the revision of the note that says so.
    upto: u64,
    revision: u64,
    /// So many notes beyond the limit are removed together. Each server has another number, so that mostly one server does it.
    together: usize,
    /// Whether that was begun.
    removes: bool,
}

impl Cleaning {
    pub(super) fn new() -> Self {
        let further = usize::try_from(crate::random::bits() % FURTHER).unwrap_or_default();
        Self { looked: Instant::now(), upto: 0, revision: 0, together: ROUND + further, removes: false }
    }

    /// All notes are about to be read.
    pub(super) fn begin_anew(&mut self) {
        (self.upto, self.revision) = (0, 0);
    }

    /// A note that is of no session. Gives up to which revision another server removes notes, if it says that.
    pub(super) fn take_in(&mut self, note: &Note) -> Option<u64> {
        // What this server has written itself it reads, too.
        if note.name != NAME || note.revision == self.revision {
            return None;
        }
        let written = serde_json::from_str::<Written>(note.text.as_deref()?).ok()?;
        (self.upto, self.revision) = (written.upto, note.revision);
        Some(written.upto)
    }

    /// Removes some notes.
    pub(super) async fn round(&mut self, journal: &Journal, auth: &Auth) -> Result<Removed, JournalError> {
        match self.remove_ended(journal, auth).await? {
            Removed::All => self.remove_useless(journal, auth).await,
            others => Ok(others),
        }
    }

    /// Removes the oldest notes of sessions that have ended.
    async fn remove_ended(&mut self, journal: &Journal, auth: &Auth) -> Result<Removed, JournalError> {
        let many = auth.too_many();
        self.removes = !many.is_empty() && (self.removes || many.len() >= self.together);
        let some = &many[..many.len().min(ROUND)];
        let Some((_, last)) = some.last().filter(|_| self.removes) else { return Ok(Removed::All) };
        if *last > self.upto {
            let Ok(text) = serde_json::to_string(&Written { upto: *last }) else { return Ok(Removed::All) };
            let Some(revision) = journal.note(NAME, Some(text), Some(self.revision)).await? else {
                return Ok(Removed::NotNow);
            };
            (self.upto, self.revision) = (*last, revision);
        }
        for (id, _) in some {
            journal.forget_note(&id.to_hex()).await?;
            auth.is_gone(id);
        }
        Ok(if some.len() < many.len() { Removed::Some } else { Removed::All })
    }

    /// Removes notes of sessions that ended long ago, or that no server has used.
    async fn remove_useless(&mut self, journal: &Journal, auth: &Auth) -> Result<Removed, JournalError> {
        if self.looked.elapsed() < CLEAN {
            return Ok(Removed::All);
        }
        let (mut noted, bare): (Vec<_>, Vec<_>) =
            auth.useless().into_iter().partition(|(_, has_note)| *has_note);
        for (id, _) in bare {
            auth.was_removed(&id);
        }
        let rest = noted.split_off(noted.len().min(ROUND));
        for (id, _) in noted {
            journal.forget_note(&id.to_hex()).await?;
            auth.was_removed(&id);
        }
        if !rest.is_empty() {
            return Ok(Removed::Some);
        }
        self.looked = Instant::now();
        Ok(Removed::All)
    }
}
