//! The thread that writes the file: all waiting appends become one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use super::super::ages::Ages;
use super::super::clock::Clock;
use super::super::error::{JournalError, Trouble, TroubleKind};
use super::super::lease::Term;
use super::super::log::{Extent, Retention};
use super::super::recent::Recent;
use super::super::record::Batch;
use super::commit::{Answer, Changes, Commit, Open};
use super::condition::Condition;
use super::events::Insert;
use super::head::{self, Head};
use super::lock::Lock;
use super::open::Opened;
use super::others::Others;
use super::place::Place;

use super::retain::{SPELL, retain};
use super::room::Room;
use super::upkeep::Upkeep;
use super::watchdog::Work;
use crate::contract::StreamId;

/// The most records in one transaction. With more the first caller would wait too long for the last.
const GROUP: usize = 2_048;

/// How often the writer retries when the file cannot be written, even if no append is waiting: the server recovers
/// without a restart.
const PROBE: Duration = Duration::from_millis(250);

/// How often the writer looks at the journal's files while nothing is appended.
const LOOK: Duration = Duration::from_secs(1);

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
    /// Others read it. It changes only after a commit, and never during one.
    open: Arc<RwLock<Open>>,
    clock: Arc<Clock>,
    ages: Ages,
    upkeep: Upkeep,
    others: Others,
    room: Room,
    work: Work,
    extent: watch::Sender<Extent>,
    condition: Arc<Condition>,
    newest_term: watch::Sender<Term>,
    /// Whether retention has more events to drop than one commit may.
    surplus: bool,
    /// When retention last ran.
    retained: Instant,
    commits: Arc<AtomicU64>,
    recent: Arc<Recent>,
}

