//! What the journal says about the incidents of receivers: a pure fold of its events, the same before and after a restart.
//!
//! Everything that a decision needs is in the events: an incident's id has the digest of the receiver and its key, and each
//! action about an alert names the alert's fingerprint and since when it fires.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::alert::{Labels, SYNTHETIC, digest};
use super::events::{self, Action};
use super::homes::Homes;
use super::text::slug;
use crate::contract::{AgentAction, Cost, IncidentStarted, Message, Severity, offset_of};
use crate::plan::IncidentTotals;

/// Hexadecimal digits in the id of an incident.
const DIGITS: usize = 12;

/// How long after an alert was resolved the same firing of it counts as a late repeat: the second of two senders may be
/// behind the first. Later it counts as a new firing: a sender that lost sight of an alert keeps its beginning.
pub(super) const LATE: SignedDuration = SignedDuration::from_secs(60);

/// The most alerts of an incident, and of those before it.
pub(super) const MOST_ALERTS: usize = 10_000;

/// The most ended incidents of which the alerts are remembered, so that a late repeat is noticed.
const REMEMBERED: usize = 10_000;

/// The incidents of all receivers, by the digest in their ids.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) homes: Homes,
}

/// The newest incident of one key of a receiver.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) receiver: String,
    pub(super) subject: String,
    /// 1 for the first incident of the key, 2 for the next one …
    pub(super) ordinal: u32,
    pub(super) is_open: bool,
    /// Whether it is a drill.
    pub(super) is_drill: bool,
    /// When it ended.
    pub(super) ended_at: Option<Timestamp>,
    pub(super) impact: Option<Timestamp>,
    /// How severe it is: as at its beginning, or as an action has said since.
    pub(super) severity: Option<Severity>,
    /// The alerts of this incident, by fingerprint.
    pub(super) alerts: BTreeMap<String, Known>,
    /// The alerts of the incidents before it.
    pub(super) past: BTreeMap<String, Known>,
    /// Whether its sender leaves alerts out.
    pub(super) is_partial: bool,
    /// Since when none of its alerts fires.
    pub(super) quiet_since: Option<Timestamp>,
    /// Whether the silence of its sender was noted.
    pub(super) is_silent: bool,
    /// When its sender was last heard.
    pub(super) heard: Option<Timestamp>,
    /// The newest sample of its metrics.
    pub(super) metrics: BTreeMap<String, f64>,
    /// The newest cost, and when it was measured.
    pub(super) cost: Option<(Cost, Timestamp)>,
    /// When its newest event was.
    pub(super) newest: Option<At>,
    /// How many of its events there are.
    pub(super) events: u64,
    pub(super) totals: IncidentTotals,
}

/// When an event was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    /// The time of the event, from which the seconds of its incident are counted.
    pub(super) dated: Timestamp,
    /// When it happened by the clock as it is now, from which durations to come are counted.
    pub(super) happened: Timestamp,
}

/// An alert, as the journal has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) starts_at: Timestamp,
    pub(super) firing: bool,
    /// How often it has begun to fire.
    pub(super) times: u32,
    /// When it began to fire or was resolved, by the journal's clock.
    pub(super) changed: Timestamp,
}

impl State {
    /// Whether an incident may belong to a receiver: a cheap test before its events are read.
    pub fn concerns(subject: &str) -> bool {
        place_of(subject).is_some()
    }

    /// Applies an event of the journal, which shows `now`. Events of other incidents change nothing.
    pub fn fold(&mut self, subject: &str, time: Timestamp, now: Timestamp, message: &Message) {
        let Some((digest, ordinal)) = place_of(subject) else { return };
        // An incident that was open when the clock was set back goes on from its last time, which is in the future.
        let at = At { dated: time, happened: time.min(now) };
        if let Message::IncidentStarted(started) = message {
            let Some(receiver) = events::writer_of(message) else { return };
            let group = self.groups.entry(digest.to_owned()).or_default();
            group.start(receiver, subject, ordinal, at, started);
        } else if let Some(group) = self.groups.get_mut(digest)
            && group.subject == subject
            && let Some(fingerprint) = group.go_on(at, message)
        {
            self.homes.put(&group.receiver, fingerprint, group.is_drill, digest);
        }
        if matches!(message, Message::IncidentResolved(_)) {
            self.forget();
        }
        if self.homes.is_full() {
            let knows = |digest: &str, fingerprint: &str| {
                let group = self.groups.get(digest);
                group.is_some_and(|group| group.known(fingerprint).is_some())
            };
            self.homes.keep(knows);
        }
    }

