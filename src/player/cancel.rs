//! Cancelling an incident. The journal decides alone: if several callers cancel, on this server or on others, the
//! resolution of the first one is stored, and all of them get its position.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::context::PlayerContext;
use super::error::PlayError;
use super::running::RunningIncident;
use crate::contract::{IncidentStarted, Message, Outcome, offset_of};
use crate::journal::{JournalError, ReadLimit, Record, Span};
use crate::plan::{IncidentTotals, PhaseRates, Plan};

/// How much one read returns.
const READ: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

/// The most characters of a reason in the summary of an incident that was given up.
const LONGEST_REASON: usize = 400;

/// The result of cancelling an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancellation {
    /// Position of the incident's `incident_resolved`.
    pub position: u64,
    /// Whether this call ended the incident; `false` if it had already ended.
    pub cancelled_now: bool,
    /// How the incident ended; `None` if its resolution cannot be read.
    pub outcome: Option<Outcome>,
}

/// What the journal has of an incident, as far as it was read.
struct StoredIncident {
    started: Option<IncidentStarted>,
    totals: IncidentTotals,
    /// Index of the newest event.
    index: u64,
    /// Position up to which the journal was read.
    position: u64,
}

impl PlayerContext {
    /// Cancels an incident; `None` if there is no incident with this id. `why` is the summary of its end, if it is ended for
    /// another reason than that a caller wants it. `has_read` is called after each read: everything behind the incident's start is
    /// read, which may be much.
    pub(super) async fn cancel(
        &self,
        id: &str,
        why: Option<&str>,
        has_read: impl Fn(),
    ) -> Result<Option<Cancellation>, PlayError> {
        let entry = self.running.get(id);
        let Some(span) = self.journal.incident(id).await? else { return Ok(None) };
        let planned = planned_rates(self.journal.plan(id).await?).await?;
        let mut stored = StoredIncident::before(&span);
        if span.end.is_none() {
            // The long part, before the incident's own events have to wait.
            self.read_on(id, &mut stored, &has_read).await?;
        }
        // If this process plays the incident, it must not append in the meantime. If another server plays it, an append
        // of that server may come first: then the journal's answer shows it.
        let _no_appends = match &entry {
            Some(entry) => Some(entry.append_lock.lock().await),
            None => None,
        };
        loop {
            let Some(span) = self.journal.incident(id).await? else { return Ok(None) };
            if let Some(position) = span.end {
                if let Some(entry) = &entry {
                    entry.ended.cancel();
                }
                let outcome = self.outcome(position).await;
                return Ok(Some(Cancellation { position, cancelled_now: false, outcome }));
            }
            self.read_on(id, &mut stored, &has_read).await?;
            let now = self.journal.clock().now().saturating_add(self.journal.ahead_in(id));
            let screen_us = screen_us(entry.as_ref(), &stored, now.unwrap_or(Timestamp::MAX));
            let mut resolved = stored.totals.clone().cancelled(&planned, screen_us);
            if let Some(why) = why {
                why.clone_into(&mut resolved.summary);
            }
            let outcome = Some(resolved.outcome);
            let record = Record::at(id, stored.index + 1, &Message::IncidentResolved(resolved));
            match self.journal.append(record).await {
                Ok(appended) => {
                    if let Some(appended) = appended.first().filter(|appended| appended.new) {
                        if let Some(entry) = &entry {
                            entry.ended.cancel();
                        }
                        tracing::info!(incident = id, "incident cancelled");
                        let position = appended.position;
                        return Ok(Some(Cancellation { position, cancelled_now: true, outcome }));
                    }
                    // Another event got this index in the meantime: try again.
                }
                Err(JournalError::Ended { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends an incident that can't be played to its end, as soon as the journal takes that.
    pub(super) async fn give_up(&self, id: &str, why: &str) {
        tracing::error!(
            incident = id,
            why,
            "the incident can't be played to its end and is ended as cancelled"
        );
        // A reason may quote what is too long to be stored.
        let why: String = why.chars().take(LONGEST_REASON).collect();
        let summary = format!("Ended because it can't be played any further: {why}");
        while !self.stop.is_cancelled() {
            match self.cancel(id, Some(&summary), || ()).await {
                Err(PlayError::Journal(error)) if error.is_temporary() => self.journal_back().await,
                Err(error) => {
                    return tracing::error!(incident = id, %error, "the incident can't be ended and stays open");
                }
                Ok(_) => return,
            }
        }
    }

    /// Reads what the journal has of an incident and was not read yet.
    async fn read_on(
        &self,
        id: &str,
        stored: &mut StoredIncident,
        has_read: impl Fn(),
    ) -> Result<(), JournalError> {
        loop {
            let events = self.journal.read(stored.position, READ).await?;
            has_read();
            let Some(last) = events.last() else { return Ok(()) };
            stored.position = last.position;
            for event in events.into_iter().filter(|event| *event.subject == *id) {
                stored.index = event.index;
                let Ok(message) = event.message() else { continue };
                if let Message::IncidentStarted(started) = &message {
                    stored.started = Some(started.clone());
                }
                let began = stored.started.as_ref().map(|started| started.impact_started_at);
                let offset_s = offset_of(&message, event.time, began);
                stored.totals.add(&message, offset_s.unwrap_or_default());
            }
        }
    }

    /// How an incident ended whose resolution has this position.
    async fn outcome(&self, position: u64) -> Option<Outcome> {
        let events = self.journal.read(position - 1, ReadLimit::events(1)).await;
        match events.ok()?.first()?.message() {
            Ok(Message::IncidentResolved(resolved)) => Some(resolved.outcome),
            _ => None,
        }
    }
}

impl StoredIncident {
    /// Nothing was read yet.
    fn before(span: &Span) -> Self {
        Self { started: None, totals: IncidentTotals::default(), index: 0, position: span.start - 1 }
    }
}

/// The rates of a stored plan, which may be long: it is read on a thread of its own.
async fn planned_rates(plan: Option<Arc<str>>) -> Result<PhaseRates, PlayError> {
    let Some(text) = plan else { return Ok(PhaseRates::default()) };
    let read = move || Plan::read(&text).map_or_else(|_| PhaseRates::default(), |plan| PhaseRates::of(&plan));
    // The task does not panic, so it was cancelled: the runtime ends.
    tokio::task::spawn_blocking(read).await.map_err(|_| PlayError::Stopping)
}

/// How much screen time has passed, in microseconds. A drill that this process does not play ends with its newest
/// event, because it may have been open in the journal for days.
fn screen_us(entry: Option<&RunningIncident>, stored: &StoredIncident, now: Timestamp) -> u64 {
    let micros = |elapsed: Duration, speed: f64| (elapsed.as_secs_f64() * speed * 1e6) as u64;
    match (entry.and_then(|entry| entry.clock), &stored.started) {
        (Some((origin, speed)), _) => micros(origin.elapsed(), speed.get()),
        (None, Some(started)) if !started.synthetic || started.origin.is_some() => {
            let since = now.duration_since(started.impact_started_at);
            micros(Duration::try_from(since).unwrap_or_default(), 1.0)
        }
        (None, _) => 0,
    }
}
