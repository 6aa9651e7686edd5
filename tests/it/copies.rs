//! Copies of a journal in use: a backup is whole and serves, a copy without its write-ahead log is noticed, and the log
//! stays small enough to be copied, though another program reads for long.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use incident::journal::{Append, Log, OpenError, ReadLimit, Retention, Sqlite, Stop, backup};
use serde_json::Value;

use crate::harness::{
    Client, Numbers, Ran, Running, Scratch, Serving, fixture, incident, metrics, soon, started, story,
};

fn check(file: &Path, args: &[&str]) -> Ran {
    incident(&[&["check-journal", file.to_str().unwrap()], args].concat()).run()
}

fn beside(journal: &Path, suffix: &str) -> PathBuf {
    journal.with_file_name(format!("{}-{suffix}", journal.file_name().unwrap().to_str().unwrap()))
}

/// Everything that a server says at its start, which is then stopped in order.
fn log_of_a_start(journal: &Path) -> String {
    let mut server =
        incident(&["serve", "--port", "0", "--log-format", "json", "--journal", journal.to_str().unwrap()])
            .spawn();
    server.says("\"ready\"");
    server.signal("TERM");
    let ran = server.end();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    ran.stderr
}

/// A server in the middle of an incident.
async fn playing(journal: &Path) -> Serving {
    let server = Serving::with(&["--journal", journal.to_str().unwrap(), "--seed", "42"]);
    let ran = server.incident(&["trigger", "database-outage", "--speed", "2000", "--quiet"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let ran = server.incident(&["trigger", "database-outage", "--speed", "30", "--no-wait"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    Client::connect(server.address(), "?after=0").await.up_to(130).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_journal_in_use_passes_and_serves_without_a_warning() {
    let (folder, backups) = (Scratch::new(), Scratch::new());
    let (journal, copy) = (folder.path().join("journal.db"), backups.path().join("copy.db"));
    let server = playing(&journal).await;
    let ran = check(&journal, &["--backup", copy.to_str().unwrap()]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains(&format!("were copied to {}", copy.display())), "{ran:?}");
    let mut names: Vec<_> =
        fs::read_dir(backups.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["copy.db", "copy.db-head"], "nothing else is left");

    let again = check(&journal, &["--backup", copy.to_str().unwrap()]);
    assert_eq!(again.status, Some(2), "{again:?}");
    assert!(again.stderr.contains("already exists") && again.stderr.contains("remove this one"), "{again:?}");
    let onto = check(&journal, &["--backup", journal.to_str().unwrap()]);
    assert_eq!(onto.status, Some(2), "nor over itself: {onto:?}");
    assert!(onto.stderr.contains("is the journal itself") && !onto.stderr.contains("remove"), "{onto:?}");
    let folder_name = check(&journal, &["--backup", backups.text()]);
    assert!(folder_name.status == Some(2) && folder_name.stderr.contains("is a folder"), "{folder_name:?}");
    let nowhere = check(&journal, &["--backup", backups.path().join("no/where.db").to_str().unwrap()]);
    assert_eq!(nowhere.status, Some(2), "{nowhere:?}");
    assert!(nowhere.stderr.contains("name a new file in a folder that can be written"), "{nowhere:?}");

    let ran = check(&copy, &[]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    server.signal("TERM");
    server.end();
    // Restored: the companions of the lost journal go with it.
    let lost = folder.path().join("lost");
    fs::create_dir(&lost).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            fs::rename(entry.path(), lost.join(entry.file_name())).unwrap();
        }
    }
    fs::rename(&copy, &journal).unwrap();
    fs::rename(beside(&copy, "head"), beside(&journal, "head")).unwrap();
    let said = log_of_a_start(&journal);
    assert!(!said.contains("\"WARN\"") && !said.contains("\"ERROR\""), "{said}");
    let server = Serving::with(&["--journal", journal.to_str().unwrap()]);
    let events = Client::connect(server.address(), "?after=0").await.up_to(216).await;
    assert!(events[215].frame.contains("incident_resolved"), "the open incident goes on by its plan");
}

/// A writer that never pauses: the copy is that of one moment, with no event missing in the middle.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_of_one_moment() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let journal = Arc::new(Sqlite::open(&file, Retention::default()).unwrap());
    journal.append(story("before", 1_200).into()).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (journal, over) = (Arc::clone(&journal), Arc::clone(&over));
        async move {
            journal.append(started("meanwhile").into()).await.unwrap();
            let mut index = 1;
            while !over.load(Ordering::Relaxed) {
                index += 1;
                journal.append(metrics("meanwhile", index).into()).await.unwrap();
            }
        }
    });
    for number in 0..2 {
        let copy = folder.path().join(format!("copy-{number}.db"));
        let ran = check(&file, &["--backup", copy.to_str().unwrap()]);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        let copied = Sqlite::open(&copy, Retention::default()).unwrap();
        assert_eq!(copied.warnings(), [""; 0]);
        assert_ne!(copied.stream(), journal.stream());
        let head = copied.extent().head;
        let (left, right) =
            (copied.read(0, ReadLimit::ALL).await.unwrap(), journal.read(0, ReadLimit::ALL).await.unwrap());
        assert_eq!(left.len() as u64, head);
        let text = |events: &[incident::journal::Stored]| {
            events[..head as usize].iter().map(|event| event.encode(journal.stream())).collect::<Vec<_>>()
        };
        assert!(text(&left) == text(&right), "byte for byte what the journal has");
    }
    over.store(true, Ordering::Relaxed);
    writing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_gets_no_backup() {
    let folder = Scratch::new();
    let (file, copy) = (folder.path().join("journal.db"), folder.path().join("copy.db"));
    let journal = Sqlite::open(&file, Retention::default()).unwrap();
    journal.append(story("a", 30).into()).await.unwrap();
    drop(journal);
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch("DELETE FROM events WHERE position = 7")
        .unwrap();
    let ran = check(&file, &["--backup", copy.to_str().unwrap()]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("--salvage") && !copy.exists(), "{ran:?}");
    assert!(backup(&file, &copy, &Stop::default()).is_err() && !copy.exists());
    let both = check(&file, &["--backup", "a.db", "--salvage", "b.db"]);
    assert_eq!(both.status, Some(2), "{both:?}");
}

/// A new file gets its name by a rename, which would replace a device that other programs need.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_replaces_nothing_that_has_the_name() {
    let (folder, targets) = (Scratch::new(), Scratch::new());
    let file = folder.path().join("journal.db");
    let journal = Sqlite::open(&file, Retention::default()).unwrap();
    journal.append(story("a", 30).into()).await.unwrap();
    drop(journal);
    let at = |name: &str| targets.path().join(name);
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    pipe(&at("pipe"));
    drop(UnixListener::bind(at("socket")).unwrap());
    fs::write(at("empty"), "").unwrap();
    fs::write(at("full"), "mine").unwrap();
    for (link, to) in
        [("dangling", "nowhere"), ("linked", "empty"), ("device", "/dev/null"), ("to-pipe", "pipe")]
    {
        symlink(to, at(link)).unwrap();
    }
    pipe(&at("witness-head"));
    symlink("nowhere", at("log-wal")).unwrap();
    for option in ["--backup", "--salvage"] {
        for (name, said) in [
            ("pipe", "is no regular file"),
            ("socket", "is no regular file"),
            ("dangling", "is a link"),
            ("linked", "is a link"),
            ("device", "is a link"),
            ("to-pipe", "is a link"),
            ("full", "already exists"),
            ("witness", "witness-head is no regular file"),
            ("log", "log-wal already exists"),
        ] {
            let kind = || at(name).symlink_metadata().ok().map(|found| (found.file_type(), found.len()));
            let before = kind();
            let ran = check(&file, &[option, at(name).to_str().unwrap()]);
            assert_eq!(ran.status, Some(2), "{option} {name}: {ran:?}");
            assert!(ran.stderr.contains(said) && ran.stderr.contains("name another file"), "{name}: {ran:?}");
            assert_eq!(kind(), before, "{option} {name}");
        }
        assert_eq!(fs::read_dir(targets.path()).unwrap().count(), 10, "nothing else is left");
        assert_eq!(fs::metadata(at("empty")).unwrap().len(), 0);
    }
    let ran = check(&file, &["--backup", at("empty").to_str().unwrap()]);
    assert_eq!(ran.status, Some(0), "an empty file is as good as none: {ran:?}");
}

/// Today's events are in the log: the database alone would start with none of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_without_its_log_is_refused() {
    let (folder, copies) = (Scratch::new(), Scratch::new());
    let (journal, copy) = (folder.path().join("journal.db"), copies.path().join("journal.db"));
    let server = playing(&journal).await;
    fs::copy(&journal, &copy).unwrap();
    for _ in 0..2 {
        let ran = incident(&["serve", "--port", "0", "--journal", copy.to_str().unwrap()]).run();
        assert_eq!(ran.status, Some(3), "{ran:?}");
        for piece in ["without the -wal file", "check-journal", "--salvage"] {
            assert!(ran.stderr.contains(piece), "{piece}: {ran:?}");
        }
        let ran = check(&copy, &[]);
        assert_eq!(ran.status, Some(5), "{ran:?}");
        assert!(ran.stdout.contains("FAIL log") && ran.stdout.contains("without the -wal file"), "{ran:?}");
    }
    // With the companion it is whole; without the witness file it goes on as a new stream, as any copy does.
    fs::copy(&journal, &copy).unwrap();
    fs::copy(beside(&journal, "wal"), beside(&copy, "wal")).unwrap();
    fs::remove_file(beside(&copy, "head")).ok();
    let copied = Sqlite::open(&copy, Retention::default()).unwrap();
    assert!(copied.extent().head >= 130, "{:?}", copied.extent());
    // With the witness file and without the log, it is known what is missing.
    let third = copies.path().join("third.db");
    fs::copy(&journal, &third).unwrap();
    fs::copy(beside(&journal, "head"), beside(&third, "head")).unwrap();
    match Sqlite::open(&third, Retention::default()) {
        Err(OpenError::Damaged { what, .. }) => {
            assert!(what.contains("were published and are missing"), "{what}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started with {:?}", "fewer events than were published"),
    }
    drop(server);
}

/// After a crash a person may look with a shell, which moves the log into the file and removes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_journal_starts_whatever_became_of_its_log() {
    for look in [false, true] {
        let folder = Scratch::new();
        let journal = folder.path().join("journal.db");
        let server = playing(&journal).await;
        server.signal("KILL");
        drop(server);
        if look {
            let shell = rusqlite::Connection::open(&journal).unwrap();
            let found: u64 = shell.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
            assert!(found >= 130);
            drop(shell);
            assert!(!beside(&journal, "wal").exists());
        }
        assert_eq!(check(&journal, &[]).status, Some(0));
        let said = log_of_a_start(&journal);
        assert!(!said.contains("\"WARN\""), "{said}");
        // And a copy of it, after it was stopped, needs nothing beside it.
        let copy = folder.path().join("alone.db");
        fs::copy(&journal, &copy).unwrap();
        let copied = Sqlite::open(&copy, Retention::default()).unwrap();
        assert!(copied.extent().head >= 130);
    }
}

