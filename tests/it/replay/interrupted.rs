//! A replay whose process ended for a second time before it had caught up with its deadlines, or of which somebody had ended an
//! incident: what is left keeps its deadlines. Against a paused clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use incident::contract::{Message, StreamId};
use incident::journal::{
    Append, Appended, Batch, Journal, JournalError, Memory, Pending, ReadLimit, Record, Retention, Stored,
    Trouble, TroubleKind,
};
use incident::player::{Player, Replay, Speed};
use incident::recording::Recording;
use jiff::SignedDuration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Tape, with};
use crate::harness::{Clocks, action, metrics, resolved, started};

const ALL: Retention = Retention { events: 1_000_000, age: None };

/// The way into a journal that a process loses after so many commits.
struct Few {
    appends: Arc<dyn Append>,
    left: AtomicUsize,
}

impl Append for Few {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() {
            return self.appends.append(batch);
        }
        Box::pin(async { Err(JournalError::Unavailable(Trouble::new(TroubleKind::Full))) })
    }
}

struct Machine {
    clocks: Clocks,
    journal: Journal,
    began: Instant,
}

impl Machine {
    fn new() -> Self {
        let clocks = Clocks::with_tokio("2026-11-22T12:00:00Z");
        let log = Memory::with_clocks(StreamId::generate(1_700_000_000_000, 7), ALL, clocks.source());
        Self { clocks, journal: Journal::new(log), began: Instant::now() }
    }

