//! Processes that stand still and go on: the nats-server that leads, and the server that plays, which still believes that it has
//! the lease.

use std::time::{Duration, Instant};

use super::oracle::Watched;
use super::{rounds, standing};
use crate::harness::nats::NatsServer;
use crate::harness::trio::Trio;
use crate::harness::{Client, Http, Serving, ms};
use crate::publish::{action, publish};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn the_nats_server_that_leads_stands_still() {
    let trio = Trio::near().await;
    let watched = Watched::over(&trio);
    watched.drill(9).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let leader = trio.leader().await;
        watched.fault_of_nats("the leading nats-server stands still");
        trio.nats[leader].signal("STOP");
        tokio::time::sleep(standing()).await;
        trio.nats[leader].signal("CONT");
        watched.fault_of_nats("the nats-server that stood still goes on");
        watched.writes(5).await;
        trio.in_step().await;
    }
    watched.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn the_server_that_plays_stands_still_and_adds_nothing_twice() {
    let trio = Trio::near().await;
    let watched = Watched::over(&trio);
    watched.drill(9).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let holder = trio.holder().await;
        watched.fault("the server that plays stands still");
        trio.hub(holder).signal("STOP");
        tokio::time::sleep(standing()).await;
        trio.holder_after(holder).await;
        trio.hub(holder).signal("CONT");
        watched.writes(20).await;
    }
    watched.end().await;
}

/// Its own count of what is in the journal is that of before; what the others have added is between events that they have played.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn the_server_that_played_ends_no_drill_to_which_others_have_added_something_meanwhile() {
    let location = NatsServer::shared().location(&NatsServer::fresh_name()).display().to_string();
    let args = ["--journal", &location];
    let first = Serving::with(&args);
    let body = r#"{"scenario": "database-outage", "speed": 6}"#;
    let id = Http::trigger(first.address(), body).send().await.json()["id"].as_str().unwrap().to_owned();
    let second = Serving::with(&args);
    let mut client = Client::connect(second.address(), "?after=0").await;
    client.up_to(8).await;
    first.signal("STOP");
    let began = Instant::now();
    let mut added = 0;
    // The other one has played for some seconds then.
    while began.elapsed() < Duration::from_secs(7) {
        let reply =
            publish(second.address(), &[action(&id, &began.elapsed().as_micros().to_string(), "Looks")])
                .await;
        added += u32::from(reply.status == 200);
        tokio::time::sleep(ms(250)).await;
    }
    assert!(added > 3, "only {added} were added");
    first.signal("CONT");
    let end = loop {
        let frame = client.event().await.frame;
        if frame.contains("incident_resolved") {
            break frame;
        }
    };
    assert!(end.contains("\"outcome\":\"resolved\""), "{end}");
}
