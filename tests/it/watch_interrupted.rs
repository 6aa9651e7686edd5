//! `incident watch` over a connection that is lost: what came meanwhile is new, and what is lost is asked for.

use std::sync::mpsc::Receiver;

use incident::journal::Retention;

use crate::harness::{
    Local, PATIENCE, Proxy, Ran, Running, envelope, incident, metrics, ms, options, resolved, soon, started,
    story,
};

/// Watches what is behind a proxy.
fn watching(proxy: &Proxy, args: &[&str]) -> Running {
    let url = format!("ws://{}/ws", proxy.address);
    incident(&[&["watch", "--json", "--url", &url], args].concat()).spawn()
}

/// Waits for so many events; their positions.
fn positions(lines: &Receiver<String>, count: usize) -> Vec<u64> {
    let next = || envelope(&lines.recv_timeout(PATIENCE).expect("an event")).position().unwrap().n;
    tokio::task::block_in_place(|| (0..count).map(|_| next()).collect())
}

async fn ended(running: Running) -> Ran {
    soon("its end", tokio::task::spawn_blocking(|| running.end())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_is_replayed_after_an_interruption_is_one_from_now_on() {
    let server = Local::start().await;
    server.append([story("before", 3), vec![started("a"), metrics("a", 2)]].concat()).await;
    let proxy = Proxy::to(server.address).await;
    let mut running = watching(&proxy, &["--until-resolved"]);
    let lines = running.lines();
    assert_eq!(positions(&lines, 2), [4, 5]);
    proxy.close();
    server.append(vec![metrics("a", 3), resolved("a", 4)]).await;
    proxy.open();
    let ran = ended(running).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("2 events replayed, 0 lost"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tail_leaves_out_nothing_of_what_came_meanwhile() {
    let server = Local::start().await;
    server.append(vec![started("a"), metrics("a", 2)]).await;
    let proxy = Proxy::to(server.address).await;
    let mut running = watching(&proxy, &["--tail", "1"]);
    let lines = running.lines();
    assert_eq!(positions(&lines, 1), [2]);
    for round in 0..2 {
        proxy.close();
        let first = 3 + round * 5;
        server.append((first..first + 5).map(|index| metrics("a", index)).collect()).await;
        proxy.open();
        assert_eq!(positions(&lines, 5), (first..first + 5).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_that_another_stream_does_not_have_is_not_waited_for() {
    let (old, new) = (Local::start().await, Local::start().await);
    old.append(vec![started("a"), metrics("a", 2)]).await;
    new.append(vec![started("b"), metrics("b", 2)]).await;
    let proxy = Proxy::between(vec![old.address, new.address]).await;
    let mut running = watching(&proxy, &["--until-resolved", "--incident", "a"]);
    let lines = running.lines();
    assert_eq!(positions(&lines, 2), [1, 2]);
    proxy.switch(1);
    let ran = ended(running).await;
    assert_eq!(ran.status, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("does not know a any more"), "{ran:?}");
}

/// Its events are not sent to a client of another stream, because it is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_that_another_stream_has_ended_is_not_waited_for() {
    let (old, new) = (Local::start().await, Local::start().await);
    old.append(vec![started("a"), metrics("a", 2)]).await;
    new.append(story("a", 4)).await;
    let proxy = Proxy::between(vec![old.address, new.address]).await;
    let mut running = watching(&proxy, &["--until-resolved", "--incident", "a"]);
    let lines = running.lines();
    assert_eq!(positions(&lines, 2), [1, 2]);
    proxy.switch(1);
    let ran = ended(running).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("a is already resolved"), "{ran:?}");
}

/// Retention has dropped it, and the incident with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_is_lost_is_not_waited_for() {
    for args in [&["--until-resolved", "--incident", "a"][..], &["--until-resolved"], &["--incident", "a"]] {
        let server = Local::with(options(), Retention { events: 4, age: None }).await;
        server.append(vec![started("a"), metrics("a", 2)]).await;
        let proxy = Proxy::to(server.address).await;
        let mut running = watching(&proxy, args);
        let lines = running.lines();
        assert_eq!(positions(&lines, 2), [1, 2]);
        proxy.close();
        server.append(vec![resolved("a", 3), started("b")]).await;
        server.append((2..7).map(|index| metrics("b", index)).collect()).await;
        proxy.open();
        let ran = ended(running).await;
        println!("{args:?}: {ran:?}");
        assert_eq!(ran.status, Some(4), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("does not know a any more"), "{args:?}: {ran:?}");
    }
}

/// It had ended before the command began, and is no answer to what ends from now on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_reconnecting_an_older_end_is_no_success() {
    let server = Local::start().await;
    server.append(vec![started("open")]).await;
    server.append(story("ended", 3)).await;
    let proxy = Proxy::to(server.address).await;
    let mut running = watching(&proxy, &["--until-resolved", "--no-reconnect"]);
    let lines = running.lines();
    assert_eq!(positions(&lines, 4), [1, 2, 3, 4]);
    proxy.close();
    let ran = ended(running).await;
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("the connection ended before the incident did"), "{ran:?}");
}

/// A script that goes on where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_before_the_position_that_is_given_is_not_waited_for() {
    let server = Local::start().await;
    server.append(story("a", 4)).await;
    server.append(vec![started("b")]).await;
    let proxy = Proxy::to(server.address).await;
    for (after, said) in [(4, "a is already resolved"), (5, "a is already resolved"), (3, ""), (0, "")] {
        let args = ["--until-resolved", "--incident", "a", "--after", &server.position(after)];
        let ran = ended(watching(&proxy, &args)).await;
        assert_eq!(ran.status, Some(0), "{after}: {ran:?}");
        assert!(ran.stderr.contains(said) && ran.stderr.is_empty() == said.is_empty(), "{after}: {ran:?}");
        assert_eq!(ran.stdout.lines().count() as u64, 4_u64.saturating_sub(after), "{after}: {ran:?}");
    }
}

/// Another stream may begin with incidents that ended long ago.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_another_stream_too_only_what_ends_from_now_on_counts() {
    let (old, new) = (Local::start().await, Local::start().await);
    new.append([vec![started("open")], story("ended", 3)].concat()).await;
    tokio::time::sleep(ms(5)).await;
    old.append(vec![started("a")]).await;
    let proxy = Proxy::between(vec![old.address, new.address]).await;
    let mut running = watching(&proxy, &["--until-resolved"]);
    let lines = running.lines();
    assert_eq!(positions(&lines, 1), [1]);
    proxy.switch(1);
    assert_eq!(positions(&lines, 4), [1, 2, 3, 4]);
    new.append(vec![metrics("open", 2), resolved("open", 3)]).await;
    assert_eq!(positions(&lines, 2), [5, 6]);
    assert_eq!(ended(running).await.status, Some(0));
}
