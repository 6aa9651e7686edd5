//! A copy of a journal that is interrupted: nothing is left of it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use incident::journal::{Append, Retention, Sqlite};

use crate::harness::{PATIENCE, Scratch, incident, story};

fn names(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = found.collect();
    names.sort();
    names
}

/// The process stands still from the moment at which its copy is begun until it has the signal. Then all of the copy, and the check of
/// it, are still to come.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_interrupted_leaves_nothing() {
    let folder = Scratch::new();
    let journal = Sqlite::open(&folder.path().join("journal.db"), Retention::default()).unwrap();
    for one in 0..20 {
        journal.append(story(&format!("a{one}"), 1_000).into()).await.unwrap();
    }
    drop(journal);
    // Whoever reads it makes files beside it.
    let ran = incident(&["check-journal", "journal.db", "--quiet"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let before = names(folder.path());
    for (args, signal) in [
        (&["check-journal", "journal.db", "--quiet", "--backup", "b.db"][..], "INT"),
        (&["check-journal", "journal.db", "--quiet", "--backup", "b.db"], "TERM"),
        (&["check-journal", "journal.db", "--quiet", "--salvage", "b.db"], "INT"),
        (&["check-journal", "journal.db", "--quiet", "--salvage", "b.db"], "TERM"),
        (&["copy-journal", "journal.db", "b.db", "--quiet", "--new-stream"], "TERM"),
    ] {
        let running = incident(args).at(folder.path()).spawn();
        let until = Instant::now() + PATIENCE;
        while !names(folder.path())
            .iter()
            .any(|name| Path::new(name).extension().is_some_and(|end| end == "part"))
        {
            assert!(Instant::now() < until, "{args:?}: no copy is begun");
            std::thread::yield_now();
        }
        for name in ["STOP", signal, "CONT"] {
            running.signal(name);
        }
        let ran = running.end();
        assert_eq!(ran.status, Some(130), "{args:?} {signal}: {ran:?}");
        assert!(ran.stderr.contains("The copy was interrupted"), "{args:?} {signal}: {ran:?}");
        assert_eq!(names(folder.path()), before, "{args:?} {signal}");
    }
    // The name is free.
    let ran = incident(&["check-journal", "journal.db", "--backup", "b.db"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}
