//! Appending: the waiting batches become one atomic batch of messages that the servers take only if nothing was added since
//! this process has read the stream.
//!
//! While append A is read back, append B is on its way: an acknowledged A is in the stream directly behind the head that it has
//! named, so B is judged by A and names the end of A as its head. No caller is answered before its append was read back.

use std::collections::HashSet;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::super::error::JournalError;
use super::super::record::Batch;
use super::api::Fault;
use super::attempt::{Hint, Outcome, announce, insist, publish, read_back, store_plans};
use super::draft::{Ahead, Answer, Draft, PATIENCE, judge, weight};
use super::footing::Footing;
use super::message::WriterMark;
use super::shared::Shared;
use super::tail::reach_leader;
use super::vitals::trouble;

/// The most events and bytes of one commit. With more the first caller would wait too long for the last.
const GROUP: usize = 500;
const GROUP_BYTES: usize = 1024 * 1024;

/// The most messages that the servers take together.
const MOST: usize = 1_000;

/// How long others may be faster.
const OVERTAKEN: Duration = Duration::from_secs(8);

/// A batch that is waiting to be stored.
pub(super) struct Waiting {
    pub(super) batch: Batch,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// Appends until nobody can ask any more.
pub(super) async fn run(shared: &Shared, mut inbox: mpsc::UnboundedReceiver<Waiting>) {
    let mut writer = Writer {
        shared,
        behind: FuturesOrdered::new(),
        is_lost: false,
        ahead: None,
        footing: Footing::default(),
        appends: 0,
    };
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(first) => Some(first),
            None => writer.beside(inbox.recv()).await,
        };
        let Some(first) = first else { break };
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
        let (batches, replies) = group.into_iter().map(|waiting| (waiting.batch, waiting.reply)).unzip();
        writer.commit(batches, replies).await;
    }
    writer.settle().await;
}

/// What becomes of batches.
enum Course {
    Answered(Vec<Answer>),
    /// It is read back next.
    Acknowledged(Box<Draft>, WriterMark),
}

struct Writer<'a> {
    shared: &'a Shared,
    /// The append that was acknowledged last, while it is read back: whether it is stored.
    behind: FuturesOrdered<Pin<Box<dyn Future<Output = bool> + 'a>>>,
    /// Whether the last append is not stored though it was acknowledged, or can't be read back.
    is_lost: bool,
    /// What it has added, if the next one is to be judged by it.
    ahead: Option<Ahead>,
    footing: Footing,
    appends: u64,
}

