//! The engine that survives: SQLite in WAL mode, every commit synchronous.
//!
//! One thread writes; all appends that wait become one transaction (group commit). Readers have connections of
//! their own. SQLite alone does not notice a flipped byte in a row or a lost tail of its WAL: every row carries a
//! checksum chained to the one before ([`chain`]), and a small file beside the database remembers the last commit
//! ([`witness`]).

mod audit;
mod chain;
mod commit;
mod events;
mod head;
mod incidents;
mod lock;
mod recent;
mod retain;
mod salvage;
mod schema;
mod walk;
mod witness;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{oneshot, watch};

use super::{Extent, Journal, JournalError, OpenIncident, Page, Pending, Record, Retention, Span, Stored};
use crate::contract::StreamId;

pub use audit::{Audit, Checked, audit};
use lock::Lock;
use recent::Recent;
pub use salvage::{Salvaged, salvage};
use writer::{Append, Writer};

/// Why a journal file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{path} is in use by {holder}")]
    Held {
        /// The file.
        path: PathBuf,
        /// What the other process said of itself.
        holder: String,
    },
    /// It was made by a newer version.
    #[error("{path} has format {found}; this version knows up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// It is damaged: events that were told to clients are not in it, or not as they were told.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It can't be opened or made.
    #[error("cannot open {path}: {why}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// A journal in a file.
pub struct Sqlite {
    stream: StreamId,
    path: PathBuf,
    extent: watch::Receiver<Extent>,
    recent: Arc<Recent>,
    health: watch::Receiver<Option<String>>,
    appends: Option<mpsc::Sender<Append>>,
    writer: Option<JoinHandle<()>>,
    /// Idle read connections.
    readers: Arc<Mutex<Vec<Connection>>>,
    pragmas: (String, i64),
    commits: Arc<AtomicU64>,
    _lock: Lock,
}

impl Sqlite {
    /// Opens a journal file, or makes it with a new stream.
    ///
    /// # Errors
    /// Another process has it, it is damaged, or it can't be used.
    pub fn open(path: &Path, retention: Retention) -> Result<Self, OpenError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| OpenError::Unusable { path: path.to_owned(), why: error.to_string() })?;
        }
        let lock = Lock::take(path)?;
        let writer = Writer::open(path, retention)?;
        let (stream, extent, health) = (writer.stream().clone(), writer.extent(), writer.health());
        let (pragmas, commits, recent) = (writer.pragmas(), writer.commits(), writer.recent());
        let (appends, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(&inbox))
            .map_err(|error| OpenError::Unusable { path: path.to_owned(), why: error.to_string() })?;
        Ok(Self {
            stream,
            path: path.to_owned(),
            extent,
            recent,
            health,
            appends: Some(appends),
            writer: Some(thread),
            readers: Arc::default(),
            pragmas,
            commits,
            _lock: lock,
        })
    }

    /// `journal_mode` and `synchronous` of the writing connection, as SQLite reports them.
    pub fn pragmas(&self) -> (String, i64) {
        self.pragmas.clone()
    }

    /// Runs a query on an idle read connection, off the runtime's threads.
    fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Pending<'_, T> {
        let (readers, path) = (Arc::clone(&self.readers), self.path.clone());
        Box::pin(async move {
            let reading = tokio::task::spawn_blocking(move || {
                let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let connection = match idle {
                    Some(connection) => connection,
                    None => reader(&path).map_err(|error| unavailable(&error))?,
                };
                let result = query(&connection)?;
                readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                Ok(result)
            });
            reading.await.unwrap_or_else(|error| Err(JournalError::Unavailable(error.to_string())))
        })
    }
}

fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

/// What SQLite reports, for people.
fn unavailable(error: &rusqlite::Error) -> JournalError {
    JournalError::Unavailable(error.to_string())
}

impl Journal for Sqlite {
    fn stream(&self) -> &StreamId {
        &self.stream
    }

    fn append(&self, batch: Vec<Record>) -> Pending<'_, Vec<u64>> {
        let (reply, answer) = oneshot::channel();
        let sent = self.appends.as_ref().is_some_and(|appends| appends.send(Append { batch, reply }).is_ok());
        Box::pin(async move {
            let gone = || JournalError::Unavailable("the journal's writer has stopped".to_owned());
            if !sent {
                return Err(gone());
            }
            answer.await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn read(&self, after: u64, page: Page) -> Pending<'_, Vec<Stored>> {
        // Never beyond what was made visible: a reader could see a commit before its followers are told.
        let Extent { oldest, head } = self.extent();
        if after + 1 >= oldest
            && let Some(events) = self.recent.read(after, head, page)
        {
            return Box::pin(async move { Ok(events) });
        }
        self.query(move |connection| events::read(connection, after, head, page))
    }

    fn extent(&self) -> Extent {
        *self.extent.borrow()
    }

    fn follow(&self) -> watch::Receiver<Extent> {
        self.extent.clone()
    }

    fn health(&self) -> watch::Receiver<Option<String>> {
        self.health.clone()
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>> {
        self.query(|connection| incidents::open(connection).map_err(|error| unavailable(&error)))
    }

    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        self.query(move |connection| {
            incidents::newest(connection, limit).map_err(|error| unavailable(&error))
        })
    }

    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        let subject = subject.to_owned();
        self.query(move |connection| incidents::of(connection, &subject).map_err(|error| unavailable(&error)))
    }
}

impl Drop for Sqlite {
    /// The writer finishes what waits and closes the file before the lock goes.
    fn drop(&mut self) {
        self.appends = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing to finish.
            let _ = writer.join();
        }
    }
}
