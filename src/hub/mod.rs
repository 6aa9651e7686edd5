//! The ring of encoded frames that follows the journal's head, and who may read from where.
//!
//! A frame is encoded once, when it enters the ring; everything after that is a cursor and a clone of a
//! reference. Behind the ring a cursor pages from the journal.

mod frame;
mod ring;
mod subscribe;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::contract::{EventWriter, Heartbeat, Message, ServerState, Source, StreamId, StreamOpened, now};
pub use crate::journal::JournalError;
use crate::journal::{Journal, ReadLimit, Stored, Trouble, TroubleKind};

use frame::Block;
pub use frame::text;
use ring::Ring;
pub use subscribe::After;

/// What is read from the journal at once.
const PAGE: ReadLimit = ReadLimit { events: 1_024, bytes: PAGE_BYTES };

/// Bytes of a page from the journal for whoever can hold it.
pub const PAGE_BYTES: usize = 512 * 1024;

/// About what an envelope adds to its data.
const ENVELOPE: usize = 256;

/// How long a client that comes waits for the ring to reach the journal's head.
const CATCH_UP: Duration = Duration::from_secs(1);

/// How many pages from the journal are read or held at the same time.
const PAGERS: usize = 8;

/// Follows a journal for any number of cursors.
pub struct Hub {
    journal: Journal,
    /// Names the stream in its events …
    source: Source,
    /// … and this process in control messages.
    server: Source,
    control_ids: std::sync::atomic::AtomicU64,
    heartbeat: Duration,
    ring: RwLock<Ring>,
    head: watch::Sender<u64>,
    pagers: Arc<Semaphore>,
    /// Who is told that frames were added.
    advanced: RwLock<Vec<Box<dyn Fn() + Send + Sync>>>,
    /// Why the journal can't be followed, if it can't.
    trouble: RwLock<Option<String>>,
}

/// What the journal has after a cursor.
pub enum Paged {
    /// `WebSocket` frames in order, header included, at least one.
    Frames {
        /// The frames.
        frames: Vec<Bytes>,
        /// A place among the pages that are in memory.
        place: OwnedSemaphorePermit,
    },
    /// The events after the cursor are no longer kept.
    Expired,
}

impl Hub {
    /// A hub over `journal`, its ring warmed with the newest events and all of the incidents that are open.
    pub async fn new(journal: Journal, heartbeat: Duration) -> Result<Self, JournalError> {
        let open = journal.open_incidents().await?;
        let extent = journal.extent();
        let oldest_open = open.first().map_or(extent.head + 1, |incident| incident.start);
        let warm = oldest_open.min((extent.head + 1).saturating_sub(ring::KEEP as u64)).max(extent.oldest);
        let ring = Ring::new(warm, open.into_iter().map(|incident| (incident.subject, incident.start)));
        let hub = Self {
            source: Source::Stream(journal.stream().clone()),
            server: Source::Server(format!("{:08x}", crate::random::bits() as u32)),
            control_ids: 0.into(),
            heartbeat,
            head: watch::channel(ring.head()).0,
            ring: RwLock::new(ring),
            pagers: Arc::new(Semaphore::new(PAGERS)),
            advanced: RwLock::default(),
            trouble: RwLock::default(),
            journal,
        };
        hub.catch_up().await?;
        Ok(hub)
    }

    /// Keeps the ring at the journal's head until `stop` is cancelled.
    pub async fn follow(&self, stop: CancellationToken) {
        let mut extent = self.journal.follow();
        loop {
            let caught_up = self.catch_up().await;
            let trouble = caught_up.as_ref().err().map(ToString::to_string);
            if let Some(why) = trouble.as_ref().filter(|_| self.trouble().is_none()) {
                tracing::error!(why, "the journal can't be read; trying again every second");
            }
            *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = trouble;
            tokio::select! {
                () = stop.cancelled() => return,
                changed = extent.changed(), if caught_up.is_ok() => if changed.is_err() { return },
                () = tokio::time::sleep(Duration::from_secs(1)), if caught_up.is_err() => {}
            }
        }
    }

