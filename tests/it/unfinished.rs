//! No incident stays open for ever: what can't be played to its end is refused before it begins, or ended.

use std::sync::Arc;
use std::time::Duration;

use incident::contract::{IncidentResolved, Message, Outcome, StreamId};
use incident::journal::{
    Append, Appended, Batch, Journal, JournalError, Memory, Pending, ReadLimit, Record, Retention, Stored,
};
use incident::plan::Plan;
use incident::player::{PlayError, Player, Replay, ReplayError, Speed};
use incident::recording::Recording;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{Scratch, Timeline, action, incident, library, metrics, resolved, started};

fn journal() -> Journal {
    Journal::new(Memory::new(StreamId::generate(1_700_000_000_000, 5), Retention::default()))
}

struct Stage {
    journal: Journal,
    player: Player,
    tasks: TaskTracker,
}

fn over(journal: Journal) -> Stage {
    let tasks = TaskTracker::new();
    let player = Player::new(journal.clone(), tasks.clone(), CancellationToken::new(), Arc::default());
    Stage { journal, player, tasks }
}

impl Stage {
    /// Everything in the journal, when all tasks have ended.
    async fn events(&self) -> Vec<Stored> {
        self.tasks.close();
        self.tasks.wait().await;
        self.journal.read(0, ReadLimit::ALL).await.unwrap()
    }
}

fn end(events: &[Stored]) -> IncidentResolved {
    match events.last().unwrap().message().unwrap() {
        Message::IncidentResolved(resolved) => resolved,
        other => panic!("it did not end: {other:?}"),
    }
}

/// A plan of these records, a second apart.
fn plan(records: &[Record]) -> Plan {
    let mut plan = Plan::new("invented".to_owned(), 0);
    for (record, second) in records.iter().zip(0..) {
        plan.push(second * 1_000_000, record.kind, record.data.clone());
    }
    plan
}

