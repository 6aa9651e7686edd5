//! Names of journals that mean something else to SQLite or to the file system, and what a copy that was killed leaves.

use std::fs;
use std::path::Path;

use incident::journal::{Append, Retention, Sqlite};

use crate::harness::{Scratch, incident, story};

/// A journal with a name in a folder, made as a server makes it.
async fn journal(folder: &Path, name: &str) {
    let journal = Sqlite::open(&folder.join(name), Retention::default()).unwrap();
    journal.append(story("a", 30).into()).await.unwrap();
}

/// What `serve` takes as the name of a file, `check-journal` takes as that file, and copies it.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_means_something_to_sqlite_is_a_name() {
    for name in [":memory:", "file:x.db", "file:", "file:y.db?mode=memory&cache=shared", "file::memory:"] {
        let folder = Scratch::new();
        journal(folder.path(), name).await;
        fs::write(folder.path().join("x.db"), "another file").unwrap();
        for args in [&[][..], &["--backup", "file:b.db"], &["--salvage", "file:s.db?mode=memory"]] {
            let ran = incident(&[&["check-journal", name], args].concat()).at(folder.path()).run();
            assert_eq!(ran.status, Some(0), "{name} {args:?}: {ran:?}");
            assert!(ran.stdout.contains("30 events, 1 to 30"), "{name}: {ran:?}");
        }
        for copy in ["file:b.db", "file:s.db?mode=memory"] {
            let ran = incident(&["check-journal", copy]).at(folder.path()).run();
            assert_eq!(ran.status, Some(0), "{name}: {ran:?}");
        }
    }
}

/// To a server `memory` is no file. What is printed to be copied has to name the copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_called_memory_is_served_from_its_file() {
    for option in ["--backup", "--salvage"] {
        let folder = Scratch::new();
        journal(folder.path(), "journal.db").await;
        let ran = incident(&["check-journal", "journal.db", option, "memory"]).at(folder.path()).run();
        assert_eq!(ran.status, Some(0), "{option}: {ran:?}");
        let (_, command) = ran.stderr.split_once("Serve it: incident serve ").unwrap();
        let args: Vec<_> = command.split_whitespace().collect();
        let mut server = incident(&[&["serve", "--port", "0"], &args[..]].concat()).at(folder.path()).spawn();
        let said = server.says("Journal");
        assert!(!said.contains("in memory"), "{option} {args:?}: {said}");
        server.says("Ready in");
        server.signal("TERM");
        let ran = server.end();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        // A name in a folder is no other kind of journal.
        let ran = incident(&["check-journal", "./memory", option, "./copy.db"]).at(folder.path()).run();
        assert!(ran.stderr.contains("serve --journal ./copy.db"), "{option}: {ran:?}");
        assert!(ran.stderr.contains("30 events, 1 to 30"), "{option}: {ran:?}");
    }
}

