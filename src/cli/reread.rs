//! Files that are read again while the server runs: soon after they change, and at once on SIGHUP.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::patient_reader::{Contents, Reader};
use super::signals::Hangups;
use crate::client::Trust;
use crate::input_file::{self, Kind};
use crate::token::Digest;

/// The time between two checks. A change is used when two checks agree, so that a file is not used while it is being
/// written.
const CHECK_EVERY: Duration = Duration::from_millis(400);

/// Longer files are refused, but for those of certificates to trust.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// How long a pipe may take to be written, and how long a disk may take before a check is given up.
const READ_DEADLINE: Duration = Duration::from_secs(5);

/// What was read of each pipe, the newest if it was read more than once. `None` if it is not needed.
static OF_PIPES: Mutex<Option<BTreeMap<PathBuf, Vec<u8>>>> = Mutex::new(Some(BTreeMap::new()));

/// The files that a file names, which is in use.
static NAMED: Mutex<BTreeMap<PathBuf, Vec<PathBuf>>> = Mutex::new(BTreeMap::new());

/// What this process has read of each pipe: nobody can read it again, and a process that goes on for this one needs it.
pub(super) fn of_pipes() -> BTreeMap<PathBuf, Vec<u8>> {
    OF_PIPES.lock().clone().unwrap_or_default()
}

/// No process will go on for this one: what was read of pipes, tokens and keys, is kept no longer.
pub(super) fn forget_pipes() {
    *OF_PIPES.lock() = None;
}

/// Notes which files a file names, from which what is in use was read. What it named before is needed no more.
pub(super) fn note_named(file: &Path, names: Vec<PathBuf>) {
    NAMED.lock().insert(file.to_owned(), names);
}

/// The pipes among the files that are named in files.
pub(super) fn named_pipes() -> Vec<PathBuf> {
    let read = OF_PIPES.lock();
    let is_pipe = |path: &&PathBuf| read.as_ref().is_some_and(|read| read.contains_key(*path));
    NAMED.lock().values().flatten().filter(is_pipe).cloned().collect()
}

/// The content of a file or a pipe, or why it can't be read. Never waits longer than the deadline for a pipe.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    if kind(path)? == Kind::File {
        return content_of_file(path, MAX_FILE_BYTES);
    }
    let (reply, answer) = mpsc::channel();
    let pipe = path.to_owned();
    // Opening a pipe without a writer waits for one: if none comes, the thread ends with the process.
    std::thread::spawn(move || reply.send(contents(&pipe)));
    let read = answer
        .recv_timeout(READ_DEADLINE)
        .unwrap_or_else(|_| Err(format!("it is a pipe without content for {} s", READ_DEADLINE.as_secs())))?;
    if let Some(of_pipes) = OF_PIPES.lock().as_mut() {
        of_pipes.insert(path.to_owned(), read.clone());
    }
    Ok(read)
}

/// As [`read`], of a file with certificates to trust, which may be those of all authorities.
pub(super) fn read_certificates(path: &Path) -> Result<Vec<u8>, String> {
    if kind(path)? == Kind::File { content_of_file(path, Trust::MOST_BYTES) } else { read(path) }
}

/// The content of a pipe, or of a file.
fn contents(path: &Path) -> Result<Vec<u8>, String> {
    let read = File::open(path).and_then(|file| input_file::contents(file, MAX_FILE_BYTES));
    read.map_err(|error| error.to_string())
}

fn content_of_file(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let read = input_file::open_file(path).and_then(|file| input_file::contents(file, most));
    read.map_err(|error| error.to_string())
}

fn kind(path: &Path) -> Result<Kind, String> {
    input_file::kind(path).map_err(|error| error.to_string())
}

/// Files that belong together, and what was last read of them.
pub(super) struct Files {
    paths: Vec<PathBuf>,
    reader: Reader,
    used: Fingerprint,
    seen: Option<Fingerprint>,
    checks: Interval,
    hangups: Hangups,
}

/// Identifies contents without keeping them, because they are secret.
type Fingerprint = Vec<Result<Digest, String>>;

fn fingerprint(contents: &Contents) -> Fingerprint {
    contents.iter().map(|read| read.as_ref().map(|bytes| Digest::of(bytes)).map_err(Clone::clone)).collect()
}

impl Files {
    /// Takes each path with the digest of what has been read of it. `None` if a path is a pipe or the like, which can
    /// be read only once. Handles SIGHUP from this call on. Must be called in a runtime.
    pub(super) fn new(files: &[(&Path, Digest)]) -> Option<Self> {
        Self::with_certificates(files, &[])
    }

    /// As [`Files::new`], and with files of certificates to trust.
    pub(super) fn with_certificates(
        files: &[(&Path, Digest)],
        certificates: &[(&Path, Digest)],
    ) -> Option<Self> {
        let mut all = files.iter().chain(certificates);
        let are_files = all.all(|(path, _)| path.is_file());
        let within = |most| move |(path, digest): &(&Path, Digest)| ((*path).to_owned(), most, Ok(*digest));
        let files = files.iter().map(within(MAX_FILE_BYTES));
        let certificates = certificates.iter().map(within(Trust::MOST_BYTES));
        are_files.then(|| Self::within(files.chain(certificates).collect()))
    }

    /// As [`Files::new`], of files that are followed even if one of them can't be read at the moment.
    pub(super) fn follow(files: &[(&Path, Result<Digest, String>)]) -> Self {
        let files = files.iter().map(|(path, read)| ((*path).to_owned(), MAX_FILE_BYTES, read.clone()));
        Self::within(files.collect())
    }

    /// Follows files of at most so many bytes each.
    fn within(files: Vec<(PathBuf, u64, Result<Digest, String>)>) -> Self {
        let paths: Vec<PathBuf> = files.iter().map(|(path, ..)| path.clone()).collect();
        let mut checks = interval(CHECK_EVERY);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            reader: Reader::new(
                files.iter().map(|(path, most, _)| (path.clone(), *most)).collect(),
                READ_DEADLINE,
            ),
            paths,
            used: files.into_iter().map(|(_, _, read)| read).collect(),
            seen: None,
            checks,
            hangups: Hangups::new(),
        }
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
            let contents = self.reader.read().await;
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
