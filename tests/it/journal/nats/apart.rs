//! A server whose connection to NATS swallows answers: nothing is taken for stored or for lost that is not known to be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use incident::hub::Hub;
use incident::journal::{JournalError, ReadLimit, Record};
use tokio_util::sync::CancellationToken;

use super::super::{ALL, append, positions};
use super::{ask, has_read, open};
use crate::harness::mute::Mute;
use crate::harness::nats::{NatsServer, at};
use crate::harness::{metrics, ms, soon, started};

/// The servers have stored a batch, and their answer is lost with the connection: its caller is told that it is stored, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn an_append_whose_answer_is_lost_is_stored_once() {
    let server = NatsServer::shared();
    let proxy = Mute::before(server.port).await;
    let name = NatsServer::fresh_name();
    let near = open(&server.location(&name), ALL);
    let far = open(&at(proxy.address.port(), &name), ALL);
    append(&far, vec![started("a")]).await;
    let mut unanswered = 0;
    for round in 0..5 {
        let first = 3 + round * 4;
        append(&far, vec![metrics("a", first - 1)]).await;
        proxy.swallow_appends();
        let appending = tokio::spawn({
            let far = far.clone();
            async move {
                far.append((first..first + 3).map(|index| metrics("a", index)).collect::<Vec<_>>()).await
            }
        });
        has_read(&near, first + 2).await;
        proxy.recover();
        match soon("an answer", appending).await.unwrap() {
            Ok(appended) => assert!(appended.iter().all(|event| event.new), "they are its own: {appended:?}"),
            // The connection took too long to come back: the caller repeats it.
            Err(error) => {
                assert!(error.is_temporary(), "{error}");
                unanswered += 1;
                has_read(&far, first + 2).await;
                let again = far.append(metrics("a", first)).await.unwrap();
                assert_eq!((again[0].position, again[0].new), (first, false));
            }
        }
    }
    assert!(unanswered < 5, "no append was resolved by what was read");
    for log in [&near, &far] {
        let indexes = log.read(0, ReadLimit::ALL).await.unwrap();
        let indexes: Vec<_> = indexes.iter().map(|event| event.index).collect();
        assert_eq!(indexes, (1..=21).collect::<Vec<_>>());
    }
}

/// While nothing is answered, nothing is taken for stored or for lost, and the journal says that it can't be used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_journal_without_servers_says_so_and_goes_on_when_they_are_back() {
    let server = NatsServer::shared();
    let proxy = Mute::before(server.port).await;
    let name = NatsServer::fresh_name();
    let near = open(&server.location(&name), ALL);
    let far = open(&at(proxy.address.port(), &name), ALL);
    append(&far, vec![started("a")]).await;
    let _lease = near.lease().await.unwrap();
    // As every server does, it waits for the lease.
    let _waiting = tokio::spawn({
        let far = far.clone();
        async move { far.lease().await }
    });
    proxy.swallows.store(true, Ordering::SeqCst);
    let mut health = far.health();
    let idle = soon("the silence", health.wait_for(Option::is_some)).await.unwrap().clone();
    assert!(idle.is_some_and(|trouble| trouble.to_string().contains("confirm nothing")));
    let refused = far.append(vec![metrics("a", 2)]).await;
    assert!(matches!(&refused, Err(JournalError::Unavailable(_))), "{refused:?}");
    proxy.recover();
    soon("the servers", health.wait_for(Option::is_none)).await.unwrap();
    append(&far, vec![metrics("a", 2)]).await;
    assert_eq!(positions(&far, 0, 10).await, [1, 2], "once, whichever attempt was stored");
}

/// The frame that a client of a hub is sent first.
async fn opened(hub: &Hub, position: u64) -> Result<String, JournalError> {
    let after = format!("{}/{position}", hub.stream()).parse().unwrap();
    let opening = hub.subscribe(Some(&after)).await?;
    Ok(String::from_utf8(opening.frame.text().to_vec()).unwrap())
}

