//! The content of a journal that is changed in its place while a server has it open: through SQLite, or in its log.

use std::fs;
use std::time::Duration;

use crate::harness::incident;
use crate::moved::{Served, beside, prepared};

/// SQLite reads the header of the log only after a crash, and would then take the log for empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_beginning_is_overwritten_is_noticed_before_a_crash() {
    for bytes in [vec![0_u8; 32], vec![0x5a; 4096], b"x".to_vec()] {
        let (_folder, journal) = prepared().await;
        let server = Served::over(&journal);
        server.play().await;
        let mut log = fs::OpenOptions::new().write(true).open(beside(&journal, "wal")).unwrap();
        std::io::Write::write_all(&mut log, &bytes).unwrap();
        let ready = server.until_ready(503).await;
        assert!(ready.contains("its -wal file was overwritten"), "{ready}");
        assert_eq!(server.trigger().await.status, 503);
    }
}

/// What another program changes through SQLite is noticed, though its events are not touched by the server again; and it stays
/// so, because nobody knows what else was changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_another_program_changes_stops_the_journal() {
    for (statement, said) in [
        ("DELETE FROM events WHERE position = 3", "event 3 is damaged"),
        ("UPDATE events SET data = replace(data, '0', '1') WHERE position = 50", "event 50 is damaged"),
        (
            "INSERT INTO events SELECT 500, time_us, subject, 500, type, data, checksum FROM events WHERE position = 1",
            "500",
        ),
        ("DELETE FROM events", "event"),
        ("DELETE FROM incidents", "incident"),
        ("UPDATE incidents SET ended = 0", "incident"),
        ("CREATE TRIGGER tr AFTER INSERT ON events BEGIN DELETE FROM events; END", "the trigger `tr`"),
        ("CREATE TABLE notes (text)", "the table `notes`"),
        (
            "DELETE FROM events WHERE position = 3; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)",
            "event 3 is damaged",
        ),
    ] {
        let (_folder, journal) = prepared().await;
        let server = Served::over(&journal);
        server.play().await;
        let other = rusqlite::Connection::open(&journal).unwrap();
        other.busy_timeout(Duration::from_secs(5)).unwrap();
        other.execute_batch(statement).unwrap();
        let ready = server.until_ready(503).await;
        assert!(ready.contains("another program") && ready.contains(said), "{statement}: {ready}");
        let detail = server.trigger().await.problem(503);
        assert!(detail.contains(said) && detail.contains("check-journal"), "{statement}: {detail}");
        drop(other);
        server.stop();
        let ran = incident(&["check-journal", journal.to_str().unwrap()]).run();
        assert_eq!(ran.status, Some(5), "{statement}: {ran:?}");
    }
}

/// Another program that writes into the journal's own tables makes two histories.
#[tokio::test(flavor = "multi_thread")]
async fn another_writer_of_events_stops_the_journal() {
    let (_folder, journal) = prepared().await;
    let server = Served::over(&journal);
    server.play().await;
    let other = rusqlite::Connection::open(&journal).unwrap();
    other.execute_batch("UPDATE head SET position = position + 1").unwrap();
    let detail = server.trigger().await.problem(503);
    assert!(detail.contains("another program"), "{detail}");
    other.execute_batch("UPDATE head SET position = position - 1").unwrap();
    assert_eq!(server.trigger().await.status, 503, "nobody knows what else it did");
}
