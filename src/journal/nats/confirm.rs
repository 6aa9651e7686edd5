//! Reading back what this process has appended. The servers store an append as a whole or not at all, directly behind the head
//! that it names, and the last event's chain covers all of it. So that one event proves them all, and none of the others is
//! sent over the network again.

use tokio::time::{Instant, sleep};

use super::draft::Draft;
use super::shared::Shared;
use super::tail::{AGAIN, SOON, read, take_in};

/// Waits until a replica has the last event of an acknowledged append, and folds all of it. Leaves everything else to the tail: an
/// event that is another one, and a stream that can't be read.
pub(super) async fn read_back(shared: &Shared, draft: &Draft, deadline: Instant) {
    let Some((last, chain)) = draft.entries.last() else { return };
    let position = last.stored.position;
    let mut again = SOON;
    while shared.head() < position && Instant::now() < deadline && shared.vitals.broken().is_none() {
        match shared.api.read_one(&shared.names.events, position).await {
            Ok(Some(found)) => {
                let is_ours = read(shared, &found)
                    .is_ok_and(|(entry, claimed)| entry.writer == last.writer && claimed == *chain);
                if is_ours {
                    let entries = draft.entries.iter().cloned();
                    // Each was judged against the one before it.
                    let _ = take_in(
                        shared,
                        entries.map(|(entry, chain)| (entry.stored.position, Ok((entry, chain)))),
                    );
                }
                return;
            }
            // The replica that was asked is a moment behind, or does not answer.
            Ok(None) | Err(_) => {
                sleep(again).await;
                again = AGAIN.min(again * 2);
            }
        }
    }
}
