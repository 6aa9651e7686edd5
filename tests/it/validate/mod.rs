//! The validator: every rule passes on a sound stream, every rule is broken in at least two ways, and the command
//! says so.

mod blamed_once;
mod bounds;
pub mod command;
mod doubts;
mod fast;
mod forged;
mod gaps;
mod good;
mod guide;
mod listen;
mod mutations;
mod offline;
mod reports;
mod served;
mod sound;
mod strangers;
mod suspicions;
mod transcripts;
mod uncompared;

use incident::check::{Context, Judge, MustResolve, Promise, RULES, Verdict, judge_lines};
use incident::contract::MessageType;
use serde_json::{Value, json};

use sound::{STREAM, expectations, sound};

#[test]
fn a_sound_stream_passes_every_rule() {
    let mut stream = sound();
    let ahead = Promise::Reset("ahead".to_owned());
    stream.others = vec![
        stream.resume(30),
        stream.resume(70),
        stream.twin(),
        stream.wrong_position("-1", Promise::BadRequest),
        stream.wrong_position(&format!("{STREAM}/1000000"), ahead),
    ];
    stream.ended = Some(stream.frames.last().unwrap().1 + 5.0);
    stream.expect = Some(expectations());
    stream.limits.set("latency.max=1s").unwrap();
    stream.limits.set("clock.skew=1s").unwrap();
    let outcomes = stream.outcomes();
    assert_eq!(outcomes.len(), RULES.len());
    for (rule, outcome) in outcomes {
        assert!(matches!(outcome, Verdict::Passed(_)), "{}: {outcome:?}", rule.name);
    }
}

#[test]
fn nothing_is_checked_on_an_empty_stream() {
    let context = Context { arrivals: true, must_resolve: MustResolve::All, ..Context::default() };
    for (rule, outcome) in Judge::new(context, true, |_| true).finish().rules {
        assert!(matches!(outcome, Verdict::NotChecked(_)), "{}: {outcome:?}", rule.name);
    }
}

#[test]
fn an_incident_that_was_left_early_is_no_failure_when_nobody_waited() {
    let mut stream = sound();
    let place = stream.resolution();
    stream.frames.truncate(place);
    stream.must_resolve = MustResolve::None;
    assert_eq!(stream.failures(), []);
    assert_eq!(stream.summary("lifecycle"), "1 incident: still open");
}

/// What the published schema requires of each message.
#[test]
fn an_attribute_that_the_contract_requires_is_missed() {
    let last = sound().frames.len() - 1;
    for place in [0, 1, last] {
        for name in ["specversion", "id", "source", "type", "time", "data", "subject", "index"] {
            for is_null in [false, true] {
                let mut stream = sound();
                let Some(event) = stream.frames[place].0.as_object_mut() else { continue };
                if event.remove(name).is_none() {
                    continue;
                }
                if is_null {
                    event.insert(name.to_owned(), Value::Null);
                }
                let failures = stream.failures();
                assert!(!failures.is_empty(), "message {place} without {name}");
            }
        }
    }
}

/// What has not come yet is not met, and what is too late already is told.
#[test]
fn expectations_of_an_incident_that_is_open_are_met_only_as_far_as_it_came() {
    let mut stream = sound();
    stream.must_resolve = MustResolve::None;
    let detected = stream.all(MessageType::AgentAction)[0];
    stream.frames.truncate(detected);
    stream.expect("diagnose = { max = \"90s\" }\nresolve = { max = \"180s\" }\norder = [\"no-such-step\"]");
    assert_eq!(stream.failures(), []);
    assert_eq!(
        stream.unchecked("expect"),
        "nothing that is expected can be compared: 1 incident is open, was cancelled or lacks events"
    );
    let mut stream = sound();
    stream.must_resolve = MustResolve::None;
    let place = stream.resolution();
    stream.frames.truncate(place);
    stream.expect("detect = { max = \"90s\" }\nactions = { min = 500 }");
    assert_eq!(stream.failures(), []);
    assert!(
        stream
            .summary("expect")
            .ends_with(" is met so far; 1 incident is open, was cancelled or lacks events")
    );
    stream.expect("resolve = { max = \"60s\" }");
    let failures = stream.failures();
    assert!(failures[0].1.starts_with("the incident is not resolved after "), "{failures:?}");
    assert!(failures[0].1.ends_with("allowed is at most 1m"), "{failures:?}");
}

