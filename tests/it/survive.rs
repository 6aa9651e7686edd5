//! `kill -9` at any moment: the next server over the same file goes on, and no client misses or repeats anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use incident::client::{Follower, Item};

use crate::harness::{Scratch, Serving, incident, ms, soon};

const CLIENTS: usize = 8;
const KILLS: u64 = 12;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_nothing_is_lost_and_nothing_comes_twice() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let mut server = Serving::with(&["--journal", &journal, "--speed", "25", "--heartbeat", "200ms"]);
    let (url, port) = (server.url().to_owned(), server.address().port().to_string());
    for _ in 0..4 {
        let ran = server.incident(&["trigger", "database-outage", "--no-wait"]).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
    }
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(follow(url.clone(), Arc::clone(&over)))).collect();
    for kill in 0..KILLS {
        // At moments that are spread over what a server does, its start included.
        tokio::time::sleep(ms(40 + kill * 97 % 400)).await;
        server.signal("KILL");
        drop(server);
        let again =
            ["serve", "--port", &port, "--journal", &journal, "--heartbeat", "200ms", "--json", "--quiet"];
        server = Serving::again(&again);
    }
    // Eight seconds of incident time at speed 25, most of which passed by now.
    let finished = async {
        loop {
            let list = crate::harness::get(server.address(), "/api/incidents").await.json();
            let incidents = list["incidents"].as_array().unwrap().clone();
            if incidents.len() == 4 && incidents.iter().all(|incident| incident["state"] == "resolved") {
                return incidents;
            }
            tokio::time::sleep(ms(50)).await;
        }
    };
    let incidents = tokio::time::timeout(Duration::from_secs(30), finished).await.expect("all are resolved");
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
    let resolved = kept.iter().filter(|line| line.contains("\"incident_resolved\"")).count();
    assert_eq!(resolved, 4);
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
    assert!(ran.stderr.contains("is damaged") && ran.stderr.contains("move it away"), "{ran:?}");
}
