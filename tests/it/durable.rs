//! What a journal file keeps over the end of its process, and what it refuses.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use incident::contract::{Message, StreamId};
use incident::journal::{
    Append, Extent, IncidentIndex, Journal, Log, OpenError, ReadLimit, Record, Retention, Sqlite, Stop,
    Stored, TimeSource, audit, backup, salvage,
};
use incident::player::{Player, Speed};
use incident::scenario::Library;
use sha2::Digest;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{Clocks, Scratch, Serving, Timeline, metrics, resolved, root, soon, started, story};

fn open(file: &Path) -> Sqlite {
    Sqlite::open(file, Retention::default()).unwrap_or_else(|error| panic!("{error}"))
}

async fn all(journal: &Sqlite) -> Vec<Stored> {
    journal.read(0, ReadLimit::ALL).await.unwrap()
}

fn frames(events: &[Stored], stream: &StreamId) -> Vec<String> {
    events.iter().map(|event| event.encode(stream)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_again_byte_for_byte() {
    let folder = Scratch::new();
    let file = folder.path().join("deep/journal.db");
    let journal = open(&file);
    journal.append(story("a", 300).into()).await.unwrap();
    journal
        .append(vec![Record { plan: Some("the plan".into()), ..started("b") }, metrics("b", 2)].into())
        .await
        .unwrap();
    let (stream, before) = (journal.stream().clone(), frames(&all(&journal).await, journal.stream()));
    drop(journal);
    let journal = open(&file);
    assert_eq!(journal.stream(), &stream);
    assert_eq!(journal.extent(), Extent { oldest: 1, head: 302 });
    assert_eq!(frames(&all(&journal).await, journal.stream()), before);
    let left = journal.open_incidents().await.unwrap();
    assert_eq!(
        (left[0].subject.as_str(), left[0].index, left[0].plan.as_deref()),
        ("b", 2, Some("the plan"))
    );
    // It goes on where it was, and knows what it has.
    let appended = journal.append(vec![metrics("b", 2), resolved("b", 3)].into()).await.unwrap();
    let said: Vec<_> = appended.iter().map(|event| (event.position, event.new)).collect();
    assert_eq!(said, [(302, false), (303, true)]);
    let times: Vec<_> = all(&journal).await.iter().map(|event| event.time).collect();
    assert!(times.is_sorted(), "time does not fall back over a restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_told_who_has_it() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let journal = open(&file);
    match Sqlite::open(&file, Retention::default()) {
        Err(OpenError::Held { holder, .. }) => {
            assert_eq!(holder, format!("process {}", std::process::id()));
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("two have it"),
    }
    drop(journal);
    open(&file);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_commit_is_synchronous() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let journal = open(&file);
    journal.append(vec![started("a")].into()).await.unwrap();
    assert_eq!(journal.pragmas(), ("wal".to_owned(), 2), "journal_mode=WAL, synchronous=FULL");
}

/// A server that starts over a journal with an open incident goes on with it.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_incident_is_gone_on_with_by_its_stored_plan() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let library = Library::shipped().unwrap();
    let timeline = Timeline::compile(library.get("database-outage").unwrap(), 42);
    let speed = Speed::new(100.0).unwrap();
    // The first process dies in the middle: nobody stops in order.
    let journal = Arc::new(open(&file));
    let tasks = TaskTracker::new();
    let player = Player::new(
        Journal::from(Arc::clone(&journal)),
        tasks.clone(),
        CancellationToken::new(),
        Arc::default(),
    );
    let id = player.start(timeline.plan(), speed).await.unwrap().id;
    let mut follow = journal.follow();
    follow.wait_for(|extent| extent.head >= 20).await.unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    drop((player, follow));
    let (stream, seen) = (journal.stream().clone(), journal.extent().head);
    let first = frames(&all(&journal).await, &stream);
    // Its tasks hold the journal: in a process that is killed they just end.
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["journal.db", "journal.db-wal", "journal.db-head"] {
        if file.with_file_name(name).exists() {
            std::fs::copy(file.with_file_name(name), copy.join(name)).unwrap();
        }
    }
    let journal = Arc::new(open(&copy.join("journal.db")));
    let tasks = TaskTracker::new();
    let player = Player::new(
        Journal::from(Arc::clone(&journal)),
        tasks.clone(),
        CancellationToken::new(),
        Arc::default(),
    );
    assert_eq!(player.pick_up().await.unwrap(), 1);
    assert_eq!(player.pick_up().await.unwrap(), 0, "once");
    tasks.close();
    tokio::time::timeout(Duration::from_secs(14), tasks.wait()).await.unwrap();
    let events = all(&journal).await;
    assert!(seen >= 20);
    assert_eq!(frames(&events[..20], &stream), first[..20], "what was told stays as it was");
    let indices: Vec<u64> = events.iter().map(|event| event.index).collect();
    assert_eq!(
        indices,
        (1..=timeline.events.len() as u64).collect::<Vec<_>>(),
        "no step twice, none missing"
    );
    assert!(events.iter().all(|event| *event.subject == *id));
    let planned = timeline.events.iter().zip(&events).skip(1);
    for (planned, event) in planned.filter(|(_, event)| event.kind.as_str() != "agent_action") {
        assert_eq!(event.data.get(), planned.message.data().get());
    }
}

/// A machine that was off for a day: the incident is brought to its end at once, and says that it is late.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_a_day_overdue_ends_at_once_and_says_so() {
    let folder = Scratch::new();
    let library = Library::shipped().unwrap();
    let mut timeline = Timeline::compile(library.get("database-outage").unwrap(), 42);
    let Some(Message::IncidentStarted(first)) = timeline.events.first_mut().map(|event| &mut event.message)
    else {
        panic!("it starts");
    };
    let clocks = Clocks::at("2026-11-22T12:00:00Z");
    first.impact_started_at = clocks.wall();
    let plan = timeline.text();
    let open = || {
        let file = folder.path().join("journal.db");
        Arc::new(Sqlite::with_clocks(&file, Retention::default(), clocks.source()).unwrap())
    };
    let journal = open();
    let record = timeline.records("late-one", 1).remove(0);
    journal.append(Record { plan: Some(plan), ..record }.into()).await.unwrap();
    drop(journal);
    clocks.pass(Duration::from_secs(24 * 60 * 60));
    let journal = open();
    let tasks = TaskTracker::new();
    let player = Player::new(
        Journal::from(Arc::clone(&journal)),
        tasks.clone(),
        CancellationToken::new(),
        Arc::default(),
    );
    player.pick_up().await.unwrap();
    tasks.close();
    tokio::time::timeout(Duration::from_secs(14), tasks.wait()).await.unwrap();
    let events = all(&journal).await;
    assert_eq!(events.len(), timeline.events.len());
    let actions = events.iter().filter(|event| event.kind.as_str() == "agent_action");
    assert!(actions.clone().count() > 10);
    for action in actions {
        let message = Message::parse("agent_action", &action.data).unwrap();
        let Message::AgentAction(action) = message else { panic!("{message:?}") };
        assert!(action.late_s.is_some_and(|late| late > 86_000.0), "{:?}", action.late_s);
    }
    assert!(journal.open_incidents().await.unwrap().is_empty());
}

/// What gets too old does so on a server on which nothing happens, too.
#[tokio::test(flavor = "multi_thread")]
async fn age_lets_go_without_an_append() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    // More than one commit may drop.
    open(&file).append(story("a", 5_000).into()).await.unwrap();
    let retention = Retention { events: 1_000_000, age: Some(Duration::from_millis(1)) };
    let journal = Sqlite::open(&file, retention).unwrap();
    let mut extent = journal.follow();
    let empty = extent.wait_for(|extent| extent.oldest == 5_001);
    soon("retention", empty).await.unwrap();
    assert!(all(&journal).await.is_empty());
    let next = journal.append(started("b").into()).await.unwrap();
    assert_eq!(next[0].position, 5_001, "positions go on");
}

/// A file of the first format, as its program left it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_older_format_is_brought_to_the_newest() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let journal = open(&file);
    journal.append(story("a", 20).into()).await.unwrap();
    journal.append(vec![Record { plan: Some("the plan".into()), ..started("b") }].into()).await.unwrap();
    let (stream, before) = (journal.stream().clone(), frames(&all(&journal).await, journal.stream()));
    drop(journal);
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection
        .execute_batch(
            "DROP TABLE server; PRAGMA application_id = 0; DROP TABLE keys; DROP INDEX incidents_by_start; ALTER TABLE head DROP COLUMN seal; PRAGMA user_version = 1;
             CREATE UNIQUE INDEX events_by_incident ON events (subject, idx)",
        )
        .unwrap();
    // Checksums of plans had no name in them, and there were none of no plan.
    let digest = sha2::Sha256::digest("the plan");
    let checksum = i64::from_le_bytes(digest[..8].try_into().unwrap());
    connection.execute("UPDATE incidents SET plan_checksum = ?1 WHERE subject = 'b'", [checksum]).unwrap();
    connection.execute("UPDATE incidents SET plan_checksum = NULL WHERE plan IS NULL", []).unwrap();
    drop(connection);
    let journal = open(&file);
    assert_eq!(frames(&all(&journal).await, journal.stream()), before);
    assert_eq!(journal.stream(), &stream);
    assert_eq!(journal.incidents(1).await.unwrap()[0].subject, "b");
    assert_eq!(journal.warnings().len(), 1, "{:?}", journal.warnings());
    assert_eq!(journal.plan("b").await.unwrap().as_deref(), Some("the plan"));
    drop(journal);
    let connection = rusqlite::Connection::open(&file).unwrap();
    let plan: String = connection
        .query_row(
            "EXPLAIN QUERY PLAN SELECT subject FROM incidents ORDER BY start DESC LIMIT 1",
            [],
            |row| row.get(3),
        )
        .unwrap();
    assert!(plan.contains("incidents_by_start"), "{plan}");
}

