//! The ring of encoded frames that follows the journal's head, and reading from it at any position.
//!
//! A frame is encoded once, when it enters the ring; everything after that is a cursor and a clone of a reference. A
//! cursor behind the ring reads pages from the journal.

mod frame;
mod pages;
mod ring;
mod subscribe;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::contract::{EventWriter, Heartbeat, Message, ServerState, Source, StreamId, StreamOpened};
pub use crate::journal::JournalError;
use crate::journal::{Journal, ReadLimit, Stored};
use crate::log_limiter::limited;

use frame::Block;
pub use frame::Frame;
use pages::Pages;
pub use pages::{Network, PagePermit};
use ring::Ring;
pub use subscribe::{After, Opening};

/// How much is read from the journal at once.
const PAGE: ReadLimit = ReadLimit { events: 1_024, bytes: PAGE_BYTES };

/// Bytes of a full page from the journal.
pub const PAGE_BYTES: usize = 512 * 1024;

/// About the bytes that an envelope adds to its data.
const ENVELOPE: usize = 256;

/// How long a new client waits for the ring to reach the journal's head.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Follows a journal for any number of cursors.
pub struct Hub {
    journal: Journal,
    /// The source of events: the stream.
    source: Source,
    /// The source of control messages: this process.
    server: Source,
    control_ids: AtomicU64,
    heartbeat: Duration,
    /// Locked for short sections, never across an await.
    ring: RwLock<Ring>,
    head: watch::Sender<u64>,
    pages: Pages,
    /// Called when frames were added.
    advanced: RwLock<Vec<Box<dyn Fn() + Send + Sync>>>,
    /// Why the journal can't be read, if it can't.
    trouble: RwLock<Option<String>>,
}

/// What the journal has behind a cursor.
pub enum Paged {
    /// The next frames.
    Frames {
        /// In order, at least one.
        frames: Vec<Frame>,
        /// Counts the page among those that are in memory.
        permit: PagePermit,
    },
    /// The next events are no longer kept.
    Expired,
}

