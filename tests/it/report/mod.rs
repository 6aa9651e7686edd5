//! The post-incident report: what it says of a history, that it is Markdown whatever the events hold, and that it is
//! the same from everywhere.

mod command;
mod findings;
mod hostile;
mod partial;

use std::fs;

use incident::contract::Envelope;
use incident::report::{History, ToldIncidents};
use serde_json::{Value, json};

use crate::harness::{ensure_file_contents, envelope, fixture};

/// The shipped recording.
fn recording() -> Vec<Envelope> {
    let text = fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    text.lines().map(envelope).collect()
}

/// An event of the incident `drill-1`, an action's usual fields filled in.
fn event(index: u64, offset_s: f64, kind: &str, more: &Value) -> Envelope {
    let mut data = json!({ "offset_s": offset_s, "synthetic": true, "phase": "resolve" });
    if kind == "agent_action" {
        merge(
            &mut data,
            &json!({ "agent": "fixer", "action": "fix", "status": "completed", "summary": "Fix it" }),
        );
    }
    merge(&mut data, more);
    let time = format!("2026-11-22T23:59:{:02}Z", index.min(59));
    let frame = json!({
        "specversion": "1.0", "id": index.to_string(), "source": "/streams/A", "type": kind,
        "subject": "drill-1", "time": time, "index": index, "data": data,
    });
    envelope(&frame.to_string())
}

fn act(index: u64, more: &Value) -> Envelope {
    event(index, index as f64, "agent_action", more)
}

fn merge(data: &mut Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        data[name] = value.clone();
    }
}

/// A start without anything that is not needed.
fn start(more: &Value) -> Envelope {
    let mut data = json!({
        "title": "All is slow", "severity": "SEV3", "services": ["shop"], "agents": [], "target_s": 60.0,
        "phases": [{ "name": "resolve", "start_s": 0.0, "end_s": 60.0, "play_s": 60.0 }],
        "impact_started_at": "2026-11-22T23:59:00.000000Z", "speed": 1.0,
    });
    merge(&mut data, more);
    event(1, 0.0, "incident_started", &data)
}

fn end(index: u64, outcome: &str, more: &Value) -> Envelope {
    let mut data = json!({
        "outcome": outcome, "summary": "It is over", "durations": { "resolve_s": index as f64 },
        "actions": { "total": 0, "failed": 0 },
    });
    merge(&mut data, more);
    event(index, index as f64, "incident_resolved", &data)
}

/// The same event with its data changed.
fn with(event: &Envelope, change: impl FnOnce(&mut Value)) -> Envelope {
    let mut data: Value = serde_json::from_str(event.data.get()).unwrap();
    change(&mut data);
    Envelope { data: serde_json::value::to_raw_value(&data).unwrap(), ..event.clone() }
}

/// The only incident's report.
fn report(events: &[Envelope]) -> String {
    let histories = History::all(events);
    assert_eq!(histories.len(), 1);
    histories[0].markdown()
}

/// What stands below a heading.
fn section<'a>(report: &'a str, heading: &str) -> &'a str {
    let start =
        report.find(&format!("## {heading}\n\n")).unwrap_or_else(|| panic!("no {heading} in\n{report}"));
    let body = &report[start + heading.len() + 5..];
    body.split("\n## ").next().unwrap()
}

/// The first line with a text in it.
fn line<'a>(report: &'a str, has: &str) -> &'a str {
    report.lines().find(|line| line.contains(has)).unwrap_or_else(|| panic!("no {has:?} in\n{report}"))
}

#[test]
fn the_reports_are_the_golden_ones() {
    let resolved = recording();
    // Cancelled while the replica was being promoted.
    let mut cancelled = recording();
    cancelled.truncate(73);
    let last = with(resolved.last().unwrap(), |data| {
        merge(
            data,
            &json!({
                "offset_s": 119.2, "outcome": "cancelled", "summary": "Cancelled before it was resolved",
                "durations": { "detect_s": 7.771, "diagnose_s": 68.022, "resolve_s": 119.2 },
                "cost": { "currency": "USD", "total": 23_880.0, "per_minute": 0.0 },
                "actions": { "total": 8, "failed": 3 }, "followups": [], "root_cause": null,
            }),
        );
    });
    cancelled.push(Envelope { index: Some(74), ..last });
    ensure_file_contents(&[
        (fixture("golden/report.md"), report(&resolved)),
        (fixture("golden/report-cancelled.md"), report(&cancelled)),
    ]);
}

/// Whoever refuses long reports knows it before they are written.
#[test]
fn a_report_has_at_least_the_bytes_that_its_events_say() {
    let mut told = ToldIncidents::default();
    let evidence =
        json!([{ "kind": "log", "ref": "db", "text": "y".repeat(500) }, { "kind": "log", "ref": "db" }]);
    for event in [start(&json!({})), act(2, &json!({ "summary": "x".repeat(1_000), "evidence": evidence }))] {
        told.add(&event);
        told.add(&event);
    }
    assert_eq!(told.written(), 1_500);
    let history = History::of(told).pop().unwrap();
    let report = history.markdown();
    assert!(report.contains(&"x".repeat(1_000)) && report.contains(&"y".repeat(500)), "{report}");
}