impl Writer {
    pub(super) fn new(opened: Opened, retention: Retention, lock: Arc<Lock>) -> Self {
        let Opened { connection, stream, head, open, clock, ages, witness, files, others, log, .. } = opened;
        let extent = watch::channel(Extent { oldest: head.oldest, head: head.position }).0;
        Self {
            connection,
            stream,
            retention,
            head,
            open: Arc::new(RwLock::new(open)),
            clock: Arc::new(clock),
            ages,
            upkeep: Upkeep { files, log, witness, lock, is_away: false, is_forgetful: false, tried: None },
            others,
            room: Room::default(),
            work: Work::default(),
            extent,
            condition: Arc::default(),
            newest_term: watch::channel(Term::default()).0,
            surplus: false,
            retained: Instant::now(),
            commits: Arc::default(),
            recent: Arc::default(),
        }
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

    pub(super) fn log_bytes(&self) -> Arc<AtomicU64> {
        self.upkeep.log.bytes()
    }

    pub(super) fn place(&self) -> Place {
        self.upkeep.files.place()
    }

    pub(super) fn open(&self) -> Arc<RwLock<Open>> {
        Arc::clone(&self.open)
    }

    pub(super) fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.recent)
    }

    pub(super) fn extent(&self) -> watch::Receiver<Extent> {
        self.extent.subscribe()
    }

    /// What the watchdog needs: what the writer is at, and where it says that the disk hangs.
    pub(super) fn watched(&self) -> (Work, Arc<Condition>) {
        (self.work.clone(), Arc::clone(&self.condition))
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
            let request = inbox.recv_timeout(self.idle_time());
            self.work.begin();
            match request {
                Ok(first) => self.take(first, inbox),
                Err(RecvTimeoutError::Timeout) => self.idle(),
                Err(RecvTimeoutError::Disconnected) => {
                    // What has lost its name is rescued now, or never.
                    self.upkeep.try_at_once();
                    if let Err(trouble) = self.look()
                        && !self.is_down()
                    {
                        tracing::error!(why = %trouble, "the journal's files were changed before the stop");
                    }
                    if self.upkeep.files.would_be_lost() {
                        tracing::error!(
                            "the events of the journal are lost: its file was removed, and they could not be copied"
                        );
                        self.condition.set_writer(Some(Trouble::new(TroubleKind::Lost)));
                    }
                    return self.upkeep.stop(&self.connection);
                }
            }
            self.work.end();
        }
    }

    /// Looks after the files while nothing is appended.
    fn idle(&mut self) {
        let is_due = self.retain_interval().is_some_and(|interval| self.retained.elapsed() >= interval);
        let others_wrote = || self.others.have_committed(&self.connection).unwrap_or(true);
        if self.is_down() || is_due || others_wrote() || self.look().is_err() {
            return self.commit(Vec::new());
        }
        self.upkeep.tend(&self.connection, self.surplus);
    }

    /// Whether the journal's files are still those that were opened.
    fn look(&mut self) -> Result<(), Trouble> {
        self.upkeep.look(&self.connection, &self.stream, self.head)
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
        let retain = self.retain_interval().map(|interval| interval.saturating_sub(self.retained.elapsed()));
        retain.unwrap_or(LOOK).min(LOOK)
    }

    /// How often retention runs without an append.
    fn retain_interval(&self) -> Option<Duration> {
        if self.surplus {
            return Some(Duration::ZERO);
        }
        // Events become too old even if nothing is appended.
        self.retention.age.map(|age| (age / 10).clamp(Duration::from_millis(100), Duration::from_secs(60)))
    }

    fn is_down(&self) -> bool {
        self.condition.writer().is_some()
    }

    /// Runs one transaction. No append is answered and no event is visible before it is on disk.
    fn commit(&mut self, group: Vec<WaitingAppend>) {
        let (batches, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|append| (append.batch, append.reply)).unzip();
        let wanted = Room::of(&batches);
        match self.write(batches) {
            Ok(written) => {
                self.room.found(&wanted);
                self.publish(written, replies);
                self.upkeep.tend(&self.connection, self.surplus);
            }
            Err(trouble) => {
                self.room.missed(&wanted);
                let kind = self.condition.writer().as_ref().map(Trouble::kind);
                if kind != Some(trouble.kind()) {
                    tracing::error!(why = %trouble, "the journal cannot be written");
                }
                self.condition.set_writer(Some(trouble.clone()));
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
        self.recent.extend(changes.apply(&mut self.open.write()));
        if head != self.head {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        self.head = head;
        self.ages.stored(head.position, self.clock.steady());
        self.upkeep.remember(&self.stream, head);
        if self.is_down() {
            tracing::info!("the journal can be written again");
            self.condition.set_writer(None);
        }
        let extent = Extent { oldest: head.oldest, head: head.position };
        self.extent.send_if_modified(|seen| std::mem::replace(seen, extent) != extent);
        for (reply, answer) in replies.into_iter().zip(answers) {
            let _ = reply.send(answer);
        }
    }

    fn write(&mut self, batches: Vec<Batch>) -> Result<Written, Trouble> {
        self.look()?;
        let down = self.is_down();
        if down {
            self.room.check(&self.connection, self.head.position + 1)?;
        }
        // An immediate transaction waits for another writer, such as a person with a shell.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another program that writes into the file would make two events of one position.
        let found = head::load(&transaction)?;
        let Some((_, _, seal)) =
            found.filter(|(stream, head, _)| *stream == self.stream && *head == self.head)
        else {
            return Err(self.upkeep.files.ruin("another program has changed its table `head`"));
        };
        if let Some(wrong) = self.others.wrong(&transaction, &self.stream, self.head, seal, &self.work)? {
            return Err(self.upkeep.files.ruin(&wrong));
        }
        self.others.own_begins();
        let open = self.open.read();
        let mut commit = Commit {
            transaction: &transaction,
            insert: Insert::new(&transaction)?,
            open: &open,
            clock: &self.clock,
            term: *self.newest_term.borrow(),
            head: self.head,
            changes: Changes::default(),
        };
        let answers = batches.into_iter().map(|batch| commit.take(batch)).collect::<rusqlite::Result<_>>()?;
        let (mut head, changes) = commit.finish();
        let expired = self.ages.expired(&self.clock);
        let most = self.retention.events;
        self.surplus = retain(&transaction, &mut head, self.head.position, most, expired, SPELL)?;
        // While the file is marked as failed, only a write shows whether it can be written again.
        if head != self.head || down {
            head::store(&transaction, &self.stream, head)?;
            transaction.commit()?;
        }
        self.others.own_ends();
        self.retained = Instant::now();
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
