//! The fold from events to states, held by a golden recording that `fold.js` is tested with too.

use std::fs;

use incident::contract::{Envelope, Outcome, Status};
use incident::report::{AgentStatus, Board, IncidentState, IncidentStatus};
use jiff::SignedDuration;

use crate::harness::{Client, Http, Local, envelope, fixture};

/// Records a run of the outage at speed 1000: kept, because two runs differ in ids and times.
fn record() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let events = runtime.block_on(async {
        let server = Local::start().await;
        let body = r#"{"scenario":"database-outage","seed":42,"speed":1000}"#;
        assert_eq!(Http::trigger(server.address, body).send().await.status, 202);
        Client::connect(server.address, "?after=0").await.up_to(108).await
    });
    events.into_iter().map(|event| event.frame + "\n").collect()
}

/// A golden file; written, with a failure so that somebody looks, when it is not there. `UPDATE=1` renews it.
fn golden(name: &str, make: impl FnOnce() -> String) -> String {
    let path = fixture("golden").join(name);
    if std::env::var_os("UPDATE").is_some() || !path.exists() {
        fs::write(&path, make()).unwrap();
        panic!("{} was written: look at the difference and run again", path.display());
    }
    fs::read_to_string(path).unwrap()
}

fn recording() -> Vec<Envelope> {
    let path = fixture("golden/database-outage.ndjson");
    // Another test writes it; both may look at the same time.
    let text = if path.exists() { fs::read_to_string(path).unwrap() } else { record() };
    text.lines().map(envelope).collect()
}

fn folded(events: &[Envelope]) -> IncidentState {
    let mut board = Board::default();
    for event in events {
        board.fold(event);
    }
    assert_eq!(board.incidents().len(), 1);
    board.incidents()[0].clone()
}

fn is(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() < 1e-6
}

#[test]
fn the_recording_is_there() {
    let text = golden("database-outage.ndjson", record);
    assert_eq!(text.lines().count(), 108);
}

#[test]
fn the_states_are_the_golden_ones() {
    let events = recording();
    let states: serde_json::Map<_, _> = [1, 10, 50, events.len()]
        .into_iter()
        .map(|count| (count.to_string(), serde_json::to_value(folded(&events[..count])).unwrap()))
        .collect();
    let states = serde_json::to_string_pretty(&states).unwrap() + "\n";
    let wanted = golden("states.json", || states.clone());
    assert!(states == wanted, "the fold changed; UPDATE=1 rewrites golden/states.json:\n{states}");
}

#[test]
fn the_start_alone_draws_the_frame() {
    let state = folded(&recording()[..1]);
    assert_eq!((state.state, state.index), (IncidentStatus::Open, 1));
    assert_eq!(state.title, "Primary database connection pool exhausted");
    assert_eq!(state.services, ["checkout", "orders-db"]);
    assert_eq!(state.phase.as_deref(), Some("detect"));
    assert_eq!(state.phases.len(), 5);
    assert!(is(state.target_s.unwrap(), 180.0) && is(state.speed, 1000.0) && state.synthetic);
    let agents: Vec<&str> = state.agents.iter().map(|agent| agent.id.as_str()).collect();
    assert_eq!(agents, ["detection", "diagnosis", "prediction", "resolution", "communication"]);
    assert!(state.agents.iter().all(|agent| agent.status == AgentStatus::Idle));
    assert_eq!(state.units["latency_p99"], "ms");
    assert_eq!((state.cost, state.now, state.resolution), (None, None, None));
}

#[test]
fn the_whole_run_ends_with_what_happened_in_it() {
    let state = folded(&recording());
    assert_eq!((state.state, state.index), (IncidentStatus::Resolved, 108));
    assert!(is(state.offset_s.unwrap(), 180.0));
    assert_eq!((state.actions.total, state.actions.failed), (11, 3));
    let marks = [state.marks.detected, state.marks.diagnosed, state.marks.mitigated].map(Option::unwrap);
    for (mark, wanted) in marks.into_iter().zip([8.0, 68.0, 126.0]) {
        assert!((mark - wanted).abs() <= 0.3, "{mark}, not about {wanted}");
    }
    let cost = state.cost.unwrap();
    assert!(is(cost.total, 30_333.33) && is(cost.per_minute, 0.0), "{cost:?}");
    assert_eq!((state.users_affected, state.users_peak), (Some(0), Some(50_000)));
    let resolution = state.resolution.unwrap();
    assert_eq!(resolution.outcome, Outcome::Resolved);
    assert_eq!(resolution.root_cause.as_deref(), Some("leak"));
    assert!(is(resolution.durations.resolve_s, 180.0));
    assert_eq!(resolution.durations.detect_s, state.marks.detected);
}

