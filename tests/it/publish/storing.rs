//! What is published is stored once, in order, and as durable as everything else.

use std::collections::BTreeSet;

use incident::journal::{ReadLimit, Retention};
use serde_json::{Value, json};

use super::{action, event, places, post, publish, resolved, started};
use crate::harness::{Http, Local, Scratch, Serving, incident, options};

#[tokio::test]
async fn events_get_position_and_index_and_say_where_they_come_from() {
    let server = Local::start().await;
    let batch = [
        started("checkout-1", "1"),
        action("checkout-1", "2", "Looks at the logs"),
        resolved("checkout-1", "3"),
    ];
    let reply = publish(server.address, &batch).await;
    assert_eq!(places(&reply), [(1, 1, false), (2, 2, false), (3, 3, false)]);
    assert_eq!((&reply.json()["accepted"], &reply.json()["duplicates"]), (&json!(3), &json!(0)));
    let again = publish(server.address, &batch).await;
    assert_eq!(places(&again), [(1, 1, true), (2, 2, true), (3, 3, true)], "repeats, after the end too");
    let stored = server.journal.read(0, ReadLimit::ALL).await.unwrap();
    assert_eq!(stored.len(), 3);
    let end: Value = serde_json::from_str(stored[2].data.get()).unwrap();
    assert_eq!(end["synthetic"], false);
    assert_eq!(end["origin"], json!({ "source": "/agents/diagnosis", "id": "3" }));
    assert_eq!(end["actions"], json!({ "total": 1, "failed": 0 }));
    assert!(end["durations"]["resolve_s"].is_number() && end["observed_at"].is_string(), "{end}");
}

#[tokio::test]
async fn one_event_a_batch_and_lines_are_read_alike() {
    let server = Local::start().await;
    let one =
        post(server.address, "application/cloudevents+json; charset=utf-8", &started("a", "1").to_string());
    assert_eq!(places(&one.send().await), [(1, 1, false)]);
    let lines = format!("{}\n\n{}\r\n", action("a", "2", "two"), action("a", "3", "three"));
    let lines = post(server.address, "application/x-ndjson", &lines).send().await;
    assert_eq!(places(&lines), [(2, 2, false), (3, 3, false)]);
    assert_eq!(places(&publish(server.address, &[action("a", "4", "four")]).await), [(4, 4, false)]);
}

/// As Python, JavaScript and Go print them: the shortest text that is read as the same number.
#[tokio::test]
async fn decimals_are_stored_as_the_numbers_that_were_sent() {
    let server = Local::start().await;
    let told = ["2.2322111021323866e-05", "0.49649365599282835", "125.68332230972723", "1e23", "5e-324"];
    let numbers = told.map(|text| text.parse::<f64>().unwrap().to_bits());
    let metrics: Vec<_> = told.iter().enumerate().map(|(at, text)| format!("\"m{at}\":{text}")).collect();
    let sample = event("a", "2", "system_metrics", &json!({})).to_string();
    let data = format!("\"data\":{{\"metrics\":{{{}}}}}", metrics.join(","));
    let sample = sample.replace("\"data\":{}", &data);
    assert!(sample.contains(&data), "{sample}");
    publish(server.address, &[started("a", "1")]).await;
    let one = post(server.address, "application/cloudevents+json", &sample);
    assert_eq!(places(&one.send().await), [(2, 2, false)]);
    let stored = server.journal.read(1, ReadLimit::ALL).await.unwrap();
    let stored: Value = serde_json::from_str(stored[0].data.get()).unwrap();
    let read = std::array::from_fn(|at| stored["metrics"][format!("m{at}")].as_f64().unwrap().to_bits());
    assert_eq!(read, numbers);
}

