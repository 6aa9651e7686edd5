//! The lock of a program that only reads a journal, and who keeps it out.
//!
//! SQLite keeps the newest events in a file that has the name of the database, and the index that keeps readers and the server
//! apart beside it. A server that has the same file open under another name, by a hard link or a mount of the file alone, has them
//! beside that other name: under this one the newest events are missing, and nothing is wrong with what is left. So whoever reads
//! has to know that the server which has locked the file has this name's lock file too.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lock::{By, First, Second, first, second};
use super::place::beside;

/// How long a server may take to make a lock file again that was removed: it looks every second.
const MADE_AGAIN: Duration = Duration::from_secs(5);

/// How long it may take without a log, which it has but for a moment when it starts and when it stops.
const PASSING: Duration = Duration::from_secs(1);

/// The pause between two looks, each of which leaves a descriptor open.
const PAUSE: Duration = Duration::from_millis(200);

/// A process has the journal open under another name.
pub(super) struct Elsewhere;

/// The lock of a program that only reads, held while it opens the journal, so that no server does at that moment. Several
/// such programs can have it. It makes no file and changes none: a lock file that belongs to another user would keep the
/// server from starting.
pub(super) struct Hold {
    first: Option<File>,
    second: Option<Arc<File>>,
}

/// Who has a journal open.
pub(super) struct Holder {
    pub(super) name: String,
    /// Whether the lock file beside the journal is the holder's. If it is not, the holder may have the file open under another
    /// name, with a log of its own beside that.
    pub(super) is_here: bool,
}

impl Hold {
    /// # Errors
    /// The process that has the journal open.
    pub(super) fn take(journal: &Path) -> Result<Self, Holder> {
        let (first, is_here) = match first(&beside(journal, "lock"), By::Reader) {
            Ok(First::Locked(file)) => (Some(file), false),
            Ok(First::Held(name)) => return Err(Holder { name, is_here: true }),
            // It is missing, or this user may not read it: the other lock decides. Who has a lock file has a log.
            Err(error) => (
                None,
                error.kind() != ErrorKind::NotFound && beside(journal, "wal").symlink_metadata().is_ok(),
            ),
        };
        match second(journal, By::Reader) {
            Second::Locked(file) => Ok(Self { first, second: Some(Arc::new(file)) }),
            Second::Impossible => Ok(Self { first, second: None }),
            Second::Held(name) => Err(Holder { name: name.to_owned(), is_here }),
        }
    }

    /// As [`Hold::take`], with the time that a server needs to make its lock file again, or to start or stop, if it is not
    /// known whether it has the journal open under this name.
    ///
    /// # Errors
    /// A process has the journal open under another name.
    pub(super) fn take_here(journal: &Path) -> Result<Result<Self, String>, Elsewhere> {
        let begun = Instant::now();
        loop {
            let most = if beside(journal, "wal").symlink_metadata().is_ok() { MADE_AGAIN } else { PASSING };
            match Self::take(journal) {
                Ok(hold) => return Ok(Ok(hold)),
                Err(Holder { name, is_here: true }) => return Ok(Err(name)),
                Err(_) if begun.elapsed() < most => std::thread::sleep(PAUSE),
                Err(_) => return Err(Elsewhere),
            }
        }
    }

    /// Lets servers in again. The descriptor must stay open as long as the reader's connection is: see above.
    pub(super) fn release(self) -> Option<Arc<File>> {
        self.second.clone()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        for file in self.first.iter().chain(self.second.as_deref()) {
            // A lock that cannot be released ends with the process.
            let _ = file.unlock();
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::super::open_error::OpenError;
    use super::super::lock::{Lock, READS};
    use super::*;

    fn holder<T>(taken: Result<T, OpenError>) -> String {
        match taken {
            Err(OpenError::Held { holder, .. }) => holder,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it is taken"),
        }
    }

    #[test]
    fn readers_keep_out_servers_and_not_each_other() {
        let folder = std::env::temp_dir().join(format!("incident-hold-{}", std::process::id()));
        assert!(std::fs::create_dir_all(&folder).is_ok());
        let journal = folder.join("journal.db");
        let own = format!("process {}", std::process::id());
        // Without a lock file, and with the one that a server has left.
        for _ in 0..2 {
            assert!(File::create(&journal).is_ok());
            let (Ok(one), Ok(other)) = (Hold::take(&journal), Hold::take(&journal)) else {
                panic!("both read")
            };
            assert_eq!(holder(Lock::take(&journal)), READS);
            drop((one, other));
            let Ok(lock) = Lock::take(&journal) else { panic!("nobody reads any more") };
            assert_eq!(Hold::take(&journal).err().map(|holder| holder.name), Some(own.clone()));
            assert_eq!(holder(Lock::take(&journal)), own);
            drop(lock);
        }
        let left = std::fs::read_to_string(beside(&journal, "lock"));
        assert!(left.is_ok_and(|left| left.is_empty()), "nothing has it any more");
        let _ = std::fs::remove_dir_all(&folder);
    }
}
