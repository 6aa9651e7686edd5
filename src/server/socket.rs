//! The socket below a conversation. A client that takes nothing of an answer for the write deadline is gone; without
//! this it would hold its place, and what was read for it, for ever.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, Sleep, sleep};

/// A full socket is not waited for much longer when the server stops.
const HURRY: Duration = Duration::from_secs(1);

/// A connection, as a handler sees it: with every request that comes on it.
#[derive(Clone)]
pub(super) struct Line(Arc<Shared>);

struct Shared {
    /// Its place among those that speak HTTP.
    place: Mutex<Option<OwnedSemaphorePermit>>,
    stalled: AtomicBool,
    broken: AtomicBool,
}

impl Line {
    pub(super) fn new(place: OwnedSemaphorePermit) -> Self {
        let (stalled, broken) = (AtomicBool::new(false), AtomicBool::new(false));
        Self(Arc::new(Shared { place: Mutex::new(Some(place)), stalled, broken }))
    }

    /// From now on it is a stream and counted as that: others may have its place.
    pub(super) fn give_place(&self) {
        drop(self.0.place.lock().unwrap_or_else(PoisonError::into_inner).take());
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

/// A TCP connection whose writes have a deadline.
pub(super) struct Socket {
    tcp: TcpStream,
    line: Line,
    deadline: Duration,
    drain: watch::Receiver<Option<Duration>>,
    /// Runs while the socket is full.
    full: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(super) fn new(
        tcp: TcpStream,
        line: Line,
        deadline: Duration,
        drain: watch::Receiver<Option<Duration>>,
    ) -> Self {
        Self { tcp, line, deadline, drain, full: None }
    }

    /// Without the deadline.
    pub(super) fn into_tcp(self) -> TcpStream {
        self.tcp
    }

    /// Progress ends the wait; the deadline ends the connection.
    fn wait(&mut self, context: &mut Context<'_>, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if written.is_ready() {
            self.full = None;
            return self.line.note(written);
        }
        let draining = self.drain.borrow().is_some();
        let full = self.full.get_or_insert_with(|| Box::pin(sleep(self.deadline)));
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
        let read = Pin::new(&mut self.tcp).poll_read(context, buffer);
        self.line.note(read)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.wait(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.wait(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