fn outage() -> Timeline {
    Timeline::compile(library().get("database-outage").unwrap(), 42)
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_cannot_end_does_not_begin() {
    let stage = over(journal());
    let large = "x".repeat(65_000);
    let (first, second, last) = (started("a"), metrics("a", 2), resolved("a", 3));
    for (records, why) in [
        (
            vec![first.clone(), action("a", 2, &large), last.clone()],
            "event 2: the agent_action would have more",
        ),
        (vec![first.clone(), second.clone()], "event 2 of 2 in its plan is system_metrics"),
        (vec![second.clone(), last.clone()], "event 1 of 2 in its plan is system_metrics"),
        (vec![first.clone(), first.clone(), last.clone()], "event 2 of 3 in its plan is incident_started"),
        (vec![first.clone(), last.clone(), last.clone()], "event 2 of 3 in its plan is incident_resolved"),
        (Vec::new(), "no events"),
    ] {
        match stage.player.start(plan(&records), Speed::REAL_TIME).await {
            Err(PlayError::Unplayable(said)) => assert!(said.contains(why), "{said}"),
            other => panic!("{why}: {other:?}"),
        }
    }
    assert_eq!(stage.player.open(), 0);
    assert!(stage.events().await.is_empty(), "nothing was appended");
}

/// An action that is late gets a field more: it has to fit even then.
#[tokio::test(start_paused = true)]
async fn an_action_that_only_fits_when_it_is_punctual_does_not_begin() {
    let bare = action("a", 2, "").data.get().len();
    let most = 65_536 - 512 - "invented-abcde".len() - bare;
    for (summary, fits) in [(most, false), (most - 48, true), (most - 47, false)] {
        let stage = over(journal());
        let records = [started("a"), action("a", 2, &"x".repeat(summary)), resolved("a", 3)];
        assert_eq!(stage.player.start(plan(&records), Speed::REAL_TIME).await.is_ok(), fits, "{summary}");
    }
}

/// A journal that refuses the event with this index, whoever appends it, unless it is the end.
struct Picky {
    appends: Arc<dyn Append>,
    index: u64,
}

impl Append for Picky {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        let is_it = |record: &Record| {
            record.place == incident::journal::Place::At(self.index)
                && record.kind.as_str() != "incident_resolved"
        };
        if batch.records.iter().any(is_it) {
            return Box::pin(async { Err(JournalError::Refused("it is not liked".to_owned())) });
        }
        self.appends.append(batch)
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_refused_for_good_ends_the_incident() {
    let stage = over(journal().wrap_appends(|appends| Picky { appends, index: 20 }));
    stage.player.start(outage().plan(), Speed::REAL_TIME).await.unwrap();
    let events = stage.events().await;
    assert_eq!(events.len(), 20, "19 of the plan, and the end");
    let end = end(&events);
    assert_eq!(end.outcome, Outcome::Cancelled);
    assert!(
        end.summary.contains("can't be played any further") && end.summary.contains("not liked"),
        "{end:?}"
    );
    assert!(end.cost.is_some() && end.durations.resolve_s > 0.0, "{end:?}");
    assert_eq!(stage.player.open(), 0);
}

/// A disk or another version of the program may leave such a plan.
#[tokio::test(start_paused = true)]
async fn an_open_incident_whose_plan_cannot_be_followed_is_ended_at_the_next_start() {
    let timeline = outage();
    let altered = |change: fn(&mut Value)| {
        let mut stored: Value = serde_json::from_str(&timeline.text()).unwrap();
        change(&mut stored);
        stored.to_string()
    };
    let large = "x".repeat(65_000);
    for (what, stored) in [
        ("damaged: engines give an empty text", String::new()),
        ("no plan", "no plan".to_owned()),
        (
            "a type that is not known, and very long",
            timeline.text().replace("\"system_metrics\"", &format!("{large:?}")),
        ),
        ("another format", json!({ "version": 9, "scenario": "outage", "steps": [] }).to_string()),
        ("a speed that is none", altered(|plan| plan["events"][0]["message"]["data"]["speed"] = json!(0))),
        ("too short", altered(|plan| plan["events"].as_array_mut().unwrap().truncate(7))),
        ("as long as what was played", altered(|plan| plan["events"].as_array_mut().unwrap().truncate(10))),
        ("without an end", altered(|plan| drop(plan["events"].as_array_mut().unwrap().pop()))),
        (
            "an event that is too large",
            altered(|plan| plan["events"][100]["message"]["data"]["phase"] = json!("SUMMARY"))
                .replace("SUMMARY", &large),
        ),
    ] {
        let stage = over(journal());
        for record in timeline.records("left-open", 10) {
            let plan = Some(Arc::from(stored.as_str()));
            stage.journal.append(Record { plan, ..record }).await.unwrap();
        }
        assert_eq!(stage.player.pick_up().await.unwrap(), 0, "{what}");
        let events = stage.events().await;
        assert_eq!(events.len(), 11, "{what}");
        let end = end(&events);
        assert_eq!(end.outcome, Outcome::Cancelled, "{what}");
        assert!(end.summary.starts_with("Ended because it can't be played any further: "), "{what}: {end:?}");
        assert_eq!(end.offset_s, timeline.events[9].message.offset_s(), "{what}: where it stopped");
    }
}

/// What a publisher tells has no plan: it ends it itself.
#[tokio::test(start_paused = true)]
async fn an_open_incident_without_a_plan_is_its_publishers() {
    let stage = over(journal());
    stage.journal.append(vec![started("theirs"), metrics("theirs", 2)]).await.unwrap();
    assert_eq!(stage.player.pick_up().await.unwrap(), 0);
    assert_eq!(stage.events().await.len(), 2);
}

/// The lines of a recording in which an incident has this name and its run this scenario.
fn recording(id: &str, scenario: &str, summary: usize) -> String {
    let start = json!({
        "synthetic": true, "offset_s": 0.0, "title": "Long", "severity": "SEV3", "services": ["a"],
        "phases": [], "agents": [], "metrics": [], "impact_started_at": "2026-01-01T00:00:00Z",
        "run": { "scenario": scenario, "digest": "d", "seed": 1 },
    });
    let text = "x".repeat(summary);
    let act = json!({ "synthetic": true, "offset_s": 0.0, "agent": "a", "action": "b", "status": "completed",
        "summary": text });
    let end = json!({ "synthetic": true, "offset_s": 0.0, "outcome": "resolved", "summary": "over",
        "durations": { "resolve_s": 0.0 }, "actions": { "total": 1, "failed": 0 } });
    let events = [("incident_started", start), ("agent_action", act), ("incident_resolved", end)];
    let lines = events.into_iter().zip(1..).map(|((kind, data), index)| {
        json!({ "specversion": "1.0", "id": index.to_string(), "source": "/streams/S1", "type": kind,
            "subject": id, "time": "2026-01-01T00:00:00Z", "index": index, "data": data })
        .to_string()
            + "\n"
    });
    lines.collect()
}

#[test]
fn a_recording_whose_names_are_too_long_is_refused_where_it_is_read() {
    for (id, summary, what) in [
        ("n".repeat(1_025), 10, "run.ndjson:1: the incident's id has 1025 bytes; at most 1024 are allowed"),
        ("n".repeat(1_024), 64_500, "run.ndjson:2: the agent_action would have more than 65536 bytes"),
    ] {
        let error = Recording::read(recording(&id, "outage", summary).as_bytes(), "run.ndjson").unwrap_err();
        assert!(error.to_string().starts_with(what), "{error}");
    }
}

/// What a replay refuses, `validate` does not pass.
#[test]
fn validate_and_replays_judge_names_alike() {
    for (id, plays) in [("n".repeat(1_024), true), ("n".repeat(1_025), false), ("a b".to_owned(), false)] {
        let text = recording(&id, "outage", 10);
        assert_eq!(Recording::read(text.as_bytes(), "run.ndjson").is_ok(), plays, "{id}");
        let folder = Scratch::new().with("run.ndjson", &text);
        let ran = incident(&["validate", "run.ndjson", "--format", "json"]).at(folder.path()).run();
        assert_eq!(ran.stdout.contains("\"/subject\""), !plays, "{id}: {}", ran.stdout);
    }
}

/// The names of later replays begin with the scenario of the recorded run, which can be as long as an event.
#[tokio::test(start_paused = true)]
async fn a_recording_with_a_long_scenario_is_played_to_its_end_every_time() {
    let text = recording("short", &"ö".repeat(20_000), 64_000);
    let stage = over(journal());
    for round in 1..=3_usize {
        let recording = Recording::read(text.as_bytes(), "run.ndjson").unwrap();
        stage.player.replay(Replay::new(recording, Speed::REAL_TIME).unwrap()).await.unwrap();
        // All of its events are at one moment, so the replay takes no time at all.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let events = stage.journal.read(0, ReadLimit::ALL).await.unwrap();
        assert_eq!(events.len(), 3 * round);
        assert_eq!(end(&events).outcome, Outcome::Resolved);
    }
    let names: Vec<_> = stage.events().await.into_iter().map(|event| event.subject).collect();
    assert!(names.iter().all(|name| name.len() <= 64 + 6), "{names:?}");
}

#[test]
fn a_replay_that_cannot_end_is_refused_before_it_begins() {
    let mut recording = Recording::read(recording("a", "b", 10).as_bytes(), "run.ndjson").unwrap();
    let mut cut = Plan::new("b".to_owned(), 0);
    for event in &recording.incidents[0].plan.events()[..2] {
        cut.push(event.due, event.kind(), event.data().to_owned());
    }
    recording.incidents[0].plan = cut;
    match Replay::new(recording, Speed::REAL_TIME) {
        Err(ReplayError::Unplayable { incident, why }) => {
            assert_eq!(incident, "a");
            assert!(why.contains("event 2 of 2"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn serve_says_what_is_wrong_and_begins_nothing() {
    let folder = Scratch::new().with("run.ndjson", &recording(&"n".repeat(2_000), "outage", 10));
    let ran = incident(&["serve", "--port", "0", "--journal", "memory", "--replay", "run.ndjson"]);
    let ran = ran.at(folder.path()).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("run.ndjson:1: the incident's id has 2000 bytes"), "{}", ran.stderr);
}
