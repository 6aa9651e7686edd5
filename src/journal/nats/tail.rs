//! Following the stream: reads every event in order, checks that it continues the one before, and folds it. What was
//! acknowledged does not count, only what was read here.

use std::time::Duration;

use async_nats::Subscriber;
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::error::{JournalError, Trouble, TroubleKind};
use super::api::{Fault, Found};
use super::config::{self, Seen};
use super::fold::Fold;
use super::message::Entry;
use super::shared::Shared;
use super::vitals::trouble;

/// How much one read returns.
const PAGE: usize = 256;
const PAGE_BYTES: usize = 512 * 1024;

/// How often the stream is read although nothing was announced.
const POLL: Duration = Duration::from_millis(250);

/// How soon a replica is asked again that may not have what was acknowledged.
const AGAIN: Duration = Duration::from_millis(15);

/// How long a client waits for an event that another server has sent and this one has not read.
const LAG: Duration = Duration::from_secs(1);

/// There is no such message.
const NO_MESSAGE: u64 = 10_037;

/// The messages from a position on, one page of them.
pub(super) async fn page(shared: &Shared, from: u64, most: usize) -> Result<Vec<Found>, Fault> {
    let which = json!({ "seq": from, "batch": most.min(PAGE), "max_bytes": PAGE_BYTES });
    shared.api.read(&shared.names.events, &which).await
}

/// Reads on whenever something is announced, until `stop`.
pub(super) async fn follow(shared: &Shared, mut live: Subscriber, stop: CancellationToken) {
    loop {
        if shared.vitals.broken().is_none()
            && let Err(fault) = read_on(shared).await
        {
            tracing::debug!(%fault, "the stream can't be read at the moment");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.wake.notified() => {}
            Some(_) = live.next() => while timeout(Duration::ZERO, live.next()).await.is_ok_and(|next| next.is_some()) {},
            () = sleep(POLL) => {}
        }
    }
}

/// Reads everything that the replica has which answers.
pub(super) async fn read_on(shared: &Shared) -> Result<(), Fault> {
    loop {
        let head = shared.fold.lock().head;
        let found = page(shared, head + 1, PAGE).await?;
        let Some(first) = found.first() else { return Ok(()) };
        if first.sequence != head + 1 && !skip(shared, head, first.sequence).await? {
            return Ok(());
        }
        if let Err((position, what)) = take(shared, found) {
            return judge(shared, position, what).await;
        }
    }
}

/// Folds consecutive messages.
fn take(shared: &Shared, found: Vec<Found>) -> Result<(), (u64, String)> {
    let steady = shared.clock.steady();
    let mut fold = shared.fold.lock();
    let mut outcome = Ok(());
    for message in found {
        let Found { sequence, headers, payload, subject } = message;
        let read = Entry::read(sequence, &headers, &payload);
        let folded = read.and_then(|(entry, claimed)| {
            if shared.names.incident(&entry.stored.subject) != subject {
                return Err("its subject is not that of its incident".to_owned());
            }
            fold.push(&entry, claimed, shared.node, steady)?;
            Ok(entry)
        });
        match folded {
            Ok(entry) => shared.recent.extend([entry.stored]),
            Err(what) => {
                outcome = Err((sequence, what));
                break;
            }
        }
    }
    shared.ages.lock().stored(fold.head, steady);
    shared.vitals.confirm();
    shared.show(&fold);
    outcome
}

/// The stream goes on further behind: retention has dropped what was not read yet, or a message is missing.
async fn skip(shared: &Shared, head: u64, found: u64) -> Result<bool, Fault> {
    let info = shared.api.info(&shared.names.events).await?;
    let first = info["state"]["first_seq"].as_u64().unwrap_or_default();
    if first > head + 1 {
        tracing::warn!(
            from = head + 1,
            to = first,
            "retention has dropped events that this server had not read"
        );
        let mut fold = shared.fold.lock();
        // Every event of an open incident is kept, so what is kept tells all about them.
        let gone = fold.drop_before(first);
        *fold = Fold::begin_at(first);
        for (subject, end) in gone {
            fold.forget(subject, end);
        }
        shared.recent.clear();
        shared.show(&fold);
        return Ok(found == first);
    }
    let which = json!({ "seq": head + 1 });
    match shared.api.ask(&format!("STREAM.MSG.GET.{}", shared.names.events), &which).await {
        Err(fault) if fault.is(NO_MESSAGE) => {
            let what = "it was deleted from the stream".to_owned();
            shared.vitals.break_down(JournalError::Damaged { position: head + 1, what });
            Ok(false)
        }
        Err(fault) => Err(fault),
        // The replica that was asked first is behind.
        Ok(_) => Ok(false),
    }
}

