//! The alerts of a drill at the wall clock.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::tempo::{STEP, Tempo};
use crate::contract::deserialize_time;
use crate::plan::{Plan, PlannedAlert};

/// Labels or annotations: values by name.
pub type Labels = BTreeMap<String, String>;

/// Every alert of a drill, with the times at which it fires.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alerts {
    /// The label `run` of all of them.
    pub run: String,
    /// Each time that an alert fires, in the order of the scenario.
    pub alerts: Vec<Alert>,
}

/// One time that an alert fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// What identifies it.
    pub labels: Labels,
    /// What else it says.
    #[serde(default)]
    pub annotations: Labels,
    /// When it begins to fire.
    #[serde(deserialize_with = "deserialize_time")]
    pub starts_at: Timestamp,
    /// When it is resolved, unless the drill ends before.
    #[serde(deserialize_with = "deserialize_time")]
    pub ends_at: Timestamp,
}

impl Alert {
    /// Whether it fires at this moment.
    pub fn fires_at(&self, now: Timestamp) -> bool {
        (self.starts_at..self.ends_at).contains(&now)
    }
}

impl Alerts {
    /// The alerts of a plan that has begun; none if it has not, or if its scenario has none.
    pub fn of(plan: &Plan) -> Self {
        let run = &plan.symptoms.run;
        let Some(tempo) = Tempo::of(plan).filter(|_| !run.is_empty()) else { return Self::default() };
        let at = |screen_us: i64| tempo.began.checked_add(tempo.wall(screen_us)).unwrap_or(tempo.began);
        let fires = plan.symptoms.alerts.iter().flat_map(|alert| {
            alert.firings.iter().map(move |firing| Alert {
                labels: labels(alert, run),
                annotations: alert
                    .summary
                    .iter()
                    .map(|summary| ("summary".to_owned(), summary.clone()))
                    .collect(),
                starts_at: at(firing.from),
                ends_at: at(firing.to),
            })
        });
        Self { run: run.clone(), alerts: fires.collect() }
    }

    /// The same by a clock that shows `there` when this one shows `here`.
    #[must_use]
    pub fn by_clock(mut self, here: Timestamp, there: Timestamp) -> Self {
        let ahead = there.duration_since(here);
        let moved = |time: Timestamp| time.checked_add(ahead).unwrap_or(time);
        for alert in &mut self.alerts {
            (alert.starts_at, alert.ends_at) = (moved(alert.starts_at), moved(alert.ends_at));
        }
        self
    }

    /// These alerts as they are, unless the wall clock, which shows `now` while the drill is so far, was set since the drill began: then
    /// by the clock as it is.
    #[must_use]
    pub fn unless_set(self, tempo: &Tempo, elapsed: Duration, now: Timestamp) -> Self {
        let began = SignedDuration::try_from(elapsed).ok().and_then(|elapsed| now.checked_sub(elapsed).ok());
        match began.filter(|began| began.duration_since(tempo.began).unsigned_abs() > STEP) {
            Some(began) => self.by_clock(tempo.began, began),
            None => self,
        }
    }

    /// Those that fire at this moment.
    pub fn at(&self, now: Timestamp) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().filter(move |alert| alert.fires_at(now))
    }
}

/// The labels of an alert. None says whether it is a decoy, nor which scenario is played.
fn labels(alert: &PlannedAlert, run: &str) -> Labels {
    let mut labels = alert.labels.clone();
    for (name, value) in [
        ("alertname", alert.name.as_str()),
        ("service", &alert.service),
        ("severity", &alert.severity),
        ("synthetic", "true"),
        ("run", run),
    ] {
        labels.insert(name.to_owned(), value.to_owned());
    }
    labels
}
