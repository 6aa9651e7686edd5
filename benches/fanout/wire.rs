//! A load client's socket: plain, or with a TLS session above it.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;
use rustls::{ClientConnection, HandshakeKind};

/// What one turn of decrypting gives at most.
const DECRYPTED: usize = 64 * 1024;

pub(crate) struct Wire {
    pub(crate) socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Wire {
    pub(crate) fn new(socket: TcpStream, tls: Option<ClientConnection>) -> Self {
        Self { socket, tls: tls.map(Box::new) }
    }

    /// Whether the TLS session goes on from an earlier one.
    pub(crate) fn is_resumed(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.handshake_kind() == Some(HandshakeKind::Resumed))
    }

    /// Writes all of it; over TLS behind the handshake, if that is not done.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            None => self.socket.write_all(bytes),
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                self.flush()
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// Calls `each` for what the bytes of the socket say.
    pub(crate) fn understand(
        &mut self,
        mut raw: &[u8],
        mut each: impl FnMut(&mut Self, &[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.tls.is_none() {
            return each(self, raw);
        }
        let mut plain = vec![0; DECRYPTED.min(raw.len())];
        while !raw.is_empty() {
            let Some(tls) = &mut self.tls else { break };
            tls.read_tls(&mut raw)?;
            tls.process_new_packets()?;
            self.flush()?;
            while let Some(tls) = &mut self.tls {
                match tls.reader().read(&mut plain) {
                    Ok(0) => return Ok(()),
                    Ok(length) => each(self, &plain[..length])?,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}
