//! A socket as a shard uses it: plain, or with TLS of its own above it.

use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};

use bytes::Bytes;
use mio::net::TcpStream;
use rustls::ServerConnection;

/// Slices that a vectored write takes at once: above a hundred the kernel gains nothing.
const SLICES: usize = 128;

/// What TLS may hold that the socket did not take yet, which is one record: all that a client that stalls costs.
const TLS_BUFFER: usize = 16 * 1024;

/// A non-blocking socket.
pub(super) struct Wire {
    pub(super) tcp: TcpStream,
    tls: Option<Box<ServerConnection>>,
    /// Bytes that the system took, with what TLS adds to them.
    sent: u64,
    /// It was full once. Most never are: only for those it is watched when they take something again.
    was_full: bool,
    is_watched: bool,
}

/// What reading came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read {
    /// Bytes that are there.
    pub(super) bytes: usize,
    /// Bytes that came for them, none at the end of all. TLS has records of one byte, and ones that say nothing: what
    /// they cost is counted.
    pub(super) raw: usize,
}

impl Wire {
    pub(super) fn new(tcp: TcpStream, mut tls: Option<Box<ServerConnection>>) -> Self {
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(Some(TLS_BUFFER));
        }
        Self { tcp, tls, sent: 0, was_full: false, is_watched: false }
    }

    /// Whether TLS may have read more than it gave: no event would tell.
    pub(super) fn may_hold_back(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether it is to be watched from now on for when it takes something again. Says so once.
    pub(super) fn is_to_be_watched(&mut self) -> bool {
        self.was_full && !std::mem::replace(&mut self.is_watched, true)
    }

    /// How much the system took up to now: whether there is progress.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes that were taken; fewer than there are if the socket is full.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.tls.is_some() {
            return self.write_slices(&mut [IoSlice::new(bytes)]);
        }
        let taken = taken(|| self.tcp.write(bytes))?;
        self.sent += taken as u64;
        self.was_full |= taken < bytes.len();
        Ok(taken)
    }

    /// As [`Wire::write`], for frames in a row.
    pub(super) fn write_frames(&mut self, frames: &[Bytes]) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = frames.len().min(SLICES);
        for (slice, frame) in slices.iter_mut().zip(frames) {
            *slice = IoSlice::new(frame);
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
        // A full buffer of TLS is no full socket: nobody would tell that there is room again.
        while self.flush()? && !slices.is_empty() {
            let Some(tls) = &mut self.tls else { break };
            let took = tls.writer().write_vectored(slices)?;
            IoSlice::advance_slices(&mut slices, took);
            written += took;
        }
        Ok(written)
    }

    /// Whether everything that was taken is with the system: TLS may hold something back.
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

    /// Whether it was, when it was last asked for.
    pub(super) fn is_through(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| !tls.wants_write())
    }

    /// As of a socket: `WouldBlock` if nothing is there.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Read> {
        let Some(tls) = &mut self.tls else {
            let bytes = self.tcp.read(into)?;
            return Ok(Read { bytes, raw: bytes });
        };
        let over = Read { bytes: 0, raw: 0 };
        let mut raw = 0;
        loop {
            match tls.reader().read(into) {
                // Its goodbye.
                Ok(0) => return Ok(over),
                Ok(bytes) => return Ok(Read { bytes, raw: raw.max(bytes) }),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Without a goodbye, as many leave.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(over),
                Err(error) => return Err(error),
            }
            if raw > 0 {
                return Ok(Read { bytes: 0, raw });
            }
            raw = tls.read_tls(&mut self.tcp)?;
            if raw == 0 {
                return Ok(over);
            }
            tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// Says that nothing more comes.
    pub(super) fn shutdown(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            self.flush()?;
        }
        self.tcp.shutdown(std::net::Shutdown::Write)
    }
}

/// 0 for a full socket.
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
