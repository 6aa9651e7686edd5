//! The one thread that writes: everything that waits becomes one transaction.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use super::super::clock::Clock;
use super::super::{Extent, JournalError, Record, Retention};
use super::commit::{Changes, Commit, Open};
use super::head::{self, Head, Verdict};
use super::recent::Recent;
use super::retain::retain;
use super::witness::{Told, Witness};
use super::{OpenError, incidents, schema};
use crate::contract::StreamId;

/// Records in one transaction: more would make the first wait for the last.
const GROUP: usize = 2_048;

/// How often a file that can't be written is tried again, whether anybody wants to append or not: a server that
/// recovers says so by itself.
const PROBE: Duration = Duration::from_millis(250);

/// A batch that waits, and who waits for it.
pub(super) struct Append {
    pub(super) batch: Vec<Record>,
    pub(super) reply: oneshot::Sender<Outcome>,
}

/// What became of a batch.
pub(super) type Outcome = Result<Vec<u64>, JournalError>;

pub(super) struct Writer {
    connection: Connection,
    stream: StreamId,
    retention: Retention,
    head: Head,
    open: Open,
    clock: Clock,
    witness: Witness,
    extent: watch::Sender<Extent>,
    health: watch::Sender<Option<String>>,
    /// Retention has more to drop than one commit may.
    surplus: bool,
    commits: Arc<AtomicU64>,
    recent: Arc<Recent>,
}

