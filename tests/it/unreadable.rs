//! A journal of which one page can't be read, as after a bad sector or a write that was torn, or whose end is missing: what can be
//! read is saved.

use std::fs;
use std::path::Path;

use incident::journal::{Append, Log, OpenError, Retention, Sqlite, Stop, audit, salvage};

use crate::harness::{Scratch, incident, story};

/// A journal that was stopped cleanly.
async fn journal(file: &Path, events: usize) {
    let journal = Sqlite::open(file, Retention::default()).unwrap_or_else(|error| panic!("{error}"));
    for subject in ["a", "b", "c"] {
        journal.append(story(subject, events as u64).into()).await.unwrap();
    }
    assert_eq!(journal.extent().head, 3 * events as u64);
}

/// How many events any program reads from the first one on.
fn readable(file: &Path) -> u64 {
    let connection = rusqlite::Connection::open(file).unwrap();
    let _ = connection.execute_batch("PRAGMA writable_schema = ON");
    let Ok(mut select) = connection.prepare("SELECT position FROM events ORDER BY position") else {
        return 0;
    };
    let Ok(mut rows) = select.query([]) else { return 0 };
    let mut last = 0;
    while let Ok(Some(row)) = rows.next() {
        match row.get::<_, u64>(0) {
            Ok(position) if position == last + 1 => last = position,
            _ => break,
        }
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_a_page_that_cannot_be_read_is_saved() {
    const PAGE: usize = 4096;
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    journal(&file, 100).await;
    let bytes = fs::read(&file).unwrap();
    let pages = bytes.len() / PAGE;
    let mut saved_in_part = 0;
    for page in 1..pages {
        let damaged = Scratch::new();
        let copy = damaged.path().join("journal.db");
        let mut bytes = bytes.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        fs::write(&copy, &bytes).unwrap();
        let wanted = readable(&copy);
        let sound_to = audit(&copy, &mut |_, _| {}).map(|audit| audit.sound_to);
        let saved = salvage(&copy, &damaged.path().join("new.db"), &Stop::default());
        let saved = saved.map(|copied| copied.head);
        assert!(saved.as_ref().is_ok_and(|saved| *saved >= wanted), "page {page}: {saved:?} of {wanted}");
        // Without the table `head` nothing more can be judged.
        let is_judged = match &sound_to {
            Ok(sound) => *sound >= wanted,
            Err(error) => matches!(error, OpenError::Damaged { .. }),
        };
        assert!(is_judged, "page {page}: {sound_to:?} of {wanted}");
        saved_in_part += u32::from(wanted > 0 && wanted < 300);
    }
    assert!(saved_in_part > 5, "{saved_in_part} of {pages} pages had events");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_end_is_missing_is_judged_and_saved() {
    let folder = Scratch::new();
    let (file, new) = (folder.path().join("journal.db"), folder.path().join("new.db"));
    journal(&file, 100).await;
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 4096]).unwrap();
    let wanted = readable(&file);
    assert!(wanted > 0);
    let ran = incident(&["check-journal", file.to_str().unwrap()]).run();
    assert!(ran.status == Some(5) && ran.stdout.contains("FAIL pages"), "{ran:?}");
    let ran = incident(&["check-journal", file.to_str().unwrap(), "--salvage", new.to_str().unwrap()]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let ran = incident(&["check-journal", new.to_str().unwrap(), "--json"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains(&format!("\"head\":{wanted}")), "{ran:?}");
    // Of what can't be read at all nobody is told to salvage it.
    fs::write(&file, &whole[..4096]).unwrap();
    let ran =
        incident(&["check-journal", file.to_str().unwrap(), "--salvage", "other.db"]).at(folder.path()).run();
    assert!(ran.status != Some(0) && !ran.stderr.contains("--salvage NEW"), "{ran:?}");
}
