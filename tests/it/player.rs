//! Timelines against a clock: paused, so that a three-minute incident takes no time and deadlines are exact.

use std::sync::Arc;
use std::time::Duration;

use incident::contract::{Message, MessageType, Outcome, StreamId};
use incident::journal::{Journal, Memory, ReadLimit, Record, Retention, Stored};
use incident::plan::Plan;
use incident::player::{Cancellation, PlayError, Player, Speed, Started};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{Timeline, library, ms};

/// A player and the journal it plays into.
pub struct Stage {
    pub journal: Journal,
    pub player: Player,
    tasks: TaskTracker,
    stop: CancellationToken,
}

pub fn stage() -> Stage {
    let journal = Journal::new(Memory::new(StreamId::generate(1_700_000_000_000, 3), Retention::default()));
    over(journal)
}

pub fn over(journal: Journal) -> Stage {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let player = Player::new(journal.clone(), tasks.clone(), stop.clone(), Arc::default());
    Stage { journal, player, tasks, stop }
}

impl Stage {
    pub async fn start(&self, timeline: &Timeline, speed: f64) -> Started {
        self.player.start(timeline.plan(), Speed::new(speed).unwrap()).await.unwrap()
    }

    /// Until all incidents are over.
    pub async fn over(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub async fn of(&self, id: &str) -> Vec<Stored> {
        let mut events = self.journal.read(0, ReadLimit::ALL).await.unwrap();
        events.retain(|event| &*event.subject == id);
        events
    }

    pub fn head(&self) -> u64 {
        self.journal.extent().head
    }
}

pub fn outage() -> Timeline {
    Timeline::compile(library().get("database-outage").unwrap(), 42)
}

#[tokio::test(start_paused = true)]
async fn every_event_is_played_in_order_at_its_moment() {
    let (stage, timeline) = (stage(), outage());
    let began = Instant::now();
    stage.start(&timeline, 1.0).await;
    for (planned, index) in timeline.events.iter().zip(1..) {
        let mut extent = stage.journal.follow();
        extent.wait_for(|extent| extent.head >= index).await.unwrap();
        let late = began.elapsed().saturating_sub(Duration::from_micros(planned.due));
        assert!(late <= ms(1), "event {index} came {late:?} late");
        // Not before: the one after next is not in yet unless it is due.
        let head = stage.head();
        let newest = &timeline.events[head as usize - 1];
        assert!(began.elapsed() >= Duration::from_micros(newest.due).saturating_sub(ms(1)));
    }
    assert_eq!(began.elapsed().as_secs(), 180, "nothing drifted");
    stage.over().await;
    assert_eq!(stage.head(), timeline.events.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_is_what_was_planned_with_the_moment_of_the_start() {
    let (stage, timeline) = (stage(), outage());
    let started = stage.start(&timeline, 4.0).await;
    assert_eq!(started.position, 1);
    stage.over().await;
    let stored = stage.of(&started.id).await;
    assert_eq!(stored.len(), timeline.events.len());
    for (event, planned) in stored.iter().zip(&timeline.events).skip(1) {
        assert_eq!(event.data.get(), planned.message.data().get());
    }
    let Ok(Message::IncidentStarted(first)) = Message::parse("incident_started", &stored[0].data) else {
        panic!("{:?}", stored[0]);
    };
    assert_eq!(first.speed, Some(4.0));
    let age = jiff::Timestamp::now().duration_since(first.impact_started_at);
    assert!(age < jiff::SignedDuration::from_secs(60), "it began now, not {age} ago");
}

#[tokio::test(start_paused = true)]
async fn speed_divides_every_deadline() {
    for (speed, wanted) in [(0.5, 360_000), (1.0, 180_000), (10.0, 18_000), (1_000.0, 180)] {
        let stage = stage();
        let began = Instant::now();
        stage.start(&outage(), speed).await;
        stage.over().await;
        let took = began.elapsed().as_millis();
        assert!(took.abs_diff(wanted) <= 1, "{took} ms at speed {speed}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_incidents_play_side_by_side() {
    let stage = stage();
    let timeline = outage();
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(stage.start(&timeline, 1.0).await.id);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(stage.player.open(), 20);
    stage.over().await;
    assert_eq!(stage.player.open(), 0);
    for id in &ids {
        let indices: Vec<u64> = stage.of(id).await.iter().map(|event| event.index).collect();
        assert_eq!(indices, (1..=timeline.events.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_is_durable_with_its_plan_when_it_returns() {
    let stage = stage();
    let started = stage.start(&outage(), 2.0).await;
    let open = stage.journal.open_incidents().await.unwrap();
    assert_eq!((open[0].subject.as_str(), open[0].start), (started.id.as_str(), started.position));
    let plan = Timeline::of(&Plan::read(open[0].plan.as_deref().unwrap()).unwrap());
    assert_eq!(plan.events.len(), outage().events.len());
    match &plan.events[0].message {
        Message::IncidentStarted(first) => {
            assert_eq!(first.speed, Some(2.0), "for a successor");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_incident_ends_there_and_nothing_comes_after() {
    let (stage, timeline) = (stage(), outage());
    let id = stage.start(&timeline, 1.0).await.id;
    tokio::time::sleep(Duration::from_millis(90_500)).await;
    let before = stage.head();
    let Cancellation { position, cancelled_now, outcome } =
        stage.player.cancel(&id).await.unwrap().expect("it was running");
    assert_eq!((position, cancelled_now, outcome), (before + 1, true, Some(Outcome::Cancelled)));
    stage.over().await;
    let events = stage.of(&id).await;
    let last = events.last().unwrap();
    assert_eq!((last.position, last.kind), (position, MessageType::IncidentResolved));
    assert_eq!(stage.head(), position, "nothing comes after the end");
    let Ok(Message::IncidentResolved(end)) = Message::parse("incident_resolved", &last.data) else {
        panic!("{last:?}");
    };
    assert_eq!((end.outcome, last.index), (Outcome::Cancelled, events.len() as u64));
    let offset_s = end.offset_s.unwrap();
    assert_eq!(end.root_cause, None);
    assert!((offset_s - 90.5).abs() < 0.01, "{offset_s}");
    assert_eq!(end.durations.resolve_s.to_bits(), offset_s.to_bits());
    // Detected at about 8 s and diagnosed at about 68 s, not yet mitigated.
    assert!(end.durations.detect_s.is_some_and(|at| (at - 8.0).abs() < 0.4), "{:?}", end.durations);
    assert!(end.durations.diagnose_s.is_some_and(|at| (at - 68.0).abs() < 0.4), "{:?}", end.durations);
    assert_eq!(end.durations.mitigate_s, None);
    assert_eq!((end.actions.total, end.actions.failed), (5, 0));
    assert!(stage.journal.open_incidents().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_is_not_ended_again_and_says_where_it_ended() {
    let stage = stage();
    assert_eq!(stage.player.cancel("nobody").await.unwrap(), None);
    let cancelled = stage.start(&outage(), 1.0).await.id;
    let first = stage.player.cancel(&cancelled).await.unwrap().unwrap();
    let second = stage.player.cancel(&cancelled).await.unwrap().unwrap();
    assert_eq!(
        (first.cancelled_now, second),
        (true, Cancellation { cancelled_now: false, ..first }),
        "a second time"
    );
    let ended = stage.start(&outage(), 1.0).await.id;
    stage.over().await;
    let after = stage.player.cancel(&ended).await.unwrap().unwrap();
    let ends = stage.of(&ended).await.into_iter().filter(|event| event.kind == MessageType::IncidentResolved);
    let ends: Vec<u64> = ends.map(|event| event.position).collect();
    assert_eq!((ends, after.cancelled_now), (vec![after.position], false), "after its end");
}

/// Many callers at once, and some while the last event is appended: all get the position of the one resolution.
#[tokio::test(start_paused = true)]
async fn everyone_who_cancels_at_once_gets_the_same_end() {
    for moment in [30_000, 179_999, 180_000] {
        let stage = stage();
        let id = stage.start(&outage(), 1.0).await.id;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        let callers = (0..16).map(|_| {
            let (player, id) = (stage.player.clone(), id.clone());
            tokio::spawn(async move { player.cancel(&id).await.unwrap().unwrap() })
        });
        let mut answers = Vec::new();
        for caller in callers.collect::<Vec<_>>() {
            answers.push(caller.await.unwrap());
        }
        stage.over().await;
        let events = stage.of(&id).await;
        let last = events.last().unwrap();
        assert_eq!(last.kind, MessageType::IncidentResolved, "at {moment} ms");
        assert!(answers.iter().all(|answer| answer.position == last.position), "{answers:?}");
        assert!(answers.iter().filter(|answer| answer.cancelled_now).count() <= 1, "{answers:?}");
        assert_eq!(stage.head(), last.position, "nothing comes after the end");
        let ends = events.iter().filter(|event| event.kind == MessageType::IncidentResolved);
        assert_eq!(ends.count(), 1);
    }
}

/// Another player takes the lease, as another server would: it goes on, the first one stops, each event is there once.
#[tokio::test(start_paused = true)]
async fn a_player_that_takes_the_lease_goes_on_where_the_other_stopped() {
    let first = stage();
    let timeline = outage();
    let id = first.start(&timeline, 1.0).await.id;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let second = over(first.journal.clone());
    assert_eq!(second.player.pick_up().await.unwrap(), 1);
    first.over().await;
    let handed_over = first.head();
    assert!(handed_over < timeline.len() as u64, "the first player stopped before the end");
    assert_eq!(first.player.open(), 0);
    second.over().await;
    let events = second.of(&id).await;
    let indices: Vec<u64> = events.iter().map(|event| event.index).collect();
    assert_eq!(indices, (1..=timeline.len() as u64).collect::<Vec<_>>());
    assert_eq!(second.head(), timeline.len() as u64);
}

/// Cancelled through a player that does not play it, as through another server: the run stops by itself.
#[tokio::test(start_paused = true)]
async fn a_run_stops_when_its_incident_was_ended_elsewhere() {
    let first = stage();
    let id = first.start(&outage(), 1.0).await.id;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let elsewhere = over(first.journal.clone());
    let ended = elsewhere.player.cancel(&id).await.unwrap().unwrap();
    assert!(ended.cancelled_now);
    first.over().await;
    assert_eq!(first.head(), ended.position, "nothing comes after the end");
}

/// What was stored with it can't be read. This player has not looked for open incidents yet.
#[tokio::test(start_paused = true)]
async fn an_incident_that_nobody_can_play_can_be_cancelled() {
    let (stage, timeline) = (stage(), outage());
    for record in timeline.records("lost-plan", 40) {
        stage.journal.append(Record { plan: Some("no plan".into()), ..record }).await.unwrap();
    }
    let ended = stage.player.cancel("lost-plan").await.unwrap();
    assert_eq!(
        ended,
        Some(Cancellation { position: 41, cancelled_now: true, outcome: Some(Outcome::Cancelled) })
    );
    let last = stage.of("lost-plan").await.pop().unwrap();
    let Ok(Message::IncidentResolved(end)) = Message::parse("incident_resolved", &last.data) else {
        panic!("{last:?}");
    };
    assert_eq!((end.outcome, last.index), (Outcome::Cancelled, 41));
    assert_eq!(end.offset_s, timeline.events[39].message.offset_s(), "where it stopped");
    assert!(end.cost.is_some(), "what it cost up to there");
    let again = stage.player.cancel("lost-plan").await.unwrap();
    assert_eq!(
        again,
        Some(Cancellation { position: 41, cancelled_now: false, outcome: Some(Outcome::Cancelled) }),
        "once"
    );
}

/// Its request would be forgotten half-way, with the incident's events waiting for it, or it would be ended and played on.
#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_stop_the_cancellation() {
    let stage = stage();
    let id = stage.start(&outage(), 1.0).await.id;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let gone = tokio::time::timeout(Duration::ZERO, stage.player.cancel(&id)).await;
    assert!(gone.is_err(), "it had no time to answer");
    stage.over().await;
    let last = stage.of(&id).await.pop().unwrap();
    assert_eq!((last.kind, last.position), (MessageType::IncidentResolved, stage.head()));
    assert_eq!(stage.player.open(), 0);
}

/// What is stored already, without an answer, is not stored again, and the incident goes on.
#[tokio::test(start_paused = true)]
async fn an_event_that_was_stored_without_an_answer_is_the_players_own() {
    let (stage, timeline) = (stage(), outage());
    let id = stage.start(&timeline, 1.0).await.id;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let stored = stage.of(&id).await.len();
    let next = timeline.records(&id, stored + 1).pop().unwrap();
    assert!(stage.journal.append(Record { plan: None, ..next }).await.unwrap()[0].new);
    stage.over().await;
    assert_eq!(stage.head(), timeline.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_player_that_lost_the_lease_starts_nothing() {
    let first = stage();
    first.start(&outage(), 1.0).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let second = over(first.journal.clone());
    second.player.pick_up().await.unwrap();
    let refused = first.player.start(outage().plan(), Speed::REAL_TIME).await;
    assert!(matches!(refused, Err(PlayError::TakenOver)), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stopping_player_leaves_its_incidents_open_for_a_successor() {
    let stage = stage();
    let id = stage.start(&outage(), 1.0).await.id;
    tokio::time::sleep(Duration::from_secs(30)).await;
    stage.stop.cancel();
    stage.over().await;
    let (open, events) = (stage.journal.open_incidents().await.unwrap(), stage.of(&id).await);
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].index, events.len() as u64);
    assert!(events.iter().all(|event| event.kind != MessageType::IncidentResolved));
}

#[test]
fn what_is_no_speed_is_refused() {
    for bad in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 10_000.1] {
        assert!(Speed::new(bad).is_err(), "{bad}");
        assert!(bad.to_string().parse::<Speed>().is_err(), "{bad} as text");
    }
    for bad in ["", "x", "fast", "1,5", "1e", "1 0"] {
        assert!(bad.parse::<Speed>().is_err(), "{bad:?}");
    }
    for (text, wanted) in [("1", 1.0), ("10x", 10.0), ("0.5", 0.5), ("2×", 2.0), ("10000", 10_000.0)] {
        assert_eq!(text.parse::<Speed>().unwrap().get().to_bits(), f64::to_bits(wanted), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_can_be_read_aloud_and_differ() {
    let stage = stage();
    let mut names = std::collections::HashSet::new();
    // Few enough that two of 33 million names are hardly ever the same.
    for _ in 0..40 {
        let name = stage.start(&outage(), 1.0).await.id;
        let suffix = name.strip_prefix("database-outage-").unwrap_or_else(|| panic!("{name}"));
        assert_eq!(suffix.len(), 5, "{name}");
        // Nothing that looks like something else: no i, l, o, 1.
        let readable = |c: char| (c.is_ascii_lowercase() || c.is_ascii_digit()) && !"ilo1".contains(c);
        assert!(suffix.chars().all(readable), "{name}");
        assert!(names.insert(name));
    }
}
