//! Clients that are behind, and join what is live: neither a gap nor a repeat, however often they are cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use incident::client::{Follower, Item};
use incident::journal::Retention;

use crate::harness::{Local, Proxy, metrics, ms, options, resolved, soon, started, story};

async fn connect(url: &str, after: Option<&str>) -> Follower {
    let after = after.map(str::to_owned);
    soon("a connection", Follower::connect(url.parse().unwrap(), after, true)).await.unwrap()
}

/// Reads to a position and holds that each position comes once and in order. Counts how often it came back.
async fn reads_to(mut follower: Follower, from: u64, to: u64, returns: Arc<AtomicUsize>) {
    let mut seen = from - 1;
    while seen < to {
        match soon("an event", follower.next()).await.unwrap().expect("it reconnects") {
            Item::Event { envelope, .. } => {
                let position = envelope.position().unwrap().n;
                assert_eq!(position, seen + 1, "a gap or a repeat");
                seen = position;
            }
            Item::Back { lost, .. } => {
                assert_eq!(lost, Some(0));
                returns.fetch_add(1, Ordering::Relaxed);
            }
            Item::Opened(_) | Item::Heartbeat(_) | Item::Lost { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until a count has come so far.
async fn reaches(what: &str, count: &AtomicUsize, least: usize) {
    let reached = async {
        while count.load(Ordering::Relaxed) < least {
            tokio::time::sleep(ms(5)).await;
        }
    };
    soon(what, reached).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_clients_cut_again_and_again_miss_and_repeat_nothing() {
    const CLIENTS: usize = 500;
    const EVENTS: u64 = 1_000;
    const CUTS: usize = 6;
    let server = Local::in_a_file(options(), Retention::default()).await;
    let proxy = Proxy::to(server.address).await;
    let url = format!("ws://{}/ws", proxy.address);
    server.append(vec![started("a")]).await;
    let (returns, cuts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(tokio::spawn(reads_to(connect(&url, None).await, 1, EVENTS, Arc::clone(&returns))));
    }
    let cutting = tokio::spawn({
        let (returns, cuts) = (Arc::clone(&returns), Arc::clone(&cuts));
        async move {
            for cut in 1..=CUTS {
                proxy.cut();
                cuts.store(cut, Ordering::Relaxed);
                // Some are back and others not yet: the next one finds them everywhere.
                reaches("half of them to be back", &returns, cut * CLIENTS / 2).await;
            }
            // Without it nobody gets through.
            proxy
        }
    });
    for index in 2..EVENTS {
        server.append(vec![metrics("a", index)]).await;
        if index % 10 == 0 {
            // What is published while nobody is connected counts as well.
            tokio::time::sleep(ms(20)).await;
            reaches("the next cut", &cuts, index as usize * CUTS / EVENTS as usize).await;
        }
    }
    server.append(vec![resolved("a", EVENTS)]).await;
    let _proxy = cutting.await.unwrap();
    for client in clients {
        client.await.unwrap();
    }
}

/// The ring keeps 16,384 frames: who begins before it pages from the file, and joins what is live meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_pages_from_the_file_joins_what_is_live_without_a_gap() {
    const PAST: u64 = 30_000;
    const LIVE: u64 = 600;
    let server = Local::in_a_file(options(), Retention::default()).await;
    for (number, _) in (0..PAST).step_by(5_000).enumerate() {
        server.append(story(&format!("past-{number}"), 5_000)).await;
    }
    server.append(vec![started("live")]).await;
    let url = format!("ws://{}/ws", server.address);
    // The ring is where the journal is: a newcomer is told so.
    server.client_after(PAST).await.up_to(PAST + 1).await;
    let at_the_head =
        tokio::spawn(reads_to(connect(&url, None).await, PAST + 1, PAST + LIVE, Arc::default()));
    let mut behind = Vec::new();
    for _ in 0..4 {
        behind.push(tokio::spawn(reads_to(connect(&url, Some("0")).await, 1, PAST + LIVE, Arc::default())));
    }
    for index in 2..LIVE {
        server.append(vec![metrics("live", index)]).await;
        tokio::time::sleep(ms(2)).await;
    }
    server.append(vec![resolved("live", LIVE)]).await;
    for client in behind {
        client.await.unwrap();
    }
    at_the_head.await.unwrap();
}
