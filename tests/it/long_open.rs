//! An incident that has long been open: its few events are spread over much of the journal, and whoever asks for its report has all of
//! that read.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use incident::journal::{Append as _, IncidentIndex as _, Journal};
use incident::player::Player;
use tokio::time::{Instant, advance};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{Gated, Http, Local, Raw, action, get, metrics, ms, options, soon, started};

/// The events of another incident behind the start of the open one.
const OTHERS: u64 = 30_000;

/// What is read before others have their turn.
const SLICE: u64 = 10_000;

const REPORT: &str = "/api/incidents/old/report.md";

/// A journal that has such an incident.
async fn journal() -> Arc<Gated> {
    let gated = Gated::new(0);
    gated.append(started("old").into()).await.unwrap();
    gated.append(started("other").into()).await.unwrap();
    for first in (2..OTHERS).step_by(1_000) {
        let events: Vec<_> = (first..first + 1_000).map(|index| metrics("other", index)).collect();
        gated.append(events.into()).await.unwrap();
    }
    gated.append(action("old", 2, "It is still down").into()).await.unwrap();
    gated
}

/// A server over it.
async fn server() -> (Arc<Gated>, Local) {
    let gated = journal().await;
    let server = Local::over(options(), Journal::from(Arc::clone(&gated))).await;
    assert_eq!(get(server.address, "/api/incidents").await.status, 200);
    (gated, server)
}

/// Until this many reads have begun since then.
async fn reads(gated: &Gated, before: u32, more: u32) {
    let mut reads = gated.reads.subscribe();
    soon("reads", reads.wait_for(|now| *now >= before + more)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_whole_however_much_of_the_journal_is_read_for_it() {
    let (gated, server) = server().await;
    let before = gated.events_read.load(Ordering::Relaxed);
    let report = get(server.address, REPORT).await;
    assert_eq!(report.status, 200);
    assert!(report.body.contains("It is still down"), "{}", report.body);
    assert!(gated.events_read.load(Ordering::Relaxed) - before >= OTHERS);
}

/// Nobody waits for what is read for a client that is gone.
#[tokio::test(flavor = "multi_thread")]
async fn reading_ends_when_the_client_is_gone() {
    let (gated, server) = server().await;
    let before = *gated.reads.borrow();
    gated.readable.send_replace(false);
    let mut raw = Raw::connect(server.address).await;
    raw.send(format!("GET {REPORT} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").as_bytes()).await;
    reads(&gated, before, 1).await;
    let events = gated.events_read.load(Ordering::Relaxed);
    raw.shutdown().await;
    // What comes later is told later.
    assert_eq!(get(server.address, "/healthz").await.status, 200);
    gated.readable.send_replace(true);
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("closed its side"), "{answer}");
    let read = gated.events_read.load(Ordering::Relaxed) - events;
    assert!(read <= SLICE + 1_000, "{read} events were read for a client that is gone");
    // A client that stays has its report.
    assert_eq!(get(server.address, REPORT).await.status, 200);
}

/// Those that wait have read nothing and keep nobody from a turn; those of one network that are too many are told at once. On one
/// thread, so that all of them have come when the last request is answered.
#[tokio::test]
async fn one_network_has_one_such_report_made_at_a_time() {
    const WAITING: usize = 8;
    const TOO_MANY: usize = 4;
    let (gated, server) = server().await;
    let before = *gated.reads.borrow();
    gated.readable.send_replace(false);
    let ask = || Http::new(server.address, "GET", REPORT).unanswered();
    let mut asked = vec![ask().await];
    reads(&gated, before, 1).await;
    for _ in 0..WAITING + TOO_MANY {
        asked.push(ask().await);
    }
    assert_eq!(get(server.address, "/healthz").await.status, 200);
    gated.readable.send_replace(true);
    let mut refused = 0;
    for mut raw in asked {
        let answer = raw.rest().await;
        if answer.starts_with("HTTP/1.1 503 ") {
            assert!(answer.contains("busy") && answer.contains("retry-after: "), "{answer}");
            refused += 1;
        } else {
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("It is still down"), "{answer}");
        }
    }
    assert_eq!(refused, TOO_MANY);
    let other = Http::new(server.address, "GET", REPORT).from(IpAddr::from([127, 0, 0, 2]));
    assert_eq!(other.send().await.status, 200);
}

/// Those that wait for it are told why nothing goes on.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_told_that_the_journal_cannot_be_read() {
    let (gated, server) = server().await;
    let before = *gated.reads.borrow();
    gated.readable.send_replace(false);
    let _first = Http::new(server.address, "GET", REPORT).unanswered().await;
    reads(&gated, before, 1).await;
    let mut waiting = Http::new(server.address, "GET", REPORT).unanswered().await;
    gated.is_unreadable.store(true, Ordering::Relaxed);
    let answer = waiting.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && !answer.contains("busy"), "{answer}");
    gated.readable.send_replace(true);
}

