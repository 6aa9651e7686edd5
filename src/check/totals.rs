//! The totals of an incident's received events, for all rules that compare the resolution with them.

use super::incident::SeenEvent;
use crate::contract::{Actions, Mark, Message, Status};

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
            match event.message {
                Message::AgentAction(action) => {
                    totals.first_action.get_or_insert(*event);
                    for mark in &action.marks {
                        let slot = match mark {
                            Mark::Detected => &mut totals.detected,
                            Mark::Diagnosed => &mut totals.diagnosed,
                            Mark::Mitigated => &mut totals.mitigated,
                        };
                        slot.get_or_insert(*event);
                    }
                    if action.status != Status::InProgress {
                        totals.actions.total += 1;
                        totals.actions.failed += u32::from(action.status == Status::Failed);
                    }
                }
                Message::SystemMetrics(sample) => totals.users = totals.users.max(sample.users_affected),
                Message::IncidentStarted(_)
                | Message::IncidentResolved(_)
                | Message::StreamOpened(_)
                | Message::Heartbeat(_) => {}
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
