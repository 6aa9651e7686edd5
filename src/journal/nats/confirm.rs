//! Reading back what this process has appended. The servers store an append as a whole or not at all, directly behind the head
//! that it names, and the chain of its last event covers all of it. So this event proves the others, which are not sent over
//! the network again.

use tokio::time::{Instant, sleep};

use super::draft::Draft;
use super::shared::Shared;
use super::tail::{AGAIN, SOON, moved, read, take_in};

/// Waits until a replica has the last event of an acknowledged append, and folds all of it. Leaves the rest to the tail: another
/// event at this position, and a stream that can't be read. The tail may also be faster, while a replica hangs that was asked
/// here.
pub(super) async fn read_back(shared: &Shared, draft: &Draft, deadline: Instant) {
    let Some((last, chain)) = draft.entries.last() else { return };
    let position = last.stored.position;
    let mut again = SOON;
    while shared.head() < position && Instant::now() < deadline && shared.vitals.broken().is_none() {
        let read_one = tokio::select! {
            found = shared.api.read_one(&shared.names.events, position) => found,
            () = moved(shared, position - 1) => return,
        };
        match read_one {
            Ok(Some(found)) => {
                let is_ours = read(shared, &found).is_ok_and(|(entry, claimed)| {
                    entry.writer == last.writer
                        && claimed == *chain
                        && entry.stored.data.get() == last.stored.data.get()
                });
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
