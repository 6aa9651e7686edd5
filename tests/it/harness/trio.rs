//! Three nats-servers that keep a stream together, and three servers of `incident` over it: real processes, on the loopback
//! address or on machines of their own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};

use super::machines::Machines;
use super::ports::free_ports;
use super::{Run, Scratch, Serving, fixture, incident, ms, root};

/// How many there are of each.
pub const THREE: usize = 3;

/// The name of the stream.
pub const STREAM: &str = "incident";

/// How many of these there may be at once.
const AT_ONCE: usize = 2;

/// How long an election, or a start of everything, may take on a machine with much else to do.
const LONG: Duration = Duration::from_secs(60);

/// Runs a server until its stdin ends, and tells its process.
const GUARDED: &str = r#"
"$@" >/dev/null 2>&1 &
echo $!
read -r _
kill -9 $!
"#;

/// A nats-server with its folder, running or not.
pub struct Nats {
    /// What runs a command where it is.
    enter: Vec<String>,
    folder: PathBuf,
    /// Where a test reaches it.
    pub address: SocketAddr,
    guard: Option<(Child, u32)>,
}

impl Nats {
    pub fn start(&mut self) {
        let binary = root().join("target/test-tools/python/bin/nats-server");
        assert!(binary.exists(), "there is no nats-server: ./tests/run installs it");
        let mut guard = Command::new("sh")
            .args(["-c", GUARDED, "sh"])
            .args(&self.enter)
            .arg(binary)
            .arg("-c")
            .arg(self.folder.join("conf"))
            .arg("-l")
            .arg(self.folder.join("log"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(guard.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.guard = Some((guard, line.trim().parse().unwrap()));
    }

    pub fn signal(&self, name: &str) {
        let Some((_, id)) = &self.guard else { return };
        assert!(Command::new("kill").args([format!("-{name}"), id.to_string()]).status().unwrap().success());
    }

    /// Ends it without a warning.
    pub fn kill(&mut self) {
        if let Some((mut guard, _)) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }

    pub fn is_running(&self) -> bool {
        self.guard.is_some()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where clients find the servers of `incident` that run.
pub type Urls = Arc<Mutex<[Option<String>; THREE]>>;

/// All of them. Two at a time in a process, because they wait most of the time, and one where pauses are measured: more would make
/// each other wait.
pub struct Trio {
    pub nats: Vec<Nats>,
    hubs: [Option<Serving>; THREE],
    pub urls: Urls,
    /// There for those of [`Trio::apart`]: three for the nats-servers, and three for the servers of `incident`.
    pub machines: Option<Machines>,
    location: String,
    ports: Vec<u16>,
    started: usize,
    folder: Scratch,
    _turn: SemaphorePermit<'static>,
}

impl Trio {
    /// Everything on the loopback address.
    pub async fn near() -> Self {
        Self::start(None, false).await
    }

    /// Everything on a machine of its own.
    pub async fn apart() -> Self {
        Self::start(Some(Machines::new(2 * THREE)), false).await
    }

    /// As [`Trio::apart`], with a disk for each nats-server that was mounted at `/mnt` of its machine.
    pub async fn prepared(prepare: impl Fn(&Machines)) -> Self {
        let machines = Machines::new(2 * THREE);
        prepare(&machines);
        Self::start(Some(machines), true).await
    }

    async fn start(machines: Option<Machines>, is_prepared: bool) -> Self {
        static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);
        let turns = if std::env::var_os("INCIDENT_CLUSTER_ROUNDS").is_some() { AT_ONCE } else { 1 };
        let turn = TURNS.acquire_many(turns as u32).await.unwrap();
        let folder = Scratch::new();
        // On machines of their own they may all have the usual ports.
        let ports: Vec<(u16, u16)> = match machines {
            Some(_) => vec![(4222, 6222); THREE],
            None => free_ports(2 * THREE).chunks(2).map(|two| (two[0], two[1])).collect(),
        };
        let among =
            |number| machines.as_ref().map_or("127.0.0.1".to_owned(), |all| all.inner(number).to_string());
        let routes: Vec<_> = (0..THREE).map(|n| format!("\"nats://{}:{}\"", among(n), ports[n].1)).collect();
        let mut nats = Vec::new();
        for (number, (client, route)) in ports.iter().enumerate() {
            let folder = folder.path().join(format!("nats-{number}"));
            fs::create_dir_all(folder.join("store")).unwrap();
            // A disk that was prepared is there.
            let store = if is_prepared { PathBuf::from("/mnt/store") } else { folder.join("store") };
            let inner = among(number);
            let listen = if machines.is_some() { "0.0.0.0" } else { "127.0.0.1" };
            let conf = format!(
                "server_name: n{number}\nlisten: \"{listen}:{client}\"\nclient_advertise: \"{inner}:{client}\"\n\
                 jetstream {{ store_dir: \"{}\", sync_interval: always, max_mem: 64MB, max_file: 1GB }}\n\
                 cluster {{ name: test, listen: \"{inner}:{route}\", routes: [{}] }}\n",
                store.display(),
                routes.join(", ")
            );
            fs::write(folder.join("conf"), conf).unwrap();
            let enter = machines.as_ref().map(|all| all.enter(number)).unwrap_or_default();
            let address = match &machines {
                Some(all) => SocketAddr::from((all.outer(number), *client)),
                None => SocketAddr::from(([127, 0, 0, 1], *client)),
            };
            let mut one = Nats { enter, folder, address, guard: None };
            one.start();
            nats.push(one);
        }
        let servers: Vec<_> = (0..THREE).map(|n| format!("{}:{}", among(n), ports[n].0)).collect();
        let location =
            format!("nats://{}?stream={STREAM}&replicas=3&create=1&durability=always", servers.join(","));
        let (hubs, urls) = (Default::default(), Urls::default());
        let mut trio = Self {
            nats,
            hubs,
            urls,
            machines,
            location,
            ports: free_ports(THREE),
            started: 0,
            folder,
            _turn: turn,
        };
        trio.answers("INFO", Value::Null).await;
        for number in 0..THREE {
            trio.start_hub(number).await;
        }
        trio
    }

    /// What all of JetStream answers, once it does.
    pub async fn answers(&self, what: &str, body: Value) -> Value {
        self.answer(what, body, |answer| answer["error"].is_null()).await
    }

    /// The first answer of JetStream that is wanted.
    pub async fn answer(&self, what: &str, body: Value, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let (began, mut last) = (Instant::now(), Value::Null);
        while began.elapsed() < LONG {
            if let Some(answer) = self.ask(what, &body).await {
                if is_wanted(&answer) {
                    return answer;
                }
                last = answer;
            }
            sleep(ms(100)).await;
        }
        panic!("JetStream does not answer {what}; its last answer: {last}\n{}", self.nats[0].log());
    }

    async fn ask(&self, what: &str, body: &Value) -> Option<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = async {
            let client = self.client().await?;
            let answer = client.request(format!("$JS.API.{what}"), body.into()).await.ok()?;
            serde_json::from_slice(&answer.payload).ok()
        };
        timeout(Duration::from_secs(2), answer).await.ok().flatten()
    }

    /// A client of any nats-server that runs.
    pub async fn client(&self) -> Option<async_nats::Client> {
        for nats in self.nats.iter().filter(|nats| nats.is_running()) {
            let options = async_nats::ConnectOptions::new().ignore_discovered_servers();
            let connecting = options.connect(nats.address.to_string());
            if let Ok(Ok(client)) = timeout(ms(700), connecting).await {
                return Some(client);
            }
        }
        None
    }

    /// Where the stream is.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The nats-server that leads the stream.
    pub async fn leader(&self) -> usize {
        let info = self
            .answer(&format!("STREAM.INFO.{STREAM}"), Value::Null, |info| {
                !info["cluster"]["leader"].as_str().unwrap_or_default().is_empty()
            })
            .await;
        info["cluster"]["leader"].as_str().unwrap().trim_start_matches('n').parse().unwrap()
    }

    /// All replicas have what the leader has.
    pub async fn in_step(&self) {
        for stream in [STREAM.to_owned(), format!("{STREAM}_ctl")] {
            self.answer(&format!("STREAM.INFO.{stream}"), Value::Null, |info| {
                let all = info["cluster"]["replicas"].as_array().cloned().unwrap_or_default();
                let well =
                    all.iter().filter(|one| one["current"] == json!(true) && one["offline"] != json!(true));
                all.len() == THREE - 1 && well.count() == all.len()
            })
            .await;
        }
    }

    /// The server of `incident` that has the lease.
    pub async fn holder(&self) -> usize {
        let began = Instant::now();
        while began.elapsed() < LONG {
            let which = json!({ "last_by_subj": format!("incident.{STREAM}.ctl.lease") });
            let found = self.answers(&format!("STREAM.MSG.GET.{STREAM}_ctl"), which).await;
            let post = found["message"]["data"].as_str().unwrap_or_default();
            let post = data_encoding::BASE64.decode(post.as_bytes()).unwrap_or_default();
            let post: Value = serde_json::from_slice(&post).unwrap_or_default();
            let taken = format!("this server has the lease term={}", post["term"]);
            let has = |number: &usize| {
                let newest = self.logs(*number).pop();
                self.hubs[*number].is_some()
                    && newest.is_some_and(|log| log.lines().any(|line| line.ends_with(&taken)))
            };
            if let Some(holder) = (0..THREE).find(has).filter(|_| post["node"] != json!("0")) {
                return holder;
            }
            sleep(ms(100)).await;
        }
        panic!("no server has the lease");
    }

    /// The server that has the lease after another one.
    pub async fn holder_after(&self, old: usize) -> usize {
        let began = Instant::now();
        while began.elapsed() < LONG {
            let holder = self.holder().await;
            if holder != old {
                return holder;
            }
            sleep(ms(100)).await;
        }
        panic!("hub {old} keeps the lease");
    }

    /// What the servers at a place have logged, one after the other.
    pub fn logs(&self, number: usize) -> Vec<String> {
        let names =
            (0..self.started).map(|start| self.folder.path().join(format!("hub-{number}-{start}.log")));
        names.filter_map(|name| fs::read_to_string(name).ok()).collect()
    }

    pub fn hub(&self, number: usize) -> &Serving {
        self.hubs[number].as_ref().expect("it runs")
    }

    pub fn kill_hub(&mut self, number: usize) {
        self.urls.lock()[number] = None;
        self.hubs[number] = None;
    }

    /// Takes a server away, to be ended in another way.
    pub fn take_hub(&mut self, number: usize) -> Serving {
        self.urls.lock()[number] = None;
        self.hubs[number].take().expect("it runs")
    }

    pub async fn start_hub(&mut self, number: usize) {
        self.start_hub_as(number, |run| run).await;
    }

    /// Starts a server that is changed beforehand. While the nats-servers elect, a start fails, and is repeated as a supervisor
    /// would.
    pub async fn start_hub_as(&mut self, number: usize, change: impl Fn(Run) -> Run) {
        let bind = self
            .machines
            .as_ref()
            .map_or("127.0.0.1".to_owned(), |all| all.outer(THREE + number).to_string());
        let scenarios = fixture("scenarios").display().to_string();
        // It keeps its port over its starts.
        let port = self.ports[number].to_string();
        let args = [
            "serve",
            "--port",
            &port,
            "--json",
            "-v",
            "--bind",
            &bind,
            "--allow-remote",
            "--heartbeat",
            "200ms",
            "--journal",
            &self.location,
            "--scenarios",
            &scenarios,
        ];
        let enter = self.machines.as_ref().map(|all| all.enter(THREE + number)).unwrap_or_default();
        let began = Instant::now();
        while began.elapsed() < LONG {
            let log = self.folder.path().join(format!("hub-{number}-{}.log", self.started));
            self.started += 1;
            let run = change(incident(&args)).behind(&enter);
            let log = fs::File::create(log).unwrap();
            let started = tokio::task::spawn_blocking(move || Serving::logging(run, log)).await.unwrap();
            if let Some(hub) = started {
                self.urls.lock()[number] = Some(hub.url().to_owned());
                self.hubs[number] = Some(hub);
                return;
            }
            sleep(ms(200)).await;
        }
        panic!("hub {number} does not start: {}", self.logs(number).pop().unwrap_or_default());
    }
}

impl Drop for Trio {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for number in 0..THREE {
                for log in self.logs(number) {
                    // What the client of NATS itself says is much.
                    let noise = ["received ", "forwarding message", "attempting connection", "client "];
                    let is_noise =
                        |line: &&str| noise.iter().any(|noise| line.contains(&format!("DEBUG {noise}")));
                    let lines: Vec<&str> = log.lines().filter(|line| !is_noise(line)).collect();
                    let from = lines.len().saturating_sub(60);
                    println!("--- hub {number}\n{}", lines[from..].join("\n"));
                }
            }
        }
        for number in 0..THREE {
            self.kill_hub(number);
        }
    }
}
