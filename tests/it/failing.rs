//! A disk that fails under a running server: nothing is told that is not committed, nobody is cut off, and what is
//! overdue follows when the disk is back.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use incident::contract::{Message, ServerState};
use rlimit::Resource;

use crate::harness::{Client, Http, Numbers, Scratch, Serving, envelope, get, incident, soon};

/// What a client was sent, event by event, and the last heartbeat.
struct Watcher {
    client: Client,
    frames: Vec<String>,
}

impl Watcher {
    async fn of(server: &Serving) -> Self {
        Self { client: Client::connect(server.address(), "?after=0").await, frames: Vec::new() }
    }

    /// Reads on until a heartbeat of this state; its reason.
    async fn until(&mut self, state: ServerState) -> String {
        soon("a heartbeat of that state", async {
            loop {
                let frame = self.client.text().await;
                match envelope(&frame).message().unwrap() {
                    Message::Heartbeat(beat) if beat.state == state => {
                        assert_eq!(beat.head, self.frames.len() as u64, "it names what was sent");
                        return beat.reason.unwrap_or_default();
                    }
                    Message::Heartbeat(_) => {}
                    _ => self.frames.push(frame),
                }
            }
        })
        .await
    }

    async fn until_events(&mut self, count: usize) {
        while self.frames.len() < count {
            self.frames.push(self.client.event().await.frame);
        }
    }

    async fn until_resolved(&mut self) {
        while !self.frames.last().is_some_and(|frame| frame.contains("\"incident_resolved\"")) {
            self.frames.push(self.client.event().await.frame);
        }
    }
}

/// The newest position that is committed, by another process's eyes: what a copy of the files has.
fn committed(journal: &Path) -> u64 {
    let copy = Scratch::new();
    for name in ["journal.db", "journal.db-wal"] {
        fs::copy(journal.with_file_name(name), copy.path().join(name)).unwrap();
    }
    let connection = rusqlite::Connection::open(copy.path().join("journal.db")).unwrap();
    connection.query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| row.get(0)).unwrap()
}

async fn trigger(server: &Serving) -> String {
    let reply = Http::trigger(server.address(), "{\"scenario\":\"database-outage\"}").send().await;
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn nobody_sees_an_event_whose_commit_waits() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db");
    let server = Serving::with(&["--journal", journal.to_str().unwrap(), "--heartbeat", "100ms"]);
    let mut watcher = Watcher::of(&server).await;
    // Somebody with a shell has a transaction open: the writer has to wait.
    let other = rusqlite::Connection::open(&journal).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let address = server.address();
    let request = tokio::spawn(async move {
        Http::trigger(address, "{\"scenario\":\"database-outage\"}").send().await.status
    });
    for _ in 0..6 {
        watcher.until(ServerState::Playing).await;
        assert!(watcher.frames.is_empty(), "seen before it was committed: {:?}", watcher.frames);
        assert!(!request.is_finished(), "answered before it was committed");
    }
    other.execute_batch("COMMIT").unwrap();
    watcher.until_events(1).await;
    assert!(committed(&journal) >= 1);
    assert_eq!(soon("the answer", request).await.unwrap(), 202);
}

/// One way for a disk to fail and to come back.
trait Disk {
    /// No write that makes a file grow succeeds from now on.
    fn fill(&mut self);
    fn give_back(&mut self);
}

