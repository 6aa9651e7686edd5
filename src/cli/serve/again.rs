//! Starting anew: when the stream of the journal has become another one, the process drains as at its end and then becomes a
//! new one with the same flags, so that clients are told `reset` without anybody's help.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use parking_lot::Mutex;

use super::handover::{self, Changes, Pipe};
use super::notify;
use super::ready_files::ReadyFiles;
use super::tokens::{Accepted, Tokens};
use crate::cli::exit::{Exit, Failure};
use crate::cli::reread;
use crate::journal::{Journal, TroubleKind};
use crate::player::AllBegun;

/// How soon files that have a mistake are looked at again.
const LOOKS_AGAIN: Duration = Duration::from_secs(1);

/// Whether the server stops in order to start anew, and what it hands over then.
#[derive(Clone)]
pub(super) struct Again(Arc<State>);

struct State {
    wanted: AtomicBool,
    /// The program, as it was named at the start.
    program: Option<PathBuf>,
    pipes: Mutex<Vec<Pipe>>,
    port: Mutex<Option<u16>>,
    replay: Mutex<Option<(PathBuf, AllBegun)>>,
    tokens: Mutex<Option<Accepted>>,
}

impl Again {
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            wanted: AtomicBool::new(false),
            program: std::env::current_exe().ok(),
            pipes: Mutex::default(),
            port: Mutex::default(),
            replay: Mutex::default(),
            tokens: Mutex::default(),
        }))
    }

    /// The port that the server listens on, which may have been any.
    pub(super) fn keep_port(&self, port: u16) {
        *self.0.port.lock() = Some(port);
    }

    /// What is replayed.
    pub(super) fn keep_replay(&self, file: PathBuf, all_begun: AllBegun) {
        *self.0.replay.lock() = Some((file, all_begun));
    }

    /// Resolves when the stream of the journal is another one and this server can start anew. Says at once if it can't. The file with
    /// `tokens` may have a mistake then. While one of the other `files` has a mistake, it waits.
    pub(super) fn wanted(
        &self,
        journal: &Journal,
        tokens: &Tokens,
        files: ReadyFiles,
    ) -> impl Future<Output = ()> + use<> {
        if !journal.is_shared() {
            // Only the stream of a shared journal becomes another one.
            tokens.forget_text();
            reread::forget_pipes();
        }
        *self.0.tokens.lock() = tokens.accepted();
        let (mut health, state) = (journal.health(), Arc::clone(&self.0));
        let given = || std::env::args_os().skip(1);
        let fixed = if journal.is_shared() { handover::hindrance(given()) } else { None };
        let inside = if journal.is_shared() { handover::hindrance_inside(given()) } else { None };
        if let Some(why) = fixed.as_ref().or(inside.as_ref()) {
            tracing::warn!(
                "if the stream is restored, remade or purged, this server can't start anew by itself: {why}"
            );
        }
        async move {
            let is_replaced = health.wait_for(|trouble| {
                trouble.as_ref().is_some_and(|trouble| trouble.kind() == TroubleKind::Replaced)
            });
            if is_replaced.await.is_err() {
                // The journal was closed: the server stops for another reason.
                return std::future::pending().await;
            }
            let pipes = match fixed.or_else(|| handover::hindrance_inside(given())) {
                Some(why) => Err(why),
                None => tokio::task::spawn_blocking(handover::pipes)
                    .await
                    .unwrap_or_else(|error| Err(error.to_string())),
            };
            match pipes {
                Ok(pipes) => *state.pipes.lock() = pipes,
                Err(why) => {
                    // Clients can read what it has; to stop would end that too, for nothing.
                    tracing::error!(
                        "the stream of the journal is another one, and this server can't start anew by itself: {why}; \
                         stop it and start it again"
                    );
                    return std::future::pending().await;
                }
            }
            until_ready(files).await;
            tracing::warn!("the stream of the journal is another one: this server starts anew");
            state.wanted.store(true, Ordering::SeqCst);
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

    /// If it is to start anew, waits until the new process would: a file may have got a mistake while this one drained.
    pub(super) async fn until_ready(&self, files: ReadyFiles) {
        if self.0.wanted.load(Ordering::SeqCst) {
            until_ready(files).await;
        }
    }

    /// Starts the program anew if that is wanted. Comes back only if it is not, or can't be done.
    pub(super) fn begin(&self) -> Result<(), Failure> {
        if !self.0.wanted.load(Ordering::SeqCst) {
            return Ok(());
        }
        let error = self.0.replace();
        Err(Failure::new(Exit::Connection, anyhow!("the server can't start anew: {error}"))
            .hint("start it again"))
    }
}

/// Waits until a new process would start with the files. Meanwhile clients can read what this one has.
async fn until_ready(files: ReadyFiles) {
    let mut told = String::new();
    loop {
        let asked = files.clone();
        let Ok(Err(why)) = tokio::task::spawn_blocking(move || asked.check()).await else { return };
        if why != told {
            tracing::error!(
                "the stream of the journal is another one, and this server starts anew as soon as this is mended: {why}"
            );
            told = why;
        }
        tokio::time::sleep(LOOKS_AGAIN).await;
    }
}

impl State {
    /// Whether the replay has to be continued. What has begun is in the journal and goes on without it.
    #[cfg(unix)]
    fn replays(&self) -> bool {
        let replay = self.replay.lock();
        let Some((file, _)) = replay.as_ref().filter(|(_, all_begun)| !all_begun.get()) else { return false };
        if handover::is_pipe(file) {
            let file = file.display();
            tracing::warn!(
                "the rest of the replay is left out: {file} is a pipe, which can be read only once"
            );
            return false;
        }
        true
    }

    /// Replaces the process, and returns why that can't be done.
    #[cfg(unix)]
    fn replace(&self) -> std::io::Error {
        use std::os::unix::process::CommandExt;

        let (pipes, port) = (self.pipes.lock(), *self.port.lock());
        let changes = Changes { replays: self.replays(), port, pipes: &pipes };
        let arguments = handover::arguments(std::env::args_os().skip(1), &changes);
        let tokens = self.tokens.lock().as_ref().and_then(Accepted::text);
        let tokens = tokens.and_then(|text| match Pipe::filled("the file with tokens".to_owned(), text) {
            Ok(pipe) => Some(pipe),
            Err(why) => {
                tracing::warn!("{why}: the new process needs a file with tokens that has no mistake");
                None
            }
        });
        let mut failed = std::io::Error::other("the path of the program is not known");
        for program in self.programs() {
            let mut command = std::process::Command::new(program);
            if let Some(name) = std::env::args_os().next() {
                command.arg0(name);
            }
            // What an earlier process has handed over is read already.
            match &tokens {
                Some(pipe) => command.env(handover::TOKENS, pipe.path()),
                None => command.env_remove(handover::TOKENS),
            };
            failed = command.args(&arguments).exec();
        }
        failed
    }

    /// Where the program may be, the best first: this one, by its name and then, as that may have been removed since, by the
    /// kernel's link to what runs; and what has its name now, a new version.
    #[cfg(unix)]
    fn programs(&self) -> impl Iterator<Item = PathBuf> {
        let link = cfg!(target_os = "linux").then(|| PathBuf::from("/proc/self/exe"));
        std::env::current_exe().ok().into_iter().chain(link).chain(self.program.clone())
    }

    #[cfg(not(unix))]
    fn replace(&self) -> std::io::Error {
        std::io::Error::other("this system can't replace a process")
    }
}
