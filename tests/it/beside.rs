//! What other people's files beside a journal go through: a file that is called like one of the journal's own is neither
//! overwritten nor deleted, and what a killed server has left is taken as its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use incident::journal::{Append, Log, Retention, Sqlite};

use crate::harness::{Ran, Scratch, incident, story};
use crate::moved::{Served, prepared};

fn run(folder: &Path, args: &[&str]) -> Ran {
    incident(args).at(folder).run()
}

/// Starts a server and stops it.
fn starts(folder: &Path, file: &str) {
    let mut server = incident(&["serve", "--port", "0", "--journal", file]).at(folder).spawn();
    server.says("Ready in");
    server.signal("TERM");
    let ran = server.end();
    assert_eq!(ran.status, Some(0), "{file}: {ran:?}");
}

async fn journal(file: &Path) {
    let journal = Sqlite::open(file, Retention::default()).unwrap();
    journal.append(story("a", 30).into()).await.unwrap();
}

/// The names and contents of all files in a folder.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut found: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap_or_default()))
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_journals_is_left_beside_a_new_one() {
    let folder = Scratch::new();
    journal(&folder.path().join("journal.db")).await;
    for suffix in ["head", "lock", "journal", "shm", "wal"] {
        for is_link in [false, true] {
            for is_empty_there in [false, true] {
                let notes = Scratch::new().with("notes", "my notes\n");
                let path = notes.path().join(format!("q.db-{suffix}"));
                if is_link {
                    symlink("notes", &path).unwrap();
                } else {
                    fs::write(&path, "my notes\n").unwrap();
                }
                if is_empty_there {
                    fs::write(notes.path().join("q.db"), "").unwrap();
                }
                let before = content(notes.path());
                let source = folder.path().join("journal.db").display().to_string();
                let mut commands = vec![
                    vec!["serve", "--port", "0", "--journal", "q.db"],
                    vec!["check-journal", &source, "--salvage", "q.db"],
                    vec!["copy-journal", &source, "q.db"],
                ];
                // The lock file of a copy is that of its name, and the others would be the copy's.
                commands.push(vec!["check-journal", &source, "--backup", "q.db"]);
                if is_empty_there {
                    commands.push(vec!["check-journal", "q.db"]);
                }
                for args in &commands {
                    let ran = run(notes.path(), args);
                    assert!(matches!(ran.status, Some(2 | 3)), "{args:?} {suffix} {is_link}: {ran:?}");
                    assert!(
                        ran.stderr.contains(&format!("q.db-{suffix}")),
                        "{args:?} {suffix} {is_link}: {ran:?}"
                    );
                    assert_eq!(content(notes.path()), before, "{args:?} {suffix} {is_link}");
                }
            }
        }
    }
}

/// A link is followed to what anybody may have, and a lock file or a rollback journal never has such content.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_journals_is_left_beside_one_that_has_begun() {
    for (suffix, is_link) in [("head", true), ("lock", true), ("lock", false), ("journal", false)] {
        let folder = Scratch::new().with("notes", "my notes\n");
        journal(&folder.path().join("q.db")).await;
        let path = folder.path().join(format!("q.db-{suffix}"));
        fs::remove_file(&path).ok();
        if is_link {
            symlink("notes", &path).unwrap();
        } else {
            fs::write(&path, "my notes\n").unwrap();
        }
        let before = content(folder.path());
        for args in [&["serve", "--port", "0", "--journal", "q.db"][..], &["check-journal", "q.db"]] {
            let ran = run(folder.path(), args);
            assert!(matches!(ran.status, Some(2 | 3)), "{args:?} {suffix}: {ran:?}");
            assert!(ran.stderr.contains(&format!("q.db-{suffix}")), "{args:?} {suffix}: {ran:?}");
            assert_eq!(content(folder.path()), before, "{args:?} {suffix}");
        }
        fs::remove_file(&path).unwrap();
        starts(folder.path(), "q.db");
    }
}

/// The next start would be refused because of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_place_of_a_file_that_a_server_makes_again_is_replaced() {
    let (_folder, journal) = prepared().await;
    let notes = journal.with_file_name("notes");
    fs::write(&notes, "my notes\n").unwrap();
    let mut server = Served::over(&journal);
    server.play().await;
    for (suffix, file) in [("head", "witness file"), ("lock", "lock file")] {
        let path = journal.with_file_name(format!("journal.db-{suffix}"));
        fs::remove_file(&path).unwrap();
        symlink("notes", &path).unwrap();
        server.says(&format!("the journal's {file} was removed or replaced while the server runs"));
        assert!(path.is_file() && !path.is_symlink(), "{suffix}");
        assert_eq!(fs::read_to_string(&notes).unwrap(), "my notes\n", "{suffix}: what it led to");
    }
    server.stop();
    Served::over(&journal).play().await;
    // What is not replaced is told: a folder may be anybody's.
    let mut server = Served::over(&journal);
    for suffix in ["head", "lock"] {
        let path = journal.with_file_name(format!("journal.db-{suffix}"));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let line = server.says("the next start is refused");
        assert!(line.contains(&format!("journal.db-{suffix}")), "{line}");
    }
    server.play().await;
}

