//! Reads files again and again, on threads of its own, because a disk may be slow or hang. Not on the runtime's: those have to end
//! before the process does.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::input_file::{self, Kind};

/// What was read of each file, or why it was not.
pub(super) type Contents = Vec<Result<Vec<u8>, String>>;

/// After so many threads whose read has not ended it is waited for the last one. None of them reads what another one does: so they are as
/// many only if a disk hangs already when a file is opened, and then they go on when the disk does.
const MOST_GIVEN_UP: usize = 3;

/// Reads what is open, of at most so many bytes.
type Read = fn(&File, u64) -> io::Result<Vec<u8>>;

/// Reads the same files, each of at most so many bytes.
pub(super) struct Reader {
    paths: Vec<(PathBuf, u64)>,
    deadline: Duration,
    by: Read,
    worker: Worker,
    /// Threads that were given up, because a read of theirs did not end in time.
    given_up: Vec<JoinHandle<()>>,
    /// What threads read at the moment: mostly that of those that were given up.
    being_read: BeingRead,
    /// The answer that is not there yet.
    pending: Option<oneshot::Receiver<Contents>>,
}

/// A thread that reads the files as often as it is asked, until nobody can ask it.
struct Worker {
    thread: JoinHandle<()>,
    requests: mpsc::Sender<oneshot::Sender<Contents>>,
    /// Which of the files it reads.
    at: Arc<AtomicUsize>,
}

/// Device and inode: a file that takes the place of another one has others.
type Identity = (u64, u64);

type BeingRead = Arc<Mutex<HashSet<Identity>>>;

#[cfg(unix)]
fn identity(file: &File) -> io::Result<Option<Identity>> {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map(|data| Some((data.dev(), data.ino())))
}

#[cfg(not(unix))]
fn identity(_: &File) -> io::Result<Option<Identity>> {
    Ok(None)
}

impl Reader {
    /// A reader that waits for so long until it says that a file, or its disk, does not answer.
    pub(super) fn new(paths: Vec<(PathBuf, u64)>, deadline: Duration) -> Self {
        Self::reading_by(|file, most| input_file::contents(file, most), paths, deadline)
    }

    fn reading_by(by: Read, paths: Vec<(PathBuf, u64)>, deadline: Duration) -> Self {
        let being_read = Arc::default();
        let worker = Worker::new(by, &paths, deadline, &being_read);
        Self { paths, deadline, by, worker, given_up: Vec::new(), being_read, pending: None }
    }

    pub(super) async fn read(&mut self) -> Contents {
        let pending = self.pending.get_or_insert_with(|| {
            let (reply, answer) = oneshot::channel();
            // Without its thread the answer fails.
            let _ = self.worker.requests.send(reply);
            answer
        });
        if let Ok(read) = timeout(self.deadline, pending).await {
            self.pending = None;
            return read.unwrap_or_else(|error| vec![Err(error.to_string()); self.paths.len()]);
        }
        let hangs = self.worker.at.load(Ordering::Relaxed);
        // Those whose read has ended since have ended too.
        self.given_up.retain(|thread| !thread.is_finished());
        if self.given_up.len() < MOST_GIVEN_UP {
            // Something else may have taken the place of what does not answer, or will.
            let next = Worker::new(self.by, &self.paths, self.deadline, &self.being_read);
            self.given_up.push(std::mem::replace(&mut self.worker, next).thread);
            self.pending = None;
        }
        let why = |file| match self.paths.get(hangs) {
            Some((path, _)) if file != hangs => {
                format!("{}, which is read with it, does not answer", path.display())
            }
            _ => silent(self.deadline),
        };
        (0..self.paths.len()).map(|file| Err(why(file))).collect()
    }
}

impl Worker {
    fn new(by: Read, paths: &[(PathBuf, u64)], deadline: Duration, being_read: &BeingRead) -> Self {
        let (paths, being_read) = (paths.to_vec(), Arc::clone(being_read));
        let (requests, asked) = mpsc::channel::<oneshot::Sender<Contents>>();
        let at = Arc::<AtomicUsize>::default();
        let reads = Arc::clone(&at);
        let thread = std::thread::spawn(move || {
            for reply in asked {
                let read = |(file, (path, most)): (usize, &(PathBuf, u64))| {
                    // It was given up: what it would read keeps the thread waiting that has its place.
                    if reply.is_closed() {
                        return Err(silent(deadline));
                    }
                    reads.store(file, Ordering::Relaxed);
                    match content(by, path, *most, &being_read) {
                        Ok(Some(content)) => Ok(content),
                        Ok(None) => Err(silent(deadline)),
                        Err(error) => Err(error.to_string()),
                    }
                };
                let contents = paths.iter().enumerate().map(read).collect();
                // The one that asked may have given up.
                let _ = reply.send(contents);
            }
        });
        Self { thread, requests, at }
    }
}

