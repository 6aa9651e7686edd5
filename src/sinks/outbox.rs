//! What has to be told to an Alertmanager, and when: each alert when it begins, again while it fires, and that it is resolved.
//! Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::world::{Alert, Alerts};

/// How often an alert that fires is told again.
pub const AGAIN: Duration = Duration::from_secs(30);

/// How long an Alertmanager believes that an alert fires without hearing more.
pub const ALIVE: Duration = Duration::from_secs(90);

/// The most alerts of all drills together.
const MOST: usize = 10_000;

/// What is to be told about one firing of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    key: Key,
    /// The alert, with the time at which the Alertmanager is to take it for resolved: in the past if it is.
    pub alert: Alert,
    /// Whether it fires.
    pub firing: bool,
}

/// The incident, and the number of the firing in it.
type Key = (String, usize);

#[derive(Debug, Clone)]
struct Item {
    alert: Alert,
    /// When it was last told that it fires.
    told: Option<Timestamp>,
    /// When it was last told that it is resolved.
    told_end: Option<Timestamp>,
}

/// The alerts of drills, and what was told of them.
#[derive(Debug, Clone, Default)]
pub struct Outbox(BTreeMap<Key, Item>);

impl Outbox {
    /// Adds the alerts of an incident. One that it has goes on: if its end was told although the incident goes on, it fires
    /// again. Returns how many were left out, because there are too many.
    pub fn add(&mut self, incident: &str, alerts: &Alerts) -> usize {
        let mut left_out = 0;
        for (number, alert) in alerts.alerts.iter().enumerate() {
            let key = (incident.to_owned(), number);
            if let Some(item) = self.0.get_mut(&key) {
                if item.alert.ends_at < alert.ends_at {
                    item.alert.ends_at = alert.ends_at;
                    if item.told_end.take().is_some() {
                        item.told = None;
                    }
                }
                continue;
            }
            if self.0.len() >= MOST {
                left_out += 1;
                continue;
            }
            self.0.insert(key, Item { alert: alert.clone(), told: None, told_end: None });
        }
        left_out
    }

    /// The incident has ended: so have its alerts, and what had not begun never does.
    pub fn end(&mut self, incident: &str, at: Timestamp) {
        let of = |key: &Key| key.0 == incident;
        self.0.retain(|key, item| !of(key) || item.alert.starts_at < at || item.told.is_some());
        for (_, item) in self.0.iter_mut().filter(|(key, _)| of(key)) {
            // It can't end before it began: an Alertmanager refuses that.
            item.alert.ends_at = item.alert.ends_at.min(at).max(item.alert.starts_at);
        }
    }

    /// Every incident has ended, as far as this Alertmanager is concerned.
    pub fn end_all(&mut self, at: Timestamp) {
        let incidents: Vec<String> = self.0.keys().map(|(incident, _)| incident.clone()).collect();
        for incident in incidents {
            self.end(&incident, at);
        }
    }

    /// Forgets what ended so long ago that an Alertmanager knows it by itself. Returns how many of those were never told.
    pub fn forget(&mut self, now: Timestamp) -> usize {
        let mut untold = 0;
        self.0.retain(|_, item| {
            let kept = now < later(item.alert.ends_at, ALIVE);
            untold += usize::from(!kept && item.told.is_none() && item.told_end.is_none());
            kept
        });
        untold
    }

    /// What is to be told now, the oldest first: at most so many.
    pub fn due(&self, now: Timestamp, most: usize) -> Vec<Due> {
        let mut due: Vec<(Timestamp, &Key, &Item)> = self
            .0
            .iter()
            .map(|(key, item)| (item.due(), key, item))
            .filter(|(due, ..)| *due <= now)
            .collect();
        due.sort_by_key(|(due, ..)| *due);
        let told = due.into_iter().take(most).map(|(_, key, item)| {
            let firing = now < item.alert.ends_at;
            let ends_at = if firing { later(now, ALIVE) } else { item.alert.ends_at };
            Due { key: key.clone(), alert: Alert { ends_at, ..item.alert.clone() }, firing }
        });
        told.collect()
    }

    /// This was told at that moment.
    pub fn told(&mut self, due: &[Due], now: Timestamp) {
        for Due { key, firing, .. } in due {
            let Some(item) = self.0.get_mut(key) else { continue };
            *(if *firing { &mut item.told } else { &mut item.told_end }) = Some(now);
        }
    }

    /// When there is something to do next.
    pub fn next(&self) -> Option<Timestamp> {
        let due = self.0.values().map(Item::due);
        let forgotten = self.0.values().map(|item| later(item.alert.ends_at, ALIVE));
        due.chain(forgotten).min()
    }

    /// How many alerts fire.
    pub fn firing(&self, now: Timestamp) -> usize {
        self.0.values().filter(|item| item.alert.fires_at(now)).count()
    }

    /// Whether it was told of every alert that is over.
    pub fn has_told_all(&self) -> bool {
        self.0.values().all(|item| item.told_end.is_some())
    }

    /// Whether it has no alert.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Item {
    /// When it is to be told next. The end is told several times: an Alertmanager whose clock is behind takes the first time
    /// for one that is still to come.
    fn due(&self) -> Timestamp {
        match (self.told, self.told_end) {
            (_, Some(end)) => later(end, AGAIN),
            (Some(told), None) => later(told, AGAIN).min(self.alert.ends_at).max(told),
            (None, None) => self.alert.starts_at,
        }
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
