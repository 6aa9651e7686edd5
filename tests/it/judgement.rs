//! One judgement of a file: what `check-journal` passes a server starts over without a warning, and what it fails a
//! server refuses or warns of; and a salvage keeps every event that can be kept. Over a corpus of damages.

use std::fs;
use std::path::{Path, PathBuf};

use incident::journal::{
    Append, Extent, IncidentIndex, Key, Log, OpenError, Place, ReadLimit, Record, Retention, Sqlite, Stop,
    audit, salvage,
};

use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::harness::{Scratch, incident, metrics, resolved, started, story};

/// Events of every image.
pub const EVENTS: u64 = 240;

/// A journal that nobody has open.
pub struct Image {
    pub folder: Scratch,
    told: Vec<String>,
    oldest: u64,
    stream: incident::contract::StreamId,
    /// The row of `head` as it was ten events before.
    earlier: String,
}

/// What became of a damaged copy.
#[derive(Debug)]
struct Verdict {
    /// `check-journal` passes, and a server starts without a warning.
    passes: bool,
    /// How many events a salvage kept; `None` if it kept nothing.
    kept: Option<u64>,
}

pub fn open(file: &Path, retention: Retention) -> Sqlite {
    Sqlite::open(file, retention).unwrap_or_else(|error| panic!("{error}"))
}

/// The record as one of a publisher, with its name.
pub fn next(record: Record, id: &str) -> Record {
    let mut data: Value = serde_json::from_str(record.data.get()).unwrap();
    data["origin"] = json!({ "source": "pager", "id": id });
    let key = Key { source: "pager".to_owned(), id: id.to_owned(), digest: [7; 32] };
    Record { place: Place::Next(key), data: to_raw_value(&data).unwrap(), ..record }
}

impl Image {
    /// An incident that has ended, one with a plan that is open, and one whose events have keys. `retention` may have
    /// dropped the first events. Its process was killed or has stopped.
    pub async fn new(retention: Retention, killed: bool) -> Self {
        let folder = Scratch::new();
        let file = folder.path().join("journal.db");
        let journal = open(&file, retention);
        journal.append(story("over", 100).into()).await.unwrap();
        journal
            .append(vec![Record { plan: Some("the plan".into()), ..started("open") }].into())
            .await
            .unwrap();
        for commit in 0..11 {
            let batch: Vec<_> = (0..9).map(|n| metrics("open", 2 + commit * 9 + n)).collect();
            journal.append(batch.into()).await.unwrap();
        }
        for number in 1..=30 {
            let record = if number == 1 { started("keyed") } else { metrics("keyed", number) };
            journal.append(next(record, &format!("event-{number}")).into()).await.unwrap();
        }
        let earlier = {
            let connection = rusqlite::Connection::open(&file).unwrap();
            let row = "SELECT format('UPDATE head SET position = %d, checksum = %d, seal = %d', position, checksum, seal) FROM head";
            connection.query_row(row, [], |row| row.get(0)).unwrap()
        };
        for index in 101..=110 {
            journal.append(metrics("open", index).into()).await.unwrap();
        }
        let Extent { oldest, head } = journal.extent();
        assert_eq!(head, EVENTS);
        let events = journal.read(0, ReadLimit::ALL).await.unwrap();
        let told = events.iter().map(|event| event.encode(journal.stream())).collect();
        let stream = journal.stream().clone();
        let files = if killed {
            copied(folder.path())
        } else {
            drop(journal);
            copied(folder.path())
        };
        Self { folder: files, told, oldest, stream, earlier }
    }

    /// A damaged copy, judged and salvaged.
    async fn after(&self, damage: impl FnOnce(&Path)) -> Verdict {
        let copy = copied(self.folder.path());
        let (file, new) = (copy.path().join("journal.db"), copy.path().join("new.db"));
        damage(&file);
        let audited = audit(&file, &mut |_, _| {});
        let passes = audited.as_ref().is_ok_and(incident::journal::Audit::is_sound);
        let saved = salvage(&file, &new, &Stop::default()).ok();
        if let Some(saved) = &saved {
            self.is_sound(&new, saved.oldest, saved.head).await;
            if let Ok(audited) = &audited {
                let lead = (audited.sound_to + 1).saturating_sub(saved.oldest);
                let kept = (saved.head + 1).saturating_sub(saved.oldest);
                assert!(kept >= lead, "{kept} of {lead} sound events were kept: {audited:?}");
            }
        }
        let opened = Sqlite::open(&file, Retention::default());
        let starts = opened.as_ref().is_ok_and(|journal| journal.warnings().is_empty());
        let why = opened.as_ref().err().map(ToString::to_string);
        assert_eq!(
            passes,
            starts,
            "check-journal: {audited:#?}\nserve: {why:?} {:?}",
            opened.map(|journal| journal.warnings().to_vec())
        );
        Verdict { passes, kept: saved.map(|saved| (saved.head + 1).saturating_sub(saved.oldest)) }
    }

