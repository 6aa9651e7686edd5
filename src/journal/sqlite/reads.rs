//! The reads that are running, and whether one of them gets anywhere: a disk that hangs keeps it in a system call.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rusqlite::Connection;

/// How many steps of SQLite's machine are one sign of progress: less than a millisecond.
const STEPS: i32 = 1_000;

/// The running reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads(Arc<Running>);

#[derive(Debug, Default)]
struct Running {
    next: AtomicU64,
    reads: Mutex<HashMap<u64, Read>>,
}

#[derive(Debug, Default)]
struct Read {
    progress: Arc<AtomicU64>,
    /// Its progress when it was looked at last, and how often it was the same since.
    before: u64,
    looks: u32,
}

/// A read that is running until this is dropped.
pub(super) struct Reading {
    id: u64,
    running: Arc<Running>,
    progress: Arc<AtomicU64>,
}

impl Reads {
    /// A read begins.
    pub(super) fn begin(&self) -> Reading {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let read = Read::default();
        let progress = Arc::clone(&read.progress);
        self.0.reads.lock().insert(id, read);
        Reading { id, running: Arc::clone(&self.0), progress }
    }

    /// Looks at each read once. Whether one has not moved in that many looks.
    pub(super) fn hang(&self, most: u32) -> bool {
        let mut reads = self.0.reads.lock();
        let hangs = |read: &mut Read| {
            let now = read.progress.load(Ordering::Relaxed);
            read.looks = if now == read.before { read.looks.saturating_add(1) } else { 0 };
            read.before = now;
            read.looks >= most
        };
        // Each is looked at.
        reads.values_mut().map(hangs).fold(false, |one, other| one | other)
    }
}

impl Reading {
    /// Long work on a connection is no hang: SQLite tells that it moves.
    pub(super) fn follows(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let progress = Arc::clone(&self.progress);
        let moves = move || {
            progress.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.progress_handler(STEPS, Some(moves))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.running.reads.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_moves_does_not_hang() {
        let reads = Reads::default();
        assert!(!reads.hang(1), "there is none");
        let (slow, moving) = (reads.begin(), reads.begin());
        for _ in 0..3 {
            moving.progress.fetch_add(1, Ordering::Relaxed);
            assert!(!reads.hang(4));
        }
        moving.progress.fetch_add(1, Ordering::Relaxed);
        assert!(reads.hang(4));
        drop(slow);
        moving.progress.fetch_add(1, Ordering::Relaxed);
        assert!(!reads.hang(4));
    }

    #[test]
    fn long_work_moves() {
        let (reads, mut connection) = (Reads::default(), Connection::open_in_memory().expect("memory"));
        let reading = reads.begin();
        reading.follows(&mut connection).expect("a handler");
        let count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT count(*) FROM n";
        connection.query_row(count, [], |row| row.get::<_, u64>(0)).expect("a count");
        assert!(reading.progress.load(Ordering::Relaxed) > 100);
    }
}
