//! What was seen of an incident, counted once for all rules that compare with it.

use super::Frame;
use crate::contract::{Actions, Mark, Message, Status};

/// An event that reached something: its frame and its planned second.
pub(super) type Reached<'a> = (&'a Frame, f64);

/// An incident's account, by its events.
#[derive(Default)]
pub(super) struct Account<'a> {
    /// Finished attempts.
    pub actions: Actions,
    /// The first action of all.
    pub first_action: Option<Reached<'a>>,
    marks: [Option<Reached<'a>>; 3],
    /// The most users that a sample showed.
    pub users: Option<u64>,
}

impl<'a> Account<'a> {
    pub(super) fn of(events: &[(&'a Frame, &Message)]) -> Self {
        let mut account = Self::default();
        for (frame, message) in events {
            match message {
                Message::AgentAction(action) => {
                    let here = (*frame, action.offset_s);
                    account.first_action.get_or_insert(here);
                    for mark in &action.marks {
                        account.marks[*mark as usize].get_or_insert(here);
                    }
                    if action.status != Status::InProgress {
                        account.actions.total += 1;
                        account.actions.failed += u32::from(action.status == Status::Failed);
                    }
                }
                Message::SystemMetrics(sample) => account.users = account.users.max(sample.users_affected),
                _ => {}
            }
        }
        account
    }

    /// Where a milestone was reached first.
    pub(super) fn reached(&self, mark: Mark) -> Option<Reached<'a>> {
        self.marks[mark as usize]
    }
}
