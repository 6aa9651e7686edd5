//! What monitoring says during an incident: a part of its plan, which no event of the stream tells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The labels that every alert of a drill has. None of them says what the drill is about.
pub const RESERVED_LABELS: [&str; 5] = ["alertname", "service", "severity", "synthetic", "run"];

/// The longest name or value of a label, in characters.
pub const LABEL_CHARS: usize = 128;

/// Whether a label can have this name in every program that takes alerts.
pub fn is_label(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && name.len() <= LABEL_CHARS
        && name.bytes().all(fine)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.starts_with("__")
}

/// Characters of a run.
const RUN_CHARS: usize = 12;

/// Letters and digits that people do not confuse.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// What can be seen of an incident from outside. New kinds of symptoms are new fields, absent from older plans.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Symptoms {
    /// What tells this incident from others without saying which scenario it is: random, and given when it starts.
    #[serde(default)]
    pub run: String,
    /// The alerts, in the order of the scenario.
    #[serde(default)]
    pub alerts: Vec<PlannedAlert>,
}

/// An alert, and when it fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedAlert {
    /// The label `alertname`.
    pub name: String,
    /// The label `service`.
    pub service: String,
    /// The label `severity`.
    pub severity: String,
    /// The annotation `summary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// More labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Whether it has nothing to do with the incident.
    #[serde(default)]
    pub decoy: bool,
    /// When it fires, in order.
    pub firings: Vec<Firing>,
}

/// One time that an alert fires: screen time at speed 1, in microseconds from the start; before it if negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    /// When it begins to fire.
    pub from: i64,
    /// When it is resolved.
    pub to: i64,
}

impl Symptoms {
    /// These alerts, of a run that has not started.
    pub fn of(alerts: Vec<PlannedAlert>) -> Self {
        Self { run: String::new(), alerts }
    }

    /// Whether nothing can be seen.
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    /// Gives the run its name, unless it has one.
    pub(super) fn begin(&mut self) {
        if self.run.is_empty() && !self.is_empty() {
            let bits = crate::random::bits();
            let characters =
                (0..RUN_CHARS).map(|place| char::from(ALPHABET[(bits >> (5 * place)) as usize & 31]));
            self.run = characters.collect();
        }
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let alerts = self.alerts.iter().map(|alert| {
            let labels: usize = alert.labels.iter().map(|(name, value)| name.len() + value.len()).sum();
            let texts =
                alert.name.len() + alert.service.len() + alert.summary.as_ref().map_or(0, String::len);
            labels + texts + alert.firings.len() * size_of::<Firing>()
        });
        alerts.sum()
    }
}