    /// A process that makes so many commits at most, and is killed after some time; or plays to the end.
    async fn process(&self, recording: &Recording, commits: usize, time: Option<Duration>) {
        let few = |appends| Few { appends, left: AtomicUsize::new(commits) };
        let journal = self.journal.clone().wrap_appends(few);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let player = Player::new(journal, tasks.clone(), stop.clone(), Arc::default());
        player.pick_up().await.unwrap();
        player.replay(Replay::new(recording.clone(), Speed::REAL_TIME).unwrap()).await.unwrap();
        if let Some(time) = time {
            tokio::time::sleep(time).await;
            stop.cancel();
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn events(&self) -> Vec<Stored> {
        self.journal.read(0, ReadLimit::ALL).await.unwrap()
    }

    /// When each event came, in seconds of the wall clock since the first one, and which it is.
    async fn came(&self) -> Vec<(f64, String, u64)> {
        let events = self.events().await;
        let first = events[0].time;
        let since = |event: &Stored| event.time.duration_since(first).as_secs_f64();
        events.iter().map(|event| (since(event), event.subject.to_string(), event.index)).collect()
    }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// An event that is due after so many seconds.
fn due(record: Record, second: f64) -> Record {
    with(record, |data| data["offset_s"] = second.into())
}

/// An incident of so many seconds with ten events a second, all of one kind.
fn long(name: &str, seconds: u64, event: fn(&str, u64) -> Record) -> Vec<(i64, Record)> {
    let millis = |n: u64| n.cast_signed() * 100;
    let last = seconds * 10;
    let mut events = vec![(0, due(started(name), 0.0))];
    events.extend((1..last).map(|n| (millis(n), due(event(name, n + 1), n as f64 / 10.0))));
    events.push((millis(last), due(resolved(name, last + 1), seconds as f64)));
    events
}

fn recorded(mut events: Vec<(i64, Record)>) -> Recording {
    events.sort_by_key(|(millis, _)| *millis);
    events.iter().fold(Tape::of("S1"), |tape, (millis, record)| tape.at(*millis, record)).whole()
}

fn looked(name: &str, index: u64) -> Record {
    action(name, index, "looked")
}

/// A process catches up in commits of some hundred events, and is killed between two of them.
#[tokio::test(start_paused = true)]
async fn killed_while_it_catches_up_it_catches_up_with_the_rest() {
    for (what, event) in [("actions", looked as fn(&str, u64) -> Record), ("metrics", metrics)] {
        let recording = recorded(long("a", 400, event));
        for commits in [1, 2, 3] {
            let machine = Machine::new();
            machine.process(&recording, usize::MAX, Some(secs(2))).await;
            machine.clocks.pass(secs(300));
            machine.process(&recording, commits, Some(secs(1))).await;
            let so_far = machine.events().await.len();
            assert!((500..2_000).contains(&so_far), "{so_far} {what}");
            machine.process(&recording, usize::MAX, None).await;
            let took = machine.began.elapsed();
            assert!((secs(99)..secs(101)).contains(&took), "{took:?}, after {commits} commits of {what}");
            let late = |event: &Stored| match event.message() {
                Ok(Message::AgentAction(action)) => action.late_s.is_some(),
                _ => false,
            };
            let late = machine.events().await.iter().filter(|event| late(event)).count();
            assert_eq!(late > 2_900, what == "actions", "{late} of {what} are late");
            machine.journal.incidents(2).await.unwrap();
        }
    }
}

/// Each incident of a replay begins in a commit of its own.
#[tokio::test(start_paused = true)]
async fn killed_while_overdue_incidents_begin_it_begins_the_others_at_once() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let incident = |(place, name): (usize, &&str)| {
        let from = place.cast_signed() as i64 * 100_000;
        [
            (from, due(started(name), 0.0)),
            (from + 900_000, due(looked(name, 2), 900.0)),
            (from + 901_000, due(resolved(name, 3), 901.0)),
        ]
    };
    let recording = recorded(names.iter().enumerate().flat_map(incident).collect());
    for commits in [1, 2, 3] {
        let machine = Machine::new();
        machine.process(&recording, usize::MAX, Some(secs(10))).await;
        machine.clocks.pass(secs(450));
        machine.process(&recording, commits, Some(secs(1))).await;
        assert_eq!(machine.events().await.len(), 1 + commits);
        machine.process(&recording, usize::MAX, None).await;
        let came = machine.came().await;
        for (place, name) in names.iter().enumerate() {
            let of = |index| came.iter().find(|came| came.1 == *name && came.2 == index).unwrap().0;
            let from = place as f64 * 100.0;
            let begun = if (1..5).contains(&place) { 460.0..463.0 } else { from..from + 2.0 };
            assert!(begun.contains(&of(1)), "{name} began at {}, after {commits} commits", of(1));
            assert!((from + 900.0..from + 902.0).contains(&of(2)), "{name} at {}, after {commits}", of(2));
        }
    }
}

/// Of an incident that somebody has ended, the last event is not the one that the plan has there.
#[tokio::test(start_paused = true)]
async fn an_incident_that_somebody_ends_moves_no_deadline_of_the_others() {
    let a = [
        (0, due(started("a"), 0.0)),
        (600_000, due(looked("a", 2), 600.0)),
        (601_000, due(resolved("a", 3), 601.0)),
    ];
    let b = [
        (300_000, due(started("b"), 0.0)),
        (330_000, due(looked("b", 2), 30.0)),
        (360_000, due(resolved("b", 3), 60.0)),
    ];
    let recording = recorded(a.into_iter().chain(b).collect());
    for (ended_at, step) in [(3, 0), (3, 7_200), (200, 0), (310, 0), (310, -7_200)] {
        let machine = Machine::new();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let player = Player::new(machine.journal.clone(), tasks.clone(), stop.clone(), Arc::default());
        player.pick_up().await.unwrap();
        player.replay(Replay::new(recording.clone(), Speed::REAL_TIME).unwrap()).await.unwrap();
        tokio::time::sleep(secs(1)).await;
        machine.clocks.step(SignedDuration::from_secs(step));
        tokio::time::sleep(secs(ended_at - 1)).await;
        assert!(player.cancel("a").await.unwrap().unwrap().cancelled_now);
        tokio::time::sleep(secs(2)).await;
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        machine.process(&recording, usize::MAX, None).await;
        let took = machine.began.elapsed();
        // What the clock says from the beginning to the end of the incident is not believed if it was set.
        let slack = if step == 0 || ended_at > 300 { 3 } else { ended_at + 3 };
        assert!((secs(359)..secs(360 + slack)).contains(&took), "{took:?}, ended at {ended_at} s, {step}");
        let late = machine.events().await.into_iter().any(|event| event.data.get().contains("late_s"));
        assert!(!late, "ended at {ended_at} s, {step}");
    }
}

/// What was recorded late says so when it is played again: that is no word of the process that plays it.
#[tokio::test(start_paused = true)]
async fn what_was_recorded_late_makes_nothing_overdue() {
    fn late(name: &str, index: u64) -> Record {
        with(looked(name, index), |data| data["late_s"] = 200.into())
    }
    let recording = recorded(long("a", 20, late));
    let machine = Machine::new();
    machine.process(&recording, usize::MAX, Some(secs(2))).await;
    machine.process(&recording, usize::MAX, None).await;
    let took = machine.began.elapsed();
    assert!((secs(19)..secs(21)).contains(&took), "{took:?}");
}
