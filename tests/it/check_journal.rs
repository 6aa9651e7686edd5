//! `incident check-journal`: what is wrong with a file is named, and what is sound of it can be saved.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Client, Ran, Scratch, Serving, incident};

fn check(file: &Path, args: &[&str]) -> Ran {
    incident(&[&["check-journal", file.to_str().unwrap()], args].concat()).run()
}

fn with_sqlite(file: &Path, statement: &str) {
    rusqlite::Connection::open(file).unwrap().execute_batch(statement).unwrap();
}

/// A journal in which one incident is over and another one open at its 20th event or later, its server killed.
async fn killed() -> Scratch {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let server = Serving::with(&["--journal", file.to_str().unwrap(), "--seed", "42"]);
    let ran = server.incident(&["trigger", "database-outage", "--speed", "2000", "--quiet"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let ran = server.incident(&["trigger", "database-outage", "--speed", "30", "--no-wait"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    Client::connect(server.address(), "?after=0").await.up_to(130).await;
    server.signal("KILL");
    assert_eq!(server.end(), None);
    folder
}

#[tokio::test]
async fn a_sound_file_passes_killed_closed_and_in_use() {
    let folder = killed().await;
    let file = folder.path().join("journal.db");
    let ran = check(&file, &[]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    for piece in [
        "PASS pages",
        "PASS head",
        "PASS chain",
        "PASS incidents  2, 1 of them open",
        "PASS keys",
        "PASS witness",
    ] {
        assert!(ran.stdout.contains(piece), "{piece} is not in\n{}", ran.stdout);
    }
    let server = Serving::with(&["--journal", file.to_str().unwrap()]);
    let ran = check(&file, &["--json"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&found["sound"], &found["oldest"]), (&true.into(), &1.into()));
    assert_eq!(found["head"], found["sound_to"]);
    let checks = found["checks"].as_array().unwrap();
    let witness = checks.iter().find(|check| check["check"] == "witness").unwrap();
    assert!(witness["found"].as_str().unwrap().contains("has the journal open"), "{found}");
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    assert_eq!(check(&file, &["--quiet"]).stdout, "");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_fails() {
    for (statement, fails) in [
        (
            "UPDATE events SET data = replace(data, 'phase', 'phrase') WHERE position IN (50, 52)",
            "chain      event 50 is damaged:",
        ),
        (
            "DELETE FROM events WHERE position BETWEEN 20 AND 90",
            "chain      event 20 is damaged: it is missing",
        ),
        ("UPDATE head SET oldest = 3", "head"),
        ("UPDATE incidents SET plan = 'another' WHERE ended = 0", "plans      the checksum of the plan of"),
        ("DELETE FROM incidents WHERE ended > 0", "is not in the table `incidents`"),
        ("UPDATE head SET position = 120, seal = 0", "head"),
    ] {
        let folder = killed().await;
        let file = folder.path().join("journal.db");
        with_sqlite(&file, statement);
        let ran = check(&file, &[]);
        assert_eq!(ran.status, Some(5), "{statement}: {ran:?}");
        let failed: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("FAIL ")).collect();
        assert!(failed.iter().any(|line| line.contains(fails)), "{statement}:\n{}", ran.stdout);
        assert!(ran.stderr.contains("--salvage"), "{ran:?}");
    }
}

#[tokio::test]
async fn what_is_sound_is_saved_and_goes_on() {
    let folder = killed().await;
    let (file, new) = (folder.path().join("journal.db"), folder.path().join("saved.db"));
    // In the middle of the incident that is open.
    with_sqlite(&file, "UPDATE events SET time_us = time_us + 1 WHERE position = 120");
    let ran = incident(&["serve", "--port", "0", "--journal", file.to_str().unwrap()]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("event 120 is damaged") && ran.stderr.contains("check-journal"), "{ran:?}");
    let ran = check(&file, &["--salvage", new.to_str().unwrap()]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("119 events, 1 to 119"), "{ran:?}");
    let again = check(&file, &["--salvage", new.to_str().unwrap()]);
    assert_eq!(again.status, Some(2), "nothing is overwritten: {again:?}");
    assert_eq!(check(&new, &[]).status, Some(0));
    let server = Serving::with(&["--journal", new.to_str().unwrap()]);
    let mut client = Client::connect(server.address(), "?after=0").await;
    let events = client.up_to(216).await;
    assert!(events[215].frame.contains("incident_resolved"), "the plan was saved too: {}", events[215].frame);
    let old: Vec<String> = {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let mut statement =
            connection.prepare("SELECT data FROM events WHERE position < 120 ORDER BY position").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for (event, data) in events.iter().zip(&old) {
        assert!(event.frame.ends_with(&format!("\"data\":{data}}}")), "{}", event.frame);
    }
}

/// Without a plan it would be a publisher's incident, and stay open for ever.
#[tokio::test]
async fn an_incident_whose_plan_is_not_saved_is_ended_by_the_next_server() {
    for statement in [
        "UPDATE incidents SET plan = replace(plan, 'a', 'b') WHERE ended = 0",
        "DELETE FROM incidents WHERE ended = 0",
    ] {
        let folder = killed().await;
        let (file, new) = (folder.path().join("journal.db"), folder.path().join("saved.db"));
        with_sqlite(&file, statement);
        let ran = check(&file, &["--salvage", new.to_str().unwrap()]);
        assert_eq!(ran.status, Some(5), "{ran:?}");
        assert!(ran.stderr.contains("The plan of an open incident is damaged or gone"), "{ran:?}");
        assert_eq!(check(&new, &[]).status, Some(0));
        let server = Serving::with(&["--journal", new.to_str().unwrap()]);
        let mut client = Client::connect(server.address(), "?after=0").await;
        let last = loop {
            let frame = client.event().await.frame;
            if frame.contains("can't be played any further") {
                break frame;
            }
        };
        assert!(last.contains("incident_resolved") && last.contains("cancelled"), "{statement}: {last}");
    }
}

/// The log has events that are nowhere else: nobody is told to remove it, and what is in the database can be saved.
#[tokio::test]
async fn a_log_whose_beginning_is_damaged_is_reported() {
    let folder = killed().await;
    let (file, new) = (folder.path().join("journal.db"), folder.path().join("saved.db"));
    let log = folder.path().join("journal.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    bytes[..64].fill(0xaa);
    fs::write(&log, &bytes).unwrap();
    let ran = incident(&["serve", "--port", "0", "--journal", file.to_str().unwrap()]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("--salvage") && !ran.stderr.contains("remove"), "{ran:?}");
    let ran = check(&file, &["--json"]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let failed = |name: &str| {
        let checks = found["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["check"] == name).unwrap();
        assert_eq!(check["pass"], false, "{found}");
        check["found"].as_str().unwrap().to_owned()
    };
    assert!(failed("log").contains("does not begin as a write-ahead log"), "{found}");
    assert!(failed("witness").contains("were published and are missing"), "{found}");
    let ran = check(&file, &["--salvage", new.to_str().unwrap()]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert_eq!(check(&new, &[]).status, Some(0));
    assert_eq!(fs::read(&log).unwrap(), bytes, "nobody has written over it");
}

#[test]
fn what_is_no_journal_is_told_apart() {
    let folder = Scratch::new().with("text.db", &"no database at all, though it is long ".repeat(200));
    let ran = check(&folder.path().join("missing.db"), &[]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("the file does not exist"), "{ran:?}");
    let ran = check(&folder.path().join("text.db"), &[]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("text.db is not a journal"), "{ran:?}");
    // It is somebody's file: nothing says to move it away, and a server does not begin a journal in it.
    assert!(!ran.stderr.contains("away"), "{ran:?}");
    let text = folder.path().join("text.db").display().to_string();
    let ran = incident(&["serve", "--port", "0", "--journal", &text]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("text.db is not a journal") && !ran.stderr.contains("away"), "{ran:?}");
    let empty = Scratch::new();
    with_sqlite(&empty.path().join("other.db"), "CREATE TABLE others (id)");
    let ran = check(&empty.path().join("other.db"), &[]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
}

/// A process that is killed in the middle of a write without a write-ahead log leaves a journal of SQLite's own. A server takes
/// the write back, and so does the check.
#[test]
fn what_a_killed_process_has_half_written_is_taken_back() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let server = Serving::with(&["--journal", file.to_str().unwrap(), "--seed", "42", "--speed", "1000"]);
    assert_eq!(server.incident(&["trigger", "database-outage"]).run().status, Some(0));
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let killed = folder.path().join("killed");
    fs::create_dir(&killed).unwrap();
    let copy = killed.join("journal.db");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE events SET data = data || ' ';")
        .unwrap();
    // As it is on the disk in the middle of the write.
    for suffix in ["", "-journal", "-head"] {
        let name = format!("journal.db{suffix}");
        fs::copy(folder.path().join(&name), killed.join(&name)).unwrap();
    }
    connection.execute_batch("ROLLBACK").unwrap();
    let ran = check(&copy, &[]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let server = Serving::with(&["--journal", copy.to_str().unwrap()]);
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
}
