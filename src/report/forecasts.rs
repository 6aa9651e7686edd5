//! Forecasts against what came out.

use super::{Act, History, State};
use crate::contract::{Forecast, Outcome};

/// A forecast and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged<'a> {
    /// The action that made it.
    pub act: &'a Act,
    /// What was predicted.
    pub forecast: &'a Forecast,
    /// What came out, in the forecast's unit; or why nobody can say.
    pub came_out: Result<f64, String>,
}

/// Where an outcome lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Between p10 and p90, both included.
    Inside,
    /// Lower than p10.
    Below,
    /// Higher than p90.
    Above,
    /// No p10 or no p90 was given, on the side where it counts.
    NoInterval,
}

impl Judged<'_> {
    /// Where the outcome lies; `None` when there is none.
    pub fn place(&self) -> Option<Place> {
        let came_out = *self.came_out.as_ref().ok()?;
        Some(match (self.forecast.p10, self.forecast.p90) {
            (Some(low), _) if came_out < low => Place::Below,
            (_, Some(high)) if came_out > high => Place::Above,
            (Some(_), Some(_)) => Place::Inside,
            _ => Place::NoInterval,
        })
    }

    /// A value of the forecast as seconds, to the millisecond, if it is a time until something: a latency is none,
    /// though its unit may be.
    pub fn seconds(&self, value: f64) -> Option<f64> {
        let unit =
            seconds_in(&self.forecast.unit).filter(|_| self.forecast.quantity.starts_with("time_to_"))?;
        Some((value * unit * 1000.0).round() / 1000.0)
    }
}

/// Every forecast in order.
pub fn judged(history: &History) -> Vec<Judged<'_>> {
    let made = history.acts.iter().filter_map(|act| Some((act, act.action.forecast.as_ref()?)));
    made.map(|(act, forecast)| Judged { act, forecast, came_out: came_out(history, forecast) }).collect()
}

/// What is known to be comparable: the resolution's own figures, and a metric's highest value where the forecast
/// is of that. A metric alone has no moment for which it is predicted, and other quantities are measured nowhere.
fn came_out(history: &History, forecast: &Forecast) -> Result<f64, String> {
    let incident = &history.incident;
    let ended = match (&incident.resolution, incident.state) {
        (Some(resolution), State::Resolved) => Some(resolution),
        _ => None,
    };
    let open = || match incident.resolution.as_ref().map(|resolution| resolution.outcome) {
        Some(Outcome::Cancelled) => "the incident was cancelled".to_owned(),
        _ => "the incident was still open".to_owned(),
    };
    match forecast.quantity.as_str() {
        "time_to_resolve" => {
            let Some(unit) = seconds_in(&forecast.unit) else {
                return Err("its unit is no unit of time".to_owned());
            };
            ended.map(|resolution| resolution.durations.resolve_s / unit).ok_or_else(open)
        }
        "users_peak" => {
            ended.ok_or_else(open)?;
            incident.users_peak.map(|users| users as f64).ok_or_else(|| "users were not counted".to_owned())
        }
        "cost_total" => {
            ended.ok_or_else(open)?;
            let cost = incident.cost.as_ref().filter(|cost| cost.currency == forecast.unit);
            cost.map(|cost| cost.total).ok_or_else(|| "no cost was told in its unit".to_owned())
        }
        quantity => {
            let of_peak = quantity.strip_prefix("peak_").or_else(|| quantity.strip_suffix("_peak"));
            let known = |name: &str| incident.units.get(name).is_some_and(|unit| *unit == forecast.unit);
            match of_peak.filter(|name| known(name)) {
                Some(name) => {
                    ended.ok_or_else(open)?;
                    let values = history
                        .samples
                        .iter()
                        .filter_map(|sample| sample.measured.metrics.get(name).copied());
                    values.reduce(f64::max).ok_or_else(|| "it was not sampled".to_owned())
                }
                None if incident.metrics.contains_key(quantity) => {
                    Err("it does not say for which moment".to_owned())
                }
                None => Err("no event measures it".to_owned()),
            }
        }
    }
}

/// Seconds in a unit of time.
fn seconds_in(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" => 0.001,
        "s" | "sec" | "seconds" => 1.0,
        "min" | "minutes" => 60.0,
        "h" | "hours" => 3600.0,
        "d" | "days" => 86_400.0,
        _ => return None,
    })
}
