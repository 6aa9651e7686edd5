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
use super::judge::{Case, Depth, judge};
use super::others::Others;
use super::readers::keep_plans;
use super::wal::WriteAheadLog;
use super::witness::Witness;
use super::{identity, running, schema, times};
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
/// `is_new` says whether the file did not exist: then a witness file beside it belongs to an older one.
///
/// # Errors
/// The file is damaged, another program's, of a newer format, or cannot be used.
pub(super) fn open(
    path: &Path,
    is_new: bool,
    retention: Retention,
    source: Arc<dyn TimeSource>,
) -> Result<Opened, OpenError> {
    let sqlite = |error: rusqlite::Error| open_error(path, error);
    let has_log = running::has_log(path);
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
    let mut warnings = Vec::new();
    if found != Some(schema::VERSION) {
        schema::migrate(&mut connection, found.unwrap_or_default()).map_err(sqlite)?;
        if let Some(old) = found {
            warnings.push(format!(
                "it was upgraded from format {old} to format {}: older versions of incident cannot read it any more",
                schema::VERSION
            ));
        }
    }
    let (witness, remembered) = Witness::open(path).map_err(|error| OpenError::unusable(path, error))?;
    if found.is_none() {
        begin(&connection).map_err(sqlite)?;
    }
    let loaded = head::load(&connection).map_err(sqlite)?;
    let (stream, head, seal) = loaded.ok_or_else(|| OpenError::damaged(path, "its table `head` is empty"))?;
    let others = Others::of(&connection).map_err(sqlite)?;
    let case = Case {
        connection: &connection,
        format: schema::VERSION,
        stream: &stream,
        head,
        seal,
        remembered: Ok(remembered),
        has_log,
        holder: None,
    };
    let judged = judge(&case, Depth::Newest, &mut |_, _| {});
    if let Some(wrong) = judged.refusal(is_new) {
        return Err(OpenError::damaged(path, wrong));
    }
    if !is_new {
        warnings.extend(judged.warnings().map(str::to_owned));
    }
    for warning in &warnings {
        tracing::warn!(journal = %path.display(), "{warning}");
    }
    let stream = if judged.tail == Tail::Unknown && !is_new {
        let anew = StreamId::fresh();
        tracing::warn!(old = %stream, new = %anew, "the journal continues as a new stream");
        head::store(&connection, &anew, head).map_err(sqlite)?;
        anew
    } else {
        stream
    };
    let clock = Clock::new(source, |wall_us| times::newest(&connection, head, wall_us)).map_err(sqlite)?;
    let mut open = judged.open;
    for newest in open.values_mut() {
        newest.moment.steady = clock.steady();
    }
    let mut ages = Ages::new(retention.age);
    if ages.has_limit() {
        let samples = times::sample(&connection, head).map_err(sqlite)?;
        ages.found(&samples, clock.now().as_microsecond(), clock.steady());
    }
    connection.set_db_config(keeps_log, false).map_err(sqlite)?;
    let mut log = WriteAheadLog::of(path);
    running::set(&connection, true).map_err(sqlite)?;
    log.empty_soon(&connection);
    let files = Files::of(path, &connection).map_err(|error| OpenError::unusable(path, error))?;
    Ok(Opened { connection, stream, head, open, clock, ages, witness, files, others, log, warnings })
}

/// Begins a journal: a new stream without events.
fn begin(connection: &Connection) -> rusqlite::Result<()> {
    head::store(connection, &StreamId::fresh(), Head::EMPTY)
}
