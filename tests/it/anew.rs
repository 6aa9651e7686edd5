//! Servers that start anew by themselves, because the stream of their journal has become another one: they come back whatever
//! became of their files meanwhile, and do nothing again that was asked for once.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::nats::NatsServer;
use crate::harness::{Client, Http, Running, Scratch, Serving, WRITE, get, incident, ms, soon};
use crate::publish::{action, post, started};

/// A stream of its own, and what is done to it.
pub struct Stream(String);

impl Stream {
    pub fn new() -> Self {
        Self(NatsServer::fresh_name())
    }

    fn location(&self) -> String {
        NatsServer::shared().location(&self.0).display().to_string()
    }

    /// Purges it by hand, but for the newest event.
    pub async fn purge(&self) {
        let client = async_nats::connect(format!("127.0.0.1:{}", NatsServer::shared().port)).await.unwrap();
        let what = format!("$JS.API.STREAM.PURGE.{}", self.0);
        let answer = client.request(what, json!({ "keep": 1 }).to_string().into()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert!(answer["purged"].as_u64() > Some(0), "{answer}");
    }
}

/// Waits until a server is ready, and says where.
pub fn ready(server: &mut Running) -> SocketAddr {
    let socket = server.says("WebSocket");
    server.says("Ready in");
    socket.rsplit("://").next().unwrap().trim_end_matches("/ws").parse().unwrap()
}

/// What it is run with.
fn command_line(server: &Running) -> Vec<String> {
    let line = fs::read_to_string(format!("/proc/{}/cmdline", server.id())).unwrap();
    line.split_terminator('\0').map(str::to_owned).collect()
}

/// The name of the stream, for who has the token.
async fn name(address: SocketAddr) -> String {
    let header = format!("Bearer {WRITE}");
    Client::with_headers(address, "", &[("Authorization", &header)]).await.unwrap().opened.stream
}

/// The incidents that a server has, for who has the token.
async fn told(address: SocketAddr) -> Value {
    let reply = Http::new(address, "GET", "/api/incidents").bearer(WRITE).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

fn ids(told: &Value) -> Vec<String> {
    told["incidents"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// Adds two events, as a publisher does that tries again after a 503.
pub async fn add(address: SocketAddr, subject: &str) {
    let [first, second] = [1, 2].map(|number| format!("{subject}-{number}"));
    let body = Value::from(vec![started(subject, &first), action(subject, &second, "looked")]).to_string();
    soon("an answer", async {
        loop {
            let reply = post(address, "application/cloudevents-batch+json", &body).bearer(WRITE).send().await;
            if reply.status == 200 {
                return;
            }
            assert_eq!(reply.status, 503, "{reply:?}");
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
}

/// Purges the stream, and waits until the server is back at the same address with another stream.
async fn is_back(server: &mut Running, address: SocketAddr, stream: &Stream) {
    let old = name(address).await;
    stream.purge().await;
    server.says("this server starts anew");
    assert_eq!(ready(server), address);
    assert_ne!(name(address).await, old);
}

pub fn serve(stream: &Stream, args: &[&str]) -> crate::harness::Run {
    let location = stream.location();
    incident(&[&["serve", "--port", "0", "--journal", &location], args].concat())
}

/// Twice, as the second time the pipe is one that the first process has made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_server_whose_tokens_came_through_a_pipe_comes_back_with_them() {
    let stream = Stream::new();
    let (mut server, mut tokens) = serve(&stream, &["--token-file", "/dev/stdin"]).fed();
    writeln!(tokens, "write {WRITE}").unwrap();
    drop(tokens);
    let address = ready(&mut server);
    for round in ["a", "b"] {
        add(address, round).await;
        is_back(&mut server, address, &stream).await;
        assert_eq!(get(address, "/api/incidents").await.status, 401, "tokens are still required");
        let line = command_line(&server);
        assert!(line.iter().all(|word| !word.contains(WRITE)), "{line:?}");
    }
}

/// As an upgrade of a package does it: another file gets the name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_server_whose_program_was_replaced_comes_back() {
    let (stream, folder) = (Stream::new(), Scratch::new());
    let (program, new) = (folder.path().join("incident"), folder.path().join("new"));
    fs::copy(env!("CARGO_BIN_EXE_incident"), &program).unwrap();
    let script = format!("exec {} \"$@\"", program.display());
    let mut server = serve(&stream, &[]).behind(&["sh".to_owned(), "-c".to_owned(), script]).spawn();
    let address = ready(&mut server);
    add(address, "a").await;
    fs::copy(env!("CARGO_BIN_EXE_incident"), &new).unwrap();
    fs::rename(&new, &program).unwrap();
    is_back(&mut server, address, &stream).await;
    assert_eq!(command_line(&server)[0], program.display().to_string(), "it is called as before");
    // Nor does it need the name to be there.
    fs::remove_file(&program).unwrap();
    add(address, "b").await;
    is_back(&mut server, address, &stream).await;
}

/// A recording of so many drills, which are over.
fn recording(file: &Path, drills: usize) -> String {
    let server = Serving::with(&["--journal", "memory", "--speed", "1000"]);
    for _ in 0..drills {
        let ran = server.incident(&["trigger", "database-outage", "--quiet"]).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
    }
    let file = file.display().to_string();
    let ran = server.incident(&["watch", "--after", "0", "--no-follow", "--record", &file, "--quiet"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn what_was_asked_for_once_is_not_done_again() {
    let (stream, folder) = (Stream::new(), Scratch::new());
    let file = recording(&folder.path().join("run.ndjson"), 1);
    let replay = format!("--replay={file}");
    // There is no browser in the path.
    let args = ["--trigger", "noise", &replay, "--open", "--trigger=memory-leak", "--heartbeat", "200ms"];
    let mut server = serve(&stream, &args).env("PATH", folder.text()).spawn();
    let address = ready(&mut server);
    soon("the end of the replay", async {
        loop {
            let told = told(address).await;
            let all = told["incidents"].as_array().unwrap();
            if all.len() == 3 && all.iter().any(|one| one["state"] == "resolved") {
                return;
            }
            tokio::time::sleep(ms(20)).await;
        }
    })
    .await;
    let before = ids(&told(address).await);
    is_back(&mut server, address, &stream).await;
    let line = command_line(&server);
    let port = address.port().to_string();
    let location = stream.location();
    let wanted = ["serve", "--port", &port, "--journal", &location, "--heartbeat", "200ms"];
    assert_eq!(line[1..], wanted.map(str::to_owned));
    let now = ids(&told(address).await);
    assert!(now.iter().all(|id| before.contains(id)), "{now:?}, and before {before:?}");
}

/// The second one begins minutes after the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_replay_with_incidents_that_have_not_begun_goes_on() {
    let (stream, folder) = (Stream::new(), Scratch::new());
    let file = recording(&folder.path().join("run.ndjson"), 2);
    let mut server = serve(&stream, &["--replay", &file, "--speed", "0.001"]).spawn();
    let address = ready(&mut server);
    add(address, "a").await;
    is_back(&mut server, address, &stream).await;
    let line = command_line(&server);
    assert!(line.windows(2).any(|two| two == ["--replay", &file]), "{line:?}");
}

/// It would end without coming back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_server_that_cannot_start_anew_says_so_at_its_start_and_goes_on_answering() {
    let stream = Stream::new();
    let (mut server, mut scenarios) = serve(&stream, &["--scenarios", "/dev/stdin"]).fed();
    let shown = incident(&["show", "noise"]).run();
    scenarios.write_all(shown.stdout.as_bytes()).unwrap();
    drop(scenarios);
    let said = server.says("can't start anew by itself");
    assert!(said.contains("/dev/stdin came through a pipe"), "{said}");
    let address = ready(&mut server);
    add(address, "a").await;
    stream.purge().await;
    server.says("stop it and start it again");
    assert_eq!(get(address, "/healthz").await.status, 200);
    assert_eq!(get(address, "/readyz").await.status, 503);
}
