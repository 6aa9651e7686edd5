//! Stopping in order: readiness fails first, nobody is let in any more, clients leave spread over the drain time and
//! lose nothing to a successor.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use incident::client::{Follower, Item};
use incident::journal::Retention;
use incident::server::Options;
use tokio_tungstenite::tungstenite::Error;

use crate::harness::{Client, Http, Local, Scratch, Serving, get, ms, options, soon, story};

#[tokio::test]
async fn readiness_fails_first_and_nobody_is_let_in_any_more() {
    // Many enough that they take a while to leave.
    let options = Options { drain: ms(2_000), ..options() };
    let server = Local::with(options, Retention::default()).await;
    let mut clients = Vec::new();
    for _ in 0..300 {
        clients.push(server.client().await);
    }
    let address = server.address;
    assert_eq!(get(address, "/readyz").await.status, 200);
    let drained = tokio::spawn(server.drained());
    soon("readiness to fail", async { while get(address, "/readyz").await.status != 503 {} }).await;
    assert_eq!(get(address, "/healthz").await.status, 200, "it answers while clients leave");
    match Client::with_headers(address, "", &[]).await.map_err(|error| *error) {
        Err(Error::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("instead of 503: {:?}", other.map(|client| client.opened)),
    }
    let reply = Http::trigger(address, "{\"scenario\":\"database-outage\"}").send().await;
    assert!(reply.problem(503).contains("stopping"), "{reply:?}");
    // Spread: not all at once, and all of them told why.
    let began = Instant::now();
    let mut moments = Vec::new();
    let leaving = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            let (code, _) = client.closed().await;
            (code, Instant::now())
        })
    });
    for client in leaving.collect::<Vec<_>>() {
        let (code, moment) = client.await.unwrap();
        assert_eq!(code, 1012);
        moments.push(moment.duration_since(began));
    }
    let (first, last) = (moments.iter().min().unwrap(), moments.iter().max().unwrap());
    let spread = last.saturating_sub(*first);
    assert!(spread > ms(100), "they left within {spread:?}");
    drained.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the listener is closed in the end");
}

#[tokio::test]
async fn who_goes_on_with_a_successor_over_the_same_journal_loses_nothing() {
    const CLIENTS: usize = 20;
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let mut server = Serving::with(&["--journal", &journal, "--drain", "1s", "--heartbeat", "200ms"]);
    let (url, port) = (server.url().to_owned(), server.address().port().to_string());
    let ran = server.incident(&["trigger", "database-outage", "--no-wait", "--speed", "30"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let clients = (0..CLIENTS).map(|_| {
        let url = url.clone();
        tokio::spawn(async move {
            let mut follower =
                Follower::connect(url.parse().unwrap(), Some("0".to_owned()), true).await.unwrap();
            let mut seen = BTreeMap::new();
            let mut returns = 0;
            loop {
                match soon("an event", follower.next()).await.unwrap().expect("it reconnects") {
                    Item::Event { envelope, raw } => {
                        let position = envelope.position().unwrap().n;
                        assert!(seen.insert(position, raw).is_none(), "{position} came twice");
                        if envelope.kind == "incident_resolved" {
                            return (seen, returns);
                        }
                    }
                    Item::Back { lost, reset, .. } => {
                        assert_eq!((lost, reset), (Some(0), None));
                        returns += 1;
                    }
                    Item::Gap { from, to } => panic!("{from} to {to} never came"),
                    Item::Lost { .. } | Item::Opened(_) | Item::Heartbeat(_) => {}
                    Item::NotAnEvent(text) => panic!("{text}"),
                }
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.signal("TERM");
        assert_eq!(server.end(), Some(0));
        let again = [
            "serve",
            "--port",
            &port,
            "--journal",
            &journal,
            "--drain",
            "1s",
            "--heartbeat",
            "200ms",
            "--json",
        ];
        server = Serving::again(&again);
    }
    for client in clients {
        let (seen, returns) = soon("the resolution", client).await.unwrap();
        assert!(seen.keys().copied().eq(1..=108), "{:?}", seen.keys());
        assert!(returns >= 1, "it was sent away");
    }
}

#[tokio::test]
async fn what_is_published_while_clients_leave_is_sent_to_who_is_still_there() {
    let server = Local::with(Options { drain: ms(2_000), ..options() }, Retention::default()).await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        clients.push(server.client().await);
    }
    let journal = server.journal.clone();
    let drained = tokio::spawn(server.drained());
    for subject in 0..20 {
        journal.append(story(&format!("late-{subject}"), 2)).await.unwrap();
        tokio::time::sleep(ms(5)).await;
    }
    let mut most = 0;
    for mut client in clients {
        let mut events = 0;
        loop {
            match client.message().await {
                Some(Ok(tokio_tungstenite::tungstenite::Message::Close(Some(close)))) => {
                    assert_eq!(u16::from(close.code), 1012);
                    break;
                }
                Some(Ok(message)) if message.is_text() => events += 1,
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        most = most.max(events);
    }
    assert!(most > 0, "nobody was sent anything");
    drained.await.unwrap();
}