/// `--journal /data/` where nothing is mounted: the file `data` would be made, and never be found again.
#[test]
fn the_name_of_a_folder_that_is_not_there_is_refused() {
    let folder = Scratch::new();
    std::os::unix::fs::symlink("to/", folder.path().join("link")).unwrap();
    for name in ["data/", "data/.", "a/b/", "link"] {
        let ran = incident(&["serve", "--port", "0", "--journal", name]).at(folder.path()).run();
        assert_eq!(ran.status, Some(3), "{name}: {ran:?}");
        assert!(ran.stderr.contains("it is the name of a folder: name a file in it"), "{name}: {ran:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_is_a_copy_made_under_one() {
    let folder = Scratch::new();
    journal(folder.path(), "journal.db").await;
    for option in ["--backup", "--salvage"] {
        let ran = incident(&["check-journal", "journal.db", option, "data/"]).at(folder.path()).run();
        assert_eq!(ran.status, Some(2), "{option}: {ran:?}");
        assert!(ran.stderr.contains("it is the name of a folder: name a file in it"), "{option}: {ran:?}");
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut made = names.filter(|name| name.to_str().unwrap().starts_with("data"));
        assert_eq!(made.next(), None, "{option}");
    }
}

/// A timer that kills a backup each night would fill the disk.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_copy_removes_what_a_killed_one_has_left() {
    let folder = Scratch::new();
    journal(folder.path(), "journal.db").await;
    let at = |name: &str| folder.path().join(name);
    let part = |digit: &str, suffix: &str| format!(".incident-copy-{}.part{suffix}", digit.repeat(16));
    let rests =
        [part("1", ""), part("1", "-wal"), part("1", "-lock"), part("2", "-journal"), part("2", "-lock")];
    // Nobody else's: without a lock file, with a name of another kind, of a process that is at work, and what is a link.
    let others = [
        part("3", ""),
        part("4", "-notes"),
        part("x", "-lock"),
        part("5", ""),
        part("5", "-lock"),
        part("6", "-lock"),
        "b.db-part-17".to_owned(),
        "b.db-part-17-lock".to_owned(),
        ".incident-0123456789abcdef.part".to_owned(),
    ];
    for name in rests.iter().chain(&others) {
        fs::write(at(name), "rest").unwrap();
    }
    let links = [part("6", ""), part("7", "-lock"), "b.db-part-18".to_owned()];
    for name in &links {
        std::os::unix::fs::symlink("journal.db", at(name)).unwrap();
    }
    let held = fs::File::open(at(&part("5", "-lock"))).unwrap();
    held.lock().unwrap();
    let ran = incident(&["check-journal", "journal.db", "--backup", "b.db"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    for name in &rests {
        assert!(!at(name).exists(), "{name} is still there");
    }
    for name in &others {
        assert!(
            fs::read_to_string(at(name)).is_ok_and(|text| text == "rest"),
            "{name} was removed or changed"
        );
    }
    for name in &links {
        assert!(at(name).is_symlink(), "{name} was removed");
    }
    assert!(incident(&["check-journal", "b.db"]).at(folder.path()).run().status == Some(0));
}

/// A misspelt address would become a file with that name, and the server one that no other server sees.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_known_does_not_become_a_file() {
    let folder = Scratch::new();
    journal(folder.path(), "a.db").await;
    for address in [
        "nat://a:4222",
        "NATS:/a",
        "nats:a",
        " nats://a:1",
        "ws://a:1/",
        "nats+tls://a",
        "postgres://a/b",
        "file://x.db",
    ] {
        for args in [
            &["serve", "--port", "0", "--journal", address][..],
            &["check-journal", address],
            &["copy-journal", "a.db", address],
            &["copy-journal", address, "b.db"],
        ] {
            let ran = incident(args).at(folder.path()).run();
            assert!(ran.status.is_some_and(|status| status > 1), "{args:?}: {ran:?}");
            assert!(ran.stderr.contains("HOST:PORT"), "{args:?}: {ran:?}");
        }
    }
    let names = || fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let has = |start: &str| names().any(|name| name.to_string_lossy().to_lowercase().starts_with(start));
    assert!(
        !["nat", "tls", " nat", "ws", "postgres", "file"].into_iter().any(has),
        "{:?}",
        names().collect::<Vec<_>>()
    );
    // Schemes are the same in any case, and a path is a file.
    let ran = incident(&["check-journal", "NATS://127.0.0.1:1?durability=always"]).at(folder.path()).run();
    assert!(ran.stderr.contains("no NATS server can be reached"), "{ran:?}");
    let ran = incident(&["check-journal", "./nats:a"]).at(folder.path()).run();
    assert!(!ran.stderr.contains("HOST:PORT"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_as_a_file_of_keys_is_refused_at_once() {
    let folder = Scratch::new().with("noise", "no certificate");
    assert!(std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    for setting in ["nkey=", "creds=", "ca=", "key=noise&cert="] {
        for (file, why) in
            [("pipe", "it is a pipe"), ("/dev/zero", "it is a device"), ("none", "no such file")]
        {
            let location = format!("nats://127.0.0.1:1?durability=always&{setting}{file}");
            let ran = incident(&["check-journal", &location]).at(folder.path()).run();
            assert!(ran.status.is_some_and(|status| status > 1), "{ran:?}");
            let is_other = ran.stderr.contains("noise");
            assert!(
                ran.stderr.contains(why) || (is_other && ran.stderr.contains("PEM")),
                "{location}: {ran:?}"
            );
        }
    }
    let ran =
        incident(&["check-journal", "nats://127.0.0.1:1?durability=always&ca=noise"]).at(folder.path()).run();
    assert!(ran.stderr.contains("a PEM file is needed"), "{ran:?}");
}

/// Whose the file would be is looked at, and a pipe there is never written.
#[test]
fn a_pipe_beside_a_journal_is_not_waited_for() {
    let folder = Scratch::new();
    assert!(std::process::Command::new("mkfifo").arg(folder.path().join("x")).status().unwrap().success());
    let journal = folder.path().join("x-wal").display().to_string();
    let mut serving = incident(&["serve", "--port", "0", "--journal", &journal]).spawn();
    serving.says("Ready");
}
