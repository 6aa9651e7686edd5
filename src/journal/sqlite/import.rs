//! A journal file as the target of a copy. It has its name when it is complete.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::super::open_error::OpenError;
use super::super::transfer::{About, Export, Import, Item};
use super::chain::{self, Row};
use super::export::FileExport;
use super::head::{self, Head};
use super::target::Target;
use super::{events, keys, schema};
use crate::contract::{Role, StreamId};

/// A file that is being written.
pub(in crate::journal) struct FileImport {
    target: Target,
    path: PathBuf,
    /// `None` once everything is written.
    connection: Option<Connection>,
    stream: StreamId,
    head: Head,
}

impl FileImport {
    /// Begins a file for a copy of the journal at `from`.
    pub(in crate::journal) fn begin(from: &Path, path: &Path, about: &About) -> Result<Self, OpenError> {
        let target = Target::new(from, path)?;
        let begun = || {
            let mut connection = Connection::open(target.written())?;
            schema::configure(&connection)?;
            // The log of a large copy must not become as large as the copy.
            connection.pragma_update(None, "wal_autocheckpoint", 1_000)?;
            let transaction = connection.transaction()?;
            schema::migrate(&transaction, 0)?;
            transaction.commit()?;
            Ok(connection)
        };
        let connection = begun().map_err(|error: rusqlite::Error| OpenError::unusable(path, error))?;
        let (before, oldest) = (about.oldest - 1, about.oldest);
        let head = Head { position: before, checksum: chain::ORIGIN, oldest, base: chain::ORIGIN };
        let stream = about.stream.clone();
        Ok(Self { target, path: path.to_owned(), connection: Some(connection), stream, head })
    }

    fn with<T>(
        &mut self,
        write: impl FnOnce(&Connection, &mut Head) -> rusqlite::Result<T>,
    ) -> Result<T, OpenError> {
        let mut head = self.head;
        let Some(connection) = &mut self.connection else {
            return Err(OpenError::unusable(&self.path, "the copy is already complete"));
        };
        let written = connection.transaction().and_then(|transaction| {
            let result = write(&transaction, &mut head)?;
            transaction.commit()?;
            Ok(result)
        });
        self.head = head;
        written.map_err(|error| OpenError::unusable(&self.path, error))
    }
}

impl Import for FileImport {
    fn head(&self) -> u64 {
        self.head.position
    }

    fn stream(&self) -> &StreamId {
        &self.stream
    }

    fn take(&mut self, items: &[Item]) -> Result<(), OpenError> {
        self.with(|to, head| {
            for Item { stored, start, key, plan } in items {
                let row = Row {
                    position: stored.position,
                    time_us: stored.time.as_microsecond(),
                    subject: &stored.subject,
                    index: stored.index,
                    kind: stored.kind.as_str(),
                    data: stored.data.get(),
                };
                head.checksum = events::insert(to, head.checksum, &row)?;
                head.position = stored.position;
                to.prepare_cached(
                    "INSERT OR IGNORE INTO incidents (subject, start, ended, plan, plan_checksum)
                     VALUES (?1, ?2, 0, ?3, ?4)",
                )?
                .execute(params![
                    stored.subject,
                    start,
                    plan.as_deref(),
                    chain::of_plan(&stored.subject, plan.as_deref())
                ])?;
                if let Some(key) = key {
                    keys::insert(to, key, stored.position)?;
                }
                if stored.kind.role() == Role::End {
                    to.prepare_cached("UPDATE incidents SET ended = ?2 WHERE subject = ?1")?
                        .execute(params![stored.subject, stored.position])?;
                }
            }
            Ok(())
        })
    }

    fn written(&mut self, over: &[(Arc<str>, u64)]) -> Result<Box<dyn Export + '_>, OpenError> {
        let stream = self.stream.clone();
        self.with(|to, head| {
            for (subject, end) in over {
                // Where it began is not known any more, and nothing asks for it.
                to.prepare_cached(
                    "INSERT OR IGNORE INTO incidents (subject, start, ended, plan_checksum) VALUES (?1, ?2, ?2, ?3)",
                )?
                .execute(params![subject, end, chain::of_plan(subject, None)])?;
            }
            head::store(to, &stream, *head)
        })?;
        self.connection = None;
        Ok(Box::new(FileExport::of_written(self.target.written(), self.head)?))
    }

    fn finish(self: Box<Self>) -> Result<(), OpenError> {
        let Self { target, stream, head, connection, .. } = *self;
        drop(connection);
        target.finish(&stream, head)
    }
}
