//! The playing of one incident: appends each event when it is due, retries, and stops at the end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::{sleep_until, timeout};

use super::context::PlayerContext;
use super::origin::Origin;
use super::pace::{MOST, MOST_BYTES, Past};
use super::running::Slot;
use super::score::Score;
use super::speed::Speed;
use crate::contract::{Message, MessageType};
use crate::journal::{Appended, Batch, JournalError, Lease, Place, ReadLimit, Record};
use crate::log_limiter::limited;
use crate::plan::PlannedEvent;

/// An action that is published later than this gets `late_s`.
const LATE: Duration = Duration::from_secs(1);

/// How soon a process learns that another one has taken its lease.
const LEARNT: Duration = Duration::from_secs(5);

/// One incident being played.
pub(super) struct Run {
    pub(super) context: PlayerContext,
    pub(super) slot: Slot,
    pub(super) score: Score,
    pub(super) speed: Speed,
    /// The incident's start.
    pub(super) origin: Origin,
    pub(super) lease: Lease,
}

/// The result of appending the due events.
enum Emitted {
    /// All due events are in the journal.
    All,
    /// The incident was ended by another caller, on this server or another one.
    EndedElsewhere,
    /// Another caller has appended an event to the incident.
    Foreign {
        /// The event's position.
        position: u64,
    },
}

impl Run {
    /// Plays the incident to its end. All deadlines count from one origin, so delays do not add up.
    pub(super) async fn play(mut self) {
        let mut held_up = false;
        let mut foreign = None;
        while let Some(next) = self.score.upcoming.first() {
            let deadline = self.origin.deadline(self.speed.wall(next.due));
            tokio::select! {
                biased;
                () = self.context.stop.cancelled() => return,
                () = self.slot.entry.ended.cancelled() => return,
                () = self.lease.lost() => return self.hand_over(),
                () = async { if held_up { self.context.journal_back().await } else { sleep_until(deadline).await } } => {}
            }
            held_up = match self.emit_due().await {
                Ok(Emitted::All) => false,
                Ok(Emitted::EndedElsewhere) => return,
                // An action that another server has added is read, and the plan goes on after it.
                Ok(Emitted::Foreign { position }) if foreign != Some(position) => {
                    tracing::warn!(
                        incident = self.slot.id,
                        position,
                        "another server has added an event to the incident"
                    );
                    foreign = Some(position);
                    self.slot.entry.append_lock.lock().await.is_doubtful = true;
                    false
                }
                Ok(Emitted::Foreign { position }) => {
                    let why =
                        format!("event {position}, which is not in its plan, was added by another program");
                    return self.give_up(&why).await;
                }
                // No event is lost: overdue events follow when the journal works again.
                Err(JournalError::Unavailable(_)) => true,
                Err(JournalError::LeaseLost) => return self.hand_over(),
                Err(error) => return self.give_up(&error.to_string()).await,
            };
        }
        tracing::info!(incident = self.slot.id, "incident ended");
    }

    /// Ends the incident, which can't be played any further. But if this process stood still, another one may play it meanwhile, and
    /// know what this one does not.
    async fn give_up(self, why: &str) {
        loop {
            match self.context.journal.is_held(&self.lease).await {
                Ok(true) => return self.context.give_up(&self.slot.id, why).await,
                Ok(false) => break,
                Err(error) => {
                    limited!(warn, "it can't be asked who plays an incident; the player asks again", %error);
                    tokio::select! {
                        () = self.context.stop.cancelled() => return,
                        () = self.context.journal_back() => {}
                    }
                }
            }
        }
        tokio::select! {
            () = self.context.stop.cancelled() => {}
            // This process learns it soon, and would pick the incident up again before.
            _ = timeout(LEARNT, self.lease.lost()) => self.hand_over(),
        }
    }

    fn hand_over(self) {
        tracing::info!(incident = self.slot.id, "another player continues the incident");
        let left = Arc::clone(&self.context.left);
        // That player may be this one, under a newer lease, and may have looked while this run had the incident.
        drop(self);
        left.notify_one();
    }