fn silent(deadline: Duration) -> String {
    format!("it, or its disk, does not answer within {} s", deadline.as_secs())
}

/// The content of a file of at most so many bytes; `None` if a thread reads it that was given up. A pipe, which may take the place of a
/// file, is not read: it could wait for ever.
fn content(by: Read, path: &Path, most: u64, being_read: &BeingRead) -> io::Result<Option<Vec<u8>>> {
    if input_file::kind(path)? != Kind::File {
        return Err(io::Error::other("it is a pipe, which can be read only once"));
    }
    let file = input_file::open_file(path)?;
    let identity = identity(&file)?;
    if identity.is_some_and(|identity| !being_read.lock().insert(identity)) {
        return Ok(None);
    }
    // Open until it is taken out: no other file gets its inode meanwhile.
    let read = by(&file, most);
    if let Some(identity) = identity {
        being_read.lock().remove(&identity);
    }
    read.map(Some)
}

#[cfg(test)]
mod tests {
    use parking_lot::{Condvar, const_mutex};

    use super::*;

    const DEADLINE: Duration = Duration::from_millis(300);

    /// A folder of one test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("incident-{}-{test}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a folder");
            Self(folder)
        }

        /// Puts another file in the place of one.
        fn put(&self, name: &str, text: &str) -> (PathBuf, u64) {
            let (new, path) = (self.0.join("new"), self.0.join(name));
            std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &path)).expect("a file");
            (path, 100)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Whether files that say so are read.
    static IS_READABLE: Mutex<bool> = const_mutex(false);
    static CHANGED: Condvar = Condvar::new();

    fn let_read(is_readable: bool) {
        *IS_READABLE.lock() = is_readable;
        CHANGED.notify_all();
    }

    fn by(file: &File, most: u64) -> io::Result<Vec<u8>> {
        let read = input_file::contents(file, most)?;
        if read == b"hangs" {
            loop {
                std::thread::park();
            }
        }
        let mut is_readable = IS_READABLE.lock();
        while read == b"waits" && !*is_readable {
            CHANGED.wait(&mut is_readable);
        }
        Ok(read)
    }

    fn says(read: &Contents, file: usize) -> Result<&[u8], &str> {
        read[file].as_deref().map_err(String::as_str)
    }

    async fn until(reader: &mut Reader, wanted: &[u8]) {
        while says(&reader.read().await, 0) != Ok(wanted) {}
    }

    #[tokio::test]
    async fn a_file_that_is_replaced_is_read_however_long_the_one_before_it_has_hung() {
        let folder = Folder::new("replaced");
        let paths = vec![folder.put("tokens", "hangs"), folder.put("key", "a key")];
        let mut reader = Reader::reading_by(by, paths, DEADLINE);
        let read = reader.read().await;
        assert!(says(&read, 0).is_err_and(|why| why.contains("its disk, does not answer")), "{read:?}");
        assert!(says(&read, 1).is_err_and(|why| why.contains("tokens, which is read with it")), "{read:?}");
        for _ in 0..3 * MOST_GIVEN_UP {
            let read = reader.read().await;
            assert!(says(&read, 0).is_err_and(|why| why.contains("does not answer")), "{read:?}");
        }
        assert_eq!(reader.given_up.len(), 1, "what one thread waits for keeps no other one waiting");
        assert_eq!(says(&reader.read().await, 1), Ok(&b"a key"[..]), "others are read");
        folder.put("tokens", "new");
        until(&mut reader, b"new").await;
    }

    #[tokio::test]
    async fn threads_that_have_ended_count_no_longer() {
        let folder = Folder::new("ended");
        let paths = vec![folder.put("tokens", "waits")];
        let mut reader = Reader::reading_by(by, paths, DEADLINE);
        for _ in 0..MOST_GIVEN_UP + 2 {
            assert!(reader.read().await[0].is_err());
            folder.put("tokens", "waits");
        }
        assert_eq!(reader.given_up.len(), MOST_GIVEN_UP);
        let_read(true);
        until(&mut reader, b"waits").await;
        while reader.given_up.iter().any(|thread| !thread.is_finished()) {
            std::thread::yield_now();
        }
        let_read(false);
        folder.put("tokens", "waits");
        assert!(reader.read().await[0].is_err());
        assert_eq!(reader.given_up.len(), 1);
        let_read(true);
    }
}
