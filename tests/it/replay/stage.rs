//! A player over a journal in memory, and when what came into it came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use incident::contract::{Message, StreamId};
use incident::journal::{
    Append, Appended, Batch, Journal, JournalError, Memory, Pending, ReadLimit, Retention, Stored, Trouble,
    TroubleKind,
};
use incident::player::{Player, Replay, Speed};
use incident::recording::Recording;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The way into a journal whose disk is full while a test says so.
struct Disk {
    appends: Arc<dyn Append>,
    full: Arc<AtomicBool>,
}

impl Append for Disk {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        if self.full.load(Ordering::Relaxed) {
            return Box::pin(async { Err(JournalError::Unavailable(Trouble::new(TroubleKind::Full))) });
        }
        self.appends.append(batch)
    }
}

/// A player, its journal, and when each event came into it.
pub struct Stage {
    pub disk: Journal,
    pub full: Arc<AtomicBool>,
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
        let full = Arc::<AtomicBool>::default();
        let disk = Journal::new(log).wrap_appends(|appends| Disk { appends, full: Arc::clone(&full) });
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let player = Player::new(disk.clone(), tasks.clone(), stop.clone(), Arc::default());
        Self { disk, full, player, tasks, stop, began: Instant::now() }
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
            let new = self.disk.read(came.len() as u64, ReadLimit::ALL).await.unwrap();
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
