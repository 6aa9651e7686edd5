//! Several processes that write a file of one name at the same time: one of them does, and the others say that they did not.

use std::fs;
use std::path::Path;

use incident::journal::{Append, Log, Retention, Sqlite};

use crate::harness::{Scratch, Serving, incident, story};

/// A journal that nobody has open.
async fn journal(folder: &Path) {
    let journal = Sqlite::open(&folder.join("journal.db"), Retention::default()).unwrap();
    journal.append(story("a", 30).into()).await.unwrap();
}

fn names(folder: &Path, start: &str) -> Vec<String> {
    let found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = found.filter(|name| name.starts_with(start)).collect();
    names.sort();
    names
}

/// A timer and a person make the same backup. Whoever is told that it is there has to find it.
#[tokio::test(flavor = "multi_thread")]
async fn one_copy_to_a_name_is_made_and_only_it_is_told() {
    let folder = Scratch::new();
    journal(folder.path()).await;
    for round in 0..6 {
        let name = format!("b{round}.db");
        let commands = [
            &["check-journal", "journal.db", "--quiet", "--backup", &name][..],
            &["check-journal", "journal.db", "--quiet", "--backup", &name],
            &["check-journal", "journal.db", "--quiet", "--salvage", &name],
            &["copy-journal", "journal.db", &name, "--new-stream"],
        ];
        // An empty file may be replaced.
        if round % 2 == 1 {
            fs::write(folder.path().join(&name), "").unwrap();
        }
        let running = commands.map(|args| incident(args).at(folder.path()).spawn());
        let (mut made, mut refused) = (Vec::new(), 0);
        for ran in running.map(crate::harness::Running::end) {
            if ran.status == Some(0) {
                made.push(ran.stderr);
            } else {
                refused += 1;
                assert!(
                    ran.stderr.contains("is in use by") || ran.stderr.contains("already exists"),
                    "round {round}: {ran:?}"
                );
            }
        }
        assert_eq!((made.len(), refused), (1, 3), "round {round}: {made:?}");
        assert_eq!(
            names(folder.path(), &name),
            [name.clone(), format!("{name}-head")],
            "nothing else is left"
        );
        let copy = Sqlite::open(&folder.path().join(&name), Retention::default()).unwrap();
        assert!(made[0].contains(copy.stream().as_str()), "{made:?}");
        assert_eq!((copy.extent().head, copy.warnings()), (30, &[][..]));
    }
}

/// A server that begins a journal and a copy to its name keep each other out.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_does_not_take_the_name_of_a_server() {
    let folder = Scratch::new();
    journal(folder.path()).await;
    let lock = fs::File::create(folder.path().join("b.db-lock")).unwrap();
    lock.lock().unwrap();
    fs::write(folder.path().join("b.db-lock"), "process 4711\n").unwrap();
    for args in [
        &["check-journal", "journal.db", "--backup", "b.db"][..],
        &["check-journal", "journal.db", "--salvage", "b.db"],
        &["copy-journal", "journal.db", "b.db", "--new-stream"],
    ] {
        let ran = incident(args).at(folder.path()).run();
        assert_eq!(ran.status, Some(3), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("b.db is in use by process 4711"), "{args:?}: {ran:?}");
        assert_eq!(names(folder.path(), "b.db"), ["b.db-lock"], "{args:?}");
    }
    // What a server has left that was killed keeps nobody out.
    drop(lock);
    let ran = incident(&["check-journal", "journal.db", "--backup", "b.db"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(names(folder.path(), "b.db"), ["b.db", "b.db-head"]);
    assert_eq!(incident(&["check-journal", "b.db"]).at(folder.path()).run().status, Some(0));
}

/// The second one would write its lines between those of the first.
#[tokio::test(flavor = "multi_thread")]
async fn two_recordings_do_not_share_a_file() {
    let folder = Scratch::new();
    let server = Serving::with(&["--journal", "memory"]);
    let file = fs::File::create(folder.path().join("one.ndjson")).unwrap();
    file.lock().unwrap();
    let ran = server.incident(&["watch", "--record", "one.ndjson"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("another process is recording to one.ndjson"), "{ran:?}");
}
