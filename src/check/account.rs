//! What an incident's events add up to, counted once for all rules that compare with it.

use super::incident::Event;
use crate::contract::{Actions, Mark, Message};

/// An incident's account, by its events.
#[derive(Default)]
pub(super) struct Account<'a> {
    /// Finished attempts.
    pub actions: Actions,
    /// The first action of all.
    pub first_action: Option<Event<'a>>,
    detected: Option<Event<'a>>,
    diagnosed: Option<Event<'a>>,
    mitigated: Option<Event<'a>>,
    /// The most users that a sample showed.
    pub users: Option<u64>,
}

impl<'a> Account<'a> {
    pub(super) fn of(events: &[Event<'a>]) -> Self {
        let mut account = Self::default();
        for event in events {
            if let Message::AgentAction(action) = event.message {
                account.first_action.get_or_insert(*event);
                for mark in &action.marks {
                    let slot = match mark {
                        Mark::Detected => &mut account.detected,
                        Mark::Diagnosed => &mut account.diagnosed,
                        Mark::Mitigated => &mut account.mitigated,
                    };
                    slot.get_or_insert(*event);
                }
                account.actions.count(action.status);
            }
            if let Message::SystemMetrics(sample) = event.message {
                account.users = account.users.max(sample.users_affected);
            }
        }
        account
    }

    /// The event that reached a milestone first.
    pub(super) fn reached(&self, mark: Mark) -> Option<Event<'a>> {
        match mark {
            Mark::Detected => self.detected,
            Mark::Diagnosed => self.diagnosed,
            Mark::Mitigated => self.mitigated,
        }
    }
}
