//! A socket as a shard uses it: plain, or with TLS of its own above it.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use bytes::Bytes;
use mio::net::TcpStream;
use rustls::ServerConnection;

/// Slices that a vectored write takes at once: above a hundred the kernel gains nothing.
const SLICES: usize = 128;

/// What TLS may hold that the socket did not take yet: a full socket is to be noticed.
const TLS_BUFFER: usize = 64 * 1024;

/// A non-blocking socket.
pub(super) struct Wire {
    pub(super) tcp: TcpStream,
    tls: Option<Box<ServerConnection>>,
    /// It was full once. Most never are: only for those it is watched when they take something again.
    was_full: bool,
    is_watched: bool,
}

impl Wire {
    pub(super) fn new(tcp: TcpStream, mut tls: Option<Box<ServerConnection>>) -> Self {
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(Some(TLS_BUFFER));
        }
        Self { tcp, tls, was_full: false, is_watched: false }
    }

    /// Whether TLS may have read more than it gave: no event would tell.
    pub(super) fn may_hold_back(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether it is to be watched from now on for when it takes something again. Says so once.
    pub(super) fn is_to_be_watched(&mut self) -> bool {
        self.was_full && !std::mem::replace(&mut self.is_watched, true)
    }

    /// Bytes that were taken; 0 if the socket is full.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = match &mut self.tls {
            None => taken(|| self.tcp.write(bytes))?,
            Some(tls) => {
                if push(tls, &mut self.tcp)? {
                    let written = tls.writer().write(bytes)?;
                    push(tls, &mut self.tcp)?;
                    written
                } else {
                    0
                }
            }
        };
        self.was_full |= taken < bytes.len();
        Ok(taken)
    }

    /// As [`Wire::write`], for frames in a row.
    pub(super) fn write_frames(&mut self, frames: &[Bytes]) -> io::Result<usize> {
        if let [frame] = frames {
            return self.write(frame);
        }
        if self.tls.is_none() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = frames.len().min(SLICES);
            for (slice, frame) in slices.iter_mut().zip(frames) {
                *slice = IoSlice::new(frame);
            }
            let taken = taken(|| self.tcp.write_vectored(&slices[..count]))?;
            self.was_full |= taken < slices[..count].iter().map(|slice| slice.len()).sum();
            return Ok(taken);
        }
        let mut written = 0;
        for frame in frames {
            let took = self.write(frame)?;
            written += took;
            if took < frame.len() {
                break;
            }
        }
        Ok(written)
    }

    /// Whether everything that was taken is with the system: TLS may hold something back.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        let through = self.tls.as_mut().map_or(Ok(true), |tls| push(tls, &mut self.tcp))?;
        self.was_full |= !through;
        Ok(through)
    }

    /// As of a socket: `WouldBlock` if nothing is there, 0 at the end.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.tcp.read(into) };
        loop {
            match tls.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Without a goodbye, as many leave.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                other => return other,
            }
            if tls.read_tls(&mut self.tcp)? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// Says that nothing more comes.
    pub(super) fn shutdown(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            push(tls, &mut self.tcp)?;
        }
        self.tcp.shutdown(std::net::Shutdown::Write)
    }
}

/// Gives the system what TLS holds. Whether it took all of it.
fn push(tls: &mut ServerConnection, tcp: &mut TcpStream) -> io::Result<bool> {
    while tls.wants_write() {
        if taken(|| tls.write_tls(tcp))? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
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