    /// Forgets the incidents that ended first, if there are too many.
    fn forget(&mut self) {
        let ended = self.groups.values().filter(|group| !group.is_open).count();
        if ended <= REMEMBERED + REMEMBERED / 10 {
            return;
        }
        let mut times: Vec<_> = self.groups.values().filter_map(|group| group.ended_at).collect();
        times.sort_unstable();
        let oldest = times.get(times.len().saturating_sub(REMEMBERED)).copied();
        self.groups.retain(|_, group| group.is_open || group.ended_at >= oldest);
    }

    /// Leaves an id out, because the journal refuses it: it has an incident with this id of which nothing is kept, or one of
    /// another publisher.
    pub fn pass_over(&mut self, subject: &str) {
        let Some((digest, ordinal)) = place_of(subject) else { return };
        let group = self.groups.entry(digest.to_owned()).or_default();
        group.ordinal = group.ordinal.max(ordinal);
        if group.subject == subject || group.subject.is_empty() {
            group.is_open = false;
        }
    }

    /// Notes that the sender of these incidents was heard.
    pub fn hear(&mut self, digests: &[String], now: Timestamp) {
        for digest in digests {
            if let Some(group) = self.groups.get_mut(digest) {
                group.heard = Some(now);
            }
        }
    }

    /// Every sender counts as heard now: after a start, during which none could be.
    pub fn hear_all(&mut self, now: Timestamp) {
        for group in self.groups.values_mut() {
            group.heard = Some(now);
        }
    }

    /// The ids of the open incidents of a receiver.
    pub fn open(&self, receiver: &str) -> impl Iterator<Item = &str> {
        let open = self.groups.values().filter(move |group| group.is_open && group.receiver == receiver);
        open.map(|group| group.subject.as_str())
    }

    /// Moves every time that a duration is counted from: the machine's clock was set by so much, or went at another rate, and
    /// no incident settles sooner or later for that.
    pub fn shift(&mut self, by: SignedDuration) {
        let moved = |time: &mut Timestamp| {
            let limit = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
            *time = time.checked_add(by).unwrap_or(limit);
        };
        for group in self.groups.values_mut() {
            [&mut group.ended_at, &mut group.quiet_since, &mut group.heard]
                .into_iter()
                .flatten()
                .for_each(moved);
            group.newest.iter_mut().for_each(|newest| moved(&mut newest.happened));
            group.cost.iter_mut().for_each(|(_, measured)| moved(measured));
            let known = group.alerts.values_mut().chain(group.past.values_mut());
            known.for_each(|known| moved(&mut known.changed));
        }
    }

    /// How many incidents are open.
    pub(super) fn count_open(&self) -> usize {
        self.groups.values().filter(|group| group.is_open).count()
    }
}

impl Group {
    /// Applies an event of this incident.
    pub(super) fn fold(&mut self, subject: &str, now: Timestamp, message: &Message) {
        let at = At { dated: now, happened: now };
        if let (Message::IncidentStarted(started), Some((_, ordinal))) = (message, place_of(subject)) {
            let receiver = events::writer_of(message).unwrap_or_default();
            self.start(receiver, subject, ordinal, at, started);
        } else {
            self.go_on(at, message);
        }
    }

    fn start(&mut self, receiver: &str, subject: &str, ordinal: u32, at: At, started: &IncidentStarted) {
        let mut past = std::mem::take(&mut self.past);
        past.append(&mut self.alerts);
        if past.len() > MOST_ALERTS {
            let mut changes: Vec<Timestamp> = past.values().map(|known| known.changed).collect();
            changes.sort_unstable();
            let oldest = changes[changes.len() - MOST_ALERTS / 2];
            past.retain(|_, known| known.changed >= oldest);
        }
        *self = Self {
            receiver: receiver.to_owned(),
            subject: subject.to_owned(),
            ordinal,
            is_open: true,
            is_drill: started.synthetic,
            impact: Some(started.impact_started_at),
            severity: Some(started.severity),
            past,
            heard: Some(at.happened),
            ..Self::default()
        };
        self.count(at, &Message::IncidentStarted(started.clone()));
    }

