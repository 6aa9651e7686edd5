//! Tells a service manager when the server is ready and when it stops: systemd's `Type=notify`.

#[cfg(unix)]
use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::net::UnixDatagram,
    thread,
    time::Duration,
};

/// The server answers now.
pub(super) fn ready() {
    tell("READY=1");
}

/// The server has begun to stop, which takes as long as `--drain` at most.
pub(super) fn stopping() {
    tell("STOPPING=1");
}

/// How long a manager that does not read its socket is waited for. Nothing else waits.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(60);

/// One datagram to the socket in `NOTIFY_SOCKET`, if there is one.
#[cfg(unix)]
fn tell(state: &'static str) {
    let Some(address) = std::env::var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty()) else {
        return;
    };
    let sent = UnixDatagram::unbound().and_then(|socket| {
        socket.set_nonblocking(true)?;
        match send(&socket, state, &address) {
            // Its queue is full.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tell_later(socket, state, address),
            sent => sent,
        }
    });
    if let Err(error) = sent {
        cannot(state, &error);
    }
}

/// Tells it as soon as it reads again, on a thread that keeps the process from nothing.
#[cfg(unix)]
fn tell_later(socket: UnixDatagram, state: &'static str, address: OsString) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let tell = move || {
        if let Err(error) = send(&socket, state, &address) {
            cannot(state, &error);
        }
    };
    thread::Builder::new().name("notify".to_owned()).spawn(tell).map(drop)
}

#[cfg(unix)]
fn send(socket: &UnixDatagram, state: &str, address: &OsStr) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if let Some(name) = address.as_encoded_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        return socket.send_to_addr(state.as_bytes(), &address).map(drop);
    }
    socket.send_to(state.as_bytes(), address).map(drop)
}

#[cfg(unix)]
fn cannot(state: &str, error: &io::Error) {
    tracing::warn!(%error, "cannot tell the service manager {state}");
}

#[cfg(not(unix))]
fn tell(_: &str) {}
