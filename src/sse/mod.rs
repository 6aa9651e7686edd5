//! One client of `GET /events`: the same cursor as a WebSocket's, written as the lines of Server-Sent Events.
//!
//! The stream is pulled: the HTTP connection asks for the next piece when the socket has room for it. So a client that
//! does not read costs a cursor and one piece, never a queue.

mod lines;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::contract::Position;
use crate::delivery::{End, Lease};
use crate::hub::{Frame, Hub, Opening, Paged};
use crate::metrics::ClientMeter;

/// About the bytes of one piece. Below the socket's send buffer, so that a client that keeps up takes a piece whole.
const PIECE_BYTES: usize = 32 * 1024;

/// A browser that lost its connection waits at least this long before it reconnects, and at most three times as long.
pub const RETRY: Duration = Duration::from_secs(1);

/// The whole stream for a browser that can't be served now. An `EventSource` gives up for good on any status but 200: this
/// is answered with 200 and brings the browser back after `retry`, or up to three times as long.
pub fn come_back(retry: Duration, why: &str) -> Bytes {
    let mut piece = Vec::new();
    lines::retry(&mut piece, spread(retry));
    lines::comment(&mut piece, &why);
    piece.into()
}

/// Drawn for each client, so that not all of them reconnect at once.
fn spread(retry: Duration) -> Duration {
    retry + 2 * retry.mul_f64(crate::random::unit())
}

/// The stream of one client.
pub struct Events {
    hub: Arc<Hub>,
    /// Position of the last event that was given out.
    cursor: u64,
    /// The first piece: `stream_opened`.
    opening: Option<Bytes>,
    /// The frames after the cursor that were read and not given out yet.
    ahead: VecDeque<Frame>,
    head: watch::Receiver<u64>,
    beats: Interval,
    /// Becomes `Some` when every client is asked to leave within that time …
    drain: watch::Receiver<Option<Duration>>,
    /// … and this client leaves then.
    leave_at: Option<Instant>,
    /// `None` on a server without tokens.
    lease: Option<Lease>,
    end: Option<End>,
    client: ClientMeter,
}

