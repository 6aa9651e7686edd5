//! Reading events that are no longer in memory.

use std::time::Duration;

use super::super::error::JournalError;
use super::super::log::{Extent, ReadLimit};
use super::super::record::Stored;
use super::api::Fault;
use super::config::Seen;
use super::message::Entry;
use super::shared::Shared;
use super::tail::{self, page};
use super::vitals::unavailable;

/// How often a page is asked for. A replica may be behind, or hang.
const TRIES: u32 = 4;

/// How long it is waited between two.
const AGAIN: Duration = Duration::from_millis(50);

/// The events after a position, up to the visible head.
pub(super) async fn read(shared: &Shared, after: u64, limit: ReadLimit) -> Result<Vec<Stored>, JournalError> {
    let mut events = Vec::new();
    let (mut bytes, mut tries) = (0, 0);
    let mut before = None;
    loop {
        let Extent { oldest, head } = *shared.extent.borrow();
        let from = events.last().map_or(after + 1, |last: &Stored| last.position + 1);
        if events.is_empty()
            && from >= oldest
            && let Some(recent) = shared.recent.read(after, head, limit)
        {
            return Ok(recent);
        }
        if let Some(error @ JournalError::Unavailable(_)) = shared.vitals.broken() {
            // The stream has another history now, and this position is one of the old one.
            return Err(error);
        }
        let from = if events.is_empty() { from.max(oldest) } else { from };
        let room = limit.events - events.len();
        if from > head || room == 0 || bytes >= limit.bytes {
            return Ok(events);
        }
        let found = match page(shared, from, room).await {
            Ok(found) if found.first().is_some_and(|first| first.sequence == from) => found,
            // Retention has dropped the next events since.
            Ok(_) if !events.is_empty() && shared.extent.borrow().oldest > from => return Ok(events),
            _ if tries < TRIES => {
                tries += 1;
                if tries == TRIES && events.is_empty() {
                    drop_what_is_gone(shared).await;
                }
                tokio::time::sleep(AGAIN * tries).await;
                continue;
            }
            Ok(_) => {
                return Err(unavailable(Fault::Silent(format!("no server has event {from} at the moment"))));
            }
            Err(fault) => return Err(unavailable(fault)),
        };
        tries = 0;
        for message in found {
            let position = message.sequence;
            if position > head || events.len() >= limit.events || bytes >= limit.bytes {
                return Ok(events);
            }
            let damaged = |what: String| JournalError::Damaged { position, what };
            let (entry, claimed) =
                Entry::read(position, &message.headers, &message.payload).map_err(damaged)?;
            if before.is_some_and(|before| entry.chain(before) != claimed) {
                return Err(damaged("its chain does not continue that of the event before it".to_owned()));
            }
            before = Some(claimed);
            bytes += entry.stored.data.get().len();
            events.push(entry.stored);
        }
    }
}

/// Asks the leader where the stream begins. Another server's retention may have been faster.
async fn drop_what_is_gone(shared: &Shared) {
    if let Ok(seen) = Seen::ask(&shared.api, &shared.names).await
        && seen.stream == shared.stream
    {
        tail::begin_at(shared, seen.first);
    }
}
