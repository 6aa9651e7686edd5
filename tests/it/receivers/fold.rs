//! What a receiver writes: repeats, pairs, settling, coming again, truncated groups, silent senders.

use incident::contract::{Mark, Message, Severity};
use serde_json::json;

use super::lab::{alertmanager, ended, firing, group};

#[test]
fn a_firing_alert_opens_an_incident_and_its_end_closes_it() {
    let mut lab = alertmanager("title = \"{alertname} on {service}, {nothing}\"");
    lab.pass(30);
    lab.post(&group(&[firing("High", 0)]));
    assert_eq!(lab.words(), ["started", "alert_firing"]);
    let started = lab.started();
    assert_eq!(started.title, "High on checkout, ?");
    assert_eq!((started.severity, started.synthetic), (Severity::Sev1, false));
    assert_eq!(started.services, ["checkout"]);
    assert_eq!(started.impact_started_at.to_string(), "2026-11-26T12:00:00Z");
    let action = lab.action();
    assert_eq!((action.agent.as_str(), &action.marks[..]), ("prod", &[Mark::Detected][..]));
    assert_eq!(action.summary, "High fires on checkout (SEV1): High on checkout is too high");
    assert_eq!((action.evidence[0].kind.as_str(), action.evidence[0].reference.as_str()), ("alert", "High"));
    assert_eq!(action.evidence[2].reference, "http://prometheus:9090/graph?g0.expr=up");

    lab.pass(60);
    lab.post(&group(&[ended("High", 0, 85)]));
    lab.pass(119);
    assert_eq!(lab.words(), ["started", "alert_firing", "alert_resolved"], "it settles for two minutes");
    lab.pass(1);
    let resolved = lab.resolved();
    assert_eq!(resolved.summary, "Its alert is resolved");
    assert_eq!((resolved.actions.total, resolved.actions.failed), (2, 0));
    assert_eq!(resolved.durations.detect_s, Some(30.0));
    assert_eq!(resolved.durations.mitigate_s, Some(90.0));
    assert!((resolved.durations.resolve_s - 210.0).abs() < 0.001);
}

#[test]
fn repeats_and_the_second_of_a_pair_write_nothing() {
    let mut lab = alertmanager("");
    let (one, both) = (group(&[firing("A", 0)]), group(&[firing("A", 0), firing("B", 5)]));
    lab.post(&one);
    assert_eq!(lab.post(&one).repeats, 1);
    lab.pass(3_600);
    assert_eq!(lab.post(&one).repeats, 1, "as often as repeat_interval says");
    lab.post(&both);
    assert_eq!(lab.post(&both).repeats, 2);
    assert_eq!(lab.post(&one).repeats, 1, "the other of the pair is behind");
    assert_eq!(lab.words(), ["started", "alert_firing", "alert_firing"]);
    let over = group(&[ended("A", 0, 10), ended("B", 5, 10)]);
    lab.post(&over);
    assert_eq!(lab.post(&over).repeats, 2);
    lab.pass(10);
    assert_eq!(lab.post(&both).repeats, 2, "the other of the pair is behind");
    lab.pass(120);
    assert_eq!(lab.words()[3..], ["alert_resolved", "alert_resolved", "resolved"]);
    assert_eq!(lab.post(&over).repeats, 2);
    assert_eq!(lab.incidents().len(), 1);
}

#[test]
fn an_alert_that_fires_again_before_it_settles_stays_in_its_incident() {
    let mut lab = alertmanager("settle = \"1m\"");
    lab.post(&group(&[firing("A", 0)]));
    lab.post(&group(&[ended("A", 0, 10)]));
    lab.pass(59);
    lab.post(&group(&[firing("A", 50)]));
    lab.pass(600);
    assert_eq!(lab.words(), ["started", "alert_firing", "alert_resolved", "alert_firing"]);
    lab.post(&group(&[ended("A", 50, 600)]));
    lab.pass(60);
    assert_eq!(lab.words().last().unwrap(), "resolved");
}

#[test]
fn an_alert_that_comes_again_opens_the_next_incident_and_names_the_one_before() {
    for (after, named) in [(599, true), (601, false)] {
        let mut lab = alertmanager("settle = \"0s\"");
        lab.post(&group(&[firing("A", 0)]));
        lab.post(&group(&[ended("A", 0, 10)]));
        lab.pass(0);
        assert_eq!(lab.words().last().unwrap(), "resolved");
        lab.pass(after);
        lab.restart();
        lab.post(&group(&[firing("A", 300)]));
        let [first, second] = lab.incidents()[..] else { panic!("{:?}", lab.incidents()) };
        assert_eq!(second, format!("{first}-2"));
        let evidence = lab.action().evidence.iter().find(|evidence| evidence.kind == "incident");
        assert_eq!(evidence.map(|evidence| evidence.reference.as_str()), named.then_some(first));
        assert_eq!(lab.action().marks.len(), 1);
    }
}

