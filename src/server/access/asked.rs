//! The question which sessions other servers have begun. Whoever sends a cookie that this server does not know may have just logged in on
//! another one, or may be a stranger who makes ids up, and must not cost the journal a request each: everybody who waits at the same
//! time waits for one look, and looks that are asked for have some time between them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::journal::{JournalError, Trouble, TroubleKind};

/// The time between the begin of a look and of the next one that somebody asks for.
const APART: Duration = Duration::from_millis(100);

/// How long somebody waits: mostly for the look that is on its way, and the next one.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was asked and answered so far.
pub(super) struct Asked {
    /// Somebody waits.
    wanted: Notify,
    /// How many looks were begun.
    begun: AtomicU64,
    /// The number of the last one that has ended, and whether everything was read.
    answered: watch::Sender<(u64, Result<(), JournalError>)>,
}

impl Default for Asked {
    fn default() -> Self {
        Self { wanted: Notify::new(), begun: AtomicU64::new(0), answered: watch::channel((0, Ok(()))).0 }
    }
}

impl Asked {
    /// Waits until this server knows the sessions that others have begun and ended before the call.
    pub(super) async fn find_out(&self) -> Result<(), JournalError> {
        // A look that is on its way may have passed the place where the session stands.
        let before = self.begun.load(Ordering::SeqCst);
        let mut answered = self.answered.subscribe();
        self.wanted.notify_one();
        let waiting = answered.wait_for(|(number, _)| *number > before);
        match timeout(PATIENCE, waiting).await {
            Ok(Ok(answered)) => answered.1.clone(),
            Ok(Err(_)) | Err(_) => Err(JournalError::Unavailable(Trouble::new(TroubleKind::Unreachable))),
        }
    }

    /// Waits until somebody waits and the last look is long enough ago.
    pub(super) async fn wanted(&self, last: Instant) {
        self.wanted.notified().await;
        sleep_until(last + APART).await;
    }

    /// A look begins. Gives its number.
    pub(super) fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The look with this number has ended.
    pub(super) fn answer(&self, number: u64, outcome: Result<(), JournalError>) {
        drop(self.answered.send_replace((number, outcome)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_share_one_look_and_looks_have_time_between_them() {
        let asked = Arc::new(Asked::default());
        let began = Instant::now();
        let looking = {
            let asked = Arc::clone(&asked);
            async move {
                let mut last = Instant::now();
                loop {
                    asked.wanted(last).await;
                    last = Instant::now();
                    let number = asked.begin();
                    asked.answer(number, Ok(()));
                }
            }
        };
        let strangers = async {
            for round in 1..=5 {
                let all = (0..1_000).map(|_| asked.find_out());
                assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
                assert!(began.elapsed() >= APART * round);
                assert!(asked.begun.load(Ordering::SeqCst) <= u64::from(round) * 2);
            }
        };
        tokio::select! {
            () = looking => {}
            () = strangers => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let asked = Asked::default();
        // It had begun before.
        let number = asked.begin();
        let answer = async { asked.answer(number, Ok(())) };
        let (found, ()) = tokio::join!(asked.find_out(), answer);
        assert!(matches!(found, Err(JournalError::Unavailable(_))));
    }
}
