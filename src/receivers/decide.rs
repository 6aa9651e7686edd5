//! What a delivery means: which events are new. Decides on a copy of the state, to which each event that it makes is
//! applied at once, so that the alerts of one delivery see one another.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::alert::{Alert, Delivery, Note, digest};
use super::described::{Drills, Kind, Receiver};
use super::events::{self, Action, Draft};
use super::key::Key;
use super::since;
use super::state::{Group, Known, LATE, MOST_ALERTS, State, subject_of};
use crate::contract::{AgentAction, Cost, Message, SystemMetrics};

/// The most open incidents of all receivers.
const MOST_OPEN: usize = 10_000;

/// Why an alert is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ignored {
    /// A rule of the receiver leaves it out.
    Dropped,
    /// It is of a drill, and the receiver leaves those out.
    Drill,
    /// It is resolved, and was never seen firing; or nothing is open that a note could be about.
    UnknownResolved,
    /// Its incident has ended, although it still fired.
    Ended,
    /// Its incident has too many alerts.
    TooMany,
}

impl Ignored {
    /// All reasons.
    pub const ALL: [Self; 5] =
        [Self::Dropped, Self::Drill, Self::UnknownResolved, Self::Ended, Self::TooMany];

    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Drill => "drill",
            Self::UnknownResolved => "unknown_resolved",
            Self::Ended => "ended",
            Self::TooMany => "too_many",
        }
    }
}

/// What a delivery means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// The events to write, in order.
    pub drafts: Vec<Draft>,
    /// The incidents that the delivery is about.
    pub incidents: Vec<String>,
    /// How many alerts the journal knows already as they are.
    pub repeats: u64,
    /// How many alerts are ignored, by reason.
    pub ignored: BTreeMap<Ignored, u64>,
    /// The incidents whose sender was heard.
    pub heard: Vec<String>,
    /// Whether it is about every open incident.
    pub about_all: bool,
}

/// The server has too many open incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MOST_OPEN} incidents of receivers are open; resolve or cancel some")]
pub struct Overfull;

impl Decision {
    /// Whether it may leave out alerts or incidents because of what the journal says, and not by a rule of the receiver.
    pub fn leaves_out(&self) -> bool {
        let by_rule = |why: &Ignored| matches!(why, Ignored::Dropped | Ignored::Drill);
        self.about_all || self.repeats > 0 || !self.ignored.keys().all(by_rule)
    }

    fn ignore(&mut self, why: Ignored) {
        *self.ignored.entry(why).or_default() += 1;
    }
}

