//! Incidents that take long to read, because much was stored since they began: after a restart, or of which the worker has forgotten
//! what they had. They are read beside the worker, so that nobody waits for it but those who publish into them.

use std::collections::HashMap;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::known::{Subject, Unread, read_page};
use super::waiting::Waiting;
use crate::journal::{Journal, JournalError, KeyedEvent};

/// A request, and which of its incidents are to be read before.
pub(super) struct Far {
    pub(super) waiting: Waiting,
    pub(super) incidents: Unread,
}

/// Sends the requests that wait for incidents to where these are read, and returns the others. `stored` has an entry for each sound event.
pub(super) fn set_aside(
    requests: Vec<Waiting>,
    stored: Vec<Option<KeyedEvent>>,
    far: &Unread,
    to: &mpsc::UnboundedSender<Far>,
) -> (Vec<Waiting>, Vec<Option<KeyedEvent>>) {
    if far.is_empty() {
        return (requests, stored);
    }
    let (mut near, mut stored, mut stored_of_near) = (Vec::new(), stored.into_iter(), Vec::new());
    for waiting in requests {
        let stored: Vec<_> = stored.by_ref().take(waiting.request.subjects().count()).collect();
        let of = |subject: &str| Some((subject.to_owned(), far.get(subject)?.clone()));
        let incidents: Unread = waiting.request.subjects().filter_map(of).collect();
        if incidents.is_empty() {
            near.push(waiting);
            stored_of_near.extend(stored);
        } else {
            // Otherwise the server stops.
            let _ = to.send(Far { waiting, incidents });
        }
    }
    (near, stored_of_near)
}

/// Reads what requests wait for, until the server stops, and sends them to the worker again with what was read. What waits counts among
/// the memory of requests.
pub(super) async fn read_far(
    journal: Journal,
    mut far: mpsc::UnboundedReceiver<Far>,
    requests: mpsc::Sender<Waiting>,
    stop: CancellationToken,
) {
    let reading = async {
        let mut has_begun = false;
        while let Some(first) = far.recv().await {
            let mut all = vec![first];
            while let Ok(next) = far.try_recv() {
                all.push(next);
            }
            let mut incidents: Unread = HashMap::new();
            for far in &mut all {
                incidents.extend(std::mem::take(&mut far.incidents));
            }
            let mut read = read(&journal, incidents, !has_begun).await;
            has_begun |= read.is_ok();
            for Far { waiting, .. } in all {
                match &mut read {
                    // The first one takes what was read for all.
                    Ok(incidents) => {
                        let waiting = Waiting { read: std::mem::take(incidents), ..waiting };
                        if requests.send(waiting).await.is_err() {
                            // The server stops.
                            return;
                        }
                    }
                    Err(error) => waiting.refuse(error),
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = reading => {}
    }
}

/// Reads incidents up to the newest event, with one pass for all of them. A journal may be long and have many open incidents: the first
/// time `all` that are open are read, not once again for each.
async fn read(journal: &Journal, mut incidents: Unread, all: bool) -> Result<Unread, JournalError> {
    if all {
        for span in journal.open_without_plan().await? {
            let begun = || (Subject::Real(Box::default()), span.start.saturating_sub(1));
            incidents.entry(span.subject).or_insert_with(begun);
        }
    }
    let Some(mut position) = incidents.values().map(|(_, after)| *after).min() else { return Ok(incidents) };
    while let Some(last) = read_page(journal, position, &mut incidents).await? {
        position = last;
        // A journal in memory does not give way.
        tokio::task::yield_now().await;
    }
    for (_, until) in incidents.values_mut() {
        *until = position.max(*until);
    }
    Ok(incidents)
}