/// A message does not continue what was read: another program has published it, or the stream's history was replaced.
async fn judge(shared: &Shared, position: u64, what: String) -> Result<(), Fault> {
    let (head, chain) = {
        let fold = shared.fold.lock();
        (fold.head, fold.chain)
    };
    let is_ours = head == 0 || chain_at(shared, head).await? == Some(chain);
    if is_ours {
        shared.vitals.break_down(JournalError::Damaged { position, what });
        return Ok(());
    }
    renew(shared).await
}

/// The chain that the stream has at a position.
pub(super) async fn chain_at(shared: &Shared, position: u64) -> Result<Option<u64>, Fault> {
    let found = shared.api.read(&shared.names.events, &json!({ "seq": position })).await?;
    let found = found.first().filter(|found| found.sequence == position);
    let read = found.and_then(|found| Entry::read(position, &found.headers, &found.payload).ok());
    Ok(read.map(|(_, chain)| chain))
}

/// Clients have been told another history: the stream gets another name, and this process can't go on.
pub(super) async fn renew(shared: &Shared) -> Result<(), Fault> {
    let seen = Seen::read(&shared.api.info(&shared.names.events).await?).map_err(Fault::Silent)?;
    if seen.stream == shared.stream {
        let renewed = config::rename(&shared.api, &shared.names, &seen).await?;
        tracing::error!(old = %shared.stream, new = %renewed.stream, "the stream has lost or changed events: it goes on under another name");
    }
    replaced(shared);
    Ok(())
}

/// The stream is not the one that this process has opened.
pub(super) fn replaced(shared: &Shared) {
    if shared.vitals.broken().is_none() {
        shared.figures.other_epoch();
    }
    let what = "the stream was remade, restored or has lost events: start this server anew";
    let trouble = Trouble::from_error(TroubleKind::History, std::io::Error::other(what));
    shared.vitals.break_down(JournalError::Unavailable(trouble));
}

/// Waits until an event beyond `head` was read, and returns whether there is one by `deadline`.
pub(super) async fn beyond(shared: &Shared, head: u64, deadline: Instant) -> bool {
    let mut extent = shared.extent.subscribe();
    loop {
        if extent.borrow_and_update().head > head {
            return true;
        }
        if Instant::now() >= deadline || shared.vitals.broken().is_some() {
            return false;
        }
        shared.wake.notify_one();
        let _ = timeout(AGAIN, extent.changed()).await;
    }
}

/// Whether the stream has an event at a position that a client was sent, perhaps by another server.
pub(super) async fn has(shared: &Shared, position: u64) -> Result<bool, JournalError> {
    if position == 0 || beyond(shared, position - 1, Instant::now() + LAG).await {
        return Ok(true);
    }
    // What this server has read says nothing: only the leader's own head does.
    reach_leader(shared, Instant::now()).await?;
    Ok(shared.head() >= position)
}

/// Reads everything that the leader has.
pub(super) async fn reach_leader(shared: &Shared, deadline: Instant) -> Result<(), JournalError> {
    let unavailable = |fault| JournalError::Unavailable(trouble(fault));
    let info = shared.api.info(&shared.names.events).await.map_err(unavailable)?;
    let last = info["state"]["last_seq"].as_u64().unwrap_or_default();
    if last == 0 || beyond(shared, last - 1, deadline).await {
        return Ok(());
    }
    match shared.vitals.broken() {
        Some(error) => Err(error),
        None => Err(unavailable(Fault::Silent("this server has not read all events yet".to_owned()))),
    }
}
