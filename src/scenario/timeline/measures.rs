//! Compiling metrics, affected users and cost to samples.

use std::collections::{BTreeMap, HashMap};

use super::dice::Dice;
use super::error::CompileError;
use super::screen::Screen;
use crate::contract::{Cost, SystemMetrics};
use crate::scenario::duration::Micros;
use crate::scenario::file::{CostFile, Metric, ScenarioFile};
use crate::scenario::keyframes::{Interpolate, Keyframes};

/// The most samples of an incident: at one every two seconds, 55 hours on screen. What they take in memory is bounded by the
/// bytes of a plan.
const MOST_SAMPLES: u64 = 100_000;

/// Refuses an incident that plays for too long or has too many samples, before the samples are computed.
pub(super) fn check_length(file: &ScenarioFile, screen: &Screen, seed: u64) -> Result<(), CompileError> {
    let (duration, every) = (screen.duration(), &file.metrics_every);
    let samples = screen.samples(every.get_ref().0);
    let phase = &file.phases[screen.longest()];
    let advice = match phase.play {
        Some(_) => format!("give phase {:?} a shorter `play`", phase.name.get_ref()),
        None => format!("give phase {:?} a `play`", phase.name.get_ref()),
    };
    let long = phase.play.as_ref().map_or(phase.name.span(), toml::Spanned::span);
    let played = Micros(duration);
    if duration > Micros::LONGEST.0 {
        let message = format!("the incident plays for {played}, more than a year");
        return Err(CompileError::new(message, seed, long, &advice));
    }
    if samples > MOST_SAMPLES {
        let message = format!(
            "{samples} samples of the metrics, one every {} for {played}: more than {MOST_SAMPLES}",
            every.get_ref()
        );
        // If the file has no metrics_every, point at the phase instead.
        let span = if every.span().is_empty() { long } else { every.span() };
        return Err(CompileError::new(message, seed, span, &format!("{advice}, or raise metrics_every")));
    }
    Ok(())
}

/// The curves of a scenario.
pub(super) struct Measures<'a> {
    file: &'a ScenarioFile,
    screen: &'a Screen,
    seed: u64,
    cost: Option<CostCurve<'a>>,
}

impl<'a> Measures<'a> {
    pub(super) fn new(file: &'a ScenarioFile, screen: &'a Screen, seed: u64) -> Self {
        let cost = file.impact.as_ref().and_then(|impact| impact.cost.as_ref());
        Self { file, screen, seed, cost: cost.map(|cost| CostCurve::new(cost, screen)) }
    }

