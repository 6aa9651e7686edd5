//! The player: starts incidents, picks up open ones, and cancels them.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{OnceCell, oneshot, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::begin::{BegunIncident, StartRequest, Started};
use super::cancel::Cancellation;
use super::context::PlayerContext;
use super::continuation::Continuation;
use super::elapsed::{self, LastAppended};
use super::error::PlayError;
use super::origin::Origin;
use super::pace::Past;
use super::run::Run;
use super::running::RunningIncidents;
use super::speed::Speed;
use crate::journal::{Journal, JournalError, Lease, OpenIncident, PATIENCE};
use crate::log_limiter::limited;
use crate::metrics::Metrics;
use crate::plan::Plan;

/// The longest time that a caller waits for the end of an incident: less than the 30 s that our own clients, and most others, wait.
const LONGEST_END: Duration = Duration::from_secs(25);

/// The shortest time, however long it has waited for its turn.
const SHORTEST_END: Duration = Duration::from_secs(5);

/// Plays any number of incidents at once. Cheap to clone.
#[derive(Clone)]
pub struct Player {
    pub(super) context: PlayerContext,
    /// Taken when the player plays its first incident. Of a journal that other processes have open, see `lead.rs`.
    lease: Arc<OnceCell<Lease>>,
    /// The lease of a shared journal, while this player has it.
    pub(super) leading: watch::Sender<Option<Lease>>,
    /// What was open when this player first continued it, without the plans: it changes from then on.
    pub(super) found: Arc<OnceLock<Vec<OpenIncident>>>,
}

impl Player {
    /// A player that appends to `journal` until `stop` is cancelled; incidents then stay open in the journal. It spawns
    /// its tasks on `tasks` and reports to `metrics` how late events are.
    pub fn new(journal: Journal, tasks: TaskTracker, stop: CancellationToken, metrics: Arc<Metrics>) -> Self {
        let running = RunningIncidents::default();
        let context = PlayerContext { journal, tasks, stop, metrics, running, left: Arc::default() };
        Self { context, lease: Arc::default(), leading: watch::Sender::default(), found: Arc::default() }
    }