impl Events {
    /// The stream for a client for which [`Hub::subscribe`] gave `opening`.
    pub fn new(
        opening: &Opening,
        hub: Arc<Hub>,
        drain: watch::Receiver<Option<Duration>>,
        lease: Option<Lease>,
        client: ClientMeter,
    ) -> Self {
        let Opening { frame, cursor } = opening;
        let mut piece = Vec::with_capacity(frame.len() + 128);
        let position = Position { stream: hub.stream().clone(), n: *cursor };
        lines::retry(&mut piece, spread(RETRY));
        // The position that the client sends if the connection is lost before the first event. Both stand in the block
        // of `stream_opened`: without data they would be an empty event for some clients.
        lines::message(&mut piece, Some(&position), frame);
        let mut beats = interval_at(Instant::now() + hub.heartbeat_interval(), hub.heartbeat_interval());
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            head: hub.head(),
            hub,
            cursor: *cursor,
            opening: Some(piece.into()),
            ahead: VecDeque::new(),
            beats,
            drain,
            leave_at: None,
            lease,
            end: None,
            client,
        }
    }

    /// The next piece of the stream, whole messages; `None` at its end.
    pub async fn next(&mut self) -> Option<Bytes> {
        if let Some(opening) = self.opening.take() {
            return Some(opening);
        }
        loop {
            if self.end.is_some() {
                return None;
            }
            // First, so that a client that is always a little behind leaves too.
            if let Some(end) = self.dismissed() {
                return Some(self.goodbye(end));
            }
            if !self.ahead.is_empty() {
                return Some(self.give_out());
            }
            self.head.mark_unchanged();
            if let Some(frames) = self.hub.after(self.cursor, PIECE_BYTES) {
                self.ahead = frames.into();
                if self.ahead.is_empty() {
                    match self.wait().await {
                        Wake::Changed => {}
                        Wake::Heartbeat => return Some(self.heartbeat()),
                    }
                }
                continue;
            }
            let (hub, cursor) = (Arc::clone(&self.hub), self.cursor);
            tokio::select! {
                page = hub.page(cursor, PIECE_BYTES) => match page {
                    // The permit is dropped here: a piece of this size need not count among the pages in memory.
                    Ok(Paged::Frames { frames, .. }) => self.ahead = frames.into(),
                    Ok(Paged::Expired) => return Some(self.goodbye(End::Expired(self.position()))),
                    Err(error) => return Some(self.goodbye(End::Journal(error.to_string()))),
                },
                () = is_over(&mut self.lease) => {}
                () = leaves(&mut self.drain, &mut self.leave_at) => {}
            }
        }
    }

    /// Waits until something has to be done.
    async fn wait(&mut self) -> Wake {
        tokio::select! {
            // Also when the hub was dropped, with the server: `dismissed` notices.
            _ = self.head.changed() => Wake::Changed,
            _ = self.beats.tick() => Wake::Heartbeat,
            () = is_over(&mut self.lease) => Wake::Changed,
            () = leaves(&mut self.drain, &mut self.leave_at) => Wake::Changed,
        }
    }

    /// Why the client has to leave, if it has to.
    fn dismissed(&mut self) -> Option<End> {
        if self.lease.as_ref().is_some_and(Lease::is_over) {
            return Some(End::Withdrawn);
        }
        if self.leave_at.is_none()
            && let Some(within) = *self.drain.borrow()
        {
            self.leave_at = Some(Instant::now() + within.mul_f64(crate::random::unit()));
        }
        let over = self.leave_at.is_some_and(|at| Instant::now() >= at) || self.head.has_changed().is_err();
        over.then_some(End::Restart)
    }

    fn heartbeat(&self) -> Bytes {
        let mut piece = Vec::with_capacity(512);
        lines::message(&mut piece, None, &self.hub.heartbeat(self.cursor));
        piece.into()
    }

    /// Why the stream ended; `None` while it has not.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Position of the last event that was given out.
    pub fn position(&self) -> Position {
        Position { stream: self.hub.stream().clone(), n: self.cursor }
    }

    fn give_out(&mut self) -> Bytes {
        let mut piece = Vec::with_capacity(PIECE_BYTES / 4);
        let mut position = self.position();
        while piece.len() < PIECE_BYTES
            && let Some(frame) = self.ahead.pop_front()
        {
            position.n += 1;
            lines::message(&mut piece, Some(&position), &frame);
        }
        self.client.delivered(position.n - self.cursor, piece.len() as u64);
        self.cursor = position.n;
        piece.into()
    }

    /// The last piece: a comment, which people see and programs ignore.
    fn goodbye(&mut self, end: End) -> Bytes {
        let mut piece = Vec::new();
        lines::comment(&mut piece, &end);
        self.end = Some(end);
        piece.into()
    }
}

/// Why a wait ended.
enum Wake {
    /// There may be frames, or the client has to leave.
    Changed,
    /// A heartbeat is due.
    Heartbeat,
}

/// Resolves when clients are asked to leave, and again when this client's moment has come. A server that was dropped
/// asks too.
async fn leaves(drain: &mut watch::Receiver<Option<Duration>>, leave_at: &mut Option<Instant>) {
    match leave_at {
        Some(at) => sleep_until(*at).await,
        None => {
            let within = drain.wait_for(Option::is_some).await.map_or(None, |within| *within);
            *leave_at = Some(Instant::now() + within.unwrap_or_default().mul_f64(crate::random::unit()));
        }
    }
}

/// Resolves when the lease is withdrawn.
async fn is_over(lease: &mut Option<Lease>) {
    match lease {
        Some(lease) => lease.over().await,
        None => std::future::pending().await,
    }
}
