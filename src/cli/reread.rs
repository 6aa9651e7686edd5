//! Files that are read again while the server runs: soon after they change, and at once on SIGHUP.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::signals::Hangups;
use crate::token::Digest;

/// The time between two checks. A change is used when two checks agree, so that a file is not used while it is being
/// written.
const CHECK_EVERY: Duration = Duration::from_millis(400);

/// Longer files are refused.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The content of a file, or why it can't be read.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Ok(read) if read as u64 > MAX_FILE_BYTES => Err(format!("it has more than {MAX_FILE_BYTES} bytes")),
        Ok(_) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

/// Files that belong together, and what was last read of them.
pub(super) struct Files {
    paths: Vec<PathBuf>,
    used: Fingerprint,
    seen: Option<Fingerprint>,
    checks: Interval,
    hangups: Hangups,
}

/// Identifies contents without keeping them, because they are secret.
type Fingerprint = Vec<Result<Digest, String>>;

fn fingerprint(contents: &[Result<Vec<u8>, String>]) -> Fingerprint {
    contents.iter().map(|read| read.as_ref().map(|bytes| Digest::of(bytes)).map_err(Clone::clone)).collect()
}

impl Files {
    /// Takes each path with the digest of what has been read of it. `None` if a path is a pipe or the like, which can
    /// be read only once. Handles SIGHUP from this call on. Must be called in a runtime.
    pub(super) fn new(files: &[(&Path, Digest)]) -> Option<Self> {
        if !files.iter().all(|(path, _)| path.is_file()) {
            return None;
        }
        let mut checks = interval(CHECK_EVERY);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Some(Self {
            paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
            used: files.iter().map(|(_, digest)| Ok(*digest)).collect(),
            seen: None,
            checks,
            hangups: Hangups::new(),
        })
    }

    /// Waits for a change or SIGHUP and returns the contents of the files, in their order.
    ///
    /// # Errors
    /// The file that can't be read, and why.
    pub(super) async fn changed(&mut self) -> Result<Vec<Vec<u8>>, String> {
        loop {
            let at_once = tokio::select! {
                _ = self.checks.tick() => false,
                () = self.hangups.next() => true,
            };
            let contents = read_all(self.paths.clone()).await;
            let now = fingerprint(&contents);
            if !at_once && (now == self.used || self.seen.as_ref() != Some(&now)) {
                self.seen = Some(now);
                continue;
            }
            self.used = now;
            let named = self.paths.iter().zip(contents);
            return named
                .map(|(path, read)| read.map_err(|why| format!("{} cannot be read ({why})", path.display())))
                .collect();
        }
    }
}

/// Reads the files on a thread of its own, because a disk may be slow.
async fn read_all(paths: Vec<PathBuf>) -> Vec<Result<Vec<u8>, String>> {
    let count = paths.len();
    let read = tokio::task::spawn_blocking(move || paths.iter().map(|path| read(path)).collect());
    read.await.unwrap_or_else(|error| vec![Err(error.to_string()); count])
}
