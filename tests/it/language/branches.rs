//! Every branch of a file is taken with some seed, or warned of.

use std::collections::BTreeSet;
use std::fmt::Write;

use incident::contract::{Message, Status};
use incident::scenario::Scenario;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{parse, step, text};

/// A step of a file in which branches may be impossible, too late, or lead nowhere.
#[derive(Debug, Clone)]
struct Wild {
    at: u64,
    /// An earlier step (modulo how many there are), on which outcome, with which delay in seconds.
    after: Option<(usize, &'static str, u64)>,
    takes: Option<u64>,
    chance: Chance,
}

#[derive(Debug, Clone, Copy)]
enum Chance {
    None,
    /// It fails with this chance, and is tried again so many times.
    Fails(f64, u32),
    /// The chance of the first of two outcomes.
    Draws(f64),
}

/// How likely each of the outcomes is at least that is possible, and how many steps may be left to chance: so the course
/// that is the least likely of all has 0.09³, and 40,000 seeds miss it once in 10¹² times.
const CHANCY: usize = 3;
const SEEDS: u64 = 40_000;

fn wild() -> impl Strategy<Value = (Vec<Wild>, Option<(usize, &'static str)>, u64)> {
    let on = prop_oneof![
        4 => Just("any"), 2 => Just("completed"), 2 => Just("failed"), 2 => Just("one"), 2 => Just("two")
    ];
    let chance = prop_oneof![
        2 => Just(Chance::None),
        3 => (prop_oneof![Just(0.3), Just(0.5), Just(0.7), Just(1.0)], 0_u32..2)
            .prop_map(|(fails, times)| Chance::Fails(fails, times)),
        3 => prop_oneof![Just(0.3), Just(0.5), Just(0.7), Just(0.0), Just(1.0)].prop_map(Chance::Draws),
    ];
    let step = (
        0_u64..30,
        prop::option::weighted(0.8, (0_usize..6, on.clone(), 0_u64..15)),
        prop::option::of(1_u64..15),
        chance,
    )
        .prop_map(|(at, after, takes, chance)| Wild { at, after, takes, chance });
    (vec(step, 1..7), prop::option::of((0_usize..6, on)), 20_u64..120)
}

/// What can follow a step: edges to other outcomes are mistakes, which are refused.
fn sound(on: &'static str, parent: &Wild) -> &'static str {
    match (on, parent.chance) {
        ("failed", Chance::Fails(..)) => on,
        ("one", Chance::Draws(one)) if one > 0.0 => on,
        ("two", Chance::Draws(one)) if one < 1.0 => on,
        ("completed", Chance::None | Chance::Draws(_)) => on,
        ("completed", Chance::Fails(fails, _)) if fails < 1.0 => on,
        _ => "any",
    }
}

fn toml_of(steps: &[Wild], end: Option<(usize, &'static str)>, length: u64, seed: u64) -> String {
    let mut out = String::new();
    for (place, wild) in steps.iter().enumerate() {
        let mut more = match wild.after.filter(|_| place > 0) {
            Some((parent, on, delay)) => {
                let parent = parent % place;
                let on = sound(on, &steps[parent]);
                format!("after = {{ step = \"s{parent}\", on = \"{on}\" }}\ndelay = \"{delay}s\"\n")
            }
            None => format!("at = \"{}s\"\n", wild.at),
        };
        if let Some(takes) = wild.takes {
            writeln!(more, "takes = \"{takes}s\"").unwrap();
        }
        match wild.chance {
            Chance::None => {}
            Chance::Fails(fails, 0) => writeln!(more, "fails = {fails:?}").unwrap(),
            Chance::Fails(fails, times) => {
                writeln!(more, "fails = {fails:?}\nretry = {{ times = {times}, backoff = \"7s\" }}").unwrap();
            }
            Chance::Draws(one) => {
                writeln!(
                    more,
                    "draws = {{ one = {one:?}, two = {:?} }}\noutcome = {{ one = \"one\", two = \"two\" }}",
                    1.0 - one
                )
                .unwrap();
            }
        }
        out += &step(&format!("s{place}"), &more);
    }
    let resolution = match end {
        Some((last, on)) => {
            let last = last % steps.len();
            format!("after = {{ step = \"s{last}\", on = \"{}\" }}\ndelay = \"9s\"", sound(on, &steps[last]))
        }
        None => format!("at = \"{length}s\""),
    };
    let text = text("metrics_every = \"1h\"\n", &out, "").replace("at = \"60s\"", &resolution);
    text.replacen("id = \"small\"", &format!("id = \"small\"\nseed = {seed}"), 1)
}

/// A step, and how it ends: `failed`, `completed`, or what it draws.
type Branch = (String, String);

/// The branches of a file, with the outcomes that lead to their steps.
fn branches(scenario: &Scenario) -> Vec<Branch> {
    let steps = scenario.file.steps.iter().flat_map(|step| {
        let failed = step.fails.is_some().then(|| "failed".to_owned());
        let never_completes = step.fails.as_ref().is_some_and(|fails| *fails.get_ref() >= 1.0);
        let completed = (step.draws.is_none() && !never_completes).then(|| "completed".to_owned());
        let ways: Vec<String> = step.ways().map(str::to_owned).collect();
        let ends = failed.into_iter().chain(completed).chain(ways);
        ends.map(|end| (step.id.get_ref().clone(), end)).collect::<Vec<_>>()
    });
    steps.collect()
}

/// The branches that an incident with this seed takes; nothing if it can't be played.
fn taken(scenario: &Scenario, seed: u64) -> BTreeSet<Branch> {
    let Ok(plan) = scenario.compile(seed) else { return BTreeSet::new() };
    let mut last = std::collections::BTreeMap::new();
    for message in plan.messages() {
        let Message::AgentAction(action) = message else { continue };
        let end = match action.status {
            Status::InProgress => continue,
            Status::Failed => "failed".to_owned(),
            Status::Completed if action.summary.starts_with('s') => "completed".to_owned(),
            Status::Completed => action.summary,
        };
        last.insert(action.step.unwrap(), end);
    }
    last.into_iter().collect()
}

/// Whether a warning says it of the branch, or of each that leads to its step.
fn is_warned(scenario: &Scenario, (id, end): &Branch) -> bool {
    let what = match end.as_str() {
        "failed" => "fails".to_owned(),
        "completed" => "completes".to_owned(),
        way => format!("draws {way:?}"),
    };
    let said = [format!("step {id:?} {what}"), format!("step {id:?} never {what}")];
    let is_said =
        scenario.warnings.iter().any(|warning| said.iter().any(|said| warning.message.contains(said)));
    let step = scenario.file.steps.iter().find(|step| step.id.get_ref() == id).unwrap();
    let Some(after) = step.after.as_ref().filter(|_| !is_said) else { return is_said };
    let on = match &after.on {
        incident::scenario::On::Any => None,
        incident::scenario::On::Completed => Some("completed"),
        incident::scenario::On::Failed => Some("failed"),
        incident::scenario::On::Drawn(way) => Some(way.as_str()),
    };
    let leads = branches(scenario).into_iter().filter(|(parent, end)| {
        let is = match on {
            None => true,
            Some("completed") => end != "failed",
            Some(on) => end == on,
        };
        parent == after.step.get_ref() && is
    });
    leads.into_iter().all(|branch| is_warned(scenario, &branch))
}

proptest! {
    // A failure has tried all seeds, so few are made smaller.
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_branch_is_taken_with_some_seed_or_warned_of((mut steps, end, length) in wild()) {
        let mut chancy = 0;
        for wild in &mut steps {
            let is_chance = match wild.chance {
                Chance::Fails(chance, _) | Chance::Draws(chance) => chance > 0.0 && chance < 1.0,
                Chance::None => false,
            };
            chancy += usize::from(is_chance);
            if is_chance && chancy > CHANCY {
                wild.chance = Chance::None;
            }
        }
        // A file whose own seed can't be played is refused, so another is looked for.
        let files = (0..40).map(|seed| toml_of(&steps, end, length, seed));
        let scenario = files.into_iter().find_map(|text| Scenario::parse("wild.toml", &text).ok());
        prop_assume!(scenario.is_some());
        let scenario = scenario.unwrap();
        let (warned, silent): (BTreeSet<Branch>, BTreeSet<Branch>) =
            branches(&scenario).into_iter().partition(|branch| is_warned(&scenario, branch));
        let (mut left, mut tried) = (silent, 0);
        while tried < SEEDS && (tried < 300 || !left.is_empty()) {
            for branch in taken(&scenario, tried) {
                left.remove(&branch);
                prop_assert!(!warned.contains(&branch), "{branch:?} is taken with seed {tried}, in spite of {:?}\n{}", scenario.warnings, scenario.text);
            }
            tried += 1;
        }
        prop_assert!(left.is_empty(), "{left:?} is never taken, and no warning says so: {:?}\n{}", scenario.warnings, scenario.text);
    }
}

/// The warnings with the text of their places.
fn warned(text: &str) -> Vec<(String, String)> {
    let scenario = parse(text);
    let warnings = scenario.warnings.iter();
    warnings.map(|warning| (warning.message.clone(), text[warning.span.clone()].to_owned())).collect()
}

#[test]
fn a_branch_that_hardly_any_seed_would_show_is_found() {
    let draws = |rare: f64| {
        step("fix", &format!("at = \"5s\"\ndraws = {{ usual = {:?}, rare = {rare:?} }}", 1.0 - rare))
    };
    let late = step("late", "after = { step = \"fix\", on = \"rare\" }\ndelay = \"90s\"");
    let [(message, at)] = &warned(&text("", &format!("{}{late}", draws(0.001)), ""))[..] else { panic!() };
    assert!(message.contains("if step \"fix\" draws \"rare\", step \"late\" is not over"), "{message}");
    assert_eq!(at, "rare");
    let ends = text("", &draws(0.001), "")
        .replace("at = \"60s\"", "after = { step = \"fix\", on = \"usual\" }\ndelay = \"40s\"");
    let [(message, _)] = &warned(&ends)[..] else { panic!() };
    assert!(message.contains("if step \"fix\" draws \"rare\", the incident never ends"), "{message}");
    // So rare that it is a slip of the pen, over two steps.
    let again = step("again", "after = { step = \"fix\", on = \"rare\" }\nfails = 0.0001");
    let more = step("more", "after = { step = \"again\", on = \"failed\" }\ndelay = \"1s\"");
    let [(message, at)] = &warned(&text("", &format!("{}{again}{more}", draws(0.001)), ""))[..] else {
        panic!()
    };
    assert!(message.contains("step \"again\" fails with fewer than one seed in a million"), "{message}");
    assert_eq!(at, "0.0001");
}

#[test]
fn what_cannot_happen_is_told_where_it_is_written() {
    for (more, says, at) in [
        ("draws = { usual = 1.0, rare = 0.0 }", "step \"fix\" never draws \"rare\"", "rare"),
        ("outcome = { failed = \"No\" }", "step \"fix\" never fails, so this summary", "failed"),
        ("fails = 1.0\nmarks = \"mitigated\"", "never completes, so it reaches no mark", "1.0"),
        ("fails = 1.0\ndraws = { one = 1.0 }", "never completes, so it draws nothing", "{ one = 1.0 }"),
        ("fails = 1.0\noutcome = { completed = \"Yes\" }", "so it never tells this summary", "completed"),
        (
            "draws = { one = 1.0 }\noutcome = { one = \"One\", completed = \"Yes\" }",
            "every outcome that step \"fix\" draws has a summary of its own",
            "completed",
        ),
    ] {
        let found = warned(&text("", &step("fix", &format!("at = \"5s\"\n{more}")), ""));
        let [(message, place)] = &found[..] else { panic!("{more}: {found:?}") };
        assert!(message.contains(says) && place == at, "{more}: {message} at {place}");
    }
}

/// That a variant makes a step fail for certain is what variants are for, and so is what only a variant shows.
#[test]
fn what_a_variant_makes_possible_is_not_told() {
    let fix = |fails: &str| {
        step(
            "fix",
            &format!("at = \"5s\"\nfails = {fails}\nmarks = \"mitigated\"\noutcome = {{ failed = \"No\" }}"),
        )
    };
    for (plain, variant) in [("0.0", "1.0"), ("1.0", "0.0")] {
        let more = format!("[variant.other.change.steps.fix]\nfails = {variant}\n");
        assert_eq!(warned(&text("", &fix(plain), &more)), []);
    }
    let more = "[variant.other.change]\ntitle = \"Another\"\n";
    assert_eq!(warned(&text("", &fix("1.0"), more)).len(), 1);
}

/// Many attempts are there so that a step completes in the end.
#[test]
fn a_step_that_hardly_ever_fails_in_the_end_is_fine() {
    let fix = step("fix", "at = \"5s\"\nfails = 0.3\nretry = { times = 40, backoff = \"1s\" }");
    let next = step("next", "after = \"fix\"\ndelay = \"1s\"");
    assert_eq!(warned(&text("", &format!("{fix}{next}"), "")), []);
}
