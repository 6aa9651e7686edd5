//! What is done to a journal that this process does not serve: it is checked, salvaged, backed up, and copied to another engine.

use std::path::{Path, PathBuf};

use super::memory;
#[cfg(feature = "nats")]
use super::nats::{self, StreamExport, StreamImport};
use super::open_error::OpenError;
use super::sqlite::{self, Audit, Copied, FileExport, FileImport};
use super::stop::Stop;
use super::transfer::{About, Export, Import, UNPLAYABLE};
use crate::contract::StreamId;

/// Which name the copy of a journal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// That of the journal, which nothing may have open: the positions of clients stay valid.
    Same,
    /// A new one: the journal goes on, and clients of the copy begin anew.
    New,
}

/// What a copy does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Every event is checked.
    Checks,
    /// Events are copied.
    Copies,
    /// The copy is compared with the journal.
    Compares,
}

/// How far a copy is: the phase, the events that are done and all events. It goes on if the answer is true.
pub type Progress<'a> = &'a mut dyn FnMut(Phase, u64, u64) -> bool;

/// Why a journal was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two can't be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal does not pass the checks.
    #[error("the journal does not pass its checks: {0}")]
    Unsound(String),
    /// An earlier run has begun the copy with another choice of its name.
    #[error("{} has an unfinished copy that was begun {begun} --new-stream", path.display())]
    OtherNaming {
        /// Where the copy is.
        path: PathBuf,
        /// `with` or `without`.
        begun: &'static str,
    },
    /// A server has added events in the meantime.
    #[error("the journal has gone on while it was copied")]
    Moved,
    /// The copy is not the same.
    #[error("event {0} of the copy is not the one of the journal")]
    Differs(u64),
    /// The caller has stopped it.
    #[error("the copy was interrupted")]
    Interrupted,
}

/// Whether a location is a stream on NATS, not a file.
pub fn is_stream(location: &Path) -> bool {
    #[cfg(feature = "nats")]
    return nats::claims(location);
    #[cfg(not(feature = "nats"))]
    return super::choice::is_address(location);
}

/// A location for people: a file, or the servers and the stream, without the other settings.
pub fn described(location: &Path) -> String {
    #[cfg(feature = "nats")]
    if is_stream(location) {
        return nats::described(location);
    }
    location.display().to_string()
}

/// The location by which a server opens what was copied to `into`: a file that is called `memory` has to be told from a journal
/// that is kept there.
pub fn served_as(into: &Path) -> PathBuf {
    if (memory::CHOICE.claims)(into) { Path::new(".").join(into) } else { into.to_owned() }
}

/// Checks a whole journal. Calls `progress` with the number of events checked so far and the number of all events. A server
/// may have it open in the meantime.
///
/// # Errors
/// It cannot be read at all.
pub fn audit(location: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Audit, OpenError> {
    if !is_stream(location) {
        return sqlite::audit(location, progress);
    }
    #[cfg(feature = "nats")]
    return nats::audit(location, progress);
    #[cfg(not(feature = "nats"))]
    return Err(no_nats(location));
}

/// Copies the events before the first damage into a new journal, which is a new stream.
///
/// # Errors
/// The journal cannot be read at all, or the new one already exists or cannot be written; or `stop` was wished.
pub fn salvage(from: &Path, into: &Path, stop: &Stop) -> Result<Copied, CopyError> {
    if !is_stream(from) && !is_stream(into) {
        return unless_stopped(sqlite::salvage(from, into, stop), stop);
    }
    if !is_stream(from) {
        return salvage_into_stream(from, into, stop);
    }
    let found = audit(from, &mut |_, _| {})?;
    let about = About { stream: StreamId::fresh(), oldest: found.oldest, head: found.sound_to };
    transfer(from, into, &about, found.stream.as_ref(), Naming::New, &mut |_, _, _| !stop.is_wished())
}

/// Copies what can be read of a file into a new stream. That is decided in one place: so it is copied into a file first.
fn salvage_into_stream(from: &Path, into: &Path, stop: &Stop) -> Result<Copied, CopyError> {
    let folder = ScratchFolder::new().map_err(|error| {
        let why = format!("no folder can be made beside the temporary files (TMPDIR): {error}");
        OpenError::unusable(from, why)
    })?;
    let saved = folder.0.join("saved.db");
    let copied = unless_stopped(sqlite::salvage(from, &saved, stop), stop)?;
    let about = About { stream: copied.stream.clone(), oldest: copied.oldest, head: copied.head };
    let progress: Progress<'_> = &mut |_, _, _| !stop.is_wished();
    let Copied { stream, oldest, head, .. } = transfer(&saved, into, &about, None, Naming::New, progress)?;
    Ok(Copied { stream, oldest, head, ..copied })
}

/// A folder for its owner alone, removed when dropped.
struct ScratchFolder(PathBuf);

impl ScratchFolder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("incident-salvage-{:016x}", crate::random::bits()));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a copy came to. One that was stopped has no other fault.
fn unless_stopped(copied: Result<Copied, OpenError>, stop: &Stop) -> Result<Copied, CopyError> {
    copied.map_err(|error| if stop.is_wished() { CopyError::Interrupted } else { error.into() })
}

/// Copies a sound journal, as it is at one moment, into a new one, which is a new stream. Servers may have it open.
///
/// # Errors
/// The journal cannot be read, or is damaged; or the new one has content or cannot be written; or `stop` was wished.
pub fn backup(from: &Path, into: &Path, stop: &Stop) -> Result<Copied, CopyError> {
    if !is_stream(from) && !is_stream(into) {
        return unless_stopped(sqlite::backup(from, into, stop), stop);
    }
    copy(from, into, Naming::New, &mut |_, _, _| !stop.is_wished())
}

