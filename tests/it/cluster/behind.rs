//! A server that has not read yet what another one has stored: it never says that there is no such incident or event. It reads on
//! first, or answers 503, and that costs the nats-servers little, whoever asks.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use incident::journal::{Journal, Retention, open};
use incident::server::Options;
use serde_json::{Value, json};

use crate::harness::mute::Mute;
use crate::harness::nats::{NatsServer, at};
use crate::harness::{Http, Local, Reply, Serving, get, options, soon};
use crate::publish::{action, places, publish, publish_parts, started};
use crate::receivers::lab::{ended, firing, group};
use crate::receivers::server::{SECRET, setups};

/// Two servers in this process over one stream; what the second one asks of the nats-server passes the proxy.
async fn one_behind_a_proxy() -> (Local, Local, Mute) {
    let nats = NatsServer::shared();
    let proxy = Mute::before(nats.port).await;
    let name = NatsServer::fresh_name();
    let serve = async |journal: Journal| {
        let receivers = Some(setups(""));
        Local::over(Options { receivers, admit_rate: 1_000_000, ..options() }, journal).await
    };
    let near = open(&nats.location(&name), Retention::default()).unwrap().journal;
    let far = open(&at(proxy.address.port(), &name), Retention::default()).unwrap().journal;
    (serve(near).await, serve(far).await, proxy)
}

async fn deliver(address: SocketAddr, body: &Value) -> Reply {
    let post =
        Http::new(address, "POST", "/hooks/alertmanager/prod").header("Content-Type", "application/json");
    post.body(&body.to_string()).bearer(SECRET).send().await
}

async fn delete(address: SocketAddr, id: &str) -> Reply {
    Http::new(address, "DELETE", &format!("/api/incidents/{id}")).send().await
}

async fn trigger(address: SocketAddr) -> String {
    let reply = Http::trigger(address, r#"{"scenario": "database-outage", "speed": 1}"#).send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// An action that the incident's event with this index must be the newest for.
fn action_after(subject: &str, id: &str, index: u64) -> Value {
    let mut event = action(subject, id, "Looks");
    event["afterindex"] = index.into();
    event
}

/// Whatever a server can be asked about what the other one has stored.
async fn everything(address: SocketAddr, drill: &str, position: u64) -> Vec<(&'static str, Reply)> {
    let state = |id: &str, more: &str| {
        let path = format!("/api/incidents/{id}{more}");
        async move { get(address, &path).await }
    };
    let (next, newest) = ([action("new", "n2", "Looks")], [action_after("old", "o3", 2)]);
    let parts = [action("new", "n3", "Looks"), json!({ "id": "no event" })];
    let over = group(&[ended("A", 0, 1)]);
    let (after, alerts) = (format!("/events?after={position}"), state(drill, "/alerts"));
    let reads = futures_util::future::join_all([
        state("new", ""),
        state("new", "/report.md"),
        state("new", "/events"),
        state("old", &after),
        alerts,
    ]);
    let writes = async {
        tokio::join!(
            publish(address, &next),
            publish(address, &newest),
            publish_parts(address, &parts),
            delete(address, drill),
            deliver(address, &over)
        )
    };
    // A drill that is cancelled has no alerts any more.
    let (reads, (next, newest, parts, cancel, over)) = (reads.await, writes.await);
    let names = ["state", "report", "events", "events after", "alerts"];
    let mut all: Vec<_> = names.into_iter().zip(reads).collect();
    all.extend([
        ("next", next),
        ("afterindex", newest),
        ("parts", parts),
        ("cancel", cancel),
        ("over", over),
    ]);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_server_that_is_behind_refuses_nothing_for_good() {
    let (a, b, proxy) = one_behind_a_proxy().await;
    let head = places(&publish(a.address, &[started("old", "o1")]).await)[0].0;
    let reads = async |head: u64| {
        soon("it is read", b.journal.follow().wait_for(|extent| extent.head >= head)).await.unwrap();
    };
    reads(head).await;
    proxy.hides_events.store(true, Ordering::SeqCst);
    assert_eq!(publish(a.address, &[started("new", "n1")]).await.status, 200);
    assert_eq!(deliver(a.address, &group(&[firing("A", 0)])).await.status, 200);
    let drill = trigger(a.address).await;
    let position = places(&publish(a.address, &[action("old", "o2", "Looks")]).await)[0].0;
    for (what, reply) in everything(b.address, &drill, position).await {
        assert_eq!(reply.status, 503, "{what}: {}", reply.body);
        assert!(!reply.header("retry-after").is_empty(), "{what}: {}", reply.body);
    }
    let unknown = get(b.address, "/api/incidents/nobody-has-it").await;
    assert_eq!(unknown.status, 503, "it can't know: {}", unknown.body);
    proxy.hides_events.store(false, Ordering::SeqCst);
    for (what, reply) in everything(b.address, &drill, position).await {
        assert_eq!(reply.status, 200, "{what}: {}", reply.body);
        match what {
            "parts" => assert_eq!(reply.json()["accepted"], 1, "{}", reply.body),
            "over" => assert_eq!(reply.json()["ignored"], 0, "{}", reply.body),
            _ => {}
        }
    }
    get(b.address, "/api/incidents/nobody-has-it").await.problem(404);
    let refused = publish(b.address, &[action("nobody-has-it", "x", "Looks")]).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let refused = publish(b.address, &[action_after("new", "y", 40)]).await;
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]["current"]),
        (409, &json!(3)),
        "{}",
        refused.body
    );
}

