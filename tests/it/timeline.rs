//! Properties of compiled timelines, for any sound scenario and any seed.

use std::collections::HashMap;

use incident::contract::{
    Actions, AgentAction, Durations, Envelope, IncidentEvent, MAX_EVENT_BYTES, Mark, Message, MessageType,
    Outcome, Phase, Source, Status,
};
use incident::plan::{IncidentTotals, PhaseRates, Plan};
use incident::scenario::Scenario;
use proptest::prelude::*;

use crate::harness::{Timeline, encode, fixtures};
use crate::invented::{Invented, invented};

const SEEDS: std::ops::Range<u64> = 0..1 << 53;

pub fn scenario(invented: &Invented) -> Scenario {
    let text = invented.toml();
    Scenario::parse("invented.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn messages(timeline: &Timeline) -> impl Iterator<Item = &Message> {
    timeline.events.iter().map(|event| &event.message)
}

fn actions(timeline: &Timeline) -> Vec<&AgentAction> {
    let actions = messages(timeline).filter_map(|message| match message {
        Message::AgentAction(action) => Some(action),
        _ => None,
    });
    actions.collect()
}

fn never_falls(values: impl IntoIterator<Item = f64>) -> bool {
    let values: Vec<f64> = values.into_iter().collect();
    values.windows(2).all(|pair| pair[0] <= pair[1])
}

/// What holds for every timeline, and what broke.
pub fn check(timeline: &Timeline) -> Result<(), TestCaseError> {
    for message in messages(timeline) {
        prop_assert!(message.data().get().len() <= MAX_EVENT_BYTES);
    }
    prop_assert!(timeline.events.windows(2).all(|pair| pair[0].due <= pair[1].due), "due times fall");
    prop_assert!(never_falls(messages(timeline).filter_map(Message::offset_s)), "offset_s falls");
    let starts = messages(timeline).filter(|message| message.kind() == MessageType::IncidentStarted).count();
    prop_assert_eq!(starts, 1);
    let Some(Message::IncidentStarted(started)) = messages(timeline).next() else {
        return Err(TestCaseError::fail("the first is not incident_started"));
    };
    let last = timeline.events.last().unwrap();
    let Message::IncidentResolved(resolved) = &last.message else {
        return Err(TestCaseError::fail("the last is not incident_resolved"));
    };
    prop_assert_eq!(last.due, timeline.plan().duration());
    let played: f64 = started.phases.iter().filter_map(|phase| phase.play_s).sum();
    prop_assert!((played - last.due as f64 / 1e6).abs() < 1e-3, "the phases play for the duration");
    let (end, offset_s) = (started.phases.last().unwrap().end_s.unwrap(), resolved.offset_s.unwrap());
    prop_assert_eq!(offset_s.to_bits(), end.to_bits(), "the last phase ends it");
    prop_assert_eq!(resolved.durations.resolve_s.to_bits(), offset_s.to_bits());
    prop_assert_eq!((resolved.actions, resolved.durations.clone()), tally(messages(timeline), offset_s));
    costs(timeline)?;
    for (message, index) in messages(timeline).zip(1..) {
        let Message::AgentAction(action) = message else { continue };
        beliefs(action)?;
        let named = |phase: &&Phase| Some(&phase.name) == action.phase.as_ref();
        let phase = started.phases.iter().find(named).unwrap();
        let offset_s = action.offset_s.unwrap();
        let inside = phase.start_s <= offset_s && offset_s < phase.end_s.unwrap();
        prop_assert!(inside, "{} at {offset_s} is not in {phase:?}", action.summary);
        prop_assert!(action.caused_by.is_none_or(|cause| cause < index), "a cause comes before");
    }
    Ok(())
}

fn costs(timeline: &Timeline) -> Result<(), TestCaseError> {
    let totals = messages(timeline).filter_map(|message| match message {
        Message::SystemMetrics(sample) => sample.cost.as_ref(),
        Message::IncidentResolved(resolved) => resolved.cost.as_ref(),
        _ => None,
    });
    let totals: Vec<f64> = totals.map(|cost| cost.total).collect();
    prop_assert!(never_falls(totals.iter().copied()), "the cost falls: {totals:?}");
    for total in totals {
        let cents = total * 100.0;
        prop_assert!(total >= 0.0 && (cents - cents.round()).abs() < 1e-3, "{total} is not in cents");
    }
    Ok(())
}

fn beliefs(action: &AgentAction) -> Result<(), TestCaseError> {
    let sum: f64 = action.hypotheses.iter().map(|belief| belief.p).sum();
    prop_assert!(sum <= 1.0 + 1e-9, "beliefs sum to {sum}");
    let all = action.hypotheses.iter().map(|belief| belief.p).chain(action.confidence);
    for p in all {
        prop_assert!((0.0..=1.0).contains(&p), "{p} is no probability");
    }
    Ok(())
}

/// Finished attempts and the first moment of each mark, counted again.
fn tally<'a>(messages: impl Iterator<Item = &'a Message>, resolve_s: f64) -> (Actions, Durations) {
    let (mut count, mut marks) = (Actions::default(), HashMap::new());
    for message in messages {
        let Message::AgentAction(action) = message else { continue };
        count.total += u32::from(action.status != Status::InProgress);
        count.failed += u32::from(action.status == Status::Failed);
        for mark in &action.marks {
            marks.entry(*mark).or_insert(action.offset_s.unwrap());
        }
    }
    let at = |mark| marks.get(&mark).copied();
    let durations = Durations {
        detect_s: at(Mark::Detected),
        diagnose_s: at(Mark::Diagnosed),
        mitigate_s: at(Mark::Mitigated),
        resolve_s,
    };
    (count, durations)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_timeline_is_sound(invented in invented(), seed in SEEDS) {
        check(&Timeline::compile(&scenario(&invented), seed))?;
    }

    #[test]
    fn the_same_seed_gives_the_same_timeline(invented in invented(), seed in SEEDS) {
        let (one, other) = (scenario(&invented), scenario(&invented));
        let plan = one.compile(seed).unwrap();
        prop_assert_eq!(&plan, &other.compile(seed).unwrap());
        // And it comes back whole when it was stored.
        prop_assert_eq!(&plan, &Plan::read(&plan.text().unwrap()).unwrap());
    }

    #[test]
    fn jitter_moves_no_step_past_another_or_over_a_border(invented in invented(), seed in SEEDS) {
        let mut exact = invented.clone();
        exact.jitter_ms = 0;
        let order = |timeline: &Timeline| {
            let told = actions(timeline).into_iter().map(|action| {
                (action.step.clone(), action.status, action.attempt, action.phase.clone())
            });
            told.collect::<Vec<_>>()
        };
        let (shifted, exact) = (Timeline::compile(&scenario(&invented), seed), Timeline::compile(&scenario(&exact), seed));
        prop_assert_eq!(order(&shifted), order(&exact));
        for (moved, written) in actions(&shifted).iter().zip(actions(&exact)) {
            let by = (moved.offset_s.unwrap() - written.offset_s.unwrap()).abs();
            prop_assert!(by <= invented.jitter_ms as f64 / 1e3 + 1e-9, "shifted by {by} s");
        }
    }

    #[test]
    fn it_can_be_cancelled_after_any_event(invented in invented(), seed in SEEDS, part in 0.0..1.0) {
        let plan = scenario(&invented).compile(seed).unwrap();
        let timeline = Timeline::of(&plan);
        let emitted = 1 + (part * (timeline.events.len() - 1) as f64) as usize;
        let until = timeline.events.get(emitted).map_or(timeline.plan().duration(), |next| next.due);
        for screen in [timeline.events[emitted - 1].due, until] {
            let mut so_far = IncidentTotals::default();
            for event in &timeline.events[..emitted] {
                so_far.add(&event.message, event.message.offset_s().unwrap());
            }
            let end = so_far.cancelled(&PhaseRates::of(&plan), screen);
            prop_assert_eq!(end.outcome, Outcome::Cancelled);
            let offset_s = end.offset_s.unwrap();
            let told = || timeline.events[..emitted].iter().map(|event| &event.message);
            let offsets = told().filter_map(Message::offset_s).chain([offset_s]);
            prop_assert!(never_falls(offsets), "the end comes before what was told");
            prop_assert!(offset_s <= timeline.events.last().unwrap().message.offset_s().unwrap());
            prop_assert_eq!((end.actions, end.durations.clone()), tally(told(), offset_s));
            let cost = told().filter_map(|message| match message {
                Message::SystemMetrics(sample) => sample.cost.as_ref().map(|cost| cost.total),
                _ => None,
            });
            let ended = end.cost.as_ref().map(|cost| cost.total);
            prop_assert!(never_falls(cost.chain(ended)), "the cost falls");
        }
    }

    #[test]
    fn the_noise_follows_the_seed(mut invented in invented(), seed in SEEDS) {
        invented.noise = 0.1;
        let scenario = scenario(&invented);
        let samples = |seed| {
            let timeline = Timeline::compile(&scenario, seed);
            let samples = messages(&timeline).filter_map(|message| match message {
                Message::SystemMetrics(sample) => Some(sample.metrics.clone()),
                _ => None,
            });
            samples.collect::<Vec<_>>()
        };
        prop_assert_ne!(samples(seed), samples(seed + 1));
    }
}

