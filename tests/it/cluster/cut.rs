//! Cables that are pulled: the nats-server that leads is alone, or with a server of `incident`; the server that plays reaches no
//! nats-server.

use std::time::Duration;

use incident::client::{Endpoints, Follower, Item};
use incident::contract::ServerState;
use tokio::time::timeout;

use super::oracle::Watched;
use super::{rounds, standing};
use crate::harness::trio::{THREE, Trio};
use crate::harness::{Client, Sse, get, ms, soon};
use crate::publish::{publish, resolved, started};

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
    watched.drill(9).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let leader = trio.leader().await;
        watched.fault_of_nats("the leading nats-server is cut off");
        machines.separate(&[leader]);
        watched.writes(5).await;
        tokio::time::sleep(standing()).await;
        watched.fault_of_nats("the leading nats-server is back");
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
    watched.drill(9).await;
    for round in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let (leader, holder) = (trio.leader().await, trio.holder().await);
        let hub = if round % 2 == 0 { holder } else { (holder + 1) % THREE };
        watched.fault_of_nats("a server and the leading nats-server are cut off");
        machines.separate(&[leader, THREE + hub]);
        is_ready(&trio, hub, 503).await;
        watched.writes(5).await;
        for other in (0..THREE).filter(|other| *other != hub) {
            is_ready(&trio, other, 200).await;
        }
        tokio::time::sleep(standing()).await;
        watched.fault_of_nats("the server and the leading nats-server are back");
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
    watched.drill(9).await;
    for _ in 0..rounds(1) {
        watched.drill(12).await;
        watched.writes(20).await;
        let holder = trio.holder().await;
        watched.fault("the server that plays is cut off");
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

/// For 15 s its clients see that the stream is paused: it may be an election. Then they are sent away, because other servers may see
/// what is stored. A client that comes all the same is let in, unless it has more than this server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server and network namespaces: ./tests/run installs them and runs this"]
async fn a_server_that_is_cut_off_for_long_sends_its_clients_to_the_others() {
    let trio = Trio::apart().await;
    let machines = trio.machines.as_ref().unwrap();
    let hub = (trio.holder().await + 1) % THREE;
    let other = (hub + 1) % THREE;
    let (here, there) = (trio.hub(hub).address(), trio.hub(other).address());
    // What is read all the time answers the pings.
    let mut client = Client::connect(here, "").await;
    let away = tokio::spawn(async move { client.closed().await });
    let mut client = Sse::connect(here, "", &[]).await;
    let away_too = tokio::spawn(async move { client.read_to_end().await.1 });
    let mut client = Client::connect(there, "").await;
    let stream = client.opened.stream.clone();
    let (is_back, back) = tokio::sync::oneshot::channel();
    let stays = tokio::spawn(async move {
        client.up_to(2).await;
        let reading = async {
            loop {
                drop(client.event().await);
            }
        };
        tokio::select! { () = reading => {}, _ = back => {} }
        client.heartbeat().await.state
    });
    let both = format!("ws://{here}/ws,ws://{there}/ws");
    let mut follower = Follower::connect(both.parse::<Endpoints>().unwrap(), None, true).await.unwrap();
    let follower = tokio::spawn(async move {
        loop {
            if let Item::Back { server, lost, reset, .. } = follower.next().await.unwrap().unwrap() {
                return (server, lost, reset);
            }
        }
    });
    machines.separate(&[THREE + hub]);
    is_ready(&trio, hub, 503).await;
    let published = publish(there, &[started("pay-1", "1"), resolved("pay-1", "2")]).await;
    assert_eq!(published.status, 200, "{published:?}");
    let ahead = Client::with_headers(here, &format!("?after={stream}/2"), &[]).await;
    let refused = ahead.err().expect("it has not read so far").to_string();
    assert!(refused.contains("503"), "{refused}");
    // It is looked at after 15 s, and clients leave within 10 more.
    let (code, reason) = timeout(Duration::from_secs(90), away).await.expect("it is sent away").unwrap();
    assert_eq!(
        (code, &*reason),
        (1013, "this server is cut off; reconnect to another one with your position")
    );
    let away_too = timeout(Duration::from_secs(90), away_too).await.expect("it is sent away, too");
    assert_eq!(away_too.unwrap(), Some(format!(": 1013 {reason}")));
    let returned = soon("the follower's return", follower).await.unwrap();
    assert_eq!(returned, (format!("ws://{there}/ws"), Some(0), None));

    let mut comes = Client::connect(here, "").await;
    assert_eq!(comes.heartbeat().await.state, ServerState::Paused);
    let comes = tokio::spawn(async move { comes.up_to(2).await.len() });
    machines.join();
    is_ready(&trio, hub, 200).await;
    assert_eq!(comes.await.unwrap(), 2, "it stays, and is sent what it has missed");
    is_back.send(()).unwrap();
    assert_eq!(stays.await.unwrap(), ServerState::Playing, "a server that is not cut off keeps its clients");
}
