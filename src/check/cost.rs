//! `cost`: money only grows, as fast as its rates say.

use super::transcript::started;
use super::{Context, Finding, Frame, Outcome, Transcript, verdict};
use crate::contract::{Cost, Message};

/// Totals are rounded to cents: two of them may be off by a cent together.
const CENT: f64 = 0.011;

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Outcome {
    let mut findings = Vec::new();
    let mut totals = 0;
    for events in transcript.incidents().values() {
        let borders: Vec<f64> = started(events)
            .map(|started| started.phases.iter().map(|phase| phase.start_s).collect())
            .unwrap_or_default();
        let mut last: Option<(f64, &Cost)> = None;
        for (frame, message) in events {
            let (offset, cost, is_final) = match message {
                Message::SystemMetrics(sample) => (sample.offset_s, sample.cost.as_ref(), false),
                Message::IncidentResolved(resolved) => (resolved.offset_s, resolved.cost.as_ref(), true),
                _ => continue,
            };
            let Some(cost) = cost else { continue };
            totals += 1;
            if let Some((since, before)) = last {
                findings.extend(step(before, since, cost, offset, is_final, &borders, frame));
            }
            last = Some((offset, cost));
        }
    }
    if totals == 0 {
        return Outcome::NotChecked("no message has a cost".to_owned());
    }
    verdict(findings, || format!("{totals} totals never fall and follow their rates"))
}

/// Judges one total against the one before.
fn step(
    before: &Cost,
    since: f64,
    cost: &Cost,
    offset: f64,
    is_final: bool,
    borders: &[f64],
    frame: &Frame,
) -> Option<Finding> {
    if before.currency != cost.currency {
        let message = format!("the currency changes from {} to {}", before.currency, cost.currency);
        return Some(Finding::new(message).at(frame));
    }
    if cost.total < before.total {
        return Some(
            Finding::new(format!("the total falls from {} to {}", before.total, cost.total)).at(frame),
        );
    }
    // Between two samples the rate is one of theirs, unless a whole phase lies between; the final cost has no
    // rate of its own.
    if borders.iter().filter(|border| since < **border && **border <= offset).count() > 1 {
        return None;
    }
    let minutes = (offset - since).max(0.0) / 60.0;
    let rate = if is_final { before.per_minute } else { cost.per_minute };
    let least = before.per_minute.min(rate) * minutes - CENT;
    let most = before.per_minute.max(rate) * minutes + CENT;
    let grown = cost.total - before.total;
    if (least..=most).contains(&grown) {
        return None;
    }
    let message = format!(
        "the total grows by {grown:.2} in {:.1} s, its rates allow {:.2} to {:.2}",
        minutes * 60.0,
        least.max(0.0),
        most
    );
    Some(Finding::new(message).at(frame))
}
