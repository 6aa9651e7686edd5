//! The state of every incident in the journal, folded when a client asks for it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::folded::{Folded, INCIDENT_BYTES};
use super::problem::Problem;
use super::quota::{MOST_BYTES, too_large};
use super::reading::Reading;
use crate::contract::{Envelope, SPEC_VERSION, Source};
use crate::journal::{Extent, Journal, JournalError, ReadLimit, Span, Stored, Times, Trouble, TroubleKind};
use crate::plan::Plan;
use crate::report::{Board, IncidentState, ToldIncidents};
use crate::world::{Alerts, Tempo};

/// Events read at once.
pub(super) const PAGE: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

/// The bytes of events in one answer, exceeded by less than a page.
const LINES_BYTES: usize = 2 * 1024 * 1024;

/// The most that one answer with an incident's events reads of the journal, whichever incidents the events belong to: one that has
/// long been open has few of them.
const SCANNED: ReadLimit = ReadLimit { events: 10_000, bytes: 8 * 1024 * 1024 };

/// So few missing events are folded by the request that needs them: a page, so that its turn is short.
pub(super) const SOON: u64 = 1_000;

/// So few events are folded on the runtime's threads: handing them to another thread would cost more.
pub(super) const FEW: usize = 32;

/// The most bytes that the events of one incident may take until its report is made, if few events are read for it …
const COLLECTED_BYTES: usize = 32 * 1024 * 1024;

/// … and if many are. Two of these are made at the same time.
const LONG_COLLECTED_BYTES: usize = 96 * 1024 * 1024;

/// A fold that catches up with the journal before each answer: never stale, and idle when no client asks.
pub(in crate::server) struct Incidents {
    pub(super) journal: Journal,
    pub(super) folded: Arc<Mutex<Folded>>,
    /// Held by the one that folds what is missing, if that is much.
    pub(super) folding: Arc<Mutex<()>>,
}

/// A part of an incident's events.
pub(super) struct Part {
    /// The events as they are streamed, one per line; maybe none.
    pub(super) lines: Vec<u8>,
    /// The position after which the next part begins; `None` if the journal has no further events of the incident for now.
    pub(super) next: Option<u64>,
}

/// Why there is no part of an incident's events.
pub(super) enum NoPart {
    /// The journal can't be read.
    Journal(JournalError),
    /// There is no such incident.
    Unknown,
    /// Retention has dropped events that follow the position, maybe some of the incident. This one is the oldest that is kept.
    Expired(u64),
}

impl From<JournalError> for NoPart {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// Why there are no alerts.
pub(super) enum NoAlerts {
    /// The journal can't be read, or the work is refused.
    Refused(Problem),
    /// There is no such incident.
    Unknown,
    /// It has ended.
    Ended,
}

impl From<JournalError> for NoAlerts {
    fn from(error: JournalError) -> Self {
        Self::Refused(error.into())
    }
}

impl Incidents {
    pub(in crate::server) fn new(journal: Journal) -> Self {
        Self { journal, folded: Arc::default(), folding: Arc::default() }
    }

    /// The ids of the incidents that are known at the journal's head, and how many open ones are left out.
    pub(super) async fn ids(&self) -> Result<(Vec<String>, usize), JournalError> {
        let folded = self.board().await?;
        let ids = folded.board.incidents().iter().map(|incident| incident.id.clone()).collect();
        Ok((ids, folded.left_out()))
    }

    /// One incident, however old; `None` if nothing of it is kept.
    ///
    /// # Errors
    /// The journal can't be read, the state is larger than any that is told, or the work is refused.
    pub(super) async fn incident(
        &self,
        id: &str,
        reading: &mut Reading<'_>,
    ) -> Result<Option<IncidentState>, Problem> {
        // While much is missing, its own events are fewer.
        if self.missing().await? <= SOON
            && let Some(incident) = self.board().await?.board.get(id)
        {
            return Ok(Some(incident.clone()));
        }
        let Some(span) = self.journal.incident(id).await? else { return Ok(None) };
        reading.begin(self.spread(&span)).await?;
        let (mut board, mut position) = (Board::default(), span.start - 1);
        while let Some(events) = self.next_page(&span, &mut position, reading).await? {
            board = off_workers(move || {
                for event in &events {
                    board.fold(event);
                }
                board
            })
            .await?;
            if board.get(id).is_some_and(|state| state.bytes() > INCIDENT_BYTES) {
                return Err(too_large());
            }
        }
        Ok(board.get(id).cloned())
    }

    /// The alerts of an incident, by its plan; none if it has no plan. If the clock was set since the incident began, they are where the
    /// newest event says.
    ///
    /// # Errors
    /// The journal can't be read, there is no such incident, it has ended, or the work is refused.
    pub(super) async fn alerts(&self, id: &str, reading: &mut Reading<'_>) -> Result<Alerts, NoAlerts> {
        let span = self.journal.incident(id).await?.ok_or(NoAlerts::Unknown)?;
        if span.end.is_some() {
            return Err(NoAlerts::Ended);
        }
        let Some(text) = self.journal.plan(id).await? else { return Ok(Alerts::default()) };
        let read = off_workers(move || {
            let plan = Plan::read(&text).ok()?;
            Some((Tempo::of(&plan)?, Alerts::of(&plan)))
        });
        // A plan that can't be read is not played either.
        let Some((tempo, alerts)) = read.await? else { return Ok(Alerts::default()) };
        if alerts.alerts.is_empty() {
            return Ok(alerts);
        }
        let state = match self.incident(id, reading).await {
            // Such a state is not told, but its alerts are.
            Err(problem) if problem.status() == StatusCode::INSUFFICIENT_STORAGE => None,
            Err(problem) => return Err(NoAlerts::Refused(problem)),
            Ok(state) => state,
        };
        let Some((offset_s, newest)) = state.and_then(|state| Some((state.offset_s?, state.time))) else {
            return Ok(alerts);
        };
        let now = self.now();
        let own = now.saturating_add(self.journal.ahead_in(id)).unwrap_or(now);
        let ago = Duration::try_from(own.duration_since(newest)).unwrap_or_default();
        Ok(alerts.unless_set(&tempo, tempo.at_most_next(offset_s, newest, ago), now))
    }

