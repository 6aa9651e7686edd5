//! What can be observed of a scenario, as files: logs and changes as lines of JSON, alerts as Alertmanager takes them.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::alerts::{Alert, Labels};
use crate::scenario::{Line, Observed};

/// Earlier times can't be written as RFC 3339 has them.
const YEAR_0: Timestamp = Timestamp::constant(-62_167_219_200, 0);

/// The wall clock at a moment, in microseconds from second 0, of a world whose second 0 is at `start`.
pub(super) fn at(start: Timestamp, moment: i64) -> Timestamp {
    let at = start.checked_add(SignedDuration::from_micros(moment)).ok();
    at.filter(|at| *at >= YEAR_0).unwrap_or(start)
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
