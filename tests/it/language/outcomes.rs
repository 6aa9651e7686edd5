//! Steps with drawn outcomes, and steps that repeat.

use std::collections::BTreeSet;

use incident::contract::Mark;

use super::{actions, completed, mistakes, parse, step, text};
use crate::harness::Timeline;

fn drawing() -> String {
    let fix = step(
        "fix",
        "at = \"10s\"\ndraws = { clean = 0.7, partial = 0.3 }\noutcome = { partial = \"But for one host\" }",
    );
    let host = step("host", "after = { step = \"fix\", on = \"partial\" }\ndelay = \"2s\"");
    let done = step("done", "after = { step = \"fix\", on = \"clean\" }\ndelay = \"1s\"");
    text("", &format!("{fix}{host}{done}"), "")
}

#[test]
fn one_outcome_is_drawn_and_decides_the_branch() {
    let scenario = parse(&drawing());
    let mut partial = 0;
    for seed in 0..1_000 {
        let timeline = Timeline::compile(&scenario, seed);
        let summary = &actions(&timeline)[0].summary;
        let branch = completed(&timeline)[1];
        match summary.as_str() {
            "But for one host" => assert_eq!(branch, (12.0, "host")),
            "fix" => assert_eq!(branch, (11.0, "done")),
            other => panic!("{other}"),
        }
        partial += u32::from(branch.1 == "host");
    }
    // 300 are expected, with a deviation of 14.5; the seeds are always the same.
    assert!((250..350).contains(&partial), "{partial}");
}

#[test]
fn what_is_drawn_depends_on_the_seed_and_the_step_alone() {
    let (alone, beside) = (
        parse(&drawing()),
        drawing().replace("[resolution]", &(step("more", "at = \"1s\"") + "[resolution]")),
    );
    let beside = parse(&beside);
    for seed in 0..50 {
        let of = |scenario| {
            let timeline = Timeline::compile(scenario, seed);
            completed(&timeline)
                .iter()
                .filter(|(_, step)| *step != "more")
                .map(|(at, step)| (*at, (*step).to_owned()))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&alone), of(&beside));
    }
}

#[test]
fn outcomes_that_cannot_be_are_refused() {
    let base = drawing();
    for (old, new, says) in [
        ("partial = 0.3", "partial = 0.2", "sum to 0.900, not to 1"),
        ("partial = 0.3", "failed = 0.3", "can't be called \"failed\""),
        ("on = \"partial\"", "on = \"partail\"", "has no outcome \"partail\"; did you mean \"partial\"?"),
        ("clean = 0.7, partial = 0.3", "clean = 1.0, partial = 0.0", "never draws \"partial\""),
        ("outcome = { partial", "outcome = { partly", "unknown outcome \"partly\""),
        ("clean = 0.7, partial = 0.3", "clean = -0.7, partial = 1.7", "must each be from 0 to 1"),
    ] {
        let told = mistakes(&base.replace(old, new));
        assert!(told.contains(says), "{new}: {told}");
    }
}

#[test]
fn a_step_repeats_until_another_ends() {
    let fix = step("fix", "at = \"35s\"\ntakes = \"5s\"");
    let status = step("status", "at = \"8s\"\nrepeat = { every = \"10s\", until = \"fix\" }");
    let after = step("after", "after = \"status\"\ndelay = \"1s\"");
    let timeline = Timeline::compile(&parse(&text("", &format!("{fix}{status}{after}"), "")), 1);
    let expected = [
        (8.0, "status"),
        (9.0, "after"),
        (18.0, "status"),
        (28.0, "status"),
        (38.0, "status"),
        (40.0, "fix"),
    ];
    assert_eq!(completed(&timeline), expected);
}

#[test]
fn a_step_repeats_so_many_times_or_until_the_end() {
    let times = step("status", "at = \"8s\"\ntakes = \"1s\"\nrepeat = { every = \"10s\", times = 2 }");
    let timeline = Timeline::compile(&parse(&text("", &times, "")), 1);
    assert_eq!(completed(&timeline), [(9.0, "status"), (19.0, "status"), (29.0, "status")]);
    let all = times.replace(", times = 2", "");
    let timeline = Timeline::compile(&parse(&text("", &all, "")), 1);
    assert_eq!(completed(&timeline).last(), Some(&(59.0, "status")), "each ends before the incident does");
}

#[test]
fn what_cannot_be_repeated_is_refused() {
    let base =
        step("status", "at = \"8s\"\ntakes = \"1s\"\nrepeat = { every = \"10s\", until = \"status\" }");
    for (old, new, says) in [
        ("until = \"status\"", "until = \"status\"", "can't be repeated until itself"),
        ("until = \"status\"", "until = \"fix\"", "unknown step \"fix\""),
        (
            "every = \"10s\", until = \"status\"",
            "every = \"500ms\"",
            "repeated every 500ms, before it has ended",
        ),
        ("every = \"10s\", until = \"status\"", "every = \"0s\"", "before it has ended"),
        ("takes = \"1s\"", "marks = \"detected\"", "`repeat` on a step with `marks`"),
        ("takes = \"1s\"", "fails = 0.5", "`repeat` on a step with `fails`"),
        (", until = \"status\"", ", til = \"status\"", "unknown field `til`"),
        (
            "takes = \"1s\"\nrepeat = { every = \"10s\", until = \"status\" }",
            "repeat = { every = \"1ms\" }",
            "more than 20000 events",
        ),
    ] {
        let told = mistakes(&text("", &base.replace(old, new), ""));
        assert!(told.contains(says), "{new}: {told}");
    }
}

/// The stream reaches each once and in order, whatever the steps of a file name.
#[test]
fn a_milestone_is_reached_once_and_none_before_an_earlier_one() {
    // Which of the two steps completes first, or at all, is up to chance.
    let marked = |id: &str, at: &str, marks: &str| {
        step(
            id,
            &format!(
                "at = \"{at}\"\ntakes = \"1s\"\nfails = 0.5\nretry = {{ times = 6, backoff = \"4s\" }}\nmarks = {marks}"
            ),
        )
    };
    let steps = [
        marked("one", "1s", "[\"detected\", \"mitigated\"]"),
        marked("two", "2s", "[\"detected\", \"diagnosed\"]"),
    ]
    .concat();
    let scenario = parse(&text("", &steps, ""));
    let mut seen = BTreeSet::new();
    for seed in 0..40 {
        let timeline = Timeline::compile(&scenario, seed);
        let marks: Vec<Mark> =
            actions(&timeline).into_iter().flat_map(|action| action.marks.clone()).collect();
        assert!(marks.is_sorted_by(|before, after| before < after), "{seed}: {marks:?}");
        seen.insert(marks);
    }
    assert!(seen.contains(&vec![Mark::Detected, Mark::Mitigated]), "{seen:?}");
    assert!(seen.contains(&vec![Mark::Detected, Mark::Diagnosed, Mark::Mitigated]), "{seen:?}");
}
