//! The door: it listens, admits connections at a bounded rate, does TLS handshakes, and gives hyper its sockets.

mod accept;
mod admission;
mod connection;
mod direct;
mod io;
mod listen;
mod lobby;
mod refuse;
mod socket;
mod tls;
mod unread;

pub(super) use accept::{Door, DoorLimits, Handshake, accept};
pub(super) use connection::{ConnectionInfo, TakeOver};
pub(super) use io::Io;
pub(super) use listen::bind;
pub(super) use socket::Socket;
pub use tls::{Identity, Pem, TlsError};
