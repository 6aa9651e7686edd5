//! Answers in HTTP/1.0 to a handshake, as pages of `HAProxy` are that stand in files. The library for WebSocket takes none and does not say
//! with which status it came: so it reads the version that it knows. No server upgrades to WebSocket in HTTP/1.0.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::tls::Stream;

const OLD: &[u8] = b"HTTP/1.0";

/// A connection whose first answer has the newer version.
pub(super) struct Answers {
    stream: Stream,
    /// How many bytes at the beginning are those of the old version.
    same: usize,
    is_past: bool,
}

impl Answers {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, same: 0, is_past: false }
    }

    fn renew(&mut self, read: &mut [u8]) {
        for byte in read {
            if self.is_past {
                return;
            }
            let is_same = OLD.get(self.same) == Some(byte);
            self.same += usize::from(is_same);
            self.is_past = !is_same || self.same == OLD.len();
            if self.same == OLD.len() {
                *byte = b'1';
            }
        }
    }
}

impl AsyncRead for Answers {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if !self.is_past {
            self.renew(&mut buffer.filled_mut()[before..]);
        }
        read
    }
}

impl AsyncWrite for Answers {
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
