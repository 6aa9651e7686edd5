//! `kill -9` at any moment: the next server over the same file goes on, and no client misses or repeats anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use incident::client::{Follower, Item};
use incident::contract::{Follows, Message, MessageType};
use incident::journal::{Append, Record, Retention, Sqlite};

use crate::harness::{Client, Clocks, Scratch, Serving, Timeline, envelope, incident, library, ms, soon};

const CLIENTS: usize = 50;
const KILLS: u64 = 100;

/// Everything that one client was sent, by position: a repeat under one position would be told by the assertion.
async fn follow(url: String, over: Arc<AtomicBool>) -> BTreeMap<u64, String> {
    let mut follower = Follower::connect(url.parse().unwrap(), Some("0".to_owned()), true).await.unwrap();
    let mut seen = BTreeMap::new();
    loop {
        let item = soon("at least a heartbeat", follower.next()).await;
        match item.unwrap().expect("it reconnects") {
            Item::Event { envelope, raw } => {
                let position = envelope.position().unwrap().n;
                assert!(seen.insert(position, raw).is_none(), "{position} came twice");
            }
            Item::Back { lost, reset, .. } => assert_eq!((lost, reset), (Some(0), None)),
            Item::Gap { from, to } => panic!("{from} to {to} never came"),
            // A heartbeat comes when everything was sent.
            Item::Heartbeat(_) if over.load(Ordering::Relaxed) => return seen,
            Item::Opened(_) | Item::Lost { .. } | Item::Heartbeat(_) => {}
            Item::NotAnEvent(text) => panic!("{text}"),
        }
    }
}

/// A random moment of the next milliseconds.
async fn a_moment(within_ms: u64) {
    tokio::time::sleep(ms(incident::random::bits() % within_ms)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_a_hundred_times_nothing_is_lost_and_nothing_comes_twice() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let mut server = Serving::with(&["--journal", &journal, "--heartbeat", "200ms"]);
    let (url, port) = (server.url().to_owned(), server.address().port().to_string());
    let again =
        ["serve", "--port", &port, "--journal", &journal, "--heartbeat", "200ms", "--json", "--quiet"];
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(follow(url.clone(), Arc::clone(&over)))).collect();
    let mut triggered = 0;
    for kill in 0..KILLS {
        // Some that outlast many servers, and some that begin and end with few.
        if kill % 10 == 0 {
            for speed in ["6", "40"] {
                let ran =
                    server.incident(&["trigger", "database-outage", "--no-wait", "--speed", speed]).run();
                assert_eq!(ran.status, Some(0), "{ran:?}");
                triggered += 1;
            }
        }
        a_moment(250).await;
        server.signal("KILL");
        drop(server);
        if kill % 5 == 0 {
            // While it starts, too: it is killed when dropped.
            let starting = incident(&again).spawn();
            a_moment(60).await;
            drop(starting);
        }
        server = Serving::again(&again);
    }
    let finished = async {
        loop {
            let list = crate::harness::get(server.address(), "/api/incidents").await.json();
            let incidents = list["incidents"].as_array().unwrap().clone();
            if incidents.len() == triggered
                && incidents.iter().all(|incident| incident["state"] == "resolved")
            {
                return incidents;
            }
            tokio::time::sleep(ms(100)).await;
        }
    };
    let incidents = tokio::time::timeout(Duration::from_secs(60), finished).await.expect("all are resolved");
    over.store(true, Ordering::Relaxed);
    let ran = incident(&["watch", "--after", "0", "--no-follow", "--json", "--url", &url]).run();
    let kept: Vec<&str> = ran.stdout.lines().collect();
    let steps: u64 = incidents.iter().map(|incident| incident["index"].as_u64().unwrap()).sum();
    assert_eq!(kept.len() as u64, steps, "every event of every incident, once");
    for client in clients {
        let seen = soon("the client to be done", client).await.unwrap();
        assert!(seen.keys().copied().eq(1..=kept.len() as u64), "{:?}", seen.keys());
        assert!(
            seen.values().map(String::as_str).eq(kept.iter().copied()),
            "byte for byte what the journal has"
        );
    }
    assert_eq!(kept.iter().filter(|line| line.contains("\"incident_resolved\"")).count(), triggered);
    ends_are_where_they_were_planned(&kept);
}

/// However often its server was killed, an incident ends when it would have, or as soon as one was there again.
fn ends_are_where_they_were_planned(kept: &[&str]) {
    let events: Vec<_> = kept.iter().map(|line| envelope(line)).collect();
    let mut begun = BTreeMap::new();
    let mut ended = 0;
    for event in &events {
        match event.message().unwrap() {
            Message::IncidentStarted(started) => {
                begun.insert(event.incident(), (event.time, started.speed));
            }
            Message::IncidentResolved(resolved) => {
                let (start, speed) = begun[event.incident()];
                let took = event.time.duration_since(start).as_secs_f64();
                let planned = resolved.durations.resolve_s / speed.unwrap();
                // A start that is written late makes it shorter.
                assert!((planned - 0.3..planned + 5.0).contains(&took), "{took} s instead of {planned} s");
                ended += 1;
            }
            _ => {}
        }
    }
    assert_eq!(ended, begun.len());
}