impl State {
    /// What a delivery means at this moment.
    ///
    /// # Errors
    /// Too many incidents are open.
    pub fn decide(
        &self,
        receiver: &Receiver,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Decision, Overfull> {
        let mut decision = Decision::default();
        let mut by_key: Vec<(Key, Vec<&Alert>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for alert in &delivery.alerts {
            let key = match (left_out(receiver, alert), self.open_home_of(receiver, alert, now)) {
                (None, _) => self.key_of(receiver, delivery, alert, now),
                // The rule is newer than the incident, which ends with its alerts all the same.
                (Some(_), Some(key)) if !alert.firing => key,
                (Some(why), home) => {
                    decision.ignore(why);
                    decision.heard.extend(home.map(|key| key.digest));
                    continue;
                }
            };
            match places.get(&key.digest) {
                Some(place) => {
                    let (known, alerts) = &mut by_key[*place];
                    alerts.push(alert);
                    if known.labels.is_empty() {
                        known.labels = key.labels;
                    }
                }
                None => {
                    places.insert(key.digest.clone(), by_key.len());
                    by_key.push((key, vec![alert]));
                }
            }
        }
        let mut open = self.count_open();
        for (key, mut alerts) in by_key {
            // What fires opens the incident in which others are resolved.
            alerts.sort_by_key(|alert| !alert.firing);
            let group = self.groups.get(&key.digest).cloned().unwrap_or_default();
            let was_open = group.is_open;
            let mut turn = Turn { receiver, key, now, group, decision: &mut decision };
            turn.alerts(&alerts);
            turn.completeness(delivery.left_out);
            turn.measure(&alerts);
            turn.end();
            let opened = !was_open && turn.group.is_open;
            open += usize::from(opened);
            if opened && open > MOST_OPEN {
                return Err(Overfull);
            }
        }
        if let Some(note) = &delivery.note {
            self.note(receiver, note, now, &mut decision);
        }
        Ok(decision)
    }

    /// A note about an open alert, or about every open incident of the receiver.
    fn note(&self, receiver: &Receiver, note: &Note, now: Timestamp, decision: &mut Decision) {
        let mut found = false;
        decision.about_all = note.fingerprint.is_none();
        for (key, group) in &self.groups {
            if !group.is_open || group.receiver != receiver.name {
                continue;
            }
            let alert = note.fingerprint.as_ref().map(|fingerprint| group.alerts.get(fingerprint));
            let times = match alert {
                Some(Some(known)) if known.firing => known.times,
                Some(_) => continue,
                None => 0,
            };
            found = true;
            let mut evidence = events::links(&note.links);
            if let Some(Some(known)) = alert {
                evidence.insert(0, events::piece("alert", &known.name));
            }
            let action = events::action(&receiver.name, note.action, &note.summary, evidence);
            let fingerprint = note.fingerprint.clone().unwrap_or_default();
            let id = digest(&[&group.subject, note.action, &note.id, &fingerprint, &times.to_string()], 32);
            let message = Message::AgentAction(action);
            decision.drafts.push(Draft::new(receiver, &group.subject, id, message, group.is_drill, now));
            decision.incidents.push(group.subject.clone());
            decision.heard.push(key.clone());
        }
        if !found {
            decision.ignore(Ignored::UnknownResolved);
        }
    }
}

/// Why the receiver leaves an alert out.
fn left_out(receiver: &Receiver, alert: &Alert) -> Option<Ignored> {
    if receiver.drops(alert) {
        Some(Ignored::Dropped)
    } else {
        (receiver.drills == Drills::Drop && receiver.is_drill(alert)).then_some(Ignored::Drill)
    }
}

/// The part of a delivery that is about one key.
struct Turn<'a> {
    receiver: &'a Receiver,
    key: Key,
    now: Timestamp,
    group: Group,
    decision: &'a mut Decision,
}

/// What becomes of an alert.
enum Fate {
    /// It fires, since when.
    Fires(Timestamp),
    /// A firing of it ends, which began then.
    Ends(Timestamp),
    Repeat,
    Ignored(Ignored),
}

impl Turn<'_> {
    fn alerts(&mut self, alerts: &[&Alert]) {
        let fires: Vec<&Alert> =
            alerts.iter().copied().filter(|alert| matches!(self.fate(alert), Fate::Fires(_))).collect();
        for alert in alerts {
            match self.fate(alert) {
                Fate::Fires(since) => {
                    let is_first = !self.group.is_open;
                    let before = is_first.then(|| self.open(&fires)).flatten();
                    self.fire(alert, since, is_first, before);
                }
                Fate::Ends(since) => {
                    let name = self.group.alerts.get(&alert.fingerprint).map_or("alert", |known| &known.name);
                    let action = events::about(self.receiver, alert, name, since, false);
                    self.act_on(alert, since, action);
                }
                Fate::Repeat => self.decision.repeats += 1,
                Fate::Ignored(why) => self.decision.ignore(why),
            }
        }
    }

    fn fate(&self, alert: &Alert) -> Fate {
        let group = &self.group;
        let here = group.alerts.get(&alert.fingerprint);
        let known = here.or_else(|| group.past.get(&alert.fingerprint));
        let Some(known) = known else {
            return match (alert.firing, group.is_open && group.alerts.len() >= MOST_ALERTS) {
                (true, true) => Fate::Ignored(Ignored::TooMany),
                (true, false) => Fate::Fires(alert.starts_at),
                (false, _) => Fate::Ignored(Ignored::UnknownResolved),
            };
        };
        let is_here = here.is_some() && group.is_open;
        match (alert.firing, known.firing) {
            (true, true) if self.receiver.kind == Kind::PagerDuty && is_here => Fate::Repeat,
            (true, _) => self.fires_again(alert, known),
            (false, true) if !is_here => Fate::Ignored(Ignored::Ended),
            // An alert that fires again before its sender could tell that it was resolved stays as it is.
            (false, true) if self.compare(alert, known).is_ge() => Fate::Ends(known.starts_at),
            (false, true) if alert.ends_at.is_some_and(|end| end > known.starts_at) => {
                Fate::Ends(known.starts_at)
            }
            (false, _) => Fate::Repeat,
        }
    }

    fn fires_again(&self, alert: &Alert, known: &Known) -> Fate {
        if self.receiver.kind == Kind::PagerDuty {
            // A trigger after a resolve is a new firing, whenever its sender says that it began.
            return Fate::Fires(alert.starts_at.max(known.starts_at));
        }
        let is_late = || !known.firing && self.now.duration_since(known.changed) > LATE;
        let is_new = match self.compare(alert, known) {
            Ordering::Greater => true,
            Ordering::Equal => is_late(),
            Ordering::Less => false,
        };
        if is_new { Fate::Fires(alert.starts_at) } else { Fate::Repeat }
    }

    /// Which is newer: the firing that is told, or the one that is known.
    fn compare(&self, told: &Alert, known: &Known) -> Ordering {
        since::compare(told.starts_at, known, self.now)
    }

