//! Following the stream: reads every event of others in order, checks that it continues the one before, and folds it. What this
//! process has appended is folded as soon as its last event is read back (`confirm.rs`).

use std::time::Duration;

use async_nats::Subscriber;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::error::{JournalError, Trouble, TroubleKind};
use super::api::{Api, Fault, Found};
use super::config::{self, Seen};
use super::message::Entry;
use super::names::Names;
use super::over;
use super::shared::Shared;
use super::vitals::trouble;

/// How much one read returns.
const PAGE: usize = 256;
const PAGE_BYTES: usize = 512 * 1024;

/// How often the stream is read although nothing was announced.
const POLL: Duration = Duration::from_millis(250);

/// How soon a replica is asked again that may not have what was acknowledged: mostly it is a moment behind the leader. Then
/// twice as long each time …
pub(super) const SOON: Duration = Duration::from_millis(1);

/// … up to this.
pub(super) const AGAIN: Duration = Duration::from_millis(15);

/// How long it may take until it is known that the server which answers for a stream leads it: replicas are heard every second.
const LEADING: Duration = Duration::from_millis(2_500);

/// What is said of an event that is not there, though the stream has room for it between others.
pub(super) const DELETED: &str =
    "it was deleted from the stream; `incident check-journal --salvage` saves what is before it";

/// How far it is looked back for the first of the newest events that were deleted.
const DELETED_MOST: u64 = 100;

/// The messages from a position on, one page of them.
pub(super) async fn page(shared: &Shared, from: u64, most: usize) -> Result<Vec<Found>, Fault> {
    let which = json!({ "seq": from, "batch": most.min(PAGE), "max_bytes": PAGE_BYTES });
    shared.api.read(&shared.names.events, &which).await
}

/// Reads on whenever something is announced, until `stop`.
pub(super) async fn follow(shared: &Shared, mut live: Subscriber, stop: CancellationToken) {
    let (mut announced, mut pause) = (0, POLL);
    loop {
        if shared.vitals.broken().is_none()
            && let Err(fault) = read_on(shared).await
        {
            tracing::debug!(%fault, "the stream can't be read at the moment");
            if matches!(fault, Fault::Denied(_)) {
                shared.vitals.fail(trouble(fault));
            }
        }
        // The replica that was asked may be a moment behind. After a false announcement the pauses soon are as long as before.
        pause = if announced > shared.head() { POLL.min(pause * 2) } else { POLL };
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.wake.notified() => {}
            Some(head) = newer(shared, &mut live) => (announced, pause) = (head, SOON / 2),
            () = sleep(pause) => {}
        }
    }
}

/// Waits until a head is announced that is beyond what was read.
async fn newer(shared: &Shared, live: &mut Subscriber) -> Option<u64> {
    loop {
        let announced = live.next().await?;
        let head = std::str::from_utf8(&announced.payload).ok().and_then(|head| head.parse().ok());
        if head.is_some_and(|head: u64| head > shared.head()) {
            return head;
        }
    }
}

/// Reads everything that the replica has which answers.
pub(super) async fn read_on(shared: &Shared) -> Result<(), Fault> {
    loop {
        let head = shared.fold.lock().head;
        let found = page(shared, head + 1, PAGE).await?;
        let (Some(first), Some(last)) = (found.first(), found.last()) else { return Ok(()) };
        if first.sequence != head + 1 && !skip(shared, head, first.sequence).await? {
            return Ok(());
        }
        // A replica that has more fills the page. Asking it once more costs as much as reading some events.
        let bytes: usize = found.iter().map(|message| message.payload.len()).sum();
        let (last, is_all) = (last.sequence, found.len() < PAGE && bytes < PAGE_BYTES / 2);
        if let Err((position, _)) = take(shared, found) {
            judge(shared, position).await?;
            if shared.vitals.broken().is_some() {
                return Ok(());
            }
        }
        if is_all && shared.fold.lock().head >= last {
            return Ok(());
        }
    }
}

/// Folds consecutive messages.
fn take(shared: &Shared, found: Vec<Found>) -> Result<(), (u64, String)> {
    let read = found.into_iter().map(|message| (message.sequence, read(shared, &message)));
    take_in(shared, read)
}

/// A message as an event, with the chain that it claims.
pub(super) fn read(shared: &Shared, message: &Found) -> Result<(Entry, u64), String> {
    let (entry, claimed) = Entry::read(message.sequence, &message.headers, &message.payload)?;
    if shared.names.incident(&entry.stored.subject) != message.subject {
        return Err("its subject is not that of its incident".to_owned());
    }
    Ok((entry, claimed))
}

