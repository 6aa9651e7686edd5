//! PagerDuty's Events API v2: triggers, acknowledgements, resolves and changes.

use incident::receivers::{self, Decision};
use serde_json::{Value, json};

use super::lab::Lab;

fn send(lab: &mut Lab, body: &Value) -> Decision {
    let read = receivers::event(body.to_string().as_bytes(), "fresh", lab.now);
    lab.take(&read.unwrap_or_else(|faults| panic!("{faults:?}")).delivery)
}

fn trigger() -> Value {
    json!({
        "routing_key": "0123456789abcdef0123456789abcdef",
        "event_action": "trigger",
        "dedup_key": "db-1",
        "payload": {
            "summary": "Disk of db-1 is full",
            "source": "db-1",
            "severity": "error",
            "component": "postgres",
            "custom_details": { "free": 12 },
        },
        "links": [{ "href": "https://runbooks/disk", "text": "runbook" }],
        "client": "cron",
    })
}

fn about(action: &str) -> Value {
    json!({ "routing_key": "0123456789abcdef0123456789abcdef", "event_action": action, "dedup_key": "db-1" })
}

#[test]
fn a_trigger_opens_and_a_resolve_closes_at_once() {
    let mut lab = Lab::of("pagerduty", "");
    send(&mut lab, &trigger());
    assert_eq!(lab.started().title, "Disk of db-1 is full");
    assert_eq!(
        (lab.started().severity.as_str(), &lab.started().services[..]),
        ("SEV2", &["postgres".to_owned()][..])
    );
    lab.pass(60);
    assert_eq!(send(&mut lab, &trigger()).repeats, 1);
    send(&mut lab, &about("acknowledge"));
    send(&mut lab, &about("acknowledge"));
    lab.restart();
    send(&mut lab, &about("resolve"));
    lab.pass(0);
    assert_eq!(lab.words(), ["started", "alert_firing", "acknowledged", "alert_resolved", "resolved"]);
    assert_eq!(send(&mut lab, &about("resolve")).drafts, []);
    assert_eq!(send(&mut lab, &about("acknowledge")).drafts, []);
    send(&mut lab, &trigger());
    assert_eq!(lab.incidents().len(), 2, "a trigger after a resolve opens the next one");
}

#[test]
fn a_resolve_finds_its_alert_among_groups_by_label() {
    let mut lab = Lab::of("pagerduty", "group_by = [\"component\"]");
    send(&mut lab, &trigger());
    let mut other = trigger();
    other["dedup_key"] = json!("db-2");
    send(&mut lab, &other);
    assert_eq!(lab.incidents().len(), 1);
    send(&mut lab, &about("resolve"));
    lab.pass(0);
    assert_eq!(lab.state.open("prod").count(), 1, "the other alert still fires");
}

#[test]
fn a_change_is_noted_in_every_open_incident() {
    let mut lab = Lab::of("pagerduty", "");
    let change =
        json!({ "routing_key": "x", "payload": { "summary": "Release 88", "source": "ci" } }).to_string();
    let read = receivers::change(change.as_bytes(), lab.now).unwrap();
    assert_eq!(lab.take(&read.delivery).drafts, []);
    assert!(!send(&mut lab, &trigger()).leaves_out());
    assert!(lab.take(&read.delivery).leaves_out(), "another server may have opened further incidents");
    lab.take(&read.delivery);
    assert_eq!(lab.words()[2..], ["change_noted"]);
    assert_eq!(lab.action().summary, "Release 88 (ci)");
    assert!(!send(&mut lab, &about("acknowledge")).leaves_out(), "it is about one alert, which is known");
}

#[test]
fn what_is_wrong_is_named_by_member() {
    let faults = |body: Value| {
        let faults = receivers::event(body.to_string().as_bytes(), "fresh", Lab::of("pagerduty", "").now);
        faults.unwrap_err().into_iter().map(|fault| fault.what).collect::<Vec<_>>()
    };
    assert_eq!(faults(json!({})), ["routing_key is missing", "event_action is missing"]);
    assert_eq!(faults(json!({ "routing_key": "x", "event_action": "resolve" })), ["resolve needs dedup_key"]);
    let mut long = trigger();
    long["dedup_key"] = json!("x".repeat(256));
    long["payload"]["summary"] = json!("x".repeat(1_025));
    long["payload"]["severity"] = json!("bad");
    assert_eq!(faults(long).len(), 3);
}

/// PagerDuty's documents show zones without a colon, which RFC 3339 has not. What is written is RFC 3339.
#[test]
fn a_timestamp_is_read_as_pagerduty_shows_it() {
    for (timestamp, began) in [
        ("2026-11-26T11:59:00.315+0000", Some("2026-11-26T11:59:00.315Z")),
        ("2026-11-26T12:59:00.315+0100", Some("2026-11-26T11:59:00.315Z")),
        ("2026-11-26T11:59:00Z", Some("2026-11-26T11:59:00Z")),
        ("2026-11-26 11:59:00Z", None),
        ("-000001-11-26T11:59:00+0000", None),
        ("é", None),
    ] {
        let mut body = trigger();
        body["payload"]["timestamp"] = timestamp.into();
        let mut lab = Lab::of("pagerduty", "");
        let read = receivers::event(body.to_string().as_bytes(), "fresh", lab.now);
        match (read, began) {
            (Ok(read), Some(began)) => {
                lab.take(&read.delivery);
                assert_eq!(lab.started().impact_started_at.to_string(), began);
            }
            (Err(faults), None) => assert_eq!(faults[0].pointer, "/payload/timestamp", "{timestamp}"),
            (read, _) => panic!("{timestamp}: {read:?}"),
        }
    }
}
