//! The rule `tally`, for one incident: the totals in `incident_resolved` agree with the incident's events.

use super::finding::Finding;
use super::frame::Frame;
use super::rules::{Found, RuleId};
use crate::contract::{Actions, IncidentResolved, Mark, Message};

/// Planned seconds are whole milliseconds.
const MILLISECOND: f64 = 0.0011;

/// How many seconds the clocks of a publisher and of the server may differ.
const SECOND: f64 = 1.001;

/// When something happened.
#[derive(Debug, Default, Clone, Copy)]
enum Reached {
    #[default]
    Never,
    At(f64),
    /// Nobody knows when.
    Sometime,
}

impl From<Option<f64>> for Reached {
    fn from(second: Option<f64>) -> Self {
        second.map_or(Self::Sometime, Self::At)
    }
}

/// The totals of an incident's events.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// How many actions finished, and how many of them failed. Each attempt counts.
    pub(super) actions: Actions,
    /// The second of the first action.
    pub(super) first_action: Option<f64>,
    marks: [Reached; 3],
    /// The highest number of affected users in a sample.
    users: Option<u64>,
    /// Whether a sample has a cost.
    has_cost: bool,
}

impl Totals {
    /// Takes an event that happened at second `offset_s`, if that is known.
    pub(super) fn see(&mut self, message: &Message, offset_s: Option<f64>) {
        match message {
            Message::AgentAction(action) => {
                self.first_action = self.first_action.or(offset_s);
                for mark in &action.marks {
                    let reached = &mut self.marks[*mark as usize];
                    if matches!(reached, Reached::Never) {
                        *reached = offset_s.into();
                    }
                }
                self.actions.count(action.status);
            }
            Message::SystemMetrics(sample) => {
                self.users = self.users.max(sample.users_affected);
                self.has_cost |= sample.cost.is_some();
            }
            Message::IncidentStarted(_)
            | Message::IncidentResolved(_)
            | Message::StreamOpened(_)
            | Message::Heartbeat(_) => {}
        }
    }

    /// Whether a milestone was reached, whenever.
    pub(super) fn was_reached(&self, mark: Mark) -> bool {
        !matches!(self.marks[mark as usize], Reached::Never)
    }

    /// The second at which a milestone was reached.
    pub(super) fn reached(&self, mark: Mark) -> Option<f64> {
        match self.marks[mark as usize] {
            Reached::At(second) => Some(second),
            Reached::Never | Reached::Sometime => None,
        }
    }

    /// Compares the resolution with the events. If not `exact`, the seconds come from two clocks.
    pub(super) fn compare(
        &self,
        resolved: &IncidentResolved,
        offset_s: Option<f64>,
        exact: bool,
        frame: &Frame,
        found: &mut Found,
    ) {
        found.judged(RuleId::Tally);
        let (claimed, counted) = (resolved.actions, self.actions);
        let mut fault = |text: String, pointer: String| {
            found.add(RuleId::Tally, Finding::new(text).at(frame).field(format!("/data/{pointer}")));
        };
        if claimed != counted {
            let text = format!(
                "the resolution has {} actions, {} of them failed; the events have {} and {}",
                claimed.total, claimed.failed, counted.total, counted.failed
            );
            fault(text, "actions".to_owned());
        }
        // Between two samples there may have been more users than in any of them, but not fewer.
        if let (Some(claimed), Some(most)) = (resolved.users_peak, self.users)
            && claimed < most
        {
            let text = format!("users_peak is {claimed}, but a sample has {most} affected users");
            fault(text, "users_peak".to_owned());
        }
        // A drill knows both to its end.
        if let (true, None, Some(most)) = (exact, resolved.users_peak, self.users) {
            let text = format!("users_peak is missing, but a sample has {most} affected users");
            fault(text, "users_peak".to_owned());
        }
        if exact && resolved.cost.is_none() && self.has_cost {
            fault("the cost is missing, but samples have one".to_owned(), "cost".to_owned());
        }
        let durations = &resolved.durations;
        let mut agree = true;
        let mark = |mark: Mark| self.marks[mark as usize];
        for (name, claimed, seen) in [
            ("detect_s", durations.detect_s, mark(Mark::Detected)),
            ("diagnose_s", durations.diagnose_s, mark(Mark::Diagnosed)),
            ("mitigate_s", durations.mitigate_s, mark(Mark::Mitigated)),
            ("resolve_s", Some(durations.resolve_s), offset_s.into()),
        ] {
            let seen = match seen {
                Reached::Sometime => continue,
                Reached::At(second) if name != "resolve_s" => Some(second.max(0.0)),
                Reached::At(second) => Some(second),
                Reached::Never => None,
            };
            let agrees = match (claimed, seen) {
                (Some(claimed), Some(seen)) if exact => (claimed - seen).abs() < MILLISECOND,
                // A real milestone is reached before its event is published, and perhaps without one.
                (Some(claimed), Some(seen)) => claimed < seen + SECOND,
                (Some(_), None) => !exact,
                (None, seen) => seen.is_none(),
            };
            agree &= agrees;
            if !agrees {
                let (claimed, seen) = (shown(claimed), shown(seen));
                let text = format!("{name} is {claimed}, but according to the events it is {seen}");
                fault(text, format!("durations/{name}"));
            }
        }
        let ((last, last_s), end_s) = (durations.last_mark(), durations.resolve_s);
        if agree && end_s + if exact { MILLISECOND } else { SECOND } < last_s {
            let text = format!("resolve_s is {end_s} s, but {last} is {last_s} s");
            fault(text, "durations/resolve_s".to_owned());
        }
    }
}

fn shown(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "missing".to_owned(), |seconds| format!("{seconds} s"))
}