#[test]
fn every_shipped_and_example_scenario_is_sound_with_many_seeds() {
    let examples = fixtures("scenarios");
    let shipped = incident::scenario::SHIPPED.map(|(name, text)| (name.to_owned(), text.to_owned()));
    for (name, text) in examples.into_iter().chain(shipped) {
        let scenario = Scenario::parse(&name, &text).unwrap_or_else(|error| panic!("{error}"));
        for seed in (0..40).chain([(1 << 53) - 1]) {
            let plan = scenario.compile(seed).unwrap_or_else(|error| panic!("{name}: {error}"));
            check(&Timeline::of(&plan)).unwrap_or_else(|error| panic!("{name}, seed {seed}: {error}"));
        }
    }
}

/// A resolution between two milliseconds: the wire's offsets are rounded, and must not pass the end for it.
#[test]
fn an_end_between_two_milliseconds_is_not_overtaken_by_rounding() {
    let text = r#"
        id = "a"
        title = "t"
        severity = "SEV1"
        services = []
        target = "2s"
        agents = { x = "y" }
        phases = [{ name = "p", at = "0s" }]
        steps = [{ id = "s", at = "1s", agent = "x", action = "a", summary = "s" }]
        [resolution]
        at = "2.0006s"
        summary = "s"
    "#;
    check(&Timeline::compile(&Scenario::parse("a.toml", text).unwrap(), 0)).unwrap();
}

