//! Journals where nothing may be written: on a disk that is mounted read-only.

use std::fs;
use std::path::{Path, PathBuf};

use incident::journal::{Append, Log, Retention, Sqlite};

use crate::harness::{Ran, Run, Scratch, incident, story};

/// A journal, and the files of it that a backup of this moment has in `ro`: with the log, if it is still open.
async fn backup(folder: &Path, is_open: bool) -> PathBuf {
    let (journal, there) = (folder.join("journal.db"), folder.join("ro"));
    let log = Sqlite::open(&journal, Retention::default()).unwrap();
    log.append(story("a", 30).into()).await.unwrap();
    assert_eq!(log.extent().head, 30);
    let log = is_open.then_some(log);
    fs::create_dir(&there).unwrap();
    for suffix in ["", "-head", "-wal"] {
        let (from, to) = (format!("journal.db{suffix}"), format!("b.db{suffix}"));
        if suffix != "-wal" || is_open {
            fs::copy(folder.join(from), there.join(to)).unwrap();
        }
    }
    drop(log);
    there.join("b.db")
}

/// How each command that only reads ends over a journal, run as `run` says.
fn read(journal: &Path, copies: &Path, run: impl Fn(Run) -> Run) -> Vec<Ran> {
    let from = journal.to_str().unwrap();
    let to = |name: &str| copies.join(name).to_str().unwrap().to_owned();
    [
        &["check-journal", from][..],
        &["check-journal", from, "--backup", &to("b.db")],
        &["check-journal", from, "--salvage", &to("s.db")],
        &["copy-journal", from, &to("c.db")],
        &["copy-journal", from, &to("n.db"), "--new-stream"],
    ]
    .into_iter()
    .map(|args| run(incident(args)).run())
    .collect()
}

fn is_whole(ran: &[Ran], journal: &Path, copies: &Path) {
    for ran in ran {
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains("30 events, 1 to 30"), "{ran:?}");
    }
    for name in ["b.db", "s.db", "c.db", "n.db"] {
        let copy = copies.join(name);
        let ran = incident(&["check-journal", copy.to_str().unwrap()]).run();
        assert!(ran.status == Some(0) && ran.stdout.contains("30 events, 1 to 30"), "{name}: {ran:?}");
    }
    // Nothing was left beside it.
    assert_eq!(fs::read_dir(journal.parent().unwrap()).unwrap().count(), 2);
}

fn is_told(ran: &[Ran]) {
    for ran in ran {
        assert_eq!(ran.status, Some(2), "{ran:?}");
        for says in ["b.db-wal", "makes a -shm file", "their folder cannot be written", "copy all files"] {
            assert!(ran.stderr.contains(says), "{says}: {ran:?}");
        }
    }
}

/// Mounts a folder over itself, so that nobody can write there.
fn read_only(folder: &Path) -> String {
    let folder = folder.display();
    format!("mount --bind '{folder}' '{folder}' && mount -o remount,bind,ro '{folder}'")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "mounts a file system of its own (unshare, mount): ./tests/run runs this"]
async fn a_backup_on_a_read_only_disk_is_checked_and_copied() {
    let (folder, copies) = (Scratch::new(), Scratch::new());
    let journal = backup(folder.path(), false).await;
    let mount = read_only(journal.parent().unwrap());
    let ran = read(&journal, copies.path(), |run| run.within(&mount));
    is_whole(&ran, &journal, copies.path());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "mounts a file system of its own (unshare, mount): ./tests/run runs this"]
async fn a_snapshot_with_a_log_on_a_read_only_disk_says_what_it_needs() {
    let (folder, copies) = (Scratch::new(), Scratch::new());
    let journal = backup(folder.path(), true).await;
    let mount = read_only(journal.parent().unwrap());
    is_told(&read(&journal, copies.path(), |run| run.within(&mount)));
    assert_eq!(fs::read_dir(copies.path()).unwrap().count(), 0);
    // The same files where they can be written are the whole journal.
    let ran = incident(&["check-journal", journal.to_str().unwrap()]).run();
    assert!(ran.status == Some(0) && ran.stdout.contains("30 events, 1 to 30"), "{ran:?}");
}
