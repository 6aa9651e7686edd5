//! The client's side of the WebSocket protocol, as little as a load client can do with: it looks at every header
//! and at nothing else.

use std::borrow::Cow;
use std::mem;

use anyhow::{Context, bail, ensure};

/// The key of RFC 6455's example, and the answer that it gives.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The request that opens `/ws`, with a query or an empty one.
pub(crate) fn request(port: u16, query: &str) -> String {
    format!(
        "GET /ws{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// What came.
pub(crate) enum Frame<'a> {
    /// A message: text, but binary in an inbox that is made for it.
    Data(&'a [u8]),
    Ping(&'a [u8]),
    Pong,
    /// Why, for people.
    Close(Cow<'a, str>),
}

/// What frames begin with.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A pong with that payload.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    from_client(PONG, payload)
}

/// A binary frame with that payload, which is short.
pub(crate) fn binary(payload: &[u8]) -> Vec<u8> {
    from_client(BINARY, payload)
}

/// Masked with zeros, as nothing is hidden here.
fn from_client(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// An unmasked text frame, as servers send them.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    let length = payload.len() as u16;
    let mut frame = vec![TEXT];
    if length < 126 {
        frame.push(length as u8);
    } else {
        frame.push(126);
        frame.extend_from_slice(&length.to_be_bytes());
    }
    frame.extend_from_slice(payload.as_bytes());
    frame
}

/// What was read from a socket and is not a whole frame yet.
pub(crate) struct Inbox {
    tail: Vec<u8>,
    open: bool,
    /// First byte of the frames that carry messages.
    data: u8,
    /// Bytes of the longest frame that may come. A wild length is broken framing, not a frame to wait for.
    longest: usize,
}

impl Default for Inbox {
    /// For text; nothing of the contract is longer than its frames may be.
    fn default() -> Self {
        Self { tail: Vec::new(), open: false, data: TEXT, longest: 128 * 1024 }
    }
}

impl Inbox {
    /// For a protocol in binary frames, which join as many messages as they like.
    pub(crate) fn binary() -> Self {
        Self { data: BINARY, longest: 256 * 1024 * 1024, ..Self::default() }
    }

    /// Whether the handshake is done.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Takes what was read and calls `each` for every frame that is whole with it. Mostly frames arrive whole:
    /// those are not copied.
    pub(crate) fn take(
        &mut self,
        fresh: &[u8],
        mut each: impl FnMut(Frame<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.tail.is_empty() {
            let rest = self.decode(fresh, &mut each)?;
            self.tail.extend_from_slice(rest);
        } else {
            let mut bytes = mem::take(&mut self.tail);
            bytes.extend_from_slice(fresh);
            let rest = self.decode(&bytes, &mut each)?.len();
            bytes.drain(..bytes.len() - rest);
            self.tail = bytes;
        }
        Ok(())
    }

    fn decode<'a>(
        &mut self,
        mut bytes: &'a [u8],
        each: &mut impl FnMut(Frame<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<&'a [u8]> {
        if !self.open {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
                return Ok(bytes);
            };
            let answer = String::from_utf8_lossy(&bytes[..end]);
            ensure!(
                answer.starts_with("HTTP/1.1 101 ") && answer.contains(ACCEPT),
                "the handshake was refused: {}",
                answer.lines().next().unwrap_or_default()
            );
            self.open = true;
            bytes = &bytes[end + 4..];
        }
        while let Some((first, payload, rest)) = split(bytes, self.longest)? {
            each(match first {
                first if first == self.data => Frame::Data(payload),
                CLOSE => Frame::Close(String::from_utf8_lossy(payload.get(2..).unwrap_or_default())),
                PING => Frame::Ping(payload),
                PONG => Frame::Pong,
                _ => bail!("broken framing: a frame begins with {first:#04x}"),
            })?;
            bytes = rest;
        }
        Ok(bytes)
    }
}

/// First byte, payload, and what follows.
type Split<'a> = (u8, &'a [u8], &'a [u8]);

/// `None` if the frame is not whole.
fn split(bytes: &[u8], longest: usize) -> anyhow::Result<Option<Split<'_>>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    ensure!(second & 0x80 == 0, "broken framing: a server masked a frame");
    let (length, rest) = match second {
        126 => match rest.split_first_chunk() {
            Some((length, rest)) => (usize::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((length, rest)) => {
                (usize::try_from(u64::from_be_bytes(*length)).context("broken framing: a length")?, rest)
            }
            None => return Ok(None),
        },
        short => (usize::from(*short), rest),
    };
    ensure!(length <= longest, "broken framing: a frame of {length} bytes");
    Ok(rest.split_at_checked(length).map(|(payload, rest)| (*first, payload, rest)))
}
