//! What a client has sent and nobody has read. A socket that is closed with unread bytes is reset, and a client that is still sending
//! loses the answer that is there already: so the rest is read and dropped first, for a bounded time.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::connection::ConnectionInfo;

/// The most bytes that are dropped.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Bytes that are dropped at once.
const PIECE: usize = 16 * 1024;

/// Reads and drops what a client still sends, until it has sent everything or the time or the bytes are used up.
pub(super) struct Rest {
    end: Pin<Box<Sleep>>,
    left: usize,
}

impl Rest {
    pub(super) fn new(deadline: Duration) -> Self {
        Self { end: Box::pin(sleep(deadline)), left: MOST_BYTES }
    }

    /// Ends it after this time, if it would take longer.
    pub(super) fn shorten(&mut self, deadline: Duration) {
        let end = Instant::now() + deadline;
        if self.end.deadline() > end {
            self.end.as_mut().reset(end);
        }
    }

    /// Ready once nothing more is to be dropped.
    pub(super) fn poll_drop(
        &mut self,
        mut io: Pin<&mut (impl AsyncRead + ?Sized)>,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        // Not held while waiting.
        let mut piece = [0; PIECE];
        while self.left > 0 {
            let mut buffer = ReadBuf::new(&mut piece);
            match ready!(io.as_mut().poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    self.left = self.left.saturating_sub(buffer.filled().len());
                }
                // Its end, or the client's.
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

/// The body of a request, which says whether it was read to its end.
pub(super) struct Watched {
    body: Incoming,
    info: ConnectionInfo,
    has_ended: bool,
}

impl Watched {
    pub(super) fn new(body: Incoming, info: ConnectionInfo) -> Self {
        Self { body, info, has_ended: false }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.has_ended |= !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.info.set_unread(!self.has_ended && !self.body.is_end_stream());
    }
}
