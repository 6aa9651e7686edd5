//! Processes that stand still and go on: the nats-server that leads, and the server that plays, which still believes that it has
//! the lease.

use super::oracle::Watched;
use super::{rounds, standing};
use crate::harness::trio::Trio;

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
