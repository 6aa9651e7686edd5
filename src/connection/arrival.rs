//! A client whose WebSocket handshake is done, on its way to a shard.

use std::net::TcpStream;

use bytes::Bytes;
use rustls::ServerConnection;
use tokio::sync::OwnedSemaphorePermit;

use crate::delivery::Lease;

/// A client whose handshake is done.
pub struct Arrival {
    /// Its socket, non-blocking.
    pub tcp: TcpStream,
    /// The TLS session above it, its handshake done too.
    pub tls: Option<Box<ServerConnection>>,
    /// What the client sent behind the handshake.
    pub tail: Vec<u8>,
    /// The part of its opening frame that is not written yet.
    pub unsent: Bytes,
    /// The position after which its events begin.
    pub cursor: u64,
    /// Its slot among the clients, given back when dropped.
    pub slot: OwnedSemaphorePermit,
    /// `None` on a server without tokens.
    pub lease: Option<Lease>,
}
