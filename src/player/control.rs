//! The player: starts incidents, picks up open ones, and cancels them.

use std::sync::Arc;

use tokio::sync::{OnceCell, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::begin::{BegunIncident, StartRequest, Started};
use super::cancel::Cancellation;
use super::context::PlayerContext;
use super::elapsed::{self, LastAppended};
use super::error::PlayError;
use super::origin::Origin;
use super::run::{Playhead, Run};
use super::running::RunningIncidents;
use super::speed::Speed;
use crate::journal::{Journal, JournalError, Lease};
use crate::metrics::Metrics;
use crate::plan::Plan;

/// Plays any number of incidents at once. Cheap to clone.
#[derive(Clone)]
pub struct Player {
    pub(super) context: PlayerContext,
    /// Taken when the player plays its first incident.
    lease: Arc<OnceCell<Lease>>,
}

impl Player {
    /// A player that appends to `journal` until `stop` is cancelled; incidents then stay open in the journal. It spawns
    /// its tasks on `tasks` and reports to `metrics` how late events are.
    pub fn new(journal: Journal, tasks: TaskTracker, stop: CancellationToken, metrics: Arc<Metrics>) -> Self {
        let context = PlayerContext { journal, tasks, stop, metrics, running: RunningIncidents::default() };
        Self { context, lease: Arc::default() }
    }

    /// Starts an incident now. Returns once its first event is in the journal. The incident is played even if the
    /// caller stops waiting.
    pub async fn start(&self, plan: Plan, speed: Speed) -> Result<Started, PlayError> {
        let (reply, started) = oneshot::channel();
        let player = self.clone();
        self.context.tasks.spawn(async move {
            let mut start = StartRequest { plan, speed, name: None, origin: None };
            if player.is_taken_over() {
                return drop(reply.send(Err(PlayError::TakenOver)));
            }
            match player.context.begin(&mut start).await {
                Ok(begun) => {
                    let _ = reply.send(Ok(begun.started.clone()));
                    player.play(begun, start).await;
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        });
        started.await.unwrap_or(Err(PlayError::Stopping))
    }

    /// Plays the rest of an incident that has begun.
    pub(super) async fn play(&self, begun: BegunIncident, start: StartRequest) {
        let BegunIncident { slot, origin, .. } = begun;
        let lease = tokio::select! {
            biased;
            () = self.context.stop.cancelled() => return,
            lease = self.lease() => lease,
        };
        let lease = match lease {
            Ok(lease) => lease,
            Err(error) => {
                let incident = &slot.id;
                tracing::error!(incident, %error, "the journal did not grant the lease; the incident stays open until the next start");
                return;
            }
        };
        let playhead = Playhead { origin, emitted: 1 };
        Run::new(self.context.clone(), slot, start.plan, start.speed, playhead, lease).play().await;
    }

    /// Takes the lease and continues every incident that is open in the journal and that this player does not play
    /// already: those that an earlier process has left. It follows the stored plan, even if the scenario's file has
    /// changed. Deadlines stay as they were, so overdue events follow at once. Returns how many incidents it picked up.
    pub async fn pick_up(&self) -> Result<usize, PlayError> {
        let lease = self.lease().await?;
        let mut picked_up = 0;
        for open in self.context.journal.open_incidents().await? {
            let plan = open.plan.as_deref().and_then(|plan| Plan::read(plan).ok());
            let begun = plan.and_then(|plan| Some((plan.started()?, plan)));
            let Some((started, plan)) = begun else {
                tracing::error!(
                    incident = open.subject,
                    "the plan of the incident cannot be read; the incident stays open until it is cancelled"
                );
                continue;
            };
            let Ok(speed) = Speed::new(started.speed.unwrap_or(1.0)) else { continue };
            let Some(mut slot) = self.context.running.resume(open.subject) else { continue };
            let due = |index| speed.wall(plan.due(index));
            let last = LastAppended { time: open.time, due: due(open.index), next: due(open.index + 1) };
            let clock = self.context.journal.clock();
            let origin = Origin::ago(elapsed::since(clock, started.impact_started_at, last));
            slot.set_clock(origin, speed);
            let playhead = Playhead { origin, emitted: open.index as usize };
            tracing::info!(incident = slot.id, from = open.index + 1, "incident picked up");
            let run = Run::new(self.context.clone(), slot, plan, speed, playhead, lease.clone());
            self.context.tasks.spawn(run.play());
            picked_up += 1;
        }
        Ok(picked_up)
    }

    /// Cancels an incident; `None` if there is no incident with this id. If the incident has already ended, the caller
    /// gets the position of its end. A caller that stops waiting does not stop the cancellation.
    pub async fn cancel(&self, id: &str) -> Result<Option<Cancellation>, PlayError> {
        let (reply, cancelled) = oneshot::channel();
        let (context, id) = (self.context.clone(), id.to_owned());
        self.context.tasks.spawn(async move {
            let cancelled = context.cancel(&id).await;
            // The caller may be gone.
            let _ = reply.send(cancelled);
        });
        cancelled.await.unwrap_or(Err(PlayError::Stopping))
    }

    /// How many incidents this player plays at the moment.
    pub fn open(&self) -> usize {
        self.context.running.len()
    }

    /// Whether another player has taken over. This one would start incidents and never play them.
    pub(super) fn is_taken_over(&self) -> bool {
        self.lease.get().is_some_and(Lease::is_lost)
    }

    /// The lease, which the player requests once. A player that has lost it does not request it again, because another
    /// player has taken over.
    async fn lease(&self) -> Result<Lease, JournalError> {
        self.lease.get_or_try_init(|| self.context.journal.lease()).await.cloned()
    }
}