    /// Starts an incident now. Returns once its first event is in the journal, or after 8 s. The incident is played
    /// even if the caller stops waiting.
    pub async fn start(&self, plan: Plan, speed: Speed) -> Result<Started, PlayError> {
        let (reply, started) = oneshot::channel();
        let player = self.clone();
        self.context.tasks.spawn(async move {
            let mut start = StartRequest::new(plan, speed);
            if player.is_taken_over() {
                return drop(reply.send(Err(PlayError::TakenOver)));
            }
            match player.context.begin(&mut start).await {
                Ok(begun) => {
                    let _ = reply.send(Ok(begun.started.clone()));
                    drop(start.plan);
                    player.play(begun, speed).await;
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        });
        answered(started).await
    }

    /// Plays the rest of an incident that has begun.
    pub(super) async fn play(&self, begun: BegunIncident, speed: Speed) {
        let BegunIncident { slot, origin, score, course, .. } = begun;
        let is_shared = self.context.journal.is_shared();
        let leading = self.leading.borrow().clone().filter(|lease| !lease.is_lost());
        let lease = loop {
            match &leading {
                Some(lease) => break lease.clone(),
                // Who has the lease reads its first event. This process may have got it in the meantime.
                None if is_shared => {
                    drop(slot);
                    return self.context.left.notify_one();
                }
                None => {}
            }
            let lease = tokio::select! {
                biased;
                () = self.context.stop.cancelled() => return,
                lease = self.lease() => lease,
            };
            match lease {
                Ok(lease) => break lease,
                Err(error) if error.is_temporary() => {
                    limited!(warn, "the journal grants no lease yet; the player asks again", %error);
                    self.context.journal_back().await;
                }
                Err(error) => return self.context.give_up(&slot.id, &error.to_string()).await,
            }
        };
        *slot.entry.append_lock.lock().await = course.under(&lease);
        let context = self.context.clone();
        Run { context, slot, score, speed, origin, lease }.play().await;
    }

    /// Takes the lease and continues every incident that is open in the journal and that this player does not play
    /// already: those that an earlier process has left. It follows the stored plan, even if the scenario's file has
    /// changed. Deadlines stay as they were, so overdue events follow at once. An incident whose plan can't be followed is
    /// ended as cancelled. Returns how many incidents it picked up.
    ///
    /// If other processes have the journal open, it does so whenever it gets the lease, and returns at once.
    pub async fn pick_up(&self) -> Result<usize, PlayError> {
        if self.context.journal.is_shared() {
            let player = self.clone();
            self.context.tasks.spawn(async move { player.lead().await });
            return Ok(0);
        }
        let lease = self.lease().await?;
        self.pick_up_under(&lease).await
    }

    /// Continues every open incident that this player does not play already.
    pub(super) async fn pick_up_under(&self, lease: &Lease) -> Result<usize, PlayError> {
        let mut picked_up = 0;
        let open_incidents = self.context.journal.open_incidents().await?;
        self.found.get_or_init(|| {
            open_incidents.iter().map(|open| OpenIncident { plan: None, ..open.clone() }).collect()
        });
        let drills = open_incidents.iter().filter(|open| open.plan.is_some());
        let drills: Vec<_> = drills.map(|open| (open.subject.as_str(), open.start, open.index)).collect();
        let mut pasts = Past::read_all(&self.context.journal, &drills).await?;
        for open in open_incidents {
            if self.context.running.get(&open.subject).is_some() {
                continue;
            }
            // An incident without a plan is its publisher's.
            let Some(text) = open.plan else { continue };
            let past = pasts.remove(&open.subject).unwrap_or_default();
            let played = (open.index as usize).saturating_sub(past.added.indexes.len());
            let left = Continuation::read(open.subject.clone(), text, played, past).await?;
            let Continuation { score, course, speed, began, begun, reached, next, bytes } = match left {
                Ok(left) => left,
                Err(why) => {
                    let context = self.context.clone();
                    self.context.tasks.spawn(async move { context.give_up(&open.subject, &why).await });
                    continue;
                }
            };
            let Some(mut slot) = self.context.running.resume(open.subject, bytes) else { continue };
            let last = LastAppended { time: open.time, reached, next };
            let clock = self.context.journal.clock();
            let elapsed = match open.age {
                Some(age) => elapsed::by_steady(age.saturating_add(begun), clock, began, last),
                None => elapsed::since(clock, began, last),
            };
            let origin = Origin::ago(elapsed);
            slot.set_clock(origin, speed);
            *slot.entry.append_lock.lock().await = course.under(lease);
            tracing::info!(incident = slot.id, from = open.index + 1, "incident picked up");
            let (context, lease) = (self.context.clone(), lease.clone());
            self.context.tasks.spawn(Run { context, slot, score, speed, origin, lease }.play());
            picked_up += 1;
        }
        Ok(picked_up)
    }

    /// Cancels an incident; `None` if there is no incident with this id. If the incident has already ended, the caller
    /// gets the position of its end. A caller that stops waiting does not stop the cancellation.
    ///
    /// # Errors
    /// [`PlayError::Unanswered`] if the journal has answered no read for 8 s, [`PlayError::Ending`] after 25 s: the cancellation goes on.
    pub async fn cancel(&self, id: &str) -> Result<Option<Cancellation>, PlayError> {
        self.cancel_holding(id, (), Instant::now()).await
    }

    /// The same for a caller that has waited for its turn since `began`: it waits for what is left of the 25 s, and at least 5 s. `held` is
    /// dropped when the cancellation is over, also if the caller has stopped waiting.
    pub async fn cancel_holding(
        &self,
        id: &str,
        held: impl Send + 'static,
        began: Instant,
    ) -> Result<Option<Cancellation>, PlayError> {
        let until = (began + LONGEST_END).max(Instant::now() + SHORTEST_END);
        let (reply, cancelled) = oneshot::channel();
        let (progress, mut read) = watch::channel(());
        let (context, id) = (self.context.clone(), id.to_owned());
        self.context.tasks.spawn(async move {
            let has_read = || {
                progress.send_replace(());
            };
            let cancelled = context.cancel(&id, None, has_read).await;
            drop(held);
            // The caller may be gone.
            let _ = reply.send(cancelled);
        });
        let mut cancelled = pin!(timeout_at(until, cancelled));
        loop {
            tokio::select! {
                answer = &mut cancelled => {
                    return answer.map_or(Err(PlayError::Ending), |answer| answer.unwrap_or(Err(PlayError::Stopping)));
                }
                // Once the task is over, its answer is there.
                Ok(()) = read.changed() => {}
                () = sleep(PATIENCE) => return Err(PlayError::Unanswered),
            }
        }
    }

    /// Follows whether this player has the lease of a journal that other processes have open, too: `None` if it has not.
    pub fn leading(&self) -> watch::Receiver<Option<Lease>> {
        self.leading.subscribe()
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

/// What a task answers, which goes on if the journal takes too long.
async fn answered<T>(answer: oneshot::Receiver<Result<T, PlayError>>) -> Result<T, PlayError> {
    match timeout(PATIENCE, answer).await {
        Ok(answered) => answered.unwrap_or(Err(PlayError::Stopping)),
        Err(_) => Err(PlayError::Unanswered),
    }
}
