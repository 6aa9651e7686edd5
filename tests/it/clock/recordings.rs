//! Recordings of servers whose clock was set: how they are checked, folded and played again.

use incident::contract::Envelope;
use incident::player::Speed;
use incident::recording::Recording;
use incident::report::Board;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{ALL, NOON, YEAR, back, forward, hours, in_memory, secs};
use crate::harness::{Clocks, Ran, Scratch, Timeline, incident, library};

/// The recording of `database-outage`, played twice: first from `start`, with one step after a minute, then with another
/// step before it.
async fn recorded(start: &str, within: SignedDuration, between: SignedDuration) -> Vec<Value> {
    let clocks = Clocks::with_tokio(start);
    let journal = in_memory(&clocks, ALL);
    for step in [within, SignedDuration::ZERO] {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let player =
            incident::player::Player::new(journal.clone(), tasks.clone(), stop, std::sync::Arc::default());
        let plan = Timeline::compile(library().get("database-outage").unwrap(), 42).plan();
        player.start(plan, Speed::REAL_TIME).await.unwrap();
        tokio::time::sleep(secs(60)).await;
        clocks.step(step);
        tasks.close();
        tasks.wait().await;
        clocks.step(between);
    }
    let events = journal.read(0, incident::journal::ReadLimit::ALL).await.unwrap();
    events.iter().map(|event| serde_json::from_str(&event.encode(journal.stream())).unwrap()).collect()
}

async fn right() -> Vec<Value> {
    recorded(NOON, SignedDuration::ZERO, SignedDuration::ZERO).await
}

fn text(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn time(event: &Value) -> Timestamp {
    event["time"].as_str().unwrap().parse().unwrap()
}

/// What earlier versions wrote after a run with the clock years ahead.
async fn frozen() -> Vec<Value> {
    let mut events = right().await;
    let first = events[0]["time"].clone();
    for event in &mut events {
        event["time"] = first.clone();
    }
    events
}

fn validated(events: &[Value]) -> Ran {
    let folder = Scratch::new().with("run.ndjson", &text(events));
    incident(&["validate", folder.path().join("run.ndjson").to_str().unwrap()]).run()
}

fn read(events: &[Value]) -> Recording {
    Recording::read(text(events).as_bytes(), "run.ndjson").unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_recording_of_a_right_clock_needs_no_word() {
    let events = right().await;
    let ran = validated(&events);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(!ran.stdout.contains("warning"), "{ran:?}");
    let recording = read(&events);
    assert_eq!(recording.warnings, [""; 0]);
    assert_eq!(recording.duration().as_secs(), 360);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_falls_within_an_incident_is_a_mistake() {
    let mut events = right().await;
    events[50]["time"] = (time(&events[49]) - SignedDuration::from_secs(1)).to_string().into();
    let ran = validated(&events);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stdout.contains("the time goes back from "), "{ran:?}");
}

#[tokio::test(start_paused = true)]
async fn a_time_that_falls_from_one_incident_to_another_is_a_warning() {
    let events = recorded("2031-01-01T00:00:00Z", SignedDuration::ZERO, back(4 * YEAR)).await;
    let ran = validated(&events);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("warning: the time falls by 1460 days from one incident"), "{ran:?}");
    assert!(ran.stdout.contains("1 warning"), "{ran:?}");
    let recording = read(&events);
    assert_eq!(recording.warnings.len(), 1, "{:?}", recording.warnings);
    assert!(recording.warnings[0].contains("the server's clock was set back before this incident"));
    assert_eq!(recording.duration().as_secs(), 360, "the replay does not wait for four years");
}

#[tokio::test(start_paused = true)]
async fn times_that_contradict_the_seconds_are_a_warning_and_the_replay_goes_by_the_seconds() {
    let jump = recorded(NOON, forward(hours(2)), SignedDuration::ZERO).await;
    for (events, contradicted, word) in
        [(frozen().await, 2, "stood still"), (jump, 1, "contradict its seconds")]
    {
        let ran = validated(&events);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert_eq!(ran.stdout.matches(word).count(), contradicted, "{ran:?}");
        let recording = read(&events);
        let told =
            recording.warnings.iter().filter(|warning| warning.ends_with("it is played by its seconds"));
        assert_eq!(told.count(), contradicted, "{:?}", recording.warnings);
        for incident in &recording.incidents {
            assert_eq!(incident.plan.duration() / 1_000_000, 180, "{:?}", recording.warnings);
        }
    }
}

/// A real incident has no seconds but those of the clock.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_timed_is_said() {
    let mut events = frozen().await;
    let mut jump = right().await;
    for events in [&mut events, &mut jump] {
        let (start, subject) = (events[0]["time"].clone(), events[0]["subject"].clone());
        events.retain(|event| event["subject"] == subject);
        for event in events.iter_mut() {
            event["data"]["synthetic"] = json!(false);
            event["data"].as_object_mut().unwrap().remove("offset_s");
        }
        events[0]["data"]["impact_started_at"] = start;
    }
    assert!(read(&events).warnings[0].contains("have the same time; they are played at once"));
    for event in &mut jump[60..] {
        event["time"] = (time(event) + SignedDuration::from_hours(48)).to_string().into();
    }
    let warnings = read(&jump).warnings;
    assert!(
        warnings[0].contains("comes 48 hours after the one before; the replay waits as long"),
        "{warnings:?}"
    );
}

/// The clocks in `watch` and `trigger` between two events.
#[tokio::test(start_paused = true)]
async fn the_second_of_an_incident_is_not_absurd_after_a_step() {
    for (step, name) in [(forward(hours(2)), "forward"), (back(hours(2)), "back")] {
        let events = recorded(NOON, step, SignedDuration::ZERO).await;
        let mut board = Board::default();
        for event in &events[..80] {
            let envelope: Envelope = serde_json::from_value(event.clone()).unwrap();
            let state = board.fold(&envelope).unwrap();
            let later = state.offset_at(envelope.time + SignedDuration::from_secs(1)).unwrap()
                - state.offset_s.unwrap();
            assert!((0.0..20.0).contains(&later), "{later} s after {:?} s, {name}", state.offset_s);
        }
    }
}
