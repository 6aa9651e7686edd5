//! A receiver without a server: deliveries, time that passes, restarts, and the events that come of it.

use incident::contract::{AgentAction, IncidentResolved, IncidentStarted, Message};
use incident::receivers::{self, Decision, Delivery, Draft, Receiver, State};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Noon of a day.
pub const NOON: &str = "2026-11-26T12:00:00Z";

/// The receivers of a file, of which the first is asked.
pub struct Lab {
    pub receivers: Vec<Receiver>,
    pub state: State,
    pub now: Timestamp,
    /// Everything that was written.
    pub events: Vec<(Timestamp, Draft)>,
}

/// A receiver of Alertmanager with these further lines.
pub fn alertmanager(more: &str) -> Lab {
    Lab::of("alertmanager", more)
}

impl Lab {
    pub fn of(kind: &str, more: &str) -> Self {
        let text = format!("[[receiver]]\nname = \"prod\"\nkind = \"{kind}\"\ntoken_file = \"t\"\n{more}");
        let receivers = receivers::read("receivers.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        Self { receivers, state: State::default(), now: NOON.parse().unwrap(), events: Vec::new() }
    }

    pub fn receiver(&self) -> &Receiver {
        &self.receivers[0]
    }

    /// Takes a delivery and writes what comes of it, as a server does.
    pub fn take(&mut self, delivery: &Delivery) -> Decision {
        let decision = self.state.decide(self.receiver(), delivery, self.now).unwrap();
        self.write(decision.drafts.clone());
        self.state.hear(&decision.heard, self.now);
        decision
    }

    /// Takes a body of Alertmanager or Grafana.
    pub fn post(&mut self, body: &Value) -> Decision {
        let delivery = receivers::delivery(self.receiver().kind, body.to_string().as_bytes());
        self.take(&delivery.unwrap_or_else(|faults| panic!("{faults:?}")))
    }

    /// Takes an event of PagerDuty.
    pub fn enqueue(&mut self, body: &Value) -> Decision {
        let read = receivers::event(body.to_string().as_bytes(), "fresh", self.now);
        self.take(&read.unwrap_or_else(|faults| panic!("{faults:?}")).delivery)
    }

    /// Somebody else adds an event to the newest incident.
    pub fn add(&mut self, kind: &str, data: &Value) {
        let message = Message::parse(kind, &serde_json::value::to_raw_value(data).unwrap()).unwrap();
        let subject = self.incidents().last().unwrap().to_string();
        self.write(vec![Draft { subject, id: format!("added-{}", self.events.len()), message }]);
    }

    /// Somebody cancels the newest incident.
    pub fn cancel(&mut self) {
        let data = json!({
            "synthetic": false, "outcome": "cancelled", "summary": "Cancelled", "durations": { "resolve_s": 1 },
            "actions": { "total": 1, "failed": 0 },
        });
        self.add("incident_resolved", &data);
    }

    /// Time passes; what falls due happens when it does.
    pub fn pass(&mut self, seconds: i64) {
        let end = self.now + SignedDuration::from_secs(seconds);
        while let Some(due) = self.state.due(&self.receivers).filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let drafts = self.state.expire(&self.receivers, self.now);
            assert!(!drafts.is_empty(), "something was due, and nothing came of it");
            let drafts = drafts.into_iter().map(|(_, draft)| draft).collect();
            self.write(drafts);
        }
        self.now = end;
    }

    fn write(&mut self, drafts: Vec<Draft>) {
        for draft in drafts {
            // The journal's rule: the same event once.
            if self.events.iter().any(|(_, known)| known.id == draft.id) {
                continue;
            }
            self.state.fold(&draft.subject, self.now, self.now, &draft.message);
            self.events.push((self.now, draft));
        }
    }

    /// A server that starts over the same journal.
    pub fn restart(&mut self) {
        self.state = State::default();
        for (time, draft) in &self.events {
            // As it is stored and read again.
            let message = Message::parse(draft.message.kind().as_str(), &draft.message.data()).unwrap();
            self.state.fold(&draft.subject, *time, self.now, &message);
        }
        self.state.hear_all(self.now);
    }

    /// What was written, a word an event: `started`, `alert_firing`, `resolved` …
    pub fn words(&self) -> Vec<String> {
        self.events.iter().map(|(_, draft)| word(&draft.message)).collect()
    }

    /// The ids of the incidents, in the order of their beginnings.
    pub fn incidents(&self) -> Vec<&str> {
        let started =
            self.events.iter().filter(|(_, draft)| matches!(draft.message, Message::IncidentStarted(_)));
        started.map(|(_, draft)| draft.subject.as_str()).collect()
    }

    pub fn started(&self) -> &IncidentStarted {
        let found = self.events.iter().find_map(|(_, draft)| match &draft.message {
            Message::IncidentStarted(started) => Some(started),
            _ => None,
        });
        found.unwrap()
    }

    /// The newest action.
    pub fn action(&self) -> &AgentAction {
        let found = self.events.iter().rev().find_map(|(_, draft)| match &draft.message {
            Message::AgentAction(action) => Some(action),
            _ => None,
        });
        found.unwrap()
    }

    pub fn resolved(&self) -> &IncidentResolved {
        match &self.events.last().unwrap().1.message {
            Message::IncidentResolved(resolved) => resolved,
            other => panic!("{other:?}"),
        }
    }
}

fn word(message: &Message) -> String {
    match message {
        Message::IncidentStarted(_) => "started".to_owned(),
        Message::AgentAction(action) => action.action.clone(),
        Message::SystemMetrics(_) => "metrics".to_owned(),
        Message::IncidentResolved(_) => "resolved".to_owned(),
        other => panic!("{other:?}"),
    }
}

/// An alert, that fires since so many seconds after noon.
pub fn firing(name: &str, since: i64) -> Value {
    let since = NOON.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(since);
    json!({
        "status": "firing",
        "labels": { "alertname": name, "service": "checkout", "severity": "critical" },
        "annotations": { "summary": format!("{name} on checkout is too high") },
        "startsAt": since.to_string(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
        "fingerprint": format!("fp-{name}"),
    })
}

/// The same alert, resolved so many seconds after noon.
pub fn ended(name: &str, since: i64, end: i64) -> Value {
    let mut alert = firing(name, since);
    let end = NOON.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(end);
    alert["status"] = json!("resolved");
    alert["endsAt"] = json!(end.to_string());
    alert
}

/// A trigger of PagerDuty.
pub fn trigger(key: &str, summary: &str) -> Value {
    json!({
        "routing_key": "0123456789abcdef0123456789abcdef",
        "event_action": "trigger",
        "dedup_key": key,
        "payload": { "summary": summary, "source": "db-1", "severity": "error", "class": "disk" },
    })
}

/// What Alertmanager sends about a group.
pub fn group(alerts: &[Value]) -> Value {
    let firing = alerts.iter().any(|alert| alert["status"] == "firing");
    json!({
        "version": "4",
        "groupKey": "{}:{service=\"checkout\"}",
        "truncatedAlerts": 0,
        "status": if firing { "firing" } else { "resolved" },
        "receiver": "incident",
        "groupLabels": { "service": "checkout" },
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": alerts,
        "somethingNewer": [1, 2],
    })
}
