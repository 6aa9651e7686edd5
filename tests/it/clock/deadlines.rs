//! Deadlines while the machine's clock is set: they follow the steady clock, within a process and over a restart.

use std::sync::Arc;

use incident::contract::{Message, MessageType, Outcome};
use incident::journal::{Journal, ReadLimit, Record, Stored, TimeSource};
use incident::player::{Player, Replay, Speed};
use incident::recording::Recording;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{ALL, NOON, YEAR, append, back, forward, hours, in_memory, secs};
use crate::harness::{Clocks, Timeline, library, metrics, started};

/// A process that plays into a journal, until it is killed.
struct Process {
    player: Player,
    tasks: TaskTracker,
    stop: CancellationToken,
}

fn process(journal: &Journal) -> Process {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let player = Player::new(journal.clone(), tasks.clone(), stop.clone(), Arc::default());
    Process { player, tasks, stop }
}

impl Process {
    async fn killed(self) {
        self.stop.cancel();
        self.over().await;
    }

    async fn over(self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn outage() -> Timeline {
    Timeline::compile(library().get("database-outage").unwrap(), 42)
}

async fn all(journal: &Journal) -> Vec<Stored> {
    journal.read(0, ReadLimit::ALL).await.unwrap()
}

/// How late the actions say that they are.
fn lateness(events: &[Stored]) -> Vec<f64> {
    let actions = events.iter().filter(|event| event.kind == MessageType::AgentAction);
    let late = actions.filter_map(|event| match event.message() {
        Ok(Message::AgentAction(action)) => action.late_s,
        _ => None,
    });
    late.collect()
}

#[tokio::test(start_paused = true)]
async fn a_step_moves_no_deadline() {
    for step in [forward(hours(2)), back(hours(2)), back(secs(30)), forward(50 * YEAR)] {
        let clocks = Clocks::with_tokio(NOON);
        let journal = in_memory(&clocks, ALL);
        let began = Instant::now();
        let process = process(&journal);
        process.player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
        tokio::time::sleep(secs(60)).await;
        clocks.step(step);
        process.over().await;
        assert_eq!(began.elapsed().as_secs(), 180, "{step}");
        assert_eq!(lateness(&all(&journal).await), [] as [f64; 0], "{step}");
    }
}

/// The clock is set while no process runs: the incident goes on where it stopped.
#[tokio::test(start_paused = true)]
async fn an_incident_is_continued_where_it_stopped_if_the_clock_cannot_be_right() {
    let steps = [back(5 * YEAR), back(hours(1)), forward(5 * YEAR), forward(hours(24 * 31))];
    for (start, step) in
        steps.map(|step| (NOON, step)).into_iter().chain([("1970-01-01T00:00:05Z", forward(50 * YEAR))])
    {
        let clocks = Clocks::with_tokio(start);
        let journal = in_memory(&clocks, ALL);
        let (began, first) = (Instant::now(), process(&journal));
        first.player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
        tokio::time::sleep(secs(60)).await;
        first.killed().await;
        clocks.step(step);
        let second = process(&journal);
        assert_eq!(second.player.pick_up().await.unwrap(), 1);
        second.over().await;
        let took = began.elapsed();
        assert!((secs(178)..secs(190)).contains(&took), "{took:?} after {step}");
        assert_eq!(lateness(&all(&journal).await), [] as [f64; 0], "{step}");
    }
}

/// A machine that was off is told from one whose clock was set.
#[tokio::test(start_paused = true)]
async fn what_became_overdue_while_no_process_ran_follows_at_once() {
    let clocks = Clocks::with_tokio(NOON);
    let journal = in_memory(&clocks, ALL);
    let (began, first) = (Instant::now(), process(&journal));
    first.player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
    tokio::time::sleep(secs(30)).await;
    first.killed().await;
    tokio::time::sleep(secs(60)).await;
    let second = process(&journal);
    second.player.pick_up().await.unwrap();
    second.over().await;
    assert_eq!(began.elapsed().as_secs(), 180, "deadlines stay");
    let late = lateness(&all(&journal).await);
    assert!(!late.is_empty() && late.iter().all(|late| (1.0..=60.0).contains(late)), "{late:?}");
}

/// The clock is set while an incident is played, and the process is killed later: the step makes nothing overdue.
#[tokio::test(start_paused = true)]
async fn a_step_before_the_kill_makes_nothing_overdue() {
    for step in [forward(hours(2)), forward(secs(600)), back(hours(2))] {
        let clocks = Clocks::with_tokio(NOON);
        let journal = in_memory(&clocks, ALL);
        let (began, first) = (Instant::now(), process(&journal));
        first.player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
        tokio::time::sleep(secs(30)).await;
        clocks.step(step);
        tokio::time::sleep(secs(30)).await;
        first.killed().await;
        let second = process(&journal);
        second.player.pick_up().await.unwrap();
        second.over().await;
        let took = began.elapsed();
        assert!((secs(178)..secs(190)).contains(&took), "{took:?} after {step}");
        assert_eq!(lateness(&all(&journal).await), [] as [f64; 0], "{step}");
    }
}

/// A replay goes on, too: the same command does not begin it anew because the clock was set.
#[tokio::test(start_paused = true)]
async fn a_replay_is_continued_after_a_step() {
    let recorded = {
        let journal = in_memory(&Clocks::with_tokio(NOON), ALL);
        let process = process(&journal);
        process.player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
        tokio::time::sleep(secs(20)).await;
        process.player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
        process.over().await;
        let lines: Vec<String> =
            all(&journal).await.iter().map(|event| event.encode(journal.stream())).collect();
        lines.join("\n")
    };
    for step in [back(5 * YEAR), forward(hours(2)), forward(5 * YEAR)] {
        let replay =
            || Replay::new(Recording::read(recorded.as_bytes(), "r").unwrap(), Speed::REAL_TIME).unwrap();
        // Later than what was recorded, as any replay is.
        let clocks = Clocks::with_tokio("2026-11-22T18:00:00Z");
        let journal = in_memory(&clocks, ALL);
        let (began, first) = (Instant::now(), process(&journal));
        first.player.replay(replay()).await.unwrap();
        tokio::time::sleep(secs(10)).await;
        clocks.step(step);
        tokio::time::sleep(secs(20)).await;
        first.killed().await;
        let second = process(&journal);
        second.player.pick_up().await.unwrap();
        assert_eq!(second.player.replay(replay()).await.unwrap(), 2, "both had begun before {step}");
        second.over().await;
        let took = began.elapsed();
        assert!((secs(198)..secs(212)).contains(&took), "{took:?} after {step}");
        assert_eq!(journal.incidents(10).await.unwrap().len(), 2, "{step}");
    }
}

/// The duration of a cancelled real incident is the difference of its events' times, which is never negative.
#[tokio::test]
async fn a_real_incident_that_is_cancelled_after_a_step_lasted_as_long_as_its_events() {
    let clocks = Clocks::at(NOON);
    let journal = in_memory(&clocks, ALL);
    append(&journal, [real(started("real"), clocks.wall())]).await;
    clocks.pass(secs(600));
    append(&journal, [real(metrics("real", 2), clocks.wall())]).await;
    clocks.step(back(5 * YEAR));
    let process = process(&journal);
    let cancelled = process.player.cancel("real").await.unwrap().unwrap();
    assert_eq!((cancelled.cancelled_now, cancelled.outcome), (true, Some(Outcome::Cancelled)));
    let end = journal.read(2, ReadLimit::ALL).await.unwrap().remove(0);
    let Ok(Message::IncidentResolved(end)) = end.message() else { panic!("{end:?}") };
    assert!((599.0..=601.0).contains(&end.durations.resolve_s), "{:?}", end.durations);
}

/// A record as a real incident has it.
fn real(record: Record, impact: Timestamp) -> Record {
    let mut data: serde_json::Value = serde_json::from_str(record.data.get()).unwrap();
    data["synthetic"] = false.into();
    data.as_object_mut().unwrap().remove("offset_s");
    if record.kind == MessageType::IncidentStarted {
        data["impact_started_at"] = impact.to_string().into();
    }
    Record { data: serde_json::value::to_raw_value(&data).unwrap(), ..record }
}

/// The start that clients count from is dated as the events are.
#[tokio::test(start_paused = true)]
async fn the_impact_is_dated_by_the_journals_clock() {
    let clocks = Clocks::with_tokio("2031-01-01T00:00:00Z");
    let journal = in_memory(&clocks, ALL);
    let process = process(&journal);
    process.player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
    clocks.step(back(4 * YEAR));
    process.player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
    for event in all(&journal).await {
        let Ok(Message::IncidentStarted(first)) = event.message() else { continue };
        let apart = event.time.duration_since(first.impact_started_at);
        assert!(apart.abs() < SignedDuration::from_secs(1), "{apart}");
    }
    process.stop.cancel();
    process.over().await;
}
