//! The backup of a journal: a copy of one moment, while a server goes on writing.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::super::open_error::OpenError;
use super::super::stop::Stop;
use super::audit::{self, Audit};
use super::judge::WITNESS;
use super::salvage::Copied;
use super::source::Source;
use super::target::Target;
use super::{head, interrupt, running};
use crate::contract::StreamId;

/// Pages that are copied between two reports of progress.
const STEP: i32 = 1_000;

/// How long to wait when another program has locked the file for a moment.
const PAUSE: Duration = Duration::from_millis(50);

/// How often to wait.
const PATIENCE: u32 = 200;

/// Copies a journal into a new file, as it is at one moment, with SQLite's backup API. A server may have the journal open
/// and goes on writing. The copy is a new stream with a new name, because the events that follow in it, once it is
/// served, will differ from those that follow in the original. A witness file is made for it, so that a server starts
/// over it without a warning. Fails soon after `stop` is wished, and leaves nothing then.
///
/// # Errors
/// The file cannot be read, or is damaged; or the new file has content or cannot be written.
pub fn backup(path: &Path, into: &Path, stop: &Stop) -> Result<Copied, OpenError> {
    let target = Target::new(path, into)?;
    let source = Source::open(path)?;
    if let Some(wrong) = &source.wrong_log {
        return Err(OpenError::damaged(path, wrong.clone()));
    }
    if source.format.is_none() {
        return Err(OpenError::unusable(path, "the file is empty: there is nothing to copy"));
    }
    let (_, head, _) = source.head(path)?;
    let stream = StreamId::fresh();
    let unusable = |error: rusqlite::Error| OpenError::unusable(into, error);
    let copied = copy(&source.connection, target.written(), stop).and_then(|copy| {
        head::store(&copy, &stream, head)?;
        running::set(&copy, false)
    });
    copied.map_err(unusable)?;
    drop(source);
    check(target.written(), into, stop)?;
    interrupt::look(stop).map_err(unusable)?;
    target.finish(&stream, head)?;
    Ok(Copied { stream, oldest: head.oldest, head: head.position, renewed_keys: 0, unplayable: 0 })
}

/// Copies all pages. The source's connection has a snapshot open, so all pages are those of one moment, and commits in
/// the meantime do not make the copy begin anew.
pub(super) fn copy(source: &Connection, into: &Path, stop: &Stop) -> rusqlite::Result<Connection> {
    let mut copy = Connection::open(into)?;
    {
        let backup = Backup::new(source, &mut copy)?;
        let mut waited = 0;
        loop {
            interrupt::look(stop)?;
            match backup.step(STEP)? {
                StepResult::Done => break,
                StepResult::More => {}
                // `Busy` or `Locked`; the list of results is open.
                _ if waited < PATIENCE => {
                    waited += 1;
                    std::thread::sleep(PAUSE);
                }
                _ => return Err(busy()),
            }
        }
    }
    copy.pragma_update(None, "synchronous", "FULL")?;
    Ok(copy)
}

fn busy() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    rusqlite::Error::SqliteFailure(
        code,
        Some("another program has locked the journal for too long".to_owned()),
    )
}

/// Checks the copy as `check-journal` would, but for the witness file, which it does not have yet.
fn check(written: &Path, into: &Path, stop: &Stop) -> Result<(), OpenError> {
    let mut source = Source::open(written)?;
    interrupt::at(stop, &mut source.connection).map_err(|error| OpenError::unusable(into, error))?;
    let Audit { checks, .. } = audit::of(&source, written, &mut |_, _| {})?;
    let mut wrong = checks.into_iter().filter(|checked| checked.name != WITNESS);
    match wrong.find_map(|checked| checked.outcome.err()) {
        Some(wrong) => Err(OpenError::damaged(into, format!("the copy is not sound: {wrong}"))),
        None => Ok(()),
    }
}
