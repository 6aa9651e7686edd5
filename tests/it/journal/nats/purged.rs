//! Events that go though retention has not dropped them, and a lease that another program has written.

use incident::journal::{Journal, JournalError, Nats, Stop, Trouble, TroubleKind, audit, salvage};
use serde_json::{Value, json};

use super::super::{ALL, TEN, append, positions, reaches};
use super::{ask, client, has_read, open, two};
use crate::harness::nats::NatsServer;
use crate::harness::{Scratch, metrics, ms, soon, started, story};

/// The newest message of a subject in the second stream.
async fn newest(name: &str, subject: &str) -> Value {
    let which = json!({ "last_by_subj": format!("incident.{name}.ctl.{subject}") }).to_string();
    let got = client().await.request(format!("$JS.API.DIRECT.GET.{name}_ctl"), which.into()).await.unwrap();
    serde_json::from_slice(&got.payload).unwrap_or_default()
}

/// Waits until it is written down how far retention has gone.
async fn kept(name: &str, from: u64) {
    soon("what is kept", async {
        while newest(name, "kept").await["from"].as_u64() < Some(from) {
            tokio::time::sleep(ms(20)).await;
        }
    })
    .await;
}

async fn purge(name: &str, which: Value) {
    let purged = ask(&format!("STREAM.PURGE.{name}"), which).await;
    assert_eq!(purged["success"], true, "{purged}");
}

/// Changes the stream's configuration, and returns what it was.
async fn configure(name: &str, changes: &[(&str, Value)]) -> Value {
    let before = ask(&format!("STREAM.INFO.{name}"), Value::Null).await["config"].clone();
    let mut config = before.clone();
    for (key, value) in changes {
        config[*key] = value.clone();
    }
    let updated = ask(&format!("STREAM.UPDATE.{name}"), config).await;
    assert!(updated["error"].is_null(), "{updated}");
    before
}

/// The server says that it starts anew.
async fn is_replaced(log: &Journal) {
    let mut health = log.health();
    let replaced = health
        .wait_for(|health| health.as_ref().is_some_and(|trouble| trouble.kind() == TroubleKind::Replaced));
    soon("the trouble", replaced).await.unwrap();
    assert!(log.append(vec![started("later")]).await.is_err());
}

async fn is_told(how: &str, change: impl AsyncFnOnce(&str)) {
    let (a, b, name) = two();
    let _lease = a.lease().await.unwrap();
    append(&a, [story("over", 20), vec![started("open"), metrics("open", 2)]].concat()).await;
    has_read(&b, 22).await;
    kept(&name, 1).await;
    let config = ask(&format!("STREAM.INFO.{name}"), Value::Null).await["config"].clone();
    change(&name).await;
    for log in [&a, &b] {
        is_replaced(log).await;
    }
    let old = a.stream().clone();
    let mut now = ask(&format!("STREAM.INFO.{name}"), Value::Null).await["config"].clone();
    for key in ["max_msgs", "max_age", "max_bytes", "discard"] {
        now[key] = config[key].clone();
    }
    let updated = ask(&format!("STREAM.UPDATE.{name}"), now).await;
    assert!(updated["error"].is_null(), "{updated}");
    let again = open(&NatsServer::shared().location(&name), ALL);
    assert_ne!(again.stream(), &old, "{how}: clients of the old one get a reset");
    assert_eq!(append(&again, vec![started("new")]).await, [23], "{how}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_purge_of_some_events_under_running_servers_is_told() {
    is_told("three are kept", async |name| purge(name, json!({ "keep": 3 })).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_purge_of_all_events_under_running_servers_is_told() {
    is_told("nothing is kept", async |name| purge(name, Value::Null).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn events_that_a_limit_drops_under_running_servers_are_told() {
    is_told("max_msgs", async |name| {
        drop(configure(name, &[("max_msgs", json!(5)), ("discard", json!("old"))]).await);
    })
    .await;
    is_told("max_age", async |name| drop(configure(name, &[("max_age", json!(200_000_000))]).await)).await;
}

/// While no server runs: the next one gives the stream another name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_purge_while_no_server_runs_is_told_by_the_next_one() {
    let (a, b, name) = two();
    append(&a, story("a", 20)).await;
    kept(&name, 1).await;
    let old = a.stream().clone();
    drop((a, b));
    purge(&name, json!({ "keep": 3 })).await;
    let again = open(&NatsServer::shared().location(&name), ALL);
    assert_ne!(again.stream(), &old);
    assert_eq!(again.extent().oldest, 18);
}

/// An operator purges the newest incident by its subject: the stream begins and ends where it did, and nobody can append behind a hole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn the_newest_events_that_were_deleted_are_named() {
    let (a, b, name) = two();
    let lease = a.lease().await.unwrap();
    append(&a, [story("over", 20), vec![started("open"), metrics("open", 2)]].concat()).await;
    has_read(&b, 22).await;
    soon("what is read", async {
        while newest(&name, "lease").await["head"].as_u64() < Some(22) {
            tokio::time::sleep(ms(20)).await;
        }
    })
    .await;
    purge(&name, json!({ "filter": format!("incident.{name}.ev.open") })).await;
    let state = ask(&format!("STREAM.INFO.{name}"), Value::Null).await["state"].clone();
    assert_eq!(
        (&state["first_seq"], &state["last_seq"], &state["messages"]),
        (&json!(1), &json!(22), &json!(20))
    );
    for log in [&a, &b] {
        let mut health = log.health();
        let damaged = |health: &Option<Trouble>| {
            health.as_ref().is_some_and(|trouble| trouble.kind() == TroubleKind::History)
        };
        let told = soon("the trouble", health.wait_for(damaged)).await.unwrap().clone().unwrap().to_string();
        assert!(told.contains("event 21 is damaged: it was deleted from the stream"), "{told}");
        assert!(told.contains("--salvage"), "{told}");
        let refused = log.append(vec![started("later")]).await;
        assert!(matches!(&refused, Err(JournalError::Damaged { position: 21, .. })), "{refused:?}");
        assert_eq!(positions(log, 19, 1).await, [20], "what was before is read");
    }
    // A start does not give the stream another name: nobody could read on there, either.
    let location = NatsServer::shared().location(&name);
    let Err(refused) = Nats::open(&location, ALL) else { panic!("it was opened") };
    let source = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
    assert!(source.contains("event 21") && source.contains("--salvage"), "{refused}: {source}");
    let found = tokio::task::block_in_place(|| audit(&location, &mut |_, _| {})).unwrap();
    assert_eq!(found.stream.as_ref(), Some(a.stream()));
    assert_eq!((found.oldest, found.sound_to), (1, 20));
    let wrong: Vec<_> = found.checks.iter().filter_map(|check| check.outcome.clone().err()).collect();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong.iter().all(|wrong| wrong.starts_with("event 21 is damaged: it ")), "{wrong:?}");
    let scratch = Scratch::new();
    let file = scratch.path().join("new.db");
    assert_eq!(tokio::task::block_in_place(|| salvage(&location, &file, &Stop::default())).unwrap().head, 20);
    drop(lease);
}

/// Both streams lose what they have: what is left of the second one says nothing, and a "lost 0" would be a guess.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_purge_of_both_streams_under_running_servers_is_told() {
    let both = async |name: &str, which: Value| {
        purge(&format!("{name}_ctl"), Value::Null).await;
        purge(name, which).await;
    };
    is_told("three are kept", async |name| both(name, json!({ "keep": 3 })).await).await;
    is_told("nothing is kept", async |name| both(name, Value::Null).await).await;
}

/// As before, while no server runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_purge_of_both_streams_is_told_by_the_next_server() {
    let (a, b, name) = two();
    append(&a, story("a", 20)).await;
    kept(&name, 1).await;
    let old = a.stream().clone();
    drop((a, b));
    purge(&format!("{name}_ctl"), Value::Null).await;
    purge(&name, json!({ "keep": 3 })).await;
    let again = open(&NatsServer::shared().location(&name), ALL);
    assert_ne!(again.stream(), &old);
    assert_eq!(again.extent().oldest, 18);
    // Where it begins is known now, whatever becomes of the second stream.
    let new = again.stream().clone();
    drop(again);
    purge(&format!("{name}_ctl"), Value::Null).await;
    assert_eq!(open(&NatsServer::shared().location(&name), ALL).stream(), &new);
}

