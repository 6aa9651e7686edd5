//! What a server tells and hears of sessions while others have the journal open, too: the side of the tokens and sessions. `share.rs` writes
//! and reads the notes.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::auth::{Accepted, Auth};
use super::sessions::{IDLE, Shown};
use crate::token::Digest;

impl Auth {
    /// Is notified when other servers are to be told something.
    pub(super) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// A session has changed, of which the other servers could not be told yet.
    pub(super) fn note_changed(&self, id: Digest) {
        self.untold.lock().0.push(id);
    }

    /// The sessions of which the other servers are to be told, and whether there are tokens that were not known before.
    pub(super) fn take_changed(&self) -> (Vec<Digest>, bool) {
        let stale = self.accepted.lock().sessions.stale(Instant::now());
        let (mut changed, reread) = std::mem::take(&mut *self.untold.lock());
        changed.extend(stale);
        (changed, reread)
    }

    /// A session as the other servers have to know it; `None` if it has ended.
    pub(super) fn shown(&self, id: &Digest) -> Option<Shown> {
        self.accepted.lock().sessions.shown(id)
    }

    /// A note says that a session is in use. It counts here if its token does, and it has not ended here.
    pub(super) fn learn(&self, id: Digest, shown: &Shown) {
        let mut accepted = self.accepted.lock();
        let Accepted { keyring, sessions, noted } = &mut *accepted;
        if !noted.take_in(id, shown.revision, shown.used) || !keyring.has(&shown.key, shown.scope) {
            return;
        }
        let ended = sessions.learn(id, shown);
        let now = Instant::now();
        for id in &ended {
            noted.end(*id, true, now);
        }
        drop(accepted);
        self.untold.lock().0.extend(ended);
    }

    /// A note says that a session has ended.
    pub(super) fn has_ended(&self, id: Digest, revision: u64) {
        let mut accepted = self.accepted.lock();
        accepted.sessions.end(&id);
        accepted.noted.has_ended(id, revision, Instant::now());
    }

    /// A note is of a session that was used so long ago, if that is known, that it has expired.
    pub(super) fn has_expired(&self, id: Digest, revision: u64, used: Option<Instant>) {
        let mut accepted = self.accepted.lock();
        accepted.sessions.end(&id);
        match used {
            Some(used) => {
                accepted.noted.take_in(id, revision, used);
            }
            None => accepted.noted.forget(&id),
        }
    }

    /// Whether a session has ended, as far as this server knows: then it never begins again.
    pub(super) fn is_over(&self, id: &Digest) -> bool {
        self.accepted.lock().noted.is_over(id)
    }

    /// When a session was used whose note has this revision, if that is known.
    pub(super) fn used(&self, id: &Digest, revision: u64) -> Option<Instant> {
        self.accepted.lock().noted.used(id, revision)
    }

    /// The lowest revision of a note that this server knows.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.accepted.lock().noted.oldest()
    }

    /// The sessions of which this server knows notes.
    pub(super) fn noted(&self) -> Vec<Digest> {
        self.accepted.lock().noted.all()
    }

    /// The note of a session is not there any more, which ends the session.
    pub(super) fn is_gone(&self, id: &Digest) {
        let mut accepted = self.accepted.lock();
        accepted.sessions.end(id);
        accepted.noted.is_gone(id);
    }

    /// Sessions of which no server needs to know any more, and whether there are notes of them.
    pub(super) fn useless(&self) -> Vec<(Digest, bool)> {
        self.accepted.lock().noted.older(2 * IDLE)
    }

    /// The oldest notes of ended sessions, with their revisions, if there are too many. What is known without a note is bounded as well.
    pub(super) fn too_many(&self) -> Vec<(Digest, u64)> {
        let mut accepted = self.accepted.lock();
        accepted.noted.forget_some();
        accepted.noted.too_many()
    }

    /// Another server removes the notes of ended sessions up to this revision.
    pub(super) fn are_removed(&self, upto: u64) {
        self.accepted.lock().noted.are_removed(upto);
    }

    /// The note of a session is removed.
    pub(super) fn was_removed(&self, id: &Digest) {
        self.accepted.lock().noted.forget(id);
    }

    /// The note of a session is written, which was used then.
    pub(super) fn was_written(&self, id: &Digest, revision: u64, used: Instant) {
        let mut accepted = self.accepted.lock();
        accepted.sessions.was_written(id, revision);
        accepted.noted.take_in(*id, revision, used);
    }
}
