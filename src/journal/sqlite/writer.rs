//! The thread that writes the file: all waiting appends become one transaction.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use super::super::ages::Ages;
use super::super::clock::Clock;
use super::super::error::{JournalError, Trouble};
use super::super::lease::Term;
use super::super::log::{Extent, Retention};
use super::super::open_error::OpenError;
use super::super::record::Batch;
use super::super::time_source::TimeSource;
use super::commit::{Answer, Changes, Commit, Open};
use super::error::{open_error, trouble};
use super::head::{self, Head, Tail};
use super::recent::Recent;
use super::retain::retain;
use super::witness::{LastCommit, Witness};
use super::{incidents, schema, times};
use crate::contract::StreamId;

/// The most records in one transaction. With more the first caller would wait too long for the last.
const GROUP: usize = 2_048;

/// How often the writer retries when the file cannot be written, even if no append is waiting: the server recovers
/// without a restart.
const PROBE: Duration = Duration::from_millis(250);

/// A request to the writer.
pub(super) enum Request {
    /// Append a batch.
    Append(WaitingAppend),
    /// Grant a new lease.
    Lease(oneshot::Sender<Result<Term, JournalError>>),
}

/// A batch that is waiting to be written.
pub(super) struct WaitingAppend {
    pub(super) batch: Batch,
    pub(super) reply: oneshot::Sender<Answer>,
}

pub(super) struct Writer {
    connection: Connection,
    stream: StreamId,
    retention: Retention,
    head: Head,
    open: Open,
    clock: Arc<Clock>,
    ages: Ages,
    witness: Witness,
    extent: watch::Sender<Extent>,
    health: watch::Sender<Option<Trouble>>,
    newest_term: watch::Sender<Term>,
    /// Whether retention has more events to drop than one commit may.
    surplus: bool,
    commits: Arc<AtomicU64>,
    recent: Arc<Recent>,
}

