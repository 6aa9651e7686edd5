//! Receivers on several servers with one journal: whichever server a delivery comes to, and if it comes to several, it is one.

use incident::contract::MessageType;
use incident::journal::{ReadLimit, Retention, open};
use incident::server::Options;
use serde_json::Value;

use super::lab::{ended, firing, group};
use super::server::{SECRET, setups};
use crate::harness::nats::NatsServer;
use crate::harness::{Http, Local, options, soon};

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
