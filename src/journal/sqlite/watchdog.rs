//! Notices a disk that hangs. What reads or writes waits in a system call then and can say nothing, so another thread looks
//! whether it gets anywhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::super::error::{Trouble, TroubleKind};
use super::condition::Condition;
use super::place::Changed;
use super::reads::Reads;

/// How often the thread looks.
const TICK: Duration = Duration::from_millis(250);

/// How often the writer, or a read, is found at the same piece of work before the disk is said to hang: after 5 s. Looks are counted and
/// not seconds, because a process that was stopped and goes on has missed seconds and no look.
const TICKS: u32 = 20;

/// What the writer is at: odd while it works, and another number for each piece of work.
#[derive(Debug, Clone, Default)]
pub(super) struct Work(Arc<Doing>);

#[derive(Debug, Default)]
struct Doing {
    piece: AtomicU64,
    /// Whether it checks the whole journal, which takes seconds with a large one.
    is_check: AtomicBool,
}

impl Work {
    /// The writer begins a piece of work.
    pub(super) fn begin(&self) {
        self.0.piece.fetch_add(1, Ordering::Relaxed);
    }

    /// It is done.
    pub(super) fn end(&self) {
        self.0.piece.fetch_add(1, Ordering::Relaxed);
    }

    /// A part of it is a check of the whole journal.
    pub(super) fn checking<T>(&self, check: impl FnOnce() -> T) -> T {
        self.0.is_check.store(true, Ordering::Relaxed);
        let checked = check();
        self.0.is_check.store(false, Ordering::Relaxed);
        checked
    }
}

/// Looks after the writer and the reads until `ended` loses its sender. The writer itself takes its trouble back, once it can
/// write.
pub(super) fn watch(work: &Work, reads: &Reads, condition: &Condition, ended: &Receiver<()>) {
    let (mut before, mut ticks, mut hung) = (0, 0, false);
    while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        let now = work.0.piece.load(Ordering::Relaxed);
        ticks = if now % 2 == 1 && now == before { ticks + 1 } else { 0 };
        before = now;
        if ticks == TICKS {
            let trouble = if work.0.is_check.load(Ordering::Relaxed) { check() } else { hang("write") };
            tracing::error!(why = %trouble, "the journal cannot be written");
            condition.set_writer(Some(trouble));
        }
        let hangs = reads.hang(TICKS);
        if hangs != std::mem::replace(&mut hung, hangs) {
            let trouble = hangs.then(|| hang("read"));
            match &trouble {
                Some(why) => tracing::error!(%why, "the journal cannot be read"),
                None => tracing::info!("the journal can be read again"),
            }
            condition.set_reads(trouble);
        }
    }
}

/// Nothing is wrong with the disk.
fn check() -> Trouble {
    let what = "the whole of it is being checked, because another program has written into it or a commit has failed";
    Trouble::from_error(TroubleKind::Changed, Changed(what.to_owned()))
}

fn hang(what: &str) -> Trouble {
    let seconds = (TICK * TICKS).as_secs();
    Trouble::from_error(TroubleKind::Hung, Changed(format!("a {what} has lasted longer than {seconds} s")))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_check_that_lasts_is_no_disk_that_hangs() {
        let (work, reads, condition) = (Work::default(), Reads::default(), Condition::default());
        let (stop, ended) = channel::<()>();
        thread::scope(|scope| {
            let (work, reads, condition) = (&work, &reads, &condition);
            scope.spawn(move || watch(work, reads, condition, &ended));
            work.begin();
            work.checking(|| {
                let began = Instant::now();
                while condition.writer().is_none() && began.elapsed() < Duration::from_secs(60) {
                    thread::sleep(TICK);
                }
            });
            drop(stop);
        });
        let trouble = condition.writer();
        assert_eq!(trouble.as_ref().map(Trouble::kind), Some(TroubleKind::Changed));
        assert!(trouble.is_some_and(|trouble| trouble.to_string().contains("being checked")));
    }
}
