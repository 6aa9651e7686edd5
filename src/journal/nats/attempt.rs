//! One append on its way: publishing it, and finding out whether it is in the stream.
//!
//! An acknowledgement, a refusal and silence are all hints. A leader that is cut off refuses and never stores; an answer may
//! be lost and the events stored. The result is what is read behind the head: events with the mark of this append, or
//! events of another.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::super::error::{Trouble, TroubleKind};
use super::api::Fault;
use super::confirm;
use super::draft::{Draft, PATIENCE};
use super::footing::{confirm, connects, continues, late};
use super::message::WriterMark;
use super::plans;
use super::shared::Shared;
use super::tail::{beyond, moved};
use super::vitals::trouble;

/// How long an attempt without an answer is left alone before it is repeated.
const AGAIN: Duration = Duration::from_millis(250);

/// What became of an append.
pub(super) enum Outcome {
    /// Its events are in the stream.
    Stored,
    /// Others were faster: nothing of it is in the stream, nor will be.
    Overtaken,
    /// Not known yet, for too long.
    Unknown(Trouble),
}

/// What an attempt has heard.
pub(super) enum Hint {
    /// The servers say that it is stored, directly behind the head that it names.
    Acknowledged,
    /// Something follows that head: the draft, whose acknowledgement is late or lost, or an event of another.
    Moved,
    /// It is not known whether it is stored.
    Unknown(Fault),
}

/// Publishes a draft once. `known` is over which connection it was known that the stream has what the draft continues.
pub(super) async fn publish(
    shared: &Shared,
    draft: &Draft,
    writer: WriterMark,
    attempt: u32,
    known: u64,
    deadline: Instant,
) -> Hint {
    let end = draft.after + draft.messages.len() as u64;
    let id = format!("{:016x}-{}-{attempt}", writer.node, writer.append);
    let publishing = timeout_at(deadline, shared.api.publish_all(&id, &draft.messages));
    let published = tokio::select! {
        published = publishing => published,
        () = moved(shared, draft.after) => return Hint::Moved,
    };
    let fault = match published {
        Ok(Ok(_)) if connects(shared) != known => {
            Fault::Silent("the connection was lost meanwhile".to_owned())
        }
        Ok(Ok(last)) if last == end => return Hint::Acknowledged,
        Ok(Ok(last)) => Fault::Silent(format!("it was stored at {last}, not where it should be")),
        Ok(Err(fault)) => fault,
        Err(_) => late(),
    };
    shared.figures.not_known();
    tracing::debug!(%fault, after = draft.after, "it is not known whether an append is stored");
    Hint::Unknown(fault)
}

/// Tells the other servers how far the stream goes now.
pub(super) async fn announce(shared: &Shared, draft: &Draft) {
    let end = draft.after + draft.messages.len() as u64;
    shared.api.tell(shared.names.live(), end.to_string()).await;
}

/// Finds out whether what was acknowledged is stored.
pub(super) async fn read_back(shared: &Shared, draft: &Draft, writer: WriterMark) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    confirm::read_back(shared, draft, deadline).await;
    let stored = found(shared, draft, writer, deadline, deadline).await;
    stored.unwrap_or_else(|| Outcome::Unknown(trouble(unread())))
}

/// Publishes a draft again after a first attempt without an acknowledgement, until it is known whether it is in the stream.
pub(super) async fn insist(
    shared: &Shared,
    draft: &Draft,
    writer: WriterMark,
    mut hint: Hint,
    deadline: Instant,
) -> Outcome {
    for attempt in 2_u32.. {
        // What is acknowledged comes; what is not may come.
        let patience = match hint {
            Hint::Acknowledged | Hint::Moved => deadline,
            Hint::Unknown(_) => deadline.min(Instant::now() + AGAIN),
        };
        if let Some(outcome) = found(shared, draft, writer, patience, deadline + PATIENCE).await {
            return match outcome {
                // It is not known when it was stored.
                Outcome::Stored => match confirm(shared, draft, deadline + PATIENCE).await {
                    Ok(()) => Outcome::Stored,
                    Err(fault) => Outcome::Unknown(trouble(fault)),
                },
                other => other,
            };
        }
        if Instant::now() >= deadline || shared.vitals.broken().is_some() {
            return Outcome::Unknown(trouble(match hint {
                Hint::Unknown(fault) => fault,
                Hint::Acknowledged | Hint::Moved => unread(),
            }));
        }
        // Another server may have been faster since, after the stream was restored.
        let known = connects(shared);
        if let Err(fault) = continues(shared, draft, deadline).await {
            hint = Hint::Unknown(fault);
            continue;
        }
        shared.figures.again();
        hint = publish(shared, draft, writer, attempt, known, deadline).await;
    }
    Outcome::Unknown(Trouble::new(TroubleKind::Other))
}

/// Waits until something follows the head that the draft names, and whether it is the draft: then until all of it was read.
async fn found(
    shared: &Shared,
    draft: &Draft,
    writer: WriterMark,
    patience: Instant,
    rest: Instant,
) -> Option<Outcome> {
    if !beyond(shared, draft.after, patience).await {
        return None;
    }
    // The append of this process that follows another one is published only if it was judged by it: so the other is stored, too.
    let is_ours = shared.fold.lock().own.is_some_and(|(append, position)| {
        append > writer.append || (append, position) == (writer.append, draft.after + 1)
    });
    if !is_ours {
        return Some(Outcome::Overtaken);
    }
    // They are stored together, and a replica may have answered with a part of them.
    let end = draft.after + draft.messages.len() as u64;
    beyond(shared, end - 1, rest).await.then_some(Outcome::Stored)
}

fn unread() -> Fault {
    Fault::Silent("what is stored can't be read back".to_owned())
}

/// Stores the plans of the incidents that begin, before their first events.
pub(super) async fn store_plans(
    shared: &Shared,
    draft: &Draft,
    stored: &mut HashSet<String>,
    deadline: Instant,
) -> Result<(), Fault> {
    for (subject, plan) in &draft.plans {
        if !stored.contains(subject) {
            let late = |_| Fault::Silent("the NATS servers have not stored the plan in time".to_owned());
            let storing = async {
                loop {
                    match plans::store(&shared.api, &shared.names, subject, plan).await {
                        // The same parts again change nothing.
                        Err(Fault::Silent(_)) => tokio::time::sleep(AGAIN).await,
                        stored => return stored,
                    }
                }
            };
            // A plan may have many parts.
            timeout_at(deadline + PATIENCE, storing).await.map_err(late)??;
            stored.insert(subject.clone());
        }
    }
    Ok(())
}