    /// Appends all events that are due by now as one batch.
    async fn emit_due(&mut self) -> Result<Emitted, JournalError> {
        let append_lock = self.slot.entry.append_lock.clone();
        let mut course = append_lock.lock().await;
        if self.slot.entry.ended.is_cancelled() {
            return Ok(Emitted::EndedElsewhere);
        }
        if course.is_doubtful {
            let span = self.context.journal.incident(&self.slot.id).await?;
            let start = span.map_or(1, |span| span.start);
            course.added = Past::added(&self.context.journal, &self.slot.id, start).await?;
            course.is_doubtful = false;
        }
        // Until the journal has answered, no other event can be added.
        course.played = None;
        let (elapsed, speed) = (self.origin.elapsed(), self.speed);
        let due = self
            .score
            .upcoming
            .due(|event| speed.wall(event.due) <= elapsed)
            .map_err(|error| unreadable(&error))?;
        let mut bytes = 0;
        let fits = |event: &&PlannedEvent| {
            let is_first = bytes == 0;
            bytes += event.data().get().len();
            is_first || bytes <= MOST_BYTES
        };
        let due = &due[..due.iter().take(MOST).take_while(fits).count()];
        let own: Vec<PlannedEvent> = due.iter().map(|event| course.added.adjusted(event)).collect();
        let first = (self.score.played + course.added.indexes.len()) as u64 + 1;
        let records = own.iter().zip(first..).map(|(event, index)| Record {
            subject: self.slot.id.clone(),
            place: Place::At(index),
            kind: event.kind(),
            data: self.payload(event, elapsed),
            plan: None,
        });
        let batch = Batch { records: records.collect(), term: Some(self.lease.term()), ..Batch::default() };
        let appended = match self.context.journal.append(batch).await {
            Ok(appended) => appended,
            Err(JournalError::Ended { .. }) => return Ok(Emitted::EndedElsewhere),
            Err(error) => return Err(error),
        };
        // A repeat is either an event that this player had appended without getting the answer, or an event of another
        // caller.
        let repeats = appended.iter().zip(&own).filter(|(event, _)| !event.new);
        let repeats: Vec<_> = repeats.collect();
        if !repeats.is_empty() {
            if self.ended_early(&appended, course.added.indexes.len()).await? {
                return Ok(Emitted::EndedElsewhere);
            }
            for (repeat, own) in repeats {
                if !self.is_stored(own, repeat.position).await? {
                    return Ok(Emitted::Foreign { position: repeat.position });
                }
            }
        }
        let now = self.origin.elapsed();
        for event in &own {
            self.context.metrics.late(now.saturating_sub(speed.wall(event.due)));
        }
        let score = &mut self.score;
        score.upcoming.advance(own.len()).map_err(|error| unreadable(&error))?;
        score.played += own.len();
        course.advance(score.played, own.last(), score.upcoming.first());
        Ok(Emitted::All)
    }

    /// Whether the incident has ended with an event other than the plan's last one.
    async fn ended_early(&self, appended: &[Appended], added: usize) -> Result<bool, JournalError> {
        let span = self.context.journal.incident(&self.slot.id).await?;
        let Some(end) = span.and_then(|span| span.end) else { return Ok(false) };
        let last = (self.score.events + added) as u64;
        Ok(!appended.iter().any(|event| event.position == end && event.index == last))
    }

    /// Whether the event at a position is this planned event. Only `late_s` may differ.
    async fn is_stored(&self, own: &PlannedEvent, position: u64) -> Result<bool, JournalError> {
        let stored = self.context.journal.read(position - 1, ReadLimit::events(1)).await?;
        let Some(stored) = stored.first().filter(|event| event.position == position) else { return Ok(true) };
        Ok(match (stored.message(), own.message()) {
            (Ok(stored), Ok(own)) => on_time(stored) == on_time(own),
            _ => false,
        })
    }

    /// The payload to append. A late action gets `late_s`.
    fn payload(&self, event: &PlannedEvent, elapsed: Duration) -> Box<RawValue> {
        let late = elapsed.saturating_sub(self.speed.wall(event.due));
        if event.kind() == MessageType::AgentAction && late > LATE {
            return event.late((late.as_secs_f64() * 1e3).round() / 1e3);
        }
        event.data().to_owned()
    }
}

fn unreadable(error: &io::Error) -> JournalError {
    JournalError::Refused(format!("the rest of its plan can't be read: {error}"))
}

/// The message as if it had been published on time.
fn on_time(mut message: Message) -> Message {
    if let Message::AgentAction(action) = &mut message {
        action.late_s = None;
    }
    message
}