    /// The samples, each with its due time: one every `metrics_every` on screen, from the start, and one at the end.
    pub(super) fn samples(&self) -> impl Iterator<Item = (u64, SystemMetrics)> {
        let every = self.file.metrics_every.get_ref().0;
        let duration = self.screen.duration();
        let last = duration.div_ceil(every);
        let metrics = self.file.metrics.0.iter();
        let mut curves: Vec<Curve> =
            metrics.map(|(name, metric)| Curve::new(name.get_ref(), metric, self.seed)).collect();
        (0..=last).map(move |number| {
            let due = number.saturating_mul(every).min(duration);
            let time = round_to_millis(self.screen.incident(due));
            let metrics = curves.iter_mut().map(|curve| (curve.name.to_owned(), curve.sample(time)));
            let sample = SystemMetrics {
                origin: None,
                observed_at: None,
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
        let curves =
            self.file.impact.as_ref()?.user_curves().map(|users| users.at(time, Interpolate::Linear));
        // Whole users of each part, so that the parts add up to the whole.
        curves.map(|users| users.round() as u64).reduce(u64::saturating_add)
    }

    /// The highest number of affected users up to the end of the incident, even if the curve continues.
    pub(super) fn users_peak(&self, end: Micros) -> Option<u64> {
        let curves = self.file.impact.as_ref()?.user_curves();
        let keys = curves.flat_map(Keyframes::iter).map(|(time, _)| time).filter(|time| *time < end);
        // The sum has straight lines between keyframes, so it is highest at a keyframe, at the start or at the end.
        keys.chain([Micros(0), end]).filter_map(|time| self.users(time)).max()
    }

    /// The cost up to a moment, rounded to cents.
    pub(super) fn cost(&self, time: Micros) -> Option<Cost> {
        self.cost.as_ref().map(|cost| cost.at(time, self.screen.place(time)))
    }
}

/// One metric, with what all its samples need.
pub(in crate::scenario) struct Curve<'a> {
    name: &'a str,
    metric: &'a Metric,
    dice: Dice,
    /// Whether the curve is never negative.
    is_positive: bool,
    is_ratio: bool,
    is_users: bool,
}

impl<'a> Curve<'a> {
    fn new(name: &'a str, metric: &'a Metric, seed: u64) -> Self {
        Self::with(name, metric, Dice::new(seed, &format!("noise:{name}")))
    }

    /// The values between the samples of the stream, with random numbers of their own: however many there are, the stream
    /// stays as it is.
    pub(in crate::scenario) fn between(name: &'a str, metric: &'a Metric, seed: u64) -> Self {
        Self::with(name, metric, Dice::new(seed, &format!("between:{name}")))
    }

    fn with(name: &'a str, metric: &'a Metric, dice: Dice) -> Self {
        let (is_positive, is_ratio) = (metric.keys.min() >= 0.0, metric.unit == "ratio");
        let is_users = metric.part.is_some() && metric.unit == "users";
        Self { name, metric, dice, is_positive, is_ratio, is_users }
    }

    /// The value with noise. The noise does not move a ratio above 1, nor a curve that is never negative below 0.
    pub(in crate::scenario) fn sample(&mut self, time: Micros) -> f64 {
        let Metric { keys, interpolate, noise, .. } = self.metric;
        let value = keys.at(time, *interpolate) * (1.0 + noise * self.dice.normal());
        let value = if self.is_positive { value.max(0.0) } else { value };
        let value = if self.is_ratio { value.min(1.0) } else { value };
        // Users of a part are counted as those of the whole are.
        if self.is_users {
            return value.round();
        }
        round_significant(value)
    }
}

/// The cost over time: the integral of the rates, with the sum up to each phase.
struct CostCurve<'a> {
    currency: &'a str,
    phases: Vec<CostOfPhase>,
}

struct CostOfPhase {
    start: Micros,
    end: Micros,
    per_minute: f64,
    /// What all earlier phases cost.
    before: f64,
}

impl CostOfPhase {
    fn until(&self, time: Micros) -> f64 {
        let until = self.end.secs().min(time.secs());
        self.before + (until - self.start.secs()).max(0.0) / 60.0 * self.per_minute
    }
}

impl<'a> CostCurve<'a> {
    fn new(cost: &'a CostFile, screen: &Screen) -> Self {
        let rates: HashMap<&str, f64> =
            cost.per_minute.iter().map(|(phase, rate)| (phase.get_ref().as_str(), *rate)).collect();
        let mut before = 0.0;
        let phases = screen.spans().map(|(name, start, end)| {
            let per_minute = rates.get(name).copied().unwrap_or_default();
            let phase = CostOfPhase { start, end, per_minute, before };
            before = phase.until(end);
            phase
        });
        Self { currency: cost.currency.get_ref(), phases: phases.collect() }
    }

    /// The cost at a moment in the phase with this number.
    fn at(&self, time: Micros, place: usize) -> Cost {
        let phase = self.phases.get(place);
        let total = phase.map_or(0.0, |phase| phase.until(time));
        Cost {
            currency: self.currency.to_owned(),
            total: (total * 100.0).round() / 100.0,
            per_minute: phase.map_or(0.0, |phase| phase.per_minute),
        }
    }
}

/// Rounds to four significant digits. It formats and parses decimal text, which is exact on every platform.
pub(in crate::scenario) fn round_significant(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// Rounds to whole milliseconds, the resolution of `offset_s` on the wire.
pub(super) fn round_to_millis(time: Micros) -> Micros {
    Micros(time.0.saturating_add(500) / 1_000 * 1_000)
}
