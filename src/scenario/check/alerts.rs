//! Alerts: what each fires on, its labels, and that none gives the cause away.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use toml::Spanned;

use super::leaks::Secrets;
use super::names::Names;
use crate::plan::{LABEL_CHARS, RESERVED_LABELS, is_label};
use crate::scenario::diagnostic::{Diagnostic, MOST_DIAGNOSTICS};
use crate::scenario::duration::Micros;
use crate::scenario::file::{AlertFile, Metric, ScenarioFile};
use crate::scenario::suggest::shortened;

/// The most alerts of a file.
const MOST_ALERTS: usize = 100;

/// How often an alert may fire.
const MOST_FIRINGS: usize = 100;

/// The most keyframes that conditions are compared with: those of the metric of each alert, added up.
const MOST_KEYFRAMES: usize = 1_000_000;

/// The most further labels of an alert.
const MOST_LABELS: usize = 20;

/// The longest summary, in characters.
const SUMMARY_CHARS: usize = 400;

pub(super) fn alerts(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    if let Some(alert) = file.alerts.get(MOST_ALERTS) {
        let message = format!("{} alerts: at most {MOST_ALERTS} are allowed", file.alerts.len());
        return found.push(Diagnostic::new(alert.name.span(), message, "the first too many"));
    }
    let metrics: HashMap<&str, &Metric> =
        file.metrics.0.iter().map(|(name, metric)| (name.get_ref().as_str(), metric)).collect();
    let names = Names::new("metric", file.metrics.0.iter().map(|(name, _)| name.get_ref().as_str()));
    let secrets = Secrets::of(file);
    let (mut seen, mut keyframes) = (HashSet::new(), 0_usize);
    for alert in &file.alerts {
        when(alert, found);
        if let Some(condition) = &alert.when {
            let metric = &condition.get_ref().metric;
            names.refer(&Spanned::new(condition.span(), metric.clone()), found);
            if let Some(metric) = metrics.get(metric.as_str()) {
                keyframes = keyframes.saturating_add(metric.keys.iter().count());
                if keyframes > MOST_KEYFRAMES {
                    let message = format!(
                        "the metrics of the alerts have more than {MOST_KEYFRAMES} keyframes together"
                    );
                    found.push(
                        Diagnostic::new(condition.span(), message, "too many from here on")
                            .help("leave out alerts or keyframes"),
                    );
                    return;
                }
                firings(alert, metric, condition.span(), found);
            }
        }
        texts(alert, found);
        if !seen.insert(labels_of(alert)) {
            let message = format!("two alerts {:?} have the same labels", shortened(alert.name.get_ref()));
            found.push(Diagnostic::new(alert.name.span(), message, "the second").help(
                "an alert is its labels: give one another name, service, severity, or a label of its own",
            ));
        }
        if found.len() < MOST_DIAGNOSTICS {
            secrets.look_for(alert, found);
        }
    }
}

/// An alert fires on a metric or at a time.
fn when(alert: &AlertFile, found: &mut Vec<Diagnostic>) {
    let name = alert.name.span();
    match (&alert.when, &alert.at) {
        (Some(_), Some(at)) => found.push(
            Diagnostic::new(at.span(), "both `when` and `at`", "keep one of them")
                .help("an alert fires on a metric, or at a time"),
        ),
        (None, None) => found.push(
            Diagnostic::new(name, "neither `when` nor `at` is given", "this alert never fires")
                .help("give when = \"error_rate > 0.05\" or at = \"20s\""),
        ),
        _ => {}
    }
    if let (Some(hold), None) = (&alert.hold, &alert.when) {
        found.push(Diagnostic::new(hold.span(), "`for` without `when`", "this has no effect").help(
            "`for` says how long a condition has to hold: add when = \"METRIC > NUMBER\", or leave it out",
        ));
    }
    match (&alert.until, &alert.at) {
        (Some(until), None) => found.push(
            Diagnostic::new(until.span(), "`until` without `at`", "this has no effect")
                .help("an alert on a metric ends when its condition does: leave `until` out, or give `at`"),
        ),
        (Some(until), Some(at)) if until.get_ref() <= at.get_ref() => found.push(
            Diagnostic::new(
                until.span(),
                format!("`until` ({}) is not after `at` ({})", until.get_ref(), at.get_ref()),
                "too early",
            )
            .help("both are times of the incident, from second 0"),
        ),
        _ => {}
    }
}

fn firings(alert: &AlertFile, metric: &Metric, span: Range<usize>, found: &mut Vec<Diagnostic>) {
    let Some(condition) = &alert.when else { return };
    let times = condition.get_ref().holds(&metric.keys, metric.interpolate, Micros::LONGEST).len();
    if times > MOST_FIRINGS {
        let message =
            format!("the condition becomes true {times} times; an alert fires at most {MOST_FIRINGS} times");
        found.push(
            Diagnostic::new(span, message, "too often")
                .help("move the limit away from where the metric stays"),
        );
    }
}

fn texts(alert: &AlertFile, found: &mut Vec<Diagnostic>) {
    text(&alert.name, "the name of an alert", LABEL_CHARS, found);
    text(&alert.service, "the service of an alert", LABEL_CHARS, found);
    text(&alert.severity, "the severity of an alert", LABEL_CHARS, found);
    if let Some(summary) = &alert.summary {
        text(summary, "the summary of an alert", SUMMARY_CHARS, found);
    }
    if alert.labels.len() > MOST_LABELS
        && let Some((first, _)) = alert.labels.first_key_value()
    {
        let message = format!("{} labels: at most {MOST_LABELS} are allowed", alert.labels.len());
        found.push(Diagnostic::new(first.span(), message, "too many"));
    }
    for (name, value) in alert.labels.iter().take(MOST_LABELS) {
        let written = name.get_ref();
        if RESERVED_LABELS.contains(&written.as_str()) {
            let message = format!("the label {written:?} is set by the program");
            found.push(Diagnostic::new(name.span(), message, "leave it out").help(
                "name, service and severity have keys of their own; synthetic and run mark every drill",
            ));
        } else if !is_label(written) {
            let message = format!("{:?} can't be the name of a label", shortened(written));
            found.push(Diagnostic::new(name.span(), message, "letters, digits and _").help(format!(
                "at most {LABEL_CHARS} of a-z, A-Z, 0-9 and _, no digit first, and no __ at the beginning"
            )));
        }
        text(value, "the value of a label", LABEL_CHARS, found);
    }
}

/// A text that is neither empty nor long, in one line.
fn text(value: &Spanned<String>, what: &str, most: usize, found: &mut Vec<Diagnostic>) {
    let text = value.get_ref();
    let length = text.chars().count();
    if text.trim().is_empty() {
        found.push(Diagnostic::new(value.span(), format!("{what} is empty"), "give it a text"));
    } else if length > most {
        found.push(Diagnostic::new(
            value.span(),
            format!("{what} has {length} characters; at most {most}"),
            "too long",
        ));
    } else if text.chars().any(char::is_control) {
        found.push(Diagnostic::new(
            value.span(),
            format!("{what} has more than one line, or a control character"),
            "one line",
        ));
    }
}

/// Everything that makes the alert another one for Alertmanager.
fn labels_of(alert: &AlertFile) -> (&str, &str, &str, BTreeMap<&str, &str>) {
    let labels = alert.labels.iter();
    let labels = labels.map(|(name, value)| (name.get_ref().as_str(), value.get_ref().as_str())).collect();
    (alert.name.get_ref(), alert.service.get_ref(), alert.severity.get_ref(), labels)
}
