//! The SQLite engine: one thread that writes, any number of readers.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};

use super::super::choice::Choice;
use super::super::clock::{Clock, Times};
use super::super::error::{JournalError, Trouble, TroubleKind};
use super::super::handle::Journal;
use super::super::lease::{Lease, Term};
use super::super::log::{
    Append, Extent, Health, IncidentIndex, Leases, Log, OpenIncident, Pending, ReadLimit, Register,
    Retention, Span,
};
use super::super::open_error::OpenError;
use super::super::recent::Recent;
use super::super::record::{Appended, Batch, KeyedEvent, Stored};
use super::super::time_source::{MachineClocks, TimeSource};
use super::commit::Open;
use super::condition::Condition;
use super::error::unavailable;
use super::lock::Lock;
use super::place::{beside, real, refuse_folder, refuse_unusual};
use super::readers::Readers;

use super::writer::{Request, WaitingAppend, Writer};
use super::{events, identity, incidents, keys, open, private, strangers, watchdog};
use crate::contract::StreamId;
use crate::input_file::{self, Kind};

/// Any location that no other engine claims is a file.
pub(in crate::journal) const CHOICE: Choice = Choice {
    claims: |_| true,
    open: |file, retention| Ok(Journal::new(Sqlite::open(file, retention)?)),
    is_durable: true,
};

/// How long a start waits for a process that has the journal open: a server that is about to end, or a program that
/// looks whether there is one.
const HELD: Duration = Duration::from_secs(1);

/// How long a start waits for another program that has locked the file, as a `VACUUM` does.
const LOCKED: Duration = Duration::from_secs(10);

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// How long the end waits for the writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits for a writer that hangs already.
const HUNG: Duration = Duration::from_millis(500);

/// A journal in an SQLite file.
pub struct Sqlite {
    stream: StreamId,
    extent: watch::Receiver<Extent>,
    recent: Arc<Recent>,
    open: Arc<RwLock<Open>>,
    condition: Arc<Condition>,
    newest_term: watch::Receiver<Term>,
    requests: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
    /// Loses its sender when the writer has closed the file.
    is_done: Mutex<mpsc::Receiver<()>>,
    readers: Readers,
    pragmas: (String, i64),
    commits: Arc<AtomicU64>,
    clock: Arc<Clock>,
    log_bytes: Arc<AtomicU64>,
    warnings: Vec<String>,
    /// Released after the last connection is closed.
    _lock: Arc<Lock>,
}

/// Repeats what fails because of another process, until it succeeds or the time is over.
fn patiently<T>(most: Duration, mut attempt: impl FnMut() -> Result<T, OpenError>) -> Result<T, OpenError> {
    let until = Instant::now() + most;
    let mut is_told = false;
    loop {
        match attempt() {
            Err(error @ (OpenError::Held { .. } | OpenError::Locked { .. })) if Instant::now() < until => {
                if !is_told {
                    tracing::info!("{error}; the start waits up to {} s", most.as_secs());
                    is_told = true;
                }
                std::thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}

impl Sqlite {
    /// Opens a journal file, or creates it with a new stream.
    ///
    /// # Errors
    /// Another process has the journal open, the file is damaged or another program's, or it cannot be used.
    pub fn open(path: &Path, retention: Retention) -> Result<Self, OpenError> {
        Self::with_clocks(path, retention, Arc::new(MachineClocks::new()))
    }

    /// As [`Sqlite::open`], with a journal that reads the time from `source`.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn with_clocks(
        path: &Path,
        retention: Retention,
        source: Arc<dyn TimeSource>,
    ) -> Result<Self, OpenError> {
        let unusable = |error: std::io::Error| OpenError::unusable(path, error);
        if !path.is_dir() {
            refuse_folder(path).map_err(unusable)?;
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private::make_folder(folder).map_err(unusable)?;
        }
        let real = real(path).map_err(unusable)?;
        // Opening a pipe would wait for ever.
        if real.exists() && input_file::kind(&real).map_err(unusable)? != Kind::File {
            return Err(OpenError::unusable(path, "it is a pipe, not a file"));
        }
        refuse_unusual(&real).map_err(unusable)?;
        strangers::refuse(&real)?;
        strangers::refuse_wrong_log(&real)?;
        identity::refuse_foreign(&real)?;
        let lock_file = beside(&real, "lock");
        let is_new = !lock_file.exists();
        let lock = Arc::new(patiently(HELD, || Lock::take(&real))?);
        let clocks = source;
        let opened = patiently(LOCKED, || open::open(&real, retention, Arc::clone(&clocks)));
        let opened = opened.inspect_err(|_| {
            // Beside what is no journal nothing is left. It is removed while it is locked, so that nobody else has it.
            if is_new {
                let _ = std::fs::remove_file(&lock_file);
            }
        })?;
        let warnings = opened.warnings.clone();
        let writer = Writer::new(opened, retention, Arc::clone(&lock));
        let log_bytes = writer.log_bytes();
        let (work, condition) = writer.watched();
        let readers = Readers::new(writer.place(), lock.descriptor(), Arc::clone(&condition));
        let (stream, extent) = (writer.stream().clone(), writer.extent());
        let (pragmas, commits, recent) = (writer.pragmas(), writer.commits(), writer.recent());
        let open = writer.open();
        let (newest_term, clock) = (writer.newest_term(), writer.clock());
        let (reads, watched) = (readers.running(), Arc::clone(&condition));
        let (alive, ended) = mpsc::channel();
        std::thread::Builder::new()
            .name("journal-watch".to_owned())
            .spawn(move || watchdog::watch(&work, &reads, &watched, &ended))
            .map_err(unusable)?;
        let (requests, inbox) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                // Dropped when the writer has closed the file.
                let _alive = alive;
                writer.run(&inbox);
                drop(done);
            })
            .map_err(unusable)?;
        Ok(Self {
            stream,
            extent,
            recent,
            open,
            condition,
            newest_term,
            requests: Some(requests),
            writer: Some(thread),
            is_done: Mutex::new(is_done),
            readers,
            pragmas,
            commits,
            clock,
            log_bytes,
            warnings,
            _lock: lock,
        })
    }

    /// `journal_mode` and `synchronous` of the writing connection, as SQLite reports them.
    pub fn pragmas(&self) -> (String, i64) {
        self.pragmas.clone()
    }

    /// What was wrong with the file when it was opened, although it can be used.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The trouble of a writer whose disk hangs, if it does.
    fn hang(&self) -> Option<Trouble> {
        self.condition.writer().filter(|trouble| trouble.kind() == TroubleKind::Hung)
    }

    /// Sends a request to the writer and waits for its answer.
    fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, JournalError>>) -> Request,
    ) -> Pending<'_, T> {
        let (reply, answer) = oneshot::channel();
        let sent = self.requests.as_ref().is_some_and(|requests| requests.send(request(reply)).is_ok());
        Box::pin(async move {
            let stopped = || JournalError::Unavailable(Trouble::new(TroubleKind::Stopped));
            if !sent {
                return Err(stopped());
            }
            answer.await.unwrap_or_else(|_| Err(stopped()))
        })
    }
}

