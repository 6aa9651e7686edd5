//! Catching up with the journal: folding the incidents that are listed. Mostly a few events are missing, which are folded before the
//! answer. But an incident may have been open for weeks, and a server that starts has all events behind its start to fold: a task does
//! that beside the requests, a page at a time, and who asks for the list waits for it without a turn, and not for ever.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use tokio::sync::{MutexGuard, OwnedMutexGuard};
use tokio::time::{Instant, sleep};

use super::folded::{Folded, KEEP};
use super::incidents::{FEW, Incidents, PAGE, SOON, off_workers};
use super::problem::Problem;
use super::quota::LOOK;
use crate::contract::{Envelope, MessageType};
use crate::journal::{Extent, JournalError, Stored};
use crate::log_limiter::limited;
use crate::metrics::Refusal;

/// The longest that a request waits for it: less than clients wait.
const PATIENCE: Duration = Duration::from_secs(20);

impl Incidents {
    /// Waits until no more is missing than a request folds itself.
    ///
    /// # Errors
    /// The journal can't be read, or that takes too long.
    pub(super) async fn caught_up(self: &Arc<Self>) -> Result<(), Problem> {
        let until = Instant::now() + PATIENCE;
        loop {
            let missing = self.missing().await?;
            if missing <= SOON {
                return Ok(());
            }
            if let Some(trouble) = self.journal.unreadable() {
                return Err(JournalError::Unavailable(trouble).into());
            }
            if Instant::now() >= until {
                return Err(still_missing(missing));
            }
            self.fold_missing();
            sleep(LOOK).await;
        }
    }

    /// How many events are not folded yet.
    pub(super) async fn missing(&self) -> Result<u64, JournalError> {
        let position = self.position(&mut *self.folded.lock().await).await?;
        Ok(self.behind_head(position))
    }

    fn behind_head(&self, position: u64) -> u64 {
        let Extent { oldest, head } = self.journal.extent();
        // What is not kept any more is not folded.
        head.saturating_sub(position.max(oldest.saturating_sub(1)))
    }

    /// Folds them beside the requests, unless that is being done.
    fn fold_missing(self: &Arc<Self>) {
        let Ok(folding) = Arc::clone(&self.folding).try_lock_owned() else { return };
        // A server that stops does not wait for it.
        let incidents = Arc::downgrade(self);
        tokio::spawn(async move {
            let _folding = folding;
            while let Some(incidents) = incidents.upgrade() {
                match incidents.fold_more().await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => return limited!(warn, "the incidents can't be listed yet", %error),
                }
            }
        });
    }

    /// Folds the next page, if more is missing than a request folds itself. Returns whether that was so. While it reads, requests have what
    /// is folded.
    async fn fold_more(&self) -> Result<bool, JournalError> {
        let position = self.position(&mut *self.folded.lock().await).await?;
        if self.behind_head(position) <= SOON {
            return Ok(false);
        }
        let page = self.journal.read(position, PAGE).await?;
        let mut folded = Arc::clone(&self.folded).lock_owned().await;
        // A request may have been faster.
        if folded.position == Some(position) {
            if self.pass_dropped(&mut folded, position).await? {
                return Ok(true);
            }
            self.fold(folded, &page).await?;
        }
        Ok(!page.is_empty())
    }

    /// Whether retention has dropped events behind this position, which were not folded. They may have been the ends of incidents: what is
    /// open on the board and not in the journal is over, and nothing of it is kept.
    async fn pass_dropped(&self, folded: &mut Folded, position: u64) -> Result<bool, JournalError> {
        let oldest = self.journal.extent().oldest;
        if oldest <= position + 1 {
            return Ok(false);
        }
        let open = self.journal.open_incidents().await?;
        folded.pass(oldest - 1, &open.iter().map(|open| open.subject.as_str()).collect());
        Ok(true)
    }

    /// The board as the last request left it.
    pub(super) async fn known(&self) -> MutexGuard<'_, Folded> {
        self.folded.lock().await
    }

    /// The board at the journal's head.
    pub(super) async fn board(&self) -> Result<OwnedMutexGuard<Folded>, JournalError> {
        let mut folded = Arc::clone(&self.folded).lock_owned().await;
        loop {
            let position = self.position(&mut folded).await?;
            let page = self.journal.read(position, PAGE).await?;
            if self.pass_dropped(&mut folded, position).await? {
                continue;
            }
            if page.is_empty() {
                folded.forget_dropped(self.journal.extent().oldest);
                return Ok(folded);
            }
            folded = self.fold(folded, &page).await?;
        }
    }

    /// Folds a page that follows what is folded.
    async fn fold(
        &self,
        mut folded: OwnedMutexGuard<Folded>,
        page: &[Stored],
    ) -> Result<OwnedMutexGuard<Folded>, JournalError> {
        let Some(last) = page.last() else { return Ok(folded) };
        let position = last.position;
        let events: Vec<Envelope> = page.iter().map(|event| self.envelope(event)).collect();
        let ends = page.iter().filter(|event| event.kind == MessageType::IncidentResolved);
        folded.ended.extend(ends.map(|event| (event.position, event.subject.to_string())));
        let few = events.len() <= FEW;
        let fold = move || {
            folded.fold(&events, position);
            folded
        };
        if few { Ok(fold()) } else { off_workers(fold).await }
    }

    /// Up to which position events are folded. At first it is the one before everything that is remembered: a journal of a million
    /// events is not read for the few incidents that clients look at.
    async fn position(&self, folded: &mut Folded) -> Result<u64, JournalError> {
        if let Some(position) = folded.position {
            return Ok(position);
        }
        let open = self.journal.open_incidents().await?.into_iter().map(|incident| incident.start);
        let newest = self.journal.incidents(KEEP).await?.into_iter().map(|span| span.start);
        let oldest = open.chain(newest).min();
        let position = oldest.map_or(self.journal.extent().head, |start| start.saturating_sub(1));
        folded.position = Some(position);
        Ok(position)
    }
}

fn still_missing(events: u64) -> Problem {
    let detail = format!(
        "the server reads what is behind the start of the oldest open incident, as after each start, and {events} events are left; try again \
         in a moment"
    );
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        .with_header(header::RETRY_AFTER, "5")
        .because(Refusal::Busy)
}
