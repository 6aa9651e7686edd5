//! Cables that are pulled: the nats-server that leads is alone, or with a server of `incident`; the server that plays reaches no
//! nats-server.

use super::oracle::Watched;
use super::{rounds, standing};
use crate::harness::ms;
use crate::harness::trio::{THREE, Trio};
use crate::harness::{get, soon};

/// Waits until a server says on `/readyz` what it should.
async fn is_ready(trio: &Trio, hub: usize, status: u16) {
    let address = trio.hub(hub).address();
    soon("its readiness", async {
        while get(address, "/readyz").await.status != status {
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server and network namespaces: ./tests/run installs them and runs this"]
async fn the_nats_server_that_leads_is_cut_off() {
    let trio = Trio::apart().await;
    let machines = trio.machines.as_ref().unwrap();
    let watched = Watched::over(&trio);
    watched.drill(6).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let leader = trio.leader().await;
        watched.fault_of_nats();
        machines.separate(&[leader]);
        watched.writes(5).await;
        tokio::time::sleep(standing()).await;
        watched.fault_of_nats();
        machines.join();
        watched.writes(5).await;
        trio.in_step().await;
    }
    watched.end().await;
}

/// The smaller part has the old leader, which answers reads and refuses appends for a while, and a server of `incident`, which
/// must take neither for the truth.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server and network namespaces: ./tests/run installs them and runs this"]
async fn the_smaller_part_says_that_it_is_paused() {
    let trio = Trio::apart().await;
    let machines = trio.machines.as_ref().unwrap();
    let watched = Watched::over(&trio);
    watched.drill(6).await;
    for round in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let (leader, holder) = (trio.leader().await, trio.holder().await);
        let hub = if round % 2 == 0 { holder } else { (holder + 1) % THREE };
        watched.fault_of_nats();
        machines.separate(&[leader, THREE + hub]);
        is_ready(&trio, hub, 503).await;
        watched.writes(5).await;
        for other in (0..THREE).filter(|other| *other != hub) {
            is_ready(&trio, other, 200).await;
        }
        tokio::time::sleep(standing()).await;
        watched.fault_of_nats();
        machines.join();
        is_ready(&trio, hub, 200).await;
        watched.writes(5).await;
        trio.in_step().await;
    }
    watched.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server and network namespaces: ./tests/run installs them and runs this"]
async fn the_server_that_plays_is_cut_off_and_another_plays() {
    let trio = Trio::apart().await;
    let machines = trio.machines.as_ref().unwrap();
    let watched = Watched::over(&trio);
    watched.drill(6).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let holder = trio.holder().await;
        watched.fault();
        machines.separate(&[THREE + holder]);
        is_ready(&trio, holder, 503).await;
        trio.holder_after(holder).await;
        tokio::time::sleep(standing()).await;
        machines.join();
        is_ready(&trio, holder, 200).await;
        watched.writes(20).await;
    }
    watched.end().await;
}
