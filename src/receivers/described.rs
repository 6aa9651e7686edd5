//! What a receiver is told to do: the content of `receivers.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::alert::{Alert, Labels, SYNTHETIC};
use crate::contract::Severity;

/// The programs whose alerts can be received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The webhook of Prometheus' Alertmanager, version 4.
    Alertmanager,
    /// The webhook of Grafana's alerting.
    Grafana,
    /// The Events API v2 of PagerDuty, with this server in the place of theirs.
    PagerDuty,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Alertmanager, Self::Grafana, Self::PagerDuty];

    /// Its name in `receivers.toml`, in paths and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
            Self::PagerDuty => "pagerduty",
        }
    }
}

/// One receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Receiver {
    /// Its name: a part of its path, of its incidents' ids, and the agent of its actions.
    pub name: String,
    /// Whose alerts it takes.
    pub kind: Kind,
    /// The file with the tokens that it accepts.
    pub token_file: Option<PathBuf>,
    /// How its sender signs a body instead.
    pub signature: Option<Signature>,
    /// The labels whose values make an incident; without any, each group of the sender is one.
    pub group_by: Vec<String>,
    /// How long all alerts of an incident have to be resolved before the incident is.
    pub settle: Duration,
    /// How soon after its end an incident that comes again names the one before.
    pub reopen: Duration,
    /// How long the sender of a firing alert may be silent before that is noted; `None`: for ever.
    pub stale: Option<Duration>,
    /// The title of its incidents.
    pub title: String,
    /// How severe an alert is.
    pub severity: SeverityRule,
    /// The labels that name a service: of each alert, the first that it has.
    pub services: Vec<String>,
    /// What an incident costs: the first that matches one of its alerts.
    pub cost: Vec<CostRule>,
    /// Alerts that are left out.
    pub drop: Vec<Labels>,
    /// What becomes of the alerts of drills.
    pub drills: Drills,
    /// The names of metrics, by the name of the sender's value.
    pub metrics: BTreeMap<String, String>,
}

/// What becomes of alerts with the label `synthetic="true"`. They are never a part of a real incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drills {
    /// They are incidents of their own, which are drills.
    Mark,
    /// They are left out.
    Drop,
}

/// How a sender signs a body: HMAC-SHA256, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The file with the secret.
    pub secret_file: PathBuf,
    /// The header with the signature.
    pub header: String,
    /// The header with the time, in seconds since 1970, that is signed with the body.
    pub timestamp_header: Option<String>,
}

/// How severe an alert is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityRule {
    /// The label that says it.
    pub label: String,
    /// What its values mean.
    pub map: BTreeMap<String, Severity>,
    /// What an alert without the label, or with another value, has.
    pub default: Severity,
}

impl Default for SeverityRule {
    fn default() -> Self {
        let map = [
            ("critical", Severity::Sev1),
            ("error", Severity::Sev2),
            ("warning", Severity::Sev3),
            ("info", Severity::Sev5),
        ];
        Self {
            label: "severity".to_owned(),
            map: map.map(|(value, severity)| (value.to_owned(), severity)).into(),
            default: Severity::Sev3,
        }
    }
}

/// What an incident costs while it is open.
#[derive(Debug, Clone, PartialEq)]
pub struct CostRule {
    /// The labels that an alert has to have; any alert, if there are none.
    pub labels: Labels,
    /// The currency's ISO 4217 code.
    pub currency: String,
    /// The cost per minute.
    pub per_minute: f64,
}

/// The most characters of a title.
const TITLE_CHARS: usize = 120;

impl Receiver {
    /// A receiver with the defaults of its kind.
    pub fn new(name: &str, kind: Kind) -> Self {
        let settle = if kind == Kind::PagerDuty { 0 } else { 120 };
        let title = if kind == Kind::PagerDuty { "{summary}" } else { "{alertname}" };
        Self {
            name: name.to_owned(),
            kind,
            token_file: None,
            signature: None,
            group_by: Vec::new(),
            settle: Duration::from_secs(settle),
            reopen: Duration::from_secs(600),
            stale: None,
            title: title.to_owned(),
            severity: SeverityRule::default(),
            services: ["service", "job", "app"].map(str::to_owned).into(),
            cost: Vec::new(),
            drop: Vec::new(),
            drills: Drills::Mark,
            metrics: BTreeMap::new(),
        }
    }

    /// Its path on the server.
    pub fn path(&self) -> String {
        let rest = if self.kind == Kind::PagerDuty { "/v2/enqueue" } else { "" };
        format!("/hooks/{}/{}{rest}", self.kind.as_str(), self.name)
    }

    /// The publisher of its events.
    pub fn source(&self) -> String {
        format!("{}{}", super::alert::SOURCE, self.name)
    }

    /// Whether an alert is left out.
    pub(super) fn drops(&self, alert: &Alert) -> bool {
        self.drop.iter().any(|labels| alert.matches(labels))
    }

    /// Whether an alert is a part of a drill, which its labels say; for PagerDuty, whose events have none, its details.
    pub(super) fn is_drill(&self, alert: &Alert) -> bool {
        let details = if self.kind == Kind::PagerDuty { alert.annotations.get(SYNTHETIC) } else { None };
        alert.labels.get(SYNTHETIC).or(details).is_some_and(|value| value == "true")
    }

    /// How severe an alert is.
    pub(super) fn severity_of(&self, alert: &Alert) -> Severity {
        let value = alert.labels.get(&self.severity.label);
        value.and_then(|value| self.severity.map.get(value)).copied().unwrap_or(self.severity.default)
    }

    /// The service that an alert is about.
    pub(super) fn service_of<'a>(&self, alert: &'a Alert) -> Option<&'a str> {
        self.services.iter().find_map(|label| alert.labels.get(label)).map(String::as_str)
    }

    /// What an incident with this alert costs.
    pub(super) fn cost_of(&self, alert: &Alert) -> Option<&CostRule> {
        self.cost.iter().find(|rule| alert.matches(&rule.labels))
    }

    /// The title of an incident that begins with this alert.
    pub(super) fn title_of(&self, alert: &Alert) -> String {
        let mut title = String::new();
        let mut rest = self.title.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            title += before;
            title += alert.word(name).unwrap_or("?");
            rest = after;
        }
        super::text::line(&(title + rest), TITLE_CHARS)
    }
}