#[test]
fn agents_and_beliefs_are_the_newest_that_were_told() {
    let events = recording();
    let state = folded(&events);
    let agent = |id: &str| state.agents.iter().find(|agent| agent.id == id).unwrap();
    assert!(state.agents.iter().all(|agent| agent.status == AgentStatus::Done));
    let detection = agent("detection");
    // That all is well is something else than that the alerts are one incident.
    assert_eq!((detection.confidence, detection.confidence_before), (Some(0.95), None));
    assert_eq!(detection.action.as_deref(), Some("recovery_verified"));
    // Recovery brought no evidence: what the first alert rested on stays.
    assert_eq!(detection.evidence[0].reference, "error_rate");
    assert_eq!(agent("diagnosis").confidence, Some(0.94));
    assert_eq!(agent("resolution").action.as_deref(), Some("rollback_release"));
    let beliefs: Vec<(&str, f64, f64)> =
        state.hypotheses.iter().map(|known| (known.id.as_str(), known.p, known.peak)).collect();
    assert_eq!(beliefs, [("leak", 0.94, 0.94), ("traffic", 0.02, 0.25)]);
    assert_eq!(state.forecasts.len(), 1);
    assert!(is(state.forecasts[0].forecast.p50, 165.0));
    assert!((state.forecasts[0].made_s.unwrap() - 74.0).abs() <= 0.3);
}

#[test]
fn an_agent_works_then_fails_then_works_again() {
    let events = recording();
    let restarts: Vec<usize> =
        (0..events.len()).filter(|place| events[*place].data.get().contains("\"restart_pool\"")).collect();
    let told: Vec<_> = restarts
        .iter()
        .map(|place| {
            let state = folded(&events[..=*place]);
            let agent = state.agents.iter().find(|agent| agent.id == "resolution").unwrap().status;
            (agent, state.now.unwrap().status, state.actions.failed)
        })
        .collect();
    let (work, fail) = (AgentStatus::Working, AgentStatus::Failed);
    let (begun, failed) = (Status::InProgress, Status::Failed);
    let wanted = [(work, begun, 0), (fail, failed, 1), (work, begun, 1), (fail, failed, 2), (work, begun, 2)];
    assert_eq!(told[..5], wanted);
    assert_eq!(told[5], (fail, failed, 3));
}

#[test]
fn folding_twice_is_folding_once() {
    let events = recording();
    let mut board = Board::default();
    for place in 0..events.len() {
        assert!(board.fold(&events[place]).is_some(), "it changes the state");
        assert!(board.fold(&events[place]).is_none(), "a repeat does not");
        assert!(board.fold(&events[place / 2]).is_none(), "nor does an old one");
    }
    assert_eq!(board.incidents()[0], folded(&events));
}

#[test]
fn control_messages_and_nonsense_change_nothing() {
    let mut board = Board::default();
    for (_, text) in crate::harness::fixtures("messages") {
        let control = envelope(&text);
        if control.subject.is_none() {
            assert!(board.fold(&control).is_none());
        }
    }
    let mut broken = recording().swap_remove(5);
    broken.data = serde_json::value::to_raw_value(&serde_json::json!({ "summary": 6 })).unwrap();
    assert!(board.fold(&broken).is_none());
    assert!(board.incidents().is_empty());
}

#[test]
fn between_events_the_clock_and_the_cost_run_on() {
    let events = recording();
    let state = folded(&events[..1]);
    let after = |ms| state.impact_started_at.unwrap() + SignedDuration::from_millis(ms);
    // At speed 1000 a millisecond of the wall is a second of the incident; its phases play as long as they took.
    for (ms, offset) in
        [(-5, 0.0), (0, 0.0), (30, 30.0), (75, 75.0), (160, 160.0), (180, 180.0), (250, 250.0)]
    {
        let at = state.offset_at(after(ms)).unwrap();
        assert!((at - offset).abs() < 0.001, "{at} after {ms} ms, not {offset}");
    }
    assert_eq!(state.cost_at(after(30)), None, "nobody said what it costs");

    // The sample at 60 s is the newest: 13,000 a minute for a minute, then the same rate.
    let sample = events.iter().position(|event| event.data.get().contains("\"offset_s\":60.0")).unwrap();
    let state = folded(&events[..=sample]);
    assert!(is(state.cost.as_ref().unwrap().total, 13_000.0));
    assert!((state.cost_at(after(60)).unwrap() - 13_000.0).abs() < 1.0);
    assert!((state.cost_at(after(66)).unwrap() - 14_300.0).abs() < 1.0);
    assert!(is(state.offset_at(after(10)).unwrap(), 60.0), "never before what was told");

    let ended = folded(&events);
    assert!(is(ended.offset_at(after(999)).unwrap(), 180.0), "an end is an end");
    assert!(is(ended.cost_at(after(999)).unwrap(), 30_333.33));
}

