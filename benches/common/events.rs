//! The client's side of an event stream, as little as a load client can do with: it takes the chunks of the response apart,
//! if it comes in chunks, and their lines.

use std::mem;

use anyhow::{Context, ensure};

/// The request that opens `/events`.
pub(crate) fn request(port: u16) -> String {
    format!("GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n")
}

/// The longest chunk that may come.
const LONGEST: usize = 1024 * 1024;

/// What was read from a socket and is not a whole chunk or line yet.
#[derive(Default)]
pub(crate) struct Inbox {
    tail: Vec<u8>,
    /// Of a block whose last chunk has not come.
    lines: Vec<u8>,
    open: bool,
    /// The response comes without chunks: it ends with the connection.
    whole: bool,
    ended: bool,
}

impl Inbox {
    /// Whether the response has begun.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the response came to its end.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Takes what was read and calls `each` for the data of every event that is whole with it.
    pub(crate) fn take(
        &mut self,
        fresh: &[u8],
        mut each: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut joined = mem::take(&mut self.tail);
        let mut bytes = if joined.is_empty() {
            fresh
        } else {
            joined.extend_from_slice(fresh);
            &joined
        };
        if !self.open {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
                self.tail = bytes.to_vec();
                return Ok(());
            };
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let first = head.lines().next().unwrap_or_default();
            ensure!(head.starts_with("http/1.1 200 "), "the stream was refused: {first}");
            self.whole = !head.contains("transfer-encoding: chunked");
            self.open = true;
            bytes = &bytes[end + 4..];
        }
        if self.whole {
            return self.read(bytes, &mut each);
        }
        while let Some((chunk, rest)) = split(bytes)? {
            self.ended = chunk.is_empty();
            self.read(chunk, &mut each)?;
            bytes = rest;
        }
        self.tail = bytes.to_vec();
        Ok(())
    }

    /// Reads the lines of a chunk. Mostly it is one block: that is not copied.
    fn read(
        &mut self,
        chunk: &[u8],
        each: &mut impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut joined = mem::take(&mut self.lines);
        let mut lines = if joined.is_empty() {
            chunk
        } else {
            joined.extend_from_slice(chunk);
            &joined
        };
        while let Some(end) = lines.iter().position(|byte| *byte == b'\n') {
            if let Some(data) = lines[..end].strip_prefix(b"data: ") {
                each(data)?;
            }
            lines = &lines[end + 1..];
        }
        self.lines = lines.to_vec();
        Ok(())
    }
}

/// The first chunk and what follows; `None` if the chunk is not whole.
fn split(bytes: &[u8]) -> anyhow::Result<Option<(&[u8], &[u8])>> {
    let Some(line) = bytes.windows(2).take(20).position(|window| window == b"\r\n") else {
        ensure!(bytes.len() < 20, "broken framing: a chunk without a length");
        return Ok(None);
    };
    let length = std::str::from_utf8(&bytes[..line])?;
    let length = usize::from_str_radix(length, 16).context("broken framing: the length of a chunk")?;
    ensure!(length <= LONGEST, "broken framing: a chunk of {length} bytes");
    let Some((chunk, rest)) = bytes[line + 2..].split_at_checked(length) else { return Ok(None) };
    let Some((end, rest)) = rest.split_at_checked(2) else { return Ok(None) };
    ensure!(end == b"\r\n", "broken framing: a chunk is longer than it says");
    Ok(Some((chunk, rest)))
}