    /// The salvaged journal starts, goes on, and has what was told.
    async fn is_sound(&self, new: &Path, oldest: u64, head: u64) {
        assert!(audit(new, &mut |_, _| {}).unwrap().is_sound());
        let journal = open(new, Retention::default());
        assert_eq!(journal.warnings(), [""; 0]);
        assert_ne!(journal.stream(), &self.stream);
        assert_eq!(journal.extent(), Extent { oldest, head });
        let kept = journal.read(0, ReadLimit::ALL).await.unwrap();
        for event in &kept {
            let told = &self.told[(event.position - self.oldest) as usize];
            assert_eq!(&event.encode(&self.stream), told, "an event was changed");
        }
        for incident in journal.open_incidents().await.unwrap() {
            let end = resolved(&incident.subject, incident.index + 1);
            journal.append(end.into()).await.unwrap();
        }
        assert!(journal.open_incidents().await.unwrap().is_empty());
    }
}

fn copied(from: &Path) -> Scratch {
    let copy = Scratch::new();
    for name in ["journal.db", "journal.db-wal", "journal.db-head"] {
        if from.join(name).exists() {
            fs::copy(from.join(name), copy.path().join(name)).unwrap();
        }
    }
    copy
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    file.with_file_name(format!("journal.db-{suffix}"))
}

pub fn sql(file: &Path, statement: &str) {
    rusqlite::Connection::open(file).unwrap().execute_batch(statement).unwrap();
}

