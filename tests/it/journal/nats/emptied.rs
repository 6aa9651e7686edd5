//! A stream of which nothing, or almost nothing, is kept: what the next event continues is known to every server.

use incident::journal::Journal;
use serde_json::{Value, json};

use super::super::{ALL, YOUNG, append, positions, reaches};
use super::{ask, has_read, open, two};
use crate::harness::nats::NatsServer;
use crate::harness::{started, story};

/// Each of the servers appends, twice, and all of them go on.
async fn all_append(logs: &[&Journal]) {
    let mut count = 0;
    for round in 0..2 {
        for log in logs {
            count += 1;
            let head = append(log, vec![started(&format!("later-{round}-{count}"))]).await[0];
            for log in logs {
                has_read(log, head).await;
            }
        }
    }
    for log in logs {
        assert_eq!(*log.health().borrow(), None);
        assert_eq!(log.stream(), logs[0].stream());
    }
}

/// Everything is too old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn retention_leaves_what_the_next_event_continues() {
    let location = NatsServer::shared().location(&NatsServer::fresh_name());
    let (a, b) = (open(&location, YOUNG), open(&location, YOUNG));
    append(&a, story("a", 20)).await;
    for log in [&a, &b] {
        reaches(log, 20, 20).await;
    }
    drop(b);
    let b = open(&location, YOUNG);
    all_append(&[&b, &a]).await;
}

async fn purge(name: &str) {
    let purged = ask(&format!("STREAM.PURGE.{name}"), Value::Null).await;
    assert_eq!(purged["success"], true, "{purged}");
}

/// An operator has purged everything: no position of it is valid any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_purged_stream_goes_on_under_another_name() {
    let (a, b, name) = two();
    append(&a, story("a", 20)).await;
    let old = a.stream().clone();
    drop((a, b));
    purge(&name).await;
    let location = NatsServer::shared().location(&name);
    let (a, b) = (open(&location, ALL), open(&location, ALL));
    assert_ne!(a.stream(), &old);
    all_append(&[&b, &a]).await;
}

/// Another server's retention was faster than this one's knowledge of it: reading begins with the oldest event that is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_read_of_what_was_just_dropped_begins_with_what_is_kept() {
    let (a, b, name) = two();
    append(&a, story("a", 50)).await;
    drop(b);
    // It has nothing in memory yet.
    let b = open(&NatsServer::shared().location(&name), ALL);
    for oldest in (10..50).step_by(10) {
        let purged = ask(&format!("STREAM.PURGE.{name}"), json!({ "seq": oldest })).await;
        assert_eq!(purged["success"], true, "{purged}");
        assert_eq!(positions(&b, 0, 2).await, [oldest, oldest + 1]);
    }
}
