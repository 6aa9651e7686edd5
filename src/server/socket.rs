//! The socket below a conversation. A client that takes nothing of an answer for the write deadline is gone; without
//! this it would hold its place, and what was read for it, for ever.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::App;
use super::io::Io;
use super::lobby::Seat;

/// A full socket is not waited for much longer when the server stops.
const HURRY: Duration = Duration::from_secs(1);

/// A connection, as a handler sees it: with every request that comes on it.
#[derive(Clone)]
pub(super) struct Line(Arc<Shared>);

struct Shared {
    peer: IpAddr,
    /// Its place among those that are waited for.
    seat: Arc<Seat>,
    /// What goes out right behind the head of an answer.
    behind: Mutex<Bytes>,
    /// There is an answer, and it is not out yet.
    answered: AtomicBool,
    stalled: AtomicBool,
    broken: AtomicBool,
}

impl Line {
    pub(super) fn new(peer: IpAddr, seat: Arc<Seat>) -> Self {
        let behind = Mutex::default();
        let (answered, stalled, broken) = Default::default();
        Self(Arc::new(Shared { peer, seat, behind, answered, stalled, broken }))
    }

    /// Where it comes from.
    pub(super) fn peer(&self) -> IpAddr {
        self.0.peer
    }

    pub(super) fn seat(&self) -> &Seat {
        &self.0.seat
    }

    /// From now on it is counted among the clients: it is silent for a reason.
    pub(super) fn becomes_stream(&self) {
        self.0.seat.leave();
    }

    /// A request has come: the connection waits for nothing, even if the answer before is not out yet.
    pub(super) fn is_asked(&self) {
        self.0.answered.store(false, Ordering::Relaxed);
        self.0.seat.rise();
    }

    /// When it is out, the connection waits for the next request.
    pub(super) fn is_answered(&self) {
        self.0.answered.store(true, Ordering::Relaxed);
    }

    /// Has this written in one go with the head of the answer that changes the protocol. What did not fit stays with the
    /// socket.
    pub(super) fn greet(&self, bytes: Bytes) {
        *self.behind() = bytes;
    }

    /// Held for single operations.
    fn behind(&self) -> MutexGuard<'_, Bytes> {
        self.0.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was given up because the client took nothing.
    pub(super) fn is_stalled(&self) -> bool {
        self.0.stalled.load(Ordering::Relaxed)
    }

    /// Whether it broke: nobody closed it properly.
    pub(super) fn is_broken(&self) -> bool {
        self.0.broken.load(Ordering::Relaxed)
    }

    fn note<T>(&self, done: Poll<Result<T>>) -> Poll<Result<T>> {
        if matches!(done, Poll::Ready(Err(_))) {
            self.0.broken.store(true, Ordering::Relaxed);
        }
        done
    }
}

/// A connection whose writes have a deadline.
pub(super) struct Socket {
    io: Io,
    line: Line,
    app: Arc<App>,
    /// Runs while the socket is full.
    full: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(super) fn new(io: Io, line: Line, app: Arc<App>) -> Self {
        Self { io, line, app, full: None }
    }

    /// Without the deadline, and what is still to be written.
    pub(super) fn into_parts(self) -> (Io, Bytes) {
        let behind = std::mem::take(&mut *self.line.behind());
        (self.io, behind)
    }

    /// Progress ends the wait; the deadline ends the connection.
    fn wait<T>(&mut self, context: &mut Context<'_>, done: Poll<Result<T>>) -> Poll<Result<T>> {
        if done.is_ready() {
            self.full = None;
            return self.line.note(done);
        }
        let (draining, deadline) = (self.app.draining.load(Ordering::Relaxed), self.app.write_deadline);
        let full = self.full.get_or_insert_with(|| Box::pin(sleep(deadline)));
        if draining && full.deadline() > Instant::now() + HURRY {
            full.as_mut().reset(Instant::now() + HURRY);
        }
        ready!(full.as_mut().poll(context));
        self.line.0.stalled.store(!draining, Ordering::Relaxed);
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        self.line.note(read)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let behind = self.line.behind().clone();
        let written = if behind.is_empty() {
            Pin::new(&mut self.io).poll_write_vectored(context, slices)
        } else {
            let mut slices = slices.to_vec();
            let head: usize = slices.iter().map(|slice| slice.len()).sum();
            slices.push(IoSlice::new(&behind));
            let written = Pin::new(&mut self.io).poll_write_vectored(context, &slices);
            written.map_ok(|written| {
                // Whoever wrote the head hears of that alone.
                self.line.greet(behind.slice(written.saturating_sub(head)..));
                written.min(head)
            })
        };
        self.wait(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        // TLS says that it took what it still holds: it is here that a full socket is noticed.
        let flushed = self.wait(context, flushed);
        if matches!(flushed, Poll::Ready(Ok(()))) && self.line.0.answered.swap(false, Ordering::Relaxed) {
            self.line.seat().sit();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let down = Pin::new(&mut self.io).poll_shutdown(context);
        self.wait(context, down)
    }
}
