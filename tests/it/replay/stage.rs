//! A player over a journal in memory, and when what came into it came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use incident::contract::{Message, StreamId};
use incident::journal::{
    Extent, Journal, JournalError, Memory, OpenIncident, Page, Pending, Record, Retention, Span, Stored,
};
use incident::player::{Player, Replay, Speed};
use incident::recording::Recording;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A journal whose disk is full while it is told so.
pub struct Disk {
    log: Memory,
    pub full: AtomicBool,
}

impl Journal for Disk {
    fn stream(&self) -> &StreamId {
        self.log.stream()
    }
    fn append(&self, batch: Vec<Record>) -> Pending<'_, Vec<u64>> {
        if self.full.load(Ordering::Relaxed) {
            return Box::pin(async { Err(JournalError::Unavailable("the disk is full".to_owned())) });
        }
        self.log.append(batch)
    }
    fn read(&self, after: u64, page: Page) -> Pending<'_, Vec<Stored>> {
        self.log.read(after, page)
    }
    fn extent(&self) -> Extent {
        self.log.extent()
    }
    fn follow(&self) -> watch::Receiver<Extent> {
        self.log.follow()
    }
    fn health(&self) -> watch::Receiver<Option<String>> {
        self.log.health()
    }
    fn commits(&self) -> u64 {
        self.log.commits()
    }
    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>> {
        self.log.open_incidents()
    }
    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        self.log.incidents(limit)
    }
    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        self.log.incident(subject)
    }
}

/// A player, its journal, and when each event came into it.
pub struct Stage {
    pub disk: Arc<Disk>,
    pub player: Player,
    tasks: TaskTracker,
    pub stop: CancellationToken,
    pub began: Instant,
}

/// An event and how many milliseconds after the beginning it came.
pub type Came = (u128, Stored);

impl Stage {
    pub fn new() -> Self {
        let log = Memory::new(StreamId::generate(1_700_000_000_000, 3), Retention::default());
        let disk = Arc::new(Disk { log, full: AtomicBool::new(false) });
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let player = Player::new(Arc::<Disk>::clone(&disk), tasks.clone(), stop.clone(), Arc::default());
        Self { disk, player, tasks, stop, began: Instant::now() }
    }

    pub async fn replay(&self, recording: Recording, factor: f64) {
        let replay = Replay::new(recording, Speed::new(factor).unwrap()).unwrap();
        assert_eq!(self.player.replay(replay).await.unwrap(), 0, "nothing had begun");
    }

    /// Notes each event when it comes, until everything is over.
    pub async fn over(&self) -> Vec<Came> {
        self.tasks.close();
        let mut extent = self.disk.follow();
        let mut came = Vec::new();
        loop {
            let new = self.disk.read(came.len() as u64, Page::ALL).await.unwrap();
            came.extend(new.into_iter().map(|event| (self.began.elapsed().as_millis(), event)));
            tokio::select! {
                biased;
                changed = extent.changed() => changed.unwrap(),
                () = self.tasks.wait() => return came,
            }
        }
    }
}

pub fn told(event: &Stored) -> Message {
    Message::parse(event.kind.as_str(), &event.data).unwrap()
}

pub fn data(event: &Stored) -> Value {
    serde_json::from_str(event.data.get()).unwrap()
}
