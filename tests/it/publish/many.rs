//! Many incidents at once over a long journal, and what else writes into them: nobody waits for what others publish, and an
//! event is judged by what its incident has.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use incident::journal::{Append as _, Batch, Journal, Key, Log as _, Place, Record};
use incident::server::Options;
use serde_json::{Value, json};

use super::{action, event, places, publish, refusal, resolved, started};
use crate::harness::{Clocks, Gated, Http, Local, Numbers, Raw, options, soon};

/// What a publisher has told, as the journal has it after a restart.
pub async fn stored(gated: &Gated, events: Vec<Value>) {
    let record = |event: Value| Record {
        subject: event["subject"].as_str().unwrap().to_owned(),
        place: Place::Next(Key {
            source: "/agents/before".to_owned(),
            id: format!("{}-{}", event["subject"], event["id"]),
            digest: [1; 32],
        }),
        kind: incident::contract::MessageType::from_name(event["type"].as_str().unwrap()).unwrap(),
        data: {
            let mut data = event["data"].clone();
            data["synthetic"] = false.into();
            if event["type"] == "incident_started" {
                data["impact_started_at"] = event["time"].clone();
                data["observed_at"] = event["time"].clone();
            }
            serde_json::value::to_raw_value(&data).unwrap()
        },
        plan: None,
    };
    let records: Vec<Record> = events.into_iter().map(record).collect();
    gated.memory.append(Batch::from(records)).await.unwrap();
}

/// A server over a journal with `open` open incidents and `events` events behind their beginnings.
pub async fn restarted(open: usize, events: usize) -> (Local, Arc<Gated>) {
    let gated = Gated::new(0);
    stored(&gated, (0..open).map(|n| started(&format!("open-{n}"), "1")).collect()).await;
    stored(&gated, vec![started("long", "0")]).await;
    for part in (0..events).collect::<Vec<_>>().chunks(1_000) {
        stored(&gated, part.iter().map(|n| action("long", &format!("a{n}"), "works")).collect()).await;
    }
    let options = Options { publish_rate: 1_000_000, ..options() };
    let server = Local::over(options, Journal::from(Arc::clone(&gated))).await;
    (server, gated)
}

/// The first event of each incident after a restart read the whole journal since the incident began: all publishers waited.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_journal_is_read_once_for_all_open_incidents() {
    let (server, gated) = restarted(1_500, 5_000).await;
    let before = gated.events_read.load(Ordering::Relaxed);
    for part in (0..1_500).collect::<Vec<_>>().chunks(250) {
        let batch: Vec<Value> =
            part.iter().map(|n| action(&format!("open-{n}"), &format!("{n}-2"), "goes on")).collect();
        places(&publish(server.address, &batch).await);
    }
    for n in 0..20 {
        places(&publish(server.address, &[action(&format!("open-{n}"), &format!("{n}-3"), "goes on")]).await);
    }
    let read = gated.events_read.load(Ordering::Relaxed) - before;
    // Once, and what the hub reads of the new events.
    assert!(read <= 6_501 + 2 * 1_520, "{read} events were read");
}

/// An incident that has ended takes nothing more, whatever it had.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_ended_is_not_read_again() {
    let (server, gated) = restarted(1, 5_000).await;
    places(&publish(server.address, &[resolved("long", "end"), action("open-0", "2", "goes on")]).await);
    let before = gated.events_read.load(Ordering::Relaxed);
    for n in 0..20 {
        let late = publish(server.address, &[action("long", &format!("late-{n}"), "late")]).await;
        assert_eq!((late.status, refusal(&late).0.as_str()), (409, "incident-closed"));
        let again = publish(server.address, &[started("long", &format!("again-{n}"))]).await;
        assert_eq!((again.status, refusal(&again).0.as_str()), (409, "incident-closed"));
    }
    let read = gated.events_read.load(Ordering::Relaxed) - before;
    assert!(read <= 100, "{read} events were read for refusals");
}

