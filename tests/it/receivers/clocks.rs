//! A machine's clock that is set while incidents of receivers are open, or never was: none of them ends early, and all of them
//! end.

use std::sync::Arc;
use std::time::Duration;

use incident::contract::{Message, StreamId};
use incident::journal::{Journal, Memory, ReadLimit, Retention};
use incident::server::Options;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::lab::{ended, firing, group};
use super::server::{SECRET, setups};
use crate::harness::{Clocks, Gated, Http, Local, PATIENCE, ms, options};

const HOUR: Duration = Duration::from_secs(3_600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

fn journal(clocks: &Clocks) -> Journal {
    let stream = StreamId::generate(1_700_000_000_000, 12);
    Journal::new(Memory::with_clocks(stream, Retention::default(), clocks.source()))
}

/// A server whose receiver `graf` settles and falls silent after an hour, and `prod` at once.
async fn server(journal: &Journal) -> Local {
    let mut setups = setups("");
    for setup in &mut setups {
        if setup.receiver.name == "graf" {
            setup.receiver.settle = HOUR;
            setup.receiver.stale = Some(HOUR);
        }
    }
    Local::over(Options { receivers: Some(setups), ..options() }, journal.clone()).await
}

async fn deliver(server: &Local, key: &str, alerts: &[Value]) {
    let mut body = group(alerts);
    body["version"] = "1".into();
    body["groupKey"] = key.into();
    let post =
        Http::new(server.address, "POST", "/hooks/grafana/graf").header("Content-Type", "application/json");
    let reply = post.bearer(SECRET).body(&body.to_string()).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// What the journal has: a word an event.
async fn words(journal: &Journal) -> Vec<String> {
    let events = journal.read(0, ReadLimit::ALL).await.unwrap();
    let word = |message: Message| match message {
        Message::AgentAction(action) => action.action,
        other => other.kind().as_str().to_owned(),
    };
    events.iter().map(|event| word(event.message().unwrap())).collect()
}

/// Waits until the journal has this word, while the receivers look at the time.
async fn until(server: &Local, word: &str) -> Vec<String> {
    let end = std::time::Instant::now() + PATIENCE;
    for round in 0.. {
        let words = words(&server.journal).await;
        if words.iter().any(|known| known == word) {
            return words;
        }
        assert!(std::time::Instant::now() < end, "no {word} comes: {words:?}");
        deliver(server, &format!("poke {}", round % 2), &[]).await;
        tokio::time::sleep(ms(20)).await;
    }
    unreachable!("it waits for ever")
}

/// The time between an alert's end and that of its incident is the same, whatever becomes of the wall clock.
#[tokio::test]
async fn an_incident_settles_by_the_steady_clock() {
    for step in [SignedDuration::try_from(YEAR).unwrap(), -SignedDuration::try_from(YEAR).unwrap()] {
        let clocks = Clocks::at("2026-11-26T13:00:00Z");
        let journal = journal(&clocks);
        let server = server(&journal).await;
        deliver(&server, "a", &[firing("A", 0)]).await;
        clocks.pass(HOUR / 2);
        deliver(&server, "a", &[ended("A", 0, 9)]).await;
        clocks.step(step);
        deliver(&server, "b", &[firing("B", 0)]).await;
        clocks.pass(HOUR / 2);
        deliver(&server, "b", &[firing("B", 0)]).await;
        // Time for what must not happen.
        tokio::time::sleep(ms(200)).await;
        deliver(&server, "b", &[firing("C", 0)]).await;
        let early = words(&journal).await;
        assert!(!early.iter().any(|word| word == "incident_resolved"), "after {step}: {early:?}");
        clocks.pass(HOUR / 2);
        until(&server, "incident_resolved").await;
        let events = journal.read(0, ReadLimit::ALL).await.unwrap();
        let end = events.iter().find_map(|event| match event.message() {
            Ok(Message::IncidentResolved(end)) => Some(end),
            _ => None,
        });
        let end = end.unwrap().durations;
        let (mitigate, resolve) = (end.mitigate_s.unwrap(), end.resolve_s);
        assert!((resolve - mitigate - 3_600.0).abs() < 1_810.0, "{end:?} after {step}");
        if step.is_negative() {
            // From noon to half past two, as if nobody had touched the clock.
            assert!((9_000.0..9_010.0).contains(&resolve), "{end:?}");
        }
    }
}

/// A sender that was heard a moment ago is not silent because the clock was set.
#[tokio::test]
async fn a_step_makes_no_sender_silent() {
    for step in [SignedDuration::try_from(2 * HOUR).unwrap(), -SignedDuration::try_from(YEAR).unwrap()] {
        let clocks = Clocks::at("2026-11-26T13:00:00Z");
        let journal = journal(&clocks);
        let server = server(&journal).await;
        deliver(&server, "a", &[firing("A", 0)]).await;
        clocks.step(step);
        deliver(&server, "b", &[firing("B", 0)]).await;
        tokio::time::sleep(ms(200)).await;
        deliver(&server, "b", &[firing("C", 0)]).await;
        let early = words(&journal).await;
        assert!(!early.iter().any(|word| word == "receiver_silent"), "after {step}: {early:?}");
        clocks.pass(HOUR);
        until(&server, "receiver_silent").await;
    }
}

/// A run with the clock years ahead leaves no incident open for years.
#[tokio::test]
async fn what_a_run_with_a_wrong_clock_left_settles() {
    let clocks = Clocks::at("2031-11-26T13:00:00Z");
    let journal = journal(&clocks);
    let first = server(&journal).await;
    deliver(&first, "a", &[firing("A", 0)]).await;
    deliver(&first, "a", &[ended("A", 0, 9)]).await;
    first.drained().await;
    clocks.step(-SignedDuration::try_from(5 * YEAR).unwrap());
    let second = server(&journal).await;
    deliver(&second, "b", &[firing("B", 0)]).await;
    clocks.pass(HOUR);
    until(&second, "incident_resolved").await;
}

/// A machine without a battery begins in 1970; its senders know better.
#[tokio::test]
async fn a_server_without_a_clock_believes_its_senders() {
    let clocks = Clocks::at("1970-01-01T00:01:00Z");
    let journal = journal(&clocks);
    let server = server(&journal).await;
    deliver(&server, "a", &[firing("A", 0)]).await;
    let first = journal.read(0, ReadLimit::events(1)).await.unwrap().remove(0);
    let Ok(Message::IncidentStarted(started)) = first.message() else { panic!("{first:?}") };
    assert_eq!(started.impact_started_at, super::lab::NOON.parse::<Timestamp>().unwrap());
}

/// Incidents that end at the same time share their commits: deliveries waited for hundreds of them.
#[tokio::test(flavor = "multi_thread")]
async fn incidents_that_settle_together_share_a_commit() {
    const INCIDENTS: usize = 300;
    let gated = Gated::new(0);
    let options = Options { receivers: Some(setups("group_by = [\"alertname\"]")), ..options() };
    let server = Local::over(options, Journal::from(Arc::clone(&gated))).await;
    let deliver = async |alerts: Vec<Value>| {
        let post = Http::new(server.address, "POST", "/hooks/alertmanager/prod");
        let post = post.header("Content-Type", "application/json").bearer(SECRET);
        let reply = post.body(&group(&alerts).to_string()).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    };
    deliver((0..INCIDENTS).map(|n| firing(&format!("A{n}"), 0)).collect()).await;
    let before = *gated.appends.borrow();
    deliver((0..INCIDENTS).map(|n| ended(&format!("A{n}"), 0, 9)).collect()).await;
    let mut extent = server.journal.follow();
    let all = extent.wait_for(|extent| extent.head == 4 * INCIDENTS as u64);
    tokio::time::timeout(PATIENCE, all).await.expect("they end").unwrap();
    let appends = *gated.appends.borrow() - before;
    assert!(appends <= 10, "{appends} appends for {INCIDENTS} incidents");
}
