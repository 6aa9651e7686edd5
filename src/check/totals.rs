//! The totals of an incident's received events, for all rules that compare the resolution with them.

use super::incident::SeenEvent;
use crate::contract::{Actions, Mark, Message};

/// The totals of an incident's received events.
#[derive(Default)]
pub(super) struct SeenTotals<'a> {
    /// How many actions finished, and how many of them failed. Each attempt counts.
    pub actions: Actions,
    /// The first action.
    pub first_action: Option<SeenEvent<'a>>,
    detected: Option<SeenEvent<'a>>,
    diagnosed: Option<SeenEvent<'a>>,
    mitigated: Option<SeenEvent<'a>>,
    /// The highest number of affected users in a sample.
    pub users: Option<u64>,
}

impl<'a> SeenTotals<'a> {
    pub(super) fn of(events: &[SeenEvent<'a>]) -> Self {
        let mut totals = Self::default();
        for event in events {
            if let Message::AgentAction(action) = event.message {
                totals.first_action.get_or_insert(*event);
                for mark in &action.marks {
                    let slot = match mark {
                        Mark::Detected => &mut totals.detected,
                        Mark::Diagnosed => &mut totals.diagnosed,
                        Mark::Mitigated => &mut totals.mitigated,
                    };
                    slot.get_or_insert(*event);
                }
                totals.actions.count(action.status);
            }
            if let Message::SystemMetrics(sample) = event.message {
                totals.users = totals.users.max(sample.users_affected);
            }
        }
        totals
    }

    /// The first event that reached a milestone.
    pub(super) fn reached(&self, mark: Mark) -> Option<SeenEvent<'a>> {
        match mark {
            Mark::Detected => self.detected,
            Mark::Diagnosed => self.diagnosed,
            Mark::Mitigated => self.mitigated,
        }
    }
}
