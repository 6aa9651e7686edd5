//! What the validator takes from a stream is bounded, and what it did not judge is said.

use incident::check::{
    Context, Judge, Limits, MAIN, Observation, Observed, Purpose, Reader, Verdict, judge_lines_until,
};
use serde_json::json;

use super::command::json as parsed;
use crate::harness::{Scratch, fixture, incident};

fn event(n: u64, subject: &str, kind: &str, data: &serde_json::Value) -> String {
    json!({ "specversion": "1.0", "id": n.to_string(), "source": "/streams/S1", "type": kind, "subject": subject,
        "time": "2026-11-22T10:00:00Z", "index": 1, "data": data })
    .to_string()
}

fn start() -> serde_json::Value {
    json!({ "synthetic": false, "title": "Real", "severity": "SEV2", "services": ["a"],
        "impact_started_at": "2026-11-22T10:00:00Z" })
}

#[test]
fn endless_incidents_take_bounded_memory_and_the_rest_is_told() {
    let (mut judge, reader) = (Judge::new(Context::default(), false, |_| true), Reader::new());
    for n in 1..=20_010 {
        let text = event(n, &format!("real-{n}"), "incident_started", &start());
        let what = Observation::Text(text);
        judge.see(&Observed { line: n as usize, at: None, connection: MAIN, what }, &reader);
    }
    let judgement = judge.finish();
    assert_eq!(judgement.events, 20_010);
    assert!(judgement.warnings[0].starts_with("10 events were judged only by"), "{:?}", judgement.warnings);
}

#[test]
fn a_recording_that_is_left_in_the_middle_has_no_end() {
    let text = event(1, "real-1", "incident_started", &start());
    let verdict = |stops: bool| {
        let lines = std::iter::once(Ok::<_, ()>((1, text.clone())));
        let context = Context { must_resolve: incident::check::MustResolve::All, ..Context::default() };
        let read = std::cell::Cell::new(0);
        // The first look is before the first line.
        let is_stopped = || stops && read.replace(read.get() + 1) > 0;
        let mut found = judge_lines_until(lines, context, |rule| rule == "lifecycle", is_stopped).unwrap();
        found.rules.remove(0).1
    };
    assert!(matches!(verdict(false), Verdict::Failed(..)), "it is never resolved");
    assert!(matches!(verdict(true), Verdict::Passed(_)), "nobody knows");
}

#[test]
fn no_promised_interval_is_too_long() {
    let mut limits = Limits::default();
    limits.set("heartbeat.intervals=1e300").unwrap();
    let context = Context { arrivals: true, limits, ..Context::default() };
    let (mut judge, reader) = (Judge::new(context, false, |_| true), Reader::new());
    let opened = json!({ "contract": "1.0", "stream": "S1", "head": 0, "oldest": 1, "follows": { "kind": "started",
        "from": 1, "to": 0 }, "heartbeat_ms": u64::MAX, "server_time": "2026-11-22T10:00:00Z" });
    let greeting = json!({ "specversion": "1.0", "id": "1", "source": "/servers/x", "type": "stream_opened",
        "time": "2026-11-22T10:00:00Z", "data": opened });
    let at = |seconds| Some(std::time::Duration::from_secs(seconds));
    judge.see(
        &Observed { line: 1, at: at(0), connection: MAIN, what: Observation::Opened(Purpose::Follow) },
        &reader,
    );
    for (line, seconds) in [(2, 0), (3, 50)] {
        let what = Observation::Text(greeting.to_string());
        judge.see(&Observed { line, at: at(seconds), connection: MAIN, what }, &reader);
    }
    let heartbeat = judge.finish().rules.into_iter().find(|(rule, _)| rule.name == "heartbeat").unwrap();
    assert!(!matches!(heartbeat.1, Verdict::Failed(..)), "{heartbeat:?}");
}

/// What a judge warns of after so many texts, and its verdicts.
fn judged(texts: impl Iterator<Item = String>) -> incident::check::Judgement {
    let (mut judge, reader) = (Judge::new(Context::default(), false, |_| true), Reader::new());
    for (text, line) in texts.zip(1..) {
        judge.see(&Observed { line, at: None, connection: MAIN, what: Observation::Text(text) }, &reader);
    }
    judge.finish()
}

#[test]
fn endless_streams_in_a_recording_take_bounded_memory_and_the_rest_is_told() {
    let text = |n: u64| {
        event(1, &format!("real-{n}"), "incident_started", &start())
            .replace("/streams/S1", &format!("/streams/S{n}"))
    };
    let judgement = judged((1..=10_007).map(text));
    assert!(
        judgement.warnings[0].ends_with("because at most 10000 streams are followed"),
        "{:?}",
        judgement.warnings
    );
    assert!(judgement.warnings[0].starts_with("7 events were judged only by"), "{:?}", judgement.warnings);
}

#[test]
fn incidents_of_large_events_take_bounded_memory() {
    let text = |n: u64| {
        let mut data = start();
        data["title"] = "x".repeat(50_000).into();
        event(n, &format!("real-{n}"), "incident_started", &data)
    };
    let judgement = judged((1..=1_900).map(text));
    assert!(judgement.warnings[0].contains("at the same time, in 256 MiB"), "{:?}", judgement.warnings);
}

#[test]
fn endless_steps_and_hypotheses_of_one_incident_take_bounded_memory() {
    let action = |n: u64| {
        let data = json!({
            "synthetic": false, "agent": "ci", "action": "acted", "status": "in_progress", "summary": "Acts",
            "step": format!("step-{n}"), "hypotheses": [{ "id": format!("h-{n}"), "claim": "x", "p": 0.1 }],
        });
        let text = event(n, "real-1", "agent_action", &data);
        text.replace("\"index\":1,", &format!("\"index\":{n},"))
    };
    let begin = std::iter::once(event(1, "real-1", "incident_started", &start()));
    let judgement = judged(begin.chain((2..=1_500).map(action)));
    assert!(judgement.warnings[0].contains("more steps, hypotheses or names"), "{:?}", judgement.warnings);
}

#[test]
fn a_stream_full_of_holes_takes_bounded_memory() {
    // Every second position is missing: each event is a range.
    let text = |n: u64| {
        let text = event(2 * n, "real-1", "incident_started", &start());
        text.replace("\"index\":1,", &format!("\"index\":{n},"))
    };
    let judgement = judged((1..=60_000).map(text));
    let (_, gap) = judgement.rules.iter().find(|(rule, _)| rule.name == "gap").unwrap();
    assert!(matches!(gap, Verdict::Failed(kept, more) if kept.len() == 100 && *more > 50_000), "{gap:?}");
}

/// A reader of the results alone would take what is kept of a rule's findings for all of them.
#[test]
fn sarif_says_what_is_not_among_its_results() {
    let text = std::fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let folder = Scratch::new()
        .with("many.ndjson", &text.replace("\"specversion\":\"1.0\"", "\"specversion\":\"0.3\""))
        .with("good.ndjson", &text);
    let notes = |file: &str| -> Vec<serde_json::Value> {
        let ran = incident(&["validate", file, "--format", "sarif"]).at(folder.path()).run();
        let log = parsed(&ran);
        log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().clone()
    };
    assert!(notes("good.ndjson").is_empty());
    let said = notes("many.ndjson");
    let said: Vec<&str> = said.iter().map(|note| note["message"]["text"].as_str().unwrap()).collect();
    assert!(
        said.iter()
            .any(|said| said.starts_with("many.ndjson: envelope has ") && said.ends_with(" are results")),
        "{said:?}"
    );
}
