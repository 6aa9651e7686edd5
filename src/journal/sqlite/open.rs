//! Opening a journal file for writing: judged, upgraded or begun, and marked as in use.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::super::ages::Ages;
use super::super::clock::Clock;
use super::super::log::Retention;
use super::super::open_error::OpenError;
use super::super::time_source::TimeSource;
use super::commit::Open;
use super::error::open_error;
use super::files::Files;
use super::head::{self, Head, Tail};
use super::judge::{Case, Depth, Judged, judge};
use super::others::Others;
use super::readers::keep_plans;
use super::wal::WriteAheadLog;
use super::witness::{Remembered, Witness};
use super::{identity, private, rescue, running, schema, times};
use crate::contract::StreamId;

/// An open journal file.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) stream: StreamId,
    pub(super) head: Head,
    /// The newest event of each open incident.
    pub(super) open: Open,
    pub(super) clock: Clock,
    pub(super) ages: Ages,
    pub(super) witness: Witness,
    pub(super) files: Files,
    pub(super) others: Others,
    pub(super) log: WriteAheadLog,
    /// What is wrong with the file although it can be used. It was logged.
    pub(super) warnings: Vec<String>,
}

/// Opens a journal file, or begins a journal in an empty or new one. The caller has the lock.
///
/// A start can be killed at any moment, and the next one must still be able to begin. So
/// - what makes an empty file a journal is one transaction: the tables and the row in `head`;
/// - the witness file confirms the newest event before the mark is set that a server has the journal open. A file with the
///   mark, without a log and with an empty witness file would look like a copy.
///
/// # Errors
/// The file is damaged, another program's, of a newer format, or cannot be used.
pub(super) fn open(
    path: &Path,
    retention: Retention,
    source: Arc<dyn TimeSource>,
) -> Result<Opened, OpenError> {
    let sqlite = |error: rusqlite::Error| open_error(path, error);
    step(path);
    let has_log = running::has_log(path);
    if !path.exists() {
        private::make(path).map_err(|error| OpenError::unusable(path, error))?;
    }
    let mut connection = Connection::open(path).map_err(sqlite)?;
    // A file that is refused stays as it is, with its log.
    let keeps_log = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(keeps_log, true).map_err(sqlite)?;
    keep_plans(&connection).map_err(sqlite)?;
    let found = identity::format(&connection, path)?;
    if let Some(format) = found
        && let Some(wrong) = identity::wrong(&connection, format).map_err(sqlite)?
    {
        return Err(OpenError::damaged(path, wrong));
    }
    let mode = schema::configure(&connection).map_err(sqlite)?;
    if mode != "wal" {
        let why =
            format!("its file system does not support a write-ahead log, only the journal mode {mode:?}");
        return Err(OpenError::unusable(path, why));
    }
    step(path);
    let mut warnings = Vec::new();
    let unwitnessed = |error: std::io::Error| OpenError::unusable(path, error);
    let (mut witness, remembered) = Witness::open(path).map_err(unwitnessed)?;
    step(path);
    let is_unbegun = match found {
        None => true,
        Some(format) => schema::is_unused(&connection, format).map_err(sqlite)?,
    };
    if is_unbegun && let Some(lost) = head::lost(&connection, Head::EMPTY, remembered).map_err(sqlite)? {
        return Err(OpenError::damaged(path, lost));
    }
    let older = found.filter(|format| *format != schema::VERSION);
    let accepted = match older {
        Some(older) if !is_unbegun => upgrade(&mut connection, older, path, remembered, has_log)?,
        _ => {
            if is_unbegun {
                begin(&mut connection, found.unwrap_or_default()).map_err(sqlite)?;
                warnings.extend(rescued(path));
            }
            step(path);
            accept(&connection, path, remembered, has_log, Depth::Newest)?
        }
    };
    let Accepted { stream, head, remembered, judged } = accepted;
    let others = Others::of(&connection).map_err(sqlite)?;
    warnings.extend(older.map(|older| {
        let newest = schema::VERSION;
        format!("it was upgraded from format {older} to format {newest}: older versions of incident cannot read it any more")
    }));
    warnings.extend(judged.warnings().map(str::to_owned));
    for warning in &warnings {
        tracing::warn!(journal = %path.display(), "{warning}");
    }
    // Under another name it has another witness file, which confirms nothing of what comes now. That is so of one without events, too.
    let is_unwitnessed = !is_unbegun && remembered == Remembered::Nothing;
    let stream = if judged.tail == Tail::Unknown || is_unwitnessed {
        let anew = StreamId::fresh();
        tracing::warn!(old = %stream, new = %anew, "the journal continues as a new stream");
        head::store(&connection, &anew, head).map_err(sqlite)?;
        anew
    } else {
        stream
    };
    let clock = Clock::new(source, |wall_us| times::newest(&connection, head, wall_us)).map_err(sqlite)?;
    let mut open = judged.open;
    clock.resume(open.values_mut().map(|newest| &mut newest.moment));
    let mut ages = Ages::new(retention.age);
    if ages.has_limit() {
        let samples = times::sample(&connection, head).map_err(sqlite)?;
        ages.found(&samples, clock.now().as_microsecond(), clock.steady());
    }
    witness.confirm(head.last_commit(&stream), remembered).map_err(unwitnessed)?;
    step(path);
    running::set(&connection, true).map_err(sqlite)?;
    step(path);
    // From here on the file can be used: at a clean stop it takes in its log.
    connection.set_db_config(keeps_log, false).map_err(sqlite)?;
    let mut log = WriteAheadLog::of(path);
    log.empty_soon(&connection);
    step(path);
    let files = Files::of(path, &connection).map_err(|error| OpenError::unusable(path, error))?;
    Ok(Opened { connection, stream, head, open, clock, ages, witness, files, others, log, warnings })
}

