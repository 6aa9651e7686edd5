//! An alert that is told under another group than before stays in the incident where it fires, and its end ends it.

use serde_json::Value;

use super::lab::{Lab, alertmanager, ended, firing, group};

/// The same group under another key, as when a route of Alertmanager is edited.
fn under(key: &str, alerts: &[Value]) -> Value {
    let mut body = group(alerts);
    body["groupKey"] = key.into();
    body
}

/// The file with the receiver is read again.
fn reload(lab: &mut Lab, more: &str) {
    lab.receivers = alertmanager(more).receivers;
}

#[test]
fn the_other_of_a_pair_that_is_behind_opens_nothing_though_its_group_is_another() {
    let mut lab = alertmanager("settle = \"0s\"");
    lab.post(&under("one", &[firing("A", 0)]));
    lab.post(&under("one", &[ended("A", 0, 10)]));
    lab.pass(5);
    assert_eq!(lab.words().last().unwrap(), "resolved");
    assert_eq!(lab.post(&under("two", &[firing("A", 0)])).repeats, 1);
    assert_eq!(lab.post(&under("two", &[ended("A", 0, 10)])).repeats, 1);
    assert_eq!(lab.incidents().len(), 1);
    lab.pass(60);
    lab.post(&under("two", &[firing("A", 0)]));
    assert_eq!(lab.incidents().len(), 2, "a sender that lost sight of an alert keeps its beginning");
}

#[test]
fn an_alert_that_is_resolved_under_another_group_ends_its_incident() {
    let mut lab = alertmanager("");
    lab.post(&under("{}:{alertname=\"A\"}", &[firing("A", 0)]));
    let other = "{}:{alertname=\"A\", service=\"checkout\"}";
    assert_eq!(lab.post(&under(other, &[firing("A", 0)])).repeats, 1);
    lab.post(&under(other, &[ended("A", 0, 60)]));
    // The old group is told once more, and the other of a pair of senders is behind.
    assert_eq!(lab.post(&under("{}:{alertname=\"A\"}", &[ended("A", 0, 60)])).repeats, 1);
    assert_eq!(lab.post(&under(other, &[firing("A", 0)])).repeats, 1);
    lab.pass(120);
    assert_eq!(lab.words(), ["started", "alert_firing", "alert_resolved", "resolved"]);
}

#[test]
fn a_new_alert_of_the_new_group_opens_an_incident_of_its_own() {
    let mut lab = alertmanager("settle = \"0s\"");
    lab.post(&under("one", &[firing("A", 0)]));
    let told = lab.post(&under("two", &[firing("A", 0), firing("B", 10)]));
    assert_eq!((told.repeats, told.incidents.len()), (1, 2));
    lab.restart();
    lab.post(&under("two", &[ended("A", 0, 20), ended("B", 10, 20)]));
    lab.pass(1);
    assert_eq!(lab.words().iter().filter(|word| *word == "resolved").count(), 2);
    // What fires later is of the group under which it is told.
    lab.pass(600);
    let later = lab.post(&under("two", &[firing("A", 700)]));
    assert!(later.incidents[0].ends_with("-2"), "{later:?}");
}

#[test]
fn an_alert_that_fires_again_before_it_settles_stays_though_its_group_is_another() {
    let mut lab = alertmanager("settle = \"1m\"");
    lab.post(&under("one", &[firing("A", 0)]));
    lab.post(&under("one", &[ended("A", 0, 10)]));
    lab.pass(30);
    lab.post(&under("two", &[firing("A", 25)]));
    lab.pass(600);
    assert_eq!(lab.words(), ["started", "alert_firing", "alert_resolved", "alert_firing"]);
}

#[test]
fn a_cancelled_incident_stays_so_though_the_group_is_another() {
    let mut lab = alertmanager("");
    lab.post(&under("one", &[firing("A", 0)]));
    lab.cancel();
    lab.pass(10);
    assert_eq!(lab.post(&under("two", &[firing("A", 0)])).repeats, 1);
    assert!(lab.post(&under("two", &[ended("A", 0, 20)])).drafts.is_empty());
    assert_eq!(lab.incidents().len(), 1);
}

/// The alert that goes on firing is told first, and does not name the incident of the other.
#[test]
fn the_next_incident_of_a_group_has_its_name() {
    let mut lab = alertmanager("");
    lab.post(&group(&[firing("A", 0)]));
    let subject = lab.incidents()[0].to_owned();
    lab.cancel();
    lab.post(&group(&[firing("A", 0), firing("B", 1)]));
    assert_eq!(lab.incidents(), [subject.clone(), format!("{subject}-2")]);
}

#[test]
fn group_by_can_change_while_an_alert_fires() {
    for (before, after) in [
        ("", "group_by = [\"service\"]"),
        ("group_by = [\"service\"]", ""),
        ("group_by = [\"service\"]", "group_by = [\"alertname\"]"),
    ] {
        let mut lab = alertmanager(before);
        lab.post(&group(&[firing("A", 0)]));
        reload(&mut lab, after);
        assert_eq!(lab.post(&group(&[firing("A", 0)])).repeats, 1, "{before:?} {after:?}");
        lab.post(&group(&[ended("A", 0, 60)]));
        lab.pass(120);
        assert_eq!(
            lab.words(),
            ["started", "alert_firing", "alert_resolved", "resolved"],
            "{before:?} {after:?}"
        );
    }
}

#[test]
fn the_end_of_an_alert_that_is_dropped_meanwhile_ends_its_incident() {
    let drop = "stale = \"1h\"\n[[receiver.drop]]\nmatch = { alertname = \"A\" }";
    let mut lab = alertmanager("stale = \"1h\"");
    lab.post(&group(&[firing("A", 0)]));
    reload(&mut lab, drop);
    let told = lab.post(&group(&[firing("A", 0)]));
    assert_eq!((told.drafts.len(), told.ignored.values().sum::<u64>()), (0, 1));
    lab.pass(3_000);
    lab.post(&group(&[firing("A", 0)]));
    lab.pass(3_000);
    assert_eq!(lab.words(), ["started", "alert_firing"], "its sender was heard");
    lab.post(&group(&[ended("A", 0, 6_000)]));
    lab.pass(120);
    assert_eq!(lab.words(), ["started", "alert_firing", "alert_resolved", "resolved"]);
    lab.post(&group(&[firing("A", 7_000)]));
    lab.post(&group(&[ended("A", 7_000, 7_100)]));
    assert_eq!(lab.incidents().len(), 1, "what fires now is left out");
}

#[test]
fn a_drill_that_is_dropped_meanwhile_ends_too() {
    let drill = |mut alert: Value| {
        alert["labels"]["synthetic"] = "true".into();
        alert
    };
    let mut lab = alertmanager("");
    lab.post(&group(&[drill(firing("A", 0))]));
    reload(&mut lab, "drills = \"drop\"");
    lab.post(&group(&[drill(ended("A", 0, 60))]));
    lab.pass(120);
    assert_eq!(lab.words(), ["started", "alert_firing", "alert_resolved", "resolved"]);
}

/// A drill and a real alert are never in one incident, whatever they are called.
#[test]
fn a_real_alert_does_not_move_into_a_drill() {
    let mut lab = Lab::of("pagerduty", "group_by = [\"class\"]");
    let mut drill = super::lab::trigger("k", "A");
    drill["payload"]["custom_details"] = serde_json::json!({ "synthetic": "true" });
    lab.enqueue(&drill);
    lab.enqueue(&super::lab::trigger("k", "A"));
    assert_eq!(lab.incidents().len(), 2);
}
