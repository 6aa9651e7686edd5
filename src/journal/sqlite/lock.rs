//! The lock that gives a journal to one process at a time. The operating system releases it when the process ends, even
//! after `kill -9`.
//!
//! A file beside the journal is locked and names the process. Someone may remove this file while the process runs, and
//! the next process would then lock a file of its own. Therefore a second file is locked: on Linux the database itself,
//! elsewhere the witness file, because there a lock on the whole database would shut out SQLite's own locks. The owner
//! makes a removed lock file again ([`Lock::look`]).
//!
//! SQLite's locks on a file belong to the process and end when the process closes any descriptor of this file. So the
//! descriptor of the database stays open until the last connection is closed ([`Lock::descriptor`]).

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::super::error::Trouble;
use super::super::open_error::OpenError;
use super::place::{Id, beside, changed, regular, remove_link};
use super::private;
use super::strangers::{self, first_bytes, is_lock};
use super::witness::Witness;

/// A lock, held until it is dropped.
pub(super) struct Lock {
    path: PathBuf,
    /// The lock file, and whether this process has written its number into it.
    file: Mutex<(File, bool)>,
    /// That it can't be made again was said.
    is_told: AtomicBool,
    second: Option<Arc<File>>,
}

/// Unlocks explicitly: a child process that is just being started may hold a copy of the file descriptor for a moment,
/// so closing the file alone would not release the lock.
impl Drop for Lock {
    fn drop(&mut self) {
        let (file, is_signed) = &*self.file.lock();
        // A number that is left here would be reported as the next holder's. A lock that cannot be released ends with the process.
        // Nothing is read: the disk may hang, and a server has to stop all the same.
        if *is_signed {
            let _ = file.set_len(0);
        }
        let _ = file.unlock();
        if let Some(second) = &self.second {
            let _ = second.unlock();
        }
    }
}

impl Lock {
    /// Takes the lock of a journal and writes the id of this process into the lock file. Creates the journal's file if
    /// there is none.
    pub(super) fn take(journal: &Path) -> Result<Self, OpenError> {
        let path = beside(journal, "lock");
        let unusable =
            |error: std::io::Error| OpenError::unusable(journal, format!("{}: {error}", path.display()));
        let held = |holder: &str| OpenError::Held { path: journal.to_owned(), holder: holder.to_owned() };
        let mut file = match first(&path, By::Owner).map_err(unusable)? {
            First::Locked(file) => file,
            First::Held(holder) => return Err(held(&holder)),
        };
        strangers::refuse(journal)?;
        strangers::refuse_wrong_log(journal)?;
        // The witness file beside a journal that is new belongs to an older one. It says nothing before the new file is
        // there: a start that is killed after that would leave a file that seems to have lost events.
        if !journal.exists() {
            Witness::forget(journal).map_err(|error| OpenError::unusable(journal, error))?;
        }
        let second = match second(journal, By::Owner) {
            Second::Locked(file) => Some(Arc::new(file)),
            Second::Impossible => None,
            Second::Held(holder) => return Err(held(holder)),
        };
        sign(&mut file).map_err(unusable)?;
        Ok(Self { path, file: Mutex::new((file, true)), is_told: AtomicBool::new(false), second })
    }

    /// The descriptor that must stay open as long as a connection to the database is.
    pub(super) fn descriptor(&self) -> Option<Arc<File>> {
        self.second.clone()
    }

    /// Makes the lock file again if it was removed or replaced.
    ///
    /// # Errors
    /// Another process has locked the file in its place, and nothing else keeps it out.
    pub(super) fn look(&self) -> Result<(), Trouble> {
        let mut file = self.file.lock();
        if Id::at(&self.path).is_ok_and(|at| Id::of(&file.0).is_ok_and(|own| own == at)) {
            return Ok(());
        }
        match remove_link(&self.path).and_then(|_| first(&self.path, By::Owner)) {
            Ok(First::Locked(mut again)) => {
                self.is_told.store(false, Ordering::Relaxed);
                // If it cannot be written, it is locked all the same.
                let is_signed = sign(&mut again).is_ok();
                *file = (again, is_signed);
                tracing::warn!(
                    file = %self.path.display(),
                    "the journal's lock file was removed or replaced while the server runs; the server made it again"
                );
                Ok(())
            }
            // Another process tries to start, and the second lock keeps it out.
            Ok(First::Held(_)) if self.second.is_some() => Ok(()),
            Ok(First::Held(holder)) => Err(changed(format!(
                "{} was removed, and {holder} has locked the journal",
                self.path.display()
            ))),
            // The lock on the old file holds; the next look tries again.
            Err(error) => {
                if !self.is_told.swap(true, Ordering::Relaxed) {
                    let file = self.path.display();
                    tracing::warn!(%error, %file, "cannot make the journal's lock file again; if something that is no file has its name, the next start is refused");
                }
                Ok(())
            }
        }
    }
}

