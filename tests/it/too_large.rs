//! Scenario files that are larger, longer or deeper than any that is played.

use incident::scenario::Scenario;

use crate::mistakes::{ONE_PHASE, made_of, one_step, only_problem};

#[test]
fn more_samples_than_anybody_watches_are_refused_before_they_are_made() {
    let step = one_step("at = \"1s\"");
    let text = made_of(ONE_PHASE, &step, "at = \"30d\"");
    let (message, at, help) = only_problem(&text);
    assert!(message.contains("more than 100000") && message.contains("30d"), "{message}");
    assert!(at.starts_with("\"p\""), "the long phase: {at}");
    assert!(help.contains("give phase \"p\" a `play`, or raise metrics_every"), "{help}");

    let text = made_of(&format!("metrics_every = \"100ms\"\n{ONE_PHASE}"), &step, "at = \"3h\"");
    let (message, at, _) = only_problem(&text);
    assert!(message.contains("108001 samples") && at.starts_with("\"100ms\""), "{message} at {at}");

    let text = made_of(&format!("metrics_every = \"200ms\"\n{ONE_PHASE}"), &step, "at = \"5h\"");
    Scenario::parse("long.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let slow = "metrics_every = \"1d\"\nphases = [{ name = \"p\", at = \"0s\", play = \"366d\" }, { name = \"q\", at = \"10s\", play = \"1d\" }]";
    let text = made_of(slow, &step, "at = \"1h\"");
    let (message, at, _) = only_problem(&text);
    assert!(message.contains("plays for 367d") && at.starts_with("\"366d\""), "{message} at {at}");
}

/// Steps `s0` to `s{count - 1}`, each after the next one written: the last is the first to happen.
fn reversed(count: usize, more: &str) -> String {
    let steps = (0..count).map(|place| {
        let when =
            if place + 1 == count { "at = \"1s\"".to_owned() } else { format!("after = \"s{}\"", place + 1) };
        one_step(&format!("{when}\n{more}")).replace("id = \"s\"", &format!("id = \"s{place}\""))
    });
    steps.collect()
}

#[test]
fn a_chain_of_thousands_of_steps_in_reverse_order_is_followed_quickly() {
    let text = made_of(
        ONE_PHASE,
        &reversed(9_000, "delay = \"1ms\"").replace("at = \"1s\"\ndelay = \"1ms\"", "at = \"1s\""),
        "at = \"60s\"",
    );
    let began = std::time::Instant::now();
    let scenario = Scenario::parse("long.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    assert!(scenario.compile(7).unwrap().events().len() > 9_000);
    assert!(began.elapsed().as_secs() < 20, "it took {:?}", began.elapsed());
}

#[test]
fn a_ring_of_thousands_of_steps_is_found() {
    let text =
        made_of(ONE_PHASE, &reversed(9_000, "").replace("at = \"1s\"", "after = \"s0\""), "at = \"60s\"");
    let (message, at, help) = only_problem(&text);
    assert!(message.contains("steps wait for each other") && at.starts_with("\"s0\""), "{message}");
    assert!(help.len() < 1_000, "a help of {} bytes helps nobody", help.len());
}

#[test]
fn too_many_steps_are_one_mistake() {
    let text = made_of(ONE_PHASE, &reversed(10_001, ""), "at = \"60s\"");
    let (message, at, _) = only_problem(&text);
    assert!(message.contains("10001 steps") && at.starts_with("\"s10000\""), "{message} at {at}");
}

#[test]
fn too_many_attempts_are_refused() {
    let more = "takes = \"1ms\"\nfails = 1\nretry = { times = 100 }";
    let text = made_of(ONE_PHASE, &reversed(100, more), "at = \"60s\"");
    let (message, ..) = only_problem(&text);
    assert!(message.contains("more than 20000"), "{message}");
}

#[test]
fn no_incident_lasts_longer_than_a_year() {
    let year =
        one_step("at = \"1s\"\ntakes = \"300d\"\nfails = 1\nretry = { times = 100, backoff = \"366d\" }");
    let text = made_of(ONE_PHASE, &year, "after = \"s\"");
    let (message, at, _) = only_problem(&text);
    assert!(message.contains("more than a year") && at.starts_with("\"s\""), "{message} at {at}");
    // Even sums that no integer holds.
    let more = "takes = \"366d\"\nfails = 1\nretry = { times = 98, backoff = \"366d\" }";
    let text = made_of(ONE_PHASE, &reversed(100, more), "after = \"s0\"");
    let (message, ..) = only_problem(&text);
    assert!(message.contains("more than a year"), "{message}");
    // What is still busy by then is told as any other.
    let text = made_of(ONE_PHASE, &year, "at = \"1h\"");
    let (message, ..) = only_problem(&text);
    assert!(message.contains("is still in progress at"), "{message}");
}
