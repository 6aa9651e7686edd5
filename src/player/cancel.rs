//! Ending an incident before its time. Only the journal decides: of several callers, on this server or another, the
//! first one's resolution goes in, and all of them get its position.

use std::time::Duration;

use super::context::Context;
use super::error::PlayError;
use super::origin::Origin;
use super::running::Entry;
use crate::contract::{IncidentStarted, Message, offset_of};
use crate::journal::{JournalError, ReadLimit, Record, Span};
use crate::plan::{Plan, SoFar};

/// What is read at once.
const PAGE: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

/// How an incident has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Position of its `incident_resolved`.
    pub position: u64,
    /// Whether this call ended it; `false` if it had ended before.
    pub now: bool,
}

/// An incident as the journal has it.
struct Known {
    started: Option<IncidentStarted>,
    so_far: SoFar,
    /// Index of the newest event.
    index: u64,
}

impl Context {
    /// Cancels an incident; `None` if there is none of that name.
    pub(super) async fn cancel(&self, id: &str) -> Result<Option<Ended>, PlayError> {
        let entry = self.running.get(id);
        // Between two appends of the run that plays it here. On another server's run only the journal's answer tells.
        let _turn = match &entry {
            Some(entry) => Some(entry.turn.lock().await),
            None => None,
        };
        loop {
            let Some(span) = self.journal.incident(id).await? else { return Ok(None) };
            if let Some(position) = span.end {
                return Ok(Some(Ended { position, now: false }));
            }
            let known = self.known(&span).await?;
            let plan = self.journal.plan(id).await?.and_then(|text| Plan::read(&text).ok());
            let screen_us = screen_us(entry.as_ref(), known.started.as_ref());
            let resolved = known.so_far.cancelled(plan.as_ref(), screen_us);
            let record = Record::at(id, known.index + 1, &Message::IncidentResolved(resolved));
            match self.journal.append(record).await {
                Ok(appended) => {
                    if let Some(appended) = appended.first().filter(|appended| appended.new) {
                        if let Some(entry) = &entry {
                            entry.ended.cancel();
                        }
                        tracing::info!(incident = id, "incident cancelled");
                        return Ok(Some(Ended { position: appended.position, now: true }));
                    }
                    // Another event took the place: look again.
                }
                Err(JournalError::Ended { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Everything that the journal has of an incident.
    async fn known(&self, span: &Span) -> Result<Known, JournalError> {
        let mut known = Known { started: None, so_far: SoFar::default(), index: 0 };
        let (mut position, mut began) = (span.start - 1, None);
        loop {
            let page = self.journal.read(position, PAGE).await?;
            let Some(last) = page.last() else { return Ok(known) };
            position = last.position;
            for event in page.into_iter().filter(|event| *event.subject == *span.subject) {
                known.index = event.index;
                let Ok(message) = event.message() else { continue };
                if let Message::IncidentStarted(started) = &message {
                    began = Some(started.impact_started_at);
                    known.started = Some(started.clone());
                }
                let offset_s = offset_of(&message, event.time, began);
                known.so_far.take(&message, offset_s.unwrap_or_default());
            }
        }
    }
}

/// How much screen time has passed. A drill that no run plays here ends with its newest event: it may have lain in the
/// journal for days.
fn screen_us(entry: Option<&Entry>, started: Option<&IncidentStarted>) -> u64 {
    let micros = |elapsed: Duration, speed: f64| (elapsed.as_secs_f64() * speed * 1e6) as u64;
    match (entry.and_then(|entry| entry.clock), started) {
        (Some((origin, speed)), _) => micros(origin.elapsed(), speed.get()),
        (None, Some(started)) if !started.synthetic => {
            micros(Origin::of(started.impact_started_at).elapsed(), 1.0)
        }
        (None, _) => 0,
    }
}