    /// Gives the alert that began to fire or was resolved.
    fn go_on<'a>(&mut self, at: At, message: &'a Message) -> Option<&'a str> {
        let time = at.happened;
        self.count(at, message);
        match message {
            Message::AgentAction(action) if events::writer_of(message) == Some(&self.receiver) => {
                return self.act(time, action);
            }
            Message::SystemMetrics(sample) => {
                if !sample.metrics.is_empty() {
                    self.metrics.clone_from(&sample.metrics);
                }
                if let Some(cost) = &sample.cost {
                    self.cost = Some((cost.clone(), time));
                }
            }
            Message::IncidentResolved(_) => {
                self.is_open = false;
                self.ended_at = Some(time);
            }
            _ => {}
        }
        None
    }

    fn count(&mut self, at: At, message: &Message) {
        self.events += 1;
        self.newest = Some(at);
        let offset_s = offset_of(message, at.dated, self.impact).unwrap_or_default();
        self.totals.add(message, offset_s);
    }

    fn act<'a>(&mut self, time: Timestamp, action: &'a AgentAction) -> Option<&'a str> {
        let mut about = None;
        let kind = Action::named(&action.action);
        self.is_silent = kind == Some(Action::Silent);
        match kind {
            Some(Action::Firing | Action::Resolved) => {
                let (fingerprint, starts_at) = events::instance_of(action)?;
                let firing = kind == Some(Action::Firing);
                let times = self.alerts.get(fingerprint).map_or(0, |known| known.times) + u32::from(firing);
                let name = events::alert_of(action).to_owned();
                let known = Known { name, starts_at, firing, times, changed: time };
                self.alerts.insert(fingerprint.to_owned(), known);
                about = Some(fingerprint);
            }
            Some(Action::Partial) => self.is_partial = true,
            Some(Action::Whole) => self.is_partial = false,
            Some(Action::Worse) => {
                self.severity = events::severity_in(action).or(self.severity);
                return None;
            }
            _ => return None,
        }
        let fires = self.is_partial || self.alerts.values().any(|known| known.firing);
        self.quiet_since = (!fires).then_some(time);
        about
    }

    /// The cost up to a moment, in whole cents, but never less than what is known already: others may know it more exactly.
    pub(super) fn cost_at(&self, now: Timestamp) -> Option<Cost> {
        let (cost, measured) = self.cost.as_ref()?;
        let minutes = now.duration_since(*measured).as_secs_f64().max(0.0) / 60.0;
        let total = ((cost.total + minutes * cost.per_minute) * 100.0).round() / 100.0;
        Some(Cost {
            total: if total.is_finite() { total.max(cost.total) } else { cost.total },
            ..cost.clone()
        })
    }

    /// What is known of an alert: of this incident, or of those before it.
    pub(super) fn known(&self, fingerprint: &str) -> Option<&Known> {
        self.alerts.get(fingerprint).or_else(|| self.past.get(fingerprint))
    }

    /// Whether one of its alerts fires.
    pub(super) fn fires(&self) -> bool {
        self.alerts.values().any(|known| known.firing)
    }
}

/// The digest in the ids of the incidents of a key. A drill and a real incident with the same key are two.
pub(super) fn digest_of(receiver: &str, key: &str, is_drill: bool) -> String {
    if is_drill { digest(&[receiver, key, SYNTHETIC], DIGITS) } else { digest(&[receiver, key], DIGITS) }
}

/// The id of an incident: the receiver, what its labels say, the digest, and from the second on its number.
pub(super) fn subject_of(receiver: &str, labels: &Labels, digest: &str, ordinal: u32) -> String {
    // What is most specific for a reader comes first; an id has at most 64 characters.
    let mut names: Vec<&String> = labels.keys().collect();
    names.sort_by_key(|name| (name.as_str() != "alertname", name.as_str()));
    let words: Vec<&str> = names.into_iter().map(|name| labels[name].as_str()).collect();
    let words = slug(&words.join(" "), 64 - receiver.len() - DIGITS - 12);
    let words = if words.is_empty() { words } else { format!("{words}-") };
    let number = if ordinal > 1 { format!("-{ordinal}") } else { String::new() };
    format!("{receiver}-{words}{digest}{number}")
}

/// The digest and the number in the id of an incident, if it has them.
fn place_of(subject: &str) -> Option<(&str, u32)> {
    let is_digest = |text: &str| {
        text.len() == DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let (before, last) = subject.rsplit_once('-')?;
    if is_digest(last) {
        return Some((last, 1));
    }
    let ordinal = last.parse().ok().filter(|ordinal| *ordinal > 1)?;
    let (_, digest) = before.rsplit_once('-')?;
    is_digest(digest).then_some((digest, ordinal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_made() {
        let labels: Labels = [("service", "Check out"), ("alertname", "HighLatency")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let digest = digest_of("prod", "a group", false);
        let first = subject_of("prod", &labels, &digest, 1);
        assert_eq!(first, format!("prod-highlatency-check-out-{digest}"));
        assert_eq!(place_of(&first), Some((digest.as_str(), 1)));
        let second = subject_of("prod", &labels, &digest, 2);
        assert_eq!(place_of(&second), Some((digest.as_str(), 2)));
        let long: Labels = [("a".to_owned(), "x".repeat(300))].into();
        assert!(subject_of(&"r".repeat(20), &long, &digest, 99_999_999).len() <= 64);
        for other in ["database-outage-x7k2p", "prod", "prod-1", "a-0123456789ab-1", "a-0123456789AB"] {
            assert_eq!(place_of(other), None, "{other}");
        }
    }
}
