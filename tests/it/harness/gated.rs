//! A journal in memory that makes its callers wait, and counts what they read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use incident::contract::StreamId;
use incident::journal::{
    Append, Appended, Batch, Clock, Extent, Health, IncidentIndex, JournalError, KeyedEvent, Lease, Leases,
    Log, Memory, OpenIncident, Pending, ReadLimit, Register, Retention, Span, Stored, Times, Trouble,
    TroubleKind,
};
use parking_lot::Mutex;
use tokio::sync::watch;

/// A journal in memory with gates.
pub struct Gated {
    pub memory: Memory,
    /// How many more leases are refused; `u32::MAX` for a lease that is never granted nor refused.
    pub refused_leases: AtomicU32,
    /// Whether other processes may have it open, too.
    pub is_shared: AtomicBool,
    /// Reads wait until this is true.
    pub readable: watch::Sender<bool>,
    /// How many milliseconds each read takes.
    pub read_ms: AtomicU64,
    /// Whether it says that it can't be read at the moment.
    pub is_unreadable: AtomicBool,
    /// How many reads have begun.
    pub reads: watch::Sender<u32>,
    /// How many events were read.
    pub events_read: AtomicU64,
    /// Appends wait until this is true, and are done even if their caller gives up meanwhile.
    pub writable: watch::Sender<bool>,
    /// How many more appends are done and have no answer but that the journal can't be used.
    pub unanswered: AtomicU32,
    /// How many appends have begun.
    pub appends: watch::Sender<u32>,
    /// How often publishers' names were looked up.
    pub lookups: watch::Sender<u32>,
    /// How long ago this process has seen open incidents begin, as far as it knows.
    pub age: Mutex<Option<Duration>>,
}

impl Gated {
    pub fn new(refused_leases: u32) -> Arc<Self> {
        let memory = Memory::new(StreamId::generate(1_700_000_000_000, 4), Retention::default());
        Self::over(memory, refused_leases)
    }

    pub fn over(memory: Memory, refused_leases: u32) -> Arc<Self> {
        Arc::new(Self {
            memory,
            refused_leases: refused_leases.into(),
            is_shared: false.into(),
            readable: watch::channel(true).0,
            read_ms: 0.into(),
            is_unreadable: false.into(),
            reads: watch::channel(0).0,
            events_read: 0.into(),
            writable: watch::channel(true).0,
            unanswered: 0.into(),
            appends: watch::channel(0).0,
            lookups: watch::channel(0).0,
            age: Mutex::default(),
        })
    }
}

impl Append for Gated {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        Box::pin(async move {
            self.appends.send_modify(|appends| *appends += 1);
            self.writable.subscribe().wait_for(|writable| *writable).await.unwrap();
            let appended = self.memory.append(batch).await;
            let less = |left: u32| left.checked_sub(1);
            match self.unanswered.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
                Ok(_) => Err(JournalError::Unavailable(Trouble::new(TroubleKind::Unreachable))),
                Err(_) => appended,
            }
        })
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
            match self.read_ms.load(Ordering::Relaxed) {
                0 => {}
                takes => tokio::time::sleep(Duration::from_millis(takes)).await,
            }
            let events = self.memory.read(after, limit).await?;
            self.events_read.fetch_add(events.len() as u64, Ordering::Relaxed);
            Ok(events)
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
        Box::pin(async move {
            let age = *self.age.lock();
            let open = self.memory.open_incidents().await?;
            Ok(open.into_iter().map(|open| OpenIncident { age: age.or(open.age), ..open }).collect())
        })
    }

    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        self.memory.incidents(limit)
    }

    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        self.memory.incident(subject)
    }

    fn is_taken(&self, subject: &str) -> Pending<'_, bool> {
        self.memory.is_taken(subject)
    }

    fn open_without_plan(&self) -> Pending<'_, Vec<Span>> {
        self.memory.open_without_plan()
    }

    fn times(&self) -> Times {
        self.memory.times()
    }

    fn ahead_in(&self, subject: &str) -> Duration {
        self.memory.ahead_in(subject)
    }

    fn plan(&self, subject: &str) -> Pending<'_, Option<Arc<str>>> {
        self.memory.plan(subject)
    }

    fn keyed(&self, names: Vec<(String, String)>) -> Pending<'_, Vec<Option<KeyedEvent>>> {
        let found = self.memory.keyed(names);
        self.lookups.send_modify(|lookups| *lookups += 1);
        found
    }
}

impl Health for Gated {
    fn health(&self) -> watch::Receiver<Option<Trouble>> {
        self.memory.health()
    }

    fn unreadable(&self) -> Option<Trouble> {
        self.is_unreadable.load(Ordering::Relaxed).then(|| Trouble::new(TroubleKind::Unreachable))
    }

    fn commits(&self) -> u64 {
        self.memory.commits()
    }

    fn clock(&self) -> &Clock {
        self.memory.clock()
    }
}

impl Register for Gated {}

impl Leases for Gated {
    fn is_shared(&self) -> bool {
        self.is_shared.load(Ordering::Relaxed)
    }

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
