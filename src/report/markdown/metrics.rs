//! The section about the metrics.

use std::collections::BTreeMap;

use super::section::section;
use super::text::{code, measure, table};
use crate::report::history::History;

/// A value and the second of the incident at which it was sampled.
type TimedValue = (f64, f64);

/// What is told of a metric. Of several equal values the first one counts.
struct Course {
    first: TimedValue,
    lowest: TimedValue,
    highest: TimedValue,
    last: TimedValue,
}

impl Course {
    fn of(only: TimedValue) -> Self {
        Self { first: only, lowest: only, highest: only, last: only }
    }

    fn add(&mut self, next: TimedValue) {
        if next.0 < self.lowest.0 {
            self.lowest = next;
        }
        if next.0 > self.highest.0 {
            self.highest = next;
        }
        self.last = next;
    }
}

/// Each metric's first, lowest, highest and last value. Whether high or low is bad is not known.
pub(super) fn metrics(history: &History) -> String {
    let mut sampled: BTreeMap<&str, Course> = BTreeMap::new();
    for sample in &history.samples {
        for (name, value) in &sample.metrics {
            let next = (*value, sample.offset_s);
            sampled.entry(name).and_modify(|course| course.add(next)).or_insert_with(|| Course::of(next));
        }
    }
    let rows: Vec<Vec<String>> = sampled.iter().map(|(name, course)| row(history, name, course)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["Metric", "First", "Lowest", "Highest", "Last"];
    section("Metrics", &table(&head, &rows))
}

fn row(history: &History, name: &str, course: &Course) -> Vec<String> {
    let unit = history.incident.units.get(name).map_or("", String::as_str);
    let written = |value: f64| measure(value, unit);
    let dated = |(value, offset_s): TimedValue| format!("{} at {}", written(value), history.stamp(offset_s));
    let (first, last) = (written(course.first.0), written(course.last.0));
    vec![code(name), first, dated(course.lowest), dated(course.highest), last]
}