impl Hub {
    /// A hub over `journal`. Its ring begins with the newest events, and with the open incidents as far as they fit.
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
            pages: Pages::new(),
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
                tracing::error!(why, "cannot read the journal; trying again every second");
            }
            *self.trouble.write() = trouble;
            tokio::select! {
                () = stop.cancelled() => return,
                changed = extent.changed(), if caught_up.is_ok() => if changed.is_err() { return },
                () = tokio::time::sleep(Duration::from_secs(1)), if caught_up.is_err() => {}
            }
        }
    }

    async fn catch_up(&self) -> Result<(), JournalError> {
        loop {
            let head = self.ring.read().head();
            let page = self.journal.read(head, PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            let frames = self.encode(&page);
            // Retention dropped events that this hub had not read yet: cursors between them have expired.
            let anew = match page.first() {
                Some(first) if first.position != head + 1 => {
                    let open = self.journal.open_incidents().await?;
                    let open = open.into_iter().map(|incident| (incident.subject, incident.start));
                    Some(Ring::new(first.position, open))
                }
                _ => None,
            };
            let head = {
                let mut ring = self.ring.write();
                if let Some(anew) = anew {
                    *ring = anew;
                }
                for (event, frame) in page.iter().zip(frames) {
                    ring.push(event, frame);
                }
                ring.head()
            };
            self.head.send_replace(head);
            for advanced in self.advanced.read().iter() {
                advanced();
            }
        }
    }

    fn encode(&self, page: &[Stored]) -> Vec<Frame> {
        let bytes = page.iter().map(|event| event.data.get().len() + ENVELOPE).sum();
        let mut block = Block::with_capacity(page.len(), bytes);
        for event in page {
            block.push(event.kind, |text| event.writer(&self.source).write(text));
        }
        block.frames()
    }

    /// The frames after `cursor`, as many as fit into about `max_bytes`; none if it is at the head. `None` if the ring
    /// no longer has them: see [`Hub::page`].
    pub fn after(&self, cursor: u64, max_bytes: usize) -> Option<Vec<Frame>> {
        self.ring.read().after(cursor, max_bytes)
    }

    /// The network of an address, as pages are counted for it.
    pub fn network(&self, address: IpAddr) -> Network {
        self.pages.network(address)
    }

    /// About `bytes` of the frames after `cursor`, from the journal, for a client of that network. Only a few pages may be in memory at a
    /// time: the frames come with a permit, to be dropped when they are sent.
    pub async fn page(&self, network: Network, cursor: u64, bytes: usize) -> Result<Paged, JournalError> {
        let permit = self.pages.take(network).await?;
        let page = self.journal.read(cursor, ReadLimit { bytes, ..PAGE }).await.inspect_err(|error| {
            limited!(
                error,
                "cannot read events for a client that is behind; `incident check-journal` examines the journal file",
                %error,
                cursor
            );
        })?;
        match page.first() {
            Some(first) if first.position == cursor + 1 => {
                Ok(Paged::Frames { frames: self.encode(&page), permit })
            }
            _ => Ok(Paged::Expired),
        }
    }

    /// Whether as many pages are in memory as may be, or as many for that network.
    pub fn is_short_of_pages(&self, network: Network) -> bool {
        self.pages.is_short(network)
    }

    /// Position of the newest frame in the ring.
    pub fn ring_head(&self) -> u64 {
        self.ring.read().head()
    }

    /// From now on calls `advanced` whenever frames were added.
    pub fn on_advance(&self, advanced: Box<dyn Fn() + Send + Sync>) {
        self.advanced.write().push(advanced);
    }

    /// Follows the head: changes whenever frames were added.
    pub fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Position of the oldest frame in the ring.
    pub fn ring_start(&self) -> u64 {
        self.ring.read().first()
    }

    /// The stream's name.
    pub fn stream(&self) -> &StreamId {
        self.journal.stream()
    }

    /// The time between two heartbeats to a client at the head.
    pub fn heartbeat_interval(&self) -> Duration {
        self.heartbeat
    }

    /// The opening for a client that wants to begin at `after`. It reflects every event that was in the journal when
    /// the client came: a client without a position is not sent an incident that has ended.
    ///
    /// # Errors
    /// The client has a position that this server has not read yet, and it can't be said whether the stream has it.
    pub async fn subscribe(&self, after: Option<&After>) -> Result<Opening, JournalError> {
        if let Some(After::Position(position)) = after
            && position.stream == *self.stream()
            && position.n > self.journal.extent().head
        {
            // If there is none, the client is told so below.
            self.journal.has(position.n).await?;
        }
        let extent = self.journal.extent();
        if *self.head.borrow() < extent.head {
            // A hub that can't read its journal does not get there: the client is sent what the ring has.
            let mut head = self.head.subscribe();
            let _ = tokio::time::timeout(CATCH_UP, head.wait_for(|head| *head >= extent.head)).await;
        }
        let follows = {
            let ring = self.ring.read();
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
            server_time: self.journal.clock().now(),
        };
        Ok(Opening { frame: self.control(&Message::StreamOpened(opened)), cursor })
    }

    /// Why the stream is paused, if it is: the journal can't be written, or not be read.
    pub fn trouble(&self) -> Option<String> {
        let unwritable = self.journal.health().borrow().as_ref().map(ToString::to_string);
        unwritable.or_else(|| self.trouble.read().clone())
    }

    /// A heartbeat for a client that has been sent everything up to `head`.
    pub fn heartbeat(&self, head: u64) -> Frame {
        let stream = self.stream().to_string();
        let reason = self.trouble();
        let state = if reason.is_none() { ServerState::Playing } else { ServerState::Paused };
        self.control(&Message::Heartbeat(Heartbeat { stream, head, state, reason }))
    }

    fn control(&self, message: &Message) -> Frame {
        let id = self.control_ids.fetch_add(1, Ordering::Relaxed) + 1;
        let data = message.data();
        let (source, kind) = (&self.server, message.kind());
        let event = EventWriter { source, id, kind, of: None, time: self.journal.clock().now(), data: &data };
        Frame::single(kind, |text| event.write(text))
    }
}