    async fn catch_up(&self) -> Result<(), JournalError> {
        loop {
            let head = self.ring().head();
            let page = self.journal.read(head, PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            let frames = self.encode(&page);
            // Retention was faster than this hub: what lies between is gone, and cursors in it have expired.
            let anew = match page.first() {
                Some(first) if first.position != head + 1 => {
                    let open = self.journal.open_incidents().await?;
                    let open = open.into_iter().map(|incident| (incident.subject, incident.start));
                    Some(Ring::new(first.position, open))
                }
                _ => None,
            };
            let head = {
                let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
                if let Some(anew) = anew {
                    *ring = anew;
                }
                for (event, frame) in page.iter().zip(frames) {
                    ring.push(event, frame);
                }
                ring.head()
            };
            self.head.send_replace(head);
            for advanced in self.advanced.read().unwrap_or_else(PoisonError::into_inner).iter() {
                advanced();
            }
        }
    }

    fn encode(&self, page: &[Stored]) -> Vec<Bytes> {
        let bytes = page.iter().map(|event| event.data.get().len() + ENVELOPE).sum();
        let mut block = Block::with_capacity(page.len(), bytes);
        for event in page {
            block.push(|text| event.writer(&self.source).write(text));
        }
        block.frames()
    }

    /// The frames after `cursor`, as many as fit into about `max_bytes`; none if it is at the head. `None` if they are
    /// behind the ring: see [`Hub::page`].
    pub fn after(&self, cursor: u64, max_bytes: usize) -> Option<Vec<Bytes>> {
        self.ring().after(cursor, max_bytes)
    }

    /// About `bytes` of the frames after `cursor` from the journal. Few pages are read or held at a time: the frames come
    /// with a place among those, to be given back when they are sent.
    pub async fn page(&self, cursor: u64, bytes: usize) -> Result<Paged, JournalError> {
        // Never closed.
        let place = Arc::clone(&self.pagers).acquire_owned().await;
        let place = place
            .map_err(|error| JournalError::Unavailable(Trouble::from_error(TroubleKind::Stopped, error)))?;
        let page = self.journal.read(cursor, ReadLimit { bytes, ..PAGE }).await.inspect_err(|error| {
            tracing::error!(
                %error,
                cursor,
                "a client that is behind can't be served; `incident check-journal` looks at the file"
            );
        })?;
        match page.first() {
            Some(first) if first.position == cursor + 1 => {
                Ok(Paged::Frames { frames: self.encode(&page), place })
            }
            _ => Ok(Paged::Expired),
        }
    }

    /// Whether all places for pages are taken.
    pub fn is_short_of_pages(&self) -> bool {
        self.pagers.available_permits() == 0
    }

    /// Position of the newest frame in the ring.
    pub fn ring_head(&self) -> u64 {
        self.ring().head()
    }

    /// Calls `advanced` whenever frames were added, from now on.
    pub fn on_advance(&self, advanced: Box<dyn Fn() + Send + Sync>) {
        self.advanced.write().unwrap_or_else(PoisonError::into_inner).push(advanced);
    }

    /// Follows the head: changes whenever frames were added.
    pub fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Position of the oldest event that is served from memory.
    pub fn ring_start(&self) -> u64 {
        self.ring().first()
    }

    /// The stream's name.
    pub fn stream(&self) -> &StreamId {
        self.journal.stream()
    }

    /// How often a caught-up client gets a heartbeat.
    pub fn heartbeat_interval(&self) -> Duration {
        self.heartbeat
    }

    /// What is sent first to a client that comes with `after`, and its cursor. What was in the journal before is
    /// accounted for: a newcomer is not sent an incident that ended.
    pub async fn subscribe(&self, after: Option<&After>) -> (Bytes, u64) {
        let extent = self.journal.extent();
        if *self.head.borrow() < extent.head {
            // A hub that can't read its journal will not get there: the client is told what it knows.
            let mut head = self.head.subscribe();
            let _ = tokio::time::timeout(CATCH_UP, head.wait_for(|head| *head >= extent.head)).await;
        }
        let follows = {
            let ring = self.ring();
            subscribe::follows(after, self.stream(), extent, ring.newcomer_start())
        };
        let cursor = follows.range().0 - 1;
        let opened = StreamOpened {
            contract: crate::contract::CONTRACT_VERSION.to_owned(),
            stream: self.stream().to_string(),
            head: extent.head,
            oldest: extent.oldest,
            follows,
            heartbeat_ms: self.heartbeat.as_millis() as u64,
            server_time: now(),
        };
        (self.control(&Message::StreamOpened(opened)), cursor)
    }

    /// Why no events come, if none do: the journal takes none, or what it has can't be read.
    pub fn trouble(&self) -> Option<String> {
        let unwritable = self.journal.health().borrow().as_ref().map(ToString::to_string);
        unwritable.or_else(|| self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// A heartbeat for a client that was sent everything up to `head`.
    pub fn heartbeat(&self, head: u64) -> Bytes {
        let stream = self.stream().to_string();
        let reason = self.trouble();
        let state = if reason.is_none() { ServerState::Playing } else { ServerState::Paused };
        self.control(&Message::Heartbeat(Heartbeat { stream, head, state, reason }))
    }

    fn control(&self, message: &Message) -> Bytes {
        let id = self.control_ids.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let data = message.data();
        let (source, kind) = (&self.server, message.kind());
        let frame = EventWriter { source, id, kind, of: None, time: now(), data: &data };
        frame::single(|text| frame.write(text))
    }

    /// Held for short sections, never across an await. A panic in one leaves the ring whole.
    fn ring(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }
}
