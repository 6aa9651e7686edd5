//! Compiling metrics, affected users and cost to samples.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::error::CompileError;
use super::screen::Screen;
use crate::contract::{Cost, SystemMetrics};
use crate::scenario::duration::Micros;
use crate::scenario::file::{Metric, ScenarioFile};
use crate::scenario::keyframes::Interpolate;

/// The most samples of an incident: at one every two seconds, eleven hours on screen.
const MOST_SAMPLES: u64 = 20_000;

/// Refuses an incident that plays for too long or has too many samples, before the samples are computed.
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
        // If the file has no metrics_every, point at the phase instead.
        let span = if every.span().is_empty() { long } else { every.span() };
        return Err(CompileError { message, seed, span, help: format!("{advice}, or raise metrics_every") });
    }
    Ok(())
}

/// The curves of a scenario.
pub(super) struct Measures<'a> {
    file: &'a ScenarioFile,
    screen: &'a Screen,
    seed: u64,
}

impl<'a> Measures<'a> {
    pub(super) fn new(file: &'a ScenarioFile, screen: &'a Screen, seed: u64) -> Self {
        Self { file, screen, seed }
    }

    /// The samples, each with its due time: one every `metrics_every` on screen, from the start, and one at the end.
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

    /// The highest number of affected users up to the end of the incident, even if the curve continues.
    pub(super) fn users_peak(&self, end: Micros) -> Option<u64> {
        let users = self.file.impact.as_ref()?.users.as_ref()?;
        let keys = users.get_ref().iter().map(|(time, _)| time).filter(|time| *time < end);
        // The curve has straight lines between keyframes, so it is highest at a keyframe, at the start or at the end.
        keys.chain([Micros(0), end]).filter_map(|time| self.users(time)).max()
    }

    /// The cost up to a moment: the integral of the rates, rounded to cents.
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

/// A metric's value with noise. The noise does not move a ratio above 1, nor a curve that is never negative below 0.
fn sample(metric: &Metric, time: Micros, noise: f64) -> f64 {
    let value = metric.keys.at(time, metric.interpolate) * (1.0 + metric.noise * noise);
    let value = if metric.keys.min() >= 0.0 { value.max(0.0) } else { value };
    let value = if metric.unit == "ratio" { value.min(1.0) } else { value };
    round_significant(value)
}

/// Rounds to four significant digits. It formats and parses decimal text, which is exact on every platform.
pub(super) fn round_significant(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// Rounds to whole milliseconds, the resolution of `offset_s` on the wire.
pub(super) fn round_to_millis(time: Micros) -> Micros {
    Micros(time.0.saturating_add(500) / 1_000 * 1_000)
}
