//! Appending: the waiting batches become one atomic batch of messages that the servers take only if nothing was added since
//! this process has read the stream.
//!
//! An acknowledgement, a refusal and silence are all hints. A leader that is cut off refuses and never stores; an answer may
//! be lost and the events stored. The result is what is read behind the head: events with the mark of this append, or
//! events of another.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::super::error::{JournalError, Trouble};
use super::super::record::Batch;
use super::api::Fault;
use super::confirm;
use super::draft::{Answer, Draft, PATIENCE, judge, weight};
use super::message::WriterMark;
use super::plans;
use super::shared::Shared;
use super::tail::{beyond, reach_leader};
use super::vitals::trouble;

/// The most events and bytes of one commit. With more the first caller would wait too long for the last.
const GROUP: usize = 500;
const GROUP_BYTES: usize = 1024 * 1024;

/// The most messages that the servers take together.
const MOST: usize = 1_000;

/// How long an attempt without an answer is left alone before it is repeated.
const AGAIN: Duration = Duration::from_millis(250);

/// How long others may be faster.
const OVERTAKEN: Duration = Duration::from_secs(8);

/// A batch that is waiting to be stored.
pub(super) struct Waiting {
    pub(super) batch: Batch,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What became of an attempt.
enum Outcome {
    /// Its events are in the stream.
    Stored,
    /// Others were faster: nothing of it is in the stream, nor will be.
    Overtaken,
    /// Not known yet, for too long.
    Unknown(Trouble),
}

/// Appends until nobody can ask any more.
pub(super) async fn run(shared: &Shared, mut inbox: mpsc::UnboundedReceiver<Waiting>) {
    let mut appends = 0;
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(first) => first,
            None => match inbox.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let (mut events, mut bytes) = (first.batch.records.len(), weight(&first.batch));
        let mut group = vec![first];
        while let Ok(waiting) = inbox.try_recv() {
            events += waiting.batch.records.len();
            bytes += weight(&waiting.batch);
            if events > GROUP || bytes > GROUP_BYTES {
                next = Some(waiting);
                break;
            }
            group.push(waiting);
        }
        let (batches, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.batch, waiting.reply)).unzip();
        let answers = commit(shared, &batches, &mut appends).await;
        for (reply, answer) in replies.into_iter().zip(answers) {
            // The caller may have stopped waiting.
            let _ = reply.send(answer);
        }
    }
}

/// Stores the batches, each as a whole or not at all.
async fn commit(shared: &Shared, batches: &[Batch], appends: &mut u64) -> Vec<Answer> {
    let all = |error: JournalError| batches.iter().map(|_| Err(error.clone())).collect::<Vec<Answer>>();
    if let Some(many) = batches.iter().map(|batch| batch.records.len()).find(|many| *many > MOST) {
        // It is alone in its group.
        return all(JournalError::Refused(format!(
            "it has {many} events, and at most {MOST} are stored together"
        )));
    }
    let _committing = shared.committing.lock().await;
    let mut deadline = Instant::now() + PATIENCE;
    let last = Instant::now() + OVERTAKEN;
    let mut planned = HashSet::new();
    let mut is_up_to_date = false;
    loop {
        if let Some(error) = shared.vitals.broken() {
            return all(error);
        }
        *appends += 1;
        let writer = WriterMark { node: shared.node, append: *appends };
        let term = *shared.newest_term.borrow();
        let draft = judge(&shared.fold.lock(), &shared.clock, &shared.names, writer, term, batches);
        if draft.has_gap() && !is_up_to_date {
            // Another server may have stored what is missing here.
            match reach_leader(shared, deadline).await {
                Ok(()) => is_up_to_date = true,
                Err(error) => return failed(shared, error, &all),
            }
            continue;
        }
        if draft.messages.is_empty() {
            return draft.answers;
        }
        if let Err(fault) = store_plans(shared, &draft, &mut planned, deadline).await {
            return failed(shared, JournalError::Unavailable(trouble(fault)), &all);
        }
        match store(shared, &draft, writer, deadline).await {
            Outcome::Stored => {
                shared.commits.fetch_add(1, Ordering::Relaxed);
                shared.vitals.succeed();
                return draft.answers;
            }
            Outcome::Overtaken => {
                shared.figures.overtaken();
                // Something is stored, so the servers are well. A server that is slower than all others must give its
                // callers an answer, too.
                deadline = last.min(Instant::now() + PATIENCE);
                if Instant::now() >= last {
                    let overtaken = Fault::Silent("other servers were faster every time".to_owned());
                    return failed(shared, JournalError::Unavailable(trouble(overtaken)), &all);
                }
                is_up_to_date = false;
            }
            Outcome::Unknown(trouble) => return failed(shared, JournalError::Unavailable(trouble), &all),
        }
    }
}

