//! What is told to an Alertmanager, second by second, without one.

use incident::sinks::{Due, Outbox, Shown, body};
use incident::world::{Alert, Alerts, Labels};
use jiff::{SignedDuration, Timestamp};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn steady(second: i64) -> SignedDuration {
    SignedDuration::from_secs(500 + second)
}

/// Both clocks of a machine on which nobody sets the wall clock.
fn on(second: i64) -> Shown {
    Shown { wall: at(second), steady: steady(second) }
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
    assert_eq!(outbox.add("i", &alerts(of), on(0)), 0);
    outbox
}

/// What is told between two seconds, if every post succeeds at once: second, name, and the end that it is told, as seconds.
fn told(outbox: &mut Outbox, from: i64, to: i64) -> Vec<(i64, String, i64)> {
    let mut all = Vec::new();
    for second in from..=to {
        outbox.forget(on(second));
        let due = outbox.due(on(second), 100);
        for Due { alert, .. } in &due {
            let end = alert.ends_at.as_second() - at(0).as_second();
            all.push((second, alert.labels["alertname"].clone(), end));
        }
        outbox.told(&due, on(second));
    }
    all
}

fn told_of(name: &str, seconds: &[(i64, i64)]) -> Vec<(i64, String, i64)> {
    seconds.iter().map(|(second, end)| (*second, name.to_owned(), *end)).collect()
}

#[test]
fn an_alert_is_told_when_it_begins_again_while_it_fires_and_when_it_ends() {
    let mut outbox = outbox(&[("A", 10, 80)]);
    assert_eq!(outbox.next(on(0)), Some(steady(10)));
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
    outbox.end("other", steady(29), at(29));
    assert!(!outbox.has_told_all());
    outbox.end("i", steady(30), at(30));
    assert_eq!(told(&mut outbox, 30, 31), told_of("A", &[(30, 30)]));
    assert!(outbox.has_told_all());
    outbox.end("i", steady(40), at(40));
    assert_eq!(told(&mut outbox, 31, 300), told_of("A", &[(60, 30), (90, 30)]), "it has one end");
}

/// A sink leaves a scenario out for a while, and takes it again.
#[test]
fn what_is_added_again_while_its_incident_goes_on_fires_again() {
    let drill = alerts(&[("A", 10, 800)]);
    let mut outbox = outbox(&[("A", 10, 800)]);
    assert_eq!(told(&mut outbox, 0, 29), told_of("A", &[(10, 100)]));
    outbox.end("i", steady(30), at(30));
    assert_eq!(told(&mut outbox, 30, 34), told_of("A", &[(30, 30)]));
    outbox.add("i", &drill, on(0));
    assert_eq!(outbox.firing(on(35)), 1);
    assert_eq!(told(&mut outbox, 35, 65), told_of("A", &[(35, 125), (65, 155)]), "at once");
    outbox.add("i", &drill, on(0));
    assert_eq!(told(&mut outbox, 66, 96), told_of("A", &[(95, 185)]), "what fires goes on");
}

#[test]
fn what_a_dead_sink_missed_is_told_as_it_is_when_the_sink_comes_back() {
    let mut outbox = outbox(&[("Over", 0, 100), ("LongOver", 0, 10), ("Fires", 5, 900)]);
    // Nothing was told until second 150.
    assert_eq!(outbox.forget(on(150)), 1, "LongOver");
    let due = outbox.due(on(150), 100);
    let told: Vec<_> = due.iter().map(|due| (due.alert.labels["alertname"].as_str(), due.firing)).collect();
    assert_eq!(told, [("Over", false), ("Fires", true)]);
    assert_eq!(due[1].alert.starts_at, at(5), "since it began, not since it was told");
    assert_eq!(outbox.due(on(150), 1).len(), 1, "a piece at a time");
}

#[test]
fn an_incident_that_is_added_twice_is_told_once() {
    let mut outbox = outbox(&[("A", 0, 100)]);
    told(&mut outbox, 0, 1);
    outbox.add("i", &alerts(&[("A", 0, 100)]), on(0));
    assert_eq!(told(&mut outbox, 2, 29), []);
    assert_eq!((outbox.firing(on(50)), outbox.firing(on(100))), (1, 0));
}

/// What is told between two seconds of the steady clock if the wall clock is set by this much: second, name, and what is told as the
/// beginning and the end, in seconds of the wall clock.
fn told_after(
    outbox: &mut Outbox,
    set: i64,
    seconds: std::ops::RangeInclusive<i64>,
) -> Vec<(i64, String, i64, i64)> {
    let mut all = Vec::new();
    for second in seconds {
        let now = Shown { wall: at(second + set), steady: steady(second) };
        outbox.forget(now);
        let due = outbox.due(now, 100);
        let of = |time: Timestamp| time.as_second() - at(0).as_second();
        all.extend(due.iter().map(|Due { alert, .. }| {
            (second, alert.labels["alertname"].clone(), of(alert.starts_at), of(alert.ends_at))
        }));
        outbox.told(&due, now);
    }
    all
}