/// A sender that lost sight of an alert keeps the time at which it began: Prometheus was down for longer than
/// `resolve_timeout`.
#[test]
fn the_same_firing_counts_again_a_while_after_it_was_resolved() {
    let mut lab = alertmanager("");
    lab.post(&group(&[firing("A", 0)]));
    lab.post(&group(&[ended("A", 0, 10)]));
    lab.pass(61);
    lab.post(&group(&[firing("A", 0)]));
    assert_eq!(lab.words()[3..], ["alert_firing"]);
    lab.post(&group(&[ended("A", 0, 300)]));
    lab.pass(200);
    assert_eq!(lab.words()[4..], ["alert_resolved", "resolved"]);
    lab.pass(100);
    lab.post(&group(&[firing("A", 0)]));
    assert_eq!(lab.incidents().len(), 2);
}

#[test]
fn a_resolved_alert_that_never_fired_is_counted_and_opens_nothing() {
    let mut lab = alertmanager("");
    let decision = lab.post(&group(&[ended("A", 0, 10)]));
    let ignored: Vec<_> = decision.ignored.iter().map(|(why, count)| (why.as_str(), *count)).collect();
    assert_eq!(ignored, [("unknown_resolved", 1)]);
    assert!(lab.events.is_empty());
}

#[test]
fn a_truncated_group_does_not_end_an_incident() {
    let mut lab = alertmanager("");
    let mut sent = group(&[firing("A", 0)]);
    sent["truncatedAlerts"] = json!(3);
    lab.post(&sent);
    assert_eq!(lab.words(), ["started", "alert_firing", "alerts_left_out"]);
    assert!(lab.action().summary.contains("left 3 alerts"), "{}", lab.action().summary);
    let mut over = group(&[ended("A", 0, 10)]);
    over["truncatedAlerts"] = json!(3);
    lab.post(&over);
    lab.restart();
    lab.pass(100_000);
    assert_eq!(lab.words().last().unwrap(), "alert_resolved");
    lab.post(&group(&[ended("A", 0, 10)]));
    lab.pass(120);
    assert_eq!(lab.words()[4..], ["alerts_complete", "resolved"]);
}

#[test]
fn labels_make_the_groups_and_rules_leave_alerts_out() {
    let more = "group_by = [\"service\", \"cluster\"]\ntitle = \"{service}\"\n[[receiver.drop]]\n\
                match = { alertname = \"Watchdog\", service = \"checkout\" }";
    let mut lab = alertmanager(more);
    let mut other = firing("B", 1);
    other["labels"]["service"] = json!("search");
    other["labels"]["severity"] = json!("info");
    let decision = lab.post(&group(&[firing("A", 0), other.clone(), firing("Watchdog", 0), firing("C", 3)]));
    assert_eq!(decision.ignored.keys().map(|why| why.as_str()).collect::<Vec<_>>(), ["dropped"]);
    assert_eq!(lab.incidents().len(), 2);
    assert!(lab.incidents()[0].starts_with("prod-checkout-"), "{:?}", lab.incidents());
    let mut over = ended("B", 1, 10);
    over["labels"] = other["labels"].clone();
    lab.post(&group(&[over]));
    lab.pass(120);
    assert_eq!(lab.events.last().unwrap().1.subject, lab.incidents()[1]);
    assert_eq!(lab.state.open("prod").collect::<Vec<_>>(), [lab.incidents()[0]]);
}

#[test]
fn an_incident_costs_what_its_labels_say() {
    let more = "settle = \"0s\"\n[[receiver.cost]]\nmatch = { service = \"search\" }\ncurrency = \"EUR\"\nper_minute = 1\n\
                [[receiver.cost]]\nmatch = { service = \"checkout\" }\ncurrency = \"USD\"\nper_minute = 900";
    let mut lab = alertmanager(more);
    lab.pass(60);
    lab.post(&group(&[firing("A", 0)]));
    assert_eq!(lab.words(), ["started", "metrics", "alert_firing"]);
    lab.pass(60);
    lab.post(&group(&[ended("A", 0, 100)]));
    lab.pass(0);
    let cost = lab.resolved().cost.as_ref().unwrap();
    assert_eq!((cost.currency.as_str(), cost.total, cost.per_minute), ("USD", 1_800.0, 0.0));
}

