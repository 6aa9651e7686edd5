//! The question which sessions other servers have begun. Whoever sends a cookie that this server does not know may have just logged in on
//! another one, or may be a stranger who makes ids up, and must not cost the journal a request each: everybody who waits at the same
//! time waits for one look, and looks that are asked for have some time between them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::strangers::Strangers;
use crate::journal::{JournalError, Trouble, TroubleKind};
use crate::token::Digest;

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
    strangers: Strangers,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            wanted: Notify::new(),
            begun: AtomicU64::new(0),
            answered: watch::channel((0, Ok(()))).0,
            strangers: Strangers::default(),
        }
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

    /// The same for these sessions, but at once if nobody knew any of them a moment ago. `is_known` says whether this server knows a
    /// session.
    pub(super) async fn find_out_about(
        &self,
        ids: &[Digest],
        is_known: impl Fn(&Digest) -> bool,
    ) -> Result<(), JournalError> {
        let now = Instant::now();
        if ids.iter().all(|id| self.strangers.has(id, now)) {
            return Ok(());
        }
        self.find_out().await?;
        for id in ids.iter().filter(|id| !is_known(id)) {
            self.strangers.note(*id, now);
        }
        Ok(())
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
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
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
    async fn who_sends_an_id_again_that_nobody_knows_does_not_wait_again() {
        let asked = Asked::default();
        let looking = async {
            loop {
                asked.wanted(Instant::now()).await;
                let number = asked.begin();
                asked.answer(number, Ok(()));
            }
        };
        let [stranger, other, known] = [b"a", b"b", b"c"].map(|id| Digest::of(id));
        let is_known = |id: &Digest| *id == known;
        let looks = || asked.begun.load(Ordering::SeqCst);
        let requests = async {
            asked.find_out_about(&[stranger], is_known).await.unwrap();
            let (first, began) = (looks(), Instant::now());
            for _ in 0..100 {
                asked.find_out_about(&[stranger], is_known).await.unwrap();
            }
            assert_eq!((looks(), began.elapsed()), (first, Duration::ZERO));
            // Another id, alone or beside it, may be one that has just begun, and so may one that was found.
            for ids in [vec![other, stranger], vec![known], vec![known]] {
                let before = looks();
                asked.find_out_about(&ids, is_known).await.unwrap();
                assert!(looks() > before);
            }
        };
        tokio::select! {
            () = looking => {}
            () = requests => {}
        }
        // What could not be found out is not remembered: nobody looks any more.
        let unasked = Digest::of(b"d");
        for _ in 0..2 {
            assert!(asked.find_out_about(&[unasked], is_known).await.is_err());
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
