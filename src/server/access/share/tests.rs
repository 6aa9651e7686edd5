//! How old the sessions of other servers are, and how many of them a round tells of.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::*;
use crate::contract::StreamId;
use crate::journal::{Lease, Leases, Memory, Pending, Register, Retention};
use crate::token::Token;

/// How long a note takes to be written.
const TAKES: Duration = Duration::from_millis(4);

/// The notes of all servers, which remember what was asked of them.
#[derive(Default)]
struct Notes {
    asked: Mutex<Vec<Asked>>,
    revision: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Shelf,
    Note,
    Forget,
}

impl Notes {
    /// How often this was asked without a look in between.
    fn rounds(&self, what: Asked) -> Vec<usize> {
        let asked = self.asked.lock();
        let rounds = asked.split(|asked| *asked == Asked::Shelf);
        rounds
            .map(|round| round.iter().filter(|asked| **asked == what).count())
            .filter(|many| *many > 0)
            .collect()
    }

    fn ask(&self, what: Asked) {
        self.asked.lock().push(what);
    }
}

impl Register for Notes {
    fn shelf(&self) -> Pending<'_, Shelf> {
        self.ask(Asked::Shelf);
        let newest = self.revision.load(Ordering::Relaxed);
        Box::pin(async move { Ok(Shelf { newest, ..Shelf::default() }) })
    }

    fn note(&self, _: &str, _: Option<String>, _: Option<u64>) -> Pending<'_, Option<u64>> {
        self.ask(Asked::Note);
        let revision = self.revision.fetch_add(1, Ordering::Relaxed) + 1;
        Box::pin(async move {
            sleep(TAKES).await;
            Ok(Some(revision))
        })
    }

    fn forget_note(&self, _: &str) -> Pending<'_, ()> {
        self.ask(Asked::Forget);
        Box::pin(async { Ok(()) })
    }
}

impl Leases for Notes {
    fn lease(&self) -> Pending<'_, Lease> {
        Box::pin(std::future::pending())
    }

    fn is_shared(&self) -> bool {
        true
    }
}

/// A server with a token, and the notes that it shares with others.
fn server() -> (Arc<Notes>, Journal, Arc<Auth>) {
    let notes = Arc::<Notes>::default();
    let memory = Memory::new(StreamId::generate(1_700_000_000_000, 4), Retention::default());
    let journal = Journal::new(memory).shared_by(Arc::clone(&notes));
    let token = "r3ad-0123456789abcdef".parse::<Token>().unwrap();
    let auth = Arc::new(Auth::new(vec![(Scope::Read, token)], 1, &journal));
    (notes, journal, auth)
}

fn ids(numbers: Range<u32>) -> impl Iterator<Item = Digest> {
    numbers.map(|number| Digest::of(&number.to_be_bytes()))
}

/// Shares until so many notes were asked for, and gives how many it was in each round.
async fn shared(share: Share, notes: &Notes, what: Asked, many: usize) -> Vec<usize> {
    let stop = CancellationToken::new();
    let all = async {
        while notes.rounds(what).iter().sum::<usize>() < many {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = share.run(stop.clone()) => {}
        () = all => {}
    }
    notes.rounds(what)
}

/// A request that waits for a look would wait for all of them: a token that is withdrawn ends a thousand sessions. One after the other they
/// would take longer than a log-out may.
#[tokio::test(start_paused = true)]
async fn a_round_tells_of_so_many_sessions_and_the_next_one_follows_at_once() {
    let (notes, journal, auth) = server();
    let share = Share::begin(journal, &auth).await.unwrap();
    ids(0..2 * ROUND as u32 + 50).for_each(|id| auth.note_changed(id));
    auth.changed().notify_one();
    let began = Instant::now();
    let rounds = shared(share, &notes, Asked::Note, 2 * ROUND + 50).await;
    assert_eq!(rounds, [ROUND, ROUND, 50]);
    assert!(began.elapsed() < LOOK, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_round_removes_so_many_notes() {
    let (notes, journal, auth) = server();
    let share = Share::begin(journal, &auth).await.unwrap();
    for (id, revision) in ids(0..2 * ROUND as u32 + 50).zip(1..) {
        let key = Digest::of(b"a token of another server");
        auth.learn(id, &Shown { key, scope: Scope::Read, used: Instant::now(), revision });
    }
    tokio::time::advance(2 * IDLE + Duration::from_secs(1)).await;
    let began = Instant::now();
    let rounds = shared(share, &notes, Asked::Forget, 2 * ROUND + 50).await;
    assert_eq!(rounds, [ROUND, ROUND, 50]);
    assert!(began.elapsed() < 2 * LOOK, "{:?}", began.elapsed());
}

#[test]
fn a_session_that_appears_is_in_use_whatever_the_clocks_of_the_servers_show() {
    let written = |used: i64, idle: u64| Written { token: String::new(), scope: Scope::Read, used, idle };
    let now = Instant::now();
    let wall = 1_800_000_000;
    for clock in [-40, -13, 0, 13, 40].map(|hours| wall + hours * 3_600) {
        assert_eq!(written(clock, 7).idle(Seen::Appear, now), Duration::from_secs(7));
        let again = Seen::Before(now);
        assert_eq!(written(clock, 7).idle(again, now + IDLE), IDLE, "as long as it is known here");
    }
    // Of those that were there before, nothing else says how old they are.
    assert_eq!(written(wall - 60, 0).idle(Seen::AtStart { wall }, now), Duration::from_secs(60));
    assert!(written(wall - 50_000, 0).idle(Seen::AtStart { wall }, now) >= IDLE);
    assert_eq!(written(wall + 60, 0).idle(Seen::AtStart { wall }, now), Duration::ZERO);
}
