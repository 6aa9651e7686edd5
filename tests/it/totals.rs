//! Sums at the edges: what a cancelled incident cost after its last phase, and numbers that are too large to add up.

use std::collections::BTreeMap;

use incident::contract::{Cost, IncidentStarted, Message, Phase, SystemMetrics};
use incident::plan::{IncidentTotals, PhaseRates};

use crate::harness::started;

/// One phase of so many seconds, which may have no end.
fn phases(ends: &[Option<f64>]) -> Message {
    let Ok(Message::IncidentStarted(start)) = Message::parse("incident_started", &started("a").data) else {
        panic!("it is a start");
    };
    let starts = [0.0, 60.0];
    let phases = ends.iter().zip(starts).zip(["first", "second"]).map(|((end_s, start_s), name)| Phase {
        name: name.to_owned(),
        start_s,
        end_s: *end_s,
        play_s: end_s.map(|end_s| end_s - start_s),
    });
    Message::IncidentStarted(IncidentStarted { phases: phases.collect(), ..start })
}

fn sample(phase: &str, offset_s: f64, total: f64, per_minute: f64) -> Message {
    Message::SystemMetrics(SystemMetrics {
        offset_s: Some(offset_s),
        synthetic: true,
        phase: Some(phase.to_owned()),
        metrics: BTreeMap::new(),
        users_affected: None,
        cost: Some(Cost { currency: "USD".to_owned(), total, per_minute }),
        origin: None,
        observed_at: None,
    })
}

/// The cost of an incident that is cancelled at this second.
fn cancelled(messages: &[Message], screen_s: u64) -> f64 {
    let mut totals = IncidentTotals::default();
    for message in messages {
        totals.add(message, message.offset_s().unwrap());
    }
    totals.cancelled(&PhaseRates::default(), screen_s * 1_000_000).cost.unwrap().total
}

fn is(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() < 1e-6
}

/// It runs over: nobody has resolved it when its last phase should be over, and it goes on costing.
#[test]
fn an_incident_that_outlives_its_last_phase_goes_on_costing() {
    for end in [Some(120.0), None] {
        let told = [
            phases(&[Some(60.0), end]),
            sample("first", 0.0, 0.0, 600.0),
            sample("second", 90.0, 1_000.0, 60.0),
        ];
        assert!(is(cancelled(&told, 120), 1_030.0), "half a minute at 60 a minute");
        assert!(is(cancelled(&told, 180), 1_090.0), "a minute after the end of the last phase: {end:?}");
    }
}

#[test]
fn each_phase_between_has_its_own_rate() {
    let told = [phases(&[Some(60.0), Some(120.0)]), sample("first", 30.0, 300.0, 600.0)];
    assert!(is(cancelled(&told, 60), 600.0));
    assert!(is(cancelled(&told, 90), 600.0), "nothing is known of the second phase");
    let plan_says = [sample("second", 60.0, 0.0, 120.0)];
    let mut plan = incident::plan::Plan::new("a".to_owned(), 0);
    for message in &plan_says {
        plan.push_message(0, message);
    }
    let mut totals = IncidentTotals::default();
    for message in &told {
        totals.add(message, message.offset_s().unwrap());
    }
    let end = totals.cancelled(&PhaseRates::of(&plan), 90_000_000);
    assert!(is(end.cost.unwrap().total, 660.0), "the plan has the rate of the second phase");
}

/// JSON has no infinity: such an end could not be stored, and the incident not be cancelled.
#[test]
fn a_total_that_is_too_large_to_add_up_stays_as_it_was_told() {
    for (total, per_minute) in [(f64::MAX, f64::MAX), (f64::MAX, 0.0), (1e307, 1e308), (f64::MAX / 10.0, 1.0)]
    {
        let told = [phases(&[Some(60.0)]), sample("first", 0.0, total, per_minute)];
        let mut totals = IncidentTotals::default();
        for message in &told {
            totals.add(message, message.offset_s().unwrap());
        }
        let end = totals.cancelled(&PhaseRates::default(), 600_000_000_000);
        let cost = end.cost.clone().unwrap();
        assert!(cost.total.is_finite() && cost.total >= total, "{total} at {per_minute}: {cost:?}");
        let data = Message::IncidentResolved(end).data();
        let stored = Message::parse("incident_resolved", &data);
        assert!(stored.is_ok(), "{stored:?}: {}", data.get());
    }
}
