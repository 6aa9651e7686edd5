//! What can be observed of a scenario from outside: metrics with a healthy time before, logs, changes and alerts. Nothing
//! of what the agents know is in it.

use std::collections::BTreeMap;

use super::compiled::Scenario;
use super::duration::Micros;
use super::file::{Metric, ScenarioFile};
use super::symptoms;
use super::timeline::{CompileError, Curve, round_significant};
use crate::contract::{Message, SystemMetrics};

/// The most values of all metrics together.
const MOST_VALUES: u64 = 5_000_000;

/// The world of a scenario. Times are microseconds from second 0, before it if negative.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The metrics, in the order of the file.
    pub series: Vec<Series>,
    /// The moments of all samples.
    pub moments: Vec<i64>,
    /// The services, those that are affected first.
    pub services: Vec<String>,
    /// Lines of logs, by time.
    pub logs: Vec<Line>,
    /// Changes, by time.
    pub changes: Vec<Line>,
    /// Alerts, by the time at which they begin to fire.
    pub alerts: Vec<Fired>,
    /// When the incident ends.
    pub end: i64,
}

/// A metric over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name of the metric, or of the whole if this is a part.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// What the part is by, and its name.
    pub part: Option<(String, String)>,
    /// A value for each moment.
    pub values: Vec<f64>,
}

/// A line of a log, or a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: i64,
    /// The service.
    pub service: String,
    /// The level of a log.
    pub level: Option<String>,
    /// What it says.
    pub line: String,
}

/// One time that an alert fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// From when.
    pub from: i64,
    /// Until when.
    pub to: i64,
    /// Name, service, severity and the labels of the file.
    pub labels: BTreeMap<String, String>,
    /// The summary.
    pub summary: Option<String>,
}

impl Scenario {
    /// What can be observed with this seed. Between two samples of the stream there are further ones, so that none is more
    /// than `step` from the next; the values of the stream are those that it has.
    ///
    /// # Errors
    /// The scenario doesn't compile with this seed, or there would be too many values.
    pub fn observed(&self, seed: u64, step: Micros) -> Result<Observed, CompileError> {
        let (file, plan) = (&self.file, self.compile(seed)?);
        let messages = plan.events().iter().filter_map(|event| event.message().ok());
        let samples: Vec<(i64, SystemMetrics)> = messages
            .filter_map(|message| match message {
                Message::SystemMetrics(sample) => {
                    Some((Micros::from_secs(sample.offset_s?).0.cast_signed(), sample))
                }
                _ => None,
            })
            .collect();
        let end = samples.last().map_or(0, |(at, _)| *at);
        let (step, baseline) = (step.0.max(1_000).cast_signed(), baseline(file));
        let count = (end + baseline).unsigned_abs() / step.unsigned_abs() + samples.len() as u64;
        if count.saturating_mul(file.metrics.0.len() as u64) > MOST_VALUES {
            let message =
                format!("more than {MOST_VALUES} values, one every {}", Micros(step.unsigned_abs()));
            let span = file.metrics.0.first().map_or(0..0, |(name, _)| name.span());
            return Err(CompileError::new(message, seed, span, "give a longer step, or a shorter baseline"));
        }
        let moments = moments(&samples, baseline, step);
        let series = file.metrics.0.iter().filter(|(_, metric)| !counts_users(metric));
        let series = series.map(|(name, metric)| {
            let name = name.get_ref();
            let mut between = Curve::between(name, metric, seed);
            let values = moments.iter().map(|at| {
                // Two samples may have the same moment, on screen or when it was rounded: the later one counts.
                let sample = samples.partition_point(|(time, _)| time <= at).checked_sub(1);
                match sample.map(|place| &samples[place]).filter(|(time, _)| time == at) {
                    Some((_, sample)) => sample.metrics.get(name).copied().unwrap_or_default(),
                    // Before the incident everything is as at its first moment.
                    None => between.sample(Micros(u64::try_from(*at).unwrap_or_default())),
                }
            });
            Series {
                name: metric.part.as_ref().map_or(name, |part| &part.of).clone(),
                unit: metric.unit.clone(),
                part: metric.part.as_ref().map(|part| (part.by.clone(), part.name.clone())),
                values: values.collect(),
            }
        });
        Ok(Observed {
            series: series.collect(),
            services: services(file),
            logs: logs(file, end),
            changes: changes(file, end),
            alerts: alerts(file, Micros(end.unsigned_abs())),
            end,
            moments,
        })
    }
}

