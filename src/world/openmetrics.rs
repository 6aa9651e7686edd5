//! Metrics as `OpenMetrics` text, as `promtool tsdb create-blocks-from openmetrics` reads it.
//!
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>: each metric family stands together, its series one after the
//! other, each in the order of time; a time is seconds since 1970; the text ends with `# EOF`.

use std::fmt::Write as _;
use std::io::{self, Write};

use jiff::Timestamp;

use super::export::{at, run_labels};
use crate::scenario::{Observed, Series};
use crate::visible::{unforged, visible};

/// Writes the metrics of a world whose second 0 is at `start`, and `up`, which is 1 for each service: nothing ever stops
/// answering.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut impl Write, world: &Observed, start: Timestamp, run: &str) -> io::Result<()> {
    let times: Vec<String> = world.moments.iter().map(|moment| seconds(at(start, *moment))).collect();
    let mut written: Vec<String> = Vec::new();
    for series in &world.series {
        let family = metric_name(&series.name);
        if written.contains(&family) {
            continue;
        }
        writeln!(out, "# HELP {family} {} of a drill", escaped(&series.unit, false))?;
        writeln!(out, "# TYPE {family} gauge")?;
        for part in world.series.iter().filter(|other| metric_name(&other.name) == family) {
            let labels = labels(part, run);
            for (time, value) in times.iter().zip(&part.values) {
                writeln!(out, "{family}{{{labels}}} {value} {time}")?;
            }
        }
        written.push(family);
    }
    if !written.iter().any(|family| family == "up") {
        writeln!(out, "# HELP up Whether the service answers")?;
        writeln!(out, "# TYPE up gauge")?;
        for service in &world.services {
            let labels = joined(run_labels(run).chain([("service".to_owned(), service.clone())]));
            for time in &times {
                writeln!(out, "up{{{labels}}} 1 {time}")?;
            }
        }
    }
    writeln!(out, "# EOF")
}

/// The labels of a series. Two metrics whose names become the same one are told apart by their own names.
fn labels(series: &Series, run: &str) -> String {
    let renamed =
        (metric_name(&series.name) != series.name).then(|| ("metric".to_owned(), series.name.clone()));
    let part = series.part.iter().map(|(by, name)| (label_name(by), name.clone()));
    joined(run_labels(run).chain(part).chain(renamed))
}

fn joined(labels: impl Iterator<Item = (String, String)>) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{name}=\"{}\"", escaped(&value, true));
    }
    text
}

fn escaped(text: &str, quotes: bool) -> String {
    // A scenario may have any text, and this one is read by programs and people.
    let text = unforged(&visible(text)).replace('\\', "\\\\");
    if quotes { text.replace('"', "\\\"") } else { text }
}

/// Letters, digits, `_` and `:`; no digit first.
fn metric_name(name: &str) -> String {
    plain(name, |c| c == ':')
}

fn label_name(name: &str) -> String {
    plain(name, |_| false)
}

fn plain(name: &str, also: impl Fn(char) -> bool) -> String {
    let digit_first = name.starts_with(|first: char| first.is_ascii_digit());
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_' || also(c);
    let plain: String = name.chars().map(|c| if fine(c) { c } else { '_' }).collect();
    if digit_first || plain.is_empty() { format!("_{plain}") } else { plain }
}

/// `1540162320.500`
fn seconds(time: Timestamp) -> String {
    let millis = time.as_millisecond();
    format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000))
}
