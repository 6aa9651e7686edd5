//! Faults in costs, probabilities and forecasts.

use incident::contract::MessageType;

use super::{Fault, caught, fault, set};
use crate::validate::sound::Stream;

impl Stream {
    /// Changes the total of a sample.
    fn costly(&mut self, n: usize, change: impl Fn(f64) -> f64) -> Option<()> {
        let place = self.sample(n)?;
        let cost = self.data(place)["cost"].as_object_mut()?;
        let total = cost["total"].as_f64()?;
        set(cost, "total", change(total))
    }

    /// Changes the totals from a sample on.
    fn costly_from(&mut self, n: usize, change: impl Fn(f64) -> f64) -> Option<()> {
        let from = self.sample(n)?;
        for place in from..self.frames.len() {
            if let Some(total) = self.data(place)["cost"]["total"].as_f64() {
                self.data(place)["cost"]["total"] = change(total).into();
            }
        }
        Some(())
    }

    /// The total of the sample before.
    fn last_cost(&self, n: usize) -> Option<f64> {
        let place = self.sample(n - 1)?;
        self.frames[place].0["data"]["cost"]["total"].as_f64()
    }

    /// The place of the first action with two hypotheses.
    fn guess(&self) -> Option<usize> {
        let places = self.all(MessageType::AgentAction).into_iter();
        places.into_iter().find(|place| self.frames[*place].0["data"]["hypotheses"][1].is_object())
    }

    /// Phases of `database-outage` begin and end while nobody samples the cost. The last total before.
    fn unsampled(&mut self) -> Option<f64> {
        self.subject().starts_with("database-outage").then_some(())?;
        let mut early = 0.0;
        for place in self.all(MessageType::SystemMetrics) {
            let second = self.data(place)["offset_s"].as_f64()?;
            if (40.0..170.0).contains(&second) {
                self.data(place).as_object_mut()?.remove("cost");
            } else if second < 40.0 {
                early = self.data(place)["cost"]["total"].as_f64()?;
            }
        }
        Some(early)
    }
}

