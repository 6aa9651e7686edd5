//! The listening socket and the options that accepted sockets inherit from it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

/// One stalled client holds at most this much in the kernel (it doubles the figure for bookkeeping).
const SEND_BUFFER: u32 = 64 * 1024;

/// Connections that the kernel keeps until they are accepted.
pub(super) const BACKLOG: u32 = 4096;

/// Listens on `address`. A connection whose peer acknowledges nothing for `dead_after` is closed by the kernel.
pub(in crate::server) fn bind(address: SocketAddr, dead_after: Duration) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    // Otherwise a frame waits until the frame before it is acknowledged.
    socket.set_nodelay(true)?;
    set_user_timeout(&socket, dead_after);
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Event streams have no pong: only missing acknowledgements tell a machine that is gone from one that is silent.
#[cfg(target_os = "linux")]
fn set_user_timeout(socket: &TcpSocket, after: Duration) {
    // If this fails the system's own limit of about a quarter of an hour holds.
    let _ = socket2::SockRef::from(socket).set_tcp_user_timeout(Some(after));
}

#[cfg(not(target_os = "linux"))]
fn set_user_timeout(_: &TcpSocket, _: Duration) {}
