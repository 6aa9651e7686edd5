//! Files that are no journals: text, another program's database, a newer format. `check-journal` and `serve` say the same
//! of them and leave them alone.

use std::fs;
use std::path::Path;

use incident::journal::{Append, Retention, Sqlite};

use crate::harness::{Scratch, incident, story};

fn open(file: &Path) -> Sqlite {
    Sqlite::open(file, Retention::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn sql(file: &Path, statement: &str) {
    rusqlite::Connection::open(file).unwrap().execute_batch(statement).unwrap();
}

#[test]
fn the_commands_agree_about_files_that_are_no_journals() {
    let folder = Scratch::new();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("text.db"), "no database at all, though it is long ".repeat(200)).unwrap();
    fs::write(file("empty.db"), "").unwrap();
    sql(
        &file("notes.db"),
        "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine'); CREATE TABLE a (b)",
    );
    sql(&file("marked.db"), "CREATE TABLE notes (text); PRAGMA application_id = 42; PRAGMA user_version = 3");
    sql(&file("log.db"), "PRAGMA journal_mode = WAL; CREATE TABLE events (id); CREATE TABLE head (id)");
    drop(open(&file("newer.db")));
    sql(&file("newer.db"), "PRAGMA user_version = 99");
    for (name, serves, said) in [
        ("text.db", false, "is not a journal"),
        ("empty.db", true, ""),
        ("notes.db", false, "another program's SQLite database: it has the tables `a`, `notes`"),
        ("marked.db", false, "the application id 0x2a"),
        ("log.db", false, "another program's SQLite database"),
        ("newer.db", false, "has format 99"),
    ] {
        let path = file(name).display().to_string();
        let before = (fs::read(file(name)).unwrap(), names(folder.path()));
        let ran = incident(&["check-journal", &path]).run();
        assert_eq!(ran.status == Some(0), serves, "{name}: {ran:?}");
        assert!(ran.stderr.contains(said), "{name}: {ran:?}");
        if serves {
            assert!(ran.stdout.contains("begins a new journal"), "{ran:?}");
            continue;
        }
        let ran = incident(&["serve", "--port", "0", "--journal", &path]).run();
        assert_eq!(ran.status, Some(3), "{name}: {ran:?}");
        assert!(ran.stderr.contains(said) && !ran.stderr.contains("move"), "{name}: {ran:?}");
        let ran = incident(&["check-journal", &path, "--salvage", file("new.db").to_str().unwrap()]).run();
        assert_ne!(ran.status, Some(0), "{name}");
        assert!(!file("new.db").exists(), "{name}");
        assert!(fs::read(file(name)).unwrap() == before.0, "{name} was changed");
        // A journal of a newer format is one.
        if name != "newer.db" {
            assert_eq!(names(folder.path()), before.1, "nothing is put beside what is no journal");
        }
    }
    // In a file that is empty a journal begins, as in one that does not exist.
    let begun = open(&file("empty.db"));
    assert_eq!(begun.warnings(), [""; 0]);
}

/// An empty file in the place of a journal is no new journal.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_emptied_is_refused() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    open(&file).append(story("a", 30).into()).await.unwrap();
    fs::write(&file, "").unwrap();
    let path = file.display().to_string();
    let ran = incident(&["check-journal", &path]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stdout.contains("events 1 to 30 were published and are missing"), "{ran:?}");
    assert!(ran.stderr.contains("put a backup in the place"), "{ran:?}");
    let ran = incident(&["serve", "--port", "0", "--journal", &path]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("events 1 to 30 were published and are missing"), "{ran:?}");
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
