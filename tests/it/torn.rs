//! A journal file that is not as it was left: recovered exactly or refused, never with a hole, and no position is
//! used twice in one stream.

use std::fs;
use std::path::Path;

use incident::contract::StreamId;
use incident::journal::{
    Append, Extent, IncidentIndex, Log, OpenError, ReadLimit, Record, Retention, Sqlite, Stored,
};

use crate::harness::{Scratch, metrics, resolved, started, story};

/// Events of every image.
const EVENTS: u64 = 400;

/// What SQLite and the journal keep on the disk.
const FILES: [&str; 3] = ["journal.db", "journal.db-wal", "journal.db-head"];

/// The files of a journal, and what its clients were told.
struct Image {
    folder: Scratch,
    stream: StreamId,
    told: Vec<String>,
}

impl Image {
    /// As a process leaves it that is killed: a part in the database, a part in the write-ahead log.
    async fn killed() -> Self {
        let folder = Scratch::new();
        let file = folder.path().join("journal.db");
        let journal = Sqlite::open(&file, Retention::default()).unwrap();
        journal.append(story("a", 300).into()).await.unwrap();
        drop(journal);
        let journal = Sqlite::open(&file, Retention::default()).unwrap();
        journal.append(vec![Record { plan: Some("the plan".into()), ..started("b") }].into()).await.unwrap();
        for index in 2..=EVENTS - 300 {
            journal.append(vec![metrics("b", index)].into()).await.unwrap();
        }
        Self::copy(&folder, &journal).await
    }

    /// As a process leaves it that stops.
    async fn closed() -> Self {
        let killed = Self::killed().await;
        drop(Sqlite::open(&killed.file(), Retention::default()).unwrap());
        assert!(!killed.folder.path().join("journal.db-wal").exists());
        killed
    }

    async fn copy(from: &Scratch, journal: &Sqlite) -> Self {
        let stream = journal.stream().clone();
        let told = frames(&journal.read(0, ReadLimit::ALL).await.unwrap(), &stream);
        assert_eq!(told.len() as u64, EVENTS);
        Self { folder: files(from.path()), stream, told }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("journal.db")
    }

    /// A copy of it that was damaged, opened and read to its end.
    async fn after(&self, damage: impl FnOnce(&Path)) -> Opened {
        let copy = files(self.folder.path());
        damage(copy.path());
        let file = copy.path().join("journal.db");
        let journal = match Sqlite::open(&file, Retention::default()) {
            Ok(journal) => journal,
            Err(error) => return Opened::Refused(error.to_string()),
        };
        let head = journal.extent().head;
        let events = match journal.read(0, ReadLimit::ALL).await {
            Ok(events) => events,
            Err(error) => return Opened::Refused(error.to_string()),
        };
        assert_eq!(events.len() as u64, head, "a hole");
        let same = *journal.stream() == self.stream;
        if same {
            assert!(frames(&events, &self.stream) == self.told, "what was told, all of it, byte for byte");
            let left = journal.open_incidents().await.unwrap();
            assert_eq!(left.len(), 1);
            assert_eq!((left[0].subject.as_str(), left[0].start, left[0].index), ("b", 301, 100));
            assert!(
                left[0].plan.as_deref().is_none_or(|plan| plan == "the plan" || plan.is_empty()),
                "{:?}",
                left[0].plan
            );
        } else {
            // Under another name nothing is promised but that it holds together.
            let kept = frames(&events, &self.stream);
            assert!(kept == self.told[..kept.len()], "other events than were told");
        }
        // It goes on behind what is there, and nothing of what is there comes again.
        let next = events.iter().filter(|event| *event.subject == *"b").count() as u64 + 1;
        let begin = if next == 1 { vec![started("b")] } else { Vec::new() };
        let end = vec![resolved("b", next.max(2))];
        let appended = journal.append([begin, end].concat().into()).await.unwrap();
        assert_eq!((appended[0].position, appended[0].new), (head + 1, true));
        Opened::Whole { same }
    }
}

