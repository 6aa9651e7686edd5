//! Times that a sender gets wrong: they make no incident that lasts for centuries, and no alert that never is new or never ends.

use incident::contract::Message;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::lab::{Lab, NOON, alertmanager, ended, firing, group, trigger};

/// The last that a text can tell, that of a clock that counts from elsewhere, and that of one that is ten minutes ahead.
const AHEAD: [&str; 3] = ["9999-12-30T21:59:59Z", "2036-02-07T06:28:16Z", "2026-11-26T12:10:00Z"];

fn since(mut alert: Value, starts_at: &str) -> Value {
    alert["startsAt"] = json!(starts_at);
    alert
}

fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

#[test]
fn an_alert_of_the_future_begins_when_it_is_heard_of() {
    for ahead in AHEAD {
        let mut lab = alertmanager("settle = \"1m\"");
        let fires = group(&[since(firing("A", 0), ahead)]);
        lab.post(&fires);
        assert_eq!(lab.started().impact_started_at, noon(), "{ahead}");
        lab.pass(900);
        assert_eq!(lab.post(&fires).repeats, 1, "{ahead}");
        lab.restart();
        assert_eq!(lab.post(&fires).repeats, 1, "{ahead} after a restart");
        // The sender has mended its clock: it is the same firing, which ends.
        assert_eq!(lab.post(&group(&[firing("A", 0)])).repeats, 1, "{ahead}");
        lab.post(&group(&[ended("A", 0, 900)]));
        lab.pass(60);
        assert_eq!(lab.words(), ["started", "alert_firing", "alert_resolved", "resolved"], "{ahead}");
        assert!((lab.resolved().durations.resolve_s - 960.0).abs() < 0.001, "{ahead}");
        // The next firing is a new one, whatever its beginning is said to be.
        lab.pass(600);
        lab.post(&group(&[firing("A", 1_200)]));
        assert_eq!(lab.incidents().len(), 2, "{ahead}");
    }
}

#[test]
fn an_alert_of_the_future_that_fires_again_is_new_again() {
    let mut lab = alertmanager("settle = \"0s\"");
    let fires = group(&[since(firing("A", 0), AHEAD[0])]);
    lab.post(&fires);
    lab.pass(5);
    lab.post(&group(&[since(ended("A", 0, 5), AHEAD[0])]));
    lab.pass(10);
    assert_eq!(lab.words().last().unwrap(), "resolved");
    assert_eq!(lab.post(&fires).repeats, 1, "the other of a pair may be behind");
    lab.pass(120);
    lab.post(&fires);
    assert_eq!(lab.incidents().len(), 2);
}

/// What is in the journal since the machine's clock was years ahead, or from an older version.
#[test]
fn a_firing_that_the_journal_has_in_the_future_ends_and_comes_again() {
    let mut lab = alertmanager("settle = \"0s\"");
    lab.now = "9990-01-01T00:00:00Z".parse().unwrap();
    lab.post(&group(&[since(firing("A", 0), "9990-01-01T00:00:00Z")]));
    lab.now = noon();
    for (time, _) in &mut lab.events {
        *time = noon();
    }
    lab.restart();
    assert_eq!(lab.post(&group(&[firing("A", 0)])).repeats, 1);
    lab.pass(5);
    lab.post(&group(&[ended("A", 0, 5)]));
    lab.pass(0);
    assert_eq!(lab.words(), ["started", "alert_firing", "alert_resolved", "resolved"]);
    lab.pass(600);
    lab.post(&group(&[firing("A", 300)]));
    assert_eq!(lab.incidents().len(), 2);
}

/// An impact of a year may be true; one of a century is a wrong time, and would cost millions.
#[test]
fn an_impact_of_long_ago_begins_when_it_is_heard_of() {
    let cost = "[[receiver.cost]]\ncurrency = \"USD\"\nper_minute = 900";
    let year_ago = (noon() - SignedDuration::from_hours(365 * 24)).to_string();
    let older = (noon() - SignedDuration::from_hours(365 * 24 + 1)).to_string();
    for (starts_at, began) in [
        (year_ago.as_str(), year_ago.as_str()),
        (older.as_str(), NOON),
        ("1970-01-01T00:00:00Z", NOON),
        // There is none.
        ("0001-01-01T00:00:00Z", NOON),
        ("0000-01-01T00:00:00Z", NOON),
    ] {
        let mut lab = alertmanager(cost);
        let fires = group(&[since(firing("A", 0), starts_at)]);
        lab.post(&fires);
        assert_eq!(lab.started().impact_started_at.to_string(), began, "{starts_at}");
        let costs = lab.events.iter().find_map(|(_, draft)| match &draft.message {
            Message::SystemMetrics(sample) => sample.cost.clone(),
            _ => None,
        });
        let total = if began == NOON { 0.0 } else { 365.0 * 24.0 * 60.0 * 900.0 };
        assert!((costs.unwrap().total - total).abs() < 0.01, "{starts_at}");
        assert_eq!(lab.post(&fires).repeats, 1, "{starts_at}");
    }
    // Another alert of the group says it.
    let mut lab = alertmanager("");
    lab.pass(60);
    lab.post(&group(&[since(firing("A", 0), "1970-01-01T00:00:00Z"), firing("B", 30), firing("C", 45)]));
    assert_eq!(lab.started().impact_started_at, noon() + SignedDuration::from_secs(30));
}

#[test]
fn a_trigger_of_long_ago_begins_when_it_is_heard_of() {
    let mut lab = Lab::of("pagerduty", "");
    let mut body = trigger("k", "The disk is full");
    body["payload"]["timestamp"] = json!("1970-01-01T00:00:00.000+0000");
    lab.enqueue(&body);
    assert_eq!(lab.started().impact_started_at, noon());
}

/// It believes its senders, but not everything.
#[test]
fn a_server_without_a_clock_does_not_believe_the_year_9999() {
    let clockless: Timestamp = "1970-01-01T00:01:00Z".parse().unwrap();
    for (starts_at, began) in [(NOON, noon()), (AHEAD[0], clockless)] {
        let mut lab = alertmanager("");
        lab.now = clockless;
        lab.post(&group(&[since(firing("A", 0), starts_at)]));
        assert_eq!(lab.started().impact_started_at, began);
    }
}