impl Append for Sqlite {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        // A writer that hangs cannot refuse, and what waits for it would only grow.
        if let Some(trouble) = self.hang() {
            return Box::pin(async move { Err(JournalError::Unavailable(trouble)) });
        }
        self.ask(|reply| Request::Append(WaitingAppend { batch, reply }))
    }
}

/// It belongs to this process alone.
impl Register for Sqlite {}

impl Leases for Sqlite {
    /// Asks the writer, so that no append under an older lease is in progress when this returns.
    fn lease(&self) -> Pending<'_, Lease> {
        let newest = self.newest_term.clone();
        let term = self.ask(Request::Lease);
        Box::pin(async move { Ok(Lease::new(term.await?, newest)) })
    }
}

impl Log for Sqlite {
    fn stream(&self) -> &StreamId {
        &self.stream
    }

    fn read(&self, after: u64, limit: ReadLimit) -> Pending<'_, Vec<Stored>> {
        // Reads only up to the visible head: the file may have a commit that followers cannot see yet.
        let Extent { oldest, head } = self.extent();
        if after + 1 >= oldest
            && let Some(events) = self.recent.read(after, head, limit)
        {
            return Box::pin(async move { Ok(events) });
        }
        self.readers.query(move |connection| events::read(connection, after, head, limit))
    }

    fn extent(&self) -> Extent {
        *self.extent.borrow()
    }

    fn follow(&self) -> watch::Receiver<Extent> {
        self.extent.clone()
    }
}

impl Health for Sqlite {
    fn health(&self) -> watch::Receiver<Option<Trouble>> {
        self.condition.subscribe()
    }

    fn unreadable(&self) -> Option<Trouble> {
        self.condition.reads()
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }
}

impl IncidentIndex for Sqlite {
    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>> {
        self.readers.query(|connection| incidents::open(connection).map_err(unavailable))
    }

    fn open_without_plan(&self) -> Pending<'_, Vec<Span>> {
        self.readers.query(|connection| incidents::open_without_plan(connection).map_err(unavailable))
    }

    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        self.readers.query(move |connection| incidents::newest(connection, limit).map_err(unavailable))
    }

    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        let subject = subject.to_owned();
        self.readers.query(move |connection| incidents::of(connection, &subject).map_err(unavailable))
    }

    fn is_taken(&self, subject: &str) -> Pending<'_, bool> {
        let subject = subject.to_owned();
        self.readers.query(move |connection| incidents::is_taken(connection, &subject).map_err(unavailable))
    }

    fn times(&self) -> Times {
        let open = self.open.read();
        self.clock.times(open.iter().map(|(subject, newest)| (subject, newest.moment)))
    }

    fn ahead_in(&self, subject: &str) -> Duration {
        let newest = self.open.read().get(subject).copied();
        self.clock.ahead_after(newest.map(|newest| newest.moment))
    }

    fn plan(&self, subject: &str) -> Pending<'_, Option<Arc<str>>> {
        let subject = subject.to_owned();
        self.readers.query(move |connection| incidents::plan(connection, &subject).map_err(unavailable))
    }

    fn keyed(&self, names: Vec<(String, String)>) -> Pending<'_, Vec<Option<KeyedEvent>>> {
        self.readers.query(move |connection| {
            // One transaction: each query alone would lock the file and unlock it again.
            let transaction = connection.unchecked_transaction().map_err(unavailable)?;
            let found = names.iter().map(|(source, id)| keys::named(&transaction, source, id));
            found.collect::<rusqlite::Result<_>>().map_err(unavailable)
        })
    }
}

impl Drop for Sqlite {
    /// The writer finishes the waiting requests and closes the file before the lock is released. A writer that hangs is left
    /// alone, with the lock, until its process ends: what it has not committed is not there, as after `kill -9`.
    fn drop(&mut self) {
        self.requests = None;
        let patience = if self.hang().is_some() { HUNG } else { PATIENCE };
        if self.is_done.lock().recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
            return tracing::error!("the journal is left as it is, because its disk does not answer");
        }
        if let Some(writer) = self.writer.take() {
            // If the writer panicked, there is nothing left to finish.
            let _ = writer.join();
        }
    }
}