/// A shell that holds a snapshot keeps the log from being emptied: one line says so, one says that it is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_grows_is_told_and_shrinks() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db");
    let scenarios = fixture("scenarios");
    let mut server = incident(&[
        "serve",
        "--port",
        "0",
        "--log-format",
        "json",
        "--scenarios",
        scenarios.to_str().unwrap(),
        "--journal",
        journal.to_str().unwrap(),
    ])
    .spawn();
    let ready: Value = serde_json::from_str(&server.says("\"ready\"")).unwrap();
    let url = ready["websocket"].as_str().unwrap().to_owned();
    let address = url.trim_start_matches("ws://").trim_end_matches("/ws").parse().unwrap();
    let bytes = "incident_journal_wal_bytes";
    assert!(Numbers::of(address).await.get(bytes) < 1e6);
    let reader = rusqlite::Connection::open(&journal).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let before: u64 = reader.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
    // Another program's pages grow the log as the server's do, and faster.
    let writer = rusqlite::Connection::open(&journal).unwrap();
    writer.execute_batch("CREATE TABLE notes (text); INSERT INTO notes VALUES (zeroblob(40000000))").unwrap();
    writer.execute_batch("DROP TABLE notes").unwrap();
    drop(writer);
    let play = || trigger(&url);
    play();
    let line = server.says("has grown large");
    assert!(line.contains("\"WARN\"") && line.contains("another program"), "{line}");
    let grown = Numbers::until(address, "incident_incidents_open", 0.0).await.get(bytes);
    assert!(grown > 32e6, "{grown}");
    for _ in 0..3 {
        play();
    }
    // A program's own queries hold no snapshot: with the stranger gone, nothing keeps the log large.
    let again: u64 = reader.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
    assert_eq!(again, before, "a snapshot");
    drop(reader);
    server.says("has shrunk");
    soon("the figure", async {
        while Numbers::of(address).await.get(bytes) > 32e6 {
            tokio::time::sleep(crate::harness::ms(50)).await;
        }
    })
    .await;
    stopped(server);
}