/// Only the second stream is purged: a server that runs writes down anew how far retention has gone, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn how_far_retention_has_gone_is_written_down_again() {
    let (b, other, name) = two();
    drop(other);
    let a = open(&NatsServer::shared().location(&name), TEN);
    let _lease = a.lease().await.unwrap();
    append(&a, story("a", 20)).await;
    kept(&name, 11).await;
    for log in [&a, &b] {
        reaches(log, 11, 20).await;
    }
    purge(&format!("{name}_ctl"), Value::Null).await;
    kept(&name, 11).await;
    append(&a, story("b", 20)).await;
    kept(&name, 31).await;
    for log in [&a, &b] {
        reaches(log, 31, 40).await;
        assert_eq!(log.stream(), open(&NatsServer::shared().location(&name), ALL).stream());
    }
}

/// What retention drops is written down before it goes, so it is no loss for a server that runs or starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn what_retention_drops_is_written_down_before() {
    let (b, other, name) = two();
    drop(other);
    let a = open(&NatsServer::shared().location(&name), TEN);
    let _lease = a.lease().await.unwrap();
    for round in 0..3 {
        append(&a, story(&format!("{round}"), 20)).await;
        reaches(&a, 20 * round + 11, 20 * (round + 1)).await;
        kept(&name, 20 * round + 11).await;
        reaches(&b, 20 * round + 11, 20 * (round + 1)).await;
        let first = ask(&format!("STREAM.INFO.{name}"), Value::Null).await["state"]["first_seq"].clone();
        assert_eq!(newest(&name, "kept").await["from"], first);
    }
    let c = open(&NatsServer::shared().location(&name), ALL);
    for log in [&a, &b, &c] {
        assert_eq!(*log.health().borrow(), None);
        assert_eq!(log.stream(), a.stream());
    }
}

/// A message that no server can have written stands where the lease is: the holder writes it anew, and goes on playing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_lease_that_another_program_has_written_is_written_anew() {
    let (a, b, name) = two();
    let lease = a.lease().await.unwrap();
    let subject = format!("incident.{name}.ctl.lease");
    let client = client().await;
    let huge =
        format!(r#"{{"node":"1","term":1,"stream":"","head":0,"chain":"0","x":"{}"}}"#, "x".repeat(900_000));
    for junk in
        ["junk", "", r#"{"node":"3","term":18446744073709551615,"stream":"","head":0,"chain":"0"}"#, &huge]
    {
        client.request(subject.clone(), junk.to_owned().into()).await.unwrap();
        soon("the lease", async {
            while newest(&name, "lease").await["stream"] != a.stream().as_str() {
                tokio::time::sleep(ms(20)).await;
            }
        })
        .await;
        assert!(!lease.is_lost(), "{junk:.20}");
    }
    drop((lease, a));
    // Nobody has the lease, and it can't be read: the next server takes it, with a higher term.
    client.request(subject, "junk".into()).await.unwrap();
    let second = soon("the lease", b.lease()).await.unwrap();
    assert!(second.term() > incident::journal::Term::default());
    append(&b, vec![started("b")]).await;
}
