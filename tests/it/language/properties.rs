//! Properties of the language's parts, for any sound scenario and any seed: cost, users, settings, chance and what is
//! exported.

use std::collections::{BTreeMap, HashMap};

use incident::contract::{Message, Phase, SystemMetrics};
use incident::scenario::{Micros, SHIPPED, Scenario, Settings};
use proptest::prelude::*;

use super::{actions, samples, started};
use crate::harness::Timeline;
use crate::invented::{FIRST, OTHER, WHAT, invented};
use crate::timeline::{check, scenario};

const SEEDS: std::ops::Range<u64> = 0..(1 << 53) - 1;

/// What the phases cost up to a second, added up here.
fn integral(phases: &[Phase], rates: &HashMap<&str, f64>, second: f64) -> f64 {
    let cost = phases.iter().map(|phase| {
        let seconds = (phase.end_s.unwrap().min(second) - phase.start_s).max(0.0);
        seconds / 60.0 * rates.get(phase.name.as_str()).copied().unwrap_or_default()
    });
    cost.sum()
}

/// The cost of every message is the integral of the rates up to its moment, in cents.
fn costs(scenario: &Scenario, timeline: &Timeline) -> Result<(), TestCaseError> {
    let cost = scenario.file.impact.as_ref().and_then(|impact| impact.cost.as_ref());
    let rates = cost.into_iter().flat_map(|cost| &cost.per_minute);
    let rates: HashMap<&str, f64> = rates.map(|(phase, rate)| (phase.get_ref().as_str(), *rate)).collect();
    let phases = &started(timeline).phases;
    let mut last = 0.0;
    for event in &timeline.events {
        let (offset_s, told) = match &event.message {
            Message::SystemMetrics(sample) => (sample.offset_s, &sample.cost),
            Message::IncidentResolved(resolved) => (resolved.offset_s, &resolved.cost),
            _ => continue,
        };
        prop_assert_eq!(told.is_some(), cost.is_some());
        let Some(told) = told else { continue };
        let wanted = integral(phases, &rates, offset_s.unwrap());
        prop_assert!(
            (told.total - wanted).abs() <= 0.005 + wanted * 1e-9,
            "{} at {offset_s:?}, not {wanted}",
            told.total
        );
        prop_assert!(told.total >= last, "{} after {last}", told.total);
        last = told.total;
    }
    Ok(())
}

/// Those of the parts add up to the whole, and are whole numbers that are not negative.
fn users(timeline: &Timeline) -> Result<(), TestCaseError> {
    for sample in samples(timeline) {
        let parts: Vec<f64> = sample
            .metrics
            .iter()
            .filter(|(name, _)| name.starts_with("users."))
            .map(|(_, users)| *users)
            .collect();
        prop_assert!(parts.iter().all(|users| *users >= 0.0 && users.fract().abs() < 1e-9), "{parts:?}");
        if !parts.is_empty() {
            prop_assert_eq!(sample.users_affected, Some(parts.iter().sum::<f64>() as u64));
        }
    }
    Ok(())
}

/// What is exported has at each moment of the stream the values of the stream; of two samples at one moment, those of the
/// later one.
fn exported(scenario: &Scenario, timeline: &Timeline, seed: u64) -> Result<(), TestCaseError> {
    let world = scenario.observed(seed, Micros(5_000_000)).unwrap();
    prop_assert!(world.moments.windows(2).all(|pair| pair[0] < pair[1]), "the moments are not in order");
    let at = |sample: &SystemMetrics| (sample.offset_s.unwrap() * 1e6).round() as i64;
    let streamed: BTreeMap<i64, &SystemMetrics> =
        samples(timeline).into_iter().map(|sample| (at(sample), sample)).collect();
    for (at, sample) in streamed {
        let Ok(place) = world.moments.binary_search(&at) else {
            return Err(TestCaseError::fail(format!("{at} is not exported")));
        };
        let mut series = HashMap::new();
        for one in &world.series {
            let part = one.part.as_ref().map_or(String::new(), |(_, part)| format!(".{part}"));
            series.insert(format!("{}{part}", one.name), one.values[place]);
        }
        for (name, value) in sample.metrics.iter().filter(|(name, _)| !name.starts_with("users.")) {
            prop_assert_eq!(
                series.remove(name).map(f64::to_bits),
                Some(value.to_bits()),
                "{} at {}",
                name,
                at
            );
        }
        prop_assert!(series.is_empty(), "exported, but not streamed: {series:?}");
    }
    Ok(())
}

