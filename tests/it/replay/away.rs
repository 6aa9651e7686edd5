//! A replay whose process ended in the middle, when nobody was there for longer than the rest of it: the journal says what
//! is left, and not the clock. Against a paused clock.

use std::sync::Arc;
use std::time::Duration;

use incident::contract::StreamId;
use incident::journal::{Journal, Memory, ReadLimit, Retention};
use incident::player::{Player, Replay, Speed};
use incident::recording::Recording;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Tape;
use crate::harness::{Clocks, metrics, ms, resolved, started, story};

const ALL: Retention = Retention { events: 1_000_000, age: None };
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn journal(retention: Retention) -> (Clocks, Journal) {
    let clocks = Clocks::with_tokio("2026-11-22T12:00:00Z");
    let stream = StreamId::generate(1_700_000_000_000, 7);
    let journal = Journal::new(Memory::with_clocks(stream, retention, clocks.source()));
    (clocks, journal)
}

struct Process {
    player: Player,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Process {
    fn over(journal: &Journal) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let player = Player::new(journal.clone(), tasks.clone(), stop.clone(), Arc::default());
        Self { player, tasks, stop }
    }

    /// As a server starts; how much had begun.
    async fn replays(&self, recording: Recording, speed: f64) -> usize {
        self.player.pick_up().await.unwrap();
        self.player.replay(Replay::new(recording, Speed::new(speed).unwrap()).unwrap()).await.unwrap()
    }

    async fn killed(self) {
        self.stop.cancel();
        self.ends().await;
    }

