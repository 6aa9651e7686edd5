//! Reports and listings that many clients ask for at once or read slowly: the server bounds its work, its memory and its
//! descriptors, and answers the rest with 503.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use incident::contract::StreamId;
use incident::journal::{Journal, Memory, Record, Retention, Sqlite};
use serde_json::{Value, json};

use crate::flood::resident;
use crate::harness::{
    Local, Numbers, Raw, Reply, Scratch, Serving, action, get, incident, ms, options, resolved, soon,
    started, story,
};

/// Descriptors of this process that lead to files in a folder.
fn descriptors(folder: &Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let files = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    files.filter(|file| file.starts_with(folder)).count()
}

/// An incident whose report and state are as long as its `actions` actions with these summaries.
fn long(subject: &str, actions: u64, summary: &str) -> Vec<Record> {
    let middle = (2..actions + 2).map(|index| action(subject, index, summary));
    [started(subject)].into_iter().chain(middle).chain([resolved(subject, actions + 2)]).collect()
}

fn is_busy(reply: &Reply) -> bool {
    if reply.status == 200 {
        return false;
    }
    assert!(reply.problem(503).contains("busy"), "{reply:?}");
    assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_for_many_at_once_share_a_few_descriptors() {
    const AT_ONCE: usize = 300;
    let folder = Scratch::new();
    let journal = Sqlite::open(&folder.path().join("journal.db"), Retention::default()).unwrap();
    let server = Local::over(options(), Journal::new(journal)).await;
    server.append(long("old", 500, "It is down")).await;
    // Newer events than the journal remembers in memory: the report comes from the file.
    for other in 0..40 {
        server.append(long(&format!("new-{other}"), 500, "It is down")).await;
    }
    let most = Arc::new(AtomicUsize::new(0));
    let (watched, path) = (Arc::clone(&most), folder.path().to_owned());
    let watching = tokio::spawn(async move {
        loop {
            watched.fetch_max(descriptors(&path), Ordering::Relaxed);
            tokio::time::sleep(ms(2)).await;
        }
    });
    let mut client = server.client().await;
    let address = server.address;
    let asking = (0..AT_ONCE).map(|_| tokio::spawn(get(address, "/api/incidents/old/report.md")));
    let asking: Vec<_> = asking.collect();
    let positions = server.append(story("meanwhile", 3)).await;
    client.up_to(positions[2]).await;
    let mut refused = 0;
    for reply in asking {
        refused += usize::from(is_busy(&soon("a report", reply).await.unwrap()));
    }
    watching.abort();
    assert!(refused < AT_ONCE, "none of them was served");
    let most = most.load(Ordering::Relaxed);
    assert!((1..=48).contains(&most), "{most} descriptors of the journal were open");
    let left = descriptors(folder.path());
    assert!(left <= 16, "{left} descriptors of the journal are left");
    assert_eq!(get(address, "/api/incidents/old/report.md").await.status, 200);
    let busy = "incident_refusals_total{reason=\"busy\"}";
    Numbers::of(address).await.are(&[(busy, refused as u64)]);
}

/// What a client that reads slowly has not taken yet is not made yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_of_the_listing_cost_little_memory() {
    const SLOW: usize = 150;
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let summary = "x".repeat(8_000);
    {
        let journal = Journal::new(Sqlite::open(&file, Retention::default()).unwrap());
        for incident in 0..200 {
            journal.append(long(&format!("i-{incident}"), 1, &summary)).await.unwrap();
        }
    }
    let server = Serving::with(&["--journal", file.to_str().unwrap(), "--write-deadline", "60s"]);
    let address = server.address();
    let whole = get(address, "/api/incidents").await;
    assert!(whole.body.len() > 3_000_000, "{} bytes", whole.body.len());
    let before = resident(server.id());
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let mut raw = Raw::narrow(address).await;
        raw.send(b"GET /api/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        slow.push(raw);
    }
    let grown = resident(server.id()).saturating_sub(before);
    assert!(grown < 48 * 1024, "{grown} KiB for {SLOW} slow readers");
    let mut last = slow.pop().unwrap();
    let mut body = Vec::new();
    while let Some(piece) = last.chunk().await.filter(|piece| !piece.is_empty()) {
        body.extend(piece);
    }
    let listed: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(listed["incidents"], whole.json()["incidents"], "the slow one gets the same, whole");
    assert_eq!(listed["incidents"].as_array().unwrap().len(), 200);
}

