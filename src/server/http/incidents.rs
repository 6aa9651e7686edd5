//! The state of every incident in the journal, folded when somebody asks.

use tokio::sync::{Mutex, MutexGuard};

use crate::contract::{Envelope, SPEC_VERSION, Source};
use crate::journal::{Journal, JournalError, ReadLimit, Stored};
use crate::report::{Board, IncidentState};

/// Ended incidents that are remembered. Older ones are folded anew when somebody asks for them.
const KEEP: usize = 200;

/// Events read at once.
const PAGE: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

/// A fold that catches up with the journal before each answer: never stale, and idle when nobody asks.
pub(in crate::server) struct Incidents {
    journal: Journal,
    folded: Mutex<Folded>,
}

/// The fold and how far it got.
pub(super) struct Folded {
    pub(super) board: Board,
    /// `None` until somebody asked.
    position: Option<u64>,
}

impl Incidents {
    pub(in crate::server) fn new(journal: Journal) -> Self {
        Self { journal, folded: Mutex::new(Folded { board: Board::default(), position: None }) }
    }

    /// The board at the journal's head.
    pub(super) async fn board(&self) -> Result<MutexGuard<'_, Folded>, JournalError> {
        let mut folded = self.folded.lock().await;
        let mut position = match folded.position {
            Some(position) => position,
            None => self.beginning().await?,
        };
        loop {
            let page = self.journal.read(position, PAGE).await?;
            position = page.last().map_or(position, |last| last.position);
            folded.position = Some(position);
            if page.is_empty() {
                return Ok(folded);
            }
            for event in page {
                folded.board.fold(&self.envelope(&event));
            }
            folded.board.forget_ended(KEEP);
            // A long fold must not hold up what is due meanwhile.
            tokio::task::yield_now().await;
        }
    }

    /// The position before everything that is remembered: a journal of a million events is not read for the few
    /// incidents that anybody looks at.
    async fn beginning(&self) -> Result<u64, JournalError> {
        let open = self.journal.open_incidents().await?.into_iter().map(|incident| incident.start);
        let newest = self.journal.incidents(KEEP).await?.into_iter().map(|span| span.start);
        let oldest = open.chain(newest).min();
        Ok(oldest.map_or(self.journal.extent().head, |start| start - 1))
    }

    /// One incident, however old; `None` if nothing of it is kept.
    pub(super) async fn incident(&self, id: &str) -> Result<Option<IncidentState>, JournalError> {
        if let Some(incident) = self.board().await?.board.get(id) {
            return Ok(Some(incident.clone()));
        }
        let mut board = Board::default();
        for event in self.events(id).await?.unwrap_or_default() {
            board.fold(&event);
        }
        Ok(board.get(id).cloned())
    }

    /// Every event that is kept of one incident, in order; `None` if there is none.
    pub(super) async fn events(&self, id: &str) -> Result<Option<Vec<Envelope>>, JournalError> {
        let Some(span) = self.journal.incident(id).await? else { return Ok(None) };
        let end = span.end.unwrap_or(u64::MAX);
        let (mut position, mut events) = (span.start - 1, Vec::new());
        while position < end {
            let page = self.journal.read(position, PAGE).await?;
            let Some(last) = page.last() else { break };
            position = last.position;
            let own = page.iter().filter(|event| &*event.subject == id && event.position <= end);
            events.extend(own.map(|event| self.envelope(event)));
        }
        Ok(Some(events))
    }

    fn envelope(&self, event: &Stored) -> Envelope {
        Envelope {
            specversion: SPEC_VERSION.to_owned(),
            id: event.position.to_string(),
            source: Source::Stream(self.journal.stream().clone()).to_string(),
            kind: event.kind.as_str().to_owned(),
            subject: Some(event.subject.to_string()),
            time: event.time,
            index: Some(event.index),
            data: event.data.as_ref().to_owned(),
        }
    }
}
