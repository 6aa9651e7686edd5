//! A stream that is deleted and made again, is restored older, or has a message of another program; and answers that are lost. Servers
//! that run pause, start anew by themselves where that helps, and tell their clients `reset`, never "lost 0".

use incident::journal::{Record, Retention, open};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::backup::Backup;
use super::oracle::Watched;
use crate::harness::mute::Mute;
use crate::harness::started as a_start;
use crate::harness::trio::{STREAM, THREE, Trio};
use crate::harness::{Client, Serving, incident, metrics, ms, soon};
use crate::publish::{publish, started};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_stream_that_is_deleted_and_made_again_is_told_as_another_one() {
    let trio = Trio::near().await;
    let watched = Watched::without_publishers(&trio);
    watched.drill(60).await;
    tokio::time::sleep(ms(2_000)).await;
    let old = watched.stream();
    assert!(!old.is_empty());
    let config = trio.answers(&format!("STREAM.INFO.{STREAM}"), Value::Null).await["config"].clone();
    trio.answers(&format!("STREAM.DELETE.{STREAM}"), Value::Null).await;
    watched.pauses().await;
    for number in 0..3 {
        let why = watched.paused(number).unwrap();
        assert!(why.contains("is gone") || why.contains("confirm nothing"), "{why}");
    }
    watched.allow_resets();
    // As an operator restores it: the same configuration, and older content, which is none here.
    watched.turn_over();
    trio.answers(&format!("STREAM.CREATE.{STREAM}"), config).await;
    watched.reset_from(&old).await;
    watched.turn_over();
    watched.drill(30).await;
    watched.end().await;
    let info = trio.answers(&format!("STREAM.INFO.{STREAM}"), json!(null)).await;
    assert_ne!(info["config"]["metadata"]["incident.stream"], json!(old));
}

/// From a back-up, as an operator restores it: the events after it are gone, and what goes on under the old name would be a lie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_stream_that_is_restored_older_is_told_as_another_one() {
    let trio = Trio::near().await;
    let watched = Watched::without_publishers(&trio);
    watched.drill(12).await;
    watched.has(10).await;
    let backup = Backup::of(&trio.client().await.unwrap(), STREAM).await;
    watched.has(backup.head() + 10).await;
    let old = watched.stream();
    watched.fault_of_nats("the stream is deleted and restored");
    trio.answers(&format!("STREAM.DELETE.{STREAM}"), Value::Null).await;
    watched.pauses().await;
    watched.allow_resets();
    backup.restore(&trio.client().await.unwrap(), STREAM).await;
    watched.reset_from(&old).await;
    watched.forget(&old);
    // The drill goes on where the back-up ends.
    let new = watched.end().await;
    let info = trio.answers(&format!("STREAM.INFO.{STREAM}"), Value::Null).await;
    assert_eq!(info["config"]["metadata"]["incident.stream"], json!(new));
    assert_ne!(new, old);
}

/// A message of another program has a position, and no server gives it to a client, or anything behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_message_of_another_program_pauses_all_servers_until_its_stream_is_saved() {
    let mut trio = Trio::near().await;
    let watched = Watched::over(&trio);
    watched.drill(400).await;
    watched.writes(20).await;
    watched.has_ended().await;
    let client = trio.client().await.unwrap();
    let answer = client.request(format!("incident.{STREAM}.ev.x"), "{}".into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    let strange = answer["seq"].as_u64().expect("it is stored");
    watched.pauses().await;
    for number in 0..THREE {
        let why = watched.paused(number).unwrap();
        assert!(why.contains(&format!("event {strange} is damaged")), "{why}");
        let address = trio.hub(number).address();
        assert_eq!(publish(address, &[started("new", "1")]).await.status, 503);
        let mut client = Client::connect(address, "?after=0").await;
        assert_eq!(
            client.up_to(strange - 1).await.len() as u64,
            strange - 1,
            "what is before it can be read"
        );
    }
    assert_eq!(watched.stop(), strange - 1);

    for number in 0..THREE {
        trio.kill_hub(number);
    }
    let location = trio.location().to_owned();
    let refused = incident(&["serve", "--port", "0", "--journal", &location]).run();
    assert_eq!(refused.status, Some(3), "{refused:?}");
    assert!(refused.stderr.contains(&format!("event {strange}")), "{refused:?}");
    let saved = location.replace(&format!("stream={STREAM}"), "stream=saved").replace("&create=1", "");
    let ran = incident(&["check-journal", &location, "--salvage", &saved]).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let server = Serving::with(&["--journal", &saved]);
    let events = Client::connect(server.address(), "?after=0").await.up_to(strange - 1).await;
    assert_eq!(events.len() as u64, strange - 1);
    assert_eq!(publish(server.address(), &[started("new", "1")]).await.status, 200);
}

/// The start of an incident that is no drill.
fn real(subject: &str) -> Record {
    let start = a_start(subject);
    let data = start.data.get().replace(r#""synthetic":true"#, r#""synthetic":false"#);
    Record { data: RawValue::from_string(data).unwrap(), ..start }
}

/// Batches are stored, and what the servers answer is lost with the connection: each batch is there once, and its caller is told
/// where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn answers_that_are_lost_store_nothing_twice() {
    let trio = Trio::near().await;
    let watched = Watched::without_publishers(&trio);
    watched.drill(400).await;
    watched.has_ended().await;
    let leader = trio.leader().await;
    let proxy = Mute::before(trio.nats[leader].address.port()).await;
    let through = format!("nats://{}?stream={STREAM}&durability=always", proxy.address);
    let opened = tokio::task::spawn_blocking(move || open(through.as_ref(), Retention::default()));
    let log = opened.await.unwrap().unwrap().journal;
    log.append(vec![real("lost")]).await.unwrap();
    for round in 0..5 {
        let first = 2 + round * 3;
        let batch = move || (first..first + 3).map(|index| metrics("lost", index)).collect::<Vec<_>>();
        proxy.swallow_appends();
        let appending = tokio::spawn({
            let log = log.clone();
            async move { log.append(batch()).await }
        });
        watched.told("lost", first + 2).await;
        proxy.recover();
        let appended = match soon("an answer", appending).await.unwrap() {
            Ok(appended) => appended,
            Err(error) => {
                assert!(error.is_temporary(), "{error}");
                // As every caller does.
                soon("the connection", async {
                    loop {
                        match log.append(batch()).await {
                            Ok(appended) => return appended,
                            Err(error) => assert!(error.is_temporary(), "{error}"),
                        }
                        tokio::time::sleep(ms(100)).await;
                    }
                })
                .await
            }
        };
        for (appended, index) in appended.iter().zip(first..) {
            watched.acknowledged("lost", index, appended.position);
        }
    }
    watched.end().await;
}
