//! Who keeps a server from starting over a journal, and for how long: a program that checks or copies it never does, one
//! that has locked it does for a while, and the log of a journal that is not there does until somebody decides. And who keeps a
//! program from reading it: a server that has it open under another name.

use std::fs;
use std::path::Path;
use std::time::Duration;

use incident::journal::{Append, Log, Retention, Sqlite, audit};

use crate::harness::{Running, Scratch, Serving, incident, metrics, started};

fn serve(journal: &Path) -> Running {
    incident(&["serve", "--port", "0", "--journal", journal.to_str().unwrap()]).spawn()
}

fn stop(server: Running) -> String {
    server.signal("TERM");
    let ran = server.end();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    ran.stderr
}

/// A journal with some events, which nobody has open.
async fn journal() -> Scratch {
    let folder = Scratch::new();
    let journal = Sqlite::open(&folder.path().join("journal.db"), Retention::default()).unwrap();
    journal.append(started("one").into()).await.unwrap();
    for index in 2..50 {
        journal.append(metrics("one", index).into()).await.unwrap();
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_and_stops_while_a_journal_is_checked() {
    let folder = journal().await;
    let file = folder.path().join("journal.db");
    let mut at_work = false;
    let found = audit(&file, &mut |_, _| {
        if !at_work {
            at_work = true;
            let mut server = serve(&file);
            server.says("Ready in");
            stop(server);
        }
    })
    .unwrap();
    assert!(at_work && found.is_sound() && found.head == 49, "{found:?}");
    let ran = incident(&["check-journal", file.to_str().unwrap()]).run();
    assert_eq!(ran.status, Some(0), "after the server has stopped: {ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_makes_no_file_beside_the_journal() {
    let folder = journal().await;
    let file = folder.path().join("journal.db");
    fs::remove_file(folder.path().join("journal.db-lock")).unwrap();
    for args in
        [&["check-journal", "journal.db"][..], &["check-journal", "journal.db", "--salvage", "new.db"]]
    {
        let ran = incident(args).at(folder.path()).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(!folder.path().join("journal.db-lock").exists(), "{args:?}");
    }
    let mut server = serve(&file);
    server.says("Ready in");
    let ran = incident(&["check-journal", file.to_str().unwrap()]).run();
    assert!(ran.status == Some(0) && ran.stdout.contains("has the journal open"), "{ran:?}");
    stop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_waits_for_a_program_that_has_locked_the_file() {
    let folder = journal().await;
    let file = folder.path().join("journal.db");
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut server = serve(&file);
    server.says("another program has locked");
    other.execute_batch("COMMIT").unwrap();
    server.says("Ready in");
    drop(other);
    stop(server);
}

/// After a crash the newest events are in the log. A new journal beside it would delete them.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_journal_that_is_not_there_is_kept() {
    let (before, folder) = (Scratch::new(), Scratch::new());
    let journal = Sqlite::open(&before.path().join("journal.db"), Retention::default()).unwrap();
    journal.append(started("one").into()).await.unwrap();
    // As after a crash.
    for name in ["journal.db", "journal.db-wal", "journal.db-head"] {
        fs::copy(before.path().join(name), folder.path().join(name)).unwrap();
    }
    drop(journal);
    let (file, log) = (folder.path().join("journal.db"), folder.path().join("journal.db-wal"));
    let bytes = fs::read(&log).unwrap();
    assert!(!bytes.is_empty());
    let moved = folder.path().join("moved.db");
    fs::rename(&file, &moved).unwrap();
    let refused = incident(&["serve", "--port", "0", "--journal", file.to_str().unwrap()]).run();
    assert_eq!(refused.status, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("has events of it that are nowhere else"), "{refused:?}");
    assert!(!file.exists() && fs::read(&log).unwrap() == bytes, "nothing was changed");
    fs::rename(&moved, &file).unwrap();
    let mut server = serve(&file);
    server.says("Ready in");
    stop(server);
    assert_eq!(Sqlite::open(&file, Retention::default()).unwrap().extent().head, 1);
}

/// A link into a data volume may be made before the first start.
#[cfg(unix)]
#[test]
fn a_journal_is_made_where_a_link_leads() {
    let folder = Scratch::new();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("volume")).unwrap();
    std::os::unix::fs::symlink("volume/real.db", at("second.db")).unwrap();
    std::os::unix::fs::symlink(at("second.db"), at("first.db")).unwrap();
    for _ in 0..2 {
        let mut server = serve(&at("first.db"));
        server.says("Ready in");
        stop(server);
        assert!(at("volume/real.db").is_file() && at("volume/real.db-head").is_file());
        assert!(!at("first.db-head").exists() && !at("second.db-head").exists());
    }
    std::os::unix::fs::symlink("round.db", at("round.db")).unwrap();
    let ran = incident(&["serve", "--port", "0", "--journal", "round.db"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
}

/// A server that plays, with all its events in the log.
fn played(journal: &Path) -> Serving {
    let server = Serving::with(&["--journal", journal.to_str().unwrap(), "--seed", "42"]);
    let ran = server.incident(&["trigger", "database-outage", "--speed", "2000", "--quiet"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    server
}

fn names(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = found.collect();
    names.sort();
    names
}

/// The log of a journal in use has the name under which its server has it open. Under another name of the same file the
/// newest events are missing, and what is left is sound.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_in_use_under_another_name_is_refused() {
    let (folder, others) = (Scratch::new(), Scratch::new());
    let at = |name: &str| others.path().join(name);
    let file = folder.path().join("journal.db");
    let server = played(&file);
    fs::hard_link(&file, at("hard.db")).unwrap();
    fs::hard_link(&file, at("looked.db")).unwrap();
    // As a reader of an older version has left them, and a server that was killed.
    for (name, text) in [("looked.db-wal", ""), ("looked.db-shm", ""), ("looked.db-lock", "process 1\n")] {
        fs::write(at(name), text).unwrap();
    }
    // Links are followed to the one name.
    std::os::unix::fs::symlink(&file, at("soft.db")).unwrap();
    std::os::unix::fs::symlink(folder.path(), at("folder")).unwrap();
    let before = names(others.path());
    for name in ["hard.db", "looked.db"] {
        for args in [
            &["check-journal", name][..],
            &["check-journal", name, "--backup", "copy.db"],
            &["check-journal", name, "--salvage", "copy.db"],
            &["copy-journal", name, "copy.db"],
            &["copy-journal", name, "copy.db", "--new-stream"],
        ] {
            let ran = incident(args).at(others.path()).run();
            assert_eq!(ran.status, Some(3), "{args:?}: {ran:?}");
            let said: Vec<_> = ran.stderr.split_whitespace().collect();
            let said = said.join(" ");
            assert!(said.contains(&format!("{name} is in use under another name")), "{args:?}: {said}");
            assert!(said.contains("name the journal as its server does"), "{args:?}: {said}");
            assert_eq!((ran.stdout.as_str(), names(others.path())), ("", before.clone()), "{args:?}");
        }
    }
    for name in ["soft.db", "folder/journal.db"] {
        let ran = incident(&["check-journal", name, "--backup", "copy.db"]).at(others.path()).run();
        assert_eq!(ran.status, Some(0), "{name}: {ran:?}");
        assert!(ran.stderr.contains("108 events, 1 to 108"), "{name}: {ran:?}");
        fs::remove_file(at("copy.db")).unwrap();
    }
    server.signal("TERM");
    server.end();
    let ran = incident(&["check-journal", "hard.db"]).at(others.path()).run();
    // Its witness file has the other name too.
    assert!(ran.status == Some(5) && ran.stdout.contains("108 events, 1 to 108"), "nobody has it: {ran:?}");
}

/// The server makes its lock file again, and then it is known that it has the file open under this name.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_whose_lock_file_was_removed_is_read() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let server = played(&file);
    for args in [
        &["check-journal", "journal.db"][..],
        &["check-journal", "journal.db", "--backup", "one.db"],
        &["copy-journal", "journal.db", "two.db", "--new-stream"],
    ] {
        fs::remove_file(folder.path().join("journal.db-lock")).unwrap();
        let ran = incident(args).at(folder.path()).run();
        assert_eq!(ran.status, Some(0), "{args:?}: {ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("108 events, 1 to 108"), "{args:?}: {said}");
    }
    server.signal("KILL");
    server.end();
    fs::remove_file(folder.path().join("journal.db-lock")).ok();
    let ran = incident(&["check-journal", "journal.db", "--backup", "three.db"]).at(folder.path()).run();
    assert!(ran.status == Some(0) && ran.stderr.contains("108 events, 1 to 108"), "{ran:?}");
}

/// A format number that another program writes makes a journal that no start takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_format_number_stops_the_writing() {
    let folder = journal().await;
    let file = folder.path().join("journal.db");
    let journal = Sqlite::open(&file, Retention::default()).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.busy_timeout(Duration::from_secs(5)).unwrap();
    journal.append(metrics("one", 50).into()).await.unwrap();
    other.execute_batch("PRAGMA user_version = 6").unwrap();
    let error = journal.append(metrics("one", 51).into()).await.unwrap_err();
    assert!(error.to_string().contains("user_version, is 6 now; it was 5"), "{error}");
    other.execute_batch("PRAGMA user_version = 5").unwrap();
    drop(other);
    assert_eq!(journal.extent().head, 50);
}
