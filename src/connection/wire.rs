//! A socket as a shard uses it: plain, or with a TLS session above it.

use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};

use mio::net::TcpStream;
use rustls::ServerConnection;

use crate::hub::Frame;

/// Slices that a vectored write takes at once: above a hundred the kernel gains nothing.
const SLICES: usize = 128;

/// The most bytes that a TLS session holds for a full socket: one record. A stalled client costs no more.
pub const TLS_BUFFER: usize = 16 * 1024;

/// A non-blocking socket.
pub(super) struct Wire {
    pub(super) tcp: TcpStream,
    tls: Option<Box<ServerConnection>>,
    /// Bytes that the kernel took, TLS overhead included.
    sent: u64,
    /// It was full once. Most sockets never are, so only such a socket is watched for when it is writable again.
    was_full: bool,
    is_watched: bool,
}

/// The result of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read {
    /// Bytes that were read.
    pub(super) bytes: usize,
    /// Bytes that the socket gave for them, 0 at the end of the stream. TLS records can have one byte or none: they are
    /// counted at their cost.
    pub(super) raw: usize,
}

impl Wire {
    pub(super) fn new(tcp: TcpStream, mut tls: Option<Box<ServerConnection>>) -> Self {
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(Some(TLS_BUFFER));
        }
        Self { tcp, tls, sent: 0, was_full: false, is_watched: false }
    }

    /// Whether TLS may have decrypted more than was read: no event of the socket tells that.
    pub(super) fn may_hold_back(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether to watch the socket from now on for when it is writable again. True once.
    pub(super) fn is_to_be_watched(&mut self) -> bool {
        self.was_full && !std::mem::replace(&mut self.is_watched, true)
    }

    /// Bytes that the kernel took so far, to notice progress.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Writes, and returns how many bytes were taken: fewer than `bytes` has if the socket is full.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.tls.is_some() {
            return self.write_slices(&mut [IoSlice::new(bytes)]);
        }
        let taken = taken(|| self.tcp.write(bytes))?;
        self.sent += taken as u64;
        self.was_full |= taken < bytes.len();
        Ok(taken)
    }

    /// As [`Wire::write`], for consecutive frames.
    pub(super) fn write_frames(&mut self, frames: &[Frame]) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = frames.len().min(SLICES);
        for (slice, frame) in slices.iter_mut().zip(frames) {
            *slice = IoSlice::new(&frame.bytes);
        }
        self.write_slices(&mut slices[..count])
    }

    fn write_slices(&mut self, mut slices: &mut [IoSlice<'_>]) -> io::Result<usize> {
        if self.tls.is_none() {
            let whole: usize = slices.iter().map(|slice| slice.len()).sum();
            let taken = taken(|| self.tcp.write_vectored(slices))?;
            self.sent += taken as u64;
            self.was_full |= taken < whole;
            return Ok(taken);
        }
        let mut written = 0;
        // Writes until the socket is full, not only TLS's buffer: no event tells that the buffer has room again.
        while self.flush()? && !slices.is_empty() {
            let Some(tls) = &mut self.tls else { break };
            let took = tls.writer().write_vectored(slices)?;
            IoSlice::advance_slices(&mut slices, took);
            written += took;
        }
        Ok(written)
    }

    /// Hands the bytes that TLS holds to the kernel. Whether it took all of them.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        let Self { tcp, tls: Some(tls), sent, was_full, .. } = self else { return Ok(true) };
        while tls.wants_write() {
            match taken(|| tls.write_tls(tcp))? {
                0 => {
                    *was_full = true;
                    return Ok(false);
                }
                taken => *sent += taken as u64,
            }
        }
        Ok(true)
    }

    /// Whether TLS holds nothing, as of the last flush.
    pub(super) fn is_through(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| !tls.wants_write())
    }

    /// Reads as from a socket: `WouldBlock` if there is nothing.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Read> {
        let Some(tls) = &mut self.tls else {
            let bytes = self.tcp.read(into)?;
            return Ok(Read { bytes, raw: bytes });
        };
        let end = Read { bytes: 0, raw: 0 };
        let mut raw = 0;
        loop {
            match tls.reader().read(into) {
                // The client's close_notify.
                Ok(0) => return Ok(end),
                Ok(bytes) => return Ok(Read { bytes, raw: raw.max(bytes) }),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Many clients leave without one.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(end),
                Err(error) => return Err(error),
            }
            if raw > 0 {
                return Ok(Read { bytes: 0, raw });
            }
            raw = tls.read_tls(&mut self.tcp)?;
            if raw == 0 {
                return Ok(end);
            }
            tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// Ends the stream of bytes to the client.
    pub(super) fn shutdown(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            self.flush()?;
        }
        self.tcp.shutdown(std::net::Shutdown::Write)
    }
}

/// The bytes that a write took, 0 for a full socket.
fn taken(mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
