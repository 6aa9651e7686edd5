//! What this server knows of the notes that tell all servers of sessions (`share.rs`), also of those whose token it does not accept, and
//! that it has no room for: a log-out ends them as well. What has ended never begins again, whatever an older note says.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::token::Digest;

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

    /// The sessions whose notes are as old as that.
    pub(super) fn older(&self, than: Duration) -> Vec<Digest> {
        self.0.iter().filter(|(_, known)| known.at.elapsed() > than).map(|(id, _)| *id).collect()
    }

    /// The lowest revision of those that have one.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.0.values().map(|known| known.revision).filter(|revision| *revision > 0).min()
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