/// A journal over which a server may start.
struct Accepted {
    stream: StreamId,
    head: Head,
    /// What the witness file says of this stream.
    remembered: Remembered,
    judged: Judged,
}

/// Judges a journal of the newest format.
///
/// # Errors
/// A server must not start over it.
fn accept(
    connection: &Connection,
    path: &Path,
    remembered: Remembered,
    has_log: bool,
    depth: Depth,
) -> Result<Accepted, OpenError> {
    let loaded = head::load(connection).map_err(|error| open_error(path, error))?;
    let (stream, head, seal) = loaded.ok_or_else(|| OpenError::damaged(path, "its table `head` is empty"))?;
    let remembered = remembered.of(&stream);
    let format = schema::VERSION;
    let case = Case {
        connection,
        format,
        upgraded_from: None,
        stream: &stream,
        head,
        seal,
        remembered: Ok(remembered),
        has_log,
        // It was refused before the lock was taken.
        wrong_log: None,
        holder: None,
    };
    let judged = judge(&case, depth, &mut |_, _| {});
    if let Some(wrong) = judged.refusal() {
        return Err(OpenError::damaged(path, wrong));
    }
    Ok(Accepted { stream, head, remembered, judged })
}

/// What is to be said of a new journal if there is more of the one before it.
fn rescued(path: &Path) -> Option<String> {
    rescue::newest(path).map(|rescued| {
        format!(
            "a new journal begins, although {} has what a server rescued of the one before: stop the server, move the new one away and give \
             that file its name, to go on with it",
            rescued.display()
        )
    })
}

/// Makes the tables of the newest format, and begins a new stream without events: all of it or nothing.
fn begin(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    schema::migrate(&transaction, from)?;
    head::store(&transaction, &StreamId::fresh(), Head::EMPTY)?;
    transaction.commit()
}

