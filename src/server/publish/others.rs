//! The incidents to which other servers have added events, if other servers have the journal open.

use std::collections::{HashMap, HashSet};

use crate::journal::{Appended, Journal, JournalError, ReadLimit};

/// How much one read returns.
const READ: ReadLimit = ReadLimit { events: 1_000, bytes: 1024 * 1024 };

/// Follows a shared journal, so that nothing is judged by what another server has changed.
#[derive(Default)]
pub(super) struct Others {
    /// The position up to which the journal was looked at; `None` before the first look.
    read: Option<u64>,
    /// What the worker itself has stored behind that position.
    own: HashSet<u64>,
}

impl Others {
    /// The incidents that others have changed since the last look, each with a position behind which that was.
    pub(super) async fn changed(&mut self, journal: &Journal) -> Result<HashMap<String, u64>, JournalError> {
        let mut changed = HashMap::new();
        if !journal.is_shared() {
            return Ok(changed);
        }
        // Before the first look nothing is remembered that could be wrong.
        let mut read = self.read.unwrap_or(journal.extent().head);
        loop {
            let events = journal.read(read, READ).await?;
            let Some(last) = events.last() else { break };
            read = last.position;
            for event in events.iter().filter(|event| !self.own.contains(&event.position)) {
                if !changed.contains_key(&*event.subject) {
                    changed.insert(event.subject.to_string(), event.position - 1);
                }
            }
        }
        self.own.retain(|position| *position > read);
        self.read = Some(read);
        Ok(changed)
    }

    /// The worker has stored these.
    pub(super) fn stored(&mut self, appended: &[Appended]) {
        if let Some(read) = self.read {
            let new = appended.iter().filter(|event| event.new && event.position > read);
            self.own.extend(new.map(|event| event.position));
        }
    }
}