/// Statements that damage a journal, and how many of its 240 events can be kept.
const STATEMENTS: [(&str, u64); 45] = [
    ("UPDATE events SET data = replace(data, '0.31', '0.32') WHERE position = 150", 149),
    ("UPDATE events SET time_us = time_us + 1 WHERE position = 1", 0),
    ("UPDATE events SET checksum = checksum + 1 WHERE position = 240", 239),
    ("DELETE FROM events WHERE position = 150", 149),
    ("DELETE FROM events WHERE position BETWEEN 20 AND 90", 19),
    ("DELETE FROM events WHERE position > 230", 230),
    ("DELETE FROM events", 0),
    // An event behind the head.
    (
        "INSERT INTO events SELECT 241, time_us, subject, 111, type, data, checksum FROM events WHERE position = 240",
        240,
    ),
    (
        "INSERT INTO events SELECT 1000, time_us, subject, 111, type, data, checksum FROM events WHERE position = 240",
        240,
    ),
    ("UPDATE head SET position = 230", 240),
    ("UPDATE head SET position = 230, seal = 0", 240),
    ("UPDATE head SET position = 0, oldest = 0", 240),
    ("UPDATE head SET position = 9223372036854775807", 240),
    ("UPDATE head SET position = -1", 240),
    ("UPDATE head SET checksum = checksum + 1", 240),
    ("UPDATE head SET oldest = 3", 240),
    ("UPDATE head SET oldest = 9000", 240),
    ("UPDATE head SET base = 1", 240),
    ("UPDATE head SET stream = 'rubbish in here'", 240),
    ("DELETE FROM head", 240),
    ("UPDATE keys SET position = position + 1 WHERE id = 'event-7'", 240),
    ("UPDATE keys SET digest = x'00'", 240),
    ("DELETE FROM keys", 240),
    ("DELETE FROM keys WHERE id = 'event-7'", 240),
    ("UPDATE incidents SET plan = 'another' WHERE subject = 'open'", 240),
    ("UPDATE incidents SET plan = CAST(x'ff' AS TEXT) WHERE subject = 'open'", 240),
    ("UPDATE incidents SET plan = NULL, plan_checksum = NULL WHERE subject = 'open'", 240),
    // Another incident's plan.
    (
        "UPDATE incidents SET (plan, plan_checksum) = (SELECT plan, plan_checksum FROM incidents WHERE subject = 'open')",
        240,
    ),
    ("UPDATE incidents SET ended = 240 WHERE subject = 'open'", 240),
    ("UPDATE incidents SET ended = 0 WHERE subject = 'over'", 240),
    ("UPDATE incidents SET start = start + 1 WHERE subject = 'keyed'", 240),
    ("DELETE FROM incidents WHERE subject = 'over'", 240),
    ("DELETE FROM incidents", 240),
    ("DROP TABLE keys; CREATE TABLE keys (name)", 240),
    ("DROP TABLE server", 240),
    // What another program has put into it.
    ("CREATE TRIGGER tr AFTER INSERT ON events BEGIN DELETE FROM events; END", 240),
    ("CREATE VIEW latest AS SELECT * FROM events", 240),
    ("CREATE INDEX mine ON events (subject, idx)", 240),
    ("CREATE UNIQUE INDEX once ON events (checksum)", 240),
    ("CREATE TABLE notes (text)", 240),
    ("ALTER TABLE events ADD COLUMN note TEXT", 240),
    ("DROP INDEX incidents_open", 240),
    ("DROP INDEX incidents_open; CREATE INDEX incidents_open ON incidents (start) WHERE ended = 1", 240),
    ("PRAGMA application_id = 7", 240),
    ("PRAGMA user_version = 3", 240),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_row_is_judged_alike_and_the_rest_is_saved() {
    for killed in [false, true] {
        let image = Image::new(Retention::default(), killed).await;
        let sound = image.after(|_| {}).await;
        assert!(sound.passes && sound.kept == Some(EVENTS), "{sound:?}");
        // What is in the log is judged as what is in the database is: a few will do.
        for (statement, kept) in STATEMENTS.into_iter().step_by(if killed { 4 } else { 1 }) {
            println!("{statement}");
            let verdict = image.after(|file| sql(file, statement)).await;
            assert_eq!(verdict.kept, Some(kept), "{statement}: {verdict:?}");
            assert!(!verdict.passes, "{statement}");
        }
        println!("an older head");
        let verdict = image.after(|file| sql(file, &image.earlier)).await;
        assert!(!verdict.passes && verdict.kept == Some(EVENTS), "{verdict:?}");
    }
}

/// With the first events dropped, only the head knows the checksum that the first kept event is chained to. One that is damaged may be
/// right in that.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_dropped_events_is_judged_alike() {
    let image = Image::new(Retention { events: 50, age: None }, false).await;
    assert_eq!(image.oldest, 101, "the open incident is kept");
    for (statement, passes, kept) in [
        ("SELECT 1", true, 140),
        ("UPDATE head SET oldest = 100", false, 140),
        ("UPDATE head SET oldest = 102", false, 140),
        ("UPDATE head SET base = base + 1", false, 139),
        ("DELETE FROM head", false, 139),
        ("DELETE FROM events WHERE position = 101", false, 138),
        (
            "INSERT INTO events SELECT 7, time_us, subject, idx, type, data, checksum FROM events WHERE position = 240",
            false,
            0,
        ),
        ("UPDATE incidents SET start = 50 WHERE subject = 'open'", false, 140),
    ] {
        println!("{statement}");
        let verdict = image
            .after(|file| {
                rusqlite::Connection::open(file).unwrap().execute_batch(statement).unwrap();
            })
            .await;
        assert_eq!((verdict.passes, verdict.kept), (passes, Some(kept)), "{statement}");
    }
}

