//! The handle of publishing, for everything that has events from outside: the route, and receivers of other formats.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::again::judge_again;
use super::elsewhere::Elsewhere;
use super::far::read_far;
use super::gather::Gatherer;
use super::known::Unread;
use super::waiting::{Mode, Outcome, Placed, Request, Waiting, numbered, stopping, unanswered};
use super::worker::Worker;
use crate::ingest::{Checker, Fault, Incoming, Kind, MAX_EVENTS, Refused, Sound};
use crate::journal::{Journal, PATIENCE};
use crate::json_schema::SchemaError;
use crate::metrics::Metrics;
use crate::player::Player;
use crate::server::bodies::Bodies;
use crate::server::lifecycle::Lifecycle;

/// Requests that wait to be stored.
const WAITING: usize = 1_024;

/// KiB of events that wait to be stored.
const WAITING_KIB: usize = 32 * 1024;

/// Bytes of bodies that arrive or are read.
const BODY_BYTES: usize = 32 * 1024 * 1024;

/// Stores events from outside.
pub(in crate::server) struct Publisher {
    pub(in crate::server) bodies: Bodies,
    checker: Checker,
    journal: Journal,
    lifecycle: Arc<Lifecycle>,
    waiting: mpsc::Sender<Waiting>,
    memory: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl Publisher {
    /// Starts the worker, which ends when the server stops.
    pub(in crate::server) fn start(
        journal: Journal,
        player: Player,
        lifecycle: &Arc<Lifecycle>,
        metrics: Arc<Metrics>,
        elsewhere: Arc<Elsewhere>,
    ) -> Result<Self, SchemaError> {
        let checker = Checker::new()?;
        let (waiting, requests) = mpsc::channel(WAITING);
        let (gatherer, gathering) = Gatherer::new(journal.clone(), requests, lifecycle.stop.clone());
        lifecycle.tasks.spawn(gathering);
        // Bounded by the memory of the requests.
        let (again, unfit) = mpsc::unbounded_channel();
        let judging = judge_again(journal.clone(), unfit, waiting.clone(), lifecycle.stop.clone());
        lifecycle.tasks.spawn(judging);
        let (far, unread) = mpsc::unbounded_channel();
        lifecycle.tasks.spawn(read_far(journal.clone(), unread, waiting.clone(), lifecycle.stop.clone()));
        lifecycle.tasks.spawn(Worker::new(journal.clone(), player, elsewhere, again, far).run(gatherer));
        let memory = Arc::new(Semaphore::new(WAITING_KIB));
        let bodies = Bodies::new(BODY_BYTES);
        Ok(Self { bodies, checker, journal, lifecycle: Arc::clone(lifecycle), waiting, memory, metrics })
    }

    /// Stores all events or none, and returns once they are durable: for each its place, in order. A repeat of an event that
    /// is stored under the same `source` and `id` is placed where it is.
    ///
    /// # Errors
    /// An event is wrong or does not fit its incident, or the server cannot store events now ([`Kind::retry_after`]).
    #[allow(dead_code, reason = "receivers of other formats call it")]
    pub(in crate::server) async fn publish(&self, events: Vec<Incoming>) -> Result<Vec<Placed>, Refused> {
        let outcome = self.publish_in(Mode::Together, events.into_iter().map(Ok).collect()).await?;
        outcome.into_iter().collect::<Result<_, _>>().map_err(Refused::of)
    }

    /// Stores events of which some may have been refused already, while they were read.
    pub(in crate::server) async fn publish_in(
        &self,
        mode: Mode,
        events: Vec<Result<Incoming, Vec<Fault>>>,
    ) -> Outcome {
        let (began, sent) = (Instant::now(), events.len() as u64);
        let outcome = self.store(mode, events).await;
        match &outcome {
            Ok(results) => {
                let placed = || results.iter().flatten();
                let duplicates = placed().filter(|placed| placed.duplicate).count() as u64;
                let new = placed().count() as u64 - duplicates;
                self.metrics.published(new, duplicates, began.elapsed());
                self.metrics.not_published(sent - new - duplicates, false);
            }
            Err(refused) => self.metrics.not_published(sent, refused.kind.retry_after().is_some()),
        }
        outcome
    }

    async fn store(&self, mode: Mode, events: Vec<Result<Incoming, Vec<Fault>>>) -> Outcome {
        if events.len() > MAX_EVENTS {
            let detail = format!("the request has more than {MAX_EVENTS} events");
            return Err(Refused::whole(Kind::TooLarge, detail));
        }
        self.is_ready()?;
        let now = self.journal.clock().now();
        let events: Vec<_> =
            events.into_iter().map(|event| event.and_then(|event| self.checker.judge(event, now))).collect();
        if mode == Mode::Together && events.iter().any(Result::is_err) {
            return Err(Refused::of(numbered(events.into_iter().map(Result::err))));
        }
        let busy =
            || Refused::whole(Kind::Busy, "many other events wait to be stored; try again in a moment");
        let bytes = events.iter().flatten().map(Sound::bytes).sum::<usize>();
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let held = Arc::clone(&self.memory).try_acquire_many_owned(kib).map_err(|_| busy())?;
        let (reply, answer) = oneshot::channel();
        let request = Request { events, mode, is_final: !self.journal.is_shared() };
        self.waiting.try_send(Waiting { request, reply, held, read: Unread::new() }).map_err(|_| busy())?;
        match timeout(PATIENCE, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(stopping())),
            Err(_) => Err(unanswered()),
        }
    }

    /// Whether events can be stored now.
    ///
    /// # Errors
    /// The server stops, or the journal cannot be written.
    pub(in crate::server) fn is_ready(&self) -> Result<(), Refused> {
        if self.lifecycle.is_draining() {
            return Err(stopping());
        }
        match &*self.journal.health().borrow() {
            Some(trouble) => {
                Err(Refused::whole(Kind::JournalPaused, format!("the journal is paused: {trouble}")))
            }
            None => Ok(()),
        }
    }
}
