//! The keys of published events: a damaged or a lost one is told, and a salvage makes it anew.

use incident::journal::{Append, Retention, Stop, audit, salvage};

use crate::harness::{metrics, started};
use crate::judgement::{EVENTS, Image, next, open, sql};
use crate::moved::Served;

/// A damaged key must not keep its publisher, or anybody, from appending.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_key_row_is_no_key() {
    for damage in [
        "UPDATE keys SET position = position + 1 WHERE id = 'event-7'",
        "UPDATE keys SET digest = x'00' WHERE id = 'event-7'",
        "UPDATE keys SET digest = zeroblob(32) WHERE id = 'event-7'",
        "UPDATE keys SET checksum = 7 WHERE id = 'event-7'",
    ] {
        let image = Image::new(Retention::default(), false).await;
        let file = image.folder.path().join("journal.db");
        sql(&file, damage);
        let journal = open(&file, Retention::default());
        assert_eq!(journal.warnings().len(), 1, "{damage}: {:?}", journal.warnings());
        // The key of a sound row is known, the damaged one is new; and then it is known, too.
        for (id, new) in [("event-8", false), ("event-7", true), ("event-7", false)] {
            let index = id.trim_start_matches("event-").parse().unwrap();
            let appended = journal.append(next(metrics("keyed", index), id).into()).await.unwrap();
            assert_eq!(appended[0].new, new, "{damage}: {id}");
        }
        drop(journal);
        assert!(audit(&file, &mut |_, _| {}).unwrap().is_sound(), "{damage}: the row was replaced");
    }
}

/// The names are in the events, too. What is sent again after a salvage is not stored a second time, whatever became of the
/// table.
#[tokio::test(flavor = "multi_thread")]
async fn a_salvage_makes_keys_anew() {
    for (damage, renewed) in [
        ("SELECT 1", 0),
        ("DELETE FROM keys WHERE id = 'event-7'", 1),
        ("UPDATE keys SET digest = x'00' WHERE id = 'event-7'", 1),
        ("UPDATE keys SET digest = zeroblob(32) WHERE id = 'event-7'", 1),
        ("DELETE FROM keys", 30),
        ("DROP TABLE keys", 30),
        ("DROP TABLE keys; CREATE TABLE keys (name)", 30),
    ] {
        let image = Image::new(Retention::default(), false).await;
        let (file, new) = (image.folder.path().join("journal.db"), image.folder.path().join("new.db"));
        sql(&file, damage);
        let saved = salvage(&file, &new, &Stop::default()).unwrap();
        assert_eq!((saved.head, saved.renewed_keys), (EVENTS, renewed), "{damage}");
        assert!(audit(&new, &mut |_, _| {}).unwrap().is_sound(), "{damage}");
        let journal = open(&new, Retention::default());
        for number in [1, 7, 30] {
            let record = if number == 1 { started("keyed") } else { metrics("keyed", number) };
            let appended = journal.append(next(record, &format!("event-{number}")).into()).await.unwrap();
            assert_eq!((appended[0].new, appended[0].index), (false, number), "{damage}: {number}");
        }
    }
}

/// What another program removes from under a server is told, as a start would tell it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_program_removes_is_told() {
    let image = Image::new(Retention::default(), false).await;
    let file = image.folder.path().join("journal.db");
    let mut server = Served::over(&file);
    sql(&file, "DELETE FROM keys WHERE id = 'event-7'");
    let warning = server.says("this key is missing");
    assert!(warning.contains("WARN") && warning.contains("event-7"), "{warning}");
    server.kill();
}