/// Through one server, and at once through the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn what_one_server_has_acknowledged_every_other_one_knows() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let location = nats.location(&name).display().to_string();
    let serve = || Serving::with(&["--journal", &location]);
    let (one, other) = (serve(), serve());
    for round in 0..40 {
        let (a, b) = if round % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let (a, b) = (a.address(), b.address());
        let id = format!("quick-{round}");
        let event = |number: u64| action(&id, &format!("{id}-{number}"), "Looks");
        assert_eq!(places(&publish(a, &[started(&id, &format!("{id}-1"))]).await)[0].1, 1);
        assert_eq!(places(&publish(b, &[event(2)]).await)[0].1, 2);
        assert_eq!(places(&publish(a, &[action_after(&id, &format!("{id}-3"), 2)]).await)[0].1, 3);
        let cause = {
            let mut event = event(4);
            event["data"]["caused_by"] = 3.into();
            event
        };
        assert_eq!(places(&publish_parts(b, &[cause]).await)[0].1, 4);
        let other_id = format!("state-{round}");
        publish(a, &[started(&other_id, &other_id)]).await;
        for more in ["", "/report.md", "/events"] {
            let state = get(b, &format!("/api/incidents/{other_id}{more}")).await;
            assert_eq!(state.status, 200, "{more}: {}", state.body);
        }
        let drill = trigger(a).await;
        let added = publish(b, &[action(&drill, &format!("{id}-drill"), "Looks")]).await;
        assert!([200, 503].contains(&added.status), "{}", added.body);
        let drill = trigger(a).await;
        let cancelled = delete(b, &drill).await;
        assert_eq!(cancelled.status, 200, "{}", cancelled.body);
        assert_eq!(cancelled.json()["cancelled_now"], true, "{}", cancelled.body);
    }
}

/// Names that somebody makes up cost the nats-servers one question for all that wait, and a few in a second at the most.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn names_that_are_made_up_are_asked_for_together() {
    let (_a, b, proxy) = one_behind_a_proxy().await;
    let (began, before) = (Instant::now(), proxy.asked.load(Ordering::SeqCst));
    let asking = (0..100).map(|number| {
        let path = format!("/api/incidents/made-up-{number}");
        async move { get(b.address, &path).await.problem(404) }
    });
    futures_util::future::join_all(asking).await;
    let asked = proxy.asked.load(Ordering::SeqCst) - before;
    // Each question waits 20 ms after the one before it, and the two streams are looked at every second.
    let most = began.elapsed().as_millis() as u64 / 20 + began.elapsed().as_secs() * 2 + 5;
    assert!(asked <= most, "{asked} questions in {:?}", began.elapsed());
}
