//! One client of `GET /events`: the same cursor as a WebSocket's, told in the lines of Server-Sent Events.
//!
//! It is pulled: whoever writes the socket asks for the next piece when there is room for it, so that a client that
//! does not read costs a cursor and the piece that is on its way, never a queue.

mod lines;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::connection::{End, Lease};
use crate::contract::Position;
use crate::hub::{Hub, Paged};
use crate::metrics::ClientMeter;

/// About as much is handed over at once. Below the socket's send buffer, so that a reader that keeps up takes it whole.
const PIECE_BYTES: usize = 32 * 1024;

/// A browser that lost its connection comes back after at least this long …
const RETRY: Duration = Duration::from_secs(1);

/// … and at most this much longer. Drawn for each client: those whom a crash cut off do not come back all at once.
const RETRY_SPREAD: Duration = Duration::from_secs(2);

/// A client, as far as it was told.
pub struct Events {
    hub: Arc<Hub>,
    /// Position of the last event that was handed over.
    cursor: u64,
    /// What is said before the first event.
    opening: Option<Bytes>,
    /// Frames behind the cursor that were read and not handed over yet.
    ahead: VecDeque<Bytes>,
    head: watch::Receiver<u64>,
    beats: Interval,
    /// Becomes `Some` when everybody is asked to leave …
    drain: watch::Receiver<Option<Duration>>,
    /// … and this one does so then.
    leave_at: Option<Instant>,
    /// What it may stay by; `None` if nobody is asked.
    lease: Option<Lease>,
    end: Option<End>,
    client: ClientMeter,
}

impl Events {
    /// A client for whom [`Hub::subscribe`] gave `opened` and `cursor`.
    pub fn new(
        (opened, cursor): (Bytes, u64),
        hub: Arc<Hub>,
        drain: watch::Receiver<Option<Duration>>,
        lease: Option<Lease>,
        client: ClientMeter,
    ) -> Self {
        let mut opening = Vec::with_capacity(opened.len() + 128);
        let position = Position { stream: hub.stream().clone(), n: cursor };
        lines::preface(&mut opening, &position, RETRY + RETRY_SPREAD.mul_f64(crate::random::unit()));
        lines::message(&mut opening, None, &opened);
        let mut beats = interval_at(Instant::now() + hub.heartbeat_interval(), hub.heartbeat_interval());
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            head: hub.head(),
            hub,
            cursor,
            opening: Some(opening.into()),
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
            // Before everything else: a client that is always a little behind has to hear it too.
            if let Some(end) = self.dismissed() {
                return Some(self.goodbye(end));
            }
            if !self.ahead.is_empty() {
                return Some(self.hand_over());
            }
            self.head.mark_unchanged();
            if let Some(frames) = self.hub.after(self.cursor, PIECE_BYTES) {
                self.ahead = frames.into();
                if self.ahead.is_empty() {
                    match self.news().await {
                        News::Moved => {}
                        News::Beat => return Some(self.heartbeat()),
                    }
                }
                continue;
            }
            let (hub, cursor) = (Arc::clone(&self.hub), self.cursor);
            tokio::select! {
                page = hub.page(cursor, PIECE_BYTES) => match page {
                    // Handed over at once: the place among the pages in memory is given back.
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
    async fn news(&mut self) -> News {
        tokio::select! {
            // A hub that is gone is a server that is: `dismissed` sees it.
            _ = self.head.changed() => News::Moved,
            _ = self.beats.tick() => News::Beat,
            () = is_over(&mut self.lease) => News::Moved,
            () = leaves(&mut self.drain, &mut self.leave_at) => News::Moved,
        }
    }

    /// Whether it is to leave.
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

    /// Why the stream ended; `None` if it was not at its end.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Of the last event that was handed over.
    pub fn position(&self) -> Position {
        Position { stream: self.hub.stream().clone(), n: self.cursor }
    }

    fn hand_over(&mut self) -> Bytes {
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

    /// The last piece: programs do not see it, people who look at the stream do.
    fn goodbye(&mut self, end: End) -> Bytes {
        let mut piece = Vec::new();
        lines::comment(&mut piece, &end);
        self.end = Some(end);
        piece.into()
    }
}

/// What a client waits for.
enum News {
    /// Something may be there, or it is to leave.
    Moved,
    Beat,
}

/// Resolves when everybody is asked to leave, and when the time to do so has come. A server that is gone altogether asks
/// too.
async fn leaves(drain: &mut watch::Receiver<Option<Duration>>, leave_at: &mut Option<Instant>) {
    match leave_at {
        Some(at) => sleep_until(*at).await,
        None => {
            let within = drain.wait_for(Option::is_some).await.map_or(None, |within| *within);
            *leave_at = Some(Instant::now() + within.unwrap_or_default().mul_f64(crate::random::unit()));
        }
    }
}

/// Resolves when what the client may stay by is taken back.
async fn is_over(lease: &mut Option<Lease>) {
    match lease {
        Some(lease) => lease.over().await,
        None => std::future::pending().await,
    }
}
