//! A timeline against a clock, appended to the journal. Knows nothing of sockets.

mod name;
mod speed;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::contract::{Message, Severity, now};
use crate::journal::{Journal, JournalError, Record};
use crate::scenario::timeline::{Planned, Timeline};

pub use speed::{Speed, SpeedError};

/// The most incidents that are played at once.
pub const MAX_OPEN: usize = 1_000;

/// Plays any number of incidents at once. Cheap to clone.
#[derive(Clone)]
pub struct Player {
    journal: Arc<dyn Journal>,
    tasks: TaskTracker,
    stop: CancellationToken,
    running: Arc<Mutex<HashMap<String, oneshot::Sender<CancelReply>>>>,
}

type CancelReply = oneshot::Sender<Result<u64, JournalError>>;

/// An incident whose start is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The incident's id, like `database-outage-x7k2p`.
    pub id: String,
    /// Position of its `incident_started`.
    pub position: u64,
}

/// Why an incident did not start or end.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// [`MAX_OPEN`] incidents are open.
    #[error("{MAX_OPEN} incidents are open already: cancel one or wait for one to end")]
    TooMany,
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
    /// The journal did not take it.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Player {
    /// Plays into `journal` until `stop` is cancelled; then incidents stay open in the journal. Its tasks belong
    /// to `tasks`.
    pub fn new(journal: Arc<dyn Journal>, tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { journal, tasks, stop, running: Arc::default() }
    }

    /// Starts an incident now. Returns once its first event is in the journal. Whoever gives up waiting for that
    /// does not stop it: what is in the journal is played.
    pub async fn start(&self, timeline: Timeline, speed: Speed) -> Result<Started, PlayError> {
        let (told, started) = oneshot::channel();
        let player = self.clone();
        self.tasks.spawn(async move {
            match player.begin(timeline, speed).await {
                Ok((started, run, cancelled)) => {
                    let _ = told.send(Ok(started));
                    run.play(cancelled).await;
                }
                Err(error) => drop(told.send(Err(error))),
            }
        });
        started.await.unwrap_or_else(|_| Err(PlayError::Stopping))
    }

    /// Appends the first event under a name that nobody has.
    async fn begin(
        &self,
        mut timeline: Timeline,
        speed: Speed,
    ) -> Result<(Started, Run, oneshot::Receiver<CancelReply>), PlayError> {
        loop {
            let (cancel, cancelled) = oneshot::channel();
            let slot = self.reserve(&timeline.scenario, cancel)?;
            let id = slot.id.clone();
            let origin = Instant::now();
            let severity = stamp(&mut timeline, speed);
            let plan = serde_json::to_string(&timeline).ok().map(Arc::from);
            let first = timeline.events.first().and_then(|event| Record::new(&id, &event.message));
            let batch = first.map(|record| Record { plan, ..record }).into_iter().collect();
            let before = self.journal.extent().head;
            let positions = self.journal.append(batch).await?;
            let position = positions.first().copied().unwrap_or_default();
            if position <= before {
                // The name of an incident that ended: the journal took the start for a repeat of its own.
                continue;
            }
            let run = Run { slot, timeline, speed, origin, emitted: 1 };
            let (seed, speed) = (run.timeline.seed, speed.get());
            tracing::info!(incident = id, severity, position, speed, seed, "incident started");
            return Ok((Started { id, position }, run, cancelled));
        }
    }

    /// Cancels an incident that is played here. The position of its `incident_resolved`, or `None` if it is not
    /// running.
    pub async fn cancel(&self, id: &str) -> Result<Option<u64>, PlayError> {
        let Some(cancel) = self.running().remove(id) else { return Ok(None) };
        let (reply, position) = oneshot::channel();
        if cancel.send(reply).is_err() {
            return Ok(None);
        }
        // The task drops the reply when the incident ended first.
        match position.await {
            Ok(position) => Ok(Some(position?)),
            Err(_) => Ok(None),
        }
    }

    /// How many incidents are played now.
    pub fn open(&self) -> usize {
        self.running().len()
    }

    /// A name that no running incident has.
    fn reserve(&self, scenario: &str, cancel: oneshot::Sender<CancelReply>) -> Result<Slot, PlayError> {
        let mut running = self.running();
        if running.len() >= MAX_OPEN {
            return Err(PlayError::TooMany);
        }
        let mut id = name::fresh(scenario);
        while running.contains_key(&id) {
            id = name::fresh(scenario);
        }
        running.insert(id.clone(), cancel);
        Ok(Slot { player: self.clone(), id })
    }

    /// Held for single map operations, never across an await.
    fn running(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<CancelReply>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the running incidents, given back when dropped, by a panic too.
struct Slot {
    player: Player,
    id: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.player.running().remove(&self.id);
    }
}

/// Fills in what only the moment of the start knows.
fn stamp(timeline: &mut Timeline, speed: Speed) -> &'static str {
    match timeline.events.first_mut().map(|event| &mut event.message) {
        Some(Message::IncidentStarted(started)) => {
            started.speed = speed.get();
            started.impact_started_at = now();
            Severity::as_str(started.severity)
        }
        _ => "",
    }
}

/// One incident being played.
struct Run {
    slot: Slot,
    timeline: Timeline,
    speed: Speed,
    origin: Instant,
    /// How many events are in the journal.
    emitted: usize,
}

impl Run {
    /// Every deadline counts from one origin, so nothing drifts.
    async fn play(mut self, cancelled: oneshot::Receiver<CancelReply>) {
        // Fused: what was polled to its end is polled again at the next turn.
        let mut cancelled = cancelled.fuse();
        while let Some(next) = self.timeline.events.get(self.emitted) {
            let deadline = self.deadline(next);
            tokio::select! {
                biased;
                () = self.slot.player.stop.cancelled() => return,
                Ok(reply) = &mut cancelled => {
                    // The asker may have gone; the incident is cancelled all the same.
                    let _ = reply.send(self.end_early().await);
                    return;
                }
                () = sleep_until(deadline) => {}
            }
            if let Err(error) = self.emit_due().await {
                tracing::error!(incident = self.slot.id, %error, "the journal refused an event; the incident stops here");
                break;
            }
        }
        tracing::info!(incident = self.slot.id, "incident ended");
    }

    fn deadline(&self, event: &Planned) -> Instant {
        self.origin + Duration::from_secs_f64(event.due as f64 / 1e6 / self.speed.get())
    }

    /// Appends everything that is due by now as one batch.
    async fn emit_due(&mut self) -> Result<(), JournalError> {
        let now = Instant::now();
        let rest = &self.timeline.events[self.emitted..];
        let due = rest.iter().take_while(|event| self.deadline(event) <= now).count().max(1);
        let batch =
            rest[..due].iter().filter_map(|event| Record::new(&self.slot.id, &event.message)).collect();
        self.slot.player.journal.append(batch).await?;
        self.emitted += due;
        Ok(())
    }

    async fn end_early(&mut self) -> Result<u64, JournalError> {
        let screen_us = self.origin.elapsed().as_secs_f64() * self.speed.get() * 1e6;
        let resolved = self.timeline.cancelled(self.emitted, screen_us as u64);
        let batch = Record::new(&self.slot.id, &resolved).into_iter().collect();
        let positions = self.slot.player.journal.append(batch).await?;
        tracing::info!(incident = self.slot.id, "incident cancelled");
        Ok(positions.first().copied().unwrap_or_default())
    }
}