/// Without its row, an incident is in no list, and its id would be free for another one.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_whose_first_events_were_dropped_needs_its_row() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let journal = open(&file, Retention { events: 50, age: None });
    journal.append(story("over", 100).into()).await.unwrap();
    journal.append(vec![started("open"), metrics("open", 2)].into()).await.unwrap();
    let (stream, oldest) = (journal.stream().clone(), journal.extent().oldest);
    assert!((2..100).contains(&oldest), "{oldest}");
    let events = journal.read(0, ReadLimit::ALL).await.unwrap();
    let told = events.iter().map(|event| event.encode(&stream)).collect();
    drop(journal);
    let image = Image { folder, told, oldest, stream, earlier: String::new() };
    for (statement, passes) in [("SELECT 1", true), ("DELETE FROM incidents WHERE subject = 'over'", false)] {
        let verdict = image.after(|file| sql(file, statement)).await;
        assert_eq!((verdict.passes, verdict.kept), (passes, Some(103 - oldest)), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_or_a_cut_anywhere_is_judged_alike() {
    for killed in [false, true] {
        let image = Image::new(Retention::default(), killed).await;
        for name in ["journal.db", "journal.db-wal", "journal.db-head"] {
            let Ok(sound) = fs::read(image.folder.path().join(name)) else { continue };
            if sound.is_empty() {
                continue;
            }
            let (mut passed, mut failed) = (0, 0);
            for n in 0..24_u64 {
                // The first page has the marks and the tables.
                let at = if n < 8 { n * 13 } else { n * 2_654_435_761 } % sound.len() as u64;
                let verdict = image
                    .after(|file| {
                        let mut bytes = sound.clone();
                        match n % 5 {
                            0 => bytes.truncate(at as usize),
                            _ => bytes[at as usize] ^= 1 << (n % 8),
                        }
                        fs::write(file.with_file_name(name), bytes).unwrap();
                    })
                    .await;
                if verdict.passes { passed += 1 } else { failed += 1 }
            }
            // What the log has does not matter in the database.
            assert!(
                failed >= 6 || killed && name == "journal.db",
                "{name}: {passed} passed, {failed} failed"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_companion_is_judged_alike() {
    for killed in [false, true] {
        let image = Image::new(Retention::default(), killed).await;
        for suffix in ["wal", "head"] {
            let verdict = image
                .after(|file| {
                    // After a clean stop there is no log.
                    let _ = fs::remove_file(beside(file, suffix));
                })
                .await;
            assert_eq!(verdict.passes, suffix == "wal" && !killed, "{suffix}, killed: {killed}");
        }
        for text in ["", "rubbish", "0000000000000001 0000000000000000 0000000000000000\n"] {
            let verdict = image.after(|file| fs::write(beside(file, "head"), text).unwrap()).await;
            assert!(!verdict.passes, "{text:?}");
        }
    }
}

/// The same through the binary, for one damage of each verdict.
#[tokio::test(flavor = "multi_thread")]
async fn the_commands_agree_about_a_damaged_journal() {
    let image = Image::new(Retention::default(), false).await;
    for (statement, check, serve) in [
        ("SELECT 1", Some(0), "\"ready\""),
        (STATEMENTS[7].0, Some(5), "the newest event is 241"),
        ("UPDATE keys SET digest = x'00'", Some(5), "\"WARN\""),
        ("DELETE FROM keys WHERE id = 'event-7'", Some(5), "this key is missing"),
        ("UPDATE incidents SET plan = 'another' WHERE subject = 'open'", Some(5), "\"WARN\""),
        ("DROP TABLE head; CREATE TABLE head (id)", Some(5), "is damaged"),
    ] {
        let copy = copied(image.folder.path());
        let file = copy.path().join("journal.db");
        rusqlite::Connection::open(&file).unwrap().execute_batch(statement).unwrap();
        let path = file.display().to_string();
        let ran = incident(&["check-journal", &path]).run();
        assert_eq!(ran.status, check, "{statement}: {ran:?}");
        let mut server =
            incident(&["serve", "--port", "0", "--log-format", "json", "--journal", &path]).spawn();
        server.says(serve);
        server.signal("TERM");
        let said = server.end().stderr;
        let clean = said.contains("\"ready\"") && !said.contains("\"WARN\"");
        assert_eq!(clean, check == Some(0), "{statement}: {said}");
    }
}

/// A publisher's open incident, of which an earlier version of the program dropped the first events.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_incident_without_its_first_events_is_no_damage() {
    let image = Image::new(Retention::default(), false).await;
    let file = image.folder.path().join("journal.db");
    let new = image.folder.path().join("new.db");
    // A salvage of a journal whose head is lost begins after an event that nothing confirms.
    sql(
        &file,
        "DELETE FROM events WHERE position <= 110; DELETE FROM incidents WHERE subject = 'over'; DELETE FROM head",
    );
    let saved = salvage(&file, &new, &Stop::default()).unwrap();
    assert_eq!((saved.oldest, saved.head), (112, EVENTS));
    let journal = open(&new, Retention::default());
    assert_eq!(journal.warnings(), [""; 0]);
    let left = journal.open_incidents().await.unwrap();
    let open: Vec<_> = left.iter().map(|incident| (incident.subject.as_str(), incident.index)).collect();
    assert_eq!(open, [("open", 110), ("keyed", 30)]);
    assert_eq!(left[0].plan.as_deref(), Some("the plan"));
    // But a gap is one.
    drop(journal);
    sql(&new, "UPDATE incidents SET start = 150 WHERE subject = 'open'");
    assert!(matches!(Sqlite::open(&new, Retention::default()), Err(OpenError::Damaged { .. })));
}
