//! Lines that wait to be written, of a program that must not wait for its reader: a server whose log goes into a full pipe, or
//! into a terminal that was stopped with ctrl-S, goes on serving.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::log_limiter::Why;

/// The most bytes that wait. Further lines are dropped and counted.
const MOST: usize = 1024 * 1024;

/// What a waiting line costs besides its bytes.
const LINE: usize = 64;

/// The queue in front of a writer that may block.
pub(super) struct Backlog(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Tells the writing thread of new lines, and those who flush of its progress.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    dropped: u64,
    /// Whether a line was taken out and is not written yet.
    is_writing: bool,
}

impl Backlog {
    /// Starts the thread that writes. `lost` is called there with the number of dropped lines once those before them are
    /// written; it may push a line.
    pub(super) fn start(
        writer: impl Write + Send + 'static,
        lost: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let queue = Arc::clone(&shared);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || queue.write(writer, lost))?;
        Ok(Self(shared))
    }

    /// Adds a line, or counts it as dropped if there is no room. Never waits for the writer.
    pub(super) fn push(&self, line: Vec<u8>) {
        let mut state = self.0.state.lock();
        // Until the number of dropped lines is told, a later line would stand in the wrong place.
        if state.dropped > 0 || state.bytes + line.len() + LINE > MOST {
            state.dropped += 1;
            Why::Unread.count();
            return;
        }
        state.bytes += line.len() + LINE;
        state.lines.push_back(line);
        drop(state);
        self.0.changed.notify_all();
    }

    /// Waits until everything is written, but no longer than `most`.
    pub(super) fn flush(&self, most: Duration) {
        let end = Instant::now() + most;
        let mut state = self.0.state.lock();
        while state.is_writing || !state.lines.is_empty() || state.dropped > 0 {
            if self.0.changed.wait_until(&mut state, end).timed_out() {
                return;
            }
        }
    }
}

impl Shared {
    fn write(&self, mut writer: impl Write, lost: impl Fn(u64)) {
        loop {
            let mut state = self.state.lock();
            state.is_writing = false;
            self.changed.notify_all();
            while state.lines.is_empty() && state.dropped == 0 {
                self.changed.wait(&mut state);
            }
            state.is_writing = true;
            let Some(line) = state.lines.pop_front() else {
                let dropped = std::mem::take(&mut state.dropped);
                drop(state);
                lost(dropped);
                continue;
            };
            state.bytes -= line.len() + LINE;
            drop(state);
            // A closed stderr is no reason to stop.
            let _ = writer.write_all(&line).and_then(|()| writer.flush());
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A writer whose reader takes a line whenever the test says so.
    struct Slow {
        turns: mpsc::Receiver<()>,
        written: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            // Once the test gives no more turns, it takes everything.
            let _ = self.turns.recv();
            self.written.send(line.to_vec()).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_takes_nothing_makes_nobody_wait_and_learns_how_much_it_missed() {
        let (turn, turns) = mpsc::channel();
        let (written, read) = mpsc::channel();
        let (lost, losses) = mpsc::channel();
        let backlog =
            Backlog::start(Slow { turns, written }, move |dropped| lost.send(dropped).unwrap()).unwrap();
        let line = vec![b'x'; 1024];
        for _ in 0..5_000 {
            backlog.push(line.clone());
        }
        backlog.flush(Duration::from_millis(1));
        drop(turn);
        let dropped = losses.recv_timeout(Duration::from_secs(60)).unwrap();
        backlog.flush(Duration::from_secs(60));
        let kept = read.try_iter().count() as u64;
        assert_eq!(kept + dropped, 5_000);
        assert!(Why::Unread.counted() >= dropped, "the metrics have them too");
        // One more line than fits may have been taken out already.
        assert!((MOST / (line.len() + LINE)) as u64 + 1 >= kept && kept > 900, "{kept}");
        backlog.push(b"after".to_vec());
        backlog.flush(Duration::from_secs(60));
        assert_eq!(read.try_recv().unwrap(), b"after");
        assert!(losses.try_recv().is_err(), "it is told once");
    }
}
