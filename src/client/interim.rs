//! Interim answers (1xx), which a server may send before its answer. hyper passes over all that come: a server that sends nothing
//! else would keep a client at work.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use hyper::Request;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::tls::Stream;

/// The most that are passed over. Servers send one or two.
const MOST: u32 = 100;

/// A server sends more.
#[derive(Debug, thiserror::Error)]
#[error("it sends interim answers (1xx) without end, and no answer")]
pub(super) struct TooMany;

impl TooMany {
    /// Whether it is what lies behind an error of hyper.
    pub(super) fn is_behind(error: &hyper::Error) -> bool {
        let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        io.and_then(io::Error::get_ref).is_some_and(<dyn Error + Send + Sync>::is::<Self>)
    }
}

/// A connection from which nothing is read any more once there were too many interim answers. To end the request from outside
/// would be late: hyper passes over what comes without a pause.
pub(super) struct Bounded {
    stream: Stream,
    came: Arc<AtomicU32>,
}

impl Bounded {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, came: Arc::default() }
    }

    /// Returns what a request is told, so that its interim answers are counted.
    pub(super) fn count(&self) -> Count {
        Count(Arc::clone(&self.came))
    }
}

/// Counts interim answers.
pub(super) struct Count(Arc<AtomicU32>);

impl Count {
    pub(super) fn those_to<B>(self, request: &mut Request<B>) {
        hyper::ext::on_informational(request, move |_| {
            self.0.fetch_add(1, Ordering::Relaxed);
        });
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.came.load(Ordering::Relaxed) > MOST {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, TooMany)));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
