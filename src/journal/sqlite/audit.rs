//! The audit of a journal file: the whole judgement, where a start judges only the newest events of a large journal.

use std::path::Path;

use super::super::open_error::OpenError;
use super::head;
use super::head::Head;
use super::judge::{Case, Checked, Depth, judge};
use super::source::Source;
use crate::contract::StreamId;

/// The result of an audit.
#[derive(Debug)]
pub struct Audit {
    /// The stream's name; `None` if the file is empty, so that no journal has begun in it.
    pub stream: Option<StreamId>,
    /// Position of the oldest event that is kept.
    pub oldest: u64,
    /// Position of the newest.
    pub head: u64,
    /// Position of the last event before the first damage; the head if nothing is damaged.
    pub sound_to: u64,
    /// The checks, each with its result.
    pub checks: Vec<Checked>,
}

impl Audit {
    /// Whether no check failed. Then a server starts over the file, without a warning.
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|checked| checked.outcome.is_ok())
    }
}

/// Checks a whole journal file. Calls `progress` with the number of events checked so far and the number of all events.
/// A server may have the file open in the meantime.
///
/// # Errors
/// The file cannot be read at all.
pub fn audit(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Audit, OpenError> {
    of(&Source::open(path)?, path, progress)
}

/// As [`audit`], of a file that is open.
pub(super) fn of(
    source: &Source,
    path: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Audit, OpenError> {
    let remembered = source.remembered.clone();
    let Some(format) = source.format else {
        let remembered = remembered.map_err(|error| OpenError::unusable(path, error))?;
        let lost = head::lost(&source.connection, Head::EMPTY, remembered)
            .map_err(|error| OpenError::unusable(path, error))?;
        let empty = "the file is empty: `incident serve` begins a new journal in it";
        let outcome = lost.map_or_else(|| Ok(empty.to_owned()), Err);
        let checks = vec![Checked { name: "format", outcome, is_minor: false }];
        return Ok(Audit { stream: None, oldest: 1, head: 0, sound_to: 0, checks });
    };
    let (stream, head, seal) = source.head(path)?;
    let remembered = remembered.map(|remembered| remembered.of(&stream));
    let case = Case {
        connection: &source.connection,
        format,
        upgraded_from: source.upgraded_from,
        stream: &stream,
        head,
        seal,
        remembered,
        has_log: source.has_log,
        wrong_log: source.wrong_log.as_deref(),
        holder: source.holder.as_deref(),
    };
    let judged = judge(&case, Depth::Everything, progress);
    let (oldest, checks) = (head.oldest, judged.checks);
    Ok(Audit { stream: Some(stream), oldest, head: head.position, sound_to: judged.sound_to, checks })
}
