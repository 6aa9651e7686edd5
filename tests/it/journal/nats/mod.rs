//! Journals on a real nats-server: two handles of one stream, as two servers have them.

mod altered;
mod apart;
mod checkpoints;
mod emptied;
mod purged;

use std::path::Path;

use incident::journal::{Journal, JournalError, Key, Nats, Place, ReadLimit, Record, Retention};
use serde_json::{Value, json};

use super::{ALL, TEN, append, positions, reaches};
use crate::harness::nats::NatsServer;
use crate::harness::{Clocks, metrics, ms, resolved, soon, started, story};

/// An empty journal in a stream of its own.
pub fn fresh(retention: Retention) -> Journal {
    open(&NatsServer::shared().location(&NatsServer::fresh_name()), retention)
}

fn open(location: &Path, retention: Retention) -> Journal {
    Journal::new(Nats::open(location, retention).unwrap())
}

/// Two handles of a new stream, and its name.
fn two() -> (Journal, Journal, String) {
    let name = NatsServer::fresh_name();
    let location = NatsServer::shared().location(&name);
    (open(&location, ALL), open(&location, ALL), name)
}

async fn client() -> async_nats::Client {
    async_nats::connect(format!("127.0.0.1:{}", NatsServer::shared().port)).await.unwrap()
}

/// A request to JetStream's API.
async fn ask(what: &str, body: Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = client().await.request(format!("$JS.API.{what}"), body.into()).await.unwrap();
    serde_json::from_slice(&answer.payload).unwrap()
}

