//! What can be observed of a scenario, as files: logs and changes as lines of JSON, alerts as Alertmanager takes them.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::alerts::{Alert, Labels};
use crate::scenario::{Line, Observed};

/// The first second of the year 1: Alertmanager and other programs in Go take it, and every earlier time, for none.
const YEAR_1: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// The wall clock at a moment, in microseconds from second 0, of a world whose second 0 is at `start`.
pub(super) fn at(start: Timestamp, moment: i64) -> Timestamp {
    within(start, moment).unwrap_or(start)
}

/// The same, if it can be written as RFC 3339 has it and is read by everybody: after the first second of the year 1 and before
/// the year 10000.
fn within(start: Timestamp, moment: i64) -> Option<Timestamp> {
    // What `jiff` can add up to ends in the year 9999.
    start.checked_add(SignedDuration::from_micros(moment)).ok().filter(|at| *at > YEAR_1)
}

/// Whether every time of a world whose second 0 is at `start` can be written.
pub fn fits(world: &Observed, start: Timestamp) -> bool {
    let lines = world.logs.iter().chain(&world.changes).map(|line| line.at);
    let alerts = world.alerts.iter().flat_map(|alert| [alert.from, alert.to]);
    let mut moments = world.moments.iter().copied().chain(lines).chain(alerts).chain([0, world.end]);
    moments.all(|moment| within(start, moment).is_some())
}

/// The labels that everything of a drill has.
pub(super) fn run_labels(run: &str) -> impl Iterator<Item = (String, String)> {
    [("synthetic", "true"), ("run", run)].map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter()
}

/// Writes lines of logs as JSON, one a line: `time`, `service`, `level`, `line`.
///
/// # Errors
/// Those of the writer.
pub fn write_logs(out: &mut impl Write, world: &Observed, start: Timestamp, run: &str) -> io::Result<()> {
    for line in &world.logs {
        writeln!(out, "{}", line_of(line, start, run))?;
    }
    Ok(())
}

/// The changes, a JSON list of `time`, `service`, `line`.
pub fn changes(world: &Observed, start: Timestamp, run: &str) -> Value {
    world.changes.iter().map(|change| line_of(change, start, run)).collect()
}

/// The alerts, a JSON list as `POST /api/v2/alerts` of Alertmanager takes it.
pub fn alerts(world: &Observed, start: Timestamp, run: &str) -> Vec<Alert> {
    let alerts = world.alerts.iter().map(|fired| {
        let mut labels: Labels = fired.labels.clone();
        labels.extend(run_labels(run));
        let summary = fired.summary.iter().map(|summary| ("summary".to_owned(), summary.clone()));
        Alert {
            labels,
            annotations: summary.collect(),
            starts_at: at(start, fired.from),
            ends_at: at(start, fired.to),
        }
    });
    alerts.collect()
}

fn line_of(line: &Line, start: Timestamp, run: &str) -> Value {
    let mut value = json!({
        "time": at(start, line.at).to_string(),
        "service": line.service,
        "line": line.line,
        "synthetic": true,
        "run": run,
    });
    if let Some(level) = &line.level {
        value["level"] = level.as_str().into();
    }
    value
}