/// How many KiB a server grows by for the report of an incident.
async fn grown_by_report(records: &[Record]) -> u64 {
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    {
        let journal = Journal::new(Sqlite::open(&file, Retention::default()).unwrap());
        for events in records.chunks(1_000) {
            journal.append(events.to_vec()).await.unwrap();
        }
    }
    let server = Serving::with(&["--journal", file.to_str().unwrap()]);
    // What the first answers need once.
    assert_eq!(get(server.address(), "/api/incidents").await.status, 200);
    let before = resident(server.id());
    let report = get(server.address(), "/api/incidents/long/report.md").await;
    assert_eq!(report.status, 200, "{}", report.body);
    resident(server.id()).saturating_sub(before)
}

/// What events say is kept until the report is made, not their text.
#[tokio::test]
async fn the_report_of_a_long_incident_takes_less_than_a_kilobyte_an_event() {
    const EVENTS: u64 = 40_000;
    let grown = grown_by_report(&story("long", EVENTS)).await;
    assert!(grown < EVENTS, "{grown} KiB for {EVENTS} events");
}

/// The names of the metrics, which all samples have, are kept once.
#[tokio::test]
async fn the_report_of_wide_samples_takes_little_more_than_their_values() {
    const SAMPLES: u64 = 1_000;
    const METRICS: u64 = 1_000;
    let mut records = story("long", SAMPLES);
    for record in &mut records[1..SAMPLES as usize - 1] {
        let mut sample: Value = serde_json::from_str(record.data.get()).unwrap();
        sample["metrics"] =
            (0..METRICS).map(|n| (format!("m{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
        record.data = serde_json::value::to_raw_value(&sample).unwrap();
    }
    let grown = grown_by_report(&records).await;
    let values = SAMPLES * METRICS * 8 / 1024;
    assert!(grown < 6 * values, "{grown} KiB for {values} KiB of values");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_are_not_read_are_bounded_in_bytes_and_the_rest_is_told_503() {
    let server = Local::with(options(), Retention::default()).await;
    let summary = "y".repeat(60_000);
    server.append(long("large", 60, &summary)).await;
    let request = b"GET /api/incidents/large/report.md HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let (mut held, mut refused) = (Vec::new(), 0);
    for _ in 0..12 {
        let mut raw = Raw::narrow(server.address).await;
        raw.send(request).await;
        let head = raw.head().await;
        if head.starts_with("HTTP/1.1 200 ") {
            held.push(raw);
        } else {
            assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: "), "{head}");
            refused += 1;
        }
    }
    assert!(!held.is_empty() && refused > 0, "{} held, {refused} refused", held.len());
    // Small answers are given all the same, and so are large ones when there is room again.
    for path in ["/healthz", "/readyz", "/api/scenarios", "/metrics", "/"] {
        assert_eq!(get(server.address, path).await.status, 200, "{path}");
    }
    drop(held);
    let again = async {
        loop {
            let reply = get(server.address, "/api/incidents/large/report.md").await;
            if !is_busy(&reply) {
                return reply;
            }
            tokio::time::sleep(ms(20)).await;
        }
    };
    let reply = soon("a report", again).await;
    let length: usize = reply.header("content-length").parse().unwrap();
    assert_eq!(length, reply.body.len(), "the length is told in advance");
}

/// A report is made of all events of its incident: how many there may be is bounded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_that_is_too_long_for_a_report_is_told() {
    let stream = StreamId::generate(1_700_000_000_000, 7);
    let server = Local::over(options(), Journal::new(Memory::new(stream, Retention::default()))).await;
    let summary = "z".repeat(60_000);
    for part in 0..12 {
        let first = u64::from(part == 0);
        let begin = if part == 0 { vec![started("huge")] } else { Vec::new() };
        let from = part * 50 + 1 + first;
        let actions = (from..=(part + 1) * 50).map(|index| action("huge", index, &summary));
        server.append(begin.into_iter().chain(actions).collect()).await;
    }
    let detail = get(server.address, "/api/incidents/huge/report.md").await.problem(507);
    assert!(detail.contains("incident watch --record"), "{detail}");
    let url = format!("http://{}/", server.address);
    let ran = tokio::task::spawn_blocking(move || incident(&["report", "huge", "--url", &url]).run())
        .await
        .unwrap();
    assert!(ran.stderr.contains("report on the file") && !ran.stderr.contains("check --url"), "{ran:?}");
    assert_eq!(get(server.address, "/api/incidents/huge").await.status, 200);
}