impl Writer {
    pub(super) fn open(path: &Path, retention: Retention) -> Result<Self, OpenError> {
        let unusable = |why: String| OpenError::Unusable { path: path.to_owned(), why };
        let damaged = |what: String| OpenError::Damaged { path: path.to_owned(), what };
        let sqlite = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                damaged(error.to_string())
            }
            _ => unusable(error.to_string()),
        };
        let new = !path.exists();
        let mut connection = Connection::open(path).map_err(sqlite)?;
        let found = schema::version(&connection).map_err(sqlite)?;
        if found > schema::VERSION {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: schema::VERSION });
        }
        let mode = schema::configure(&connection).map_err(sqlite)?;
        if mode != "wal" {
            return Err(unusable(format!("its file system allows no write-ahead log, only {mode:?}")));
        }
        if found < schema::VERSION {
            schema::migrate(&mut connection, found).map_err(sqlite)?;
        }
        let unreadable = |error: JournalError| match error {
            JournalError::Damaged { .. } => damaged(error.to_string()),
            other => unusable(other.to_string()),
        };
        let (witness, testimony) = Witness::open(path).map_err(|error| unusable(error.to_string()))?;
        let (stream, head) = match head::load(&connection).map_err(sqlite)? {
            Some((stream, head, seal)) if head.seal(&stream) == seal => (stream, head),
            Some(_) => return Err(damaged("its head is not what was written".to_owned())),
            None => {
                let stream = StreamId::fresh();
                head::store(&connection, &stream, Head::EMPTY).map_err(sqlite)?;
                (stream, Head::EMPTY)
            }
        };
        head::verify(&connection, head).map_err(unreadable)?;
        let open = incidents::verified(&connection).map_err(sqlite)?.map_err(damaged)?;
        let stream = match head::testify(&connection, head, testimony).map_err(sqlite)? {
            Verdict::Whole => stream,
            // What lies beside a new file is an older one's.
            _ if new => stream,
            Verdict::Lost { from, to } => {
                return Err(damaged(format!("events {from} to {to} were told to clients and are not in it")));
            }
            Verdict::Unknown => {
                let anew = StreamId::fresh();
                tracing::warn!(old = %stream, new = %anew, "nothing vouches for the journal's tail: it goes on as a new stream");
                head::store(&connection, &anew, head).map_err(sqlite)?;
                anew
            }
        };
        let last: Option<i64> = connection
            .query_row("SELECT time_us FROM events WHERE position = ?1", [head.position], |row| row.get(0))
            .optional()
            .map_err(sqlite)?;
        let extent = watch::channel(Extent { oldest: head.oldest, head: head.position }).0;
        let mut writer = Self {
            connection,
            stream,
            retention,
            head,
            open,
            clock: Clock::after(last),
            witness,
            extent,
            health: watch::channel(None).0,
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

    pub(super) fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.recent)
    }

    pub(super) fn extent(&self) -> watch::Receiver<Extent> {
        self.extent.subscribe()
    }

    pub(super) fn health(&self) -> watch::Receiver<Option<String>> {
        self.health.subscribe()
    }

    /// `journal_mode` and `synchronous`; empty and -1 if SQLite does not say.
    pub(super) fn pragmas(&self) -> (String, i64) {
        let ask = |pragma: &str| self.connection.query_row(pragma, [], |row| row.get(0));
        (
            ask("PRAGMA journal_mode").unwrap_or_default(),
            self.connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap_or(-1),
        )
    }

    /// Writes until nobody can append any more.
    pub(super) fn run(mut self, inbox: &Receiver<Append>) {
        loop {
            match inbox.recv_timeout(self.patience()) {
                Ok(first) => self.commit(gather(first, inbox)),
                Err(RecvTimeoutError::Timeout) => self.commit(Vec::new()),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// How long nothing is done when nobody appends.
    fn patience(&self) -> Duration {
        if self.is_down() {
            return PROBE;
        }
        match self.retention.age {
            _ if self.surplus => Duration::ZERO,
            // What gets too old does so without anybody appending.
            Some(age) => (age / 10).clamp(Duration::from_millis(100), Duration::from_secs(60)),
            None => Duration::MAX,
        }
    }

    fn is_down(&self) -> bool {
        self.health.borrow().is_some()
    }

    /// One transaction. Nobody is answered and nothing is visible before it is on the disk.
    fn commit(&mut self, group: Vec<Append>) {
        let (batches, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|append| (append.batch, append.reply)).unzip();
        match self.write(batches) {
            Ok(written) => self.publish(written, replies),
            Err(error) => {
                let why = error.to_string();
                if !self.is_down() {
                    tracing::error!(why, "the journal takes no events");
                }
                self.health.send_if_modified(|health| health.replace(why.clone()).as_ref() != Some(&why));
                for reply in replies {
                    // Whoever asked may have gone.
                    let _ = reply.send(Err(JournalError::Unavailable(why.clone())));
                }
            }
        }
    }

    /// What is committed becomes visible, then those who wait for it are answered.
    fn publish(&mut self, written: Written, replies: Vec<oneshot::Sender<Outcome>>) {
        let Written { head, changes, outcomes } = written;
        self.recent.extend(changes.apply(&mut self.open));
        if head != self.head {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        self.head = head;
        self.remember();
        if self.is_down() {
            tracing::info!("the journal takes events again");
            self.health.send_replace(None);
        }
        let extent = Extent { oldest: head.oldest, head: head.position };
        self.extent.send_if_modified(|seen| std::mem::replace(seen, extent) != extent);
        for (reply, outcome) in replies.into_iter().zip(outcomes) {
            let _ = reply.send(outcome);
        }
    }

    /// A witness that can't be written is no reason to lose events: it only notices less.
    fn remember(&mut self) {
        let told = Told { position: self.head.position, checksum: self.head.checksum };
        if let Err(error) = self.witness.tell(told) {
            tracing::warn!(%error, "cannot write the file beside the journal that remembers its head");
        }
    }

    fn write(&mut self, batches: Vec<Vec<Record>>) -> rusqlite::Result<Written> {
        let down = self.is_down();
        // Immediate: whoever else has the file open for writing (a person with a shell) is waited for.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut commit = Commit {
            transaction: &transaction,
            open: &self.open,
            clock: &mut self.clock,
            head: self.head,
            changes: Changes::default(),
        };
        let outcomes =
            batches.into_iter().map(|batch| commit.take(batch)).collect::<rusqlite::Result<_>>()?;
        let Commit { mut head, changes, .. } = commit;
        self.surplus = retain(&transaction, &mut head, self.retention)?;
        // A file that could not be written is found to be well again by writing to it.
        if head != self.head || down {
            head::store(&transaction, &self.stream, head)?;
            transaction.commit()?;
        }
        Ok(Written { head, changes, outcomes })
    }
}

/// What a transaction left.
struct Written {
    head: Head,
    changes: Changes,
    /// In the order of the batches.
    outcomes: Vec<Outcome>,
}

/// The first that waits and all that wait behind it, up to a limit.
fn gather(first: Append, inbox: &Receiver<Append>) -> Vec<Append> {
    let mut records = first.batch.len();
    let mut group = vec![first];
    while records < GROUP
        && let Ok(next) = inbox.try_recv()
    {
        records += next.batch.len();
        group.push(next);
    }
    group
}
