//! `kill -9` between commit and answer: what is sent again has the same place, by publishers and by senders of alerts.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::{action, places, post, resolved, started};
use crate::harness::{Client, Http, Reply, Scratch, Serving, incident, ms};
use crate::receivers::lab::{ended, firing, group};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A server over a journal in a file, which is killed and started again at the same port.
struct Killed {
    folder: Scratch,
    server: Option<Serving>,
    address: SocketAddr,
}

impl Killed {
    fn start() -> Self {
        let receivers = "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_file = \"t\"\nsettle = \"0s\"\n\
             [[receiver]]\nname = \"pd\"\nkind = \"pagerduty\"\ntoken_file = \"t\"\n";
        let folder = Scratch::new().with("receivers.toml", receivers).with("t", SECRET);
        let server = Self::serve(&folder, "0");
        let address = server.address();
        Self { folder, server: Some(server), address }
    }

    fn serve(folder: &Scratch, port: &str) -> Serving {
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (journal, receivers) = (path("journal.db"), path("receivers.toml"));
        Serving::again(&[
            "serve",
            "--port",
            port,
            "--json",
            "--quiet",
            "--journal",
            &journal,
            "--receivers",
            &receivers,
            "--publish-rate",
            "100000",
            "--admit-rate",
            "100000",
        ])
    }

    fn server(&self) -> &Serving {
        self.server.as_ref().unwrap()
    }

    fn kill(&mut self) {
        let server = self.server.take().unwrap();
        server.signal("KILL");
        server.end();
        self.server = Some(Self::serve(&self.folder, &self.address.port().to_string()));
    }

    /// Everything in the journal.
    fn events(&self) -> Vec<Value> {
        let ran = self.server().incident(&["watch", "--json", "--after", "0", "--no-follow"]).run();
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        let events = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.filter(|event| event["subject"].is_string()).collect()
    }

    /// The same, once all incidents have ended and the validator has passed it.
    fn judged(&self) -> Vec<Value> {
        let events = self.events();
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        let record = Scratch::new().with("run.ndjson", &lines);
        let judged = incident(&["validate", "run.ndjson", "--verbose"]).at(record.path()).run();
        assert_eq!(judged.status, Some(0), "{}{}", judged.stdout, judged.stderr);
        events
    }
}

fn event(address: SocketAddr, event: &Value) -> Http {
    post(address, "application/cloudevents+json", &event.to_string())
}

fn alerts(address: SocketAddr, alerts: &[Value]) -> Http {
    let request = Http::new(address, "POST", "/hooks/alertmanager/prod").bearer(SECRET);
    request.header("Content-Type", "application/json").body(&group(alerts).to_string())
}

fn pagerduty(address: SocketAddr, action: &str) -> Http {
    let body = json!({
        "routing_key": SECRET, "event_action": action, "dedup_key": "disk",
        "payload": { "summary": "Disk full", "source": "db-1", "severity": "error" },
    });
    Http::new(address, "POST", "/hooks/pagerduty/pd/v2/enqueue").body(&body.to_string())
}

/// A client sees each event only once it is committed. At that moment the server is killed, and the answer, if it was sent, was
/// not read.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_and_not_answered_is_found_again_at_its_position() {
    let mut server = Killed::start();
    let address = server.address;
    let both = [ended("A", 0, 9), ended("B", 1, 9)];
    let acts: [(u64, &dyn Fn() -> Http); 8] = [
        (1, &|| event(address, &started("a", "1"))),
        (1, &|| event(address, &action("a", "2", "works"))),
        (2, &|| alerts(address, &[firing("A", 0)])),
        (1, &|| alerts(address, &[firing("A", 0), firing("B", 1)])),
        (2, &|| pagerduty(address, "trigger")),
        // With the end of the incident, which needs no delivery.
        (3, &|| alerts(address, &both)),
        (2, &|| pagerduty(address, "resolve")),
        (1, &|| event(address, &resolved("a", "3"))),
    ];
    let mut head = 0;
    for (number, (events, request)) in acts.into_iter().enumerate() {
        let mut client = Client::connect(address, "?after=0").await;
        let unanswered = request().unanswered().await;
        head += events;
        let seen = client.up_to(head).await;
        server.kill();
        drop(unanswered);
        let reply = request().send().await;
        let stored: Vec<String> = server.events().iter().map(ToString::to_string).collect();
        let before: Vec<String> = seen.iter().map(|event| event.frame.clone()).collect();
        assert_eq!(stored.len() as u64, head, "act {number} wrote something twice");
        let same = |text: &String| serde_json::from_str::<Value>(text).unwrap().to_string();
        let before: Vec<String> = before.iter().map(same).collect();
        assert_eq!(stored[stored.len() - before.len()..], before, "the same events at the same positions");
        match number {
            0 | 1 | 7 => {
                let places = places(&reply);
                assert_eq!(places.iter().map(|place| (place.0, place.2)).collect::<Vec<_>>(), [(head, true)]);
            }
            4 | 6 => assert_eq!(reply.status, 202, "{}", reply.body),
            _ => assert_eq!(reply.json()["events"], 0, "{}", reply.body),
        }
    }
    server.judged();
}