fn trigger(url: &str) {
    let ran = incident(&["trigger", "database-outage", "--speed", "2000", "--quiet", "--url", url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

fn stopped(server: Running) {
    server.signal("TERM");
    let ran = server.end();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("has grown large").count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("has shrunk").count(), 1, "{}", ran.stderr);
}

/// Without a stranger the log stays near the size at which it is moved into the database.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_small_under_load_and_our_own_readers() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let journal = Arc::new(Sqlite::open(&file, Retention::default()).unwrap());
    let over = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn({
        let (journal, over) = (Arc::clone(&journal), Arc::clone(&over));
        async move {
            let (mut after, mut pages) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                let page = journal.read(after, ReadLimit::events(50)).await.unwrap();
                after = page.last().map_or(0, |last| last.position);
                pages += 1;
                tokio::task::yield_now().await;
            }
            pages
        }
    });
    let data = "x".repeat(15_000);
    journal.append(started("long").into()).await.unwrap();
    let mut largest = 0;
    for commit in 0..160 {
        let batch: Vec<_> =
            (0..20).map(|n| crate::harness::action("long", 2 + commit * 20 + n, &data)).collect();
        journal.append(batch.into()).await.unwrap();
        largest = largest.max(fs::metadata(beside(&file, "wal")).unwrap().len());
    }
    over.store(true, Ordering::Relaxed);
    assert!(reading.await.unwrap() > 10);
    assert!(largest > 10_000_000, "{largest}");
    // Above 32 MiB it is emptied or cut to that, once a second at most.
    let mut index = 2 + 160 * 20;
    while fs::metadata(beside(&file, "wal")).unwrap().len() > 32 * 1024 * 1024 {
        assert!(index < 10_000, "the log stays large");
        let data = "x".repeat(15_000);
        let batch: Vec<_> = (0..20).map(|n| crate::harness::action("long", index + n, &data)).collect();
        index += 20;
        journal.append(batch.into()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // 50 MB are stored, and where the log begins anew depends on the readers: all but what a log of 32 MiB holds is moved.
    assert!(fs::metadata(&file).unwrap().len() > 15_000_000);
}
