//! A client that was let in, on its way to a shard.

use std::net::{IpAddr, TcpStream};

use bytes::Bytes;
use rustls::ServerConnection;
use tokio::sync::OwnedSemaphorePermit;

use super::beginning::Beginning;
use super::dialect::Dialect;
use crate::delivery::Lease;

/// A client that was let in, and whose response has begun.
pub struct Arrival {
    /// Its socket, non-blocking.
    pub tcp: TcpStream,
    /// The TLS session above it, its handshake done too.
    pub tls: Option<Box<ServerConnection>>,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// What a WebSocket's client sent behind its handshake.
    pub tail: Vec<u8>,
    /// How its stream begins.
    pub beginning: Beginning,
    /// The part of that, and of the response's head, that is not written yet.
    pub unsent: Bytes,
    /// Its slot among the clients, given back when dropped.
    pub slot: OwnedSemaphorePermit,
    /// The network that it comes from.
    pub network: IpAddr,
    /// `None` on a server without tokens.
    pub lease: Option<Lease>,
}