/// Copies a journal into a new one of any engine, event for event, with the same positions, times, keys and plans, and
/// compares the two.
///
/// # Errors
/// The journal does not pass its checks, or a server has it open and the copy is to have its name; the new one has
/// content or cannot be written.
pub fn copy(from: &Path, into: &Path, naming: Naming, progress: Progress<'_>) -> Result<Copied, CopyError> {
    let mut goes_on = true;
    let found = audit(from, &mut |done, all| goes_on &= progress(Phase::Checks, done, all))?;
    if !goes_on {
        return Err(CopyError::Interrupted);
    }
    if let Some(wrong) = found.checks.iter().find_map(|checked| checked.outcome.clone().err()) {
        return Err(CopyError::Unsound(wrong));
    }
    let Some(own) = &found.stream else {
        return Err(OpenError::unusable(from, "the file is empty: there is nothing to copy").into());
    };
    let stream = if naming == Naming::Same { own.clone() } else { StreamId::fresh() };
    let about = About { stream, oldest: found.oldest, head: found.head };
    transfer(from, into, &about, Some(own), naming, progress)
}

fn transfer(
    from: &Path,
    into: &Path,
    about: &About,
    own: Option<&StreamId>,
    naming: Naming,
    progress: Progress<'_>,
) -> Result<Copied, CopyError> {
    let mut source = export(from, about)?;
    let held = |source: &mut dyn Export| match source.holder() {
        Ok(Some(holder)) if naming == Naming::Same => {
            Err(CopyError::Open(OpenError::Held { path: from.to_owned(), holder }))
        }
        held => held.map(drop).map_err(CopyError::Open),
    };
    held(source.as_mut())?;
    let of = format!("{} from {}", own.map_or("a damaged journal", StreamId::as_str), about.oldest);
    let mut target = import(from, into, about, &of)?;
    // An unfinished copy keeps the name that it was begun with. Finished with the other choice, two servers would write two
    // histories under one name, or clients would get a `reset`.
    if own.is_some_and(|own| (target.stream() == own) != (naming == Naming::Same)) {
        let begun = if naming == Naming::Same { "with" } else { "without" };
        return Err(CopyError::OtherNaming { path: into.to_owned(), begun });
    }
    let all = (about.head + 1).saturating_sub(about.oldest);
    let mut at = target.head();
    if at > about.head {
        let why =
            format!("has event {at} of an unfinished copy already, and the journal ends at {}", about.head);
        return Err(OpenError::Exists { path: into.to_owned(), what: why.into() }.into());
    }
    let mut unplayable = 0;
    loop {
        let items = source.page(at)?;
        let Some(last) = items.last() else { break };
        unplayable += items.iter().filter(|item| item.plan.as_deref() == Some(UNPLAYABLE)).count() as u64;
        at = last.stored.position;
        target.take(&items)?;
        if !progress(Phase::Copies, at + 1 - about.oldest, all) {
            return Err(CopyError::Interrupted);
        }
    }
    let over = source.over()?;
    // Both are read from the beginning.
    let mut source = export(from, about)?;
    {
        let mut copy = target.written(&over)?;
        compare(source.as_mut(), copy.as_mut(), about, progress)?;
    }
    if naming == Naming::Same {
        held(source.as_mut())?;
        // A new look at a file: the other one sees the moment at which it began.
        if export(from, about)?.newest()? > about.head {
            return Err(CopyError::Moved);
        }
    }
    let stream = target.stream().clone();
    target.finish()?;
    Ok(Copied { stream, oldest: about.oldest, head: about.head, renewed_keys: 0, unplayable })
}

fn compare(
    source: &mut dyn Export,
    copy: &mut dyn Export,
    about: &About,
    progress: Progress<'_>,
) -> Result<(), CopyError> {
    let all = (about.head + 1).saturating_sub(about.oldest);
    let (mut ours, mut theirs) = (Vec::new().into_iter(), Vec::new().into_iter());
    let mut at = about.oldest - 1;
    while at < about.head {
        if ours.len() == 0 {
            ours = source.page(at)?.into_iter();
        }
        if theirs.len() == 0 {
            theirs = copy.page(at)?.into_iter();
        }
        let (Some(one), Some(other)) = (ours.next(), theirs.next()) else {
            return Err(CopyError::Differs(at + 1));
        };
        if !one.is_same(&other) {
            return Err(CopyError::Differs(at + 1));
        }
        at += 1;
        if ours.len() == 0 && !progress(Phase::Compares, at + 1 - about.oldest, all) {
            return Err(CopyError::Interrupted);
        }
    }
    if !copy.page(at)?.is_empty() {
        return Err(CopyError::Differs(at + 1));
    }
    Ok(())
}

fn export(from: &Path, about: &About) -> Result<Box<dyn Export>, OpenError> {
    if !is_stream(from) {
        return Ok(Box::new(FileExport::open(from, about.head)?));
    }
    #[cfg(feature = "nats")]
    return Ok(Box::new(StreamExport::open(from, about.oldest, about.head)?));
    #[cfg(not(feature = "nats"))]
    return Err(no_nats(from));
}

fn import(from: &Path, into: &Path, about: &About, of: &str) -> Result<Box<dyn Import>, OpenError> {
    if !is_stream(into) {
        return Ok(Box::new(FileImport::begin(from, into, about)?));
    }
    #[cfg(feature = "nats")]
    return Ok(Box::new(StreamImport::begin(into, about, of)?));
    #[cfg(not(feature = "nats"))]
    {
        let _ = of;
        return Err(no_nats(into));
    }
}

#[cfg(not(feature = "nats"))]
fn no_nats(location: &Path) -> OpenError {
    OpenError::unusable(location, "this program was built without NATS: build it with `--features nats`")
}