/// A copy of what is kept on the disk. Without the shared memory: it is made anew.
fn files(from: &Path) -> Scratch {
    let copy = Scratch::new();
    for name in FILES.iter().filter(|name| from.join(name).exists()) {
        fs::copy(from.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

fn frames(events: &[Stored], stream: &StreamId) -> Vec<String> {
    events.iter().map(|event| event.encode(stream)).collect()
}

/// What became of an image.
#[derive(Debug)]
enum Opened {
    Refused(String),
    /// Everything is there; under the name that it had, or a new one.
    Whole {
        same: bool,
    },
}

/// Places spread over a file, not at the same place of each page.
fn places(count: u64, length: u64) -> impl Iterator<Item = (u64, usize)> {
    (0..count).map(move |n| (n, (n * 2_654_435_761 % length) as usize))
}

/// Cuts a file at some places and flips a bit at others.
fn damage(file: &Path, n: u64, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    match n % 4 {
        0 => bytes.truncate(at),
        // A sector that was never written.
        1 => bytes[at..].iter_mut().take(512).for_each(|byte| *byte = 0),
        _ => bytes[at] ^= 1 << (n % 8),
    }
    fs::write(file, bytes).unwrap();
}

/// Damages one file of an image at many places; how many were refused, whole under the old name, under a new one.
async fn at_many_places(image: &Image, name: &str, count: u64) -> (u64, u64, u64) {
    let length = fs::metadata(image.folder.path().join(name)).unwrap().len();
    let (mut refused, mut same, mut anew) = (0, 0, 0);
    for (n, at) in places(count, length) {
        match image.after(|folder| damage(&folder.join(name), n, at)).await {
            Opened::Refused(why) => {
                assert!(why.contains("journal.db") || why.contains("is damaged"), "it says what: {why}");
                refused += 1;
            }
            Opened::Whole { same: true } => same += 1,
            Opened::Whole { same: false } => anew += 1,
        }
    }
    (refused, same, anew)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_damaged_anywhere_leaves_no_hole() {
    let (refused, same, anew) = at_many_places(&Image::closed().await, "journal.db", 300).await;
    assert!(refused > 150, "damage is found out: {refused} refused, {same} whole, {anew} anew");
    assert_eq!(anew, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_write_ahead_log_damaged_anywhere_leaves_no_hole() {
    let (refused, same, anew) = at_many_places(&Image::killed().await, "journal.db-wal", 300).await;
    // SQLite drops a damaged tail of its log in silence: the file beside it knows better.
    assert!(refused > 250, "damage is found out: {refused} refused, {same} whole, {anew} anew");
    assert_eq!(anew, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_that_remembers_the_head_damaged_anywhere_makes_a_new_stream_at_worst() {
    let (refused, same, anew) = at_many_places(&Image::killed().await, "journal.db-head", 60).await;
    assert_eq!(refused, 0, "nothing of the events is damaged");
    assert!(anew > 40, "{same} whole, {anew} anew");
}

/// What is left of a file that was cut is not always an older state: SQLite might take it for one.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_cut_behind_any_commit_is_refused() {
    let image = Image::killed().await;
    let log = fs::read(image.folder.path().join("journal.db-wal")).unwrap();
    // 32 bytes of header, then frames of 24 bytes and a page.
    for frames in (0..(log.len() - 32) / 4_120).step_by(7) {
        let cut = &log[..32 + frames * 4_120];
        let opened = image.after(|folder| fs::write(folder.join("journal.db-wal"), cut).unwrap()).await;
        match opened {
            Opened::Refused(why) => {
                assert!(why.contains("were published and are missing"), "{frames} frames: {why}");
            }
            Opened::Whole { .. } => panic!("{frames} frames of the log were taken for all"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_log_or_an_empty_database_is_refused() {
    type Damage = fn(&Path) -> std::io::Result<()>;
    let image = Image::killed().await;
    let no_log: Damage = |folder| fs::remove_file(folder.join("journal.db-wal"));
    let empty: Damage = |folder| fs::write(folder.join("journal.db"), "");
    for (damage, told) in [
        (no_log, "400 were published and are missing"),
        // SQLite would delete the log beside it.
        (empty, "has events of it that are nowhere else"),
    ] {
        match image.after(|folder| damage(folder).unwrap()).await {
            Opened::Refused(why) => assert!(why.contains(told), "{why}"),
            Opened::Whole { .. } => panic!("what was told is gone"),
        }
    }
}

/// With its log, as the error says. The witness file may stay: it is an older one's.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_moved_away_makes_room_for_a_new_one() {
    let image = Image::killed().await;
    fs::rename(image.file(), image.folder.path().join("kept.db")).unwrap();
    let log = image.folder.path().join("journal.db-wal");
    fs::rename(log, image.folder.path().join("kept.db-wal")).unwrap();
    let journal = Sqlite::open(&image.file(), Retention::default()).unwrap();
    assert_eq!(journal.extent(), Extent { oldest: 1, head: 0 });
    assert_ne!(journal.stream(), &image.stream);
}

fn with_sqlite(folder: &Path, statement: &str) {
    let connection = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
    connection.execute_batch(statement).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_changed_or_taken_is_found_out() {
    let image = Image::killed().await;
    for (statement, found) in [
        ("UPDATE events SET data = replace(data, 'detect', 'reject') WHERE position = 200", "event 200 is"),
        ("UPDATE events SET time_us = time_us + 1 WHERE position = 7", "event 7 is damaged"),
        ("UPDATE events SET subject = 'other' WHERE position = 7", "event 7 is damaged"),
        ("DELETE FROM events WHERE position = 200", "event 200 is damaged"),
        ("DELETE FROM events WHERE position > 390", "the newest event is 390, but the table `head` says 400"),
        ("DELETE FROM events", "the journal has no events, but the table `head` says 400"),
        ("UPDATE head SET position = 399", "the checksum of its table `head`"),
        ("UPDATE head SET checksum = checksum + 1", "its table `head`"),
        ("UPDATE head SET stream = '01M0VEDAWAY00000'", "its table `head`"),
        ("UPDATE head SET oldest = 7", "its table `head`"),
        ("UPDATE incidents SET ended = 400 WHERE subject = 'b'", "b does not begin or end where"),
        ("UPDATE incidents SET ended = 0 WHERE subject = 'a'", "a should be open, but its events"),
        ("UPDATE incidents SET start = 302 WHERE subject = 'b'", "b does not begin or end where"),
        ("PRAGMA user_version = 99", "reads formats up to 5"),
    ] {
        match image.after(|folder| with_sqlite(folder, statement)).await {
            Opened::Refused(why) => assert!(why.contains(found), "{statement}: {why}"),
            Opened::Whole { .. } => panic!("{statement} was not found out"),
        }
    }
}

/// SQLite goes by an index that lost an entry, and an open incident would be forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_lost_an_entry_is_found_out() {
    let image = Image::killed().await;
    let lose = |folder: &Path| {
        let define = |condition: &str| {
            let sql = format!("CREATE INDEX incidents_open ON incidents (start) WHERE ended = {condition}");
            let update = format!("UPDATE sqlite_schema SET sql = '{sql}' WHERE name = 'incidents_open'");
            with_sqlite(folder, &format!("PRAGMA writable_schema = ON; {update}"));
        };
        define("7");
        with_sqlite(folder, "REINDEX incidents_open");
        define("0");
    };
    match image.after(lose).await {
        Opened::Refused(why) => assert!(why.contains("incidents_open"), "{why}"),
        Opened::Whole { .. } => panic!("it was not found out"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_vouches_for_the_tail_the_log_goes_on_as_a_new_stream() {
    let image = Image::killed().await;
    for beside in ["", "rubbish", "0000000000000190 0000000000000000 0000000000000000\n"] {
        let opened = image.after(|folder| fs::write(folder.join("journal.db-head"), beside).unwrap()).await;
        assert!(matches!(opened, Opened::Whole { same: false }), "{beside:?}: {opened:?}");
    }
}

/// The word of a commit is written after it: a process may end in between.
#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_older_than_the_log_is_enough() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let journal = Sqlite::open(&file, Retention { events: 50, age: None }).unwrap();
    let stream = journal.stream().clone();
    let mut words = Vec::new();
    for incident in 0..6 {
        words.push(fs::read(folder.path().join("journal.db-head")).unwrap());
        journal.append(story(&format!("incident-{incident}"), 30).into()).await.unwrap();
    }
    assert!(journal.extent().oldest > 100, "retention dropped what the first words are about");
    drop(journal);
    for word in words {
        fs::write(folder.path().join("journal.db-head"), word).unwrap();
        let journal = Sqlite::open(&file, Retention { events: 50, age: None }).unwrap();
        assert_eq!((journal.stream(), journal.extent().head), (&stream, 180));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_journal_is_refused() {
    let folder = Scratch::new().with("journal.db", &"no database, though it is long enough ".repeat(400));
    match Sqlite::open(&folder.path().join("journal.db"), Retention::default()) {
        Err(OpenError::Damaged { what, .. }) => assert!(what.contains("not a database"), "{what}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken for one"),
    }
}