async fn fails_and_comes_back(server: &Serving, journal: &Path, disk: &mut impl Disk) {
    let mut watcher = Watcher::of(server).await;
    let id = trigger(server).await;
    watcher.until_events(10).await;
    disk.fill();
    let reason = watcher.until(ServerState::Paused).await;
    assert!(!reason.is_empty(), "the heartbeat says why");
    let seen = watcher.frames.len();
    assert_eq!(committed(journal), seen as u64, "what was told is committed, and nothing else was told");
    let detail = get(server.address(), "/readyz").await.problem(503);
    assert!(detail.contains(&reason), "{detail}");
    assert_eq!(get(server.address(), "/healthz").await.status, 200, "it lives");
    let reply = Http::trigger(server.address(), "{\"scenario\":\"database-outage\"}").send().await;
    assert!(reply.problem(503).contains(&reason), "{reply:?}");
    let numbers = Numbers::of(server.address()).await;
    numbers.are(&[("incident_journal_healthy", 0), ("incident_journal_head_position", seen as u64)]);
    assert!(numbers.get("incident_journal_append_failures_total") >= 1.0, "{}", numbers.text);
    // It stays so, whatever becomes due, and who was there stays connected.
    for _ in 0..5 {
        watcher.until(ServerState::Paused).await;
    }
    assert_eq!(watcher.frames.len(), seen, "nothing is told that is not committed");
    disk.give_back();
    watcher.until_resolved().await;
    watcher.until(ServerState::Playing).await;
    assert_eq!(get(server.address(), "/readyz").await.status, 200);
    assert_eq!(watcher.frames.len(), 108, "all of it, each once");
    let numbers = Numbers::of(server.address()).await;
    numbers.are(&[("incident_journal_healthy", 1), ("incident_journal_events_total", 108)]);
    let late = numbers.get("incident_event_lateness_seconds_count")
        - numbers.get("incident_event_lateness_seconds_bucket{le=\"0.5\"}");
    assert!(late > 0.0, "what was overdue is counted as late");
    let late = watcher.frames.iter().filter(|frame| frame.contains("\"late_s\":")).count();
    assert!(late > 0, "what was overdue says so");
    assert!(watcher.frames.iter().all(|frame| frame.contains(&id)), "a refused trigger left nothing");
    let mut again = Client::connect(server.address(), "?after=0").await;
    let kept: Vec<String> = again.up_to(108).await.into_iter().map(|event| event.frame).collect();
    assert_eq!(kept, watcher.frames, "the journal has what was told");
}

/// The process may not make files larger than the write-ahead log is now: every append fails.
struct FileLimit {
    process: i32,
    log: PathBuf,
}

impl FileLimit {
    fn set(&self, bytes: u64) {
        let limits = Some((bytes, u64::MAX));
        rlimit::prlimit(self.process, Resource::FSIZE, limits, None).unwrap();
    }
}

impl Disk for FileLimit {
    fn fill(&mut self) {
        self.set(fs::metadata(&self.log).unwrap().len());
    }

    fn give_back(&mut self) {
        self.set(u64::MAX);
    }
}

/// Incidents of nine seconds, in which a second of a full disk is a third of a minute of incident time.
const FAST: [&str; 4] = ["--speed", "20", "--heartbeat", "300ms"];

#[tokio::test]
async fn an_io_error_holds_everything_up_and_loses_nothing() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db");
    let server = Serving::with(&[&["--journal", journal.to_str().unwrap()], &FAST[..]].concat());
    let log = folder.path().join("journal.db-wal");
    let mut disk = FileLimit { process: server.id().cast_signed(), log };
    fails_and_comes_back(&server, &journal, &mut disk).await;
}

#[tokio::test]
async fn killed_while_the_disk_fails_it_goes_on_over_a_sound_one() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db");
    let flags = [&["--journal", journal.to_str().unwrap()], &FAST[..]].concat();
    let server = Serving::with(&flags);
    let log = folder.path().join("journal.db-wal");
    let mut disk = FileLimit { process: server.id().cast_signed(), log };
    let mut watcher = Watcher::of(&server).await;
    trigger(&server).await;
    watcher.until_events(10).await;
    disk.fill();
    watcher.until(ServerState::Paused).await;
    let stream = watcher.client.opened.stream.clone();
    server.signal("KILL");
    drop(server);
    let server = Serving::with(&flags);
    let mut after = Watcher::of(&server).await;
    assert_eq!(after.client.opened.stream, stream);
    after.until_resolved().await;
    assert_eq!(after.frames.len(), 108);
    assert_eq!(after.frames[..watcher.frames.len()], watcher.frames, "what was told is there");
}

