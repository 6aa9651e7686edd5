//! How far an earlier process had come with an incident, as far as the incident's events say it.
//!
//! The times of two events don't: the machine's clock may have been set between them. A process that catches up appends only
//! so many events at once, and may be killed before it is through: then the event after the newest one was overdue.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::course::Added;
use super::speed::Speed;
use crate::contract::{MAX_EVENT_BYTES, Message, MessageType};
use crate::journal::{Journal, JournalError, ReadLimit, Stored};
use crate::plan::Plan;

/// How much one read returns.
const READ: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

/// The most events that are appended together, if many are overdue. Journals store only so many at once.
pub(super) const MOST: usize = 500;

/// The most bytes of their payloads.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

/// Events that are appended at once come one so soon after the other.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What the events of an incident say of an earlier process that has played it.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    pub(super) added: Added,
    pub(super) pace: Pace,
}

/// What the events of one incident say of its pace.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// How long after second 0 the first event came, which a replay may begin late. Both times are of one moment.
    begun: Option<Duration>,
    /// The newest action that says that it is late: its index, and how late.
    late: Option<(u64, Duration)>,
    /// The newest events that came at once.
    burst: Option<Burst>,
}

/// Planned events that came one soon after the other.
#[derive(Debug, Clone)]
struct Burst {
    /// Index of the first one.
    first: u64,
    since: Timestamp,
    until: Timestamp,
    events: usize,
    bytes: usize,
}

/// How far a process had come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reached {
    /// The time since second 0 that its own clock had shown at least, when it appended the newest events.
    pub(super) at: Duration,
    /// Whether it may have had more to append.
    pub(super) is_behind: bool,
}

impl Past {
    /// What was added to an incident that is in the journal and starts at this position.
    pub(super) async fn added(journal: &Journal, id: &str, start: u64) -> Result<Added, JournalError> {
        let mut all = Self::read_all(journal, &[(id, start, 0)]).await?;
        Ok(all.remove(id).unwrap_or_default().added)
    }

    /// The past of several incidents, read in one pass: each with its start and the index up to which its events are those of the
    /// earlier process.
    pub(super) async fn read_all(
        journal: &Journal,
        incidents: &[(&str, u64, u64)],
    ) -> Result<HashMap<String, Self>, JournalError> {
        let mut all = HashMap::new();
        let Some(first) = incidents.iter().map(|(_, start, _)| *start).min() else { return Ok(all) };
        let known: HashMap<&str, u64> = incidents.iter().map(|(id, _, until)| (*id, *until)).collect();
        let mut position = first.saturating_sub(1);
        loop {
            let events = journal.read(position, READ).await?;
            let Some(last) = events.last() else { return Ok(all) };
            position = last.position;
            for event in events {
                let Some(until) = known.get(&*event.subject) else { continue };
                let past = match all.get_mut(&*event.subject) {
                    Some(past) => past,
                    None => all.entry(event.subject.to_string()).or_insert_with(Self::default),
                };
                // Most events are planned ones, which need not be parsed.
                if event.data.get().contains("\"origin\"")
                    && let Ok(message) = event.message()
                    && let Message::AgentAction(action) = &message
                    && action.origin.is_some()
                {
                    past.added.indexes.push(event.index);
                    past.added.actions.count(action.status);
                    past.added.remembered.see(&message);
                } else if event.index <= *until {
                    past.pace.see(&event);
                }
            }
        }
    }
}

impl Pace {
    /// The next event of the incident, which is one of its plan.
    pub(super) fn see(&mut self, event: &Stored) {
        let bytes = event.data.get().len();
        match &mut self.burst {
            Some(burst) if event.time.duration_since(burst.until).unsigned_abs() <= AT_ONCE => {
                burst.until = event.time;
                burst.events += 1;
                burst.bytes += bytes;
            }
            burst => {
                let (first, since, until) = (event.index, event.time, event.time);
                *burst = Some(Burst { first, since, until, events: 1, bytes });
            }
        }
        let may_say = match event.kind {
            MessageType::IncidentStarted => true,
            MessageType::AgentAction => event.data.get().contains("\"late_s\""),
            _ => false,
        };
        if !may_say {
            return;
        }
        match event.message() {
            Ok(Message::IncidentStarted(started)) => {
                self.begun = event.time.duration_since(started.impact_started_at).try_into().ok();
            }
            Ok(Message::AgentAction(action)) => {
                let late = action.late_s.and_then(|late| Duration::try_from_secs_f64(late).ok());
                self.late = late.map(|late| (event.index, late)).or(self.late);
            }
            _ => {}
        }
    }

    /// How long after second 0 the first event came, if that is known.
    pub(super) fn begun(&self) -> Option<Duration> {
        self.begun
    }

    /// How far the process had come that has appended so many events of the plan.
    pub(super) fn reached(&self, played: u64, plan: &Plan, speed: Speed, added: &Added) -> Reached {
        let due = |number| speed.wall(plan.due(number));
        let at = due(played).max(self.begun.unwrap_or_default());
        // What was recorded late is played as late as it was.
        let is_recorded = |number: u64| {
            let planned =
                usize::try_from(number).ok().and_then(|number| plan.events().get(number.checked_sub(1)?));
            planned.is_none_or(|event| event.data().get().contains("\"late_s\""))
        };
        let late = self.late.map(|(index, late)| (index, added.number_of(index), late));
        let Some((index, number, late)) =
            late.filter(|(_, number, _)| *number <= played && !is_recorded(*number))
        else {
            return Reached { at, is_behind: self.is_behind(played, due, added) };
        };
        // It says how far the process had come when it appended the newest events, if it is one of them.
        let is_among_newest = self.burst.as_ref().is_none_or(|burst| burst.first <= index);
        let is_behind = !is_among_newest && self.is_behind(played, due, added);
        Reached { at: at.max(due(number).saturating_add(late)), is_behind }
    }

    /// Whether the newest events are as many as a process appends at once, and were due over a longer time than they took.
    fn is_behind(&self, played: u64, due: impl Fn(u64) -> Duration, added: &Added) -> bool {
        let Some(burst) = &self.burst else { return false };
        let is_full = burst.events >= MOST || burst.bytes + MAX_EVENT_BYTES > MOST_BYTES;
        let took = burst.until.duration_since(burst.since).unsigned_abs();
        let were_due = due(played).saturating_sub(due(added.number_of(burst.first)));
        is_full && were_due > took * 2 + AT_ONCE
    }
}
