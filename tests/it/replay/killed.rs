//! Replays into journals that have a past: `kill -9` in the middle of one, and names that are taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use incident::contract::StreamId;
use incident::journal::{Journal, Memory, ReadLimit, Retention, Sqlite};
use incident::player::{Player, Replay, Speed};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Tape;
use super::command::{over, recorded, two};
use crate::harness::{Scratch, Serving, metrics, ms, resolved, soon, started, story};

/// Each incident's indices, in the order of the stream.
fn indices(recording: &str) -> BTreeMap<String, Vec<u64>> {
    let mut indices: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in recording.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let subject = event["subject"].as_str().unwrap().to_owned();
        indices.entry(subject).or_default().push(event["index"].as_u64().unwrap());
    }
    indices
}

/// Waits until the journal has so many events.
async fn head(server: &Serving, wanted: u64) {
    let mut client = crate::harness::Client::connect(server.address(), "?after=0").await;
    client.up_to(wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_is_complete_and_once() {
    let folder = Scratch::new();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (recording, journal) = (file("first.ndjson"), file("journal.db"));
    let first = two(&recording).await;
    // A second of recording played in seven, in the first two or three of which it is killed six times.
    let args = ["serve", "--port", "0", "--journal", &journal, "--json", "--quiet", "--speed", "0.14"];
    let args = [&args[..], &["--replay", &recording]].concat();
    let mut server = Serving::again(&args);
    head(&server, 20).await;
    for kill in 1..=6 {
        server.signal("KILL");
        drop(server);
        server = Serving::again(&args);
        head(&server, 20 + 6 * kill).await;
    }
    over(&server, 2).await;
    assert_eq!(indices(&recorded(&server, &file("second.ndjson"))), indices(&first));
}

/// Between two incidents nothing is open that could be picked up: the one that was over is not played again, the
/// one that had not begun begins when it would have.
#[tokio::test(flavor = "multi_thread")]
async fn killed_between_two_incidents_it_goes_on_with_the_second() {
    let tape = Tape::of("S1")
        .at(0, &started("a"))
        .at(10, &resolved("a", 2))
        .at(4_000, &started("b"))
        .at(4_010, &metrics("b", 2))
        .at(4_020, &resolved("b", 3));
    let folder = Scratch::new().with("run.ndjson", &tape.text);
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (recording, journal) = (file("run.ndjson"), file("journal.db"));
    let args = ["serve", "--port", "0", "--journal", &journal, "--json", "--quiet", "--replay", &recording];
    let server = Serving::again(&args);
    over(&server, 1).await;
    server.signal("KILL");
    drop(server);
    let server = Serving::again(&args);
    over(&server, 2).await;
    let events = recorded(&server, &file("second.ndjson"));
    assert_eq!(indices(&events), indices(&tape.text));
    let times: Vec<jiff::Timestamp> = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["time"].as_str().unwrap().parse().unwrap())
        .collect();
    let apart = times[2].duration_since(times[0]).as_millis();
    // The first one came as much later than it was due as its commit took.
    assert!((3_900..5_000).contains(&apart), "the second began {apart} ms after the first");
    drop(server);
    // That replay is over: the same command begins another one.
    tokio::time::sleep(ms(50)).await;
    let server = Serving::again(&args);
    over(&server, 4).await;
    let all = indices(&recorded(&server, &file("third.ndjson")));
    assert_eq!(all.len(), 4, "{all:?}");
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    assert!(names[0] == "a" && names[1].starts_with("a-") && names[2] == "b" && names[3].starts_with("b-"));
    assert_eq!((&all[names[1]], &all[names[3]]), (&vec![1, 2], &vec![1, 2, 3]));
}

/// At another speed it is another replay; what was open is brought to its end beside it.
#[tokio::test(flavor = "multi_thread")]
async fn another_speed_is_another_replay() {
    let folder = Scratch::new();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (first, journal) = (two(&file("first.ndjson")).await, file("journal.db"));
    let recording = file("first.ndjson");
    let args = |speed| {
        let fixed = ["serve", "--port", "0", "--journal", &journal, "--json", "--quiet"];
        [&fixed[..], &["--replay", &recording, "--speed", speed]].concat()
    };
    let server = Serving::again(&args("0.5"));
    head(&server, 20).await;
    server.signal("KILL");
    drop(server);
    let server = Serving::again(&args("2"));
    over(&server, 4).await;
    let (all, first) = (indices(&recorded(&server, &file("second.ndjson"))), indices(&first));
    assert_eq!(all.len(), 4, "{:?}", all.keys());
    for (subject, indices) in &first {
        assert_eq!(&all[subject], indices, "{subject}, picked up");
        let scenario = &subject[..subject.len() - 5];
        let again = all.iter().filter(|(name, _)| name.starts_with(scenario) && *name != subject);
        assert_eq!(again.map(|(_, again)| again).collect::<Vec<_>>(), [indices], "{subject}, played again");
    }
}

/// Names that were there before the replay are not its own: whose turn has not come is played, whose has is not
/// played again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_is_not_taken_for_what_had_begun() {
    let tape = Tape::of("S1")
        .at(0, &started("a"))
        .at(500, &started("b"))
        .at(510, &metrics("b", 2))
        .at(520, &resolved("b", 3))
        .at(4_000, &resolved("a", 2));
    for (head, begun) in [(3, 1), (6, 2)] {
        let stream = StreamId::generate(1_700_000_000_000, 3);
        let journal = Journal::new(Memory::new(stream, Retention::default()));
        journal.append(story("b", 2)).await.unwrap();
        let replay = || Replay::new(tape.whole(), Speed::REAL_TIME).unwrap();
        let player = |stop| {
            let tasks = TaskTracker::new();
            (Player::new(journal.clone(), tasks.clone(), stop, Arc::default()), tasks)
        };
        let stop = CancellationToken::new();
        let (first, tasks) = player(stop.clone());
        assert_eq!(first.replay(replay()).await.unwrap(), 0);
        let mut extent = journal.follow();
        soon("its events", extent.wait_for(|extent| extent.head >= head)).await.unwrap();
        stop.cancel();
        tasks.close();
        soon("the first to stop", tasks.wait()).await;
        let (second, tasks) = player(CancellationToken::new());
        assert_eq!(second.pick_up().await.unwrap(), 1, "a is open");
        assert_eq!(second.replay(replay()).await.unwrap(), begun);
        tasks.close();
        soon("the end", tasks.wait()).await;
        let played = journal.read(2, ReadLimit::ALL).await.unwrap();
        let mut names: Vec<&str> = played.iter().map(|event| &*event.subject).collect();
        assert_eq!((names.len(), names[0], names[4]), (5, "a", "a"), "{names:?}");
        names.dedup();
        assert!(names.len() == 3 && names[1].starts_with("b-"), "{names:?}");
    }
}