/// Brings a journal of an older format to the newest one, if the whole of it is accepted in that. What is refused stays as it is,
/// because older versions can't read it any more once it is upgraded.
fn upgrade(
    connection: &mut Connection,
    older: i64,
    path: &Path,
    remembered: Remembered,
    has_log: bool,
) -> Result<Accepted, OpenError> {
    let sqlite = |error: rusqlite::Error| open_error(path, error);
    let newest = schema::VERSION;
    // A large one takes some seconds, and nothing else is said meanwhile.
    tracing::info!(journal = %path.display(), "it has the older format {older}: all of it is checked and brought to format {newest}");
    let transaction = connection.transaction().map_err(sqlite)?;
    let accepted = schema::migrate(&transaction, older)
        .map_err(sqlite)
        .and_then(|()| accept(&transaction, path, remembered, has_log, Depth::Everything));
    match accepted {
        Err(OpenError::Damaged { path, what }) => {
            let what = format!("{what}; it was not upgraded");
            Err(OpenError::Damaged { path, what })
        }
        Err(error) => Err(error),
        Ok(accepted) => {
            transaction.commit().map_err(sqlite)?;
            Ok(accepted)
        }
    }
}

/// A moment at which the process may be killed. The tests below copy the files there and start over the copies.
#[cfg(not(test))]
fn step(_: &Path) {}

#[cfg(test)]
use tests::step;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::cell::RefCell;
    use std::fs;
    use std::path::PathBuf;

    use super::super::witness::LastCommit;
    use super::*;
    use crate::journal::{Log, Sqlite};

    thread_local! {
        /// The folder into which each step copies the files, and how many steps there were.
        static COPIES: RefCell<Option<(PathBuf, usize)>> = const { RefCell::new(None) };
    }

    pub(super) fn step(journal: &Path) {
        COPIES.with_borrow_mut(|copies| {
            let Some((folder, steps)) = copies else { return };
            let copy = folder.join(format!("step-{steps}"));
            fs::create_dir_all(&copy).unwrap();
            for file in fs::read_dir(journal.parent().unwrap()).unwrap().map(Result::unwrap) {
                if file.file_type().unwrap().is_file() {
                    fs::copy(file.path(), copy.join(file.file_name())).unwrap();
                }
            }
            *steps += 1;
        });
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("incident-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Opens a journal, and starts over the files that a kill at each step would have left.
    fn killed_at_each_step(folder: &Path, journal: &Path) {
        let copies = folder.join("copies");
        COPIES.set(Some((copies.clone(), 0)));
        let opened = Sqlite::open(journal, Retention::default()).unwrap_or_else(|error| panic!("{error}"));
        let (_, steps) = COPIES.take().unwrap();
        assert_eq!((steps, opened.warnings()), (7, &[][..]));
        drop(opened);
        for step in 0..steps {
            let journal = copies.join(format!("step-{step}/journal.db"));
            let opened = Sqlite::open(&journal, Retention::default())
                .unwrap_or_else(|error| panic!("after a kill at step {step}: {error}"));
            assert_eq!((opened.extent().head, opened.warnings()), (0, &[][..]), "step {step}");
        }
    }

    #[test]
    fn a_first_start_that_is_killed_at_any_step_leaves_files_that_start() {
        let folder = folder("new");
        killed_at_each_step(&folder, &folder.join("journal.db"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn so_does_one_beside_the_witness_file_of_an_older_journal() {
        let folder = folder("stale");
        fs::write(
            folder.join("journal.db-head"),
            super::super::witness::line(LastCommit { position: 7, checksum: 1, stream: Some(3) }),
        )
        .unwrap();
        killed_at_each_step(&folder, &folder.join("journal.db"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn so_does_one_over_tables_in_which_no_journal_has_begun() {
        let folder = folder("unbegun");
        let journal = folder.join("journal.db");
        let mut connection = Connection::open(&journal).unwrap();
        schema::configure(&connection).unwrap();
        let transaction = connection.transaction().unwrap();
        schema::migrate(&transaction, 0).unwrap();
        transaction.commit().unwrap();
        drop(connection);
        killed_at_each_step(&folder, &journal);
        fs::remove_dir_all(folder).unwrap();
    }
}