/// What is told before the impact has seconds below zero, and the clock passes through them.
#[test]
fn before_the_impact_the_clock_runs_up_to_zero() {
    let text = crate::harness::fixtures("messages").into_iter().find(|(name, _)| name == "incident_started");
    let mut early: serde_json::Value = serde_json::from_str(&text.unwrap().1).unwrap();
    let impact: jiff::Timestamp =
        early["data"]["impact_started_at"].as_str().and_then(|time| time.parse().ok()).unwrap();
    early["time"] = (impact - SignedDuration::from_secs(120)).to_string().into();
    early["data"]["offset_s"] = (-120.0).into();
    let state = folded(&[envelope(&early.to_string())]);
    for (secs, offset) in [(-120, -120.0), (-60, -60.0), (-1, -1.0), (0, 0.0), (35, 45.0)] {
        let at = state.offset_at(impact + SignedDuration::from_secs(secs)).unwrap();
        assert!(is(at, offset), "{at} at {secs} s, not {offset}");
    }
}

#[test]
fn a_compressed_phase_runs_faster_than_the_screen() {
    let text = crate::harness::fixtures("messages").into_iter().find(|(name, _)| name == "incident_started");
    let state = folded(&[envelope(&text.unwrap().1)]);
    let after = |secs| state.impact_started_at.unwrap() + SignedDuration::from_secs(secs);
    // diagnose: 65 s of the incident in 32.5 s on screen, from second 25.
    for (secs, offset) in [(25, 25.0), (35, 45.0), (57, 89.0), (60, 92.5)] {
        let at = state.offset_at(after(secs)).unwrap();
        assert!(is(at, offset), "{at} after {secs} s, not {offset}");
    }
}

#[test]
fn ended_incidents_are_forgotten_first() {
    let mut board = Board::default();
    let events = recording();
    for name in ["one", "two", "three"] {
        let last = if name == "two" { 10 } else { events.len() };
        for event in &events[..last] {
            board.fold(&Envelope { subject: Some(name.to_owned()), ..event.clone() });
        }
    }
    board.forget_ended(1);
    let left: Vec<&str> = board.incidents().iter().map(|incident| incident.id.as_str()).collect();
    assert_eq!(left, ["two"], "what is open stays");
}

/// The rate may change at a border: the clock does not run ahead of the next sample, which might be less.
#[test]
fn the_cost_stands_still_from_the_end_of_a_phase_to_the_next_sample() {
    let sample =
        recording().into_iter().find(|event| event.data.get().contains("\"offset_s\":60.0")).unwrap();
    let mut state = folded(&[recording().swap_remove(0), sample]);
    let after = |ms| state.impact_started_at.unwrap() + SignedDuration::from_millis(ms);
    let border = state.phases.iter().map(|phase| phase.start_s).find(|start_s| *start_s > 60.0).unwrap();
    let at_border = 13_000.0 + (border - 60.0) / 60.0 * 13_000.0;
    for ms in [border as i64, border as i64 + 1, 179, 500] {
        let cost = state.cost_at(after(ms)).unwrap();
        assert!((cost - at_border).abs() < 1.0, "{cost} after {ms} ms, not {at_border}");
    }
    // A sample at the border itself is one of the phase that begins there.
    let beyond = after(border as i64 + 6);
    state.cost_s = Some(border);
    state.offset_s = Some(border);
    assert!((state.cost_at(beyond).unwrap() - 14_300.0).abs() < 1.0, "{:?}", state.cost_at(beyond));
}