/// SQLite deletes the log beside an empty database, also if it only reads.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_beside_an_empty_journal_is_kept() {
    let (before, folder) = (Scratch::new(), Scratch::new());
    let journal = Sqlite::open(&before.path().join("journal.db"), Retention::default()).unwrap();
    journal.append(story("a", 30).into()).await.unwrap();
    // As after a crash.
    for name in ["journal.db", "journal.db-wal", "journal.db-head"] {
        fs::copy(before.path().join(name), folder.path().join(name)).unwrap();
    }
    drop(journal);
    let database = fs::read(folder.path().join("journal.db")).unwrap();
    fs::write(folder.path().join("journal.db"), "").unwrap();
    let left = content(folder.path());
    for args in [&["serve", "--port", "0", "--journal", "journal.db"][..], &["check-journal", "journal.db"]] {
        let ran = run(folder.path(), args);
        assert!(matches!(ran.status, Some(2 | 3)), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("has events of it that are nowhere else"), "{args:?}: {ran:?}");
        assert_eq!(content(folder.path()), left, "{args:?}");
    }
    fs::write(folder.path().join("journal.db"), database).unwrap();
    let journal = Sqlite::open(&folder.path().join("journal.db"), Retention::default()).unwrap();
    assert_eq!(journal.extent().head, 30);
}

/// A crash leaves its own files, whole or as far as they were written.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_journal_has_left_is_its_own() {
    let line = "0000000000000007 0000000000000001 5f3c1de2a0b4c6d8\n";
    for (suffix, text) in [
        ("lock", "process 4711\n"),
        ("lock", "process 4711\n\0\0\0"),
        ("lock", "\0\0\0\0\0\0\0\0\0\0"),
        ("lock", ""),
        ("head", line),
        ("head", &line[..20]),
        ("head", &"\0".repeat(51)),
        ("head", ""),
        ("journal", "\0\0\0\0\0\0\0\0\0\0\0\0"),
        ("shm", &"\0".repeat(32_768)),
        ("wal", ""),
    ] {
        let folder = Scratch::new().with(&format!("new.db-{suffix}"), text);
        starts(folder.path(), "new.db");
        journal(&folder.path().join("begun.db")).await;
        fs::write(folder.path().join(format!("begun.db-{suffix}")), text).unwrap();
        assert_eq!(run(folder.path(), &["check-journal", "new.db"]).status, Some(0), "{suffix} {text:?}");
        starts(folder.path(), "begun.db");
        let ran = run(folder.path(), &["check-journal", "begun.db", "--backup", "copy.db"]);
        assert_eq!(ran.status, Some(0), "{suffix} {text:?}: {ran:?}");
    }
}

/// A start would take it for the log of the other one, and empty it.
#[tokio::test(flavor = "multi_thread")]
async fn no_journal_begins_under_the_name_of_a_file_of_another_one() {
    let folder = Scratch::new();
    journal(&folder.path().join("j.db")).await;
    journal(&folder.path().join("other.db")).await;
    starts(folder.path(), "j.db");
    for suffix in ["wal", "shm", "journal", "head", "lock"] {
        let name = format!("j.db-{suffix}");
        let _ = fs::remove_file(folder.path().join(&name));
        for args in [
            &["serve", "--port", "0", "--journal", &name][..],
            &["check-journal", "other.db", "--backup", &name],
            &["copy-journal", "other.db", &name],
        ] {
            let ran = run(folder.path(), args);
            assert!(matches!(ran.status, Some(2 | 3)), "{args:?}: {ran:?}");
            assert!(ran.stderr.contains("is the name of a file that belongs to"), "{args:?}: {ran:?}");
        }
        assert!(!folder.path().join(&name).exists(), "{name}");
    }
    starts(folder.path(), "j.db");
    // What is no database has no such files.
    fs::write(folder.path().join("notes"), "my notes\n").unwrap();
    starts(folder.path(), "notes-journal");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_file_in_the_place_of_a_log_is_left() {
    let folder = Scratch::new();
    journal(&folder.path().join("j.db")).await;
    starts(folder.path(), "j.db");
    fs::write(folder.path().join("j.db-wal"), "my notes\n").unwrap();
    for (args, status) in [
        (&["serve", "--port", "0", "--journal", "j.db"][..], 3),
        (&["check-journal", "j.db"], 5),
        (&["check-journal", "j.db", "--backup", "b.db"], 5),
        (&["check-journal", "j.db", "--salvage", "s.db"], 5),
    ] {
        let ran = run(folder.path(), args);
        assert_eq!(ran.status, Some(status), "{args:?}: {ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("does not begin as a write-ahead log"), "{args:?}: {said}");
        assert!(said.contains("Move it away, but keep it"), "{args:?}: {said}");
    }
    assert!(!folder.path().join("b.db").exists());
    starts(folder.path(), "s.db");
    assert_eq!(fs::read_to_string(folder.path().join("j.db-wal")).unwrap(), "my notes\n");
}