#[test]
fn a_silent_sender_is_noted_once_and_ends_nothing() {
    let mut lab = alertmanager("stale = \"10m\"");
    lab.post(&group(&[firing("A", 0)]));
    lab.pass(590);
    lab.post(&group(&[firing("A", 0)]));
    lab.pass(599);
    assert_eq!(lab.words().len(), 2);
    lab.pass(10_000);
    assert_eq!(lab.words()[2..], ["receiver_silent"]);
    lab.restart();
    lab.pass(10_000);
    assert_eq!(lab.words()[2..], ["receiver_silent"], "a restart does not forget that it was noted");
    lab.post(&group(&[firing("A", 0)]));
    lab.pass(600);
    assert_eq!(lab.words()[3..], ["receiver_back", "receiver_silent"]);
}

#[test]
fn an_incident_that_an_operator_ended_stays_ended_while_its_alert_fires() {
    let mut lab = alertmanager("");
    lab.post(&group(&[firing("A", 0)]));
    let subject = lab.incidents()[0].to_owned();
    let resolved = crate::harness::resolved(&subject, 3);
    let message = Message::parse(resolved.kind.as_str(), &resolved.data).unwrap();
    lab.state.fold(&subject, lab.now, lab.now, &message);
    assert_eq!(lab.post(&group(&[firing("A", 0)])).repeats, 1);
    lab.post(&group(&[firing("A", 0), firing("B", 5)]));
    assert_eq!(lab.words()[2..], ["started", "alert_firing"], "another alert opens the next one");
    lab.post(&group(&[ended("A", 0, 9), ended("B", 5, 9)]));
    lab.pass(120);
    assert_eq!(lab.words()[4..], ["alert_resolved", "resolved"]);
}

/// The beginning says how severe an incident is; what is worse later is told by an action, once for each step.
#[test]
fn a_worse_alert_raises_the_severity_and_a_milder_one_changes_nothing() {
    let mut lab = alertmanager("");
    let severe = |name: &str, severity: &str| {
        let mut alert = firing(name, 0);
        alert["labels"]["severity"] = severity.into();
        alert
    };
    let (mild, middle, worst) = (severe("A", "warning"), severe("B", "error"), severe("C", "critical"));
    lab.post(&group(std::slice::from_ref(&mild)));
    assert_eq!(lab.started().severity.as_str(), "SEV3");
    lab.post(&group(&[mild.clone(), middle.clone()]));
    assert_eq!(lab.action().action, "severity_raised");
    assert_eq!(lab.action().summary, "The incident is SEV2 now, it was SEV3: B fires on checkout");
    lab.restart();
    lab.post(&group(&[mild.clone(), middle.clone(), worst.clone()]));
    assert_eq!(lab.action().summary, "The incident is SEV1 now, it was SEV2: C fires on checkout");
    lab.restart();
    lab.post(&group(&[mild, middle, worst, severe("D", "error"), severe("E", "critical")]));
    let words = ["alert_firing", "severity_raised"];
    let wanted =
        [&["started", "alert_firing"][..], &words, &words, &["alert_firing", "alert_firing"]].concat();
    assert_eq!(lab.words(), wanted);
    assert_eq!(lab.incidents().len(), 1);
}

/// Alerts that come together open their incident with the worst of them.
#[test]
fn a_group_that_comes_at_once_begins_with_its_worst() {
    let mut lab = alertmanager("");
    let mut mild = firing("A", 0);
    mild["labels"]["severity"] = "info".into();
    lab.post(&group(&[mild, firing("B", 0)]));
    assert_eq!(lab.started().severity.as_str(), "SEV1");
    assert_eq!(lab.words(), ["started", "alert_firing", "alert_firing"]);
}

/// An agent knows more exactly than the receiver's rule what the incident costs.
#[test]
fn the_cost_never_falls_below_what_others_have_said() {
    let rule = "[receiver.metrics]\nA = \"error_ratio\"\n[[receiver.cost]]\nmatch = { alertname = \"A\" }\ncurrency = \"USD\"\nper_minute = 0\n";
    let mut lab = super::lab::Lab::of("grafana", rule);
    let told = |value: f64| {
        let mut body = group(&[firing("A", 0)]);
        (body["version"], body["alerts"][0]["values"]) = (json!("1"), json!({ "A": value }));
        body
    };
    lab.post(&told(1.0));
    let cost = json!({ "currency": "USD", "total": 5.004, "per_minute": 0 });
    lab.add("system_metrics", &json!({ "synthetic": false, "metrics": {}, "cost": cost }));
    lab.post(&told(2.0));
    let totals = |lab: &super::lab::Lab| -> Vec<f64> {
        lab.events.iter().filter_map(|(_, draft)| Some(draft.message.cost()?.total)).collect()
    };
    assert_eq!(totals(&lab).last(), Some(&5.004));
    let mut body = told(2.0);
    body["alerts"][0] = ended("A", 0, 60);
    lab.post(&body);
    lab.pass(120);
    assert_eq!(lab.words().last().unwrap(), "resolved");
    assert!(totals(&lab).is_sorted(), "{:?}", totals(&lab));
}
