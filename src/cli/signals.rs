//! Ctrl-C and SIGTERM.

/// Resolves at the first ctrl-c or SIGTERM. A second one ends the process at once.
pub(super) async fn shutdown() {
    signal().await;
    tokio::spawn(async {
        signal().await;
        std::process::exit(super::Exit::Interrupted as i32);
    });
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    // Without a handler the signals do what they always do: end the process.
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
