//! The validator: every rule passes on a sound stream, every rule is broken in at least two ways, and the command
//! says so.

mod command;
mod gaps;
mod listen;
mod sound;
mod story;
mod strangers;
mod stream;

use incident::check::{Context, Judge, MustResolve, RULES, Verdict, judge_lines};
use incident::contract::MessageType;
use incident::scenario::Scenario;
use serde_json::json;

use sound::{DATABASE_OUTAGE, Stream, sound};

/// What breaks a stream, in words and in deed.
type Way = (&'static str, fn(&mut Stream));

/// Breaks a sound stream in several ways, each of which has to fail exactly one rule.
fn only<const N: usize>(rule: &str, ways: [Way; N]) {
    const { assert!(N >= 2, "a rule is shown on at least two broken streams") };
    for (way, break_it) in ways {
        let mut stream = sound();
        break_it(&mut stream);
        let failures = stream.failures();
        let names: Vec<&str> = failures.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, [rule], "{way}: {failures:?}");
    }
}

#[test]
fn a_sound_stream_passes_every_rule() {
    let mut stream = sound();
    stream.probes = vec![stream.probe(30), stream.probe(70)];
    stream.ended = Some(stream.frames.last().unwrap().1 + 5.0);
    stream.expect =
        Scenario::parse("x.toml", DATABASE_OUTAGE).unwrap().file.expect.map(toml::Spanned::into_inner);
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
    assert_eq!(stream.failures(), [("lifecycle", "phase \"panic\" was not announced".to_owned())]);
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
    // Of one that is open a replay holds all.
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

#[test]
fn every_rule_is_broken_by_a_test() {
    let tests = concat!(include_str!("stream.rs"), include_str!("story.rs"));
    for rule in RULES {
        assert!(tests.contains(&format!("fn {}()", rule.name)), "rule {} has no test of its own", rule.name);
    }
}