/// The answer to a request that is sent until it has one.
async fn answered(request: impl Fn() -> Http) -> Reply {
    loop {
        match request().try_send().await {
            Some(reply) if reply.status < 300 => return reply,
            Some(reply) => assert!(reply.status == 503, "{}: {}", reply.status, reply.body),
            None => {}
        }
        tokio::time::sleep(ms(20)).await;
    }
}

/// 64 publishers tell one incident, every fifth event is sent twice in any case, and a pair of senders tells of alerts that fire
/// and are resolved, while the server is killed again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_everything_is_stored_once_and_gapless() {
    const PUBLISHERS: usize = 64;
    const EACH: usize = 8;
    const ALERTS: i64 = 40;
    let mut server = Killed::start();
    let address = server.address;
    answered(|| event(address, &started("a", "start"))).await;
    let publishers = (0..PUBLISHERS).map(|publisher| {
        tokio::spawn(async move {
            let mut placed = Vec::new();
            for number in 0..EACH {
                let sent = action("a", &format!("{publisher}-{number}"), "works");
                let place = places(&answered(|| event(address, &sent)).await)[0];
                if (publisher + number) % 5 == 0 {
                    let again = places(&answered(|| event(address, &sent)).await)[0];
                    assert_eq!((again.0, again.1, again.2), (place.0, place.1, true));
                }
                placed.push((sent["id"].clone(), place.0, place.1));
            }
            assert!(placed.is_sorted_by_key(|(_, position, _)| *position), "{placed:?}");
            placed
        })
    });
    let publishers: Vec<_> = publishers.collect();
    // Each of the pair is at another alert.
    let senders = [(0, "one"), (7, "two")].map(|(behind, _)| {
        tokio::spawn(async move {
            for number in 1..=ALERTS {
                let known = (number - behind).max(1);
                let alert = |number: i64| firing(&format!("A{number}"), number);
                answered(|| alerts(address, &(1..=known).map(alert).collect::<Vec<_>>())).await;
            }
        })
    });
    let over = Arc::new(AtomicBool::new(false));
    let watching = Arc::clone(&over);
    let all = tokio::spawn(async move {
        let mut placed = Vec::new();
        for publisher in publishers {
            placed.extend(publisher.await.unwrap());
        }
        for sender in senders {
            sender.await.unwrap();
        }
        watching.store(true, Ordering::Relaxed);
        placed
    });
    let mut kills = 0;
    while !over.load(Ordering::Relaxed) {
        tokio::time::sleep(ms(20 + incident::random::bits() % 150)).await;
        server.kill();
        kills += 1;
    }
    let placed = all.await.unwrap();
    assert!(kills >= 2, "only {kills}");
    let alert = |number: i64| ended(&format!("A{number}"), number, 100);
    answered(|| alerts(address, &(1..=ALERTS).map(alert).collect::<Vec<_>>())).await;
    answered(|| event(address, &resolved("a", "end"))).await;

    let most = PUBLISHERS * EACH + 2 + 2 * ALERTS as usize + 2;
    Client::connect(address, "?after=0").await.up_to(most as u64).await;
    let events = server.judged();
    assert_eq!(events.len(), most);
    let count = |subject: &dyn Fn(&str) -> bool| {
        let of = events.iter().filter(|event| subject(event["subject"].as_str().unwrap()));
        let indexes: Vec<u64> = of.map(|event| event["index"].as_u64().unwrap()).collect();
        assert_eq!(indexes, (1..=indexes.len() as u64).collect::<Vec<_>>(), "gapless");
        indexes.len()
    };
    assert_eq!(count(&|subject| subject == "a"), PUBLISHERS * EACH + 2);
    let ids: BTreeSet<String> = events.iter().map(|event| event["data"]["origin"].to_string()).collect();
    assert_eq!(ids.len(), events.len(), "none twice");
    for (id, position, index) in placed {
        let event = events.iter().find(|event| event["data"]["origin"]["id"] == id).unwrap();
        assert_eq!(event["id"], position.to_string(), "{id} is where it was answered to be");
        assert_eq!(event["index"], index);
    }
    let told = |kind: &str| events.iter().filter(|event| event["data"]["action"] == kind).count();
    let alerts = ALERTS as usize;
    assert_eq!((told("alert_firing"), told("alert_resolved")), (alerts, alerts));
}
