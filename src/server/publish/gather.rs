//! Gathers requests while the worker stores others, and looks up which of their events are stored already.

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::waiting::{Request, Waiting};
use crate::ingest::Sound;
use crate::journal::{Journal, JournalError, KeyedEvent};

/// The most events that are stored together, unless one request has more.
const EVENTS: usize = 1_024;

/// Requests that are stored together.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) requests: Vec<Waiting>,
    /// For each sound event, in order, the event that is stored under its name.
    pub(super) stored: Vec<Option<KeyedEvent>>,
    /// The journal's head before they were looked up: what was stored later may be missing.
    pub(super) as_of: u64,
    events: usize,
}

/// A worker that waits for requests.
type Demand = oneshot::Sender<Gathered>;

/// The worker's end.
pub(super) struct Gatherer(mpsc::Sender<Demand>);

impl Gatherer {
    /// Gathers in a task of its own, until the server stops.
    pub(super) fn new(
        journal: Journal,
        requests: mpsc::Receiver<Waiting>,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()>) {
        let (sender, demands) = mpsc::channel(1);
        (Self(sender), gather(journal, requests, demands, stop))
    }

    /// The requests that came since the last call; waits for the first. `None` when the server stops.
    pub(super) async fn next(&self) -> Option<Gathered> {
        let (sender, answer) = oneshot::channel();
        self.0.send(sender).await.ok()?;
        answer.await.ok()
    }
}

async fn gather(
    journal: Journal,
    mut requests: mpsc::Receiver<Waiting>,
    mut demands: mpsc::Receiver<Demand>,
    stop: CancellationToken,
) {
    let mut gathered = Gathered::default();
    loop {
        let first = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            demand = demands.recv(), if !gathered.requests.is_empty() => {
                let Some(demand) = demand else { return };
                // The worker waits.
                let _ = demand.send(std::mem::take(&mut gathered));
                continue;
            }
            first = requests.recv(), if gathered.events < EVENTS => first,
        };
        let Some(first) = first else { return };
        let mut new = vec![first];
        let mut events = gathered.events + new[0].request.events.len();
        while events < EVENTS
            && let Ok(next) = requests.try_recv()
        {
            events += next.request.events.len();
            new.push(next);
        }
        let as_of = journal.extent().head;
        match stored(&journal, new.iter().map(|waiting| &waiting.request)).await {
            Ok(stored) => {
                if gathered.requests.is_empty() {
                    gathered.as_of = as_of;
                }
                gathered.requests.extend(new);
                gathered.stored.extend(stored);
                gathered.events = events;
            }
            Err(error) => new.into_iter().for_each(|waiting| waiting.refuse(&error)),
        }
    }
}

/// For each sound event, in order, the event that is stored under its name.
pub(super) async fn stored(
    journal: &Journal,
    requests: impl Iterator<Item = &Request>,
) -> Result<Vec<Option<KeyedEvent>>, JournalError> {
    let events = requests.flat_map(|request| request.events.iter().flatten().map(Sound::event));
    let names = events.map(|event| (event.source.clone(), event.id.clone())).collect();
    journal.keyed(names).await
}
