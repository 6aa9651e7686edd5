//! The rule `cost`: the total cost never falls, and grows at the announced rates.

use super::context::Context;
use super::incident::{SeenEvent, incidents, started};
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{Cost, Message, Role};

/// Totals are rounded to cents, so the difference of two totals may be wrong by one cent.
const CENT: f64 = 0.011;

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Verdict {
    let mut findings = Vec::new();
    let mut totals = 0;
    for events in incidents(transcript).values() {
        let rates = CostRates::of(events);
        let mut last: Option<(f64, &Cost)> = None;
        for event in events {
            let is_final = event.message.kind().role() == Role::End;
            let Some(cost) = event.message.cost() else { continue };
            totals += 1;
            if let Some(before) = last {
                findings.extend(growth_finding(before, (event.offset_s, cost), is_final, &rates, event));
            }
            last = Some((event.offset_s, cost));
        }
    }
    if totals == 0 {
        return Verdict::NotChecked("no message has a cost".to_owned());
    }
    verdict(findings, || format!("{totals} totals never fall and grow at their rates"))
}

/// The rates at which an incident's cost grows.
struct CostRates {
    /// The starts of the phases, at which the rate may change, in order.
    borders: Vec<f64>,
    /// The highest rate in a sample.
    highest: f64,
}

impl CostRates {
    fn of(events: &[SeenEvent<'_>]) -> Self {
        let phases = started(events).map(|started| started.phases.as_slice()).unwrap_or_default();
        let per_minute = events.iter().filter_map(|event| match event.message {
            Message::SystemMetrics(sample) => sample.cost.as_ref().map(|cost| cost.per_minute),
            _ => None,
        });
        let mut borders: Vec<f64> = phases.iter().map(|phase| phase.start_s).collect();
        borders.sort_by(f64::total_cmp);
        Self { borders, highest: per_minute.fold(0.0, f64::max) }
    }

    /// The lowest and the highest growth of the total between two moments that the rates allow.
    fn growth(
        &self,
        (since, before): (f64, &Cost),
        (until, cost): (f64, &Cost),
        is_final: bool,
    ) -> (f64, f64) {
        let minutes = |from: f64, to: f64| (to - from).max(0.0) / 60.0;
        let from = self.borders.partition_point(|border| *border <= since);
        let to = self.borders.partition_point(|border| *border <= until).max(from);
        let mut borders = self.borders[from..to].iter().copied();
        let first = borders.next();
        let last = borders.next_back();
        // The final cost has no rate of its own. The rate after the start of a phase without a sample is unknown.
        let unseen = match (first, last, is_final) {
            (Some(first), _, true) => Some((first, until)),
            (Some(first), Some(last), false) => Some((first, last)),
            _ => None,
        };
        let Some((from, to)) = unseen else {
            // At every moment between the two, one of the two rates applies.
            let other = if is_final { before.per_minute } else { cost.per_minute };
            let (low, high) = (before.per_minute.min(other), before.per_minute.max(other));
            return (low * minutes(since, until), high * minutes(since, until));
        };
        // A phase without a sample may have any rate from 0 to the highest rate of the others.
        let known = before.per_minute * minutes(since, from) + cost.per_minute * minutes(to, until);
        (known, known + self.highest * minutes(from, to))
    }
}

/// Checks one total against the previous one.
fn growth_finding(
    before: (f64, &Cost),
    after: (f64, &Cost),
    is_final: bool,
    rates: &CostRates,
    event: &SeenEvent<'_>,
) -> Option<Finding> {
    let frame = event.frame;
    let ((since, earlier), (offset, cost)) = (before, after);
    if earlier.currency != cost.currency {
        let message = format!("the currency changes from {} to {}", earlier.currency, cost.currency);
        return Some(Finding::new(message).at(frame));
    }
    if cost.total < earlier.total {
        return Some(
            Finding::new(format!("the total falls from {} to {}", earlier.total, cost.total)).at(frame),
        );
    }
    // In a real incident the rate may change at any time.
    event.message.offset_s()?;
    let (least, most) = rates.growth(before, after, is_final);
    let grown = cost.total - earlier.total;
    if (least - CENT..=most + CENT).contains(&grown) {
        return None;
    }
    let seconds = (offset - since).max(0.0);
    let message =
        format!("the total grows by {grown:.2} in {seconds:.1} s; its rates allow {least:.2} to {most:.2}");
    Some(Finding::new(message).at(frame))
}
