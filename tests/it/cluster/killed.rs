//! `kill -9`: of the nats-server that leads the stream, of the server that plays, of both, and of everything at once.

use super::oracle::Watched;
use super::rounds;
use crate::harness::ms;
use crate::harness::trio::{THREE, Trio};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn the_nats_server_that_leads_is_killed() {
    let mut trio = Trio::near().await;
    let watched = Watched::over(&trio);
    watched.drill(12).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let leader = trio.leader().await;
        watched.fault_of_nats("the leading nats-server is killed");
        trio.nats[leader].kill();
        watched.writes(5).await;
        trio.nats[leader].start();
        trio.in_step().await;
    }
    watched.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn the_server_that_plays_is_killed() {
    let mut trio = Trio::near().await;
    let watched = Watched::over(&trio);
    watched.drill(12).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let holder = trio.holder().await;
        watched.fault("the server that plays is killed");
        trio.kill_hub(holder);
        let next = trio.holder().await;
        assert_ne!(next, holder);
        trio.start_hub(holder).await;
    }
    watched.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn both_are_killed_and_then_everything() {
    let mut trio = Trio::near().await;
    let watched = Watched::over(&trio);
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let (leader, holder) = (trio.leader().await, trio.holder().await);
        watched.fault_of_nats("the leading nats-server and the server that plays are killed");
        trio.nats[leader].kill();
        trio.kill_hub(holder);
        watched.writes(5).await;
        trio.nats[leader].start();
        trio.start_hub(holder).await;
        trio.in_step().await;
        watched.writes(20).await;
        watched.fault_of_nats("everything is killed at once");
        for number in 0..THREE {
            trio.nats[number].kill();
            trio.kill_hub(number);
        }
        tokio::time::sleep(ms(200)).await;
        for number in 0..THREE {
            trio.nats[number].start();
        }
        trio.in_step().await;
        for number in 0..THREE {
            trio.start_hub(number).await;
        }
        watched.writes(5).await;
    }
    watched.end().await;
}
