//! What happens without a delivery: incidents settle, and senders fall silent.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::alert::digest;
use super::decide::signed;
use super::described::Receiver;
use super::events::{self, Action, Draft};
use super::state::{Group, State};
use crate::contract::{Message, Outcome};
use crate::plan::PhaseRates;

impl State {
    /// When something happens next without a delivery.
    pub fn due(&self, receivers: &[Receiver]) -> Option<Timestamp> {
        let due = self.watched(receivers).flat_map(|(receiver, group)| {
            [group.settles(receiver), group.falls_silent(receiver)].into_iter().flatten()
        });
        due.min()
    }

    /// The events of everything that is due at this moment, each with its receiver.
    pub fn expire<'a>(&self, receivers: &'a [Receiver], now: Timestamp) -> Vec<(&'a Receiver, Draft)> {
        let mut drafts = Vec::new();
        for (receiver, group) in self.watched(receivers) {
            let is_due = |due: Option<Timestamp>| due.is_some_and(|due| due <= now);
            if is_due(group.settles(receiver)) {
                drafts.push((receiver, group.resolved(receiver, now)));
            } else if is_due(group.falls_silent(receiver)) {
                drafts.push((receiver, group.silent(receiver, now)));
            }
        }
        drafts
    }

    /// The open incidents whose receiver is configured.
    fn watched<'s, 'a: 's>(
        &'s self,
        receivers: &'a [Receiver],
    ) -> impl Iterator<Item = (&'a Receiver, &'s Group)> + 's {
        let open = self.groups.values().filter(|group| group.is_open);
        open.filter_map(|group| {
            let receiver = receivers.iter().find(|receiver| receiver.name == group.receiver)?;
            Some((receiver, group))
        })
    }
}

impl Group {
    /// When the incident is over, if none of its alerts fires until then.
    fn settles(&self, receiver: &Receiver) -> Option<Timestamp> {
        let since = self.quiet_since?;
        Some(later(since, receiver.settle))
    }

    /// When the silence of the sender is noted, if it goes on.
    fn falls_silent(&self, receiver: &Receiver) -> Option<Timestamp> {
        let stale = receiver.stale.filter(|_| !self.is_silent && self.fires())?;
        Some(later(self.heard?, stale))
    }

    fn resolved(&self, receiver: &Receiver, now: Timestamp) -> Draft {
        let impact = self.impact.unwrap_or(now);
        let micros = |end: Timestamp| end.duration_since(impact).as_micros().max(0) as u64;
        // If the clock was set back, the resolution is dated as long after the newest event as it comes after it.
        let dated =
            self.newest.and_then(|newest| newest.dated.checked_add(now.duration_since(newest.happened)).ok());
        let dated = dated.map_or(now, |dated| dated.max(now));
        let ends = micros(dated);
        let mut resolved = self.totals.clone().cancelled(&PhaseRates::default(), ends);
        resolved.outcome = Outcome::Resolved;
        // A drill that is told by alerts has no plan either.
        resolved.offset_s = None;
        let alerts = self.alerts.len();
        resolved.summary = match alerts {
            1 => "Its alert is resolved".to_owned(),
            _ => format!("All {alerts} alerts are resolved"),
        };
        let quiet = self.quiet_since.map(|since| {
            let before = now.duration_since(since).as_micros().max(0) as u64;
            ends.saturating_sub(before) as f64 / 1e6
        });
        resolved.durations.mitigate_s = resolved.durations.mitigate_s.or(quiet);
        let id = digest(&[&self.subject, "resolved"], 32);
        Draft::new(receiver, &self.subject, id, Message::IncidentResolved(resolved), self.is_drill, now)
    }

    fn silent(&self, receiver: &Receiver, now: Timestamp) -> Draft {
        let silence = now.duration_since(self.heard.unwrap_or(now)).as_secs().max(0);
        let summary = format!(
            "The sender of these alerts was not heard for {silence} s: the incident stays open until it says more"
        );
        let action = events::action(&receiver.name, Action::Silent.as_str(), &summary, Vec::new());
        let id = digest(&[&self.subject, Action::Silent.as_str(), &self.events.to_string()], 32);
        Draft::new(receiver, &self.subject, id, Message::AgentAction(action), self.is_drill, now)
    }
}

/// A time a while after another; the last that there is, if that is too late.
fn later(time: Timestamp, by: Duration) -> Timestamp {
    let by: SignedDuration = signed(by);
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
