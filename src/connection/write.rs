//! Writing shared frames straight to the socket, and what happens when it takes no more.

use std::io::{ErrorKind, IoSlice};

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Connection, End};

/// Slices a vectored write takes at once: above a hundred the kernel gains nothing.
const SLICES: usize = 128;

/// The send buffer of a slow client's socket is raised to this for the rest of a frame and the close frame.
const ROOM_TO_CLOSE: usize = 1024 * 1024;

impl Connection {
    /// Writes whole frames, as many a system call as the socket takes. A full socket has the write deadline to
    /// take at least something. `events`: frames that move the cursor, so that the reason of a close names the last
    /// one that went out whole.
    pub(super) async fn write(&mut self, frames: &[Bytes], events: bool) -> Result<(), End> {
        // Whatever tungstenite has to say (a pong) goes first and whole. Almost always it has nothing to say: then
        // no timer is made.
        let flushed = match self.socket.flush().now_or_never() {
            Some(flushed) => Ok(flushed),
            None => timeout(self.settings.write_deadline, self.socket.flush()).await,
        };
        match flushed {
            Ok(flushed) => flushed.map_err(End::of)?,
            Err(_) => return Err(End::Slow(self.position())),
        }
        let tcp = self.socket.get_ref();
        let mut rest = Rest { frames, offset: 0 };
        while !rest.frames.is_empty() {
            match rest.write_to(tcp) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let full = tokio::select! {
                        writable = timeout(self.settings.write_deadline, tcp.writable()) => match writable {
                            Ok(Ok(())) => continue,
                            Ok(Err(_)) => return Err(End::Gone),
                            Err(_) => End::Slow,
                        },
                        // Nobody waits for a full socket when the server stops.
                        () = async { drop(self.drain.wait_for(Option::is_some).await) } => |_| End::Restart,
                    };
                    let whole = rest.finish_frame(tcp);
                    let mut position = self.position();
                    if events {
                        position.n += (frames.len() - rest.frames.len()) as u64;
                    }
                    return Err(if whole { full(position) } else { End::Stuck(position) });
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(End::Gone),
            }
        }
        Ok(())
    }
}

/// What is not written yet: whole frames, but for the first `offset` bytes of the first.
struct Rest<'a> {
    frames: &'a [Bytes],
    offset: usize,
}

impl Rest<'_> {
    fn write_to(&mut self, tcp: &TcpStream) -> std::io::Result<()> {
        let mut written = match self.frames {
            [frame] => tcp.try_write(&frame[self.offset..])?,
            frames => {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let count = frames.len().min(SLICES);
                for (slice, frame) in slices.iter_mut().zip(frames) {
                    *slice = IoSlice::new(frame);
                }
                slices[0] = IoSlice::new(&frames[0][self.offset..]);
                tcp.try_write_vectored(&slices[..count])?
            }
        };
        if written == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        while let Some(first) = self.frames.first() {
            let left = first.len() - self.offset;
            if written < left {
                self.offset += written;
                break;
            }
            written -= left;
            self.offset = 0;
            self.frames = &self.frames[1..];
        }
        Ok(())
    }

    /// A close frame can only stand on a frame's boundary: pushes the rest of a half-written frame into a send
    /// buffer that is made larger for it.
    fn finish_frame(&mut self, tcp: &TcpStream) -> bool {
        if SockRef::from(tcp).set_send_buffer_size(ROOM_TO_CLOSE).is_err() {
            return self.offset == 0;
        }
        while self.offset > 0 {
            // Straight to the system: the runtime remembers the socket as full and would not even try.
            match SockRef::from(tcp).send(&self.frames[0][self.offset..]) {
                Ok(written) if written > 0 => self.offset += written,
                _ => return false,
            }
            if self.offset == self.frames[0].len() {
                self.offset = 0;
                self.frames = &self.frames[1..];
            }
        }
        true
    }
}