    /// Opens an incident. Returns the one before, if it ended a short time ago.
    fn open(&mut self, alerts: &[&Alert]) -> Option<String> {
        let before = self
            .group
            .ended_at
            .filter(|ended| self.now.duration_since(*ended) <= signed(self.receiver.reopen));
        let before = before.map(|_| self.group.subject.clone());
        let ordinal = self.group.ordinal + 1;
        let subject = subject_of(&self.receiver.name, &self.key.labels, &self.key.digest, ordinal);
        let impact = since::impact(alerts.iter().map(|alert| alert.starts_at), self.now);
        let message = events::started(self.receiver, alerts, impact);
        self.group.subject.clone_from(&subject);
        self.write("started", &[], message);
        if let Some(rule) = alerts.iter().find_map(|alert| self.receiver.cost_of(alert)) {
            let minutes = self.now.duration_since(impact).as_secs_f64().max(0.0) / 60.0;
            let total = (minutes * rule.per_minute * 100.0).round() / 100.0;
            let cost = Cost { currency: rule.currency.clone(), total, per_minute: rule.per_minute };
            self.write("cost", &[], sample(BTreeMap::new(), Some(cost)));
        }
        before
    }

    fn fire(&mut self, alert: &Alert, since: Timestamp, is_first: bool, before: Option<String>) {
        let name = alert.name().to_owned();
        let mut action = events::about(self.receiver, alert, &name, since, is_first);
        action.evidence.extend(before.map(|before| events::piece("incident", &before)));
        self.act_on(alert, since, action);
        let (severity, before) = (self.receiver.severity_of(alert), self.group.severity);
        if let Some(before) = before.filter(|before| (severity as u8) < *before as u8) {
            let action = events::worse(self.receiver, alert, before, severity);
            let (kind, events) = (action.action.clone(), self.group.events.to_string());
            self.write(&kind, &[&events], Message::AgentAction(action));
        }
    }

    fn act_on(&mut self, alert: &Alert, since: Timestamp, action: AgentAction) {
        let known = self.group.alerts.get(&alert.fingerprint);
        let times = known.map_or(0, |known| known.times).to_string();
        let kind = action.action.clone();
        let parts = [alert.fingerprint.as_str(), &since.to_string(), &times];
        self.write(&kind, &parts, Message::AgentAction(action));
    }

    /// Whether the sender leaves alerts out: then the incident can't be known to be over.
    fn completeness(&mut self, left_out: u64) {
        if !self.group.is_open || (left_out > 0) == self.group.is_partial {
            return;
        }
        let (kind, summary) = if left_out > 0 {
            let summary = format!(
                "The sender left {left_out} alerts of this group out (max_alerts): the incident can't be known to be over"
            );
            (Action::Partial, summary)
        } else {
            (Action::Whole, "The sender tells of all alerts of this group again".to_owned())
        };
        self.write_action(kind, &summary);
    }

    /// The sample of the alerts' values, if it is a new one.
    fn measure(&mut self, alerts: &[&Alert]) {
        let mut metrics = BTreeMap::new();
        for alert in alerts.iter().filter(|alert| alert.firing) {
            for (value, metric) in &self.receiver.metrics {
                if let Some(number) = alert.values.get(value) {
                    metrics.insert(metric.clone(), *number);
                }
            }
        }
        if metrics.is_empty() || !self.group.is_open || metrics == self.group.metrics {
            return;
        }
        let cost = self.group.cost_at(self.now);
        let events = self.group.events.to_string();
        self.write("metrics", &[&events], sample(metrics, cost));
    }

    fn end(&mut self) {
        if self.group.is_open && self.group.is_silent {
            self.write_action(Action::Back, "The sender of these alerts is heard again");
        }
        if !self.group.subject.is_empty() {
            self.decision.incidents.push(self.group.subject.clone());
        }
        self.decision.heard.push(self.key.digest.clone());
    }

    fn write_action(&mut self, kind: Action, summary: &str) {
        let action = events::action(&self.receiver.name, kind.as_str(), summary, Vec::new());
        let events = self.group.events.to_string();
        self.write(kind.as_str(), &[&events], Message::AgentAction(action));
    }

    fn write(&mut self, kind: &str, parts: &[&str], message: Message) {
        let subject = self.group.subject.clone();
        let id = digest(&[&[subject.as_str(), kind], parts].concat(), 32);
        let draft = Draft::new(self.receiver, &subject, id, message, self.key.is_drill, self.now);
        self.group.fold(&subject, self.now, &draft.message);
        self.decision.drafts.push(draft);
    }
}

fn sample(metrics: BTreeMap<String, f64>, cost: Option<Cost>) -> Message {
    Message::SystemMetrics(SystemMetrics {
        offset_s: None,
        synthetic: false,
        phase: None,
        metrics,
        users_affected: None,
        cost,
        origin: None,
        observed_at: None,
    })
}

/// A duration for sums of times.
pub(super) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
