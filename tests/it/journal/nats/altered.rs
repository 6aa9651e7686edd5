//! What is done to a stream from outside: another program publishes into it, an operator deletes it, restores it or changes its
//! configuration.

use std::path::Path;

use incident::journal::{Journal, JournalError, Nats, OpenError, ReadLimit, TroubleKind};
use serde_json::{Value, json};

use super::super::{ALL, append, positions};
use super::{ask, client, has_read, open, two};
use crate::harness::nats::{NatsServer, at};
use crate::harness::{action, metrics, ms, soon, started, story};

/// A message that no server of ours has written takes a position: nothing after it can be given to clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_message_of_another_program_stops_the_journal() {
    let (a, b, name) = two();
    append(&a, story("a", 3)).await;
    has_read(&b, 3).await;
    let answer = client().await.request(format!("incident.{name}.ev.a"), "{}".into()).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.payload).contains(r#""seq":4"#), "{answer:?}");
    for log in [&a, &b] {
        soon("the trouble", log.health().wait_for(Option::is_some)).await.unwrap();
        let refused = log.append(vec![started("b")]).await;
        assert!(matches!(refused, Err(JournalError::Damaged { position: 4, .. })), "{refused:?}");
        assert_eq!(log.extent().head, 3);
        assert_eq!(positions(log, 0, 10).await, [1, 2, 3], "what was before is read");
    }
    let opened = Nats::open(&NatsServer::shared().location(&name), ALL);
    let Err(OpenError::Unusable { source, .. }) = opened else { panic!("it was opened") };
    assert!(source.to_string().contains("event 4"), "{source}");
}

/// Damage is the last word on a stream, but not if the stream is deleted and made anew: that one is sound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_damaged_stream_that_is_made_anew_is_another_one() {
    let (a, b, name) = two();
    append(&a, story("a", 3)).await;
    has_read(&b, 3).await;
    client().await.request(format!("incident.{name}.ev.a"), "{}".into()).await.unwrap();
    for log in [&a, &b] {
        soon("the trouble", log.health().wait_for(Option::is_some)).await.unwrap();
        let asked = log.catch_up().await;
        assert!(
            matches!(&asked, Err(error) if error.is_temporary()),
            "nobody knows what is behind it: {asked:?}"
        );
    }
    ask(&format!("STREAM.DELETE.{name}"), Value::Null).await;
    let again = open(&NatsServer::shared().location(&name), ALL);
    assert_ne!(again.stream(), a.stream());
    for log in [&a, &b] {
        let is_replaced = |health: &Option<incident::journal::Trouble>| {
            health.as_ref().is_some_and(|trouble| trouble.kind() == TroubleKind::Replaced)
        };
        soon("the other stream", log.health().wait_for(is_replaced)).await.unwrap();
    }
    assert_eq!(append(&again, vec![started("b")]).await, [1]);
}