/// The members of the data may come in another order, and the time in another form.
#[tokio::test]
async fn a_repeat_is_told_by_its_content() {
    let server = Local::start().await;
    let mut first = started("a", "1");
    first["time"] = "2026-01-02T03:04:05Z".into();
    let text = first.to_string();
    let one = |text: &str| post(server.address, "application/cloudevents+json", text).send();
    assert_eq!(places(&one(&text).await), [(1, 1, false)]);
    let other = text.replace("2026-01-02T03:04:05Z", "2026-01-02T04:04:05.000+01:00");
    assert_ne!(other, text);
    assert_eq!(places(&one(&other).await), [(1, 1, true)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_of_one_incident_leave_no_gap_and_repeats_store_nothing_twice() {
    const PUBLISHERS: usize = 64;
    const EACH: usize = 10;
    let server = Local::in_a_file(
        incident::server::Options { publish_rate: 100_000, ..options() },
        Retention::default(),
    )
    .await;
    publish(server.address, &[started("a", "start")]).await;
    let address = server.address;
    let publishers = (0..PUBLISHERS).map(|publisher| {
        tokio::spawn(async move {
            let mut seen = Vec::new();
            for number in 0..EACH {
                let event = action("a", &format!("{publisher}-{number}"), "works");
                let place = places(&publish(address, std::slice::from_ref(&event)).await)[0];
                // Every fifth is sent twice.
                if number % 5 == 0 {
                    let again = places(&publish(address, &[event]).await)[0];
                    assert_eq!((again.0, again.1, again.2), (place.0, place.1, true));
                }
                seen.push(place.1);
            }
            assert!(seen.is_sorted(), "{seen:?}");
            seen
        })
    });
    let mut indexes = BTreeSet::from([1]);
    for publisher in publishers.collect::<Vec<_>>() {
        indexes.extend(publisher.await.unwrap());
    }
    let most = (PUBLISHERS * EACH + 1) as u64;
    assert_eq!(indexes, (1..=most).collect());
    assert_eq!(server.journal_head(), most);
}

/// The publisher does not know whether its event was stored: it sends it again.
#[tokio::test]
async fn an_event_that_was_stored_before_a_kill_keeps_its_position() {
    let folder = Scratch::new();
    let journal = folder.path().join("journal.db").display().to_string();
    let mut server = Serving::with(&["--journal", &journal]);
    let port = server.address().port().to_string();
    let again = ["serve", "--port", &port, "--journal", &journal, "--json", "--quiet"];
    let mut place = places(&publish(server.address(), &[started("a", "0")]).await)[0];
    for round in 1..=5_u64 {
        let event = action("a", &round.to_string(), "works");
        place = places(&publish(server.address(), std::slice::from_ref(&event)).await)[0];
        assert_eq!((place.1, place.2), (round + 1, false));
        server.signal("KILL");
        drop(server);
        server = Serving::again(&again);
        let repeat = places(&publish(server.address(), &[event]).await)[0];
        assert_eq!(repeat, (place.0, place.1, true), "the open incident is known after a restart");
    }
    let end = places(&publish(server.address(), &[resolved("a", "end")]).await)[0];
    assert_eq!((end.0, end.1), (place.0 + 1, place.1 + 1));
    let state = Http::new(server.address(), "GET", "/api/incidents/a").send().await.json();
    assert_eq!((&state["state"], &state["synthetic"]), (&json!("resolved"), &json!(false)), "{state}");
}

/// What was published keeps every rule of the contract.
#[tokio::test]
async fn the_validator_passes_a_real_incident() {
    let server = Serving::with(&[]);
    let step = |id: &str, marks: &[&str], p: f64| {
        event(
            "pay-1",
            id,
            "agent_action",
            &json!({
                "agent": "diagnosis", "action": "concluded", "status": "completed", "summary": "Pool exhausted",
                "marks": marks, "confidence": p,
                "hypotheses": [{ "id": "pool", "claim": "The pool is exhausted", "p": p }],
            }),
        )
    };
    let sample = |id: &str, total: f64| {
        event(
            "pay-1",
            id,
            "system_metrics",
            &json!({
                "metrics": { "errors": 0.4 }, "users_affected": 120,
                "cost": { "currency": "USD", "total": total, "per_minute": 10 },
            }),
        )
    };
    let events = [
        started("pay-1", "1"),
        step("2", &["detected"], 0.4),
        sample("3", 10.0),
        step("4", &["diagnosed"], 0.9),
        sample("5", 25.0),
        step("6", &["mitigated"], 0.9),
        resolved("pay-1", "7"),
    ];
    assert_eq!(places(&publish(server.address(), &events).await).len(), 7);
    let recording = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run();
    assert_eq!(recording.status, Some(0), "{recording:?}");
    let folder = Scratch::new();
    let file = folder.path().join("real.ndjson");
    std::fs::write(&file, &recording.stdout).unwrap();
    let judged = incident(&["validate", file.to_str().unwrap()]).run();
    assert_eq!(judged.status, Some(0), "{} {}", judged.stdout, judged.stderr);
}
