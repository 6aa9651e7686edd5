//! A plan against a clock, appended to the journal. Knows nothing of sockets.

mod abandoned;
mod name;
mod origin;
mod replay;
mod run;
mod speed;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::journal::{Journal, JournalError, Record};
use crate::metrics::Metrics;
use crate::plan::Plan;
use crate::scenario::timeline::Timeline;

use origin::Origin;
use run::{Progress, Run};

pub use replay::{Replay, ReplayError};
pub use speed::{Speed, SpeedError};

/// The most incidents that are played at once.
pub const MAX_OPEN: usize = 1_000;

/// How often a journal that took nothing is tried again when it does not say that it is well.
const RETRY: Duration = Duration::from_millis(500);

/// Plays any number of incidents at once. Cheap to clone.
#[derive(Clone)]
pub struct Player {
    journal: Arc<dyn Journal>,
    tasks: TaskTracker,
    stop: CancellationToken,
    running: Arc<Mutex<HashMap<String, oneshot::Sender<CancelReply>>>>,
    metrics: Arc<Metrics>,
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
    /// to `tasks`; how late it is goes into `metrics`.
    pub fn new(
        journal: Arc<dyn Journal>,
        tasks: TaskTracker,
        stop: CancellationToken,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { journal, tasks, stop, running: Arc::default(), metrics }
    }

    /// Starts an incident now. Returns once its first event is in the journal. Whoever gives up waiting for that
    /// does not stop it: what is in the journal is played.
    pub async fn start(&self, timeline: Timeline, speed: Speed) -> Result<Started, PlayError> {
        let (told, started) = oneshot::channel();
        let player = self.clone();
        self.tasks.spawn(async move {
            let mut start = Start { plan: Plan::from(&timeline), speed, name: None, origin: None };
            match player.begin(&mut start).await {
                Ok(begun) => {
                    let _ = told.send(Ok(begun.started.clone()));
                    begun.play(start).await;
                }
                Err(error) => drop(told.send(Err(error))),
            }
        });
        started.await.unwrap_or(Err(PlayError::Stopping))
    }

    /// Appends the first event under a name that nobody has.
    async fn begin(&self, start: &mut Start) -> Result<Begun, PlayError> {
        loop {
            let (cancel, cancelled) = oneshot::channel();
            let slot = self.reserve(&start.plan.scenario, start.name.clone(), cancel)?;
            let id = slot.id.clone();
            let origin = start.origin.unwrap_or_else(Origin::now);
            start.plan.stamp(start.speed.get(), origin.timestamp());
            let text = start.plan.text().map_err(|error| JournalError::Refused(error.to_string()))?;
            let first = start.plan.events().first().map(|first| Record {
                subject: id.clone(),
                index: 1,
                kind: first.kind(),
                data: first.data().to_owned(),
                plan: Some(text),
            });
            let before = self.journal.extent().head;
            let positions = self.journal.append(first.into_iter().collect()).await?;
            let position = positions.first().copied().unwrap_or_default();
            if position <= before {
                // The name of an incident that ended: the journal took the start for a repeat of its own.
                start.name = None;
                continue;
            }
            let (seed, speed) = (start.plan.seed, start.speed.get());
            let severity = start.plan.started().map(|started| started.severity.as_str()).unwrap_or_default();
            tracing::info!(incident = id, severity, position, speed, seed, "incident started");
            let progress = Progress { origin, emitted: 1 };
            return Ok(Begun { started: Started { id, position }, slot, progress, cancelled });
        }
    }

    /// Goes on with every incident that is open in the journal and not played here: what a process left that is no
    /// more. The stored plan decides, whatever became of the scenario's file; deadlines stand, so what is overdue
    /// follows at once. Returns how many.
    pub async fn pick_up(&self) -> Result<usize, PlayError> {
        let mut picked_up = 0;
        for open in self.journal.open_incidents().await? {
            let plan = open.plan.as_deref().and_then(|plan| Plan::read(plan).ok());
            let begun = plan.and_then(|plan| Some((plan.started()?, plan)));
            let Some((started, plan)) = begun else {
                tracing::error!(
                    incident = open.subject,
                    "its plan can't be read: it stays open until it is cancelled"
                );
                continue;
            };
            let Ok(speed) = Speed::new(started.speed) else { continue };
            let (cancel, cancelled) = oneshot::channel();
            if self.running().contains_key(&open.subject) {
                continue;
            }
            self.running().insert(open.subject.clone(), cancel);
            let slot = Slot { player: self.clone(), id: open.subject };
            let origin = Origin::of(started.impact_started_at);
            let progress = Progress { origin, emitted: open.index as usize };
            tracing::info!(incident = slot.id, from = open.index + 1, "incident picked up");
            self.tasks.spawn(Run::new(slot, plan, speed, progress).play(cancelled));
            picked_up += 1;
        }
        Ok(picked_up)
    }

    /// Cancels an incident. The position of its `incident_resolved`, or `None` if none of that name is open.
    pub async fn cancel(&self, id: &str) -> Result<Option<u64>, PlayError> {
        let running = self.running().remove(id);
        let Some(cancel) = running else { return Ok(self.end_abandoned(id).await?) };
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

    /// Waits until a journal that took nothing says that it does again, or for a while.
    async fn journal_back(&self) {
        let mut health = self.journal.health();
        if health.borrow().is_none() {
            return sleep(RETRY).await;
        }
        tokio::select! {
            _ = health.wait_for(Option::is_none) => {}
            () = sleep(RETRY) => {}
        }
    }

    /// A name that no running incident has: the wanted one, else a fresh one.
    fn reserve(
        &self,
        scenario: &str,
        wanted: Option<String>,
        cancel: oneshot::Sender<CancelReply>,
    ) -> Result<Slot, PlayError> {
        let mut running = self.running();
        if running.len() >= MAX_OPEN {
            return Err(PlayError::TooMany);
        }
        let mut id = wanted.unwrap_or_else(|| name::fresh(scenario));
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

/// What is to be started.
struct Start {
    plan: Plan,
    speed: Speed,
    /// A name to take if nobody has it; a fresh one otherwise.
    name: Option<String>,
    /// Second 0; now if it is not given.
    origin: Option<Origin>,
}

/// An incident whose first event is in the journal.
struct Begun {
    started: Started,
    slot: Slot,
    progress: Progress,
    cancelled: oneshot::Receiver<CancelReply>,
}

impl Begun {
    /// Plays the rest of what was started.
    async fn play(self, start: Start) {
        Run::new(self.slot, start.plan, start.speed, self.progress).play(self.cancelled).await;
    }
}

/// A place among the running incidents, given back when dropped, by a panic too.
struct Slot {
    player: Player,
    id: String,
}

impl Slot {
    /// Can be cancelled again: the journal did not take the end.
    fn again(&self) -> oneshot::Receiver<CancelReply> {
        let (cancel, cancelled) = oneshot::channel();
        self.player.running().insert(self.id.clone(), cancel);
        cancelled
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.player.running().remove(&self.id);
    }
}
