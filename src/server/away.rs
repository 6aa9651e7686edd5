//! Sending clients to other servers while this one can't see what the others store.
//!
//! A server whose journal is its own keeps its clients: they would find the stream nowhere else.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::connection::Shards;
use crate::journal::{Journal, Trouble, TroubleKind};

/// How long this server must have been cut off. An election among the servers that store the stream takes up to ten seconds:
/// clients need not leave because of one.
const CUT_OFF: Duration = Duration::from_secs(15);

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(500);

/// The time between two clients, so that the other servers are not overrun.
const STEP: Duration = Duration::from_millis(2);

/// Within this time all have gone.
const LONGEST: Duration = Duration::from_secs(10);

/// Sends clients away for as long as this server is cut off, until `stop`: those that are there after 15 s, and every 15 s those that
/// have come since. They are let in meanwhile, because all servers may be cut off.
pub(super) async fn send_away(journal: Journal, shards: Arc<Shards>, stop: CancellationToken) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut state = State::new(Instant::now());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = looks.tick() => {}
        }
        match state.judge(&Look::of(&journal), Instant::now()) {
            Some(Judgement::Away) => {
                let clients = shards.open();
                let within = (STEP * u32::try_from(clients).unwrap_or(u32::MAX)).min(LONGEST);
                tracing::warn!(clients, "this server is cut off: its clients are sent to the others");
                shards.send_away(within);
            }
            Some(Judgement::Keep) => {
                tracing::info!("this server is not cut off any more: its clients stay");
                shards.keep();
            }
            None => {}
        }
    }
}

/// What the journal says at one moment.
struct Look {
    /// For how long nothing was seen stored, if that means something.
    silent: Duration,
    /// Whether the stream has events that this server has not read.
    lags: bool,
    head: u64,
}

impl Look {
    fn of(journal: &Journal) -> Self {
        let cluster = journal.cluster().unwrap_or_default();
        let trouble = journal.health().borrow().as_ref().map(Trouble::kind);
        let silent = if trouble == Some(TroubleKind::Unreachable) { cluster.confirmed_s } else { 0.0 };
        let silent = Duration::try_from_secs_f64(silent).unwrap_or_default();
        Self { silent, lags: cluster.lag > 0, head: journal.extent().head }
    }
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    Away,
    Keep,
}

struct State {
    /// The head, and since when this server has been behind without reading on.
    stuck: (u64, Instant),
    /// When clients were sent away last, while this server is cut off.
    sent: Option<Instant>,
}

impl State {
    fn new(now: Instant) -> Self {
        Self { stuck: (0, now), sent: None }
    }

    fn judge(&mut self, look: &Look, now: Instant) -> Option<Judgement> {
        if !look.lags || look.head != self.stuck.0 {
            self.stuck = (look.head, now);
        }
        if look.silent < CUT_OFF && now - self.stuck.1 < CUT_OFF {
            return self.sent.take().map(|_| Judgement::Keep);
        }
        if self.sent.is_some_and(|sent| now - sent < CUT_OFF) {
            return None;
        }
        self.sent = Some(now);
        Some(Judgement::Away)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is done in each second, of these looks.
    fn done(looks: impl IntoIterator<Item = (u64, bool, u64)>) -> Vec<(u64, Judgement)> {
        let start = Instant::now();
        let mut state = State::new(start);
        let mut done = Vec::new();
        for (second, (silent, lags, head)) in looks.into_iter().enumerate() {
            let second = second as u64;
            let look = Look { silent: Duration::from_secs(silent), lags, head };
            let judged = state.judge(&look, start + Duration::from_secs(second));
            done.extend(judged.map(|judged| (second, judged)));
        }
        done
    }

    #[test]
    fn clients_are_sent_away_every_15_s_while_nothing_is_seen_stored() {
        let cut_off = (0..40).map(|second| (second, false, 7));
        let well = (0..5).map(|_| (0, false, 7));
        let wanted = [(15, Judgement::Away), (30, Judgement::Away), (40, Judgement::Keep)];
        assert_eq!(done(cut_off.chain(well)), wanted);
    }

    #[test]
    fn an_election_sends_nobody_away() {
        let elections = (0..5).flat_map(|_| (0..14).map(|second| (second, false, 7)));
        assert_eq!(done(elections), []);
    }

    #[test]
    fn a_server_that_is_behind_and_reads_nothing_sends_its_clients_away() {
        let stuck = (0..20).map(|_| (0, true, 7));
        assert_eq!(done(stuck), [(15, Judgement::Away)]);
        let reads_on = (0..60).map(|second| (0, true, second / 10));
        assert_eq!(done(reads_on), []);
        let all_read = (0..60).map(|second| (0, second % 12 != 0, 7));
        assert_eq!(done(all_read), []);
    }
}
