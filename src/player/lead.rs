//! Playing a journal that several processes have open: whenever this one has the lease, it plays everything that is open, and
//! what any of them starts from then on.

use super::control::Player;
use crate::contract::Role;
use crate::journal::{JournalError, Lease, ReadLimit};
use crate::log_limiter::limited;

/// How much one read returns.
const READ: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

impl Player {
    /// Asks for the lease, plays while it lasts, and asks again, until the player stops.
    pub(super) async fn lead(&self) {
        loop {
            let lease = tokio::select! {
                biased;
                () = self.context.stop.cancelled() => return,
                lease = self.context.journal.lease() => lease,
            };
            match lease {
                Ok(lease) => {
                    tracing::info!(term = lease.term().0, "this server plays the incidents of the journal");
                    self.leading.send_replace(Some(lease.clone()));
                    tokio::select! {
                        biased;
                        () = self.context.stop.cancelled() => return,
                        () = lease.lost() => {}
                        () = self.play_all(&lease) => {}
                    }
                    self.leading.send_replace(None);
                    tracing::warn!("this server plays the incidents of the journal no longer");
                }
                Err(error) => {
                    limited!(warn, "the journal grants no lease; the player asks again", %error);
                    self.context.journal_back().await;
                }
            }
        }
    }

    /// Plays what is open and what begins, for as long as it is polled.
    async fn play_all(&self, lease: &Lease) {
        let mut extent = self.context.journal.follow();
        let mut read = extent.borrow_and_update().head;
        let mut has_begun = true;
        loop {
            if has_begun {
                match self.pick_up_under(lease).await {
                    Ok(picked_up) => tracing::debug!(picked_up, "incidents picked up"),
                    Err(error) => {
                        limited!(warn, "the open incidents can't be picked up yet; the player tries again", %error);
                        self.context.journal_back().await;
                        continue;
                    }
                }
            }
            if extent.borrow_and_update().head <= read {
                tokio::select! {
                    changed = extent.changed() => if changed.is_err() {
                        // The journal was closed: the process ends.
                        return std::future::pending().await;
                    },
                    () = self.context.left.notified() => {
                        has_begun = true;
                        continue;
                    }
                }
            }
            has_begun = match self.look(&mut read).await {
                Ok(has_begun) => has_begun,
                Err(error) => {
                    limited!(warn, "new events can't be read yet; the player tries again", %error);
                    self.context.journal_back().await;
                    // What began in the meantime is found among the open incidents.
                    read = self.context.journal.extent().head;
                    true
                }
            };
        }
    }

    /// Reads on: ends what another process has ended, and says whether another one has started something.
    async fn look(&self, read: &mut u64) -> Result<bool, JournalError> {
        let mut has_begun = false;
        loop {
            let events = self.context.journal.read(*read, READ).await?;
            let Some(last) = events.last() else { return Ok(has_begun) };
            *read = last.position;
            for event in events {
                let running = self.context.running.get(&event.subject);
                match (event.kind.role(), running) {
                    (Role::Start, None) => has_begun = true,
                    // Its run, if that has not appended the end itself, has nothing to do any more.
                    (Role::End, Some(running)) => running.ended.cancel(),
                    _ => {}
                }
            }
        }
    }
}