/// What is remembered of an incident is bounded, however much its publisher claims.
#[tokio::test(flavor = "multi_thread")]
async fn the_hypotheses_of_an_incident_are_bounded() {
    let server = Local::with(
        Options { publish_rate: 1_000_000, ..options() },
        incident::journal::Retention::default(),
    )
    .await;
    places(&publish(server.address, &[started("a", "1")]).await);
    let claims = |from: usize, until: usize, word: &str| {
        let beliefs: Vec<Value> =
            (from..until).map(|n| json!({ "id": format!("h{n}"), "claim": word, "p": 0.0 })).collect();
        let data = json!({
            "agent": "diagnosis", "action": "looked", "status": "completed", "summary": "x", "hypotheses": beliefs,
        });
        event("a", &format!("{from}-{until}-{word}"), "agent_action", &data)
    };
    for from in (0..1_000).step_by(250) {
        places(&publish(server.address, &[claims(from, from + 250, "it is so")]).await);
    }
    let more = publish(server.address, &[claims(999, 1_001, "it is so")]).await;
    assert_eq!(more.status, 422, "{}", more.body);
    assert_eq!(refusal(&more).1, [("value".to_owned(), "/data/hypotheses".to_owned())]);
    places(&publish(server.address, &[claims(990, 1_000, "it is so")]).await);
    let other = publish(server.address, &[claims(0, 1, "it is otherwise")]).await;
    assert_eq!(refusal(&other).1, [("value".to_owned(), "/data/hypotheses/0/claim".to_owned())]);
}

/// `afterindex` promises that nothing came between, whoever wrote it.
#[tokio::test(flavor = "multi_thread")]
async fn an_expected_index_holds_against_an_event_of_a_receiver_that_is_on_its_way() {
    use crate::receivers::{SECRET, firing, group, setups};
    let gated = Gated::new(0);
    let options = Options { receivers: Some(setups("")), ..options() };
    let server = Local::over(options, Journal::from(Arc::clone(&gated))).await;
    let deliver = |alerts: &[Value]| {
        Http::new(server.address, "POST", "/hooks/alertmanager/prod")
            .header("Content-Type", "application/json")
            .bearer(SECRET)
            .body(&group(alerts).to_string())
    };
    let first = deliver(&[firing("A", 0)]).send().await.json();
    let subject = first["incidents"][0].as_str().unwrap().to_owned();
    places(&publish(server.address, &[action(&subject, "1", "looks")]).await);
    gated.writable.send_replace(false);
    let appends = *gated.appends.borrow();
    let delivery = tokio::spawn(deliver(&[firing("A", 0), firing("B", 1)]).send());
    gated.appends.subscribe().wait_for(|now| *now > appends).await.unwrap();
    let mut expecting = action(&subject, "2", "decides by what it knows");
    expecting["afterindex"] = 3.into();
    let address = server.address;
    let publishing = tokio::spawn(async move { publish(address, &[expecting]).await });
    // The publisher may be judged before or after; in no case may both be stored.
    tokio::time::sleep(crate::harness::ms(300)).await;
    gated.writable.send_replace(true);
    assert_eq!(delivery.await.unwrap().status, 200);
    let reply = publishing.await.unwrap();
    assert_eq!((reply.status, refusal(&reply).0.as_str()), (409, "index-moved"), "{}", reply.body);
    assert_eq!(gated.extent().head, 4);
}

/// While a commit lasts, the next requests are looked up, and the journal does not know yet what is being stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_what_is_being_stored_is_a_repeat() {
    let gated = Gated::new(0);
    let server = Local::over(options(), Journal::from(Arc::clone(&gated))).await;
    let address = server.address;
    let sent = [started("a", "1"), action("a", "2", "looks")];
    let send = |sent: Vec<Value>| tokio::spawn(async move { publish(address, &sent).await });
    gated.writable.send_replace(false);
    let first = send(sent.to_vec());
    gated.appends.subscribe().wait_for(|appends| *appends == 1).await.unwrap();
    let before = *gated.lookups.borrow();
    let again = send(sent.to_vec());
    gated.lookups.subscribe().wait_for(|lookups| *lookups > before).await.unwrap();
    gated.writable.send_replace(true);
    assert_eq!(places(&first.await.unwrap()), [(1, 1, false), (2, 2, false)]);
    assert_eq!(places(&again.await.unwrap()), [(1, 1, true), (2, 2, true)]);

    // Another event under the name of one that is being stored.
    gated.writable.send_replace(false);
    let (appends, before) = (*gated.appends.borrow(), *gated.lookups.borrow());
    let first = send(vec![action("a", "3", "looks")]);
    gated.appends.subscribe().wait_for(|now| *now > appends).await.unwrap();
    let other = send(vec![action("a", "3", "looks elsewhere")]);
    gated.lookups.subscribe().wait_for(|lookups| *lookups > before + 1).await.unwrap();
    gated.writable.send_replace(true);
    assert_eq!(places(&first.await.unwrap()), [(3, 3, false)]);
    let other = other.await.unwrap();
    assert_eq!((other.status, refusal(&other).0.as_str()), (409, "id-reused"), "{}", other.body);
    assert_eq!(gated.extent().head, 3);
}

