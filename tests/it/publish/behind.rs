//! What the worker reads of the journal, and who waits for that: what others write into an incident makes nobody read all that was
//! stored since it began, and nobody waits while another incident is read.

use std::sync::atomic::Ordering;

use incident::journal::{Journal, Log as _};
use incident::server::Options;
use serde_json::Value;

use super::many::{restarted, stored};
use super::{action, places, publish, publish_parts, refusal, started};
use crate::harness::{Gated, Http, Local, ms, options, soon};
use crate::receivers::{SECRET, firing, group, setups};

/// Runs `doing` and returns how many events it made the server read.
async fn read_by(gated: &Gated, doing: impl Future<Output = ()>) -> u64 {
    let before = gated.events_read.load(Ordering::Relaxed);
    doing.await;
    gated.events_read.load(Ordering::Relaxed) - before
}

/// As agents work: an alert fires, the agent tells what it does about it, another alert fires, and so on.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_receiver_does_not_make_the_next_publish_read_the_incident_again() {
    let gated = Gated::new(0);
    let options = Options { receivers: Some(setups("")), publish_rate: 1_000_000, ..options() };
    let server = Local::over(options, Journal::from(std::sync::Arc::clone(&gated))).await;
    let deliver = |alerts: i64| {
        let alerts: Vec<Value> = (0..alerts).map(|n| firing("A", n)).collect();
        Http::new(server.address, "POST", "/hooks/alertmanager/prod")
            .header("Content-Type", "application/json")
            .bearer(SECRET)
            .body(&group(&alerts).to_string())
            .send()
    };
    let subject = deliver(1).await.json()["incidents"][0].as_str().unwrap().to_owned();
    stored(&gated, vec![started("long", "0")]).await;
    for part in (0..5_000).collect::<Vec<_>>().chunks(1_000) {
        stored(&gated, part.iter().map(|n| action("long", &format!("a{n}"), "works")).collect()).await;
    }
    places(&publish(server.address, &[action(&subject, "0", "looks")]).await);
    assert_eq!(deliver(2).await.status, 200);
    for alerts in 3..8 {
        let read = read_by(&gated, async {
            let own = publish(server.address, &[action(&subject, &alerts.to_string(), "looks")]).await;
            assert!(!places(&own)[0].2);
            assert_eq!(deliver(alerts).await.status, 200);
        });
        let read = read.await;
        assert!(read <= 100, "{read} events were read");
    }
    // What was read is what the journal has: the next index is known.
    let head = gated.extent().head;
    let mut expecting = action(&subject, "last", "knows");
    expecting["afterindex"] = (head - 5_001).into();
    assert_eq!(places(&publish(server.address, &[expecting]).await), [(head + 1, head - 5_000, false)]);
}

/// Who ends one incident does not make the publishers of others wait until theirs are read again.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_was_cancelled_does_not_make_others_be_read_again() {
    let (server, gated) = restarted(3, 5_000).await;
    let all = |round: usize| {
        (0..3)
            .map(move |n| action(&format!("open-{n}"), &format!("{round}-{n}"), "goes on"))
            .collect::<Vec<_>>()
    };
    places(&publish(server.address, &all(0)).await);
    let cancelled = Http::new(server.address, "DELETE", "/api/incidents/open-1").send().await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let read = read_by(&gated, async {
        let parts = publish_parts(server.address, &all(1)).await;
        assert_eq!(parts.status, 200, "{}", parts.body);
        let results = parts.json()["results"].as_array().unwrap().clone();
        let is_placed: Vec<bool> = results.iter().map(|result| result["position"].is_u64()).collect();
        assert_eq!(is_placed, [true, false, true], "{}", parts.body);
        places(&publish(server.address, &[action("open-0", "2", "goes on")]).await);
    });
    let read = read.await;
    assert!(read <= 100, "{read} events were read");
}

/// The journal has stored them and could not say so.
#[tokio::test(flavor = "multi_thread")]
async fn events_without_an_answer_are_read_from_where_they_were_sent() {
    let (server, gated) = restarted(2, 5_000).await;
    places(&publish(server.address, &[action("open-0", "0", "a"), action("open-1", "1", "a")]).await);
    let before = gated.extent().head;
    gated.unanswered.store(1, Ordering::Relaxed);
    let read = read_by(&gated, async {
        let lost = publish(server.address, &[action("open-0", "2", "b")]).await;
        assert_eq!((lost.status, refusal(&lost).0.as_str()), (503, "journal-paused"), "{}", lost.body);
        assert_eq!(gated.extent().head, before + 1, "it is stored");
        let mut next = action("open-0", "3", "c");
        next["afterindex"] = 3.into();
        assert_eq!(places(&publish(server.address, &[next]).await), [(before + 2, 4, false)]);
    });
    let read = read.await;
    assert!(read <= 100, "{read} events were read");
}

/// After a restart, or when the worker has forgotten it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_until_the_incident_of_another_publisher_is_read() {
    let (server, gated) = restarted(1, 5_000).await;
    let address = server.address;
    gated.readable.send_replace(false);
    let reads = *gated.reads.borrow();
    let first = tokio::spawn(async move { publish(address, &[action("long", "first", "goes on")]).await });
    let begun = gated.reads.subscribe().wait_for(|now| *now > reads).await.map(|reads| *reads);
    begun.unwrap();
    let other = async {
        assert_eq!(places(&publish(address, &[started("other", "1")]).await)[0].1, 1);
        places(&publish(address, &[action("other", "o2", "goes on")]).await);
    };
    tokio::time::timeout(ms(5_000), other).await.expect("it waits for what is read of another incident");
    assert!(!first.is_finished());
    // One more that waits for it.
    let second = tokio::spawn(async move { publish(address, &[action("open-0", "2", "goes on")]).await });
    gated.readable.send_replace(true);
    let (first, second) = soon("both", async { (first.await.unwrap(), second.await.unwrap()) }).await;
    assert_eq!(places(&first)[0].1, 5_002);
    assert_eq!(places(&second)[0].1, 2);
}
