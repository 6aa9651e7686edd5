//! The files of a journal that are removed, renamed, replaced or cut while a server has them open: it takes no more
//! events, says what happened, and goes on when they are put back; and no second server comes in.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use incident::contract::{Message, ServerState};
use incident::journal::{Append, Retention, Sqlite};
use serde_json::Value;

use crate::harness::{
    Client, Http, Numbers, Running, Scratch, envelope, fixture, get, incident, ms, soon, story,
};

/// A server whose log is read.
pub struct Served {
    process: Running,
    address: SocketAddr,
}

impl Served {
    pub fn over(journal: &Path) -> Self {
        Self::at(journal.parent().unwrap(), journal)
    }

    /// In a folder, in which the path of the journal may be a name only.
    fn at(folder: &Path, journal: &Path) -> Self {
        let scenarios = fixture("scenarios");
        let mut process = incident(&[
            "serve",
            "--port",
            "0",
            "--log-format",
            "json",
            "--heartbeat",
            "100ms",
            "--scenarios",
            scenarios.to_str().unwrap(),
            "--journal",
            journal.to_str().unwrap(),
        ])
        .at(folder)
        .spawn();
        let ready: Value = serde_json::from_str(&process.says("\"ready\"")).unwrap();
        let url = ready["websocket"].as_str().unwrap();
        let address = url.trim_start_matches("ws://").trim_end_matches("/ws").parse().unwrap();
        Self { process, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for a line of its log.
    pub fn says(&mut self, text: &str) -> String {
        self.process.says(text)
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(self) {
        self.process.signal("KILL");
        self.process.end();
    }

    pub async fn trigger(&self) -> crate::harness::Reply {
        Http::trigger(self.address, r#"{"scenario":"database-outage","speed":2000}"#).send().await
    }

    /// Plays an incident to its end.
    pub async fn play(&self) {
        let before = Numbers::of(self.address).await.get("incident_journal_head_position");
        assert_eq!(self.trigger().await.status, 202);
        Numbers::until(self.address, "incident_journal_head_position", before + 108.0).await;
    }

    /// Waits until `/readyz` has this status; its text.
    pub async fn until_ready(&self, status: u16) -> String {
        soon("another state", async {
            loop {
                let reply = get(self.address, "/readyz").await;
                if reply.status == status {
                    return reply.body;
                }
                tokio::time::sleep(ms(20)).await;
            }
        })
        .await
    }

    /// The reason that the next heartbeat which says `paused` gives.
    async fn until_paused(&self) -> String {
        let mut client = Client::connect(self.address, "").await;
        soon("a heartbeat that says so", async {
            loop {
                if let Message::Heartbeat(beat) = envelope(&client.text().await).message().unwrap()
                    && beat.state == ServerState::Paused
                {
                    return beat.reason.unwrap_or_default();
                }
            }
        })
        .await
    }

    pub fn stop(self) -> String {
        self.process.signal("TERM");
        let ran = self.process.end();
        let is_lost = ran.stderr.contains("the events of the journal are lost");
        assert_eq!(ran.status, Some(i32::from(is_lost)), "{}", ran.stderr);
        ran.stderr
    }
}

/// A folder with a folder for the journal in it, and another journal with fewer events.
pub async fn prepared() -> (Scratch, PathBuf) {
    let folder = Scratch::new();
    fs::create_dir(folder.path().join("state")).unwrap();
    let other = Sqlite::open(&folder.path().join("other.db"), Retention::default()).unwrap();
    other.append(story("another", 40).into()).await.unwrap();
    drop(other);
    let journal = folder.path().join("state/journal.db");
    (folder, journal)
}

pub fn beside(journal: &Path, suffix: &str) -> PathBuf {
    journal.with_file_name(format!("journal.db-{suffix}"))
}

type Change = fn(&Path);

/// What is done to a journal, what is said of it, and how it is put back, if that can be.
const CHANGES: [(&str, Change, &str, Option<Change>); 15] = [
    ("removed", |journal| fs::remove_file(journal).unwrap(), "was removed or renamed", None),
    (
        "renamed",
        |journal| fs::rename(journal, journal.with_file_name("away.db")).unwrap(),
        "was removed or renamed",
        Some(|journal| fs::rename(journal.with_file_name("away.db"), journal).unwrap()),
    ),
    (
        "replaced by another journal",
        |journal| {
            fs::rename(journal, journal.with_file_name("away.db")).unwrap();
            fs::copy(journal.with_file_name("../other.db"), journal).unwrap();
        },
        "another file is in the place of",
        Some(|journal| fs::rename(journal.with_file_name("away.db"), journal).unwrap()),
    ),
    (
        "moved with a link in its place",
        |journal| {
            fs::rename(journal, journal.with_file_name("away.db")).unwrap();
            symlink("away.db", journal).unwrap();
        },
        "another file is in the place of",
        Some(|journal| fs::rename(journal.with_file_name("away.db"), journal).unwrap()),
    ),
    (
        "with a link in the place of its log",
        |journal| {
            fs::rename(beside(journal, "wal"), beside(journal, "away")).unwrap();
            symlink("journal.db-away", beside(journal, "wal")).unwrap();
        },
        "another file is in the place of",
        Some(|journal| fs::rename(beside(journal, "away"), beside(journal, "wal")).unwrap()),
    ),
    (
        "replaced by a copy",
        |journal| {
            fs::copy(journal, journal.with_file_name("copy.db")).unwrap();
            fs::rename(journal.with_file_name("copy.db"), journal).unwrap();
        },
        "another file is in the place of",
        None,
    ),
    ("emptied", |journal| fs::write(journal, "").unwrap(), "it was truncated", None),
    (
        "cut",
        |journal| {
            let length = fs::metadata(journal).unwrap().len();
            fs::OpenOptions::new().write(true).open(journal).unwrap().set_len(length - 4096).unwrap();
        },
        "it was truncated",
        None,
    ),
    (
        "overwritten in place",
        |journal| {
            fs::write(journal, fs::read(journal.with_file_name("../other.db")).unwrap()).unwrap();
        },
        "journal.db: ",
        None,
    ),
    ("without its log", |journal| fs::remove_file(beside(journal, "wal")).unwrap(), "-wal was removed", None),
    (
        "with its log moved",
        |journal| fs::rename(beside(journal, "wal"), beside(journal, "away")).unwrap(),
        "-wal was removed or renamed",
        Some(|journal| fs::rename(beside(journal, "away"), beside(journal, "wal")).unwrap()),
    ),
    (
        "with an empty log",
        |journal| fs::write(beside(journal, "wal"), "").unwrap(),
        "-wal file was truncated",
        None,
    ),
    (
        "without the index of its log",
        |journal| fs::remove_file(beside(journal, "shm")).unwrap(),
        "-shm was removed",
        None,
    ),
    (
        "in a folder that was renamed",
        |journal| {
            fs::rename(journal.parent().unwrap(), journal.parent().unwrap().with_extension("x")).unwrap();
        },
        "the folder",
        Some(|journal| {
            fs::rename(journal.parent().unwrap().with_extension("x"), journal.parent().unwrap()).unwrap();
        }),
    ),
    (
        "in a folder that was removed",
        |journal| fs::remove_dir_all(journal.parent().unwrap()).unwrap(),
        "the folder",
        None,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_stops_the_journal_and_is_told_everywhere() {
    for (name, change, said, back) in CHANGES {
        let (_folder, journal) = prepared().await;
        let mut server = Served::over(&journal);
        server.play().await;
        change(&journal);
        println!("{name}");
        // At the next commit at the latest.
        let detail = server.trigger().await.problem(503);
        assert!(detail.contains(said), "{name}: {detail}");
        let ready = server.until_ready(503).await;
        assert!(ready.contains(said), "{name}: {ready}");
        let reason = server.until_paused().await;
        assert!(reason.contains(said), "{name}: {reason}");
        Numbers::of(server.address).await.are(&[("incident_journal_healthy", 0)]);
        let line = server.process.says("the journal cannot be written");
        assert!(line.contains(said), "{name}: {line}");
        assert_eq!(get(server.address, "/healthz").await.status, 200, "{name}");
        if let Some(back) = back {
            back(&journal);
            server.until_ready(200).await;
            server.process.says("the journal can be written again");
            server.play().await;
            let said = server.stop();
            assert!(!said.contains("another program"), "{name}: {said}");
            let ran = incident(&["check-journal", journal.to_str().unwrap(), "--json"]).run();
            assert_eq!(ran.status, Some(0), "{name}: {ran:?}");
            assert!(ran.stdout.contains("\"head\":216"), "{name}: {}", ran.stdout);
        } else {
            for _ in 0..3 {
                assert_eq!(server.trigger().await.status, 503, "{name}: it stays so");
            }
            let said = server.stop();
            let lines = said.lines().filter(|line| line.contains("the journal cannot be written"));
            assert_eq!(lines.count(), 1, "{name}: it is said once:\n{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_noticed_without_an_append() {
    let (_folder, journal) = prepared().await;
    let server = Served::over(&journal);
    server.until_ready(200).await;
    fs::rename(&journal, journal.with_file_name("away.db")).unwrap();
    server.until_ready(503).await;
    fs::rename(journal.with_file_name("away.db"), &journal).unwrap();
    server.until_ready(200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_named_without_its_folder_is_watched_alike() {
    let (_folder, journal) = prepared().await;
    let server = Served::at(journal.parent().unwrap(), Path::new("journal.db"));
    fs::rename(&journal, journal.with_file_name("away.db")).unwrap();
    let said = server.until_ready(503).await;
    assert!(said.contains("journal.db was removed or renamed"), "{said}");
    fs::rename(journal.with_file_name("away.db"), &journal).unwrap();
    server.until_ready(200).await;
    server.play().await;
}

/// Who moves the file of a running server has the whole journal, though nobody stopped in order; and what was put in its
/// place is not mixed with the old one's log.
#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_file_and_its_replacement_are_both_whole() {
    for signal in ["TERM", "KILL"] {
        let (folder, journal) = prepared().await;
        let server = Served::over(&journal);
        server.play().await;
        let away = folder.path().join("away.db");
        fs::rename(&journal, &away).unwrap();
        fs::copy(folder.path().join("other.db"), &journal).unwrap();
        fs::copy(folder.path().join("other.db-head"), beside(&journal, "head")).unwrap();
        server.until_ready(503).await;
        server.process.signal(signal);
        server.process.end();
        for (file, events) in [(&journal, 40), (&away, 108)] {
            let connection = rusqlite::Connection::open(file).unwrap();
            let found: u64 =
                connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
            let pages: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!((found, pages.as_str()), (events, "ok"), "{signal} {}", file.display());
        }
        let ran = incident(&["check-journal", journal.to_str().unwrap()]).run();
        assert_eq!(ran.status, Some(0), "{signal}: {ran:?}");
    }
}

/// The log belongs to the copy as well, and the file that the server has open is gone with the process.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_replaced_by_its_copy_loses_no_event() {
    for signal in ["TERM", "KILL"] {
        let (_folder, journal) = prepared().await;
        let server = Served::over(&journal);
        server.play().await;
        let copy = journal.with_file_name("copy.db");
        fs::copy(&journal, &copy).unwrap();
        fs::rename(&copy, &journal).unwrap();
        let said = server.until_ready(503).await;
        assert!(said.contains("with the same content: restart the server"), "{signal}: {said}");
        server.process.signal(signal);
        server.process.end();
        let ran = incident(&["check-journal", journal.to_str().unwrap(), "--json"]).run();
        assert_eq!(ran.status, Some(0), "{signal}: {ran:?}");
        assert!(ran.stdout.contains("\"head\":108"), "{signal}: {}", ran.stdout);
        Served::over(&journal).play().await;
    }
}

/// Another program that reads, checkpoints or even compacts the file changes it, and nothing of that is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn what_other_programs_may_do_stops_nothing() {
    let (_folder, journal) = prepared().await;
    let server = Served::over(&journal);
    server.play().await;
    let other = rusqlite::Connection::open(&journal).unwrap();
    other.busy_timeout(Duration::from_secs(5)).unwrap();
    for statement in [
        "PRAGMA wal_checkpoint(PASSIVE)",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "VACUUM",
        "REINDEX",
        "PRAGMA user_version = 5",
    ] {
        // Another program may be refused for a moment, as any two programs may refuse each other.
        let mut rows = other.prepare(statement).unwrap();
        let mut rows = rows.query([]).unwrap();
        while rows.next().unwrap().is_some() {}
        server.play().await;
    }
    other.execute_batch("BEGIN; CREATE TABLE notes (text); DROP TABLE notes; COMMIT").unwrap();
    other.execute_batch("BEGIN; DELETE FROM events; ROLLBACK").unwrap();
    server.play().await;
    let touched = fs::File::options().append(true).open(&journal).unwrap();
    touched.set_modified(std::time::SystemTime::now() + Duration::from_secs(60)).unwrap();
    server.play().await;
    drop(other);
    assert_eq!(get(server.address, "/readyz").await.status, 200);
    let said = server.stop();
    assert!(!said.contains("ERROR"), "{said}");
    let ran = incident(&["check-journal", journal.to_str().unwrap()]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}
