//! Starting anew: when the stream of the journal has become another one, the process drains as at its end and then becomes a
//! new one with the same flags, so that clients are told `reset` without anybody's help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;

use super::notify;
use crate::cli::exit::{Exit, Failure};
use crate::journal::{Journal, TroubleKind};

/// Whether the server stops in order to start anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Again(Arc<AtomicBool>);

impl Again {
    /// Resolves when the stream of the journal is another one.
    pub(super) fn wanted(&self, journal: &Journal) -> impl Future<Output = ()> + use<> {
        let (mut health, wanted) = (journal.health(), Arc::clone(&self.0));
        async move {
            let is_replaced = health.wait_for(|trouble| {
                trouble.as_ref().is_some_and(|trouble| trouble.kind() == TroubleKind::Replaced)
            });
            if is_replaced.await.is_err() {
                // The journal was closed: the server stops for another reason.
                std::future::pending::<()>().await;
            }
            tracing::warn!("the stream of the journal is another one: this server starts anew");
            wanted.store(true, Ordering::SeqCst);
        }
    }

    /// Resolves when the server has to stop: at a signal, or because the stream is another one.
    pub(super) async fn or_end(
        &self,
        signal: impl Future<Output = ()> + Send + 'static,
        is_other: impl Future<Output = ()>,
    ) {
        let mut signal = Box::pin(signal);
        tokio::select! {
            () = &mut signal => notify::stopping(),
            () = is_other => {
                // A signal while it drains ends it.
                tokio::spawn(async move {
                    signal.await;
                    std::process::exit(Exit::Interrupted as i32);
                });
            }
        }
    }

    /// Starts the program anew if that is wanted. Comes back only if it is not, or can't be done.
    pub(super) fn begin(&self) -> Result<(), Failure> {
        if !self.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        let error = replace();
        Err(Failure::new(Exit::Connection, anyhow!("the server can't start anew: {error}"))
            .hint("start it again"))
    }
}

#[cfg(unix)]
fn replace() -> std::io::Error {
    use std::os::unix::process::CommandExt;

    match std::env::current_exe() {
        Ok(program) => std::process::Command::new(program).args(std::env::args_os().skip(1)).exec(),
        Err(error) => error,
    }
}

#[cfg(not(unix))]
fn replace() -> std::io::Error {
    std::io::Error::other("this system can't replace a process")
}
