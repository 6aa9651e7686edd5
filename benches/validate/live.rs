//! What judging adds to the latency of a live stream: `incident validate --url` beside a client that only reads.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use incident::client::{Endpoint, Socket, SocketEvent};
use incident::contract::{MessageType, StreamId};
use incident::journal::{Journal, Memory, Place, Record, Retention};
use incident::scenario::Library;
use incident::server::{Options, Server};
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep, sleep_until};

use crate::common::message;
use crate::common::process::rss_kib;
use crate::common::report::{Goal, Row, Section};

/// How often events are appended. Each append has as many as are due.
const TICK: Duration = Duration::from_millis(1);

pub(crate) fn measure(rate: u32, seconds: u32, rounds: u32) -> anyhow::Result<Section> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut ours, mut floors, mut early, mut late) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let round = runtime.block_on(round(rate, seconds))?;
        ours.push(round.validate_ms);
        floors.push(round.floor_ms);
        early.push(round.early_mib);
        late.push(round.late_mib);
    }
    let added = ours.iter().zip(&floors).map(|(ours, floor)| ours - floor).collect();
    let rows = vec![
        Row::new("p99 added by validate", "ms", added).goal(Goal::AtMost(1.0)),
        Row::new("p99 of validate", "ms", ours),
        Row::new("p99 of a client that only reads", "ms", floors),
        Row::new("memory of validate after 2 s", "MiB", early),
        Row::new("memory of validate at the end", "MiB", late),
    ];
    let about = format!("{rate} messages/s for {seconds} s, one incident, both clients at the same time");
    Ok(Section { name: "live", about, rows, note: None })
}

struct Round {
    validate_ms: f64,
    floor_ms: f64,
    early_mib: f64,
    late_mib: f64,
}

async fn round(rate: u32, seconds: u32) -> anyhow::Result<Round> {
    let journal = Journal::new(Memory::new(StreamId::fresh(), Retention::default()));
    let server = Server::bind(Options::default(), Library::default(), journal.clone()).await?;
    let endpoint: Endpoint = format!("ws://{}/ws", server.address()).parse().map_err(anyhow::Error::msg)?;
    tokio::spawn(server.run(std::future::pending()));
    let mut validate = Command::new(env!("CARGO_BIN_EXE_incident"));
    let listen = seconds + 2;
    validate.args([
        "validate",
        "--gentle",
        "--clients",
        "1",
        "--format",
        "json",
        "--limit",
        "latency.max=1h",
    ]);
    validate.args(["--url", &endpoint.to_string(), "--for", &format!("{listen}s")]);
    let validate = validate.stdout(Stdio::piped()).spawn()?;
    let id = validate.id();
    let reading = tokio::spawn(read(endpoint, rate * seconds));
    // Both are connected when the first event is appended.
    sleep(Duration::from_secs(1)).await;
    let watching = tokio::spawn(async move {
        sleep(Duration::from_secs(2)).await;
        let early = rss_kib(id);
        sleep(Duration::from_secs(u64::from(seconds).saturating_sub(2))).await;
        (early, rss_kib(id))
    });
    publish(&journal, rate, seconds).await?;
    let floor_ms = reading.await??;
    let (early, late) = watching.await?;
    let output = tokio::task::spawn_blocking(move || validate.wait_with_output()).await??;
    let found: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    ensure!(output.status.success(), "validate failed: {found}");
    Ok(Round { validate_ms: p99_of(&found)?, floor_ms, early_mib: early? / 1024.0, late_mib: late? / 1024.0 })
}

/// The p99 that the rule `latency` says, in milliseconds.
fn p99_of(found: &serde_json::Value) -> anyhow::Result<f64> {
    let rules = found["targets"][0]["rules"].as_array().context("there are no rules")?;
    let latency = rules.iter().find(|rule| rule["rule"] == "latency").context("there is no latency")?;
    let summary = latency["summary"].as_str().context("the latency was not checked")?;
    let (_, rest) = summary.split_once("p99 ").context("there is no p99")?;
    Ok(rest.split(' ').next().unwrap_or_default().parse()?)
}

/// Appends the events of one real incident at this rate.
async fn publish(journal: &Journal, rate: u32, seconds: u32) -> anyhow::Result<()> {
    let start = Instant::now();
    let all = u64::from(rate * seconds);
    let sample = || {
        RawValue::from_string(r#"{"synthetic":false,"metrics":{"error_rate":0.25,"p95":812.5}}"#.to_owned())
    };
    let begins = format!(
        r#"{{"synthetic":false,"title":"load","severity":"SEV3","services":["load"],"impact_started_at":"{:.6}"}}"#,
        Timestamp::now()
    );
    let mut index = 0;
    while index < all {
        let due = (start.elapsed().as_secs_f64() * f64::from(rate)).ceil() as u64;
        let mut records = Vec::new();
        while index < due.clamp(1, all) {
            index += 1;
            let (kind, data) = match index {
                1 => (MessageType::IncidentStarted, RawValue::from_string(begins.clone())?),
                _ => (MessageType::SystemMetrics, sample()?),
            };
            let place = Place::At(index);
            records.push(Record { subject: message::SUBJECT.to_owned(), place, kind, data, plan: None });
        }
        if !records.is_empty() {
            journal.append(records).await?;
        }
        sleep_until(Instant::now() + TICK).await;
    }
    Ok(())
}

/// Reads that many events. Returns the 99th of 100 latencies, in milliseconds.
async fn read(endpoint: Endpoint, events: u32) -> anyhow::Result<f64> {
    let mut socket = Socket::connect(&endpoint, None).await?;
    let mut latencies = Vec::with_capacity(events as usize);
    while latencies.len() < events as usize {
        match socket.receive().await {
            SocketEvent::Text(text) => {
                let arrived = Timestamp::now().as_microsecond();
                let is_event = matches!(message::read(text.as_bytes()), message::Told::Event(_));
                let sent = message::sent_at(text.as_bytes()).filter(|_| is_event);
                latencies.extend(sent.map(|sent| (arrived - sent) as f64 / 1e3));
            }
            SocketEvent::Closed { reason, .. } => anyhow::bail!("the stream ended: {reason}"),
            SocketEvent::Binary(_) | SocketEvent::Alive => {}
        }
    }
    latencies.sort_by(f64::total_cmp);
    Ok(latencies[latencies.len() * 99 / 100])
}
