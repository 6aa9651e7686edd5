//! A player over a journal that makes it wait: for its lease, or for what it reads.

use std::sync::Arc;
use std::time::Duration;

use incident::contract::{Outcome, StreamId};
use incident::journal::{IncidentIndex as _, Journal, Leases as _, Log as _, Memory, ReadLimit, Retention};
use incident::player::{PlayError, Player, Replay, Speed};
use incident::recording::Recording;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{Clocks, Gated, Timeline, library, soon};

/// A player over it, and what ends it.
fn player(gated: &Arc<Gated>) -> (Player, TaskTracker, CancellationToken) {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let journal = Journal::from(Arc::clone(gated));
    (Player::new(journal, tasks.clone(), stop.clone(), Arc::default()), tasks, stop)
}

fn outage() -> Timeline {
    Timeline::compile(library().get("database-outage").unwrap(), 42)
}

/// Another process may hold the lease for long: a server that stops must not wait for it.
#[tokio::test(start_paused = true)]
async fn a_player_that_waits_for_its_lease_stops_when_it_is_asked_to() {
    let gated = Gated::new(u32::MAX);
    let (player, tasks, stop) = player(&gated);
    player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(gated.extent().head, 1, "it has begun and is not played");
    stop.cancel();
    tasks.close();
    soon("the player's tasks", tasks.wait()).await;
    assert_eq!(gated.open_incidents().await.unwrap().len(), 1, "a successor goes on with it");
}

/// It was left open until the next start, and nobody played it.
#[tokio::test(start_paused = true)]
async fn a_lease_that_is_refused_for_now_is_asked_for_again() {
    let gated = Gated::new(3);
    let (player, tasks, _stop) = player(&gated);
    let timeline = outage();
    player.start(timeline.plan(), Speed::REAL_TIME).await.unwrap();
    tasks.close();
    tasks.wait().await;
    assert_eq!(gated.extent().head, timeline.len() as u64, "it was played to its end");
}

/// What an incident has may be long to read. Its events must not wait for that.
#[tokio::test(start_paused = true)]
async fn events_go_on_while_a_cancellation_reads() {
    let gated = Gated::new(0);
    let (player, tasks, _stop) = player(&gated);
    let id = player.start(outage().plan(), Speed::REAL_TIME).await.unwrap().id;
    tokio::time::sleep(Duration::from_secs(30)).await;
    gated.readable.send_replace(false);
    let reads = *gated.reads.borrow();
    let cancelling = tokio::spawn({
        let (player, id) = (player.clone(), id.clone());
        async move { player.cancel(&id).await }
    });
    gated.reads.subscribe().wait_for(|now| *now > reads).await.unwrap();
    let before = gated.extent().head;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let meanwhile = gated.extent().head;
    assert!(meanwhile > before, "{before} events, and no more in 20 s");
    gated.readable.send_replace(true);
    // The caller was not kept waiting for so long. The cancellation goes on.
    let answered = cancelling.await.unwrap();
    assert!(matches!(answered, Err(PlayError::Unanswered)), "{answered:?}");
    tasks.close();
    tasks.wait().await;
    let cancelled = player.cancel(&id).await.unwrap().unwrap();
    assert_eq!(cancelled.outcome, Some(Outcome::Cancelled));
    assert!(!cancelled.cancelled_now && cancelled.position > meanwhile);
    assert_eq!(gated.extent().head, cancelled.position, "nothing comes after the end");
}

/// The journal stores the first event and can't say so, twice: the replay has begun then, and begins nothing else.
#[tokio::test(start_paused = true)]
async fn a_replay_starts_an_incident_once_if_the_answer_is_lost() {
    let recorded = Gated::new(0);
    let (first, tasks, _stop) = player(&recorded);
    first.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
    tasks.close();
    tasks.wait().await;
    let lines = |events: &[incident::journal::Stored]| {
        let lines: Vec<String> = events.iter().map(|event| event.encode(recorded.stream())).collect();
        lines.join("\n")
    };
    let events = recorded.read(0, ReadLimit::ALL).await.unwrap();
    let recording = Recording::read(lines(&events).as_bytes(), "run.ndjson").unwrap();
    let gated = Gated::new(0);
    gated.unanswered.store(2, std::sync::atomic::Ordering::Relaxed);
    let (player, tasks, _stop) = player(&gated);
    player.replay(Replay::new(recording, Speed::REAL_TIME).unwrap()).await.unwrap();
    tasks.close();
    tasks.wait().await;
    let replayed = gated.read(0, ReadLimit::ALL).await.unwrap();
    let ids = |events: &[incident::journal::Stored]| {
        events.iter().map(|event| (event.subject.to_string(), event.index)).collect::<Vec<_>>()
    };
    assert_eq!(ids(&replayed), ids(&events), "each event once, under the recorded name");
}

/// The lease is lost and got again while an event is being appended: the run under the old lease ends, and this player goes on
/// with the incident under the new one.
#[tokio::test(start_paused = true)]
async fn an_incident_goes_on_if_its_player_loses_the_lease_and_gets_it_again() {
    let gated = Gated::new(0);
    gated.is_shared.store(true, std::sync::atomic::Ordering::Relaxed);
    let (player, _tasks, _stop) = player(&gated);
    player.pick_up().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let timeline = outage();
    player.start(timeline.plan(), Speed::REAL_TIME).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let appends = *gated.appends.borrow();
    gated.writable.send_replace(false);
    gated.appends.subscribe().wait_for(|now| *now > appends).await.unwrap();
    // Another server has it for a moment.
    gated.memory.lease().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    gated.writable.send_replace(true);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(gated.extent().head, timeline.len() as u64, "it was played to its end");
}

/// A standby that was suspended while the drill ran let it stand still for as long, without a word.
#[tokio::test(start_paused = true)]
async fn a_player_whose_clock_stood_still_goes_on_where_the_events_are() {
    // It knows nothing of the beginning, has counted all of the time, a moment less, and much less.
    for age in [None, Some(60_000), Some(59_500), Some(5_000)] {
        let clocks = Clocks::with_tokio("2026-11-28T10:00:00Z");
        let stream = StreamId::generate(1_700_000_000_000, 4);
        let gated = Gated::over(Memory::with_clocks(stream, Retention::default(), clocks.source()), 0);
        let (first, tasks, stop) = player(&gated);
        let plan = outage().plan();
        let due: Vec<Duration> = (0..100).map(|index| Duration::from_micros(plan.due(index))).collect();
        first.start(plan, Speed::REAL_TIME).await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        let played = gated.extent().head;
        *gated.age.lock() = age.map(Duration::from_millis);
        let (second, _tasks, _stop) = player(&gated);
        let began = tokio::time::Instant::now();
        assert_eq!(second.pick_up().await.unwrap(), 1);
        let mut extent = gated.follow();
        extent.wait_for(|extent| extent.head > played).await.unwrap();
        let (waited, place) = (began.elapsed(), usize::try_from(played).unwrap());
        // Nobody knows how much of the time between the two events is over.
        let longest = due[place + 1].saturating_sub(due[place]);
        assert!(waited <= longest + Duration::from_secs(1), "{age:?}: {waited:?} of {longest:?}");
    }
}