/// Valid headers do not help it: the chain is that of another event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn an_event_that_is_published_again_breaks_the_chain() {
    let (a, _b, name) = two();
    append(&a, vec![started("a"), metrics("a", 2)]).await;
    let which = json!({ "seq": 2 }).to_string();
    let client = client().await;
    let copy = client.request(format!("$JS.API.DIRECT.GET.{name}"), which.into()).await.unwrap();
    let mut headers = async_nats::HeaderMap::new();
    for (name, values) in copy.headers.unwrap().iter() {
        // What the server was asked to expect is not asked again.
        let is_asked =
            ["Nats-Batch", "Nats-Expected"].iter().any(|asked| name.to_string().starts_with(asked));
        if !is_asked {
            headers.insert(name.clone(), values[0].clone());
        }
    }
    headers.insert("I-Index", "3");
    let stored =
        client.request_with_headers(format!("incident.{name}.ev.a"), headers, copy.payload).await.unwrap();
    assert!(String::from_utf8_lossy(&stored.payload).contains(r#""seq":3"#), "{stored:?}");
    soon("the trouble", a.health().wait_for(Option::is_some)).await.unwrap();
    let refused = a.append(vec![metrics("a", 3)]).await;
    assert!(
        matches!(&refused, Err(JournalError::Damaged { position: 3, what }) if what.contains("chain")),
        "{refused:?}"
    );
}

/// Deletes a stream and makes it again with the same configuration, as a restore does.
async fn remake(name: &str) {
    let config = ask(&format!("STREAM.INFO.{name}"), Value::Null).await["config"].clone();
    remake_as(name, config).await;
}

async fn remake_as(name: &str, config: Value) {
    ask(&format!("STREAM.DELETE.{name}"), Value::Null).await;
    let made = ask(&format!("STREAM.CREATE.{name}"), config).await;
    assert!(made["error"].is_null(), "{made}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_stream_that_has_lost_events_goes_on_under_another_name() {
    let (a, b, name) = two();
    let old = a.stream().clone();
    append(&a, story("a", 5)).await;
    // What the holder of the lease has read is known to the next start.
    let lease = a.lease().await.unwrap();
    has_read(&b, 5).await;
    remake(&name).await;
    let refused = b.append(vec![started("b")]).await;
    assert!(matches!(&refused, Err(JournalError::Unavailable(_))), "never taken for stored: {refused:?}");
    let again = open(&NatsServer::shared().location(&name), ALL);
    assert_ne!(again.stream(), &old, "a position in the old one is no position in this one");
    assert_eq!(again.extent().head, 0);
    assert_eq!(append(&again, vec![started("c")]).await, [1]);
    // The servers that have told the old history say so, and append nothing more.
    for log in [&a, &b] {
        soon(
            "the trouble",
            log.health().wait_for(|health| {
                health.as_ref().is_some_and(|trouble| trouble.kind() == TroubleKind::Replaced)
            }),
        )
        .await
        .unwrap();
        let refused = log.append(vec![started("d")]).await;
        assert!(matches!(&refused, Err(JournalError::Unavailable(_))), "{refused:?}");
        assert_eq!(log.stream(), &old);
    }
    // Who can append nothing does not keep the lease.
    assert!(lease.is_lost());
    soon("the lease", again.lease()).await.unwrap();
}

/// A stream was restored older, and another server has gone on with it: what this one has told is not what the stream has, and
/// it says so although nothing is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_server_does_not_give_another_history_under_an_old_name() {
    let (a, _b, name) = two();
    // More than is kept in memory.
    let long = |subject: &str| {
        let more = (2..=100).map(|index| action(subject, index, &"x".repeat(50_000)));
        std::iter::once(started(subject)).chain(more).collect::<Vec<_>>()
    };
    for records in long("a").chunks(10) {
        append(&a, records.to_vec()).await;
    }
    remake(&name).await;
    let other = open(&NatsServer::shared().location(&name), ALL);
    for records in long("b").chunks(10) {
        append(&other, records.to_vec()).await;
    }
    soon("the trouble", a.health().wait_for(Option::is_some)).await.unwrap();
    let read = a.read(0, ReadLimit::events(1)).await;
    assert!(matches!(&read, Err(JournalError::Unavailable(_))), "{read:?}");
    assert_eq!(positions(&a, 98, 10).await, [99, 100], "what is in memory is what was told");
    let again = open(&NatsServer::shared().location(&name), ALL);
    assert_ne!(again.stream(), a.stream());
}

/// The stream was restored older, and another server has appended as many events as this one has read: the nats-server would
/// take what this one appends, because it compares positions only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn nothing_is_appended_behind_another_history_of_the_same_length() {
    for is_waiting in [false, true] {
        let (a, _b, name) = two();
        append(&a, story("a", 6)[..5].to_vec()).await;
        let config = ask(&format!("STREAM.INFO.{name}"), Value::Null).await["config"].clone();
        let appending = async |log: Journal| log.append(vec![metrics("a", 6)]).await;
        let mut early = None;
        if is_waiting {
            // It is refused at first, and repeated.
            let mut full = config.clone();
            full["max_bytes"] = json!(1);
            ask(&format!("STREAM.UPDATE.{name}"), full).await;
            early = Some(tokio::spawn(appending(a.clone())));
            soon("the first attempt", async {
                while a.cluster().unwrap().unknown == 0 {
                    tokio::time::sleep(ms(5)).await;
                }
            })
            .await;
        }
        remake_as(&name, config).await;
        let other = open(&NatsServer::shared().location(&name), ALL);
        assert_eq!(other.stream(), a.stream(), "nothing has told it that there were more");
        for record in story("b", 5) {
            append(&other, vec![record]).await;
        }
        // What was stored a moment ago is believed to be there: no stream is restored so soon.
        tokio::time::sleep(ms(300)).await;
        let refused = match early {
            Some(early) => early.await.unwrap(),
            None => appending(a.clone()).await,
        };
        assert!(matches!(&refused, Err(JournalError::Unavailable(_))), "{refused:?}");
        soon("the trouble", a.health().wait_for(Option::is_some)).await.unwrap();
        let again = open(&NatsServer::shared().location(&name), ALL);
        assert_eq!(positions(&again, 0, 10).await, [1, 2, 3, 4, 5]);
        assert_eq!(append(&again, vec![started("c")]).await, [6], "the other history goes on");
        assert_eq!(positions(&again, 0, 10).await, [1, 2, 3, 4, 5, 6]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_stream_that_is_deleted_is_not_made_again_under_a_server() {
    let (a, _b, name) = two();
    append(&a, vec![started("a")]).await;
    let _lease = a.lease().await.unwrap();
    ask(&format!("STREAM.DELETE.{name}"), Value::Null).await;
    let refused = a.append(vec![metrics("a", 2)]).await;
    assert!(matches!(&refused, Err(JournalError::Unavailable(_))), "{refused:?}");
    assert!(a.health().borrow().is_some());
    let info = ask(&format!("STREAM.INFO.{name}"), Value::Null).await;
    assert_eq!(info["error"]["err_code"], 10_059, "{info}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_stream_that_could_lose_events_is_refused_by_name() {
    let server = NatsServer::shared();
    let name = NatsServer::fresh_name();
    let without = at(server.port, &name).to_string_lossy().replace("&create=1", "");
    let why = |opened: Result<Nats, OpenError>| match opened {
        Err(OpenError::Unusable { source, .. }) => source.to_string(),
        other => panic!("{other:?}"),
    };
    let missing = why(Nats::open(Path::new(&without), ALL));
    assert!(missing.contains("create=1"), "{missing}");
    drop(open(&server.location(&name), ALL));
    let mut config = ask(&format!("STREAM.INFO.{name}"), Value::Null).await["config"].clone();
    config["max_age"] = json!(3_600_000_000_000_u64);
    let updated = ask(&format!("STREAM.UPDATE.{name}"), config).await;
    assert!(updated["error"].is_null(), "{updated}");
    let refused = why(Nats::open(&server.location(&name), ALL));
    assert!(refused.contains("max_age"), "{refused}");
    let strange = NatsServer::fresh_name();
    let config = json!({ "name": strange, "subjects": [format!("incident.{strange}.ev.*")] });
    ask(&format!("STREAM.CREATE.{strange}"), config).await;
    let refused = why(Nats::open(&server.location(&strange), ALL));
    assert!(refused.contains("allow_direct") || refused.contains("discard"), "{refused}");
    let nowhere = why(Nats::open(&at(1, "x"), ALL));
    assert!(nowhere.contains("no NATS server can be reached"), "{nowhere}");
}

/// The second stream is lost: its revisions begin anew, and the lease goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_lease_is_granted_again_if_its_stream_was_remade() {
    let (a, b, name) = two();
    let first = a.lease().await.unwrap();
    for round in 0..20 {
        append(&a, vec![started(&format!("{round}"))]).await;
    }
    let waiting = tokio::spawn({
        let b = b.clone();
        async move { b.lease().await.unwrap() }
    });
    soon("a renewal", async {
        // More revisions than the new stream has for a while.
        let which = json!({ "last_by_subj": format!("incident.{name}.ctl.lease") });
        let get = format!("STREAM.MSG.GET.{name}_ctl");
        while ask(&get, which.clone()).await["message"]["seq"].as_u64() < Some(4) {
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
    remake(&format!("{name}_ctl")).await;
    soon("the end of the lease", first.lost()).await;
    let again = tokio::spawn({
        let a = a.clone();
        async move { a.lease().await.unwrap() }
    });
    let lease = soon("a lease", async {
        tokio::select! {
            lease = waiting => lease.unwrap(),
            lease = again => lease.unwrap(),
        }
    })
    .await;
    assert!(lease.term() > first.term());
}

/// The stream has a limit of bytes: the journal is paused, without a break, until there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_full_stream_pauses_the_journal_until_there_is_room() {
    let (a, _b, name) = two();
    append(&a, vec![started("a")]).await;
    let _lease = a.lease().await.unwrap();
    let limit = async |bytes: u64| {
        let mut config = ask(&format!("STREAM.INFO.{name}"), Value::Null).await["config"].clone();
        config["max_bytes"] = json!(bytes);
        let updated = ask(&format!("STREAM.UPDATE.{name}"), config).await;
        assert!(updated["error"].is_null(), "{updated}");
    };
    limit(20_000).await;
    let mut index = 2;
    while a.append(action("a", index, &"x".repeat(5_000))).await.is_ok() {
        index += 1;
    }
    let mut health = a.health();
    assert!(health.borrow().as_ref().is_some_and(|why| why.to_string().contains("full")));
    let trying = tokio::spawn({
        let a = a.clone();
        async move {
            while a.append(action("a", index, &"x".repeat(5_000))).await.is_err() {
                tokio::time::sleep(ms(300)).await;
            }
        }
    });
    // As long as several renewals of the lease take.
    let is_full = tokio::time::timeout(ms(4_500), health.wait_for(Option::is_none)).await.is_err();
    assert!(is_full, "all the time");
    limit(1_000_000).await;
    soon("room", trying).await.unwrap();
    soon("the journal", health.wait_for(Option::is_none)).await.unwrap();
}