/// Another rule tells that its end is missing; that it has met what is asked of the whole can't be said.
#[test]
fn expectations_of_an_incident_that_breaks_off_are_not_met_by_its_beginning() {
    let mut stream = sound();
    let place = stream.resolution();
    stream.frames.truncate(place);
    stream.expect("phases = [\"detect\"]\norder = [\"no-such-step\"]");
    assert_eq!(stream.failures().iter().map(|(rule, _)| *rule).collect::<Vec<_>>(), ["lifecycle"]);
    assert!(stream.unchecked("expect").starts_with("nothing that is expected can be compared"));
}

#[test]
fn others_than_the_one_that_was_waited_for_may_stay_open() {
    let mut stream = sound();
    stream.and_another(30);
    // What is expected of the one scenario is not expected of the other.
    stream.expect("resolve = { min = \"3m\" }\nphases = [\"detect\", \"diagnose\", \"predict\", \"resolve\", \"verify\"]");
    stream.must_resolve = MustResolve::Only("database-outage-x7k2p".to_owned());
    assert_eq!(stream.failures(), []);
    assert_eq!(stream.summary("lifecycle"), "2 incidents: 1 resolved, 1 still open");
    stream.must_resolve = MustResolve::Only("another-aaaaa".to_owned());
    assert_eq!(stream.failures(), [("lifecycle", "another-aaaaa is never resolved".to_owned())]);
    // They are judged in every other way.
    stream.must_resolve = MustResolve::None;
    let last = stream.frames.len() - 1;
    stream.data(last)["phase"] = "panic".into();
    assert_eq!(stream.failures(), [("phases", "phase \"panic\" was not announced".to_owned())]);
}

#[test]
fn expectations_hold_for_their_own_scenario_and_for_who_names_none() {
    let mut stream = sound();
    stream.expect("detect = { max = \"5s\" }");
    let start = stream.all(MessageType::IncidentStarted)[0];
    stream.data(start)["run"]["scenario"] = "another".into();
    assert_eq!(stream.failures(), []);
    stream.data(start).as_object_mut().unwrap().remove("run");
    assert_eq!(stream.failures().len(), 1);
}

#[test]
fn a_replay_may_hold_the_end_of_an_incident_that_began_before_it() {
    let mut stream = sound();
    stream.frames.retain(|(frame, _)| frame["type"] != "heartbeat");
    let events = stream.frames.len() - 1;
    stream.frames.drain(1..=20);
    stream.greeting()["head"] = events.into();
    stream.greeting()["follows"] = json!({ "kind": "started", "from": 21, "to": events });
    stream.arrivals = false;
    assert_eq!(stream.failures(), []);
    assert_eq!(stream.summary("lifecycle"), "1 incident: resolved, without the start");
    // Of one that is open a replay holds all.
    stream.greeting()["head"] = 20.into();
    stream.greeting()["follows"] = json!({ "kind": "started", "from": 21, "to": 20 });
    assert_eq!(stream.failures()[0].0, "lifecycle");
}

#[test]
fn few_samples_are_judged_by_the_rates_that_were_seen() {
    let mut stream = sound();
    for place in stream.all(MessageType::SystemMetrics) {
        // Phases begin and end between the samples that are left.
        if (40.0..170.0).contains(&stream.data(place)["offset_s"].as_f64().unwrap()) {
            stream.data(place).as_object_mut().unwrap().remove("cost");
        }
    }
    assert_eq!(stream.failures(), []);
}

#[test]
fn a_rule_that_could_not_fail_did_not_pass() {
    let mut stream = sound();
    stream.cut(1, 12.0);
    stream.must_resolve = MustResolve::None;
    let outcomes = stream.outcomes();
    let (_, heartbeat) = outcomes.iter().find(|(rule, _)| rule.name == "heartbeat").unwrap();
    assert!(matches!(heartbeat, Verdict::NotChecked(_)), "{heartbeat:?}");
    stream.cut(1, 13.0);
    assert_eq!(stream.failures()[0].0, "heartbeat");
}

#[test]
fn findings_name_the_lines_of_the_file() {
    let recording = "\n\n{nonsense\n\r\n{}\n";
    let lines = recording.lines().zip(1..).map(|(text, line)| Ok::<_, ()>((line, text.to_owned())));
    let judgement = judge_lines(lines, Context::default(), |rule| rule == "envelope").unwrap();
    let [(_, Verdict::Failed(findings, 0))] = judgement.rules.as_slice() else { panic!() };
    assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [Some(3), Some(5)]);
}