fn baseline(file: &ScenarioFile) -> i64 {
    file.baseline.as_ref().map_or(0, |baseline| baseline.get_ref().0.cast_signed())
}

/// How many users are affected is what the incident did, not what monitoring measures.
fn counts_users(metric: &Metric) -> bool {
    metric.part.as_ref().is_some_and(|part| part.of == "users")
}

/// The moments of the samples and, where they are far apart, further ones; before them the baseline.
fn moments(samples: &[(i64, SystemMetrics)], baseline: i64, step: i64) -> Vec<i64> {
    let mut moments: Vec<i64> = (1..=baseline / step).rev().map(|number| -number * step).collect();
    for (at, _) in samples {
        if let Some(last) = moments.last().copied() {
            let further = (1..).map(|number| last + number * step);
            moments.extend(further.take_while(|further| further < at));
        }
        if moments.last() != Some(at) {
            moments.push(*at);
        }
    }
    moments
}

fn services(file: &ScenarioFile) -> Vec<String> {
    let topology = file.topology.0.iter();
    let named = topology.flat_map(|(name, called)| std::iter::once(name).chain(called));
    let mut services: Vec<String> = file.services.iter().map(|name| name.get_ref().clone()).collect();
    for name in named.map(toml::Spanned::get_ref) {
        if !services.contains(name) {
            services.push(name.clone());
        }
    }
    services
}

/// Lines until the end of the incident. `{METRIC}` stands for the value that the file draws.
fn logs(file: &ScenarioFile, end: i64) -> Vec<Line> {
    let lines = file.logs.iter().flat_map(|log| {
        log.moments().filter(move |at| *at <= end).map(|at| Line {
            at,
            service: log.service.get_ref().clone(),
            level: Some(log.level.get_ref().clone()),
            line: filled(file, log.line.get_ref(), at),
        })
    });
    let mut lines: Vec<Line> = lines.collect();
    lines.sort_by_key(|line| line.at);
    lines
}

fn filled(file: &ScenarioFile, line: &str, at: i64) -> String {
    if !line.contains('{') {
        return line.to_owned();
    }
    let time = Micros(u64::try_from(at).unwrap_or_default());
    let metrics = file.metrics.0.iter();
    metrics.fold(line.to_owned(), |line, (name, metric)| {
        let value = || round_significant(metric.keys.at(time, metric.interpolate));
        let name = format!("{{{}}}", name.get_ref());
        if line.contains(&name) { line.replace(&name, &value().to_string()) } else { line }
    })
}

fn changes(file: &ScenarioFile, end: i64) -> Vec<Line> {
    let changes = file.changes.iter().filter(|change| change.at.get_ref().0 <= end).map(|change| Line {
        at: change.at.get_ref().0,
        service: change.service.get_ref().clone(),
        level: None,
        line: change.line.get_ref().clone(),
    });
    let mut changes: Vec<Line> = changes.collect();
    changes.sort_by_key(|change| change.at);
    changes
}

fn alerts(file: &ScenarioFile, end: Micros) -> Vec<Fired> {
    let fired = file.alerts.iter().flat_map(|alert| {
        let mut labels: BTreeMap<String, String> = alert
            .labels
            .iter()
            .map(|(name, value)| (name.get_ref().clone(), value.get_ref().clone()))
            .collect();
        for (name, value) in
            [("alertname", &alert.name), ("service", &alert.service), ("severity", &alert.severity)]
        {
            labels.insert(name.to_owned(), value.get_ref().clone());
        }
        let summary = alert.summary.as_ref().map(|summary| summary.get_ref().clone());
        let firings = symptoms::firings(file, alert, end).into_iter();
        firings.map(move |(from, to)| Fired { from, to, labels: labels.clone(), summary: summary.clone() })
    });
    let mut fired: Vec<Fired> = fired.collect();
    fired.sort_by_key(|alert| alert.from);
    fired
}
