//! Metrics, users and cost over time.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::error::CompileError;
use super::screen::Screen;
use crate::contract::{Cost, SystemMetrics};
use crate::scenario::duration::Micros;
use crate::scenario::file::{Metric, ScenarioFile};
use crate::scenario::keyframes::Interpolate;

/// More samples than anybody would watch: at two seconds each, eleven hours on screen.
const MOST_SAMPLES: u64 = 20_000;

/// Refuses, before anything is made, what plays for too long or is measured too often.
pub(super) fn check_length(file: &ScenarioFile, screen: &Screen, seed: u64) -> Result<(), CompileError> {
    let (duration, every) = (screen.duration(), &file.metrics_every);
    let samples = duration.div_ceil(every.get_ref().0).saturating_add(1);
    let phase = &file.phases[screen.longest()];
    let advice = match phase.play {
        Some(_) => format!("give phase {:?} a shorter `play`", phase.name.get_ref()),
        None => format!("give phase {:?} a `play`", phase.name.get_ref()),
    };
    let long = phase.play.as_ref().map_or(phase.name.span(), toml::Spanned::span);
    let played = Micros(duration);
    if duration > Micros::LONGEST.0 {
        let message = format!("the incident plays for {played}, more than a year");
        return Err(CompileError { message, seed, span: long, help: advice });
    }
    if samples > MOST_SAMPLES {
        let message = format!(
            "{samples} samples of the metrics, one every {} for {played}: more than {MOST_SAMPLES}",
            every.get_ref()
        );
        // The default is written nowhere: then it is the phase that is too long.
        let span = if every.span().is_empty() { long } else { every.span() };
        return Err(CompileError { message, seed, span, help: format!("{advice}, or raise metrics_every") });
    }
    Ok(())
}

/// The curves of one compiled scenario.
pub(super) struct Measures<'a> {
    file: &'a ScenarioFile,
    screen: &'a Screen,
    seed: u64,
}

impl<'a> Measures<'a> {
    pub(super) fn new(file: &'a ScenarioFile, screen: &'a Screen, seed: u64) -> Self {
        Self { file, screen, seed }
    }

    /// One sample every `metrics_every` on screen, from the start, and one at the end: (due, sample).
    pub(super) fn samples(&self) -> impl Iterator<Item = (u64, SystemMetrics)> {
        let every = self.file.metrics_every.get_ref().0;
        let duration = self.screen.duration();
        let last = duration.div_ceil(every);
        let mut curves: Vec<(&str, &Metric, Dice)> = self
            .file
            .metrics
            .0
            .iter()
            .map(|(name, metric)| {
                let name = name.get_ref().as_str();
                (name, metric, Dice::new(self.seed, &format!("noise:{name}")))
            })
            .collect();
        (0..=last).map(move |number| {
            let due = number.saturating_mul(every).min(duration);
            let time = round_to_millis(self.screen.incident(due));
            let metrics = curves
                .iter_mut()
                .map(|(name, metric, dice)| (String::from(*name), sample(metric, time, dice.normal())));
            let sample = SystemMetrics {
                offset_s: Some(time.secs()),
                synthetic: true,
                phase: Some(self.screen.phase(time).to_owned()),
                metrics: metrics.collect::<BTreeMap<_, _>>(),
                users_affected: self.users(time),
                cost: self.cost(time),
            };
            (due, sample)
        })
    }

    fn users(&self, time: Micros) -> Option<u64> {
        let users = self.file.impact.as_ref()?.users.as_ref()?;
        Some(users.get_ref().at(time, Interpolate::Linear).round() as u64)
    }

    /// The most users at any moment up to the end; what the curve does after it never happens.
    pub(super) fn users_peak(&self, end: Micros) -> Option<u64> {
        let users = self.file.impact.as_ref()?.users.as_ref()?;
        let keys = users.get_ref().iter().map(|(time, _)| time).filter(|time| *time < end);
        // Straight lines between keyframes: the curve is highest at one of them, or at either end.
        keys.chain([Micros(0), end]).filter_map(|time| self.users(time)).max()
    }

    /// The exact integral of the rates up to a moment, rounded to cents.
    pub(super) fn cost(&self, time: Micros) -> Option<Cost> {
        let cost = self.file.impact.as_ref()?.cost.as_ref()?;
        let rate_of = |phase: &str| {
            cost.per_minute.iter().find(|(name, _)| name.get_ref() == phase).map_or(0.0, |(_, rate)| *rate)
        };
        let spent = self.screen.spans().map(|(name, start, end)| {
            let until = end.secs().min(time.secs());
            (until - start.secs()).max(0.0) / 60.0 * rate_of(name)
        });
        Some(Cost {
            currency: cost.currency.get_ref().clone(),
            total: (spent.sum::<f64>() * 100.0).round() / 100.0,
            per_minute: rate_of(self.screen.phase(time)),
        })
    }
}

/// The curve's value with noise, kept within what the curve itself allows: a ratio within 0 to 1, and nothing
/// that is never negative below 0.
fn sample(metric: &Metric, time: Micros, noise: f64) -> f64 {
    let value = metric.keys.at(time, metric.interpolate) * (1.0 + metric.noise * noise);
    let value = if metric.keys.min() >= 0.0 { value.max(0.0) } else { value };
    let value = if metric.unit == "ratio" { value.min(1.0) } else { value };
    round_significant(value)
}

/// Four significant digits, by way of decimal text: exact on every platform.
pub(super) fn round_significant(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// Offsets on the wire are whole milliseconds.
pub(super) fn round_to_millis(time: Micros) -> Micros {
    Micros(time.0.saturating_add(500) / 1_000 * 1_000)
}