    /// The time by the clock of the alerts.
    pub(super) fn now(&self) -> Timestamp {
        self.journal.clock().now()
    }

    /// What time it is for the open incidents.
    pub(super) fn times(&self) -> Times {
        self.journal.times()
    }

    /// What every event says that is kept of one incident; `None` if there is none.
    ///
    /// # Errors
    /// The journal can't be read, the events are more than are collected, or the work is refused.
    pub(super) async fn told(
        &self,
        id: &str,
        reading: &mut Reading<'_>,
    ) -> Result<Option<ToldIncidents>, Problem> {
        let Some(span) = self.journal.incident(id).await? else { return Ok(None) };
        reading.begin(self.spread(&span)).await?;
        let (mut position, mut told) = (span.start - 1, ToldIncidents::default());
        while let Some(events) = self.next_page(&span, &mut position, reading).await? {
            let few = events.len() <= FEW;
            let add = move || {
                for event in &events {
                    told.add(event);
                }
                told
            };
            told = if few { add() } else { off_workers(add).await? };
            let most = if reading.is_long() { LONG_COLLECTED_BYTES } else { COLLECTED_BYTES };
            // Nobody could be given a longer text, so that it is not made.
            if told.bytes() > most || told.written() > MOST_BYTES {
                return Err(too_large());
            }
        }
        Ok(Some(told))
    }

    /// Events of one incident after a position: as many as one answer holds, and as many as are found in a bounded part of the
    /// journal.
    ///
    /// # Errors
    /// The journal can't be read, there is no such incident, or what follows the position is not kept any more.
    pub(super) async fn part(&self, id: &str, after: u64) -> Result<Part, NoPart> {
        let span = self.journal.incident(id).await?.ok_or(NoPart::Unknown)?;
        let (begin, end) = (span.start - 1, span.end.unwrap_or(u64::MAX));
        let source = Source::Stream(self.journal.stream().clone());
        let (mut position, mut lines) = (after.max(begin), Vec::new());
        let mut left = SCANNED;
        while position < end && lines.len() < LINES_BYTES {
            if left.events == 0 || left.bytes == 0 {
                break;
            }
            let limit = ReadLimit { events: PAGE.events.min(left.events), bytes: PAGE.bytes.min(left.bytes) };
            let page = self.journal.read(position, limit).await?;
            let oldest = page.first().map_or(self.journal.extent().oldest, |event| event.position);
            // A client that has nothing yet gets what is kept. One that has a part must not take the next one for what follows it.
            if position > begin && oldest > position + 1 {
                let next = Part { next: Some(position), lines };
                return if next.lines.is_empty() { Err(NoPart::Expired(oldest)) } else { Ok(next) };
            }
            let Some(last) = page.last() else { return Ok(Part { lines, next: None }) };
            position = last.position;
            left.events = left.events.saturating_sub(page.len());
            left.bytes = left.bytes.saturating_sub(page.iter().map(|event| event.data.get().len()).sum());
            for event in page.iter().filter(|event| *event.subject == *span.subject && event.position <= end)
            {
                event.writer(&source).write(&mut lines);
                lines.push(b'\n');
            }
        }
        let has_more = position < end.min(self.journal.extent().head);
        Ok(Part { lines, next: has_more.then_some(position) })
    }

    /// How many events lie behind the start of an incident that is open: all of them are read to end it. 0 if it is not open.
    pub(super) async fn behind(&self, id: &str) -> Result<u64, JournalError> {
        let open = self.journal.incident(id).await?.filter(|span| span.end.is_none());
        Ok(open.map_or(0, |span| self.spread(&span)))
    }

    /// How many events there are between the first and the last one of an incident, whichever incidents they belong to.
    fn spread(&self, span: &Span) -> u64 {
        let Extent { oldest, head } = self.journal.extent();
        (span.end.unwrap_or(head) + 1).saturating_sub(span.start.max(oldest))
    }

    /// The events of an incident in the next page after `position`, maybe none; `None` behind its end.
    async fn next_page(
        &self,
        span: &Span,
        position: &mut u64,
        reading: &mut Reading<'_>,
    ) -> Result<Option<Vec<Envelope>>, Problem> {
        let end = span.end.unwrap_or(u64::MAX);
        if *position >= end {
            return Ok(None);
        }
        let page = self.journal.read(*position, PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        *position = last.position;
        let own = page.iter().filter(|event| *event.subject == *span.subject && event.position <= end);
        let own = own.map(|event| self.envelope(event)).collect();
        reading.has_read(&page).await?;
        Ok(Some(own))
    }

    pub(super) fn envelope(&self, event: &Stored) -> Envelope {
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

/// Runs work on a thread of its own, because it would hold up the events that the runtime's threads play and deliver.
pub(in crate::server) async fn off_workers<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JournalError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| JournalError::Unavailable(Trouble::from_error(TroubleKind::Other, error)))
}