/// A mark that an event has told keeps its time: there, the second is that at which it was stored.
#[test]
fn what_the_resolution_alone_tells_of_marks_is_known_after_it() {
    let mut board = Board::default();
    let events = crate::harness::fixtures("messages");
    let real = |name: &str| {
        let (_, text) = events.iter().find(|(known, _)| *known == format!("{name}.real")).unwrap();
        envelope(text)
    };
    board.fold(&real("incident_started"));
    let mut looked = real("agent_action");
    let mut data: serde_json::Value = serde_json::from_str(looked.data.get()).unwrap();
    data["marks"] = serde_json::json!(["detected"]);
    looked.data = serde_json::value::to_raw_value(&data).unwrap();
    let detected = board.fold(&looked).unwrap().marks.detected;
    assert!(detected.is_some());
    let mut ended = real("incident_resolved");
    let mut data: serde_json::Value = serde_json::from_str(ended.data.get()).unwrap();
    data["durations"] = serde_json::json!({ "detect_s": 1, "mitigate_s": 400.5, "resolve_s": 1_260 });
    ended.data = serde_json::value::to_raw_value(&data).unwrap();
    let marks = &board.fold(&ended).unwrap().marks;
    assert_eq!((marks.detected, marks.diagnosed, marks.mitigated), (detected, None, Some(400.5)));
}

/// Its number is the belief in what it rejects.
#[test]
fn a_rejection_is_no_confidence_of_its_agent() {
    let mut board = Board::default();
    let fixture = |name: &str| {
        let found = crate::harness::fixtures("messages").into_iter().find(|(known, _)| known == name);
        envelope(&found.unwrap().1)
    };
    board.fold(&fixture("incident_started"));
    let mut acts = |index, action: &str, confidence: f64| {
        let mut event = fixture("agent_action");
        let mut data: serde_json::Value = serde_json::from_str(event.data.get()).unwrap();
        data["agent"] = "diagnosis".into();
        data["action"] = action.into();
        data["confidence"] = confidence.into();
        event.index = Some(index);
        event.data = serde_json::value::to_raw_value(&data).unwrap();
        let state = board.fold(&event).unwrap();
        let agent = state.agents.iter().find(|agent| agent.id == "diagnosis").unwrap();
        (agent.action.clone().unwrap(), agent.confidence, agent.confidence_before)
    };
    let rejected = || "hypothesis_rejected".to_owned();
    assert_eq!(acts(1_001, "hypothesis_rejected", 0.07), (rejected(), None, None));
    let updated = "hypothesis_updated".to_owned();
    assert_eq!(acts(1_002, "hypothesis_updated", 0.6), (updated.clone(), Some(0.6), None));
    assert_eq!(acts(1_003, "hypothesis_rejected", 0.02), (rejected(), Some(0.6), None));
    assert_eq!(acts(1_004, "hypothesis_updated", 0.9), (updated, Some(0.9), Some(0.6)));
}

/// A trend compares what is about one thing: a new favourite is no rise of the old one.
#[test]
fn a_belief_in_another_cause_is_no_trend() {
    let mut board = Board::default();
    let fixture = |name: &str| {
        let found = crate::harness::fixtures("messages").into_iter().find(|(known, _)| known == name);
        envelope(&found.unwrap().1)
    };
    board.fold(&fixture("incident_started"));
    let mut index = 1_000;
    let mut believes = |traffic: f64, leak: f64, confidence: f64| {
        index += 1;
        let mut event = fixture("agent_action");
        let mut data: serde_json::Value = serde_json::from_str(event.data.get()).unwrap();
        data["agent"] = "diagnosis".into();
        data["confidence"] = confidence.into();
        data["hypotheses"] = serde_json::json!([
            { "id": "traffic", "claim": "Traffic", "p": traffic },
            { "id": "leak", "claim": "A leak", "p": leak },
        ]);
        event.index = Some(index);
        event.data = serde_json::value::to_raw_value(&data).unwrap();
        let state = board.fold(&event).unwrap();
        let agent = state.agents.iter().find(|agent| agent.id == "diagnosis").unwrap();
        (agent.confidence_in.clone().unwrap(), agent.confidence_before)
    };
    assert_eq!(believes(0.37, 0.34, 0.37), ("traffic".to_owned(), None));
    assert_eq!(believes(0.07, 0.81, 0.81), ("leak".to_owned(), None), "not up 44");
    assert_eq!(believes(0.02, 0.94, 0.94), ("leak".to_owned(), Some(0.81)));
}
