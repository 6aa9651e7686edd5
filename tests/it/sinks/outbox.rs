//! What is told to an Alertmanager, second by second, without one.

use incident::sinks::{Due, Outbox, body};
use incident::world::{Alert, Alerts, Labels};
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// An alert for each name, with its seconds.
fn alerts(alerts: &[(&str, i64, i64)]) -> Alerts {
    let alerts = alerts.iter().map(|(name, from, to)| Alert {
        labels: [("alertname".to_owned(), (*name).to_owned()), ("run".to_owned(), "r".to_owned())].into(),
        annotations: Labels::new(),
        starts_at: at(*from),
        ends_at: at(*to),
    });
    Alerts { run: "r".to_owned(), alerts: alerts.collect() }
}

fn outbox(of: &[(&str, i64, i64)]) -> Outbox {
    let mut outbox = Outbox::default();
    assert_eq!(outbox.add("i", &alerts(of)), 0);
    outbox
}

/// What is told between two seconds, if every post succeeds at once: second, name, and the end that it is told, as seconds.
fn told(outbox: &mut Outbox, from: i64, to: i64) -> Vec<(i64, String, i64)> {
    let mut all = Vec::new();
    for second in from..=to {
        outbox.forget(at(second));
        let due = outbox.due(at(second), 100);
        for Due { alert, .. } in &due {
            let end = alert.ends_at.as_second() - at(0).as_second();
            all.push((second, alert.labels["alertname"].clone(), end));
        }
        outbox.told(&due, at(second));
    }
    all
}

fn told_of(name: &str, seconds: &[(i64, i64)]) -> Vec<(i64, String, i64)> {
    seconds.iter().map(|(second, end)| (*second, name.to_owned(), *end)).collect()
}

#[test]
fn an_alert_is_told_when_it_begins_again_while_it_fires_and_when_it_ends() {
    let mut outbox = outbox(&[("A", 10, 80)]);
    assert_eq!(outbox.next(), Some(at(10)));
    let told = told(&mut outbox, 0, 300);
    // The end is told again: an Alertmanager whose clock is behind takes the first one for a time that is to come.
    let wanted = [(10, 100), (40, 130), (70, 160), (80, 80), (110, 80), (140, 80)];
    assert_eq!(told, told_of("A", &wanted));
    assert!(outbox.is_empty(), "90 s after its end it knows by itself");
}

#[test]
fn what_is_cancelled_ends_then_and_what_had_not_begun_never_does() {
    let mut outbox = outbox(&[("A", 10, 800), ("B", 50, 800)]);
    assert_eq!(told(&mut outbox, 0, 29), told_of("A", &[(10, 100)]));
    outbox.end("other", at(29));
    assert!(!outbox.has_told_all());
    outbox.end("i", at(30));
    assert_eq!(told(&mut outbox, 30, 31), told_of("A", &[(30, 30)]));
    assert!(outbox.has_told_all());
    outbox.end("i", at(40));
    assert_eq!(told(&mut outbox, 31, 300), told_of("A", &[(60, 30), (90, 30)]), "it has one end");
}

/// A sink leaves a scenario out for a while, and takes it again.
#[test]
fn what_is_added_again_while_its_incident_goes_on_fires_again() {
    let drill = alerts(&[("A", 10, 800)]);
    let mut outbox = outbox(&[("A", 10, 800)]);
    assert_eq!(told(&mut outbox, 0, 29), told_of("A", &[(10, 100)]));
    outbox.end("i", at(30));
    assert_eq!(told(&mut outbox, 30, 34), told_of("A", &[(30, 30)]));
    outbox.add("i", &drill);
    assert_eq!(outbox.firing(at(35)), 1);
    assert_eq!(told(&mut outbox, 35, 65), told_of("A", &[(35, 125), (65, 155)]), "at once");
    outbox.add("i", &drill);
    assert_eq!(told(&mut outbox, 66, 96), told_of("A", &[(95, 185)]), "what fires goes on");
}

#[test]
fn what_a_dead_sink_missed_is_told_as_it_is_when_the_sink_comes_back() {
    let mut outbox = outbox(&[("Over", 0, 100), ("LongOver", 0, 10), ("Fires", 5, 900)]);
    // Nothing was told until second 150.
    assert_eq!(outbox.forget(at(150)), 1, "LongOver");
    let due = outbox.due(at(150), 100);
    let told: Vec<_> = due.iter().map(|due| (due.alert.labels["alertname"].as_str(), due.firing)).collect();
    assert_eq!(told, [("Over", false), ("Fires", true)]);
    assert_eq!(due[1].alert.starts_at, at(5), "since it began, not since it was told");
    assert_eq!(outbox.due(at(150), 1).len(), 1, "a piece at a time");
}

#[test]
fn an_incident_that_is_added_twice_is_told_once() {
    let mut outbox = outbox(&[("A", 0, 100)]);
    told(&mut outbox, 0, 1);
    outbox.add("i", &alerts(&[("A", 0, 100)]));
    assert_eq!(told(&mut outbox, 2, 29), []);
    assert_eq!((outbox.firing(at(50)), outbox.firing(at(100))), (1, 0));
}

#[test]
fn alerts_are_bounded() {
    let mut outbox = Outbox::default();
    let many: Vec<(String, i64, i64)> = (0..10_001).map(|number| (number.to_string(), 0, 10)).collect();
    let many: Vec<(&str, i64, i64)> =
        many.iter().map(|(name, from, to)| (name.as_str(), *from, *to)).collect();
    assert_eq!(outbox.add("i", &alerts(&many)), 1);
}

#[test]
fn the_labels_of_a_sink_never_take_the_mark_away() {
    let mut outbox = outbox(&[("A", 0, 10)]);
    let due = outbox.due(at(1), 1);
    outbox.told(&due, at(1));
    let labels: Labels = [("team", "b"), ("run", "x"), ("alertname", "y")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let body = body(&due, &labels, Some("https://wiki.example/"));
    assert_eq!(body[0]["labels"], serde_json::json!({ "alertname": "A", "run": "r", "team": "b" }));
    assert_eq!(body[0]["generatorURL"], "https://wiki.example/");
    assert_eq!(body[0]["startsAt"], "2027-01-15T08:00:00.000Z");
}
