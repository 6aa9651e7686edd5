//! The validator: every rule passes on a sound stream, every rule is broken in at least two ways, and the command
//! says so.

mod command;
mod sound;
mod story;
mod stream;

use std::time::Duration;

use incident::check::{Context, Outcome, RULES, Transcript, check};
use incident::scenario::Scenario;

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
    stream.expect =
        Scenario::parse("x.toml", DATABASE_OUTAGE).unwrap().file.expect.map(toml::Spanned::into_inner);
    let outcomes = stream.outcomes();
    assert_eq!(outcomes.len(), RULES.len());
    for (rule, outcome) in outcomes {
        assert!(matches!(outcome, Outcome::Passed(_)), "{}: {outcome:?}", rule.name);
    }
}

#[test]
fn nothing_is_checked_on_an_empty_stream() {
    let context = Context { expect: None, arrivals: true, complete: true, tolerance: Duration::ZERO };
    for (rule, outcome) in check(&Transcript::default(), &context, |_| true) {
        assert!(matches!(outcome, Outcome::NotChecked(_)), "{}: {outcome:?}", rule.name);
    }
}

#[test]
fn an_incident_that_was_left_early_is_no_failure_when_nobody_waited() {
    let mut stream = sound();
    let place = stream.resolution();
    stream.frames.truncate(place);
    stream.complete = false;
    assert_eq!(stream.failures(), []);
}

#[test]
fn every_rule_is_broken_by_a_test() {
    let tests = concat!(include_str!("stream.rs"), include_str!("story.rs"));
    for rule in RULES {
        assert!(tests.contains(&format!("fn {}()", rule.name)), "rule {} has no test of its own", rule.name);
    }
}
