//! A server whose output nobody takes: a log collector that hangs, a terminal that was stopped with ctrl-S. It serves and stops
//! all the same.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::harness::{Client, Http, Numbers, Serving, get, incident, ms, soon};

async fn trigger(server: &Serving) -> u16 {
    Http::trigger(server.address(), r#"{"scenario":"database-outage","speed":10000}"#).send().await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_read_makes_nobody_wait() {
    for format in ["text", "json"] {
        let (server, _reader) = Serving::unread(&["--journal", "memory", "--log-format", format, "-v"]);
        for played in 1..=3 {
            assert_eq!(soon("an answer", trigger(&server)).await, 202, "{format}");
            Numbers::until(server.address(), "incident_journal_head_position", 108.0 * f64::from(played))
                .await;
        }
        assert_eq!(get(server.address(), "/readyz").await.status, 200, "{format}");
        server.signal("TERM");
        assert_eq!(server.end(), Some(0), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once_although_its_log_is_not_read() {
    let (server, _reader) = Serving::unread(&["--journal", "memory", "--drain", "60s"]);
    let _client = Client::connect(server.address(), "").await;
    server.signal("TERM");
    soon("the drain", async {
        while get(server.address(), "/readyz").await.status != 503 {
            tokio::time::sleep(ms(20)).await;
        }
    })
    .await;
    // Before that it is the same wish.
    tokio::time::sleep(ms(300)).await;
    server.signal("TERM");
    assert_eq!(server.end(), Some(130));
}

/// What was logged meanwhile is there when somebody reads again, up to the last line.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_read_late_is_whole() {
    let (server, reader) = Serving::unread(&["--journal", "memory", "--log-format", "json"]);
    assert_eq!(soon("an answer", trigger(&server)).await, 202);
    Numbers::until(server.address(), "incident_journal_head_position", 108.0).await;
    server.signal("TERM");
    let lines = BufReader::new(reader).lines().map(Result::unwrap).filter(|line| !line.is_empty());
    let messages: Vec<_> = lines
        .map(|line| serde_json::from_str::<Value>(&line).unwrap()["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(messages, ["ready", "incident started", "incident ended", "stopping", "stopped"]);
    assert_eq!(server.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stdout_that_is_not_read_keeps_no_server_from_serving() {
    let serve = ["serve", "--port", "0", "--json", "--log-format", "json", "--journal", "memory"];
    let (mut server, _reader) = incident(&serve).with_full_stdout();
    let ready: Value = serde_json::from_str(&server.says("\"ready\"")).unwrap();
    let url = ready["websocket"].as_str().unwrap();
    let address = url.trim_start_matches("ws://").trim_end_matches("/ws").parse().unwrap();
    assert_eq!(get(address, "/readyz").await.status, 200);
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
}
