//! The socket below an HTTP connection. A client that takes nothing of a response for the write deadline is given up:
//! otherwise it would hold its slot and its memory for ever. One that still sends when its answer is written is listened to for a
//! while: a reset would cost it the answer.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::connection::ConnectionInfo;
use super::io::Io;
use super::unread::Rest;
use crate::server::lifecycle::Lifecycle;

/// The write deadline while the server drains, if its own is longer.
const DRAIN_DEADLINE: Duration = Duration::from_secs(1);

/// A connection whose writes have a deadline.
pub(in crate::server) struct Socket {
    /// `None` once it was given away.
    io: Option<Io>,
    /// What was read already, before everything else.
    unread: Bytes,
    info: ConnectionInfo,
    lifecycle: Arc<Lifecycle>,
    deadlines: Deadlines,
    /// Runs while the socket is full.
    full: Option<Pin<Box<Sleep>>>,
    /// What the client still sends behind the last answer.
    rest: Option<Rest>,
}

/// How long a client may take nothing of a response, and how long what it still sends behind the last one is read.
#[derive(Clone, Copy)]
pub(super) struct Deadlines {
    pub(super) write: Duration,
    pub(super) rest: Duration,
}

impl Socket {
    pub(super) fn new(
        (io, unread): (Io, Bytes),
        info: ConnectionInfo,
        lifecycle: Arc<Lifecycle>,
        deadlines: Deadlines,
    ) -> Self {
        Self { io: Some(io), unread, info, lifecycle, deadlines, full: None, rest: None }
    }

    /// The connection without its deadline, and what is still to be written on it.
    pub(in crate::server) fn into_parts(self) -> Option<(Io, Bytes)> {
        let rest = self.info.take_appended();
        self.io.map(|io| (io, rest))
    }

    /// The connection, to read from it or write to it.
    fn io(&mut self) -> Result<Pin<&mut Io>> {
        self.io.as_mut().map(Pin::new).ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// Progress ends the wait; the deadline ends the connection.
    fn wait<T>(&mut self, context: &mut Context<'_>, done: Poll<Result<T>>) -> Poll<Result<T>> {
        if done.is_ready() {
            self.full = None;
            return done;
        }
        let (draining, deadline) = (self.lifecycle.is_draining(), self.deadlines.write);
        let full = self.full.get_or_insert_with(|| Box::pin(sleep(deadline)));
        if draining && full.deadline() > Instant::now() + DRAIN_DEADLINE {
            full.as_mut().reset(Instant::now() + DRAIN_DEADLINE);
        }
        ready!(full.as_mut().poll(context));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client takes no bytes")))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = if self.unread.is_empty() {
            self.io()?.poll_read(context, buffer)
        } else {
            let read = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread.split_to(read));
            Poll::Ready(Ok(()))
        };
        // Until it is known to be a whole request.
        if buffer.filled().len() > before {
            self.info.set_unread(true);
        }
        read
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
        let appended = self.info.appended();
        let written = if appended.is_empty() {
            self.io()?.poll_write_vectored(context, slices)
        } else {
            let mut slices = slices.to_vec();
            let head: usize = slices.iter().map(|slice| slice.len()).sum();
            slices.push(IoSlice::new(&appended));
            let written = self.io()?.poll_write_vectored(context, &slices);
            written.map_ok(|written| {
                // hyper wrote the head and is told about the head only.
                self.info.append_to_head(appended.slice(written.saturating_sub(head)..));
                written.min(head)
            })
        };
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.info.was_written();
        }
        self.wait(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.as_ref().is_some_and(Io::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.info.is_watched() && self.io.as_ref().is_some_and(Io::is_closed) {
            self.info.set_closed();
        }
        let flushed = self.io()?.poll_flush(context);
        // TLS accepts bytes that it still holds, so a full socket shows here.
        let flushed = self.wait(context, flushed);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.info.is_flushed();
            if let Some(take_over) = self.info.successor()
                && let Some(io) = self.io.take()
            {
                take_over(io, self.info.take_appended(), Vec::new());
            }
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.rest.is_none() {
            let down = self.io()?.poll_shutdown(context);
            ready!(self.wait(context, down))?;
            if !self.info.has_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        let (is_draining, deadline) = (self.lifecycle.is_draining(), self.deadlines.rest);
        let Self { io: Some(io), rest, .. } = &mut *self else { return Poll::Ready(Ok(())) };
        let rest = rest.get_or_insert_with(|| Rest::new(deadline));
        if is_draining {
            rest.shorten(DRAIN_DEADLINE);
        }
        rest.poll_drop(Pin::new(io), context).map(Ok)
    }
}