/// Bodies that do not arrive are bounded together, and keep nobody out.
#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_that_do_not_arrive_are_bounded_and_small_ones_are_stored() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "1")]).await);
    let mut slow = Vec::new();
    for _ in 0..60 {
        let mut raw = Raw::connect(server.address).await;
        let head = format!(
            "POST /api/events HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-ndjson\r\n\
             Content-Length: 1048576\r\n\r\n",
            server.address
        );
        raw.send(head.as_bytes()).await;
        raw.try_send(&vec![b' '; 1_000_000]).await;
        slow.push(raw);
    }
    places(&publish(server.address, &[action("a", "2", "goes on")]).await);
    // 32 MiB for all of them: the others are refused at once, and these when their time is over.
    let mut refused = 0;
    for mut raw in slow {
        let answer = soon("an answer", raw.head()).await;
        if answer.starts_with("HTTP/1.1 503") {
            assert!(answer.to_lowercase().contains("retry-after: 1"), "{answer}");
            refused += 1;
        } else {
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        }
    }
    assert!((25..60).contains(&refused), "{refused}");
}

/// A machine without a battery begins in 1970. It refused everything as lying in the future, for good.
#[tokio::test]
async fn a_server_without_a_clock_believes_its_publishers() {
    use incident::contract::Message;
    use incident::journal::{Memory, ReadLimit, Retention};
    let clocks = Clocks::at("1970-01-01T00:01:00Z");
    let stream = incident::contract::StreamId::generate(1_700_000_000_000, 12);
    let journal = Journal::new(Memory::with_clocks(stream, Retention::default(), clocks.source()));
    let server = Local::over(options(), journal.clone()).await;
    let at = |mut event: Value, time: &str| {
        event["time"] = time.into();
        event
    };
    places(&publish(server.address, &[at(started("a", "1"), "2026-11-26T12:00:00Z")]).await);
    clocks.step(jiff::SignedDuration::from_hours(24 * 365 * 60));
    places(&publish(server.address, &[at(resolved("a", "2"), "2026-11-26T12:01:00Z")]).await);
    let end = journal.read(1, ReadLimit::ALL).await.unwrap().remove(0);
    let Ok(Message::IncidentResolved(end)) = end.message() else { panic!("{end:?}") };
    assert!((end.durations.resolve_s - 60.0).abs() < 0.5, "{:?}", end.durations);
}

/// An incident that its publisher has forgotten holds what follows it in the journal: the metrics show it.
#[tokio::test]
async fn an_incident_that_nobody_ends_is_counted() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "1"), started("b", "2")]).await);
    Numbers::of(server.address).await.are(&[("incident_incidents_open", 2)]);
    places(&publish(server.address, &[resolved("a", "3")]).await);
    Numbers::until(server.address, "incident_incidents_open", 1.0).await;
}

/// What retention has dropped is not stored again, nor is its id free.
#[tokio::test]
async fn a_repeat_of_what_retention_dropped_is_no_new_incident() {
    let retention = incident::journal::Retention { events: 10, age: None };
    let server = Local::in_a_file(options(), retention).await;
    let first = [started("a", "1"), action("a", "2", "looks"), resolved("a", "3")];
    places(&publish(server.address, &first).await);
    for n in 0..10 {
        let rest =
            [started(&format!("b{n}"), &format!("s{n}")), resolved(&format!("b{n}"), &format!("e{n}"))];
        places(&publish(server.address, &rest).await);
    }
    let head = server.journal_head();
    let again = publish(server.address, &first).await;
    assert_eq!((again.status, refusal(&again).0.as_str()), (409, "incident-closed"), "{}", again.body);
    assert_eq!(server.journal_head(), head);
}
