//! Cancelling an incident. The journal decides alone: if several callers cancel, on this server or on others, the
//! resolution of the first one is stored, and all of them get its position.

use std::time::Duration;

use super::context::PlayerContext;
use super::error::PlayError;
use super::origin::Origin;
use super::running::RunningIncident;
use crate::contract::{IncidentStarted, Message, offset_of};
use crate::journal::{JournalError, ReadLimit, Record, Span};
use crate::plan::{IncidentTotals, Plan};

/// How much one read returns.
const READ: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

/// The result of cancelling an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancellation {
    /// Position of the incident's `incident_resolved`.
    pub position: u64,
    /// Whether this call ended the incident; `false` if it had already ended.
    pub cancelled_now: bool,
}

/// What the journal has of an incident.
struct StoredIncident {
    started: Option<IncidentStarted>,
    totals: IncidentTotals,
    /// Index of the newest event.
    index: u64,
}

impl PlayerContext {
    /// Cancels an incident; `None` if there is no incident with this id.
    pub(super) async fn cancel(&self, id: &str) -> Result<Option<Cancellation>, PlayError> {
        let entry = self.running.get(id);
        // If this process plays the incident, it must not append in the meantime. If another server plays it, an append
        // of that server may come first: then the journal's answer shows it.
        let _no_appends = match &entry {
            Some(entry) => Some(entry.append_lock.lock().await),
            None => None,
        };
        loop {
            let Some(span) = self.journal.incident(id).await? else { return Ok(None) };
            if let Some(position) = span.end {
                return Ok(Some(Cancellation { position, cancelled_now: false }));
            }
            let stored = self.stored(&span).await?;
            let plan = self.journal.plan(id).await?.and_then(|text| Plan::read(&text).ok());
            let screen_us = screen_us(entry.as_ref(), stored.started.as_ref());
            let resolved = stored.totals.cancelled(plan.as_ref(), screen_us);
            let record = Record::at(id, stored.index + 1, &Message::IncidentResolved(resolved));
            match self.journal.append(record).await {
                Ok(appended) => {
                    if let Some(appended) = appended.first().filter(|appended| appended.new) {
                        if let Some(entry) = &entry {
                            entry.ended.cancel();
                        }
                        tracing::info!(incident = id, "incident cancelled");
                        return Ok(Some(Cancellation { position: appended.position, cancelled_now: true }));
                    }
                    // Another event got this index in the meantime: try again.
                }
                Err(JournalError::Ended { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads what the journal has of an incident.
    async fn stored(&self, span: &Span) -> Result<StoredIncident, JournalError> {
        let mut stored = StoredIncident { started: None, totals: IncidentTotals::default(), index: 0 };
        let (mut position, mut began) = (span.start - 1, None);
        loop {
            let events = self.journal.read(position, READ).await?;
            let Some(last) = events.last() else { return Ok(stored) };
            position = last.position;
            for event in events.into_iter().filter(|event| *event.subject == *span.subject) {
                stored.index = event.index;
                let Ok(message) = event.message() else { continue };
                if let Message::IncidentStarted(started) = &message {
                    began = Some(started.impact_started_at);
                    stored.started = Some(started.clone());
                }
                let offset_s = offset_of(&message, event.time, began);
                stored.totals.add(&message, offset_s.unwrap_or_default());
            }
        }
    }
}

/// How much screen time has passed, in microseconds. A drill that this process does not play ends with its newest
/// event, because it may have been open in the journal for days.
fn screen_us(entry: Option<&RunningIncident>, started: Option<&IncidentStarted>) -> u64 {
    let micros = |elapsed: Duration, speed: f64| (elapsed.as_secs_f64() * speed * 1e6) as u64;
    match (entry.and_then(|entry| entry.clock), started) {
        (Some((origin, speed)), _) => micros(origin.elapsed(), speed.get()),
        (None, Some(started)) if !started.synthetic => {
            micros(Origin::of(started.impact_started_at).elapsed(), 1.0)
        }
        (None, _) => 0,
    }
}
