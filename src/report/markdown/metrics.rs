//! The section about the metrics.

use std::collections::BTreeMap;

use super::section::section;
use super::text::{code, measure, table};
use crate::report::history::History;

/// A value and the second of the incident at which it was sampled.
type TimedValue = (f64, f64);

/// Each metric's first, lowest, highest and last value. Whether high or low is bad is not known.
pub(super) fn metrics(history: &History) -> String {
    let mut sampled: BTreeMap<&str, Vec<TimedValue>> = BTreeMap::new();
    for sample in &history.samples {
        for (name, value) in &sample.metrics.metrics {
            sampled.entry(name).or_default().push((*value, sample.offset_s));
        }
    }
    let rows: Vec<Vec<String>> =
        sampled.iter().filter_map(|(name, values)| row(history, name, values)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["Metric", "First", "Lowest", "Highest", "Last"];
    section("Metrics", &table(&head, &rows))
}

fn row(history: &History, name: &str, values: &[TimedValue]) -> Option<Vec<String>> {
    let unit = history.incident.units.get(name).map_or("", String::as_str);
    let written = |value: f64| measure(value, unit);
    let dated = |(value, offset_s): TimedValue| format!("{} at {}", written(value), history.stamp(offset_s));
    // Of several equal values the first one counts.
    let lowest = values.iter().copied().reduce(|least, next| if next.0 < least.0 { next } else { least })?;
    let highest = values.iter().copied().reduce(|most, next| if next.0 > most.0 { next } else { most })?;
    let (first, last) = (values.first()?, values.last()?);
    Some(vec![code(name), written(first.0), dated(lowest), dated(highest), written(last.0)])
}
