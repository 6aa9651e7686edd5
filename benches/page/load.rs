//! A server with the built-in page, and incidents that are written into its journal as fast as a section wants.

use std::path::Path;
use std::time::Duration;

use incident::contract::{MessageType, StreamId};
use incident::journal::{Journal, Memory, Place, Record, Retention};
use incident::scenario::Library;
use incident::server::{Options, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep_until};

/// Records per append of what is there before a page comes.
const BATCH: u64 = 2_000;
/// How often live events are appended: each append has those that are due.
const TICK: Duration = Duration::from_millis(5);

/// The server, and how many events each incident has.
pub(crate) struct Load {
    pub(crate) url: String,
    journal: Journal,
    counts: Vec<u64>,
    began: Timestamp,
    /// How many times faster than the wall clock the incidents go on. Only drills do.
    speed: f64,
}

impl Load {
    /// A server with so many open incidents, which began a while ago. `page`: the folder of the page, if not the built-in one.
    pub(crate) async fn start(incidents: usize, page: Option<&Path>) -> anyhow::Result<Self> {
        let began = Timestamp::now() - SignedDuration::from_mins(50);
        Self::begun(incidents, page, began, 1.0).await
    }

    /// A server with so many drills, which begin now and go so many times faster than the wall clock.
    pub(crate) async fn drills(incidents: usize, page: Option<&Path>, speed: f64) -> anyhow::Result<Self> {
        Self::begun(incidents, page, Timestamp::now(), speed).await
    }

    async fn begun(
        incidents: usize,
        page: Option<&Path>,
        began: Timestamp,
        speed: f64,
    ) -> anyhow::Result<Self> {
        let journal = Journal::new(Memory::new(StreamId::fresh(), Retention::default()));
        let options = Options { dashboard: page.map(Path::to_owned), ..Options::default() };
        let server = Server::bind(options, Library::default(), journal.clone()).await?;
        let url = format!("http://{}/", server.address());
        tokio::spawn(server.run(std::future::pending()));
        let mut load = Self { url, journal, counts: vec![0; incidents], began, speed };
        for incident in 0..incidents {
            let record = load.next(incident)?;
            load.journal.append(vec![record]).await?;
        }
        Ok(load)
    }

    /// Writes this many events at once, in turns of the incidents.
    pub(crate) async fn write(&mut self, events: u64) -> anyhow::Result<()> {
        let mut left = events;
        while left > 0 {
            let batch = left.min(BATCH);
            self.append(batch).await?;
            left -= batch;
        }
        Ok(())
    }

    /// Writes so many events per second for a while.
    pub(crate) async fn stream(&mut self, per_second: u64, time: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        let (mut written, mut tick) = (0, start);
        while start.elapsed() < time {
            let due = (start.elapsed().as_secs_f64() * per_second as f64) as u64;
            if due > written {
                self.append(due - written).await?;
                written = due;
            }
            tick += TICK;
            sleep_until(tick).await;
        }
        Ok(())
    }

    /// Events of all incidents.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    async fn append(&mut self, events: u64) -> anyhow::Result<()> {
        let mut records = Vec::with_capacity(events as usize);
        for _ in 0..events {
            let incident = (self.total() % self.counts.len() as u64) as usize;
            records.push(self.next(incident)?);
        }
        self.journal.append(records).await?;
        Ok(())
    }

    /// The next event of an incident: of three, two are samples and one is an action.
    fn next(&mut self, incident: usize) -> anyhow::Result<Record> {
        let count = &mut self.counts[incident];
        *count += 1;
        let n = *count;
        let (kind, mut data) = match n {
            1 => (
                MessageType::IncidentStarted,
                json!({
                    "synthetic": false, "title": format!("Checkout {incident} fails"), "severity": "SEV2",
                    "services": ["checkout", "orders-db"], "target_s": 5400.0, "impact_started_at": self.began,
                    "metrics": [{ "name": "error_rate", "unit": "ratio" }], "agents": [], "phases": [],
                }),
            ),
            _ if n.is_multiple_of(3) => (
                MessageType::AgentAction,
                json!({
                    "synthetic": false, "agent": format!("agent-{}", n % 5), "action": "looked", "status": "completed",
                    "summary": format!("Looked at shard {n} of the orders database and found nothing new"),
                    "confidence": (n % 100) as f64 / 100.0, "marks": [], "hypotheses": [],
                    "evidence": [{ "kind": "metric", "ref": "error_rate", "value": 0.3 }],
                }),
            ),
            _ => (
                MessageType::SystemMetrics,
                json!({
                    "synthetic": false, "users_affected": 18_000 + n % 301,
                    "metrics": { "error_rate": 0.3 + (n % 97) as f64 / 500.0, "latency_p99": 4_000 + n % 50, "traffic": 500 + n % 99 },
                    "cost": { "currency": "USD", "total": n as f64 / 2.0, "per_minute": 1200.0 },
                }),
            ),
        };
        if self.speed > 1.0 {
            let offset_s = (Timestamp::now() - self.began).as_secs_f64() * self.speed;
            data["synthetic"] = true.into();
            data["offset_s"] = offset_s.into();
            data["phase"] = "diagnose".into();
            if n == 1 {
                data["speed"] = self.speed.into();
            }
        }
        let data = RawValue::from_string(data.to_string())?;
        Ok(Record { subject: format!("load-{incident}"), place: Place::At(n), kind, data, plan: None })
    }
}
