//! Incidents that are open in the journal and that nobody plays, because their plan can't be read.

use super::Player;
use crate::contract::Message;
use crate::journal::{JournalError, Page, Record};
use crate::plan::Plan;

/// What is read at once.
const PAGE: Page = Page { events: 1_000, bytes: 1024 * 1024 };

impl Player {
    /// Ends one as cancelled, by what its events say of it. The position of its end, or `None` if there is no such
    /// incident, or it has ended.
    pub(super) async fn end_abandoned(&self, id: &str) -> Result<Option<u64>, JournalError> {
        let Some(span) = self.journal.incident(id).await?.filter(|span| span.end.is_none()) else {
            return Ok(None);
        };
        let (mut plan, mut position, mut last_us) = (Plan::new(String::new(), 0), span.start - 1, 0);
        loop {
            let page = self.journal.read(position, PAGE).await?;
            let Some(last) = page.last() else { break };
            position = last.position;
            for event in page.into_iter().filter(|event| *event.subject == *id) {
                let message = Message::parse(event.kind.as_str(), &event.data).ok();
                let offset_s = message.and_then(|message| message.offset_s()).unwrap_or_default();
                last_us = last_us.max((offset_s * 1e6) as u64);
                plan.push(last_us, event.kind, event.data);
            }
        }
        let end = plan.cancelled(plan.events().len(), 0);
        let positions = self.journal.append(Record::new(id, &end).into_iter().collect()).await?;
        tracing::info!(incident = id, "incident cancelled that nobody played");
        Ok(positions.first().copied())
    }
}
