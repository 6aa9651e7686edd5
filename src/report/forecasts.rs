//! Forecasts compared with the outcome.

use std::collections::HashMap;

use super::history::{ActionEvent, History};
use super::state::IncidentStatus;
use crate::contract::{Forecast, Outcome};

/// A forecast and the outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredForecast<'a> {
    /// The action that made the forecast.
    pub event: &'a ActionEvent,
    /// The forecast.
    pub forecast: &'a Forecast,
    /// The actual value, in the forecast's unit; or why there is none to compare with.
    pub actual: Result<f64, String>,
}

/// Where the actual value lies, compared with the forecast's interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalResult {
    /// Between p10 and p90, both included.
    Inside,
    /// Below p10.
    Below,
    /// Above p90.
    Above,
    /// Unknown, because the forecast lacks p10 or p90.
    NoInterval,
}

impl ScoredForecast<'_> {
    /// Where the actual value lies; `None` if there is no actual value.
    pub fn interval_result(&self) -> Option<IntervalResult> {
        let actual = *self.actual.as_ref().ok()?;
        Some(match (self.forecast.p10, self.forecast.p90) {
            (Some(low), _) if actual < low => IntervalResult::Below,
            (_, Some(high)) if actual > high => IntervalResult::Above,
            (Some(_), Some(_)) => IntervalResult::Inside,
            _ => IntervalResult::NoInterval,
        })
    }

    /// A value of the forecast in seconds, to the millisecond, if the quantity is a time until something happens. A
    /// latency is not, although it may have the same unit.
    pub fn seconds(&self, value: f64) -> Option<f64> {
        let unit =
            seconds_in(&self.forecast.unit).filter(|_| self.forecast.quantity.starts_with("time_to_"))?;
        Some((value * unit * 1000.0).round() / 1000.0)
    }
}

/// All forecasts in order, each with the actual value.
pub fn scored_forecasts(history: &History) -> Vec<ScoredForecast<'_>> {
    let made = history.actions.iter().filter_map(|event| Some((event, event.action.forecast.as_ref()?)));
    let mut peaks = HashMap::new();
    made.map(|(event, forecast)| ScoredForecast {
        event,
        forecast,
        actual: actual(history, forecast, &mut peaks),
    })
    .collect()
}

/// The actual value of what a forecast predicts. Known are the figures of the resolution, and the highest value of a
/// metric if the forecast predicts that. A forecast of a metric does not say for which moment, and no event measures
/// other quantities. `peaks` has the highest values that were looked for before.
fn actual<'a>(
    history: &History,
    forecast: &'a Forecast,
    peaks: &mut HashMap<&'a str, Option<f64>>,
) -> Result<f64, String> {
    let incident = &history.incident;
    let ended = match (&incident.resolution, incident.state) {
        (Some(resolution), IncidentStatus::Resolved) => Some(resolution),
        _ => None,
    };
    let open = || match incident.resolution.as_ref().map(|resolution| resolution.outcome) {
        Some(Outcome::Cancelled) => "the incident was cancelled".to_owned(),
        _ => "the incident was still open".to_owned(),
    };
    match forecast.quantity.as_str() {
        "time_to_resolve" => {
            let Some(unit) = seconds_in(&forecast.unit) else {
                return Err("its unit is not a unit of time".to_owned());
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
            cost.map(|cost| cost.total).ok_or_else(|| "no event has the cost in its unit".to_owned())
        }
        quantity => {
            let peak_of = quantity.strip_prefix("peak_").or_else(|| quantity.strip_suffix("_peak"));
            let known = |name: &str| incident.units.get(name).is_some_and(|unit| *unit == forecast.unit);
            match peak_of.filter(|name| known(name)) {
                Some(name) => {
                    ended.ok_or_else(open)?;
                    let values = history.samples.iter().filter_map(|sample| sample.value(name));
                    let peak = peaks.entry(name).or_insert_with(|| values.reduce(f64::max));
                    peak.ok_or_else(|| "no sample has this metric".to_owned())
                }
                None if incident.metrics.contains_key(quantity) => {
                    Err("the forecast does not say for which moment".to_owned())
                }
                None => Err("no event measures it".to_owned()),
            }
        }
    }
}

/// How many seconds a unit of time has; `None` for other units.
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
