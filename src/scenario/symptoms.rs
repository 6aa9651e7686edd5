//! Compiling what monitoring would say to the plan: when each alert fires. Pure.

use super::duration::Micros;
use super::file::{AlertFile, ScenarioFile};
use crate::contract::ScreenMap;
use crate::plan::{Firing, PlannedAlert, Symptoms};

/// The symptoms of an incident that ends at `end`; `map` says when they are on screen.
pub(super) fn symptoms(file: &ScenarioFile, map: &ScreenMap, end: Micros) -> Symptoms {
    let alerts = file.alerts.iter().map(|alert| PlannedAlert {
        name: alert.name.get_ref().clone(),
        service: alert.service.get_ref().clone(),
        severity: alert.severity.get_ref().clone(),
        summary: alert.summary.as_ref().map(|summary| summary.get_ref().clone()),
        labels: alert
            .labels
            .iter()
            .map(|(name, value)| (name.get_ref().clone(), value.get_ref().clone()))
            .collect(),
        decoy: alert.decoy,
        firings: firings(file, alert, end)
            .into_iter()
            .map(|(from, to)| Firing { from: on_screen(map, from), to: on_screen(map, to) })
            .collect(),
    });
    Symptoms::of(alerts.collect())
}

/// When an alert fires, in microseconds of incident time: from each moment to the one behind it. Nothing fires beyond the
/// end of the incident.
pub(super) fn firings(file: &ScenarioFile, alert: &AlertFile, end: Micros) -> Vec<(i64, i64)> {
    let end_us = end.0.cast_signed();
    if let Some(at) = &alert.at {
        let until = alert.until.as_ref().map_or(end_us, |until| until.get_ref().0.min(end_us));
        let at = at.get_ref().0;
        return if at < until { vec![(at, until)] } else { Vec::new() };
    }
    let Some(condition) = alert.when.as_ref().map(toml::Spanned::get_ref) else { return Vec::new() };
    let metric = file.metrics.0.iter().find(|(name, _)| *name.get_ref() == condition.metric);
    let Some((_, metric)) = metric else { return Vec::new() };
    let hold = alert.hold.as_ref().map_or(Micros(0), |hold| *hold.get_ref());
    let held = condition.holds(&metric.keys, metric.interpolate, end).into_iter();
    let held = held.map(|(from, to)| (from + hold, to)).filter(|(from, to)| from < to);
    held.map(|(from, to)| (from.0.cast_signed(), to.0.cast_signed())).collect()
}

/// Before second 0 incident and screen run equally fast.
fn on_screen(map: &ScreenMap, time: i64) -> i64 {
    u64::try_from(time).map_or(time, |time| map.screen(time).cast_signed())
}
