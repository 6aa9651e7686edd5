//! Three nats-servers on the loopback address that keep every stream together and write to disk before they acknowledge.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use async_nats::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::common::process::Process;

pub(crate) const THREE: usize = 3;

/// How long an election may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long one question may take.
const QUESTION: Duration = Duration::from_secs(2);

/// Runs a server until its standard input ends, and tells its process.
const GUARDED: &str = r#"
"$@" >/dev/null 2>&1 &
echo $!
read -r _
kill -9 $!
"#;

/// All of them, with what they store.
pub(crate) struct Servers {
    guards: Vec<Option<Process>>,
    ports: Vec<u16>,
    folder: PathBuf,
    pub(crate) runtime: Runtime,
}

impl Servers {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let binary = binary();
        ensure!(binary.exists(), "there is no nats-server at {}: ./tests/run installs it", binary.display());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-cluster");
        let _ = fs::remove_dir_all(&folder);
        let ports = free_ports(2 * THREE)?;
        let (ports, routes) = ports.split_at(THREE);
        let all: Vec<_> = routes.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        for (number, (port, route)) in ports.iter().zip(routes).enumerate() {
            let own = folder.join(format!("nats-{number}"));
            fs::create_dir_all(&own)?;
            let conf = format!(
                "server_name: n{number}\nlisten: \"127.0.0.1:{port}\"\n\
                 jetstream {{ store_dir: \"{}\", sync_interval: always }}\n\
                 cluster {{ name: bench, listen: \"127.0.0.1:{route}\", routes: [{}] }}\n",
                own.display(),
                all.join(", ")
            );
            fs::write(folder.join(format!("nats-{number}.conf")), conf)?;
        }
        let runtime = Runtime::new()?;
        let mut servers = Self { guards: Vec::new(), ports: ports.to_vec(), folder, runtime };
        for number in 0..THREE {
            servers.guards.push(Some(servers.run(number)?));
        }
        servers.until("INFO", &Value::Null, |answer| answer["error"].is_null())?;
        Ok(servers)
    }

    fn run(&self, number: usize) -> anyhow::Result<Process> {
        let of = |suffix: &str| self.folder.join(format!("nats-{number}.{suffix}"));
        let mut guarded = Command::new("sh");
        guarded.args(["-c", GUARDED, "sh"]).arg(binary()).arg("-c").arg(of("conf")).arg("-l").arg(of("log"));
        Ok(Process::start(&mut guarded)?.0)
    }

    /// Kills one without a warning.
    pub(crate) fn kill(&mut self, number: usize) -> anyhow::Result<()> {
        self.guards[number].take().map_or(Ok(()), |mut guard| guard.end())
    }

    pub(crate) fn start_again(&mut self, number: usize) -> anyhow::Result<()> {
        self.guards[number] = Some(self.run(number)?);
        Ok(())
    }

    /// The addresses, as in the location of a journal.
    pub(crate) fn addresses(&self) -> String {
        let all: Vec<_> = self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        all.join(",")
    }

    /// The location of a stream, which is created.
    pub(crate) fn location(&self, stream: &str) -> String {
        format!("nats://{}?stream={stream}&replicas=3&create=1&durability=always", self.addresses())
    }

    /// The location of a stream, by way of one server alone.
    pub(crate) fn location_at(&self, stream: &str, number: usize) -> String {
        format!("nats://127.0.0.1:{}?stream={stream}&replicas=3&durability=always", self.ports[number])
    }

    /// A client of one server.
    pub(crate) async fn client_of(&self, number: usize) -> anyhow::Result<Client> {
        let options = async_nats::ConnectOptions::new().ignore_discovered_servers();
        Ok(options.connect(format!("127.0.0.1:{}", self.ports[number])).await?)
    }

    /// A client of those that run.
    pub(crate) async fn client(&self) -> anyhow::Result<Client> {
        let running = self.ports.iter().zip(&self.guards).filter(|(_, guard)| guard.is_some());
        let servers: Vec<_> = running.map(|(port, _)| format!("127.0.0.1:{port}")).collect();
        let options = async_nats::ConnectOptions::new().ignore_discovered_servers();
        Ok(options.connect(servers).await?)
    }

    /// What JetStream answers.
    pub(crate) fn ask(&self, what: &str, body: &Value) -> anyhow::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.runtime.block_on(async {
            let asking = async {
                let client = self.client().await?;
                let answer = client.request(format!("$JS.API.{what}"), body.into()).await?;
                anyhow::Ok(serde_json::from_slice(&answer.payload)?)
            };
            tokio::time::timeout(QUESTION, asking).await.context("JetStream does not answer")?
        })
    }

    /// Asks until the answer is wanted.
    pub(crate) fn until(
        &self,
        what: &str,
        body: &Value,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let began = Instant::now();
        let mut last = None;
        while began.elapsed() < PATIENCE {
            match self.ask(what, body) {
                Ok(answer) if is_wanted(&answer) => return Ok(answer),
                answer => last = Some(answer),
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("JetStream does not answer {what} as it should; its last answer: {last:?}")
    }

    /// Creates a stream with three replicas that takes atomic batches.
    pub(crate) fn create(&self, stream: &str) -> anyhow::Result<()> {
        let config = json!({
            "name": stream, "subjects": [format!("{stream}.*")], "storage": "file", "retention": "limits",
            "num_replicas": THREE, "allow_atomic": true, "allow_direct": true,
        });
        self.until(&format!("STREAM.CREATE.{stream}"), &config, |answer| answer["error"].is_null()).map(drop)
    }

    /// Deletes one stream. Servers that have just lost one of them may take longer than one question, and it is gone at the next.
    pub(crate) fn delete_one(&self, stream: &str) -> anyhow::Result<()> {
        let gone = |answer: &Value| answer["error"].is_null() || answer["error"]["code"] == json!(404);
        self.until(&format!("STREAM.DELETE.{stream}"), &Value::Null, gone).map(drop)
    }

    /// Deletes the streams of a journal, so that they cost the next section nothing.
    pub(crate) fn delete(&self, stream: &str) -> anyhow::Result<()> {
        self.delete_one(stream)?;
        self.delete_one(&format!("{stream}_ctl"))
    }

    /// The nats-server that leads a journal whose replicas have everything.
    pub(crate) fn leader(&self, stream: &str) -> anyhow::Result<usize> {
        self.leader_of(&format!("{stream}_ctl"))?;
        self.leader_of(stream)
    }

    /// The nats-server that leads one stream whose replicas have everything.
    pub(crate) fn leader_of(&self, stream: &str) -> anyhow::Result<usize> {
        let well = |replica: &&Value| replica["current"] == json!(true) && replica["offline"] != json!(true);
        let info = self.until(&format!("STREAM.INFO.{stream}"), &Value::Null, |info| {
            let replicas = info["cluster"]["replicas"].as_array();
            replicas.is_some_and(|all| all.iter().filter(well).count() == THREE - 1)
        })?;
        let leader: Option<usize> =
            info["cluster"]["leader"].as_str().and_then(|name| name.strip_prefix('n')?.parse().ok());
        leader.filter(|leader| *leader < THREE).context("the stream has no leader")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for mut guard in self.guards.drain(..).flatten() {
            // The guard ends its server when its standard input ends.
            let _ = guard.end();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn binary() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/python/bin/nats-server")
}

fn free_ports(many: usize) -> anyhow::Result<Vec<u16>> {
    let held = (0..many).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    Ok(held.iter().map(|one| Ok(one.local_addr()?.port())).collect::<std::io::Result<_>>()?)
}
