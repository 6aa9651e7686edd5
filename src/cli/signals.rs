//! Signals: ctrl-c, SIGTERM, SIGHUP and SIGXFSZ.

#[cfg(unix)]
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::exit::{Exit, Failure};
use super::out;
use super::runtime::runtime;
use crate::journal::Stop;

/// A signal that follows another one within this time is the same wish: `timeout` and others send it to the process and to its group.
const ONE_WISH: Duration = Duration::from_millis(250);

/// When the process was first told to stop.
static FIRST: OnceLock<Instant> = OnceLock::new();

/// Resolves at the first ctrl-c or SIGTERM after this call, or when the terminal is closed. A second ctrl-c or SIGTERM ends the
/// process at once. Must be called in a runtime.
pub(super) fn shutdown() -> impl Future<Output = ()> {
    let mut signals = Signals::new();
    let closed = Closed::new();
    async move {
        tokio::select! {
            () = signals.next() => {}
            () = closed.wait() => {}
        }
        let first = Instant::now();
        let _ = FIRST.set(first);
        tokio::spawn(async move {
            // The kernel and the shell both send SIGHUP: the second one is no wish for haste.
            signals.after(first).await;
            out::leave_drawing();
            std::process::exit(Exit::Interrupted as i32);
        });
    }
}

/// Does work that takes long, on a thread of its own. Ctrl-c, SIGTERM or the end of the terminal makes it a wish that the work ends soon,
/// a second ctrl-c or SIGTERM ends the process at once.
pub(super) fn until_stopped<T: Send + 'static>(
    work: impl FnOnce(&Stop) -> T + Send + 'static,
) -> Result<T, Failure> {
    let stop = Stop::default();
    let wished = stop.clone();
    runtime()?.block_on(async move {
        let shutdown = shutdown();
        let work = tokio::task::spawn_blocking(move || work(&wished));
        tokio::pin!(work);
        let done = tokio::select! {
            done = &mut work => done,
            () = shutdown => {
                stop.wish();
                work.await
            }
        };
        done.map_err(|error| Failure::new(Exit::Internal, error))
    })
}

/// Does the last work of the process. Ctrl-c or SIGTERM ends it at once, although the runtime that has handled them is gone.
pub(super) fn end_after(work: impl FnOnce() + Send + 'static) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return work();
    };
    runtime.block_on(async {
        let mut signals = Signals::new();
        tokio::select! {
            // If it panics, there is nothing left to do.
            _ = tokio::task::spawn_blocking(work) => {}
            () = signals.again() => std::process::exit(Exit::Interrupted as i32),
        }
    });
}

/// From now on, reaching the limit on file sizes (`ulimit -f`) is a write error, as a full disk is, and does not end the
/// process. Must be called in a runtime.
pub(super) fn outlive_file_limits() {
    // tokio has no name for SIGXFSZ. Its number is 25 on these platforms and another one on some others.
    #[cfg(any(
        target_os = "macos",
        all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))
    ))]
    if let Err(error) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(25)) {
        tracing::debug!(%error, "cannot handle SIGXFSZ: reaching the limit on file sizes ends the process");
    }
}

/// Whether the process is in a terminal. `nohup` leaves nothing of it but, on some systems, its input.
#[cfg(unix)]
fn in_terminal() -> bool {
    let input = cfg!(target_os = "linux") && std::io::stdin().is_terminal();
    input || std::io::stdout().is_terminal() || std::io::stderr().is_terminal()
}

/// Whether the process was started so that closing its terminal does not end it, as by `trap '' HUP`. Only Linux tells.
#[cfg(unix)]
fn ignores_hangups() -> bool {
    static AT_START: OnceLock<bool> = OnceLock::new();
    // Not any more once SIGHUP is handled.
    *AT_START.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
    })
}

/// SIGHUP in a terminal: it was closed.
struct Closed(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Closed {
    /// Must be called in a runtime.
    fn new() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let is_told = !ignores_hangups() && in_terminal();
            Self(if is_told { signal(SignalKind::hangup()).ok() } else { None })
        }
        #[cfg(not(unix))]
        Self()
    }

    async fn wait(mut self) {
        #[cfg(unix)]
        if let Some(hangup) = &mut self.0 {
            hangup.recv().await;
            return;
        }
        std::future::pending::<()>().await;
    }
}

/// SIGHUP as a request to read files again. In a terminal it has its usual meaning: the terminal was closed.
pub(super) struct Hangups(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangups {
    /// Must be called in a runtime.
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        ignores_hangups();
        Self(if in_terminal() { None } else { signal(SignalKind::hangup()).ok() })
    }

    pub(super) async fn next(&mut self) {
        match &mut self.0 {
            Some(hangup) => drop(hangup.recv().await),
            None => std::future::pending().await,
        }
    }
}

/// Handles SIGHUP from this call on, so that it does not end a server that has no file to read again. Must be called in a
/// runtime; the future never resolves. `read` says whether something else reads files at SIGHUP.
pub(super) fn survive_hangups() -> impl AsyncFnOnce(bool) {
    let mut hangups = Hangups::new();
    async move |read| {
        loop {
            hangups.next().await;
            if !read {
                tracing::info!("SIGHUP: the server has no file to read again");
            }
        }
    }
}

#[cfg(not(unix))]
impl Hangups {
    pub(super) fn new() -> Self {
        Self()
    }

    pub(super) async fn next(&mut self) {
        std::future::pending().await
    }
}

impl Signals {
    /// Resolves at a signal that is another wish than the one at that time.
    async fn after(&mut self, first: Instant) {
        loop {
            self.next().await;
            if first.elapsed() >= ONE_WISH {
                return;
            }
        }
    }

    /// The same, of a process that may have been told to stop before.
    async fn again(&mut self) {
        match FIRST.get() {
            Some(first) => self.after(*first).await,
            None => self.next().await,
        }
    }
}

#[cfg(unix)]
struct Signals(Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>);

#[cfg(unix)]
impl Signals {
    /// If no handler can be set, the signals end the process as usual.
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok()))
    }

    async fn next(&mut self) {
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