/// Older versions can't read a file any more once it is upgraded: what is refused stays as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_older_format_that_is_refused_is_not_upgraded() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let earlier = folder.path().join("earlier.db");
    for (subject, copy) in [("a", Some(&earlier)), ("b", None)] {
        let journal = open(&file);
        journal.append(story(subject, 20).into()).await.unwrap();
        drop(journal);
        copy.map(|copy| std::fs::copy(&file, copy).unwrap());
    }
    for file in [&file, &earlier] {
        let older = "DROP TABLE server; PRAGMA application_id = 0; PRAGMA user_version = 3";
        rusqlite::Connection::open(file).unwrap().execute_batch(older).unwrap();
    }
    for (statement, from, said, saved) in [
        ("UPDATE events SET data = '{}' WHERE position = 5", &file, "event 5 is damaged", 4),
        ("INSERT INTO incidents (subject, start, ended) VALUES ('ghost', 0, 0)", &file, "ghost", 40),
        ("UPDATE incidents SET ended = 2 WHERE subject = 'a'", &file, "a does not begin or end", 40),
        ("UPDATE head SET seal = 1", &file, "`head`", 40),
        ("DELETE FROM head", &file, "its table `head` is empty", 40),
        ("DELETE FROM events WHERE position = 40", &file, "the newest event is 39", 39),
        // An older copy beside the witness file of the newer one.
        ("SELECT 1", &earlier, "events 21 to 40 were published and are missing", 20),
    ] {
        let copies = Scratch::new();
        let copy = copies.path().join("journal.db");
        std::fs::copy(from, &copy).unwrap();
        std::fs::copy(folder.path().join("journal.db-head"), copies.path().join("journal.db-head")).unwrap();
        let connection = rusqlite::Connection::open(&copy).unwrap();
        connection.execute_batch(statement).unwrap();
        let error = Sqlite::open(&copy, Retention::default()).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.contains(said) && error.contains("it was not upgraded"), "{statement}: {error}");
        // What is sound of it can be had all the same.
        let found = match audit(&copy, &mut |_, _| {}) {
            Ok(audit) => audit.checks.into_iter().filter_map(|check| check.outcome.err()).collect(),
            Err(error) => vec![error.to_string()],
        };
        assert!(found.iter().any(|found| found.contains(said)), "{statement}: {found:?}");
        let new = copies.path().join("new.db");
        let copied =
            salvage(&copy, &new, &Stop::default()).unwrap_or_else(|error| panic!("{statement}: {error}"));
        assert_eq!((copied.oldest, copied.head), (1, saved), "{statement}");
        assert!(open(&new).warnings().is_empty(), "{statement}");
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 3, "{statement}");
    }
    assert_eq!(open(&file).warnings().len(), 1, "it was upgraded");
}

