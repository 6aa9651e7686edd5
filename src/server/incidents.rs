//! The state of every incident in the journal, folded when somebody asks.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use crate::contract::{Envelope, SPEC_VERSION, Source};
use crate::journal::{Journal, JournalError};
use crate::report::Board;

/// Ended incidents that are remembered.
const KEEP: usize = 200;

/// Events read at once.
const PAGE: usize = 1_000;

/// A fold that catches up with the journal before each answer: never stale, and idle when nobody asks.
pub(super) struct Incidents {
    journal: Arc<dyn Journal>,
    folded: Mutex<Folded>,
}

/// The fold and how far it got.
pub(super) struct Folded {
    pub(super) board: Board,
    position: u64,
}

impl Incidents {
    pub(super) fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal, folded: Mutex::new(Folded { board: Board::default(), position: 0 }) }
    }

    /// The board at the journal's head.
    pub(super) async fn board(&self) -> Result<MutexGuard<'_, Folded>, JournalError> {
        let mut folded = self.folded.lock().await;
        let source = Source::Stream(self.journal.stream().clone()).to_string();
        loop {
            let page = self.journal.read(folded.position, PAGE).await?;
            let Some(last) = page.last() else { return Ok(folded) };
            folded.position = last.position;
            for event in page {
                folded.board.fold(&Envelope {
                    specversion: SPEC_VERSION.to_owned(),
                    id: event.position.to_string(),
                    source: source.clone(),
                    kind: event.kind.as_str().to_owned(),
                    subject: Some(event.subject.to_string()),
                    time: event.time,
                    data: event.data.clone().as_ref().to_owned(),
                });
            }
            folded.board.forget_ended(KEEP);
            // A long fold must not hold up what is due meanwhile.
            tokio::task::yield_now().await;
        }
    }
}
