//! Streams that come faster than they are judged: the listening ends when its time is over all the same.

use futures_util::SinkExt;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::sound::{Stream, sound};
use crate::harness::{PATIENCE, incident};

/// Says these lines to everyone, and then the last of them for ever, as fast as it is read. Who resumes gets the last one alone. Its
/// URL.
// The callback's type is tungstenite's.
#[allow(clippy::result_large_err)]
async fn flooding(told: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/stream", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let told = told.clone();
            tokio::spawn(async move {
                let mut resumes = false;
                let look = |asked: &Request, answer: Response| {
                    resumes = asked.uri().query().is_some();
                    Ok(answer)
                };
                let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(tcp, look).await else { return };
                let last = told.last().unwrap().clone();
                let told = told.into_iter().filter(|_| !resumes);
                for line in told.chain(std::iter::repeat(last)) {
                    let Ok(()) = socket.send(Message::text(line)).await else { return };
                }
            });
        }
    });
    url
}

/// The report of a second of listening.
async fn second(url: String, more: &'static [&'static str]) -> serde_json::Value {
    let listening = move || {
        let flags = ["validate", "--url", &url, "--for", "1s", "--clients", "2", "--format", "json"];
        let mut running = incident(&[&flags[..], more].concat()).spawn();
        let lines = running.lines();
        let mut report = String::new();
        // It begins to print when it has closed every connection.
        while let Ok(line) = lines.recv_timeout(6 * PATIENCE) {
            report += &line;
        }
        assert!(!report.is_empty(), "the listening did not end");
        serde_json::from_str(&report).unwrap()
    };
    tokio::task::spawn_blocking(listening).await.unwrap()
}

fn large(kind: &str) -> String {
    let values: Vec<u64> = (0..8_000).collect();
    json!({ "type": kind, "timestamp": jiff::Timestamp::now(), "data": { "values": values } }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_other_programs() {
    let report = second(flooding(vec![large("book")]).await, &["--profile", "plain"]).await;
    assert!(report.to_string().contains(" messages have the fields that the profile names"), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_no_events() {
    let report = second(flooding(vec![large("noise")]).await, &[]).await;
    assert_eq!(report["passed"], false, "{report:#}");
}

/// Connections that resume are left, too: what they lack by then is no finding, and is told.
#[tokio::test(flavor = "multi_thread")]
async fn messages_behind_the_events_of_a_stream() {
    let mut stream: Stream = sound();
    stream.frames.retain(|(frame, _)| frame["type"] != "heartbeat");
    stream.greeting()["head"] = 1.into();
    stream.greeting()["follows"]["to"] = 1.into();
    let mut told: Vec<String> = stream.frames.iter().take(2).map(|(frame, _)| frame.to_string()).collect();
    told.push(large("noise"));
    let report = second(flooding(told).await, &["--rule", "resume"]).await;
    let warnings = report["targets"][0]["warnings"].to_string();
    assert!(warnings.contains("whether a client that resumes gets everything"), "{report:#}");
    assert_ne!(report["targets"][0]["rules"][0]["status"], "failed", "{report:#}");
}
