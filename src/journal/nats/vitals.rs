//! Whether the journal can be used, judged by what was seen: events and leases that the servers have stored.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::error::{JournalError, Trouble, TroubleKind};
use super::api::{FULL, Fault};
use super::figures::Stream;

/// How long nothing may be seen stored, although a lease is renewed every second.
const SILENCE: Duration = Duration::from_secs(3);

/// How long nothing may have failed until it is believed that nothing is wrong any more, if nobody appends.
const WELL: Duration = Duration::from_secs(3);

/// The health of one journal.
#[derive(Debug)]
pub(super) struct Vitals {
    state: Mutex<State>,
    health: watch::Sender<Option<Trouble>>,
}

#[derive(Debug)]
struct State {
    /// When something was last seen that the servers have stored.
    confirmed: Instant,
    /// Whether somebody renews a lease, so that silence means something.
    is_led: bool,
    /// Why the last append failed, and when.
    failed: Option<(Instant, Trouble)>,
    /// Which of the two streams is not there.
    gone: [Option<Trouble>; 2],
    /// Why the nats-server that this one is connected to can't store everything.
    unfit: Option<Trouble>,
    /// Why the journal can't be used any more, whatever is seen.
    broken: Option<JournalError>,
}

impl Vitals {
    pub(super) fn new() -> Self {
        let state = State {
            confirmed: Instant::now(),
            is_led: false,
            failed: None,
            gone: [None, None],
            unfit: None,
            broken: None,
        };
        Self { state: Mutex::new(state), health: watch::channel(None).0 }
    }

    pub(super) fn health(&self) -> watch::Receiver<Option<Trouble>> {
        self.health.subscribe()
    }

    /// An event was seen that the servers have stored.
    pub(super) fn confirm(&self) {
        self.succeed();
    }

    /// A lease was seen that the servers have stored. It says nothing of the other stream, which may be full.
    pub(super) fn confirm_lease(&self) {
        let mut state = self.state.lock();
        state.confirmed = Instant::now();
        self.judge(&mut state);
    }

    /// Whether one of the two streams is there.
    pub(super) fn found(&self, stream: Stream, gone: Option<Trouble>) {
        let mut state = self.state.lock();
        state.gone[stream as usize] = gone;
        self.judge(&mut state);
    }

    /// Whether the nats-server that this one is connected to now can store everything. Returns whether it can.
    pub(super) fn fits(&self, unfit: Option<Trouble>) -> bool {
        let mut state = self.state.lock();
        state.unfit = unfit;
        self.judge(&mut state);
        state.unfit.is_none()
    }

    /// How long ago something was last seen that the servers have stored.
    pub(super) fn confirmed_age(&self) -> Duration {
        self.state.lock().confirmed.elapsed()
    }

    /// Whether a lease is renewed at the moment.
    pub(super) fn led(&self, is_led: bool) {
        let mut state = self.state.lock();
        if is_led && !state.is_led {
            state.confirmed = Instant::now();
        }
        state.is_led = is_led;
        self.judge(&mut state);
    }

    /// An append has failed.
    pub(super) fn fail(&self, trouble: Trouble) {
        let mut state = self.state.lock();
        state.failed = Some((Instant::now(), trouble));
        self.judge(&mut state);
    }

    /// An append was stored.
    pub(super) fn succeed(&self) {
        let mut state = self.state.lock();
        state.failed = None;
        state.confirmed = Instant::now();
        self.judge(&mut state);
    }

    /// The history is not what it was: nothing can be appended until the server is started anew. Damage is the last word on a stream,
    /// but not if another stream has taken its place: that one may be sound. Returns whether this is news.
    pub(super) fn break_down(&self, error: JournalError) -> bool {
        let mut state = self.state.lock();
        let is_news = match &state.broken {
            None => true,
            Some(before) => is_replaced(&error) && !is_replaced(before),
        };
        if is_news {
            tracing::error!(%error, "the journal can't be used any further");
            state.broken = Some(error);
        }
        self.judge(&mut state);
        is_news
    }

    /// Why the journal can't be used any more.
    pub(super) fn broken(&self) -> Option<JournalError> {
        self.state.lock().broken.clone()
    }

