//! The player: starts incidents, picks up what is open, and cancels.

use std::sync::Arc;

use tokio::sync::{OnceCell, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::begin::{Begun, Start, Started};
use super::cancel::Ended;
use super::context::Context;
use super::error::PlayError;
use super::origin::Origin;
use super::run::{Progress, Run};
use super::running::Running;
use super::speed::Speed;
use crate::journal::{Journal, JournalError, Lease};
use crate::metrics::Metrics;
use crate::plan::Plan;

/// Plays any number of incidents at once. Cheap to clone.
#[derive(Clone)]
pub struct Player {
    pub(super) context: Context,
    /// Taken when the first incident is to be played.
    lease: Arc<OnceCell<Lease>>,
}

impl Player {
    /// Plays into `journal` until `stop` is cancelled; then incidents stay open in the journal. Its tasks belong
    /// to `tasks`; `metrics` gets how late events are.
    pub fn new(journal: Journal, tasks: TaskTracker, stop: CancellationToken, metrics: Arc<Metrics>) -> Self {
        let context = Context { journal, tasks, stop, metrics, running: Running::default() };
        Self { context, lease: Arc::default() }
    }

    /// Starts an incident now. Returns once its first event is in the journal. A caller that gives up waiting does not
    /// stop it: what is in the journal is played.
    pub async fn start(&self, plan: Plan, speed: Speed) -> Result<Started, PlayError> {
        let (reply, started) = oneshot::channel();
        let player = self.clone();
        self.context.tasks.spawn(async move {
            let mut start = Start { plan, speed, name: None, origin: None };
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
    pub(super) async fn play(&self, begun: Begun, start: Start) {
        let Begun { slot, origin, .. } = begun;
        let lease = match self.lease().await {
            Ok(lease) => lease,
            Err(error) => {
                let incident = &slot.id;
                tracing::error!(incident, %error, "the journal grants no lease: the next start picks the incident up");
                return;
            }
        };
        let progress = Progress { origin, emitted: 1 };
        Run::new(self.context.clone(), slot, start.plan, start.speed, progress, lease).play().await;
    }

    /// Takes the lease and plays every incident that is open in the journal and not played here: what an ended process
    /// left. The stored plan decides, even if the scenario's file has changed; deadlines stand, so overdue events
    /// follow at once. Returns how many incidents it picked up.
    pub async fn pick_up(&self) -> Result<usize, PlayError> {
        let lease = self.lease().await?;
        let mut picked_up = 0;
        for open in self.context.journal.open_incidents().await? {
            let plan = open.plan.as_deref().and_then(|plan| Plan::read(plan).ok());
            let begun = plan.and_then(|plan| Some((plan.started()?, plan)));
            let Some((started, plan)) = begun else {
                tracing::error!(
                    incident = open.subject,
                    "its plan can't be read: it stays open until it is cancelled"
                );
                continue;
            };
            let Ok(speed) = Speed::new(started.speed.unwrap_or(1.0)) else { continue };
            let Some(mut slot) = self.context.running.resume(open.subject) else { continue };
            let origin = Origin::of(started.impact_started_at);
            slot.set_clock(origin, speed);
            let progress = Progress { origin, emitted: open.index as usize };
            tracing::info!(incident = slot.id, from = open.index + 1, "incident picked up");
            let run = Run::new(self.context.clone(), slot, plan, speed, progress, lease.clone());
            self.context.tasks.spawn(run.play());
            picked_up += 1;
        }
        Ok(picked_up)
    }

    /// Cancels an incident; `None` if there is none of that name. A caller that cancels what has ended gets the
    /// position of its end all the same.
    pub async fn cancel(&self, id: &str) -> Result<Option<Ended>, PlayError> {
        self.context.cancel(id).await
    }

    /// How many incidents are played now.
    pub fn open(&self) -> usize {
        self.context.running.len()
    }

    /// The right to play, asked for once. A player that lost it does not ask again: the one that took it plays on.
    async fn lease(&self) -> Result<Lease, JournalError> {
        self.lease.get_or_try_init(|| self.context.journal.lease()).await.cloned()
    }
}
