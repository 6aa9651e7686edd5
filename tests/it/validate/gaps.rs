//! Mistakes that earlier versions of the rules missed, or found where there was none.

use incident::check::{Context, MustResolve, Verdict, judge_lines};
use incident::contract::{MessageType, Position};
use serde_json::{Value, json};

use super::sound::sound;

/// The findings of one rule over these events, which are put into envelopes of one stream.
fn findings(rule: &str, events: &[(&str, Value)]) -> Vec<String> {
    let lines = events.iter().zip(1..).map(|((kind, data), n)| {
        let time = data["time"].as_str().unwrap_or("2026-11-22T10:00:00Z");
        let position = Position { stream: "S1".parse().unwrap(), n };
        let event = json!({ "specversion": "1.0", "id": n.to_string(), "source": format!("/streams/{}", position.stream),
            "type": kind, "subject": "real-1", "time": time, "index": n, "data": data });
        Ok::<_, ()>((n as usize, event.to_string()))
    });
    let context = Context { must_resolve: MustResolve::All, ..Context::default() };
    match judge_lines(lines, context, |name| name == rule).unwrap().rules.remove(0).1 {
        Verdict::Failed(findings, _) => findings.into_iter().map(|finding| finding.message).collect(),
        Verdict::Passed(_) => Vec::new(),
        Verdict::NotChecked(why) => panic!("{why}"),
    }
}

/// A real incident that was detected with an event at second 60.
fn real(durations: &Value) -> Vec<(&'static str, Value)> {
    let start = json!({ "synthetic": false, "title": "Real", "severity": "SEV2", "services": ["a"],
        "impact_started_at": "2026-11-22T10:00:00Z", "time": "2026-11-22T10:00:30Z" });
    let act = json!({ "synthetic": false, "agent": "a", "action": "alert", "status": "completed", "summary": "seen",
        "marks": ["detected"], "time": "2026-11-22T10:01:00Z" });
    let end = json!({ "synthetic": false, "outcome": "resolved", "summary": "over", "durations": durations,
        "actions": { "total": 1, "failed": 0 }, "time": "2026-11-22T10:05:00Z" });
    vec![("incident_started", start), ("agent_action", act), ("incident_resolved", end)]
}

/// Its people reach a milestone before anybody tells the stream, or without anybody who does.
#[test]
fn the_milestones_of_a_real_incident_may_be_earlier_than_their_events_and_not_later() {
    let tally = |durations: Value| findings("tally", &real(&durations));
    assert_eq!(tally(json!({ "resolve_s": 300.0, "detect_s": 60.0 })), [""; 0]);
    assert_eq!(tally(json!({ "resolve_s": 300.0, "detect_s": 12.0 })), [""; 0], "seen before it was told");
    assert_eq!(
        tally(json!({ "resolve_s": 300.0, "detect_s": 12.0, "mitigate_s": 200.0 })),
        [""; 0],
        "mitigated without an event"
    );
    let late = tally(json!({ "resolve_s": 300.0, "detect_s": 90.0 }));
    assert_eq!(late, ["detect_s is 90 s, but according to the events it is 60 s"]);
    let early = tally(json!({ "resolve_s": 40.0, "detect_s": 30.0, "mitigate_s": 50.0 }));
    assert_eq!(early, ["resolve_s is 40 s, but mitigate_s is 50 s"]);
    assert_eq!(tally(json!({ "resolve_s": 49.5, "detect_s": 30.0, "mitigate_s": 50.0 })), [""; 0], "rounded");
    let missing = tally(json!({ "resolve_s": 300.0 }));
    assert_eq!(missing, ["detect_s is missing, but according to the events it is 60 s"]);
}

#[test]
fn a_drill_says_at_which_second_each_event_happened() {
    for kind in [
        MessageType::IncidentStarted,
        MessageType::AgentAction,
        MessageType::SystemMetrics,
        MessageType::IncidentResolved,
    ] {
        let mut stream = sound();
        let place = stream.all(kind)[0];
        stream.data(place).as_object_mut().unwrap().remove("offset_s");
        let failures = stream.failures();
        let said = format!("{}: a drill's event has no offset_s", kind.as_str());
        assert!(failures.contains(&("schema", said)), "{failures:?}");
        // A real incident has no plan that could say it.
        stream.data(place)["synthetic"] = json!(false);
        assert!(stream.failures().iter().all(|(rule, _)| *rule != "schema"), "{:?}", stream.failures());
    }
}

#[test]
fn events_without_an_index_are_no_duplicates_of_one_another() {
    let mut stream = sound();
    for place in stream.all(MessageType::SystemMetrics) {
        stream.frames[place].0.as_object_mut().unwrap().remove("index");
    }
    let failures = stream.failures();
    assert!(failures.iter().all(|(rule, _)| *rule != "duplicate"), "{failures:?}");
    assert!(failures.iter().any(|(rule, _)| *rule == "envelope"), "their index is missing: {failures:?}");
    // The same event twice is still one too many.
    let place = stream.all(MessageType::SystemMetrics)[3];
    let again = stream.frames[place].clone();
    stream.frames.insert(place, again);
    let failures = stream.failures();
    assert!(
        failures.iter().any(|(rule, what)| *rule == "duplicate" && what.ends_with("arrived twice")),
        "{failures:?}"
    );
}
