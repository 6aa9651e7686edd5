//! Files that are read again while the server runs: soon after they have changed, and at once at SIGHUP.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::signals::Hangups;
use crate::token::Digest;

/// Between two looks. What has changed is taken when two looks agree, so that a file is not read while it is being
/// written.
const LOOK: Duration = Duration::from_millis(400);

/// No such file is longer.
const FILE_BYTES: u64 = 64 * 1024;

/// What is in a file, or why that can't be said.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Ok(read) if read as u64 > FILE_BYTES => Err(format!("it has more than {FILE_BYTES} bytes")),
        Ok(_) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

/// Files that belong together, and what was taken of them.
pub(super) struct Files {
    paths: Vec<PathBuf>,
    taken: Print,
    seen: Option<Print>,
    looks: Interval,
    hangups: Hangups,
}

/// Tells contents apart and keeps none of them: they are secret.
type Print = Vec<Result<Digest, String>>;

fn print(contents: &[Result<Vec<u8>, String>]) -> Print {
    contents.iter().map(|read| read.as_ref().map(|bytes| Digest::of(bytes)).map_err(Clone::clone)).collect()
}

impl Files {
    /// With what was read of each already, as its digest. `None` if one is a pipe or the like: whoever filled it has gone. SIGHUP is
    /// heard from this call on. To be called within a runtime.
    pub(super) fn new(files: &[(&Path, Digest)]) -> Option<Self> {
        if !files.iter().all(|(path, _)| path.is_file()) {
            return None;
        }
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Some(Self {
            paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
            taken: files.iter().map(|(_, digest)| Ok(*digest)).collect(),
            seen: None,
            looks,
            hangups: Hangups::new(),
        })
    }

    /// What is in the files, in their order, when that is to be taken again.
    ///
    /// # Errors
    /// Which of them can't be read, and why.
    pub(super) async fn changed(&mut self) -> Result<Vec<Vec<u8>>, String> {
        loop {
            let at_once = tokio::select! {
                _ = self.looks.tick() => false,
                () = self.hangups.next() => true,
            };
            let contents = look(self.paths.clone()).await;
            let now = print(&contents);
            if !at_once && (now == self.taken || self.seen.as_ref() != Some(&now)) {
                self.seen = Some(now);
                continue;
            }
            self.taken = now;
            let named = self.paths.iter().zip(contents);
            return named
                .map(|(path, read)| read.map_err(|why| format!("{} cannot be read ({why})", path.display())))
                .collect();
        }
    }
}

/// Not on a thread that serves: a disk may be slow.
async fn look(paths: Vec<PathBuf>) -> Vec<Result<Vec<u8>, String>> {
    let count = paths.len();
    let read = tokio::task::spawn_blocking(move || paths.iter().map(|path| read(path)).collect());
    read.await.unwrap_or_else(|error| vec![Err(error.to_string()); count])
}
