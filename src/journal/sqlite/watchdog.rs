//! Notices a disk that hangs. The writer waits in a system call then and can say nothing, so another thread looks whether it
//! gets anywhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::watch;

use super::super::error::{Trouble, TroubleKind};
use super::place::Changed;

/// How often the thread looks.
const TICK: Duration = Duration::from_millis(250);

/// How often the writer is found at the same piece of work before the disk is said to hang: after 5 s. Looks are counted and
/// not seconds, because a process that was stopped and goes on has missed seconds and no look.
const TICKS: u32 = 20;

/// What the writer is at: odd while it works, and another number for each piece of work.
#[derive(Debug, Clone, Default)]
pub(super) struct Work(Arc<AtomicU64>);

impl Work {
    /// The writer begins a piece of work.
    pub(super) fn begin(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// It is done.
    pub(super) fn end(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Looks after the writer until `ended` loses its sender. The writer itself takes the trouble back, once it can write.
pub(super) fn watch(work: &Work, health: &watch::Sender<Option<Trouble>>, ended: &Receiver<()>) {
    let (mut before, mut ticks) = (0, 0);
    while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        let now = work.0.load(Ordering::Relaxed);
        ticks = if now % 2 == 1 && now == before { ticks + 1 } else { 0 };
        before = now;
        if ticks == TICKS {
            let seconds = (TICK * TICKS).as_secs();
            let what = Changed(format!("a write has lasted longer than {seconds} s"));
            let trouble = Trouble::from_error(TroubleKind::Hung, what);
            tracing::error!(why = %trouble, "the journal cannot be written");
            health.send_replace(Some(trouble));
        }
    }
}