impl Writer<'_> {
    /// Does something while the last append is read back.
    async fn beside<T>(&mut self, doing: impl Future<Output = T>) -> T {
        let mut doing = pin!(doing);
        loop {
            tokio::select! {
                biased;
                Some(is_stored) = self.behind.next() => self.learn(is_stored),
                done = &mut doing => return done,
            }
        }
    }

    /// What the last append has become.
    fn learn(&mut self, is_stored: bool) {
        if !is_stored {
            (self.is_lost, self.ahead) = (true, None);
        }
    }

    /// Waits until the last append was read back.
    async fn settle(&mut self) {
        while let Some(is_stored) = self.behind.next().await {
            self.learn(is_stored);
        }
    }

    /// Stores the batches, each as a whole or not at all, and answers.
    async fn commit(&mut self, batches: Vec<Batch>, replies: Vec<oneshot::Sender<Answer>>) {
        let shared = self.shared;
        let committing = self.beside(Arc::clone(&shared.committing).read_owned()).await;
        let (mut draft, writer) = match self.append(&batches).await {
            Course::Answered(answers) => return answer(replies, answers),
            Course::Acknowledged(draft, writer) => (draft, writer),
        };
        self.settle().await;
        self.ahead = draft.ahead.take();
        self.behind.push_back(Box::pin(async move {
            let outcome = read_back(shared, &draft, writer).await;
            let is_stored = matches!(outcome, Outcome::Stored);
            let failed = |trouble| failed(shared, JournalError::Unavailable(trouble), replies.len());
            let answers = match outcome {
                Outcome::Stored => stored(shared, *draft),
                Outcome::Overtaken => failed(trouble(lost())),
                Outcome::Unknown(trouble) => failed(trouble),
            };
            answer(replies, answers);
            drop(committing);
            is_stored
        }));
    }

    /// Publishes batches until they are acknowledged or their answers are known.
    async fn append(&mut self, batches: &[Batch]) -> Course {
        let shared = self.shared;
        let all = |error: JournalError| Course::Answered(vec![Err(error); batches.len()]);
        if let Some(many) = batches.iter().map(|batch| batch.records.len()).find(|many| *many > MOST) {
            // It is alone in its group.
            return all(JournalError::Refused(format!(
                "it has {many} events, and at most {MOST} are stored together"
            )));
        }
        let failed = |error| Course::Answered(failed(shared, error, batches.len()));
        let mut deadline = Instant::now() + PATIENCE;
        let last = Instant::now() + OVERTAKEN;
        let mut planned = HashSet::new();
        let mut is_up_to_date = false;
        loop {
            if let Some(error) = shared.vitals.broken() {
                return all(error);
            }
            self.appends += 1;
            let writer = WriterMark { node: shared.node, append: self.appends };
            let term = *shared.newest_term.borrow();
            self.is_lost = false;
            let ahead = self.ahead.take();
            let draft =
                judge(&shared.fold.lock(), ahead, &shared.clock, &shared.names, writer, term, batches);
            if !draft.is_ahead {
                // Only what an append is judged by may still be unread when it is published.
                self.settle().await;
            } else if draft.has_gap() || draft.messages.is_empty() || !self.footing.is_sure(shared) {
                // Only what was read back decides an answer, and is looked for again.
                self.settle().await;
                deadline = last.min(Instant::now() + PATIENCE);
                continue;
            }
            if draft.has_gap() && !is_up_to_date {
                // Another server may have stored what is missing here.
                match self.beside(reach_leader(shared, deadline)).await {
                    Ok(()) => is_up_to_date = true,
                    Err(error) => return failed(error),
                }
                continue;
            }
            if draft.messages.is_empty() {
                return Course::Answered(draft.answers);
            }
            if let Err(fault) = self.beside(store_plans(shared, &draft, &mut planned, deadline)).await {
                return failed(JournalError::Unavailable(trouble(fault)));
            }
            if !draft.plans.is_empty() {
                // To store them may take long.
                deadline = last.min(Instant::now() + PATIENCE);
            }
            if draft.is_ahead && self.is_lost {
                return failed(JournalError::Unavailable(trouble(lost())));
            }
            if draft.is_ahead && !self.footing.is_sure(shared) {
                self.settle().await;
                continue;
            }
            if !draft.is_ahead
                && let Err(error) = self.footing.find(shared, &draft, deadline).await
            {
                return failed(error);
            }
            let known = self.footing.connects();
            let hint = self.beside(publish(shared, &draft, writer, 1, known, deadline)).await;
            if let Hint::Acknowledged = hint {
                self.footing.hold(known);
                self.beside(announce(shared, &draft)).await;
                return Course::Acknowledged(Box::new(draft), writer);
            }
            self.footing.doubt();
            self.settle().await;
            if draft.is_ahead && self.is_lost {
                // It was judged by what is not there.
                return failed(JournalError::Unavailable(trouble(lost())));
            }
            match insist(shared, &draft, writer, hint, deadline).await {
                Outcome::Stored => {
                    announce(shared, &draft).await;
                    return Course::Answered(stored(shared, draft));
                }
                Outcome::Overtaken => {
                    shared.figures.overtaken();
                    // Something is stored, so the servers are well. A server that is slower than all others must give its
                    // callers an answer, too.
                    deadline = last.min(Instant::now() + PATIENCE);
                    if Instant::now() >= last {
                        let overtaken = Fault::Silent("other servers were faster every time".to_owned());
                        return failed(JournalError::Unavailable(trouble(overtaken)));
                    }
                    is_up_to_date = false;
                }
                Outcome::Unknown(trouble) => return failed(JournalError::Unavailable(trouble)),
            }
        }
    }
}

fn lost() -> Fault {
    Fault::Silent("what was acknowledged is not in the stream".to_owned())
}

fn stored(shared: &Shared, draft: Draft) -> Vec<Answer> {
    shared.commits.fetch_add(1, Ordering::Relaxed);
    shared.vitals.succeed();
    draft.answers
}

fn failed(shared: &Shared, error: JournalError, many: usize) -> Vec<Answer> {
    if let Some(broken) = shared.vitals.broken() {
        return vec![Err(broken); many];
    }
    if let JournalError::Unavailable(trouble) = &error {
        shared.vitals.fail(trouble.clone());
    }
    vec![Err(error); many]
}

fn answer(replies: Vec<oneshot::Sender<Answer>>, answers: Vec<Answer>) {
    for (reply, answer) in replies.into_iter().zip(answers) {
        // The caller may have stopped waiting.
        let _ = reply.send(answer);
    }
}