    async fn ends(self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Four incidents, one after the other, of 2 s each.
fn four() -> Recording {
    let mut tape = Tape::of("S1");
    for (place, name) in (0_i64..).zip(["aa", "bb", "cc", "dd"]) {
        let second = |second: i64| 1_000 * (3 * place + second);
        tape = tape
            .at(second(0), &started(name))
            .at(second(1), &metrics(name, 2))
            .at(second(2), &resolved(name, 3));
    }
    tape.whole()
}

/// The incidents in the order of their starts, and how many events each has.
async fn told(journal: &Journal) -> Vec<(String, usize)> {
    let mut told: Vec<(String, usize)> = Vec::new();
    for event in journal.read(0, ReadLimit::ALL).await.unwrap() {
        match told.iter_mut().find(|(subject, _)| *subject == *event.subject) {
            Some((_, count)) => *count += 1,
            None => told.push((event.subject.to_string(), 1)),
        }
    }
    told
}

#[tokio::test(start_paused = true)]
async fn what_is_left_follows_at_once_and_it_plays_anew_when_it_is_over() {
    // In an incident, between two, in the last one, and when it is over; played as it was, and faster.
    for (killed_at, begun) in [(500, 1), (2_500, 1), (3_500, 2), (6_500, 3), (9_500, 4), (11_500, 0)] {
        for speed in [1.0, 100.0] {
            // What was open may have gone on, and ended, before the recording is read.
            for pause in [0, 60] {
                let case = format!("killed at {killed_at} ms, at speed {speed}, {pause} ms until it goes on");
                let (clocks, journal) = journal(ALL);
                let first = Process::over(&journal);
                assert_eq!(first.replays(four(), speed).await, 0, "{case}");
                tokio::time::sleep(ms(killed_at).div_f64(speed)).await;
                first.killed().await;
                clocks.pass(DAY);
                let second = Process::over(&journal);
                let now = Instant::now();
                second.player.pick_up().await.unwrap();
                tokio::time::sleep(ms(pause)).await;
                assert_eq!(second.replays(four(), speed).await, begun, "{case}");
                second.ends().await;
                let took = now.elapsed();
                let all = told(&journal).await;
                let whole = ["aa", "bb", "cc", "dd"].map(|name| (name.to_owned(), 3));
                assert_eq!(all[..4], whole, "{case}: {all:?}");
                let again = if begun == 0 { 4 } else { 0 };
                assert_eq!(all.len(), 4 + again, "{case}: {all:?}");
                if again == 0 {
                    assert!(took < ms(100), "{case}: what is overdue waits for nothing, {took:?}");
                    let third = Process::over(&journal);
                    assert_eq!(third.replays(four(), speed).await, 0, "{case}: it is over");
                    third.ends().await;
                    assert_eq!(told(&journal).await.len(), 8, "{case}");
                }
            }
        }
    }
}

/// The journal has what was recorded, or a part of it.
#[tokio::test(start_paused = true)]
async fn what_was_recorded_is_no_replay_of_it() {
    let (_, journal) = journal(ALL);
    let tape = Tape::of("S1")
        .at(0, &started("a"))
        .at(5, &resolved("a", 2))
        .at(1_000, &started("b"))
        .at(1_005, &resolved("b", 2));
    journal.append(story("a", 2)).await.unwrap();
    let first = Process::over(&journal);
    assert_eq!(first.replays(tape.whole(), 1.0).await, 0);
    tokio::time::sleep(ms(500)).await;
    first.killed().await;
    let second = Process::over(&journal);
    assert_eq!(second.replays(tape.whole(), 1.0).await, 1);
    second.ends().await;
    let all = told(&journal).await;
    assert!(all.len() == 3 && all[1].0.starts_with("a-") && all[2].0.starts_with("b-"), "{all:?}");
}

/// Nothing is left of them, but their names are not free.
#[tokio::test(start_paused = true)]
async fn names_of_which_nothing_is_left_are_replaced_by_some_that_are_found_again() {
    let (clocks, journal) = journal(Retention { events: 4, age: None });
    journal.append(story("a", 2)).await.unwrap();
    journal.append(story("z", 4)).await.unwrap();
    assert!(journal.incident("a").await.unwrap().is_none());
    let tape = Tape::of("S1")
        .at(0, &started("a"))
        .at(5, &resolved("a", 2))
        .at(1_000, &started("b"))
        .at(1_005, &resolved("b", 2));
    let first = Process::over(&journal);
    assert_eq!(first.replays(tape.whole(), 1.0).await, 0);
    tokio::time::sleep(ms(500)).await;
    first.killed().await;
    clocks.pass(DAY);
    let second = Process::over(&journal);
    assert_eq!(second.replays(tape.whole(), 1.0).await, 1);
    second.ends().await;
    let all = told(&journal).await;
    assert!(all.len() == 2 && all[0].0.starts_with("a-") && all[1] == ("b".to_owned(), 2), "{all:?}");
}

/// Retention has dropped the first replays; the newest one is in progress.
#[tokio::test(start_paused = true)]
async fn a_replay_goes_on_when_the_ones_before_are_dropped() {
    let (clocks, journal) = journal(Retention { events: 6, age: None });
    let tape = Tape::of("S1")
        .at(0, &started("a"))
        .at(5, &resolved("a", 2))
        .at(1_000, &started("b"))
        .at(1_005, &resolved("b", 2));
    for _ in 0..2 {
        let process = Process::over(&journal);
        assert_eq!(process.replays(tape.whole(), 1.0).await, 0);
        process.ends().await;
    }
    let third = Process::over(&journal);
    assert_eq!(third.replays(tape.whole(), 1.0).await, 0);
    tokio::time::sleep(ms(500)).await;
    third.killed().await;
    clocks.pass(DAY);
    assert_eq!((journal.extent().oldest, journal.extent().head), (5, 10));
    let fourth = Process::over(&journal);
    assert_eq!(fourth.replays(tape.whole(), 1.0).await, 1);
    fourth.ends().await;
    assert_eq!(journal.extent().head, 12, "what was left, once");
}

/// The journal keeps the newest of many replays only, and knows the names of the others.
#[tokio::test(start_paused = true)]
async fn after_hundreds_of_replays_that_retention_has_dropped_it_goes_on() {
    for over in [1, 150] {
        let (clocks, journal) = journal(Retention { events: 4, age: None });
        let tape = Tape::of("S1")
            .at(0, &started("a"))
            .at(5, &resolved("a", 2))
            .at(1_000, &started("b"))
            .at(1_005, &resolved("b", 2));
        for _ in 0..over {
            let process = Process::over(&journal);
            assert_eq!(process.replays(tape.whole(), 1.0).await, 0);
            process.ends().await;
        }
        // Nothing is left of them.
        journal.append(story("z", 4)).await.unwrap();
        let before = journal.extent().head;
        let process = Process::over(&journal);
        assert_eq!(process.replays(tape.whole(), 1.0).await, 0, "{over} replays are over");
        tokio::time::sleep(ms(500)).await;
        process.killed().await;
        clocks.pass(DAY);
        let process = Process::over(&journal);
        assert_eq!(process.replays(tape.whole(), 1.0).await, 1, "{over} replays were over");
        process.ends().await;
        assert_eq!(journal.extent().head, before + 4, "what was left, once");
    }
}