    /// Whether nothing was seen stored for too long.
    pub(super) fn is_silent(&self) -> bool {
        let state = self.state.lock();
        state.is_led && state.broken.is_none() && state.confirmed.elapsed() > SILENCE
    }

    /// Looks whether it has become too silent.
    pub(super) fn check(&self) {
        self.judge(&mut self.state.lock());
    }

    fn judge(&self, state: &mut State) {
        let is_past = |failed: &Instant| *failed < state.confirmed && failed.elapsed() > WELL;
        if state.failed.as_ref().is_some_and(|(failed, _)| state.is_led && is_past(failed)) {
            state.failed = None;
        }
        let is_silent = state.is_led && state.confirmed.elapsed() > SILENCE;
        let missing = state.unfit.iter().chain(state.gone.iter().flatten()).next();
        let failed = missing.or(state.failed.as_ref().map(|(_, trouble)| trouble));
        let trouble = match (&state.broken, failed) {
            (Some(JournalError::Unavailable(trouble)), _) | (None, Some(trouble)) => Some(trouble.clone()),
            (Some(error), _) => Some(Trouble::from_error(TroubleKind::History, error.clone())),
            (None, None) if is_silent => Some(Trouble::new(TroubleKind::Unreachable)),
            (None, None) => None,
        };
        self.health.send_if_modified(|health| {
            let is_other = *health != trouble;
            match (&*health, &trouble) {
                (None, Some(why)) => tracing::error!(%why, "the journal cannot be written"),
                (Some(_), None) => tracing::info!("the journal can be written again"),
                _ => {}
            }
            health.clone_from(&trouble);
            is_other
        });
    }
}

/// Whether the stream is another one now.
fn is_replaced(error: &JournalError) -> bool {
    matches!(error, JournalError::Unavailable(trouble) if trouble.kind() == TroubleKind::Replaced)
}

/// What a failed request means for the journal.
pub(super) fn trouble(fault: Fault) -> Trouble {
    let is_full = matches!(&fault, Fault::Refused { code, .. } if FULL.contains(code));
    Trouble::from_error(if is_full { TroubleKind::Full } else { TroubleKind::Unreachable }, fault)
}

pub(super) fn unavailable(fault: Fault) -> JournalError {
    JournalError::Unavailable(trouble(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_stream_comes_after_damage_and_nothing_after_that() {
        let vitals = Vitals::new();
        let damage = || JournalError::Damaged { position: 4, what: "it is damaged".to_owned() };
        let replaced = || JournalError::Unavailable(Trouble::new(TroubleKind::Replaced));
        let kind = || vitals.health().borrow().as_ref().map(Trouble::kind);
        assert!(vitals.break_down(damage()) && !vitals.break_down(damage()));
        assert_eq!(kind(), Some(TroubleKind::History));
        assert!(vitals.break_down(replaced()));
        assert!(!vitals.break_down(damage()) && !vitals.break_down(replaced()));
        assert_eq!(kind(), Some(TroubleKind::Replaced));
    }

    /// Leases go into another stream than events: they are renewed also while nothing can be appended.
    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_renewed_is_no_sign_that_events_are_stored() {
        let (vitals, second) = (Vitals::new(), Duration::from_secs(1));
        let health = vitals.health();
        let is_well = || health.borrow().is_none();
        vitals.led(true);
        for _ in 0..10 {
            vitals.fail(Trouble::new(TroubleKind::Full));
            for _ in 0..2 {
                tokio::time::sleep(second).await;
                vitals.confirm_lease();
                assert!(!is_well());
            }
        }
        vitals.succeed();
        assert!(is_well());
        // Nobody tries again.
        vitals.fail(Trouble::new(TroubleKind::Full));
        for _ in 0..4 {
            tokio::time::sleep(second).await;
            vitals.confirm_lease();
        }
        assert!(is_well());
        for (stream, other) in [(Stream::Events, Stream::Control), (Stream::Control, Stream::Events)] {
            vitals.found(stream, Some(Trouble::new(TroubleKind::Unreachable)));
            vitals.found(other, None);
            vitals.confirm_lease();
            vitals.confirm();
            assert!(!is_well(), "it is not there");
            vitals.found(stream, None);
            assert!(is_well());
        }
    }
}
