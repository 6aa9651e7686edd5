//! One client: its socket, its state, and what the socket has not taken yet.

use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::AbortOnDropHandle;

use super::arrival::Arrival;
use super::behind::{Advance, Behind};
use super::close::{CLOSING_HANDSHAKE, send_close};
use super::dialect::{Batch, Dialect};
use super::inbound::{Allowance, Heard, Inbound};
use super::outgoing::{Outgoing, Page, Wrote};
use super::settings::SILENT_HEARTBEATS;
use super::wire::{Read, Wire};
use crate::contract::Position;
use crate::delivery::{End, Lease};
use crate::hub::{Frame, Hub, Network};
use crate::metrics::Transport;

/// A ping is sent every so many heartbeats.
const PING_EVERY: u8 = 3;

/// A ping without a payload.
const PING: [u8; 2] = [0x89, 0];

/// A client of a shard.
pub(super) struct Client {
    pub(super) wire: Wire,
    dialect: Dialect,
    state: State,
    outgoing: Outgoing,
    inbound: Inbound,
    /// Unique in its shard, unlike its key there, which is reused.
    pub(super) id: u64,
    /// Whose part of the pages it takes.
    pub(super) network: Network,
    /// The group of clients whose heartbeats are due at the same time.
    pub(super) group: u8,
    /// Heartbeats since it last sent something; only of a WebSocket's client, which answers pings.
    silent: u8,
    heartbeats_to_ping: u8,
    /// When it has to leave, because the server is stopping or cut off.
    pub(super) leaves_at: Option<Instant>,
    _slot: OwnedSemaphorePermit,
    lease: Option<Lease>,
}

/// The state of a client.
enum State {
    /// It has been sent everything up to the shard's head, and nothing is queued.
    AtHead,
    /// Boxed, because most clients are at the head most of the time.
    Behind(Box<Behind>),
    /// It was told that the stream ends, or sent a close frame.
    Leaving {
        /// Until when the socket stays open for the client to close.
        until: Instant,
    },
}

/// Events that were handed to sockets, and their bytes, framing included.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) events: u64,
    pub(super) bytes: u64,
}

impl Sent {
    pub(super) fn add(&mut self, events: u64, bytes: usize) {
        self.events += events;
        self.bytes += bytes as u64;
    }
}

/// What a client waits for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// For its socket, for a page, or for new frames.
    Waits,
    /// For a page after this position to be read from the journal.
    NeedsPage(u64),
    /// For the shard's head to reach its cursor.
    Early,
}

impl Client {
    /// A client that has come. The rest of its opening is queued.
    pub(super) fn new(arrival: Arrival, id: u64, group: u8, hub: &Hub, allowance: &Allowance) -> Self {
        let Arrival { tcp, tls, dialect, tail, beginning, unsent, slot, network, lease } = arrival;
        let mut outgoing = Outgoing::default();
        outgoing.control().extend_from_slice(&unsent);
        Self {
            wire: Wire::new(mio::net::TcpStream::from_std(tcp), tls),
            dialect,
            state: State::Behind(Box::new(Behind::new(beginning.cursor))),
            outgoing,
            inbound: Inbound::new(dialect, tail, allowance),
            id,
            network: hub.network(network),
            group,
            silent: 0,
            heartbeats_to_ping: PING_EVERY,
            leaves_at: None,
            _slot: slot,
            lease,
        }
    }

    /// The transport that it is counted under.
    pub(super) fn transport(&self) -> Transport {
        self.dialect.transport()
    }