/// A backup before the new version is used for the first time.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_older_format_is_checked_and_copied() {
    let folder = Scratch::new();
    let (file, copy) = (folder.path().join("journal.db"), folder.path().join("copy.db"));
    let journal = open(&file);
    journal.append(story("a", 20).into()).await.unwrap();
    let (stream, before) = (journal.stream().clone(), frames(&all(&journal).await, journal.stream()));
    drop(journal);
    let older = "DROP TABLE server; PRAGMA application_id = 0; PRAGMA user_version = 3";
    rusqlite::Connection::open(&file).unwrap().execute_batch(older).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let found = audit(&file, &mut |_, _| {}).unwrap();
    assert!(found.is_sound(), "{found:?}");
    let format = found.checks[0].outcome.as_ref().unwrap();
    assert!(format.contains("the older format 3 of a journal"), "{format}");
    let copied = backup(&file, &copy, &Stop::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((copied.oldest, copied.head), (1, 20));
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "the file stays as it is");
    let copy = open(&copy);
    assert!(copy.warnings().is_empty(), "{:?}", copy.warnings());
    assert_eq!(frames(&all(&copy).await, &stream), before);
}

/// The queries of the documentation, over a journal with an incident that ended and one that is open.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_queries_work() {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let journal = open(&file);
    let library = Library::shipped().unwrap();
    let timeline = Timeline::compile(library.get("database-outage").unwrap(), 42);
    for (subject, events) in [("over", timeline.events.len()), ("open", 40)] {
        journal.append(timeline.records(subject, events).into()).await.unwrap();
    }
    let connection = rusqlite::Connection::open(&file).unwrap();
    let documented = std::fs::read_to_string(root().join("docs/journal.md")).unwrap();
    let queries: Vec<&str> =
        documented.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(queries.len(), 3);
    let mut answers = Vec::new();
    for query in queries {
        let mut statement = connection.prepare(query).unwrap_or_else(|error| panic!("{error}: {query}"));
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns)
                .map(|column| Ok(format!("{:?}", row.get_ref(column)?)))
                .collect::<Result<Vec<_>, _>>()
        });
        answers.push(rows.unwrap().map(Result::unwrap).collect::<Vec<_>>());
    }
    assert_eq!(answers[0].len(), 20);
    assert_eq!(answers[1].len(), 2);
    assert!(answers[1][0][1].contains("Text") && answers[1][1][2].contains("Null"), "{:?}", answers[1]);
    assert!(answers[2].len() >= 4, "{:?}", answers[2]);
}

/// A copy of `journal.db` alone would have started with nothing, in silence.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_clean_stop_the_file_alone_is_the_whole_journal() {
    let (folder, copies) = (Scratch::new(), Scratch::new());
    let file = folder.path().join("journal.db");
    let server = Serving::with(&["--journal", file.to_str().unwrap()]);
    let ran = server.incident(&["trigger", "database-outage", "--speed", "2000", "--quiet"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    // A reader has a connection of its own, which is closed last.
    let report = crate::harness::get(server.address(), "/api/incidents").await;
    assert_eq!(report.status, 200);
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let copy = copies.path().join("journal.db");
    std::fs::copy(&file, &copy).unwrap();
    let (copied, original) = (open(&copy), open(&file));
    // A copy is a stream of its own, because the original may go on.
    assert_ne!(copied.stream(), original.stream());
    let events = frames(&all(&copied).await, original.stream());
    assert!(events.len() > 100, "{} events", events.len());
    assert_eq!(events, frames(&all(&original).await, original.stream()));
}