impl Writer {
    pub(super) fn open(
        path: &Path,
        retention: Retention,
        source: Arc<dyn TimeSource>,
    ) -> Result<Self, OpenError> {
        let damaged = |what: String| OpenError::damaged(path, what);
        let sqlite = |error: rusqlite::Error| open_error(path, error);
        let new = !path.exists();
        let mut connection = Connection::open(path).map_err(sqlite)?;
        let found = schema::version(&connection).map_err(sqlite)?;
        if found > schema::VERSION {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: schema::VERSION });
        }
        let mode = schema::configure(&connection).map_err(sqlite)?;
        if mode != "wal" {
            let why =
                format!("its file system does not support a write-ahead log, only the journal mode {mode:?}");
            return Err(OpenError::unusable(path, why));
        }
        if found < schema::VERSION {
            schema::migrate(&mut connection, found).map_err(sqlite)?;
        }
        let unreadable = |error: JournalError| match error {
            JournalError::Damaged { .. } => damaged(error.to_string()),
            other => OpenError::unusable(path, other),
        };
        let (witness, remembered) = Witness::open(path).map_err(|error| OpenError::unusable(path, error))?;
        let (stream, head) = match head::load(&connection).map_err(sqlite)? {
            Some((stream, head, seal)) if head.seal(&stream) == seal => (stream, head),
            Some(_) => return Err(damaged("the checksum of its table `head` does not match".to_owned())),
            None => {
                let stream = StreamId::fresh();
                head::store(&connection, &stream, Head::EMPTY).map_err(sqlite)?;
                (stream, Head::EMPTY)
            }
        };
        head::verify(&connection, head).map_err(unreadable)?;
        let mut open = incidents::verified(&connection).map_err(sqlite)?.map_err(damaged)?;
        let stream = match head::compare(&connection, head, remembered).map_err(sqlite)? {
            Tail::Whole => stream,
            // The database file is new, so the witness file belongs to an older one.
            _ if new => stream,
            Tail::Lost { from, to } => {
                return Err(damaged(format!("events {from} to {to} were published and are missing")));
            }
            Tail::Unknown => {
                let anew = StreamId::fresh();
                tracing::warn!(old = %stream, new = %anew, "the witness file beside the journal does not confirm the newest events; the journal continues as a new stream");
                head::store(&connection, &anew, head).map_err(sqlite)?;
                anew
            }
        };
        let clock =
            Clock::new(source, |wall_us| times::newest(&connection, head, wall_us)).map_err(sqlite)?;
        for newest in open.values_mut() {
            newest.moment.steady = clock.steady();
        }
        let mut ages = Ages::new(retention.age);
        if ages.has_limit() {
            let samples = times::sample(&connection, head).map_err(sqlite)?;
            ages.found(&samples, clock.now().as_microsecond(), clock.steady());
        }
        let extent = watch::channel(Extent { oldest: head.oldest, head: head.position }).0;
        let mut writer = Self {
            connection,
            stream,
            retention,
            head,
            open,
            clock: Arc::new(clock),
            ages,
            witness,
            extent,
            health: watch::channel(None).0,
            newest_term: watch::channel(Term::default()).0,
            surplus: false,
            commits: Arc::default(),
            recent: Arc::default(),
        };
        writer.remember();
        Ok(writer)
    }

    pub(super) fn stream(&self) -> &StreamId {
        &self.stream
    }

    pub(super) fn commits(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.commits)
    }

    pub(super) fn clock(&self) -> Arc<Clock> {
        Arc::clone(&self.clock)
    }

    pub(super) fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.recent)
    }

    pub(super) fn extent(&self) -> watch::Receiver<Extent> {
        self.extent.subscribe()
    }

    pub(super) fn health(&self) -> watch::Receiver<Option<Trouble>> {
        self.health.subscribe()
    }

    pub(super) fn newest_term(&self) -> watch::Receiver<Term> {
        self.newest_term.subscribe()
    }

    /// `journal_mode` and `synchronous`; empty and -1 if SQLite does not say.
    pub(super) fn pragmas(&self) -> (String, i64) {
        let ask = |pragma: &str| self.connection.query_row(pragma, [], |row| row.get(0));
        (
            ask("PRAGMA journal_mode").unwrap_or_default(),
            self.connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap_or(-1),
        )
    }

    /// Writes until the engine is dropped.
    pub(super) fn run(mut self, inbox: &Receiver<Request>) {
        loop {
            match inbox.recv_timeout(self.idle_time()) {
                Ok(first) => self.take(first, inbox),
                Err(RecvTimeoutError::Timeout) => self.commit(Vec::new()),
                Err(RecvTimeoutError::Disconnected) => return self.empty_log(),
            }
        }
    }

    /// Moves everything from the write-ahead log into the journal's file, so that after a clean stop a copy of this one
    /// file is the whole journal. SQLite would do it when the last connection closes, but the last one is a reader's.
    fn empty_log(&self) {
        // A program that reads the file at the moment prevents it; nothing is lost then, because the log stays.
        let emptied = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        if emptied != Ok(0) {
            tracing::warn!(
                "the journal's write-ahead log could not be emptied: copy the file together with its -wal file"
            );
        }
    }

    /// Handles the first request and the waiting ones: appends with up to [`GROUP`] records become one transaction.
    fn take(&mut self, first: Request, inbox: &Receiver<Request>) {
        let mut group = Vec::new();
        let mut records = 0;
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Append(append) => {
                    records += append.batch.records.len();
                    group.push(append);
                }
                Request::Lease(reply) => {
                    // The appends that came before this request belong to the older lease.
                    self.commit(std::mem::take(&mut group));
                    // The caller may have stopped waiting.
                    let _ = reply.send(Ok(self.grant()));
                }
            }
            next = if records < GROUP { inbox.try_recv().ok() } else { None };
        }
        if !group.is_empty() {
            self.commit(group);
        }
    }

    /// Grants a new lease, which ends the one before.
    fn grant(&mut self) -> Term {
        let mut term = Term::default();
        self.newest_term.send_modify(|newest| {
            newest.0 += 1;
            term = *newest;
        });
        term
    }

    /// How long the writer waits for a request before it does something by itself.
    fn idle_time(&self) -> Duration {
        if self.is_down() {
            return PROBE;
        }
        match self.retention.age {
            _ if self.surplus => Duration::ZERO,
            // Events become too old even if nothing is appended.
            Some(age) => (age / 10).clamp(Duration::from_millis(100), Duration::from_secs(60)),
            None => Duration::MAX,
        }
    }

    fn is_down(&self) -> bool {
        self.health.borrow().is_some()
    }

    /// Runs one transaction. No append is answered and no event is visible before it is on disk.
    fn commit(&mut self, group: Vec<WaitingAppend>) {
        let (batches, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|append| (append.batch, append.reply)).unzip();
        match self.write(batches) {
            Ok(written) => self.publish(written, replies),
            Err(error) => {
                let trouble = trouble(error);
                if !self.is_down() {
                    tracing::error!(why = %trouble, "the journal cannot be written");
                }
                self.health
                    .send_if_modified(|health| health.replace(trouble.clone()).as_ref() != Some(&trouble));
                for reply in replies {
                    // The caller may have stopped waiting.
                    let _ = reply.send(Err(JournalError::Unavailable(trouble.clone())));
                }
            }
        }
    }

    /// Makes the committed events visible, then answers the callers.
    fn publish(&mut self, written: Written, replies: Vec<oneshot::Sender<Answer>>) {
        let Written { head, changes, answers } = written;
        self.recent.extend(changes.apply(&mut self.open));
        if head != self.head {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        self.head = head;
        self.ages.stored(head.position, self.clock.steady());
        self.remember();
        if self.is_down() {
            tracing::info!("the journal can be written again");
            self.health.send_replace(None);
        }
        let extent = Extent { oldest: head.oldest, head: head.position };
        self.extent.send_if_modified(|seen| std::mem::replace(seen, extent) != extent);
        for (reply, answer) in replies.into_iter().zip(answers) {
            let _ = reply.send(answer);
        }
    }

    /// Records the last commit. If that fails, events are accepted all the same: the next start can only check less.
    fn remember(&mut self) {
        let last = LastCommit { position: self.head.position, checksum: self.head.checksum };
        if let Err(error) = self.witness.remember(last) {
            tracing::warn!(%error, "cannot write the witness file beside the journal, which records the last commit");
        }
    }

    fn write(&mut self, batches: Vec<Batch>) -> rusqlite::Result<Written> {
        let down = self.is_down();
        // An immediate transaction waits for another writer, such as a person with a shell.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut commit = Commit {
            transaction: &transaction,
            open: &self.open,
            clock: &self.clock,
            term: *self.newest_term.borrow(),
            head: self.head,
            changes: Changes::default(),
        };
        let answers = batches.into_iter().map(|batch| commit.take(batch)).collect::<rusqlite::Result<_>>()?;
        let Commit { mut head, changes, .. } = commit;
        let expired = self.ages.expired(self.clock.steady());
        self.surplus = retain(&transaction, &mut head, self.head.position, self.retention.events, expired)?;
        // While the file is marked as failed, only a write shows whether it can be written again.
        if head != self.head || down {
            head::store(&transaction, &self.stream, head)?;
            transaction.commit()?;
        }
        Ok(Written { head, changes, answers })
    }
}

/// The result of a transaction.
struct Written {
    head: Head,
    changes: Changes,
    /// In the order of the batches.
    answers: Vec<Answer>,
}
