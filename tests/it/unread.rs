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

/// Also a server that ends with an error waits for the reader of its log only until a signal comes.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_a_server_that_has_failed_and_whose_log_is_not_read() {
    use incident::journal::{OpenError, Retention, Sqlite};

    let folder = crate::harness::Scratch::new();
    let journal = folder.path().join("journal.db");
    let serve = ["serve", "--port", "0", "--json", "--journal", journal.to_str().unwrap()];
    let (failed, _reader) = incident(&serve).unheard();
    let began = std::time::Instant::now();
    // It cannot say that it is ready. When it has let go of the journal, only its last lines are left.
    let mut has_held = false;
    loop {
        let held = journal.exists()
            && matches!(Sqlite::open(&journal, Retention::default()), Err(OpenError::Held { .. }));
        if has_held && !held {
            break;
        }
        has_held |= held;
        assert!(began.elapsed() < crate::harness::PATIENCE, "it does not end");
        std::thread::sleep(ms(10));
    }
    let id = failed.id().to_string();
    let signals = std::thread::spawn(move || {
        while std::process::Command::new("kill")
            .args(["-INT", &id])
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap()
            .success()
        {
            std::thread::sleep(ms(50));
        }
    });
    assert_eq!(failed.end().status, Some(130));
    signals.join().unwrap();
}
