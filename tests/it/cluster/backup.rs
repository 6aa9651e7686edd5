//! A stream is backed up and restored as the tools of NATS do it.

use std::time::Duration;

use async_nats::Client;
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{ms, soon};

/// How long a nats-server takes for its part at most.
const PART: Duration = Duration::from_secs(10);

/// The first answer of JetStream that is no error.
pub async fn answers(client: &Client, what: &str, body: Value) -> Value {
    let asking = async {
        loop {
            let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
            if let Ok(answer) = client.request(format!("$JS.API.{what}"), body).await {
                let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
                if answer["error"].is_null() {
                    return answer;
                }
            }
            tokio::time::sleep(ms(100)).await;
        }
    };
    soon(what, asking).await
}

/// What a stream was at a moment.
pub struct Backup {
    config: Value,
    state: Value,
    parts: Vec<Bytes>,
}

impl Backup {
    /// Of a stream that may be written meanwhile.
    pub async fn of(client: &Client, stream: &str) -> Self {
        let inbox = client.new_inbox();
        let mut sent = client.subscribe(inbox.clone()).await.unwrap();
        client.flush().await.unwrap();
        let wanted = json!({ "deliver_subject": inbox, "no_consumers": true, "chunk_size": 65_536 });
        let begun = answers(client, &format!("STREAM.SNAPSHOT.{stream}"), wanted).await;
        let mut parts = Vec::new();
        loop {
            let part = soon("a part of the stream", sent.next()).await.expect("more comes");
            if part.payload.is_empty() {
                break;
            }
            parts.push(part.payload);
            // The next ones come when this one is acknowledged.
            if let Some(reply) = part.reply {
                client.publish(reply, Bytes::new()).await.unwrap();
            }
        }
        Self { config: begun["config"].clone(), state: begun["state"].clone(), parts }
    }

    /// Position of its newest event.
    pub fn head(&self) -> u64 {
        self.state["last_seq"].as_u64().unwrap()
    }

    /// Makes the stream anew, which is not there.
    pub async fn restore(&self, client: &Client, stream: &str) {
        let wanted = json!({ "config": self.config, "state": self.state });
        let begun = answers(client, &format!("STREAM.RESTORE.{stream}"), wanted).await;
        let to = begun["deliver_subject"].as_str().expect("where the parts go").to_owned();
        let mut last = None;
        for part in self.parts.iter().cloned().chain([Bytes::new()]) {
            let answer = timeout(PART, client.request(to.clone(), part)).await.expect("it is taken");
            last = Some(answer.unwrap().payload);
        }
        let restored: Value = serde_json::from_slice(&last.expect("at least the end")).unwrap();
        assert_eq!(restored["state"]["last_seq"], self.state["last_seq"], "{restored}");
    }
}
