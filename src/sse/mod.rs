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
use crate::metrics::Client;

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
    client: Client,
}

impl Events {
    /// A client for whom [`Hub::subscribe`] gave `opened` and `cursor`.
    pub fn new(
        (opened, cursor): (Bytes, u64),
        hub: Arc<Hub>,
        drain: watch::Receiver<Option<Duration>>,
        lease: Option<Lease>,
        client: Client,
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
            if let Err(end) = self.read_ahead().await {
                return Some(self.goodbye(end));
            }
            if !self.ahead.is_empty() {
                return Some(self.hand_over());
            }
            tokio::select! {
                changed = self.head.changed() => if changed.is_err() { return Some(self.goodbye(End::Restart)) },
                _ = self.beats.tick() => {
                    let mut piece = Vec::with_capacity(512);
                    lines::message(&mut piece, None, &self.hub.heartbeat(self.cursor));
                    return Some(piece.into());
                }
                within = asked_to_leave(&mut self.drain), if self.leave_at.is_none() => {
                    self.leave_at = Some(Instant::now() + within.mul_f64(crate::random::unit()));
                }
                () = is_over(&mut self.lease) => return Some(self.goodbye(End::Withdrawn)),
                () = sleep_until(self.leave_at.unwrap_or_else(Instant::now)), if self.leave_at.is_some() => {
                    return Some(self.goodbye(End::Restart));
                }
            }
        }
    }

    /// Why the stream ended; `None` if it was not at its end.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Of the last event that was handed over.
    pub fn position(&self) -> Position {
        Position { stream: self.hub.stream().clone(), n: self.cursor }
    }

    async fn read_ahead(&mut self) -> Result<(), End> {
        if self.ahead.is_empty() {
            self.head.mark_unchanged();
            let frames = match self.hub.after(self.cursor, PIECE_BYTES) {
                Some(frames) => frames,
                // Handed over at once: the place among the pages in memory is given back.
                None => match self.hub.page(self.cursor, PIECE_BYTES).await {
                    Ok(Paged::Frames { frames, .. }) => frames,
                    Ok(Paged::Expired) => return Err(End::Expired(self.position())),
                    Err(error) => return Err(End::Journal(error.to_string())),
                },
            };
            self.ahead = frames.into();
        }
        Ok(())
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

/// Within which time everybody is to leave. A server that is gone altogether asks too.
async fn asked_to_leave(drain: &mut watch::Receiver<Option<Duration>>) -> Duration {
    drain.wait_for(Option::is_some).await.map_or(None, |within| *within).unwrap_or_default()
}

/// Resolves when what the client may stay by is taken back.
async fn is_over(lease: &mut Option<Lease>) {
    match lease {
        Some(lease) => lease.over().await,
        None => std::future::pending().await,
    }
}