/// Nor does the first listing of a server, for which all of that is read.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_listing_keeps_nobody_from_a_turn() {
    let gated = journal().await;
    let server = Local::over(options(), Journal::from(Arc::clone(&gated))).await;
    let before = *gated.reads.borrow();
    gated.readable.send_replace(false);
    let mut asked = Http::new(server.address, "GET", "/api/incidents").unanswered().await;
    reads(&gated, before, 1).await;
    let other = Http::new(server.address, "GET", "/api/incidents/nobody").send();
    assert_eq!(soon("an answer", other).await.status, 404);
    gated.readable.send_replace(true);
    let answer = asked.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"id\":\"old\""), "{answer}");
}

/// Everything behind its start is read to end it. Nobody waits for that.
#[tokio::test(flavor = "multi_thread")]
async fn to_end_it_keeps_nobody_from_a_turn() {
    let (gated, server) = server().await;
    let before = *gated.reads.borrow();
    gated.readable.send_replace(false);
    let mut asked = Http::new(server.address, "DELETE", "/api/incidents/old").unanswered().await;
    reads(&gated, before, 1).await;
    // It needs a turn, and reads nothing.
    let other = Http::new(server.address, "DELETE", "/api/incidents/nobody").send();
    assert_eq!(soon("an answer", other).await.status, 404);
    gated.readable.send_replace(true);
    let answer = asked.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"cancelled_now\":true"), "{answer}");
}

/// Nor do reports of others: whoever ends an incident waits for nobody who reads.
#[tokio::test(flavor = "multi_thread")]
async fn many_short_reports_keep_nobody_from_ending_an_incident() {
    let (gated, server) = server().await;
    gated.append(started("short").into()).await.unwrap();
    let before = *gated.reads.borrow();
    gated.readable.send_replace(false);
    let mut reports = Vec::new();
    for _ in 0..20 {
        reports.push(Http::new(server.address, "GET", "/api/incidents/short/report.md").unanswered().await);
    }
    reads(&gated, before, 1).await;
    // It needs a turn, and reads nothing.
    let end = Http::new(server.address, "DELETE", "/api/incidents/nobody").send();
    assert_eq!(soon("an answer", end).await.status, 404);
    gated.readable.send_replace(true);
    for mut report in reports {
        assert!(report.rest().await.starts_with("HTTP/1.1 200 "));
    }
}

/// A client that leaves does not end the work: the next one of its network waits until it is done.
#[tokio::test]
async fn to_end_it_is_the_work_of_its_network_until_it_is_done() {
    const WAITING: usize = 8;
    let (gated, server) = server().await;
    let before = *gated.reads.borrow();
    gated.readable.send_replace(false);
    let ask = || Http::new(server.address, "DELETE", "/api/incidents/old").unanswered();
    let mut asked = ask().await;
    reads(&gated, before, 1).await;
    asked.shutdown().await;
    let mut waiting = Vec::new();
    for _ in 0..WAITING {
        waiting.push(ask().await);
    }
    // On one thread, so that all of them have come when this is answered.
    assert_eq!(get(server.address, "/healthz").await.status, 200);
    let refused = ask().await.rest().await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("busy"), "{refused}");
    gated.readable.send_replace(true);
    for mut raw in waiting {
        let answer = raw.rest().await;
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"cancelled_now\":false"),
            "{answer}"
        );
    }
}

/// Clients wait for 30 s in all.
#[tokio::test(start_paused = true)]
async fn who_has_waited_for_a_turn_waits_less_for_the_end() {
    let gated = journal().await;
    let journal = Journal::from(Arc::clone(&gated));
    let player = Player::new(journal, TaskTracker::new(), CancellationToken::new(), Arc::default());
    gated.read_ms.store(2_000, Ordering::Relaxed);
    let began = Instant::now();
    advance(ms(20_000)).await;
    let error = player.cancel_holding("old", (), began).await.unwrap_err().to_string();
    assert!(error.contains("is being ended"), "{error}");
    assert!(began.elapsed() <= ms(25_000), "{:?}", began.elapsed());
    while gated.incident("old").await.unwrap().unwrap().end.is_none() {
        tokio::time::sleep(ms(1_000)).await;
    }
}

/// A caller waits as long as the journal answers, but not longer than clients do.
#[tokio::test(start_paused = true)]
async fn who_ends_it_waits_while_the_journal_answers() {
    let long = [(500, None), (2_000, Some("is being ended")), (10_000, Some("has not answered"))];
    for (read_ms, wanted) in long {
        let gated = journal().await;
        let player = Player::new(
            Journal::from(Arc::clone(&gated)),
            TaskTracker::new(),
            CancellationToken::new(),
            Arc::default(),
        );
        gated.read_ms.store(read_ms, Ordering::Relaxed);
        let ended = player.cancel("old").await;
        let Some(why) = wanted else {
            assert!(ended.unwrap().unwrap().cancelled_now, "{read_ms} ms a read");
            continue;
        };
        let error = ended.unwrap_err().to_string();
        assert!(error.contains(why), "{read_ms} ms a read: {error}");
        // It is done all the same.
        while gated.incident("old").await.unwrap().unwrap().end.is_none() {
            tokio::time::sleep(ms(1_000)).await;
        }
    }
}