    pub(super) fn is_at_head(&self) -> bool {
        matches!(self.state, State::AtHead)
    }

    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.state, State::Leaving { .. })
    }

    /// Position of the last event that it has been sent, counting one whose frame is sent in part; `head` is the
    /// shard's.
    pub(super) fn position(&self, hub: &Hub, head: u64) -> Position {
        Position { stream: hub.stream().clone(), n: self.cursor(head) }
    }

    /// The number of that position.
    pub(super) fn cursor(&self, head: u64) -> u64 {
        match &self.state {
            State::Behind(behind) => behind.cursor,
            State::AtHead | State::Leaving { .. } => head,
        }
    }

    /// Writes new frames to a client at the head, which is at `head`. If the socket does not take all of them the client
    /// is behind.
    pub(super) fn broadcast(&mut self, batch: &Batch, head: u64, sent: &mut Sent) -> Result<(), End> {
        let joined = batch.joined(self.dialect);
        let bytes = joined.bytes();
        let taken = self.wire.write(bytes).map_err(|_| End::Gone)?;
        if taken == bytes.len() && self.wire.flush().map_err(|_| End::Gone)? {
            sent.add(batch.events(), taken);
            return Ok(());
        }
        let (written, rest) = joined.written(taken);
        sent.add(written.frames, taken + written.rest);
        self.outgoing.keep(rest);
        self.fall_behind(head + written.frames);
        Ok(())
    }

    fn fall_behind(&mut self, cursor: u64) {
        self.state = State::Behind(Box::new(Behind::new(cursor)));
    }

    /// Sends what is queued and the frames that the client misses, until the socket is full or the client is at the head.
    pub(super) fn catch_up(&mut self, hub: &Hub, head: u64, sent: &mut Sent) -> Result<Step, End> {
        let Self { wire, dialect, state, outgoing, network, .. } = self;
        loop {
            let flushed = outgoing.flush(wire).map_err(|_| End::Gone)?;
            let behind = match state {
                State::AtHead => return Ok(Step::Waits),
                State::Leaving { .. } => {
                    if flushed == Wrote::Everything {
                        // A client that reads sees the end of the stream, and closes.
                        let _ = wire.shutdown();
                    }
                    return Ok(Step::Waits);
                }
                State::Behind(behind) => behind,
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
                *state = State::AtHead;
                return Ok(Step::Waits);
            }
            if behind.cursor > head {
                return Ok(if std::mem::replace(&mut behind.is_early, true) {
                    Step::Waits
                } else {
                    Step::Early
                });
            }
            match behind.advance((wire, outgoing), *dialect, (hub, *network), head)? {
                Advance::Sent { events, bytes } => sent.add(events, bytes),
                Advance::Full => return Ok(Step::Waits),
                Advance::NeedsPage => return Ok(Step::NeedsPage(behind.cursor)),
            }
        }
    }

    /// A page is being read for it by this task.
    pub(super) fn reads(&mut self, reading: AbortOnDropHandle<()>) {
        if let State::Behind(behind) = &mut self.state {
            behind.reads(reading);
        }
    }

    /// Takes a page that was read for it.
    pub(super) fn take_page(&mut self, page: Page) {
        if let State::Behind(behind) = &mut self.state {
            behind.take(page);
        }
    }

    /// The head has moved, and may have reached its cursor.
    pub(super) fn is_early_no_more(&mut self) {
        if let State::Behind(behind) = &mut self.state {
            behind.is_early = false;
        }
    }

    /// Reads what the client sent.
    pub(super) fn hear(&mut self, scratch: &mut [u8], allowance: &Allowance) -> Result<Heard, End> {
        if self.is_leaving() {
            return self.discard(scratch);
        }
        self.silent = 0;
        self.inbound.hear(&mut self.wire, scratch, self.outgoing.control(), allowance)
    }

    /// Processes what it sent behind the handshake.
    pub(super) fn hear_tail(&mut self, allowance: &Allowance) -> Result<(), End> {
        self.inbound.hear_tail(self.outgoing.control(), allowance)
    }

    /// Discards what a leaving client sends, until it closes: closing a socket with unread bytes resets it, and the
    /// client would lose what was sent last.
    fn discard(&mut self, scratch: &mut [u8]) -> Result<Heard, End> {
        use std::io::ErrorKind;
        match self.wire.read(scratch) {
            Ok(Read { raw: 0, .. }) => Err(End::Gone),
            Ok(_) => Ok(Heard::More),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Heard::All),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Heard::More),
            Err(_) => Err(End::Gone),
        }
    }

    /// Whether something is queued, such as the answer to a ping.
    pub(super) fn has_queued(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Something was queued: a client at the head is behind until that is sent.
    pub(super) fn queue(&mut self, head: u64) {
        if self.is_at_head() {
            self.fall_behind(head);
        }
    }

    /// A heartbeat is due: a client at the head gets it, and a WebSocket's client gets a ping every [`PING_EVERY`]
    /// heartbeats.
    pub(super) fn beat(&mut self, heartbeat: &Frame, head: u64) -> Result<(), End> {
        if self.is_leaving() {
            return Ok(());
        }
        self.inbound.beat();
        if self.dialect == Dialect::WebSocket {
            self.ping()?;
        }
        if self.is_at_head() {
            self.dialect.control(self.outgoing.control(), heartbeat);
        }
        self.queue(head);
        Ok(())
    }

    /// Sends a ping if one is due.
    fn ping(&mut self) -> Result<(), End> {
        self.silent += 1;
        if self.silent > SILENT_HEARTBEATS {
            return Err(End::NoPong);
        }
        self.heartbeats_to_ping -= 1;
        if self.heartbeats_to_ping == 0 {
            self.heartbeats_to_ping = PING_EVERY;
            self.outgoing.control().extend_from_slice(&PING);
        }
        Ok(())
    }

    /// Why it has to leave now, if it has to: the server sends its clients away, or its access was withdrawn.
    pub(super) fn dismissed(&self, now: Instant, sent_away: &End) -> Option<End> {
        if self.leaves_at.is_some_and(|at| now >= at) {
            return Some(sent_away.clone());
        }
        self.lease.as_ref().is_some_and(Lease::is_over).then_some(End::Withdrawn)
    }

    /// Checks the deadlines: a socket that is full for the write deadline is too slow.
    pub(super) fn check(&mut self, now: Instant, head: u64, write_deadline: Duration) -> Check {
        match &mut self.state {
            State::Leaving { until } if now >= *until => Check::Gone,
            State::AtHead | State::Leaving { .. } => Check::Fine,
            State::Behind(behind) => {
                let idle = now.saturating_duration_since(behind.progress);
                // A client that waits for a page, or for the head to reach its cursor, is not slow.
                let sent_all = self.outgoing.is_empty() && self.wire.is_through();
                if behind.is_reading() || (behind.cursor >= head && sent_all) {
                    behind.progress = now;
                    return Check::Fine;
                }
                behind.drop_old_page(now);
                if idle >= write_deadline { Check::Slow } else { Check::Fine }
            }
        }
    }

    /// Ends the stream. Whether the client is to be waited for: then nothing more is sent.
    pub(super) fn close(&mut self, end: &End) -> bool {
        let waits = send_close(self.dialect, &mut self.outgoing, &mut self.wire, end);
        if waits {
            self.state = State::Leaving { until: Instant::now() + CLOSING_HANDSHAKE };
        }
        waits
    }
}

/// The result of checking a client's deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Fine,
    /// Its socket took nothing for the write deadline.
    Slow,
    /// It did not close.
    Gone,
}
