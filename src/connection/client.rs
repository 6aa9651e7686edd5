//! One client: where it is, and what its socket did not take yet.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::AbortOnDropHandle;

use super::behind::{Advance, Behind};
use super::inbound::{Heard, Inbound};
use super::outgoing::{Batch, Outgoing, Page, Wrote};
use super::wire::{Read, Wire};
use super::{End, Lease};
use crate::contract::Position;
use crate::hub::Hub;

/// A ping goes out with every this many heartbeats …
const PING_EVERY: u8 = 3;

/// … and a client that was silent for this many is gone.
const SILENT_FOR: u8 = 9;

/// A ping without a payload.
const PING: [u8; 2] = [0x89, 0];

pub(super) struct Client {
    pub(super) wire: Wire,
    stands: Stands,
    outgoing: Outgoing,
    inbound: Inbound,
    /// Tells it from others that have had its place.
    pub(super) id: u64,
    /// Of those whose heartbeats are due together.
    pub(super) group: u8,
    /// Heartbeats since it was last heard.
    silent: u8,
    beats_to_ping: u8,
    /// When it leaves because the server stops.
    pub(super) leaves_at: Option<Instant>,
    _permit: OwnedSemaphorePermit,
    lease: Option<Lease>,
}

/// How a client stands.
enum Stands {
    /// It has everything up to the shard's head, and nothing stands in line.
    AtHead,
    Behind(Behind),
    /// It was told to go, or said so.
    Leaving {
        /// When it is not waited for any more.
        until: Instant,
    },
}

/// Events that were handed to sockets, and their bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) events: u64,
    pub(super) bytes: u64,
}

impl Sent {
    fn add(&mut self, events: u64, bytes: usize) {
        self.events += events;
        self.bytes += bytes as u64;
    }
}

/// How far a client came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It waits for its socket, or for a page, or has all there is.
    Waits,
    /// What follows this position has to come from the journal.
    Page(u64),
    /// What follows it is not here yet: again when the head has moved.
    Early,
}

impl Client {
    /// With a first frame, and a position after which it goes on.
    pub(super) fn new(
        wire: Wire,
        id: u64,
        (opened, cursor): (&[u8], u64),
        inbound: Inbound,
        (permit, lease): (OwnedSemaphorePermit, Option<Lease>),
    ) -> Self {
        let mut outgoing = Outgoing::default();
        outgoing.control().extend_from_slice(opened);
        let behind = Behind::new(cursor);
        Self {
            wire,
            stands: Stands::Behind(behind),
            outgoing,
            inbound,
            id,
            group: 0,
            silent: 0,
            beats_to_ping: PING_EVERY,
            leaves_at: None,
            _permit: permit,
            lease,
        }
    }