/// The lock of a file that is being made.
pub(super) struct Claim {
    file: File,
    /// The lock file, if nobody needs it afterwards.
    spent: Option<PathBuf>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Removed while it is locked, so that nobody else has it.
        if let Some(spent) = &self.spent {
            let _ = std::fs::remove_file(spent);
        }
        // A lock that cannot be released ends with the process.
        let _ = self.file.unlock();
    }
}

impl Claim {
    /// Claims a name that the file does not keep, also one that a process has left behind. `None` if a process has it.
    pub(super) fn take(path: &Path) -> std::io::Result<Option<Self>> {
        Ok(match first(&beside(path, "lock"), By::Owner)? {
            First::Locked(file) => Some(Self { file, spent: None }),
            First::Held(_) => None,
        })
    }

    /// Claims the name that the file will have: neither another copy nor a server takes it meanwhile. `Err` is the process
    /// that has it.
    pub(super) fn of_name(path: &Path) -> std::io::Result<Result<Self, String>> {
        let lock = beside(path, "lock");
        let file = match first(&lock, By::Owner)? {
            First::Locked(file) => file,
            First::Held(holder) => return Ok(Err(holder)),
        };
        refuse_strange(&file)?;
        // If it can't be written, as on a full disk, it does not stay.
        let mut claim = Self { file, spent: Some(lock) };
        write_holder(&mut claim.file)?;
        Ok(Ok(claim))
    }
}

/// A process whose lock file is not beside this name, so that its number is not known.
const UNNAMED: &str = "another process, which has it open under another name or whose lock file was removed";

/// Programs that only read write nothing into the lock file.
pub(super) const READS: &str = "a command that reads it";

/// Who locks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A server, which makes the files that are missing.
    Owner,
    /// A program that only reads.
    Reader,
}

impl By {
    /// Readers keep out servers, not each other.
    fn lock(self, file: &File) -> Result<(), TryLockError> {
        match self {
            Self::Owner => file.try_lock(),
            Self::Reader => file.try_lock_shared(),
        }
    }

    /// Whether those who keep this one out only read.
    fn waits_for_readers(self, file: &File) -> bool {
        self == Self::Owner && file.try_lock_shared().is_ok() && file.unlock().is_ok()
    }
}

pub(super) enum First {
    Locked(File),
    Held(String),
}

/// Locks the lock file.
pub(super) fn first(path: &Path, by: By) -> std::io::Result<First> {
    let is_owner = by == By::Owner;
    loop {
        // Through a link another file would be locked, again and again.
        regular(path)?;
        let mut file = private::options().read(true).write(is_owner).create(is_owner).open(path)?;
        match by.lock(&file) {
            // The file may have been removed between the two calls: then another process may lock another one.
            Ok(()) if Id::at(path).is_ok_and(|at| Id::of(&file).is_ok_and(|own| own == at)) => {
                return Ok(First::Locked(file));
            }
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if by.waits_for_readers(&file) => {
                return Ok(First::Held(READS.to_owned()));
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The lock is held even if its holder has written nothing.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { "another process" } else { holder };
                return Ok(First::Held(holder.to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether an open lock file has what a lock file has.
fn is_own(mut file: &File) -> std::io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    Ok(is_lock(&first_bytes(file)))
}

/// Writes the id of this process into the lock file.
fn sign(file: &mut File) -> std::io::Result<()> {
    refuse_strange(file)?;
    write_holder(file)
}

/// Refuses to write into what is no lock file.
fn refuse_strange(file: &File) -> std::io::Result<()> {
    if is_own(file)? {
        return Ok(());
    }
    Err(std::io::Error::other("it is not a lock file of a journal: move it away"))
}

fn write_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(format!("process {}\n", std::process::id()).as_bytes())
}

pub(super) enum Second {
    Locked(File),
    /// Another process has it, as it is said here.
    Held(&'static str),
    /// The file or its file system has no locks of this kind.
    Impossible,
}

pub(super) fn second(journal: &Path, by: By) -> Second {
    let path = if cfg!(target_os = "linux") { journal.to_owned() } else { beside(journal, "head") };
    // Windows keeps everyone out of a locked file, also its owner's other descriptors; but an open file cannot be
    // removed there.
    if cfg!(not(unix)) {
        return Second::Impossible;
    }
    let opened = File::open(&path).or_else(|error| match by {
        By::Owner => private::options().read(true).open(&path),
        By::Reader => Err(error),
    });
    let Ok(file) = opened else { return Second::Impossible };
    match by.lock(&file) {
        Ok(()) => Second::Locked(file),
        Err(TryLockError::WouldBlock) => {
            let holder = if by.waits_for_readers(&file) { READS } else { UNNAMED };
            // If the other owner is in this process, closing the file would end SQLite's locks on it.
            std::mem::forget(file);
            Second::Held(holder)
        }
        Err(TryLockError::Error(_)) => Second::Impossible,
    }
}
