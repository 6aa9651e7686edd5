//! Whoever reads stdout: a command that only prints ends with them, also while it has nothing to print.

/// Resolves when the reader of stdout has gone, as in `incident watch | head -1`. Never where stdout is a file or the like: it has none.
/// Must be called in a runtime.
pub(super) async fn leaves() {
    #[cfg(unix)]
    if let Some(stdout) = end_of_pipe()
        && stdout.ready(tokio::io::Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// Stdout as something that tells of its other end. Nothing is written through it.
#[cfg(unix)]
fn end_of_pipe() -> Option<tokio::net::unix::pipe::Sender> {
    use std::os::fd::AsFd;

    let stdout = std::io::stdout().as_fd().try_clone_to_owned().ok()?;
    // What would be checked would also make stdout one that never waits, for everybody who has it.
    tokio::net::unix::pipe::Sender::from_owned_fd_unchecked(stdout).ok()
}