fn whole(scenario: &Scenario, seed: u64) -> Result<(), TestCaseError> {
    let timeline = Timeline::compile(scenario, seed);
    check(&timeline)?;
    costs(scenario, &timeline)?;
    users(&timeline)?;
    exported(scenario, &timeline, seed)
}

/// Everything that was said, but the seed.
fn without_seed(timeline: &Timeline) -> Vec<(u64, Message)> {
    let events = timeline.events.iter().map(|event| {
        let mut message = event.message.clone();
        if let Message::IncidentStarted(started) = &mut message {
            started.run.as_mut().unwrap().seed = 0;
        }
        (event.due, message)
    });
    events.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cost_users_and_export_are_true_at_every_message(invented in invented(), seed in SEEDS) {
        whole(&scenario(&invented), seed)?;
    }

    #[test]
    fn settings_do_what_they_say_and_leave_it_sound(mut invented in invented(), seed in SEEDS, first in 0_u32..1_000_000) {
        invented.settings = true;
        let plain = scenario(&invented);
        let variant = plain.with(&Settings::variant(OTHER)).unwrap();
        whole(&variant, seed)?;
        let timeline = Timeline::compile(&variant, seed);
        prop_assert_eq!(&started(&timeline).title, "Another");
        prop_assert!(actions(&timeline).iter().any(|action| action.step.as_deref() == Some("added")));

        let chosen: Settings =
            [(WHAT, "{first} \"x\"".to_owned()), (FIRST, first.to_string())].map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
        let chosen = plain.with(&chosen).unwrap();
        whole(&chosen, seed)?;
        let timeline = Timeline::compile(&chosen, seed);
        prop_assert_eq!(&started(&timeline).title, "Invented {first} \"x\"");
        for sample in samples(&timeline) {
            if let Some(users) = sample.metrics.get("users.first") {
                prop_assert_eq!(*users as u32, first);
            }
        }
        // The defaults are what nothing was chosen gives.
        let timeline = Timeline::compile(&plain, seed);
        prop_assert_eq!(&started(&timeline).title, "Invented indeed");
    }

    #[test]
    fn without_chance_every_seed_gives_the_same(invented in invented(), one in SEEDS, other in SEEDS) {
        let mut invented = invented.without_chance_in_steps();
        invented.noise = 0.0;
        let scenario = scenario(&invented);
        let [one, other] = [one, other].map(|seed| without_seed(&Timeline::compile(&scenario, seed)));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn noise_moves_the_metrics_that_have_it_and_nothing_else(invented in invented(), one in SEEDS, other in SEEDS) {
        let scenario = scenario(&invented.without_chance_in_steps());
        let [one, other] = [one, other].map(|seed| {
            let mut events = without_seed(&Timeline::compile(&scenario, seed));
            for (_, message) in &mut events {
                if let Message::SystemMetrics(sample) = message {
                    sample.metrics.retain(|name, _| name.starts_with("users."));
                }
            }
            events
        });
        prop_assert_eq!(one, other);
    }

    #[test]
    fn chance_in_steps_moves_no_metric(mut invented in invented(), one in SEEDS, other in SEEDS) {
        invented.noise = 0.0;
        let scenario = scenario(&invented);
        let [one, other] = [one, other].map(|seed| {
            let timeline = Timeline::compile(&scenario, seed);
            samples(&timeline).into_iter().cloned().collect::<Vec<_>>()
        });
        prop_assert_eq!(one, other);
    }
}

#[test]
fn the_shipped_scenarios_have_these_properties_too() {
    for (name, text) in SHIPPED {
        let scenario = Scenario::parse(name, text).unwrap();
        for seed in [scenario.file.seed, 1, 2, (1 << 53) - 1] {
            whole(&scenario, seed).unwrap_or_else(|error| panic!("{name}, seed {seed}: {error}"));
        }
    }
}