/// A client comes with a position that another server has sent: it is never told that there is no such event because this
/// server has not read it yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_server_that_is_behind_calls_no_position_ahead() {
    let server = NatsServer::shared();
    let proxy = Mute::before(server.port).await;
    let name = NatsServer::fresh_name();
    let near = open(&server.location(&name), ALL);
    let far = open(&at(proxy.address.port(), &name), ALL);
    append(&near, vec![started("a")]).await;
    let hub = Arc::new(Hub::new(far.clone(), ms(15_000)).await.unwrap());
    let stop = CancellationToken::new();
    let following = tokio::spawn({
        let (hub, stop) = (Arc::clone(&hub), stop.clone());
        async move { hub.follow(stop).await }
    });
    for index in 2..20 {
        let position = append(&near, vec![metrics("a", index)]).await[0];
        let told = opened(&hub, position).await.unwrap();
        assert!(told.contains("\"resumed\""), "at once, through the other server: {told}");
    }
    let told = opened(&hub, 1_000).await.unwrap();
    assert!(told.contains("\"ahead\""), "nobody has sent it: {told}");
    proxy.swallows.store(true, Ordering::SeqCst);
    append(&near, vec![metrics("a", 20)]).await;
    for position in [20, 1_000] {
        let told = opened(&hub, position).await;
        assert!(matches!(&told, Err(error) if error.is_temporary()), "it can't know: {told:?}");
    }
    proxy.recover();
    has_read(&far, 20).await;
    let told = opened(&hub, 20).await.unwrap();
    assert!(told.contains("\"resumed\""), "{told}");
    stop.cancel();
    following.await.unwrap();
}

/// The plan of an incident is acknowledged, and the replica that is asked for it does not have it yet: the incident must not be
/// taken for one whose plan is gone, which is ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_plan_is_gone_only_if_the_leader_says_so() {
    let server = NatsServer::shared();
    let proxy = Mute::before(server.port).await;
    let name = NatsServer::fresh_name();
    let near = open(&server.location(&name), ALL);
    let far = open(&at(proxy.address.port(), &name), ALL);
    let plan = "a plan, ".repeat(200_000);
    append(&near, vec![Record { plan: Some(plan.into()), ..started("a") }]).await;
    has_read(&far, 1).await;
    proxy.lacks_plans.store(true, Ordering::SeqCst);
    let length = |open: &[incident::journal::OpenIncident]| open[0].plan.as_ref().map(|plan| plan.len());
    assert_eq!(length(&far.open_incidents().await.unwrap()), Some(1_600_000));
    let filter = serde_json::json!({ "filter": format!("incident.{name}.ctl.plan.>") });
    let purged = ask(&format!("STREAM.PURGE.{name}_ctl"), filter).await;
    assert_eq!(purged["purged"], 4, "{purged}");
    assert_eq!(length(&far.open_incidents().await.unwrap()), Some(0), "it is gone");
}

/// The holder of the lease appends and writes down what it has read, while another server starts slowly: that is no history
/// that was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_slow_start_beside_a_server_that_appends_resets_nobody() {
    let server = NatsServer::shared();
    let proxy = Mute::before(server.port).await;
    let name = NatsServer::fresh_name();
    let near = open(&server.location(&name), ALL);
    append(&near, vec![started("a")]).await;
    let _lease = near.lease().await.unwrap();
    let appending = tokio::spawn({
        let near = near.clone();
        async move {
            for index in 2.. {
                append(&near, vec![metrics("a", index)]).await;
            }
        }
    });
    // Longer than the holder of the lease waits until it writes it again.
    proxy.delay.store(700, Ordering::SeqCst);
    for _ in 0..3 {
        let location = at(proxy.address.port(), &name);
        let far = tokio::task::spawn_blocking(move || open(&location, ALL)).await.unwrap();
        assert_eq!(far.stream(), near.stream());
        proxy.cuts.send_modify(|cuts| *cuts += 1);
    }
    assert_eq!(*near.health().borrow(), None);
    appending.abort();
}