/// Folds consecutive events, each with the chain that it claims.
pub(super) fn take_in(
    shared: &Shared,
    read: impl Iterator<Item = (u64, Result<(Entry, u64), String>)>,
) -> Result<(), (u64, String)> {
    let steady = shared.clock.steady();
    let mut fold = shared.fold.lock();
    let mut outcome = Ok(());
    for (position, read) in read {
        if position <= fold.head {
            // The writer has folded it, or the tail.
            continue;
        }
        if position != fold.head + 1 {
            // A purge was faster than the read: the next read begins behind it.
            break;
        }
        let folded = read.and_then(|(entry, claimed)| {
            fold.push(&entry, claimed, shared.node, steady)?;
            Ok(entry)
        });
        match folded {
            Ok(entry) => {
                if entry.writer.node != shared.node {
                    shared.clock.follow(entry.stored.time);
                }
                shared.recent.extend([entry.stored]);
            }
            Err(what) => {
                outcome = Err((position, what));
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
    let info = leading(&shared.api, &shared.names.events).await?;
    let first = info["state"]["first_seq"].as_u64().unwrap_or_default();
    if first > head + 1 {
        if found != first {
            // The replica that was asked has not dropped yet what the leader has, or it has dropped more.
            return Ok(false);
        }
        tracing::warn!(
            from = head + 1,
            to = first,
            "retention has dropped events that this server had not read"
        );
        // Incidents may have begun and ended in what was dropped.
        let over = over::read(&shared.api, &shared.names).await?;
        let mut fold = shared.fold.lock();
        if fold.head != head {
            // The writer has folded what it has appended meanwhile.
            return Ok(true);
        }
        fold.restart_at(first);
        for (subject, end) in over {
            fold.forget(subject, end);
        }
        shared.recent.clear();
        shared.show(&fold);
        return Ok(true);
    }
    let which = json!({ "seq": head + 1 });
    if shared.api.leader_read(&shared.names.events, &which).await?.is_none() {
        shared.vitals.break_down(JournalError::Damaged { position: head + 1, what: DELETED.to_owned() });
    }
    // Or the replica that was asked first is behind.
    Ok(false)
}

/// A message does not continue what was read: another program has published it, the stream's history was replaced, or one
/// replica is damaged or behind.
async fn judge(shared: &Shared, position: u64) -> Result<(), Fault> {
    let (head, chain) = {
        let fold = shared.fold.lock();
        (fold.head, fold.chain)
    };
    let names = &shared.names;
    let found = shared.api.leader_read(&names.events, &json!({ "seq": position })).await?;
    let found = found.ok_or_else(|| Fault::Silent(format!("the leader does not have event {position}")))?;
    let what = match take(shared, vec![found]) {
        // Only the replica that was asked first is damaged.
        Ok(()) => return Ok(()),
        Err((_, what)) => what,
    };
    let before = if head == 0 { None } else { chain_at(shared, head).await? };
    let is_ours = match before {
        Some(before) => before == chain,
        None => head == 0 || first(shared).await? > head,
    };
    if is_ours {
        shared.vitals.break_down(JournalError::Damaged { position, what });
        return Ok(());
    }
    if before.is_none() {
        return Err(Fault::Silent(format!("the leader does not have event {head}")));
    }
    renew(shared).await
}

/// Position of the oldest event, as the leader knows it.
pub(super) async fn first(shared: &Shared) -> Result<u64, Fault> {
    let info = shared.api.leader_info(&shared.names.events).await?;
    Ok(info["state"]["first_seq"].as_u64().unwrap_or_default())
}

/// The chain that the leader has at a position.
pub(super) async fn chain_at(shared: &Shared, position: u64) -> Result<Option<u64>, Fault> {
    let found = shared.api.leader_read(&shared.names.events, &json!({ "seq": position })).await?;
    let read = found.map(|found| Entry::read(position, &found.headers, &found.payload));
    // What can't be read is another program's.
    Ok(read.map(|read| read.map_or(0, |(_, chain)| chain)))
}

/// The first of the newest events that were deleted, up to `last`, which is one of them. The stream begins at `first`.
pub(super) async fn deleted_from(api: &Api, names: &Names, first: u64, last: u64) -> Result<u64, Fault> {
    let mut from = last;
    while from > first.max(last.saturating_sub(DELETED_MOST)) {
        if api.leader_read(&names.events, &json!({ "seq": from - 1 })).await?.is_some() {
            break;
        }
        from -= 1;
    }
    Ok(from)
}

/// Lets go of the events before a position, which the leader does not have any more.
pub(super) fn begin_at(shared: &Shared, first: u64) {
    let mut fold = shared.fold.lock();
    if first > fold.oldest() && first <= fold.head + 1 {
        fold.drop_before(first);
        shared.show(&fold);
    }
}

/// Clients have been told another history: the stream gets another name, and this process can't go on.
pub(super) async fn renew(shared: &Shared) -> Result<(), Fault> {
    let seen = Seen::read(&shared.api.leader_info(&shared.names.events).await?).map_err(Fault::Silent)?;
    if seen.stream == shared.stream {
        let renewed = config::rename(&shared.api, &shared.names, &seen).await?;
        tracing::error!(old = %shared.stream, new = %renewed.stream, "the stream has lost or changed events: it goes on under another name");
    }
    replaced(shared);
    Ok(())
}

/// The stream is not the one that this process has opened: the server has to open it anew.
pub(super) fn replaced(shared: &Shared) {
    let what = "it was remade, restored or has lost events: this server starts anew";
    let trouble = Trouble::from_error(TroubleKind::Replaced, std::io::Error::other(what));
    if shared.vitals.break_down(JournalError::Unavailable(trouble)) {
        shared.figures.other_epoch();
    }
}

/// Waits until an event beyond `head` was read.
pub(super) async fn moved(shared: &Shared, head: u64) {
    if shared.extent.subscribe().wait_for(|extent| extent.head > head).await.is_err() {
        // The sender is a part of what is borrowed here.
        std::future::pending::<()>().await;
    }
}

/// Waits until an event beyond `head` was read, and returns whether there is one by `deadline`.
pub(super) async fn beyond(shared: &Shared, head: u64, deadline: Instant) -> bool {
    let mut extent = shared.extent.subscribe();
    let mut again = SOON;
    loop {
        if extent.borrow_and_update().head > head {
            return true;
        }
        if Instant::now() >= deadline || shared.vitals.broken().is_some() {
            return false;
        }
        shared.wake.notify_one();
        let _ = timeout(again, extent.changed()).await;
        again = AGAIN.min(again * 2);
    }
}

/// What the leader says of one of the two streams, and that it leads. A server that was cut off from the others takes itself for
/// the leader for some seconds, and has an old head: so its answer counts only if so many replicas have answered it since
/// the question that no other can have been elected before.
pub(super) async fn leading(api: &Api, stream: &str) -> Result<Value, Fault> {
    let asked = Instant::now();
    loop {
        let before = asked.elapsed();
        let info = api.info(stream).await?;
        if is_leading(&info, before) {
            return Ok(info);
        }
        if asked.elapsed() >= LEADING {
            let cut_off = "the nats-server that answers for the stream may be cut off from the others";
            return Err(Fault::Silent(cut_off.to_owned()));
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Whether a majority, with the server that answers, was heard within this time.
fn is_leading(info: &Value, within: Duration) -> bool {
    let none = Vec::new();
    let replicas = info["cluster"]["replicas"].as_array().unwrap_or(&none);
    let is_heard = |replica: &&Value| {
        replica["offline"] != json!(true)
            && replica["active"].as_u64().is_some_and(|ago| ago > 0 && Duration::from_nanos(ago) < within)
    };
    replicas.iter().filter(is_heard).count() >= replicas.len().div_ceil(2)
}

/// Reads everything that the leader has.
pub(super) async fn reach_leader(shared: &Shared, deadline: Instant) -> Result<(), JournalError> {
    let unavailable = |fault| JournalError::Unavailable(trouble(fault));
    let info = leading(&shared.api, &shared.names.events).await.map_err(unavailable)?;
    let deadline = deadline.max(Instant::now() + AGAIN * 10);
    let last = info["state"]["last_seq"].as_u64().unwrap_or_default();
    if last == 0 || beyond(shared, last - 1, deadline).await {
        return Ok(());
    }
    match shared.vitals.broken() {
        Some(error) => Err(error),
        None => Err(unavailable(Fault::Silent("this server has not read all events yet".to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leader_that_hears_a_majority_is_believed() {
        let info = |active: &[u64]| {
            let replicas = active.iter().map(|active| json!({ "name": "n", "active": active }));
            json!({ "cluster": { "leader": "n", "replicas": replicas.collect::<Vec<_>>() } })
        };
        let within = Duration::from_nanos(100);
        for (active, wanted) in [
            (&[99, 5_000][..], true),
            (&[100, 5_000], false),
            // It was never heard.
            (&[0, 0], false),
            (&[1, 2, 5_000, 5_000], true),
            (&[1, 5_000, 5_000, 5_000], false),
            (&[], true),
        ] {
            assert_eq!(is_leading(&info(active), within), wanted, "{active:?}");
        }
        assert!(is_leading(&json!({}), within), "a server alone has no others");
    }
}