/// Retention took the start of an incident and not its end: its name can't be begun with again.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_which_a_part_is_kept_is_taken() {
    let folder = Scratch::new();
    let retention = Retention { events: 10, age: None };
    let journal = Journal::new(Sqlite::open(&folder.path().join("journal.db"), retention).unwrap());
    journal.append(story("a", 30)).await.unwrap();
    soon("retention", journal.follow().wait_for(|extent| extent.oldest == 21)).await.unwrap();
    let tape = Tape::of("S1")
        .at(0, &started("z"))
        .at(1, &resolved("z", 2))
        .at(2, &started("a"))
        .at(3, &resolved("a", 2));
    let tasks = TaskTracker::new();
    let player = Player::new(journal.clone(), tasks.clone(), CancellationToken::new(), Arc::default());
    player.replay(Replay::new(tape.whole(), Speed::REAL_TIME).unwrap()).await.unwrap();
    tasks.close();
    soon("the end", tasks.wait()).await;
    let played = journal.read(30, ReadLimit::ALL).await.unwrap();
    let mut names: Vec<&str> = played.iter().map(|event| &*event.subject).collect();
    // A millisecond apart they may change places.
    names.sort_unstable();
    assert_eq!((names.len(), names[2], names[3]), (4, "z", "z"), "{names:?}");
    assert!(names[0].starts_with("a-") && names[0] == names[1], "{names:?}");
}
