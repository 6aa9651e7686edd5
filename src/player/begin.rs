//! Starting an incident: appends its first event under a name that no other incident has.

use std::io;

use super::context::PlayerContext;
use super::course::{Added, Course};
use super::error::{MAX_OPEN, PlayError};
use super::origin::Origin;
use super::playable;
use super::running::Slot;
use super::score::Score;
use super::speed::Speed;
use crate::journal::{JournalError, Place, ReadLimit, Record};
use crate::plan::Plan;

/// An incident whose first event is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The incident's id, like `database-outage-x7k2p`.
    pub id: String,
    /// Position of its `incident_started`.
    pub position: u64,
}

/// A request to start an incident.
pub(super) struct StartRequest {
    pub(super) plan: Plan,
    pub(super) speed: Speed,
    /// The name to use if it is free; otherwise the incident gets a new name.
    pub(super) name: Option<String>,
    /// When the first event is due; `None` for now.
    pub(super) origin: Option<Origin>,
    /// The first event, if it is not known whether it is stored.
    pub(super) unanswered: Option<Record>,
}

impl StartRequest {
    pub(super) fn new(plan: Plan, speed: Speed) -> Self {
        Self { plan, speed, name: None, origin: None, unanswered: None }
    }
}

/// An incident whose first event is in the journal, ready to be played.
pub(super) struct BegunIncident {
    pub(super) started: Started,
    pub(super) slot: Slot,
    pub(super) origin: Origin,
    pub(super) score: Score,
    pub(super) course: Course,
}

impl PlayerContext {
    /// Appends the first event. After an error the same `start` can be used again: an event that may be stored already is
    /// appended again as it is, under the same name.
    pub(super) async fn begin(&self, start: &mut StartRequest) -> Result<BegunIncident, PlayError> {
        loop {
            // This player does not play all of them, and who plays must be able to.
            if self.journal.cluster().is_some_and(|cluster| cluster.played >= MAX_OPEN as u64) {
                return Err(PlayError::TooMany);
            }
            let plan = &start.plan;
            let mut slot = match &start.unanswered {
                Some(first) => {
                    let resumed = self.running.resume(first.subject.clone(), plan.bytes());
                    // It is stored, and this player has picked it up.
                    resumed.ok_or(PlayError::Begun)?
                }
                None => self.running.reserve(&plan.scenario, start.name.clone(), plan.bytes())?,
            };
            let id = slot.id.clone();
            playable::check(&id, plan, 0).map_err(PlayError::Unplayable)?;
            let scored = |plan: &Plan| Score::of(plan, 1, Added::default());
            let (score, course) = with_plan(&mut start.plan, scored).await?;
            // The first event is due now; second 0 may lie before it.
            let lead = start.speed.wall(start.plan.lead());
            let origin = start.origin.unwrap_or_else(Origin::now).earlier(lead);
            slot.set_clock(origin, start.speed);
            let is_again = start.unanswered.is_some();
            let first = match start.unanswered.take() {
                Some(first) => first,
                None => self.first_event(start, &id, origin).await?,
            };
            let appended = match self.journal.append(first.clone()).await {
                Err(error @ JournalError::Unavailable(_)) => {
                    start.unanswered = Some(first);
                    drop(slot);
                    self.left.notify_one();
                    return Err(error.into());
                }
                // Another incident had this name, and its first event is not kept any more.
                Err(JournalError::Refused(_)) if self.journal.incident(&id).await?.is_some() => {
                    start.name = None;
                    continue;
                }
                appended => appended?,
            };
            let stored = appended.first().copied();
            let stored = stored.ok_or_else(|| JournalError::Refused("it has no position".to_owned()))?;
            let is_own = if !stored.new && is_again {
                self.is_at(&first, stored.position).await.inspect_err(|_| start.unanswered = Some(first))?
            } else {
                stored.new
            };
            if !is_own {
                // Another incident has this name.
                start.name = None;
                continue;
            }
            let (position, seed, speed) = (stored.position, start.plan.seed, start.speed.get());
            let started = start.plan.started();
            let severity = started.as_ref().map(|started| started.severity.as_str()).unwrap_or_default();
            tracing::info!(incident = id, severity, position, speed, seed, "incident started");
            return Ok(BegunIncident { started: Started { id, position }, slot, origin, score, course });
        }
    }
}

impl PlayerContext {
    /// The event with which an incident begins, dated by its origin.
    async fn first_event(
        &self,
        start: &mut StartRequest,
        id: &str,
        origin: Origin,
    ) -> Result<Record, PlayError> {
        start.plan.stamp(start.speed.get(), origin.timestamp(self.journal.clock().now()));
        let text = with_plan(&mut start.plan, |plan| Ok(plan.text()?)).await?;
        let first = start.plan.events().first().map(|first| Record {
            subject: id.to_owned(),
            place: Place::At(1),
            kind: first.kind(),
            data: first.data().to_owned(),
            plan: Some(text),
        });
        Ok(first.ok_or_else(|| JournalError::Refused("the plan has no events".to_owned()))?)
    }

    /// Whether this event is the one at a position. No two incidents begin with the same data, which has the seed.
    async fn is_at(&self, first: &Record, position: u64) -> Result<bool, JournalError> {
        let stored = self.journal.read(position.saturating_sub(1), ReadLimit::events(1)).await?;
        let stored = stored.first().filter(|stored| stored.position == position);
        Ok(stored
            .is_some_and(|stored| *stored.subject == *first.subject && stored.data.get() == first.data.get()))
    }
}

/// Does what takes a while with a long plan, on a thread of its own.
async fn with_plan<T: Send + 'static>(
    plan: &mut Plan,
    work: impl FnOnce(&Plan) -> io::Result<T> + Send + 'static,
) -> Result<T, PlayError> {
    let taken = std::mem::take(plan);
    let done = tokio::task::spawn_blocking(move || (work(&taken), taken)).await;
    // The task does not panic, so it was cancelled: the runtime ends.
    let (done, taken) = done.map_err(|_| PlayError::Stopping)?;
    *plan = taken;
    Ok(done.map_err(|error| JournalError::Refused(error.to_string()))?)
}
