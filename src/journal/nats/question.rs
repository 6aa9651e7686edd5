//! Questions to the leader how far the stream goes. Whoever names an incident or an event that this server does not know may be a
//! stranger who makes names up, and must not cost the nats-servers a request each: everybody who waits at the same time waits
//! for one question, and questions have some time between them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::error::{JournalError, Trouble, TroubleKind};
use super::api::Fault;
use super::shared::Shared;
use super::tail::{beyond, reach_leader};
use super::vitals::unavailable;

/// The time between an answer and the next question.
const APART: Duration = Duration::from_millis(20);

/// How long the leader's answer and reading what it has may take together.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long somebody waits: mostly for the question that is on its way, and the next one.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a client waits for an event that another server has sent and this one has not read, until the leader is asked.
const LAG: Duration = Duration::from_secs(1);

/// Asks whenever somebody waits, until `stop`.
pub(super) async fn ask(shared: &Shared, stop: CancellationToken) {
    let asked = &shared.asked;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = asked.wanted.notified() => {}
        }
        let number = asked.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let outcome = tokio::select! {
            () = stop.cancelled() => return,
            outcome = reach_leader(shared, Instant::now() + DEADLINE) => outcome,
        };
        drop(asked.answered.send_replace((number, outcome)));
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(APART) => {}
        }
    }
}

/// Waits until this process has read everything that others have stored before the call.
pub(super) async fn catch_up(shared: &Shared) -> Result<(), JournalError> {
    let asked = &shared.asked;
    // A question that is on its way may have been answered before the event was stored that the caller knows of.
    let before = asked.begun.load(Ordering::SeqCst);
    let mut answered = asked.answered.subscribe();
    if let Some(error) = shared.vitals.broken() {
        return Err(not_known(error));
    }
    asked.wanted.notify_one();
    let waiting = answered.wait_for(|(number, _)| *number > before);
    match timeout(PATIENCE, waiting).await {
        Ok(Ok(answered)) => answered.1.clone().map_err(not_known),
        Ok(Err(_)) | Err(_) => {
            let what = "it takes too long to find out what other servers have stored";
            Err(unavailable(Fault::Silent(what.to_owned())))
        }
    }
}

/// Of what lies behind damage nobody can say whether it is there: but it may be there when the stream was mended.
fn not_known(error: JournalError) -> JournalError {
    if error.is_temporary() {
        return error;
    }
    JournalError::Unavailable(Trouble::from_error(TroubleKind::History, error))
}

/// Whether the stream has an event at a position that a client was sent, perhaps by another server.
pub(super) async fn has(shared: &Shared, position: u64) -> Result<bool, JournalError> {
    if position == 0 || beyond(shared, position - 1, Instant::now() + LAG).await {
        return Ok(true);
    }
    // What this server has read says nothing: only the leader's own head does.
    catch_up(shared).await?;
    Ok(shared.head() >= position)
}
