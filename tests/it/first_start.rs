//! The first start over a new journal can be killed, or run out of disk, at any moment: the next one begins the journal all
//! the same. And files beside a journal that go missing while a server is idle are there again before it can be killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use incident::journal::{Append, Log, OpenError, Retention, Sqlite, audit};

use crate::harness::{Scratch, incident, started, story};
use crate::moved::Served;

fn beside(journal: &Path, suffix: &str) -> PathBuf {
    journal.with_file_name(format!("{}-{suffix}", journal.file_name().unwrap().to_str().unwrap()))
}

/// What every first start has to leave: a file that passes, that starts without a warning, and that takes an event.
async fn starts(journal: &Path, what: &str) {
    if journal.exists() {
        let audit = audit(journal, &mut |_, _| {}).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert!(audit.is_sound(), "{what}: {:?}", audit.checks);
    }
    let opened =
        Sqlite::open(journal, Retention::default()).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(opened.warnings(), &[] as &[String], "{what}");
    assert_eq!(opened.append(vec![started("a")].into()).await.unwrap()[0].position, 1, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_is_killed_leaves_a_file_that_starts() {
    for turn in 0..12 {
        let folder = Scratch::new();
        let journal = folder.path().join("journal.db");
        let mut server = Command::new(env!("CARGO_BIN_EXE_incident"))
            .args(["serve", "--port", "0", "--journal", journal.to_str().unwrap()])
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !journal.exists() && server.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
        // Each turn is killed a little later.
        std::thread::sleep(Duration::from_millis(turn));
        server.kill().unwrap();
        server.wait().unwrap();
        starts(&journal, &format!("killed after {turn} ms")).await;
    }
}

/// Writes fail at each size in turn: of the database, of its log, of the files beside them.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_cannot_write_leaves_a_file_that_starts() {
    for blocks in [0, 1, 4, 8, 16, 32, 48, 64, 80, 96, 112, 120, 128, 136, 144, 160] {
        let folder = Scratch::new();
        let journal = folder.path().join("journal.db");
        let ran = Command::new("sh")
            .args(["-c", &format!("ulimit -f {blocks} && trap '' XFSZ && exec timeout 1 \"$0\" \"$@\"")])
            .args([env!("CARGO_BIN_EXE_incident"), "serve", "--port", "0", "--quiet", "--journal"])
            .arg(&journal)
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .output()
            .unwrap();
        starts(&journal, &format!("{blocks} blocks of 512 bytes: {ran:?}")).await;
    }
}

/// What earlier versions left that were killed between the tables and the head.
#[tokio::test(flavor = "multi_thread")]
async fn tables_that_never_had_a_row_are_begun() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db");
    let empty_head = |with: &str| {
        drop(Sqlite::open(&journal, Retention::default()).unwrap());
        let shell = rusqlite::Connection::open(&journal).unwrap();
        shell.execute_batch(&format!("DELETE FROM head; DELETE FROM server; {with}")).unwrap();
    };
    empty_head("");
    fs::remove_file(beside(&journal, "head")).unwrap();
    let ran = incident(&["check-journal", journal.to_str().unwrap()]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    starts(&journal, "tables without a row").await;
    // It has an event now.
    empty_head("");
    match Sqlite::open(&journal, Retention::default()) {
        Err(OpenError::Damaged { what, .. }) => assert!(what.contains("`head` is empty"), "{what}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it began again over an event"),
    }
    // No rows, but the witness file knows of an event.
    let shell = rusqlite::Connection::open(&journal).unwrap();
    shell.execute_batch("DELETE FROM events; DELETE FROM incidents").unwrap();
    drop(shell);
    match Sqlite::open(&journal, Retention::default()) {
        Err(OpenError::Damaged { what, .. }) => assert!(what.contains("1 to 1 were published"), "{what}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it began again though an event was published"),
    }
}

/// The documentation says that both may be removed while a server runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_witness_file_that_is_removed_while_the_server_is_idle_is_made_again() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db");
    let opened = Sqlite::open(&journal, Retention::default()).unwrap();
    opened.append(story("a", 30).into()).await.unwrap();
    drop(opened);
    // A server that has moved its log into the file and stores nothing.
    let mut server = Served::over(&journal);
    fs::remove_file(beside(&journal, "head")).unwrap();
    fs::remove_file(beside(&journal, "lock")).unwrap();
    server.says("witness file was removed");
    server.kill();
    let opened = Sqlite::open(&journal, Retention::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((opened.extent().head, opened.warnings()), (30, &[][..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_takes_no_name_of_the_journals_own_files() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db");
    let opened = Sqlite::open(&journal, Retention::default()).unwrap();
    let log = beside(&journal, "wal");
    assert_eq!(fs::metadata(&log).unwrap().len(), 0, "an empty file, which a copy may replace elsewhere");
    for option in ["--backup", "--salvage"] {
        for suffix in ["wal", "shm", "journal", "head", "lock"] {
            let target = beside(&journal, suffix);
            let ran =
                incident(&["check-journal", journal.to_str().unwrap(), option, target.to_str().unwrap()])
                    .run();
            assert_eq!(ran.status, Some(2), "{option} {suffix}: {ran:?}");
            assert!(ran.stderr.contains("a file of the journal itself"), "{option} {suffix}: {ran:?}");
        }
    }
    opened.append(vec![started("a")].into()).await.unwrap();
    drop(opened);
    // And no name whose own files would replace the journal.
    let named = folder.path().join("other.db-head");
    fs::rename(&journal, &named).unwrap();
    fs::rename(beside(&journal, "head"), beside(&named, "head")).unwrap();
    let target = folder.path().join("other.db");
    let ran =
        incident(&["check-journal", named.to_str().unwrap(), "--backup", target.to_str().unwrap()]).run();
    assert!(ran.status == Some(2) && ran.stderr.contains("a file of the journal itself"), "{ran:?}");
}

/// A backup that finds the disk full leaves nothing behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_cannot_be_written_leaves_nothing() {
    let (folder, targets) = (Scratch::new(), Scratch::new());
    let journal = folder.path().join("journal.db");
    let opened = Sqlite::open(&journal, Retention::default()).unwrap();
    opened.append(story("a", 300).into()).await.unwrap();
    drop(opened);
    for option in ["--backup", "--salvage"] {
        for blocks in [2, 16, 64] {
            let ran = Command::new("sh")
                .args(["-c", &format!("trap '' XFSZ && ulimit -f {blocks} && exec \"$0\" \"$@\"")])
                .args([env!("CARGO_BIN_EXE_incident"), "check-journal", journal.to_str().unwrap(), option])
                .arg(targets.path().join("copy.db"))
                .output()
                .unwrap();
            assert!(!ran.status.success(), "{option} {blocks}: {ran:?}");
            let left: Vec<_> =
                fs::read_dir(targets.path()).unwrap().map(|file| file.unwrap().path()).collect();
            assert!(left.is_empty(), "{option} {blocks}: {left:?}");
        }
    }
}