/// What a server could not append would stay open for ever: it is the file that is wrong.
#[test]
fn a_scenario_whose_event_is_larger_than_the_contract_allows_is_refused() {
    let (_, text) = fixtures("scenarios").into_iter().find(|(name, _)| name == "database-outage").unwrap();
    let long = text.replace("14 alerts on checkout", &"x".repeat(MAX_EVENT_BYTES));
    let Err(error) = Scenario::parse("long.toml", &long) else { panic!("an event over 64 KiB is no event") };
    assert!(error.to_string().contains("bytes"), "{error}");
}

#[test]
fn a_frame_says_what_its_message_says() {
    let (name, text) = fixtures("scenarios").swap_remove(0);
    let timeline = Timeline::compile(&Scenario::parse(&name, &text).unwrap(), 1);
    let source: Source = "/streams/01J9ZC3V7Q4M2XKD".parse().unwrap();
    for (message, n) in messages(&timeline).zip(1..) {
        let time = incident::contract::now();
        let of = IncidentEvent { subject: "a-x7k2p", index: n + 1 };
        let frame = encode(&source, n, Some(of), time, message);
        let envelope: Envelope = serde_json::from_str(&frame).unwrap();
        assert_eq!(envelope.message().unwrap(), *message);
        assert_eq!((envelope.position().unwrap().n, envelope.index), (n, Some(n + 1)));
        assert_eq!(envelope.time, time);
    }
}

/// Every draw has a name: what another step draws shifts nobody.
#[test]
fn another_step_leaves_the_shifts_of_the_others_alone() {
    let step = |id: &str, at: &str, more: &str| {
        format!(
            "[[steps]]\nid = \"{id}\"\nat = \"{at}\"\nagent = \"x\"\naction = \"a\"\nsummary = \"s\"\n{more}\n"
        )
    };
    let text = |steps: &[String]| {
        format!(
            "id = \"a\"\ntitle = \"t\"\nseverity = \"SEV1\"\nservices = []\ntarget = \"2m\"\njitter = \"2s\"\n\
             agents = {{ x = \"y\" }}\nphases = [{{ name = \"p\", at = \"0s\" }}]\n{}\n\
             [resolution]\nat = \"2m\"\nsummary = \"s\"\n",
            steps.concat()
        )
    };
    let (early, late) = (step("early", "20s", "takes = \"10s\""), step("late", "90s", ""));
    let between = step("between", "60s", "takes = \"5s\"");
    let moments = |text: &str, seed| {
        let timeline = Timeline::compile(&Scenario::parse("a.toml", text).unwrap(), seed);
        let kept = actions(&timeline).into_iter().filter(|action| action.step.as_deref() != Some("between"));
        kept.map(|action| action.offset_s.unwrap()).collect::<Vec<_>>()
    };
    for seed in 0..20 {
        let without = moments(&text(&[early.clone(), late.clone()]), seed);
        let with = moments(&text(&[early.clone(), between.clone(), late.clone()]), seed);
        assert_eq!(without, with, "seed {seed}");
        assert!((without[0] + 10.0 - without[1]).abs() > 1e-9, "both ends draw for themselves: {without:?}");
    }
}
