//! Receivers on several servers with one journal: whichever server a delivery comes to, and if it comes to several, it is one.

use incident::contract::MessageType;
use incident::journal::{ReadLimit, Retention, open};
use incident::server::Options;
use serde_json::{Value, json};

use super::lab::{ended, firing, group, trigger};
use super::server::{SECRET, setups};
use crate::harness::nats::NatsServer;
use crate::harness::{Http, Local, ms, options, soon};

async fn deliver(server: &Local, body: &Value) -> u16 {
    let post = Http::new(server.address, "POST", "/hooks/alertmanager/prod");
    let post = post.header("Content-Type", "application/json").body(&body.to_string());
    post.bearer(SECRET).send().await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn an_alert_that_several_servers_are_told_of_is_written_once() {
    let location = NatsServer::shared().location(&NatsServer::fresh_name());
    let serve = async || {
        let journal = open(&location, Retention::default()).unwrap().journal;
        Local::over(Options { receivers: Some(setups("")), ..options() }, journal).await
    };
    let (a, b) = (serve().await, serve().await);
    for number in 0..10_i64 {
        let alert = format!("A{number}");
        let fires = group(&[firing(&alert, number)]);
        let both = tokio::join!(deliver(&a, &fires), deliver(&b, &fires));
        assert_eq!(both, (200, 200));
        // Its end comes to one of them.
        let server = if number % 2 == 0 { &a } else { &b };
        assert_eq!(deliver(server, &group(&[ended(&alert, number, number + 1)])).await, 200);
        for server in [&a, &b] {
            let head = 4 * (number.unsigned_abs() + 1);
            soon("its end", server.journal.follow().wait_for(|extent| extent.head >= head)).await.unwrap();
        }
    }
    for server in [&a, &b] {
        let events = server.journal.read(0, ReadLimit::ALL).await.unwrap();
        let mut kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(events.len(), 40, "each event once");
        kinds.retain(|kind| *kind == MessageType::IncidentStarted.as_str());
        assert_eq!(kinds.len(), 10);
    }
}

/// What one server was told first, the other may not have read yet: an end is never taken for that of an alert which never fired, nor
/// a firing for one that is known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn what_follows_at_once_through_another_server_is_written() {
    let location = NatsServer::shared().location(&NatsServer::fresh_name());
    let serve = async || {
        let journal = open(&location, Retention::default()).unwrap().journal;
        Local::over(Options { receivers: Some(setups("")), ..options() }, journal).await
    };
    let (a, b) = (serve().await, serve().await);
    for number in 0..40_i64 {
        let (one, other) = if number % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let alert = format!("A{number}");
        let of = |alert: Value| {
            let mut body = group(&[alert]);
            body["groupKey"] = alert_key(number).into();
            body
        };
        assert_eq!(deliver(one, &of(firing(&alert, number))).await, 200);
        assert_eq!(deliver(other, &of(ended(&alert, number, number + 1))).await, 200);
        // It fires again, and is over again.
        assert_eq!(deliver(one, &of(firing(&alert, number + 2))).await, 200);
        assert_eq!(deliver(other, &of(ended(&alert, number + 2, number + 3))).await, 200);
        let head = a.journal_head().max(b.journal_head());
        for server in [&a, &b] {
            soon("all", server.journal.follow().wait_for(|extent| extent.head >= head)).await.unwrap();
        }
        soon("its end", async {
            while !a.journal.open_without_plan().await.unwrap().is_empty() {
                tokio::time::sleep(ms(5)).await;
            }
        })
        .await;
    }
    // A trigger after a resolve is a new firing.
    let enqueue = async |server: &Local, body: Value| {
        let post = Http::new(server.address, "POST", "/hooks/pagerduty/pd/v2/enqueue");
        let reply = post.header("Content-Type", "application/json").body(&body.to_string()).send().await;
        assert_eq!(reply.status, 202, "{}", reply.body);
    };
    let began = a.journal_head().max(b.journal_head());
    for number in 0..10 {
        let (one, other) = if number % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let key = format!("key-{number}");
        let body = |action: &str| {
            let mut body = trigger(&key, "The disk is full");
            body["event_action"] = action.into();
            body
        };
        enqueue(one, body("trigger")).await;
        enqueue(other, body("resolve")).await;
        enqueue(one, body("trigger")).await;
        enqueue(other, body("acknowledge")).await;
    }
    let notes = async || {
        let events = a.journal.read(began, ReadLimit::ALL).await.unwrap();
        events.iter().filter(|event| event.data.get().contains("acknowledged")).count()
    };
    soon("all of them fire and are noted", async {
        while notes().await < 10 || a.journal.open_without_plan().await.unwrap().len() != 10 {
            tokio::time::sleep(ms(5)).await;
        }
    })
    .await;
}

/// A change is about every open incident, also those that only the other server has read yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_change_is_noted_in_what_another_server_has_just_opened() {
    let location = NatsServer::shared().location(&NatsServer::fresh_name());
    let serve = async || {
        let journal = open(&location, Retention::default()).unwrap().journal;
        Local::over(Options { receivers: Some(setups("")), ..options() }, journal).await
    };
    let (a, b) = (serve().await, serve().await);
    let tell = async |server: &Local, path: &str, body: Value| {
        let post = Http::new(server.address, "POST", &format!("/hooks/pagerduty/pd/v2/{path}"));
        let reply = post.header("Content-Type", "application/json").body(&body.to_string()).send().await;
        assert_eq!(reply.status, 202, "{}", reply.body);
    };
    for number in 0..20_usize {
        let (one, other) = if number % 2 == 0 { (&a, &b) } else { (&b, &a) };
        tell(one, "enqueue", trigger(&format!("key-{number}"), "The disk is full")).await;
        let release = format!("Release {number}.");
        let change = json!({ "routing_key": SECRET, "payload": { "summary": &release } });
        tell(other, "change/enqueue", change).await;
        let noted = async || {
            let events = other.journal.read(0, ReadLimit::ALL).await.unwrap();
            events.iter().filter(|event| event.data.get().contains(&release)).count()
        };
        soon("all of them have it", async {
            while noted().await < number + 1 {
                tokio::time::sleep(ms(5)).await;
            }
        })
        .await;
    }
}

fn alert_key(number: i64) -> String {
    format!("{{}}:{{service=\"checkout-{number}\"}}")
}