/// At once and as often as before, from when it began until it ends by the steady clock.
#[test]
fn what_fires_when_the_clock_is_set_goes_on_and_ends_in_time() {
    for (set, began) in [(600, 10), (-600, 10 - 600)] {
        let mut outbox = outbox(&[("A", 10, 80), ("B", 50, 60)]);
        assert_eq!(told(&mut outbox, 0, 19), told_of("A", &[(10, 100)]));
        let told = told_after(&mut outbox, set, 20..=300);
        let a = |second: i64, end: i64| (second, "A".to_owned(), began, end + set);
        let b = |second: i64, end: i64| (second, "B".to_owned(), 50 + set, end + set);
        let fires = [
            a(20, 110),
            a(50, 140),
            b(50, 140),
            b(60, 60),
            a(80, 80),
            b(90, 60),
            a(110, 80),
            b(120, 60),
            a(140, 80),
        ];
        assert_eq!(told, fires, "by {set}");
        assert!(outbox.is_empty());
    }
}

#[test]
fn what_is_over_when_the_clock_is_set_back_is_over_by_the_new_time() {
    let mut outbox = outbox(&[("A", 10, 80)]);
    told(&mut outbox, 0, 85);
    outbox.end("i", steady(85), at(85));
    let told = told_after(&mut outbox, -600, 86..=300);
    let a = |second: i64| (second, "A".to_owned(), 10 - 600, 80 - 600);
    assert_eq!(told, [a(86), a(116), a(146)], "its end was to come by the clock as it is");
}

/// A drill is cancelled, whose end is dated by the time of the incident.
#[test]
fn an_end_after_a_step_back_is_told_by_the_clock_as_it_is() {
    let mut outbox = outbox(&[("A", 10, 800), ("B", 700, 800)]);
    told(&mut outbox, 0, 19);
    outbox.end("i", steady(25), at(25));
    let told = told_after(&mut outbox, -600, 25..=40);
    assert_eq!(told, [(25, "A".to_owned(), 10 - 600, 25 - 600)]);
    assert!(outbox.has_told_all());
}

/// Less than a minute is a clock that is corrected: the beginning and the end stay as they were said, unless they are to come.
#[test]
fn small_corrections_of_the_clock_change_nothing_that_was_said() {
    for set in [-5, 5] {
        let mut outbox = outbox(&[("A", 10, 80)]);
        told(&mut outbox, 0, 19);
        let told = told_after(&mut outbox, set, 20..=90);
        let a = |second: i64, end: i64| (second, "A".to_owned(), 10, end);
        assert_eq!(told, [a(40, 130 + set), a(70, 160 + set), a(80, 80.min(80 + set))]);
    }
}

/// It is told by an event that came at its second.
#[test]
fn alerts_of_a_drill_that_is_further_than_was_thought_are_earlier() {
    let mut outbox = outbox(&[("A", 10, 80)]);
    outbox.advance("other", SignedDuration::from_secs(30));
    outbox.advance("i", SignedDuration::from_secs(5));
    assert_eq!(outbox.next(on(0)), Some(steady(5)));
    assert_eq!(outbox.firing(on(74)) + outbox.firing(on(75)), 1);
}

#[test]
fn alerts_are_bounded() {
    let mut outbox = Outbox::default();
    let many: Vec<(String, i64, i64)> = (0..10_001).map(|number| (number.to_string(), 0, 10)).collect();
    let many: Vec<(&str, i64, i64)> =
        many.iter().map(|(name, from, to)| (name.as_str(), *from, *to)).collect();
    assert_eq!(outbox.add("i", &alerts(&many), on(0)), 1);
}

#[test]
fn the_labels_of_a_sink_never_take_the_mark_away() {
    let mut outbox = outbox(&[("A", 0, 10)]);
    let due = outbox.due(on(1), 1);
    outbox.told(&due, on(1));
    let labels: Labels = [("team", "b"), ("run", "x"), ("alertname", "y")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let body = body(&due, &labels, Some("https://wiki.example/"));
    assert_eq!(body[0]["labels"], serde_json::json!({ "alertname": "A", "run": "r", "team": "b" }));
    assert_eq!(body[0]["generatorURL"], "https://wiki.example/");
    assert_eq!(body[0]["startsAt"], "2027-01-15T08:00:00.000Z");
}