pub const FAULTS: &[Fault] = &[
    fault("the total falls", "cost", "the total falls from", "/data/cost/total", |s| {
        s.costly(7, |total| total * 0.1)
    }),
    fault("the total falls by a cent and more", "cost", "the total falls from", "/data/cost/total", |s| {
        let before = s.last_cost(7)?;
        s.costly(7, |_| before - 0.02)
    }),
    fault("the total grows faster than its rate", "cost", "its rates allow", "/data/cost/total", |s| {
        s.is_drill()?;
        s.costly_from(10, |total| total + 500_000.0)
    }),
    fault("one total is too high", "cost", "its rates allow", "/data/cost/total", |s| {
        s.is_drill()?;
        s.costly(7, |total| total + 500_000.0)
    }),
    fault(
        "the rate changes in the middle of a phase",
        "cost",
        "a phase has one rate",
        "/data/cost/per_minute",
        |s| {
            s.is_drill()?;
            let cost = s.middle()?.get_mut("cost")?.as_object_mut()?;
            let rate = cost["per_minute"].as_f64()?;
            set(cost, "per_minute", rate * 1.5 + 1.0)
        },
    ),
    fault(
        "the rate of the last sample is another",
        "cost",
        "a phase has one rate",
        "/data/cost/per_minute",
        |s| {
            s.is_drill()?;
            let place = *s.all(MessageType::SystemMetrics).last()?;
            let cost = s.data(place)["cost"].as_object_mut()?;
            let rate = cost["per_minute"].as_f64()?;
            set(cost, "per_minute", rate * 1.5 + 1.0)
        },
    ),
    fault("the total stands still", "cost", "its rates allow", "/data/cost/total", |s| {
        s.is_drill()?;
        let before = s.last_cost(12)?;
        s.costly(12, |_| before)
    }),
    fault("the final cost is another", "cost", "its rates allow", "/data/cost/total", |s| {
        s.is_drill()?;
        set(s.end()?.get_mut("cost")?.as_object_mut()?, "total", 99_999_999.0)
    }),
    fault("the final cost is lower", "cost", "the total falls from", "/data/cost/total", |s| {
        set(s.end()?.get_mut("cost")?.as_object_mut()?, "total", 0.5)
    }),
    fault(
        "the currency of the resolution is another",
        "cost",
        "the currency changes from",
        "/data/cost/currency",
        |s| set(s.end()?.get_mut("cost")?.as_object_mut()?, "currency", "CHF"),
    ),
    fault(
        "the currency of one sample is another",
        "cost",
        "the currency changes from",
        "/data/cost/currency",
        |s| set(s.middle()?.get_mut("cost")?.as_object_mut()?, "currency", "CHF"),
    ),
    fault(
        "the total leaps while phases without samples pass",
        "cost",
        "its rates allow",
        "/data/cost/total",
        |s| {
            s.unsampled()?;
            let later: Vec<usize> = s
                .all(MessageType::SystemMetrics)
                .into_iter()
                .filter(|place| s.frames[*place].0["data"]["offset_s"].as_f64() >= Some(170.0))
                .chain([s.resolution()])
                .collect();
            for place in later {
                let total = s.data(place)["cost"]["total"].as_f64()?;
                s.data(place)["cost"]["total"] = (total + 50_000.0).into();
            }
            Some(())
        },
    )
    .later(),
    fault(
        "the total stands still while phases without samples pass",
        "cost",
        "its rates allow",
        "/data/cost/total",
        |s| {
            let early = s.unsampled()?;
            let later: Vec<usize> = s
                .all(MessageType::SystemMetrics)
                .into_iter()
                .filter(|place| s.frames[*place].0["data"]["offset_s"].as_f64() >= Some(170.0))
                .collect();
            for place in later {
                s.data(place)["cost"]["total"] = early.into();
                s.data(place)["cost"]["per_minute"] = 0.0.into();
            }
            set(s.end()?.get_mut("cost")?.as_object_mut()?, "total", early)
        },
    )
    .later(),
    fault("probabilities above 1 together", "confidence", "expected at most 1", "/data/hypotheses", |s| {
        let place = s.guess()?;
        s.data(place)["hypotheses"][0]["p"] = 0.9.into();
        s.data(place)["hypotheses"][1]["p"] = 0.3.into();
        Some(())
    }),
    fault(
        "a hypothesis has two probabilities",
        "confidence",
        "two probabilities in one event",
        "/data/hypotheses",
        |s| {
            let place = s.guess()?;
            let list = s.data(place)["hypotheses"].as_array_mut()?;
            let mut again = list[0].clone();
            again["p"] = 0.0.into();
            list.push(again);
            Some(())
        },
    ),
    fault(
        "a hypothesis gets another claim",
        "confidence",
        "the claim of hypothesis",
        "/data/hypotheses/0/claim",
        |s| {
            let place = *s
                .all(MessageType::AgentAction)
                .iter()
                .rfind(|place| s.frames[**place].0["data"]["hypotheses"].is_array())?;
            s.data(place)["hypotheses"][0]["claim"] = "Cosmic rays".into();
            Some(())
        },
    ),
    fault("p10 above p50", "confidence", "which do not rise", "/data/forecast", |s| {
        let forecast = s.action("forecast")?["forecast"].as_object_mut()?;
        let p50 = forecast["p50"].as_f64()?;
        set(forecast, "p10", p50 + 1.0)
    }),
    fault("p90 below p50", "confidence", "which do not rise", "/data/forecast", |s| {
        let forecast = s.action("forecast")?["forecast"].as_object_mut()?;
        let p50 = forecast["p50"].as_f64()?;
        set(forecast, "p90", p50 - 1.0)
    }),
    fault("p10 above p90", "confidence", "which do not rise", "/data/forecast", |s| {
        let forecast = s.action("forecast")?["forecast"].as_object_mut()?;
        let (p10, p90) = (forecast["p10"].take(), forecast["p90"].take());
        set(forecast, "p10", p90)?;
        set(forecast, "p90", p10)
    }),
];

#[test]
fn costs_and_probabilities() {
    caught(FAULTS);
}
