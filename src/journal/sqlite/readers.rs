//! Connections for reading. Queries run on threads of their own, because they block.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use super::super::error::{JournalError, Trouble, TroubleKind};
use super::super::log::Pending;
use super::error::unavailable;

/// The idle connections of one file, ready to be used again.
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Arc::default() }
    }

    /// Runs a query on a connection that no other query uses at the same time.
    pub(super) fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Pending<'_, T> {
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        Box::pin(async move {
            let reading = tokio::task::spawn_blocking(move || {
                let idle_connection = idle.lock().pop();
                let connection = match idle_connection {
                    Some(connection) => connection,
                    None => reader(&path).map_err(unavailable)?,
                };
                let result = query(&connection)?;
                idle.lock().push(connection);
                Ok(result)
            });
            reading.await.unwrap_or_else(|error| {
                Err(JournalError::Unavailable(Trouble::from_error(TroubleKind::Other, error)))
            })
        })
    }
}

/// Opens a connection that cannot write.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}