#[tokio::test]
async fn what_became_of_the_scenario_file_does_not_matter() {
    let outage = include_str!("../fixtures/scenarios/database-outage.toml");
    let github = include_str!("../fixtures/scenarios/github-2018.toml");
    let edited = outage.replace("Primary database connection pool exhausted", "Something else");
    for (change, text) in [("edited", Some(edited)), ("gone", None)] {
        let folder = Scratch::new().with("s/database-outage.toml", outage).with("s/github-2018.toml", github);
        let journal = folder.path().join("journal.db").display().to_string();
        let scenarios = folder.path().join("s").display().to_string();
        let flags = ["serve", "--port", "0", "--json", "--quiet", "--journal", &journal];
        let server = Serving::alone(&[&flags[..], &["--scenarios", &scenarios]].concat());
        let ran = server
            .incident(&["trigger", "database-outage", "--no-wait", "--speed", "40", "--seed", "42"])
            .run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        Client::connect(server.address(), "?after=0").await.up_to(20).await;
        server.signal("KILL");
        drop(server);
        let file = folder.path().join("s/database-outage.toml");
        match text {
            Some(text) => std::fs::write(file, text).unwrap(),
            None => std::fs::remove_file(file).unwrap(),
        }
        let server = Serving::alone(&[&flags[..], &["--scenarios", &scenarios]].concat());
        let mut client = Client::connect(server.address(), "?after=0").await;
        let events = client.up_to(108).await;
        let told: Vec<_> = events.iter().map(|event| envelope(&event.frame).data.get().to_owned()).collect();
        let scenario = incident::scenario::Scenario::parse("database-outage.toml", outage).unwrap();
        let planned = Timeline::compile(&scenario, 42).events;
        assert_eq!(planned.len(), 108);
        // But for what only the moment knows: the start's, and what is late.
        let same = planned.iter().zip(&told).filter(|(planned, told)| planned.message.data().get() == *told);
        assert!(same.count() > 80, "{change}: the stored plan is played");
        assert!(told[0].contains("Primary database connection pool exhausted"), "{change}");
    }
}

/// A machine that was off for a day with many incidents open: they are brought to their end, and a client that comes
/// then is not flooded with them.
#[tokio::test]
async fn a_client_that_joins_after_a_long_outage_is_not_flooded() {
    const OPEN: usize = 20;
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let mut plan = Timeline::compile(library().get("database-outage").unwrap(), 42);
    let yesterday = incident::contract::now() - jiff::SignedDuration::from_hours(24);
    if let Message::IncidentStarted(started) = &mut plan.events[0].message {
        started.impact_started_at = yesterday;
    }
    let text = plan.text();
    let clocks = Clocks::at(&yesterday.to_string());
    let log = Sqlite::with_clocks(&file, Retention::default(), clocks.source()).unwrap();
    for number in 0..OPEN {
        let record = plan.records(&format!("outage-{number}"), 1).remove(0);
        log.append(Record { plan: Some(Arc::clone(&text)), ..record }.into()).await.unwrap();
    }
    drop(log);
    let journal = file.display().to_string();
    let server = Serving::with(&["--journal", &journal]);
    let mut whole = Client::connect(server.address(), "?after=0").await;
    let all = (OPEN * plan.events.len()) as u64;
    let events = whole.up_to(all).await;
    let late = events.iter().filter(|event| event.frame.contains("\"late_s\":86")).count();
    let actions = plan.events.iter().filter(|event| event.message.kind() == MessageType::AgentAction).count();
    assert_eq!(late, OPEN * actions, "every action says that it is a day late");
    let newcomer = Client::connect(server.address(), "").await;
    let Follows::Started { from, to } = newcomer.opened.follows else { panic!("{:?}", newcomer.opened) };
    assert_eq!((from, to), (all + 1, all), "nothing is open, nothing follows");
}

#[test]
fn a_second_server_over_one_journal_is_refused_and_told_of_the_flag() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let server = Serving::with(&["--journal", &journal]);
    let ran = incident(&["serve", "--port", "0", "--journal", &journal]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("is in use by process") && ran.stderr.contains("--journal"), "{ran:?}");
    drop(server);
}

#[test]
fn a_journal_that_is_none_is_refused_with_what_to_do() {
    let folder = Scratch::new().with("journal.db", "this is no database, though it is long enough to be one");
    let journal = folder.path().join("journal.db").display().to_string();
    let ran = incident(&["serve", "--port", "0", "--journal", &journal]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("is not a journal") && ran.stderr.contains("--journal FILE"), "{ran:?}");
}