fn failed(shared: &Shared, error: JournalError, all: &dyn Fn(JournalError) -> Vec<Answer>) -> Vec<Answer> {
    if let Some(broken) = shared.vitals.broken() {
        return all(broken);
    }
    if let JournalError::Unavailable(trouble) = &error {
        shared.vitals.fail(trouble.clone());
    }
    all(error)
}

/// Publishes a draft until it is known whether it is in the stream.
async fn store(shared: &Shared, draft: &Draft, writer: WriterMark, deadline: Instant) -> Outcome {
    let many = draft.messages.len() as u64;
    for attempt in 1_u32.. {
        if attempt > 1 {
            shared.figures.again();
        }
        let id = format!("{:016x}-{}-{attempt}", writer.node, writer.append);
        let publishing = timeout_at(deadline, shared.api.publish_all(&id, &draft.messages));
        let published = tokio::select! {
            published = publishing => published,
            // The acknowledgement is late, or lost.
            last = moved(shared, draft.after) => Ok(Ok(last)),
        };
        let fault = match published {
            Ok(Ok(last)) if last == draft.after + many => None,
            Ok(Ok(last)) => Some(Fault::Silent(format!("it was stored at {last}, not where it should be"))),
            Ok(Err(fault)) => Some(fault),
            Err(_) => Some(Fault::Silent("the NATS servers have not answered in time".to_owned())),
        };
        if let Some(fault) = &fault {
            shared.figures.not_known();
            tracing::debug!(%fault, after = draft.after, "it is not known whether an append is stored");
        }
        if fault.is_none() {
            shared.api.tell(shared.names.live(), (draft.after + many).to_string()).await;
            confirm::read_back(shared, draft, deadline).await;
        }
        // What is acknowledged comes; what is not may come.
        let patience = if fault.is_none() { deadline } else { deadline.min(Instant::now() + AGAIN) };
        if beyond(shared, draft.after, patience).await {
            let own = shared.fold.lock().own;
            if own != Some((writer.append, draft.after + 1)) {
                return Outcome::Overtaken;
            }
            // They are stored together, and a replica may have answered with a part of them.
            if beyond(shared, draft.after + many - 1, deadline + PATIENCE).await {
                if fault.is_some() {
                    shared.api.tell(shared.names.live(), (draft.after + many).to_string()).await;
                }
                return Outcome::Stored;
            }
        }
        if Instant::now() >= deadline || shared.vitals.broken().is_some() {
            let fault =
                fault.unwrap_or_else(|| Fault::Silent("what is stored can't be read back".to_owned()));
            return Outcome::Unknown(trouble(fault));
        }
    }
    Outcome::Unknown(Trouble::new(super::super::error::TroubleKind::Other))
}

/// Waits until an event beyond `head` was read, and returns the newest position.
async fn moved(shared: &Shared, head: u64) -> u64 {
    let mut extent = shared.extent.subscribe();
    match extent.wait_for(|extent| extent.head > head).await {
        Ok(extent) => extent.head,
        // The sender is a part of what is borrowed here.
        Err(_) => std::future::pending().await,
    }
}

/// Stores the plans of the incidents that begin, before their first events.
async fn store_plans(
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
