//! A player over a journal that makes it wait: for its lease, or for what it reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use incident::contract::{Outcome, StreamId};
use incident::journal::{
    Append, Appended, Batch, Clock, Extent, Health, IncidentIndex, Journal, JournalError, KeyedEvent, Lease,
    Leases, Log, Memory, OpenIncident, Pending, ReadLimit, Retention, Span, Stored, Trouble, TroubleKind,
};
use incident::player::{Player, Speed};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{Timeline, library, soon};

/// A journal in memory with gates.
struct Gated {
    memory: Memory,
    /// How many more leases are refused; `u32::MAX` for a lease that is never granted nor refused.
    refused_leases: AtomicU32,
    /// Reads wait until this is true.
    readable: watch::Sender<bool>,
    /// How many reads have begun.
    reads: watch::Sender<u32>,
}

impl Gated {
    fn new(refused_leases: u32) -> Arc<Self> {
        let memory = Memory::new(StreamId::generate(1_700_000_000_000, 4), Retention::default());
        Arc::new(Self {
            memory,
            refused_leases: refused_leases.into(),
            readable: watch::channel(true).0,
            reads: watch::channel(0).0,
        })
    }
}

impl Append for Gated {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        self.memory.append(batch)
    }
}

impl Log for Gated {
    fn stream(&self) -> &StreamId {
        self.memory.stream()
    }

    fn read(&self, after: u64, limit: ReadLimit) -> Pending<'_, Vec<Stored>> {
        Box::pin(async move {
            self.reads.send_modify(|reads| *reads += 1);
            self.readable.subscribe().wait_for(|readable| *readable).await.unwrap();
            self.memory.read(after, limit).await
        })
    }

    fn extent(&self) -> Extent {
        self.memory.extent()
    }

    fn follow(&self) -> watch::Receiver<Extent> {
        self.memory.follow()
    }
}

impl IncidentIndex for Gated {
    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>> {
        self.memory.open_incidents()
    }

    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        self.memory.incidents(limit)
    }

    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        self.memory.incident(subject)
    }

    fn plan(&self, subject: &str) -> Pending<'_, Option<Arc<str>>> {
        self.memory.plan(subject)
    }

    fn keyed(&self, names: Vec<(String, String)>) -> Pending<'_, Vec<Option<KeyedEvent>>> {
        self.memory.keyed(names)
    }
}

impl Health for Gated {
    fn health(&self) -> watch::Receiver<Option<Trouble>> {
        self.memory.health()
    }

    fn commits(&self) -> u64 {
        self.memory.commits()
    }

    fn clock(&self) -> &Clock {
        self.memory.clock()
    }
}

impl Leases for Gated {
    fn lease(&self) -> Pending<'_, Lease> {
        Box::pin(async move {
            match self.refused_leases.load(Ordering::Relaxed) {
                0 => self.memory.lease().await,
                u32::MAX => std::future::pending().await,
                left => {
                    self.refused_leases.store(left - 1, Ordering::Relaxed);
                    Err(JournalError::Unavailable(Trouble::new(TroubleKind::Busy)))
                }
            }
        })
    }
}

/// A player over it, and what ends it.
fn player(gated: &Arc<Gated>) -> (Player, TaskTracker, CancellationToken) {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let journal = Journal::from(Arc::clone(gated));
    (Player::new(journal, tasks.clone(), stop.clone(), Arc::default()), tasks, stop)
}

fn outage() -> Timeline {
    Timeline::compile(library().get("database-outage").unwrap(), 42)
}

/// Another process may hold the lease for long: a server that stops must not wait for it.
#[tokio::test(start_paused = true)]
async fn a_player_that_waits_for_its_lease_stops_when_it_is_asked_to() {
    let gated = Gated::new(u32::MAX);
    let (player, tasks, stop) = player(&gated);
    player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(gated.extent().head, 1, "it has begun and is not played");
    stop.cancel();
    tasks.close();
    soon("the player's tasks", tasks.wait()).await;
    assert_eq!(gated.open_incidents().await.unwrap().len(), 1, "a successor goes on with it");
}

/// It was left open until the next start, and nobody played it.
#[tokio::test(start_paused = true)]
async fn a_lease_that_is_refused_for_now_is_asked_for_again() {
    let gated = Gated::new(3);
    let (player, tasks, _stop) = player(&gated);
    let timeline = outage();
    player.start(timeline.plan(), Speed::REAL_TIME).await.unwrap();
    tasks.close();
    tasks.wait().await;
    assert_eq!(gated.extent().head, timeline.len() as u64, "it was played to its end");
}

/// What an incident has may be long to read. Its events must not wait for that.
#[tokio::test(start_paused = true)]
async fn events_go_on_while_a_cancellation_reads() {
    let gated = Gated::new(0);
    let (player, tasks, _stop) = player(&gated);
    let id = player.start(outage().plan(), Speed::REAL_TIME).await.unwrap().id;
    tokio::time::sleep(Duration::from_secs(30)).await;
    gated.readable.send_replace(false);
    let reads = *gated.reads.borrow();
    let cancelling = tokio::spawn({
        let player = player.clone();
        async move { player.cancel(&id).await }
    });
    gated.reads.subscribe().wait_for(|now| *now > reads).await.unwrap();
    let before = gated.extent().head;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let meanwhile = gated.extent().head;
    assert!(meanwhile > before, "{before} events, and no more in 20 s");
    gated.readable.send_replace(true);
    let cancelled = cancelling.await.unwrap().unwrap().unwrap();
    assert_eq!(cancelled.outcome, Some(Outcome::Cancelled));
    assert!(cancelled.cancelled_now && cancelled.position > meanwhile);
    tasks.close();
    tasks.wait().await;
    assert_eq!(gated.extent().head, cancelled.position, "nothing comes after the end");
}
