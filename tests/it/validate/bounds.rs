//! What the validator takes from a stream is bounded, and what it did not judge is said.

use incident::check::{
    Context, Judge, Limits, MAIN, Observation, Observed, Purpose, Reader, Verdict, judge_lines_until,
};
use serde_json::json;

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
