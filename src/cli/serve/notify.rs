//! Tells a service manager when the server is ready and when it stops: systemd's `Type=notify`.

/// The server answers now.
pub(super) fn ready() {
    tell("READY=1");
}

/// The server has begun to stop, which takes as long as `--drain` at most.
pub(super) fn stopping() {
    tell("STOPPING=1");
}

/// One datagram to the socket in `NOTIFY_SOCKET`, if there is one.
#[cfg(unix)]
fn tell(state: &str) {
    use std::os::unix::net::UnixDatagram;
    let Some(address) = std::env::var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty()) else {
        return;
    };
    let sent = UnixDatagram::unbound().and_then(|socket| {
        #[cfg(target_os = "linux")]
        if let Some(name) = address.as_encoded_bytes().strip_prefix(b"@") {
            use std::os::linux::net::SocketAddrExt;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            return socket.send_to_addr(state.as_bytes(), &address);
        }
        socket.send_to(state.as_bytes(), &address)
    });
    if let Err(error) = sent {
        tracing::warn!(%error, "cannot tell the service manager {state}");
    }
}

#[cfg(not(unix))]
fn tell(_: &str) {}