    pub(super) fn is_at_head(&self) -> bool {
        matches!(self.stands, Stands::AtHead)
    }

    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.stands, Stands::Leaving { .. })
    }

    /// Position of the last event that is sent when the rest of its frame is; `head` is the shard's.
    pub(super) fn position(&self, hub: &Hub, head: u64) -> Position {
        Position { stream: hub.stream().clone(), n: self.cursor(head) }
    }

    /// The number of that position.
    pub(super) fn cursor(&self, head: u64) -> u64 {
        match &self.stands {
            Stands::Behind(behind) => behind.cursor,
            Stands::AtHead | Stands::Leaving { .. } => head,
        }
    }

    /// Writes what is new to a client at the head, which is `head`. What the socket does not take leaves it behind.
    pub(super) fn broadcast(&mut self, batch: &Batch, head: u64, sent: &mut Sent) -> Result<(), End> {
        let bytes = batch.bytes();
        let taken = self.wire.write(bytes).map_err(|_| End::Gone)?;
        if taken == bytes.len() && self.wire.flush().map_err(|_| End::Gone)? {
            sent.add(batch.frames(), taken);
            return Ok(());
        }
        let (frames, rest) = batch.written(taken);
        sent.add(frames, taken + rest.len());
        self.outgoing.keep(&rest);
        self.fall_behind(head + frames);
        Ok(())
    }

    fn fall_behind(&mut self, cursor: u64) {
        let behind = Behind::new(cursor);
        self.stands = Stands::Behind(behind);
    }

    /// Sends what stands in line and what the client does not have, until the socket is full or it is at the head.
    pub(super) fn catch_up(&mut self, hub: &Hub, head: u64, sent: &mut Sent) -> Result<Step, End> {
        let Self { wire, stands, outgoing, .. } = self;
        loop {
            let flushed = outgoing.flush(wire).map_err(|_| End::Gone)?;
            let behind = match stands {
                Stands::AtHead => return Ok(Step::Waits),
                Stands::Leaving { .. } => {
                    if flushed == Wrote::Everything {
                        // Nothing more is said. Who listens closes then.
                        let _ = wire.shutdown();
                    }
                    return Ok(Step::Waits);
                }
                Stands::Behind(behind) => behind,
            };
            if let Wrote::Blocked { progress } = flushed {
                if progress {
                    behind.progress = Instant::now();
                }
                return Ok(Step::Waits);
            }
            if behind.is_reading() {
                return Ok(Step::Waits);
            }
            if behind.cursor == head {
                *stands = Stands::AtHead;
                return Ok(Step::Waits);
            }
            if behind.cursor > head {
                return Ok(if std::mem::replace(&mut behind.is_early, true) {
                    Step::Waits
                } else {
                    Step::Early
                });
            }
            match behind.advance(wire, outgoing, hub, head)? {
                Advance::Sent(events, bytes) => sent.add(events, bytes),
                Advance::Full => return Ok(Step::Waits),
                Advance::Behind => {
                    return Ok(Step::Page(behind.cursor));
                }
            }
        }
    }

    /// A page is read for it.
    pub(super) fn reads(&mut self, reading: AbortOnDropHandle<()>) {
        if let Stands::Behind(behind) = &mut self.stands {
            behind.reads(reading);
        }
    }

    /// Takes a page that was read for it.
    pub(super) fn take_page(&mut self, page: Page) {
        if let Stands::Behind(behind) = &mut self.stands {
            behind.take(page);
        }
    }

    /// The head may have reached its cursor.
    pub(super) fn is_early_no_more(&mut self) {
        if let Stands::Behind(behind) = &mut self.stands {
            behind.is_early = false;
        }
    }

    /// Reads what the client says.
    pub(super) fn hear(&mut self, scratch: &mut [u8]) -> Result<Heard, End> {
        if self.is_leaving() {
            return self.overhear(scratch);
        }
        self.silent = 0;
        self.inbound.hear(&mut self.wire, scratch, self.outgoing.control())
    }

    /// Takes what it said behind the handshake.
    pub(super) fn hear_tail(&mut self) -> Result<(), End> {
        self.inbound.hear_tail(self.outgoing.control())
    }

    /// Waits for the end of what somebody says who is leaving: a socket that is closed while bytes lie unread is
    /// reset, and with it goes what was sent last.
    fn overhear(&mut self, scratch: &mut [u8]) -> Result<Heard, End> {
        use std::io::ErrorKind;
        match self.wire.read(scratch) {
            Ok(Read { raw: 0, .. }) => Err(End::Gone),
            Ok(_) => Ok(Heard::More),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Heard::All),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Heard::More),
            Err(_) => Err(End::Gone),
        }
    }

    /// What was heard may have to be answered: a client at the head has something standing in line then.
    pub(super) fn has_answers(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Something stands in line of a client at the head.
    pub(super) fn queue(&mut self, head: u64) {
        if self.is_at_head() {
            self.fall_behind(head);
        }
    }

    /// A heartbeat is due: told to who has everything, with a ping now and then to everybody.
    pub(super) fn beat(&mut self, heartbeat: &Bytes, head: u64) -> Result<(), End> {
        if self.is_leaving() {
            return Ok(());
        }
        self.inbound.beat();
        self.silent += 1;
        if self.silent > SILENT_FOR {
            return Err(End::NoPong);
        }
        self.beats_to_ping -= 1;
        let ping = self.beats_to_ping == 0;
        if ping {
            self.beats_to_ping = PING_EVERY;
            self.outgoing.control().extend_from_slice(&PING);
        }
        if self.is_at_head() {
            self.outgoing.control().extend_from_slice(heartbeat);
        }
        self.queue(head);
        Ok(())
    }

    /// Whether it is to leave because the server stops, or because what let it in is taken back.
    pub(super) fn dismissed(&self, now: Instant) -> Option<End> {
        if self.leaves_at.is_some_and(|at| now >= at) {
            return Some(End::Restart);
        }
        self.lease.as_ref().is_some_and(Lease::is_over).then_some(End::Withdrawn)
    }

    /// Whether it held up too long: its socket took nothing for the write deadline.
    pub(super) fn look(&mut self, now: Instant, head: u64, write_deadline: Duration) -> Look {
        match &mut self.stands {
            Stands::Leaving { until } if now >= *until => Look::Gone,
            Stands::AtHead | Stands::Leaving { .. } => Look::Fine,
            Stands::Behind(behind) => {
                let idle = now.saturating_duration_since(behind.progress);
                // Who waits for a page, or for the head to be where it is, is not slow.
                let sent_all = self.outgoing.is_empty() && self.wire.is_through();
                if behind.is_reading() || (behind.cursor >= head && sent_all) {
                    behind.progress = now;
                    return Look::Fine;
                }
                behind.look(now);
                if idle >= write_deadline { Look::Slow } else { Look::Fine }
            }
        }
    }

    /// Nothing but a goodbye is sent from now on.
    pub(super) fn leave(&mut self, until: Instant) {
        self.stands = Stands::Leaving { until };
    }

    pub(super) fn outgoing(&mut self) -> (&mut Outgoing, &mut Wire) {
        (&mut self.outgoing, &mut self.wire)
    }
}

/// What looking at a client's deadlines came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Fine,
    Slow,
    /// It was waited for long enough.
    Gone,
}