/// A file system of a few megabytes that only the server sees, in a mount namespace of its own.
struct SmallDisk {
    /// The folder as this process reaches it.
    folder: PathBuf,
}

impl Disk for SmallDisk {
    fn fill(&mut self) {
        let mut filler = File::create(self.folder.join("filler")).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn give_back(&mut self) {
        fs::remove_file(self.folder.join("filler")).unwrap();
    }
}

#[tokio::test]
#[ignore = "mounts a file system of its own (unshare, mount): ./tests/run runs this"]
async fn a_full_disk_holds_everything_up_and_loses_nothing() {
    let mounted = Scratch::new();
    let journal = mounted.path().join("journal.db");
    let mount = format!("mount -t tmpfs -o size=8m small '{}'", mounted.text());
    let server = Serving::within(&mount, &[&["--journal", journal.to_str().unwrap()], &FAST[..]].concat());
    let folder = PathBuf::from(format!("/proc/{}/root{}", server.id(), mounted.text()));
    let inside = folder.join("journal.db");
    fails_and_comes_back(&server, &inside, &mut SmallDisk { folder }).await;
}

/// No copy can be made of a journal that is removed on a full disk, under whatever name; what is tried leaves nothing behind.
#[tokio::test]
#[ignore = "mounts a file system of its own (unshare, mount): ./tests/run runs this"]
async fn a_copy_that_a_full_disk_prevents_leaves_no_file() {
    let mounted = Scratch::new();
    let journal = mounted.path().join("journal.db");
    let mount = format!("mount -t tmpfs -o size=8m small '{}'", mounted.text());
    let server = Serving::within(&mount, &[&["--journal", journal.to_str().unwrap()], &FAST[..]].concat());
    let folder = PathBuf::from(format!("/proc/{}/root{}", server.id(), mounted.text()));
    let mut disk = SmallDisk { folder: folder.clone() };
    disk.fill();
    fs::remove_file(folder.join("journal.db")).unwrap();
    let said = soon("the journal to be missed", async {
        loop {
            let reply = get(server.address(), "/readyz").await;
            if reply.body.contains("do not stop the server") {
                return reply.body;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(said.await.contains("No space left"));
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(names, ["filler", "journal.db-head", "journal.db-lock", "journal.db-shm", "journal.db-wal"]);
    // Who started the server learns that its events are lost.
    server.signal("TERM");
    assert_eq!(server.end(), Some(1));
}

#[test]
#[ignore = "mounts a file system of its own (unshare, mount): ./tests/run runs this"]
fn a_file_that_cannot_be_written_is_refused_with_the_way_out() {
    let mounted = Scratch::new();
    let journal = mounted.path().join("journal.db");
    let mount = format!("mount -t tmpfs -o ro small '{}'", mounted.text());
    let ran =
        incident(&["serve", "--port", "0", "--journal", journal.to_str().unwrap()]).within(&mount).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("Read-only file system") && ran.stderr.contains("--journal"), "{ran:?}");
}

/// A person's shell that holds the file for longer than the writer waits.
#[tokio::test]
async fn a_file_that_somebody_holds_is_no_different() {
    struct Shell(rusqlite::Connection);
    impl Disk for Shell {
        fn fill(&mut self) {
            self.0.busy_timeout(Duration::from_secs(5)).unwrap();
            self.0.execute_batch("BEGIN IMMEDIATE").unwrap();
        }
        fn give_back(&mut self) {
            self.0.execute_batch("COMMIT").unwrap();
        }
    }
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db");
    let server = Serving::with(&[&["--journal", journal.to_str().unwrap()], &FAST[..]].concat());
    let mut shell = Shell(rusqlite::Connection::open(&journal).unwrap());
    fails_and_comes_back(&server, &journal, &mut shell).await;
}
