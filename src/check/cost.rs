//! `cost`: money only grows, as fast as its rates say.

use super::context::Context;
use super::incident::{Event, incidents, started};
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{Cost, Message, Role};

/// Totals are rounded to cents: two of them may be off by a cent together.
const CENT: f64 = 0.011;

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Verdict {
    let mut findings = Vec::new();
    let mut totals = 0;
    for events in incidents(transcript).values() {
        let course = Course::of(events);
        let mut last: Option<(f64, &Cost)> = None;
        for event in events {
            let is_final = event.message.kind().role() == Role::End;
            let Some(cost) = event.message.cost() else { continue };
            totals += 1;
            if let Some(before) = last {
                findings.extend(step(before, (event.offset_s, cost), is_final, &course, event));
            }
            last = Some((event.offset_s, cost));
        }
    }
    if totals == 0 {
        return Verdict::NotChecked("no message has a cost".to_owned());
    }
    verdict(findings, || format!("{totals} totals never fall and follow their rates"))
}

/// What an incident says about its rates.
struct Course {
    /// Where phases begin, and with them perhaps another rate.
    borders: Vec<f64>,
    /// The highest rate that any sample shows.
    highest: f64,
}

impl Course {
    fn of(events: &[Event<'_>]) -> Self {
        let phases = started(events).map(|started| started.phases.as_slice()).unwrap_or_default();
        let rates = events.iter().filter_map(|event| match event.message {
            Message::SystemMetrics(sample) => sample.cost.as_ref().map(|cost| cost.per_minute),
            _ => None,
        });
        Self {
            borders: phases.iter().map(|phase| phase.start_s).collect(),
            highest: rates.fold(0.0, f64::max),
        }
    }

    /// The least and the most by which a total grows between two moments.
    fn growth(
        &self,
        (since, before): (f64, &Cost),
        (until, cost): (f64, &Cost),
        is_final: bool,
    ) -> (f64, f64) {
        let minutes = |from: f64, to: f64| (to - from).max(0.0) / 60.0;
        let mut borders = self.borders.iter().copied().filter(|border| since < *border && *border <= until);
        let first = borders.next();
        let last = borders.next_back();
        // The final cost has no rate of its own: after a border nothing is known of it.
        let unseen = match (first, last, is_final) {
            (Some(first), _, true) => Some((first, until)),
            (Some(first), Some(last), false) => Some((first, last)),
            _ => None,
        };
        let Some((from, to)) = unseen else {
            // Every moment between has the rate of the one or of the other.
            let other = if is_final { before.per_minute } else { cost.per_minute };
            let (low, high) = (before.per_minute.min(other), before.per_minute.max(other));
            return (low * minutes(since, until), high * minutes(since, until));
        };
        // A phase that no sample fell into may cost nothing; it is not believed to cost more than all others.
        let known = before.per_minute * minutes(since, from) + cost.per_minute * minutes(to, until);
        (known, known + self.highest * minutes(from, to))
    }
}

/// Judges one total against the one before.
fn step(
    before: (f64, &Cost),
    here: (f64, &Cost),
    is_final: bool,
    course: &Course,
    event: &Event<'_>,
) -> Option<Finding> {
    let frame = event.frame;
    let ((since, earlier), (offset, cost)) = (before, here);
    if earlier.currency != cost.currency {
        let message = format!("the currency changes from {} to {}", earlier.currency, cost.currency);
        return Some(Finding::new(message).at(frame));
    }
    if cost.total < earlier.total {
        return Some(
            Finding::new(format!("the total falls from {} to {}", earlier.total, cost.total)).at(frame),
        );
    }
    // A real incident does not say when its rate changed.
    event.message.offset_s()?;
    let (least, most) = course.growth(before, here, is_final);
    let grown = cost.total - earlier.total;
    if (least - CENT..=most + CENT).contains(&grown) {
        return None;
    }
    let seconds = (offset - since).max(0.0);
    let message =
        format!("the total grows by {grown:.2} in {seconds:.1} s, its rates allow {least:.2} to {most:.2}");
    Some(Finding::new(message).at(frame))
}