/// Waits until a handle has read up to a position.
async fn has_read(log: &Journal, head: u64) {
    soon("the other's events", log.follow().wait_for(|extent| extent.head >= head)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn appends_that_race_stay_gapless() {
    const TASKS: u64 = 16;
    const EACH: u64 = 12;
    let (a, b, _) = two();
    let tasks = (0..TASKS * 2).map(|task| {
        let log = if task % 2 == 0 { a.clone() } else { b.clone() };
        tokio::spawn(async move {
            for record in story(&format!("incident-{task}"), EACH) {
                let first = log.append(record.clone()).await.unwrap();
                let again = log.append(record).await.unwrap();
                assert!(first[0].new && !again[0].new, "{first:?} {again:?}");
                assert_eq!(first[0].position, again[0].position);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let all = TASKS * 2 * EACH;
    for log in [&a, &b] {
        has_read(log, all).await;
        assert_eq!(positions(log, 0, usize::MAX).await, (1..=all).collect::<Vec<_>>());
    }
    let bytes = |events: Vec<incident::journal::Stored>| {
        events.iter().map(|event| event.encode(a.stream())).collect::<Vec<_>>()
    };
    let (of_a, of_b) = (a.read(0, ReadLimit::ALL).await.unwrap(), b.read(0, ReadLimit::ALL).await.unwrap());
    assert_eq!(bytes(of_a), bytes(of_b), "the same on both");
}

/// What one handle has been answered, the other knows, without waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn each_handle_goes_on_where_the_other_is() {
    let (a, b, _) = two();
    for round in 1..=20 {
        let id = format!("incident-{round}");
        let first = a.append(started(&id)).await.unwrap()[0];
        let repeat = b.append(started(&id)).await.unwrap()[0];
        assert_eq!((repeat.position, repeat.new), (first.position, false), "a repeat through the other");
        a.append(metrics(&id, 2)).await.unwrap();
        assert!(b.append(metrics(&id, 3)).await.unwrap()[0].new, "no gap");
        let gap = b.append(metrics(&id, 9)).await;
        assert!(matches!(gap, Err(JournalError::Gap { has: 3, .. })), "{gap:?}");
        let end = b.append(resolved(&id, 4)).await.unwrap()[0].position;
        let after = a.append(metrics(&id, 5)).await;
        assert!(
            matches!(after, Err(JournalError::Ended { position: Some(at), .. }) if at == end),
            "{after:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn one_end_wins_if_two_cancel() {
    let (a, b, _) = two();
    append(&a, vec![started("a")]).await;
    let (first, second) = tokio::join!(a.append(resolved("a", 2)), b.append(resolved("a", 2)));
    let (first, second) = (first.unwrap()[0], second.unwrap()[0]);
    assert_eq!((first.position, second.position), (2, 2));
    assert!(first.new != second.new, "{first:?} {second:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_stream_that_is_opened_again_is_as_it_was() {
    let name = NatsServer::fresh_name();
    let location = NatsServer::shared().location(&name);
    let key = Key { source: "/pay load\r\n".to_owned(), id: "ü.1".to_owned(), digest: [7; 32] };
    let odd = "größer than.> *";
    let stream = {
        let log = open(&location, TEN);
        let plan = "a plan, ".repeat(200_000);
        append(&log, vec![Record { plan: Some(plan.into()), ..started(odd) }]).await;
        let published = Record { place: Place::Next(key.clone()), ..metrics(odd, 0) };
        append(&log, vec![published]).await;
        log.stream().clone()
    };
    let log = open(&location, TEN);
    assert_eq!(log.stream(), &stream);
    let told: Vec<_> = log.read(0, ReadLimit::ALL).await.unwrap();
    let told: Vec<_> = told.iter().map(|event| (event.position, &*event.subject, event.index)).collect();
    assert_eq!(told, [(1, odd, 1), (2, odd, 2)]);
    let again = Record { place: Place::Next(key), ..metrics(odd, 0) };
    assert_eq!(append(&log, vec![again]).await, [2], "its key is known");
    let found = log.open_incidents().await.unwrap();
    assert_eq!((found[0].index, found[0].plan.as_ref().map(|plan| plan.len())), (2, Some(1_600_000)));
    append(&log, vec![resolved(odd, 3)]).await;
    append(&log, story("later", 30)).await;
    append(&log, vec![started("newest")]).await;
    reaches(&log, 25, 34).await;
    drop(log);
    let log = open(&location, TEN);
    assert_eq!((log.extent().oldest, log.extent().head), (25, 34));
    assert_eq!(positions(&log, 3, 2).await, [25, 26], "reading begins with the oldest kept");
    assert!(positions(&log, 34, 10).await.is_empty() && positions(&log, 1_000_000, 10).await.is_empty());
    // The id of what is gone names no other incident.
    let gone = log.append(vec![started(odd)]).await;
    assert!(matches!(&gone, Err(JournalError::Refused(why)) if why.contains("retention")), "{gone:?}");
    // What the stream of plans has kept of it is gone too.
    let filter = json!({ "subjects_filter": format!("incident.{name}.ctl.plan.>") });
    let left = ask(&format!("STREAM.INFO.{name}_ctl"), filter).await;
    assert!(left["state"]["subjects"].is_null(), "{left}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_lease_is_one_handles_until_it_is_given_back() {
    let (a, b, _) = two();
    let first = a.lease().await.unwrap();
    let waiting = tokio::spawn({
        let b = b.clone();
        async move { b.lease().await.unwrap() }
    });
    // Long enough for the other to take a lease that nobody renews.
    assert!(tokio::time::timeout(ms(4_500), first.lost()).await.is_err(), "it is renewed");
    assert!(!waiting.is_finished());
    assert_eq!(*a.health().borrow(), None);
    drop(a);
    let second = soon("the lease", waiting).await.unwrap();
    assert!(second.term() > first.term());
    assert_eq!(*b.health().borrow(), None);
}

/// A start that failed behind its plan, or whose server died there, leaves the plan: it goes after an hour, and no other does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_plan_whose_incident_never_began_is_removed() {
    let name = NatsServer::fresh_name();
    let location = NatsServer::shared().location(&name);
    let young = open(&location, ALL);
    append(&young, vec![Record { plan: Some("its plan".into()), ..started("open") }]).await;
    let orphan = format!("incident.{name}.ctl.plan.never.0123456789abcdef.0");
    client().await.request(orphan.clone(), "a plan".into()).await.unwrap();
    let plans = async || {
        let filter = json!({ "subjects_filter": format!("incident.{name}.ctl.plan.>") });
        let info = ask(&format!("STREAM.INFO.{name}_ctl"), filter).await;
        info["state"]["subjects"].as_object().cloned().unwrap_or_default()
    };
    assert_eq!(plans().await.len(), 2);
    drop(young);
    let later = incident::contract::now() + jiff::SignedDuration::from_hours(2);
    let clocks = Clocks::with_tokio(&later.to_string());
    let log = Journal::new(Nats::with_clocks(&location, ALL, clocks.source()).unwrap());
    let removed = async {
        while plans().await.contains_key(&orphan) {
            tokio::time::sleep(ms(20)).await;
        }
    };
    soon("the orphan to go", removed).await;
    assert_eq!(plans().await.len(), 1);
    let open = log.open_incidents().await.unwrap();
    assert_eq!(open[0].plan.as_deref(), Some("its plan"));
}
