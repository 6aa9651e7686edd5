//! A stream that is deleted under a server: it is named, with what to do, and the server does not take it for a nats-server
//! that hangs.

use std::fs::File;

use serde_json::Value;

use crate::harness::nats::NatsServer;
use crate::harness::{Scratch, Serving, get, incident, ms, soon};

async fn ask(nats: &NatsServer, what: &str, body: String) -> Value {
    let client = async_nats::connect(format!("127.0.0.1:{}", nats.port)).await.unwrap();
    let answer = client.request(format!("$JS.API.{what}"), body.into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert!(answer["error"].is_null(), "{answer}");
    answer
}

/// Waits for an answer of `/readyz` with this status and text.
async fn ready(server: &Serving, status: u16, text: &str) {
    soon(text, async {
        loop {
            let reply = get(server.address(), "/readyz").await;
            if reply.status == status && reply.body.contains(text) {
                return;
            }
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
}

async fn is_named(which: &str, restored: &str) {
    let (nats, name, folder) = (NatsServer::shared(), NatsServer::fresh_name(), Scratch::new());
    let location = nats.location(&name).display().to_string();
    let file = folder.path().join("log");
    let run = incident(&["serve", "--port", "0", "--json", "--journal", &location]);
    let server = Serving::logging(run, File::create(&file).unwrap()).unwrap();
    ready(&server, 200, "this server plays").await;
    let stream = format!("{name}{which}");
    let config = ask(nats, &format!("STREAM.INFO.{stream}"), String::new()).await["config"].clone();
    ask(nats, &format!("STREAM.DELETE.{stream}"), String::new()).await;
    let advice = format!("the stream {stream} is gone: restore it, or start a server with create=1");
    ready(&server, 503, &advice).await;
    let log = || std::fs::read_to_string(&file).unwrap();
    assert!(log().contains(&advice), "{}", log());
    if !which.is_empty() {
        // Ten seconds later, that is three times as long as a server waits before it tries another nats-server.
        soon("the end of the lease", async {
            while !log().contains("this server stops playing") {
                tokio::time::sleep(ms(100)).await;
            }
        })
        .await;
        assert!(!log().contains("the connection to NATS is lost"), "{}", log());
    }
    ask(nats, &format!("STREAM.CREATE.{stream}"), config.to_string()).await;
    ready(&server, 200, restored).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_second_stream_that_is_deleted_is_named_until_it_is_there_again() {
    is_named("_ctl", "this server plays").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_stream_of_events_that_is_deleted_is_named_until_it_is_there_again() {
    is_named("", "ready").await;
}
