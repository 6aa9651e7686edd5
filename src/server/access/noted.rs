//! What this server knows of the notes that tell all servers of sessions (`share.rs`), also of those whose token it does not accept, and
//! that it has no room for: a log-out ends them as well. What has ended never begins again, whatever an older note says.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::token::Digest;

/// The most notes of sessions that have ended. The oldest of further ones are removed (`cleaning.rs`).
pub(super) const ENDED: usize = 1_000;

/// The most ended sessions without a note that are remembered.
const REMEMBERED: usize = 5_000;

/// The most sessions that have ended here without a note that says so: more than a token can have that is withdrawn.
const UNTOLD: usize = 5_000;

/// The notes by the digests of the sessions' ids.
#[derive(Default)]
pub(super) struct Noted(HashMap<Digest, Known>);

/// What is known of one note.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// 0 if none was read or written yet.
    revision: u64,
    /// The last use of the session, or its end, by the steady clock.
    at: Instant,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    InUse,
    /// It has ended, and the note does not say so yet, as far as is known.
    Ending,
    Ended,
}

impl Noted {
    /// A note says that the session was used then. Gives whether it counts: not if it has ended.
    pub(super) fn take_in(&mut self, id: Digest, revision: u64, at: Instant) -> bool {
        let known = self.0.entry(id).or_insert(Known { revision, at, state: State::InUse });
        (known.revision, known.at) = (revision, if known.state == State::InUse { at } else { known.at });
        known.state == State::InUse
    }

    /// A note says that the session has ended.
    pub(super) fn has_ended(&mut self, id: Digest, revision: u64, now: Instant) {
        self.0.insert(id, Known { revision, at: now, state: State::Ended });
    }

    /// Somebody ends the session, which is `open` here. `false` if there is nothing to end, as far as is known.
    pub(super) fn end(&mut self, id: Digest, open: bool, now: Instant) -> bool {
        let known = match self.0.get_mut(&id) {
            Some(known) => known,
            None if open => self.0.entry(id).or_insert(Known { revision: 0, at: now, state: State::Ending }),
            None => return false,
        };
        if known.state == State::InUse {
            (known.at, known.state) = (now, State::Ending);
        }
        open || known.state == State::Ending
    }

    /// Whether the session has ended, as far as is known.
    pub(super) fn is_over(&self, id: &Digest) -> bool {
        self.0.get(id).is_some_and(|known| known.state != State::InUse)
    }

    /// When a session was used whose note has this revision.
    pub(super) fn used(&self, id: &Digest, revision: u64) -> Option<Instant> {
        self.0.get(id).filter(|known| known.revision == revision).map(|known| known.at)
    }

    /// The sessions that were used, or have ended, so long ago, and whether there is a note of them.
    pub(super) fn older(&self, than: Duration) -> Vec<(Digest, bool)> {
        let old = self.0.iter().filter(|(_, known)| known.at.elapsed() > than);
        old.map(|(id, known)| (*id, known.revision > 0)).collect()
    }

    /// The lowest revision of a note of a session that has not ended.
    pub(super) fn oldest(&self) -> Option<u64> {
        let open = self.0.values().filter(|known| known.state != State::Ended);
        open.map(|known| known.revision).filter(|revision| *revision > 0).min()
    }

    /// Of the notes of ended sessions those that are too many, the oldest first, with their revisions.
    pub(super) fn too_many(&self) -> Vec<(Digest, u64)> {
        let has_note = |known: &Known| known.state == State::Ended && known.revision > 0;
        let ended = self.0.iter().filter(|(_, known)| has_note(known));
        let mut ended: Vec<_> = ended.map(|(id, known)| (*id, known.revision)).collect();
        ended.sort_unstable_by_key(|(_, revision)| *revision);
        ended.truncate(ended.len().saturating_sub(ENDED));
        ended
    }

    /// The notes of ended sessions up to this revision are removed, or will be in a moment.
    pub(super) fn are_removed(&mut self, upto: u64) {
        for known in self.0.values_mut().filter(|known| known.state == State::Ended) {
            if known.revision <= upto {
                known.revision = 0;
            }
        }
    }

    /// Forgets the oldest of the ended sessions without a note if there are too many.
    pub(super) fn forget_some(&mut self) {
        let is_bare = |known: &Known| known.state == State::Ended && known.revision == 0;
        if self.0.values().filter(|known| is_bare(known)).count() <= REMEMBERED {
            return;
        }
        let bare = self.0.iter().filter(|(_, known)| is_bare(known));
        let mut bare: Vec<_> = bare.map(|(id, known)| (known.at, *id)).collect();
        bare.sort_unstable_by_key(|(at, _)| *at);
        for (_, id) in &bare[..bare.len() - REMEMBERED] {
            self.0.remove(id);
        }
    }

    /// Whether so many sessions wait for the others to be told of their end that no further one may begin.
    pub(super) fn is_full(&self) -> bool {
        self.0.values().filter(|known| known.state == State::Ending).count() >= UNTOLD
    }

    /// The sessions whose notes were read or written.
    pub(super) fn all(&self) -> Vec<Digest> {
        self.0.iter().filter(|(_, known)| known.revision > 0).map(|(id, _)| *id).collect()
    }

    /// The note is not there any more.
    pub(super) fn is_gone(&mut self, id: &Digest) {
        if !self.is_over(id) {
            self.forget(id);
        } else if let Some(known) = self.0.get_mut(id) {
            known.revision = 0;
        }
    }

    /// Nothing is to be known of it any more.
    pub(super) fn forget(&mut self, id: &Digest) {
        self.0.remove(id);
    }
}
