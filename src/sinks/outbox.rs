//! What has to be told to an Alertmanager, and when: each alert when it begins, again while it fires, and that it is resolved.
//! When it is due follows the steady clock, as the drill does; the times that are told are those of the wall clock as it is then.
//! Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::shown::Shown;
use crate::world::{Alert, Alerts};

/// How often an alert that fires is told again.
pub const AGAIN: Duration = Duration::from_secs(30);

/// How long an Alertmanager believes that an alert fires without hearing more.
pub const ALIVE: Duration = Duration::from_secs(90);

/// The most alerts of all drills together.
const MOST: usize = 10_000;

/// After a larger step of the wall clock everything is told again: an Alertmanager may have the same clock.
const NOTICED: SignedDuration = SignedDuration::from_secs(10);

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
    /// The alert, with the times that were said of it: by the plan, by the end of its incident, or by this program before.
    alert: Alert,
    /// When it begins and ends by the steady clock.
    from: SignedDuration,
    to: SignedDuration,
    /// When it was last told that it fires.
    told: Option<Told>,
    /// When it was last told that it is resolved.
    told_end: Option<Told>,
}

/// A moment of the steady clock, and how far the wall clock was ahead of it then.
#[derive(Debug, Clone, Copy)]
struct Told {
    at: SignedDuration,
    ahead: SignedDuration,
}

/// The alerts of drills, and what was told of them.
#[derive(Debug, Clone, Default)]
pub struct Outbox(BTreeMap<Key, Item>);

impl Outbox {
    /// Adds the alerts of an incident, whose times are those of a wall clock that shows `by` at its moment. One that it has goes
    /// on: if its end was told although the incident goes on, it fires again. Returns how many were left out, because there are
    /// too many.
    pub fn add(&mut self, incident: &str, alerts: &Alerts, by: Shown) -> usize {
        let mut left_out = 0;
        for (number, alert) in alerts.alerts.iter().enumerate() {
            let key = (incident.to_owned(), number);
            let (from, to) = (by.moment(alert.starts_at), by.moment(alert.ends_at));
            if let Some(item) = self.0.get_mut(&key) {
                if item.to < to {
                    (item.to, item.alert.ends_at) = (to, alert.ends_at);
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
            self.0.insert(key, Item { alert: alert.clone(), from, to, told: None, told_end: None });
        }
        left_out
    }

    /// An incident is further than was thought: all its alerts are that much earlier.
    pub fn advance(&mut self, incident: &str, by: SignedDuration) {
        for (_, item) in self.0.iter_mut().filter(|(key, _)| key.0 == incident) {
            (item.from, item.to) = (item.from.saturating_sub(by), item.to.saturating_sub(by));
        }
    }

    /// The incident has ended at this moment, which was dated `said`: so have its alerts, and what had not begun never does.
    pub fn end(&mut self, incident: &str, at: SignedDuration, said: Timestamp) {
        let of = |key: &Key| key.0 == incident;
        self.0.retain(|key, item| !of(key) || item.from < at || item.told.is_some());
        for (_, item) in self.0.iter_mut().filter(|(key, item)| of(key) && at < item.to) {
            (item.to, item.alert.ends_at) = (at.max(item.from), said);
        }
    }

    /// Every incident has ended, as far as this Alertmanager is concerned.
    pub fn end_all(&mut self, now: Shown) {
        let incidents: Vec<String> = self.0.keys().map(|(incident, _)| incident.clone()).collect();
        for incident in incidents {
            self.end(&incident, now.steady, now.wall);
        }
    }

    /// Forgets what ended so long ago that an Alertmanager knows it by itself. Returns how many of those were never told.
    pub fn forget(&mut self, now: Shown) -> usize {
        let mut untold = 0;
        self.0.retain(|_, item| {
            let kept = now.steady < later(item.to, ALIVE);
            untold += usize::from(!kept && item.told.is_none() && item.told_end.is_none());
            kept
        });
        untold
    }

    /// What is to be told now, the oldest first: at most so many.
    pub fn due(&self, now: Shown, most: usize) -> Vec<Due> {
        let mut due: Vec<(SignedDuration, &Key, &Item)> = self
            .0
            .iter()
            .map(|(key, item)| (item.due(now), key, item))
            .filter(|(due, ..)| *due <= now.steady)
            .collect();
        due.sort_by_key(|(due, ..)| *due);
        let told = due.into_iter().take(most).map(|(_, key, item)| {
            let (starts_at, ends_at) = item.times(now);
            let alert = Alert { starts_at, ends_at, ..item.alert.clone() };
            Due { key: key.clone(), alert, firing: item.fires(now) }
        });
        told.collect()
    }

    /// This was told at that moment.
    pub fn told(&mut self, due: &[Due], now: Shown) {
        for Due { key, alert, firing } in due {
            let Some(item) = self.0.get_mut(key) else { continue };
            let told = Some(Told { at: now.steady, ahead: now.ahead() });
            *(if *firing { &mut item.told } else { &mut item.told_end }) = told;
            item.alert.starts_at = alert.starts_at;
        }
    }

    /// When there is something to do next, by the steady clock.
    pub fn next(&self, now: Shown) -> Option<SignedDuration> {
        let due = self.0.values().map(|item| item.due(now));
        let forgotten = self.0.values().map(|item| later(item.to, ALIVE));
        due.chain(forgotten).min()
    }

    /// How many alerts fire.
    pub fn firing(&self, now: Shown) -> usize {
        self.0.values().filter(|item| item.from <= now.steady && item.fires(now)).count()
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
    /// Whether it is not over yet.
    fn fires(&self, now: Shown) -> bool {
        now.steady < self.to
    }

    /// When it is to be told next. The end is told several times: an Alertmanager whose clock is behind takes the first time
    /// for one that is still to come.
    fn due(&self, now: Shown) -> SignedDuration {
        let again = |told: Told| {
            let was_set = now.ahead().saturating_sub(told.ahead).abs() > NOTICED;
            if was_set { told.at } else { later(told.at, AGAIN) }
        };
        match (self.told, self.told_end) {
            (_, Some(end)) => again(end),
            (Some(told), None) => again(told).min(self.to).max(told.at),
            (None, None) => self.from,
        }
    }

    /// When it began, and when the Alertmanager is to take it for resolved. It keeps the beginning that was told, unless the wall
    /// clock was set back behind that: an Alertmanager refuses an alert that ends before it begins.
    fn times(&self, now: Shown) -> (Timestamp, Timestamp) {
        let is_known = self.told.is_some() || self.told_end.is_some();
        let said = self.alert.starts_at;
        let starts_at = if is_known { said } else { now.unless_set(said, self.from) };
        let starts_at = if starts_at > now.wall { now.time(self.from).min(now.wall) } else { starts_at };
        let ends_at = if self.fires(now) {
            now.wall.checked_add(ALIVE).unwrap_or(Timestamp::MAX)
        } else {
            now.unless_set(self.alert.ends_at, self.to).min(now.wall)
        };
        (starts_at.min(ends_at), ends_at)
    }
}

fn later(moment: SignedDuration, by: Duration) -> SignedDuration {
    moment.saturating_add(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX))
}
