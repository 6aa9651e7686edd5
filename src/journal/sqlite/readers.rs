//! Connections that only read, off the runtime's threads. Their number is bounded: a query waits for its turn.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::super::error::{JournalError, Trouble, TroubleKind};
use super::super::log::Pending;
use super::condition::Condition;
use super::error::unavailable;
use super::place::Place;
use super::reads::Reads;

/// Queries of one file that run at the same time. Each takes a thread and the descriptors of the file and its log.
const AT_ONCE: usize = 16;

/// Idle connections that stay open to be used again; the others are closed after their query.
const IDLE: usize = 4;

/// How long a query may take while other reads hang: one whose pages are in memory is answered all the same.
const WHILE_OTHERS_HANG: Duration = Duration::from_millis(250);

/// The connections of one file.
pub(super) struct Readers {
    place: Place,
    idle: Arc<Idle>,
    turns: Arc<Semaphore>,
    running: Reads,
    condition: Arc<Condition>,
}

/// The idle connections. Every query has a reference, so that they outlive it.
struct Idle {
    connections: Mutex<Vec<Connection>>,
    /// Closed after the last connection: see `lock.rs`.
    _descriptor: Option<Arc<File>>,
}

impl Readers {
    pub(super) fn new(place: Place, descriptor: Option<Arc<File>>, condition: Arc<Condition>) -> Self {
        let idle = Arc::new(Idle { connections: Mutex::default(), _descriptor: descriptor });
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { place, idle, turns, running: Reads::default(), condition }
    }

    /// The reads that are running.
    pub(super) fn running(&self) -> Reads {
        self.running.clone()
    }

    /// Runs a query on a connection of its own, once fewer than [`AT_ONCE`] run. Once it is known that reads hang, its caller
    /// waits no longer.
    pub(super) fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Pending<'_, T> {
        let (idle, place, turns) = (Arc::clone(&self.idle), self.place.clone(), Arc::clone(&self.turns));
        let (running, condition) = (self.running.clone(), Arc::clone(&self.condition));
        let read = async move {
            // The semaphore is never closed.
            let turn = turns.acquire_owned().await.map_err(failed)?;
            let reading = tokio::task::spawn_blocking(move || {
                // Also when the caller is gone: the query counts until it has ended.
                let _turn = turn;
                let reading = running.begin();
                let used_before = idle.connections.lock().pop();
                let mut connection = match used_before {
                    Some(connection) => connection,
                    None => {
                        place.check().map_err(JournalError::Unavailable)?;
                        reader(place.path()).map_err(unavailable)?
                    }
                };
                reading.follows(&mut connection).map_err(unavailable)?;
                let result = query(&connection)?;
                drop(reading);
                let mut idle = idle.connections.lock();
                if idle.len() < IDLE {
                    idle.push(connection);
                }
                Ok(result)
            });
            reading.await.unwrap_or_else(|error| Err(failed(error)))
        };
        let hung = async move {
            tokio::time::sleep(WHILE_OTHERS_HANG).await;
            JournalError::Unavailable(condition.reads_hang().await)
        };
        Box::pin(async move {
            tokio::select! {
                biased;
                result = read => result,
                error = hung => Err(error),
            }
        })
    }
}

fn failed(error: impl Error + Send + Sync + 'static) -> JournalError {
    JournalError::Unavailable(Trouble::from_error(TroubleKind::Other, error))
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(5))?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// Keeps prepared statements as they are. Else SQLite, which is built with `STAT4`, would parse a query again whenever its
/// parameters have new values, to plan it for them: four times the cost of the queries here, each of which has one good plan.
pub(super) fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::sync::mpsc;

    use super::super::place::Stamp;
    use super::*;

    #[tokio::test]
    async fn who_waits_for_a_read_is_told_that_reads_hang_also_if_writes_hang_already() {
        let folder = std::env::temp_dir().join(format!("incident-readers-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("journal.db");
        drop(Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)"));
        let condition = Arc::new(Condition::default());
        let place = Place::new(&path, Stamp::of(&path).unwrap().id);
        let readers = Readers::new(place, None, Arc::clone(&condition));
        let hangs =
            |what: &'static str| Some(Trouble::from_error(TroubleKind::Io, std::io::Error::other(what)));
        let (goes_on, waits) = mpsc::channel::<()>();
        let read = readers.query(move |_| Ok(waits.recv().is_ok()));
        condition.set_writer(hangs("a write"));
        let told = async {
            tokio::time::sleep(2 * WHILE_OTHERS_HANG).await;
            condition.set_reads(hangs("a read"));
        };
        let (answer, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(20), read), told);
        let error = answer.expect("an answer").unwrap_err();
        assert!(format!("{error:?}").contains("a read"), "{error:?}");
        drop(goes_on);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
