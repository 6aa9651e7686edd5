//! A journal whose file has no name any more, because it was removed or replaced under a running server.

use std::fs;
use std::path::Path;

use crate::harness::{Client, Scratch, incident};
use crate::moved::{Served, beside, prepared};

/// The name of the stream that a server has.
async fn stream(server: &Served) -> String {
    Client::connect(server.address(), "").await.opened.stream
}

/// What a server has open is gone with it once its file has no name, whether it was removed or another journal took its place.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_name_any_more_is_rescued_into_a_journal_that_goes_on() {
    let removed: fn(&Path) = |journal| fs::remove_file(journal).unwrap();
    let replaced: fn(&Path) = |journal| {
        fs::copy(journal.with_file_name("../other.db"), journal.with_file_name("copy.db")).unwrap();
        fs::rename(journal.with_file_name("copy.db"), journal).unwrap();
    };
    for (is_killed, lose) in [(false, removed), (true, replaced)] {
        let (_folder, journal) = prepared().await;
        // That name is taken.
        fs::write(beside(&journal, "rescued"), "a letter").unwrap();
        let server = Served::over(&journal);
        server.play().await;
        let stream = stream(&server).await;
        lose(&journal);
        let said = server.until_ready(503).await;
        let rescued = beside(&journal, "rescued-2");
        assert!(said.contains("every event of it is in") && said.contains("journal.db-rescued-2"), "{said}");
        if is_killed {
            server.kill();
        } else {
            drop(server.stop());
        }
        assert_eq!(fs::read_to_string(beside(&journal, "rescued")).unwrap(), "a letter");
        let ran = incident(&["check-journal", rescued.to_str().unwrap(), "--json"]).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("\"head\":108"), "{}", ran.stdout);
        // As the server said.
        for suffix in ["wal", "shm", "lock"] {
            let _ = fs::remove_file(beside(&journal, suffix));
        }
        fs::rename(&rescued, &journal).unwrap();
        fs::rename(beside(&journal, "rescued-2-head"), beside(&journal, "head")).unwrap();
        let server = Served::over(&journal);
        assert_eq!(self::stream(&server).await, stream);
        server.play().await;
        let said = server.stop();
        assert!(!said.contains("WARN"), "{said}");
    }
}

/// A name that can't be used is passed over, as one that is taken.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_name_is_taken_if_one_cannot_be_used() {
    let (_folder, journal) = prepared().await;
    std::os::unix::fs::symlink("/nowhere/at/all", beside(&journal, "rescued")).unwrap();
    let server = Served::over(&journal);
    server.play().await;
    fs::remove_file(&journal).unwrap();
    let said = server.until_ready(503).await;
    assert!(said.contains("journal.db-rescued-2"), "{said}");
    drop(server.stop());

    // As long as a journal's name may be, with `-journal` behind it.
    let folder = Scratch::new();
    let long = folder.path().join("j".repeat(247));
    let server = Served::over(&long);
    server.play().await;
    fs::remove_file(&long).unwrap();
    server.until_ready(503).await;
    drop(server.stop());
    let rescued = folder.path().join("rescued.db").display().to_string();
    let ran = incident(&["check-journal", &rescued, "--json"]).run();
    assert!(ran.status == Some(0) && ran.stdout.contains("\"head\":108"), "{ran:?}");
}

/// The server looks once a second, and at its end.
#[tokio::test(flavor = "multi_thread")]
async fn what_lost_its_name_right_before_the_end_is_rescued_too() {
    let (_folder, journal) = prepared().await;
    fs::write(beside(&journal, "rescued"), "a letter").unwrap();
    let server = Served::over(&journal);
    server.play().await;
    fs::remove_file(&journal).unwrap();
    let said = server.stop();
    assert!(said.contains("journal.db-rescued-2"), "{said}");
    let rescued = beside(&journal, "rescued-2");
    let ran = incident(&["check-journal", rescued.to_str().unwrap(), "--json"]).run();
    assert!(ran.status == Some(0) && ran.stdout.contains("\"head\":108"), "{ran:?}");
    // Who has not read that is told at the next start.
    fs::remove_file(beside(&journal, "wal")).unwrap_or_default();
    fs::remove_file(beside(&journal, "head")).unwrap_or_default();
    let said = Served::over(&journal).stop();
    assert!(
        said.contains("a new journal begins, although") && said.contains("journal.db-rescued-2 has"),
        "{said}"
    );
}

/// A copy has everything only together with the log that the server has open.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_over_a_running_journal_loses_nothing_newer() {
    let (_folder, journal) = prepared().await;
    let server = Served::over(&journal);
    let log = beside(&journal, "wal");
    let (old, old_log) = (fs::read(&journal).unwrap(), fs::read(&log).unwrap());
    server.play().await;
    for (file, content) in [(&log, old_log), (&journal, old)] {
        fs::remove_file(file).unwrap();
        fs::write(file, content).unwrap();
    }
    server.until_ready(503).await;
    server.stop();
    let rescued = beside(&journal, "rescued");
    let ran = incident(&["check-journal", rescued.to_str().unwrap(), "--json"]).run();
    assert!(ran.status == Some(0) && ran.stdout.contains("\"head\":108"), "{ran:?}");
}

/// Without its folder no copy can be made. Once that is there again, the end does not wait for the next try.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_rescued_is_rescued_at_the_end() {
    let (_folder, journal) = prepared().await;
    let server = Served::over(&journal);
    server.play().await;
    let folder = journal.parent().unwrap();
    fs::remove_dir_all(folder).unwrap();
    let said = server.until_ready(503).await;
    assert!(said.contains("do not stop the server, but make room there, or the folder again"), "{said}");
    fs::create_dir(folder).unwrap();
    server.stop();
    let rescued = beside(&journal, "rescued");
    let ran = incident(&["check-journal", rescued.to_str().unwrap(), "--json"]).run();
    assert!(ran.status == Some(0) && ran.stdout.contains("\"head\":108"), "{ran:?}");
}
