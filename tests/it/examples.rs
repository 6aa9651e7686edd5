//! The programs in `examples/` do what they say, against a real server and through a connection that is cut.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use incident::journal::Retention;
use incident::server::Options;
use incident::token::Scope;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{
    Http, Local, Numbers, Proxy, READ, Scratch, Serving, incident, ms, options, root, tokens,
};
use crate::receivers;

/// The program that cargo built from an example.
fn built(name: &str) -> Command {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_incident")).with_file_name("examples").join(name);
    assert!(program.exists(), "{} is not there: `cargo build --examples` builds it", program.display());
    Command::new(program)
}

/// Runs a follower through a proxy that cuts its connection twice, until it has seen the end of an incident. Gives the
/// positions that it printed.
async fn followed(mut command: Command, scheme: &str, path: &str) -> Vec<String> {
    let server = Serving::with(&["--speed", "40"]);
    let proxy = Proxy::to(server.address()).await;
    server.incident(&["trigger", "database-outage", "--no-wait"]).run();
    command.arg(format!("{scheme}://{}{path}", proxy.address));
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let ended = thread::spawn(move || running.wait_with_output().unwrap());
    for _ in 0..2 {
        tokio::time::sleep(ms(1_200)).await;
        proxy.cut();
    }
    let ran = tokio::task::spawn_blocking(move || ended.join().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("trying again"), "it lost its connection: {said}");
    let lines = String::from_utf8(ran.stdout).unwrap();
    assert!(lines.trim_end().ends_with(" incident_resolved"), "{lines}\n{said}");
    lines.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// Every position once and in order.
fn gapless(positions: &[String]) {
    let numbers: Vec<u64> =
        positions.iter().map(|position| position.split_once('/').unwrap().1.parse().unwrap()).collect();
    assert!(numbers.len() > 100, "{numbers:?}");
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn following_in_rust_resumes() {
    gapless(&followed(built("follow"), "ws", "/ws").await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python's websockets: ./tests/run installs it and runs this"]
async fn following_in_python_resumes() {
    let mut python = Command::new(root().join("target/test-tools/python/bin/python"));
    python.arg(root().join("examples/follow.py"));
    gapless(&followed(python, "ws", "/ws").await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js: ./tests/run installs it and runs this"]
async fn following_in_javascript_resumes() {
    let mut node = Command::new("node");
    node.arg(root().join("examples/follow.mjs"));
    gapless(&followed(node, "http", "/events").await);
}

/// Passes requests on, and loses the answer to the first request of every other connection, as a kill between commit and answer
/// does.
async fn forgetful(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut loses = false;
        while let Ok((mut client, _)) = listener.accept().await {
            loses = !loses;
            let lost = loses;
            tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect(server).await else { return };
                if !lost {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    return;
                }
                let (mut from_client, _to_client) = client.split();
                let (from_server, mut to_server) = server.split();
                tokio::select! {
                    _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                    // The server answers: what it has answered is durable.
                    _ = from_server.readable() => {}
                }
            });
        }
    });
    address
}

/// Runs an example twice through a connection that loses answers: everything is there once, and the validator passes it.
async fn published(command: impl Fn() -> Command, source: &str) {
    let server = Serving::with(&[]);
    let address = forgetful(server.address()).await;
    let subject = "login-9";
    let since = jiff::Timestamp::now().as_second() - 60;
    let mut runs = Vec::new();
    for round in 0..2 {
        let mut command = command();
        command.arg(format!("http://{address}")).arg(subject);
        match source {
            "/agents/example-python" => command.arg(format!("--since={since}")),
            _ => command.arg(since.to_string()),
        };
        let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{said}");
        assert!(round == 1 || said.contains("trying again"), "it lost an answer: {said}");
        runs.push(String::from_utf8(ran.stdout).unwrap());
    }
    assert!(
        runs[0].contains("repeat") || runs[0].contains("duplicate"),
        "what was lost was stored: {}",
        runs[0]
    );
    let ran = server.incident(&["watch", "--json", "--after", "0", "--no-follow"]).run();
    let events: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&Value> = events.iter().filter(|event| event["subject"] == subject).collect();
    let indexes: Vec<u64> = events.iter().map(|event| event["index"].as_u64().unwrap()).collect();
    assert_eq!(indexes, (1..=indexes.len() as u64).collect::<Vec<_>>());
    for (run, line) in runs.iter().zip(["first", "second"]) {
        assert_eq!(run.lines().count(), events.len(), "{line}: {run}");
    }
    assert!(
        events
            .iter()
            .all(|event| event["data"]["origin"]["source"] == source && event["data"]["synthetic"] == false)
    );
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    for (kind, least) in
        [("incident_started", 1), ("agent_action", 2), ("system_metrics", 2), ("incident_resolved", 1)]
    {
        assert!(kinds.iter().filter(|known| **known == kind).count() >= least, "{kinds:?}");
    }
    let record = Scratch::new().with("run.ndjson", &ran.stdout);
    let judged = incident(&["validate", "run.ndjson"]).at(record.path()).run();
    assert_eq!(judged.status, Some(0), "{}{}", judged.stdout, judged.stderr);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python's cloudevents: ./tests/run installs it and runs this"]
async fn publishing_in_python_stores_everything_once() {
    let command = || {
        let mut python = Command::new(root().join("target/test-tools/python/bin/python"));
        python.arg(root().join("examples/publish.py"));
        python
    };
    published(command, "/agents/example-python").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js: ./tests/run installs it and runs this"]
async fn publishing_in_javascript_stores_everything_once() {
    let command = || {
        let mut node = Command::new("node");
        node.arg(root().join("examples/publish.mjs"));
        node
    };
    published(command, "/agents/example-node").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs curl: ./tests/run installs it and runs this"]
async fn publishing_with_curl_stores_everything_once() {
    let command = || {
        let mut sh = Command::new("sh");
        sh.arg(root().join("examples/publish.sh"));
        sh
    };
    published(command, "/agents/example-shell").await;
}

/// What it published is there once, although it lost an answer and was started again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: ./tests/run installs it and runs this"]
async fn an_agent_in_python_adds_to_an_alert_that_fires() {
    let setups = Options { receivers: Some(receivers::setups("")), ..options() };
    let server = Local::with(setups, Retention::default()).await;
    let delivery = receivers::group(&[receivers::firing("A", 0)]).to_string();
    let delivered = Http::new(server.address, "POST", "/hooks/alertmanager/prod")
        .header("Content-Type", "application/json")
        .bearer(receivers::SECRET)
        .body(&delivery)
        .send()
        .await;
    let subject = delivered.json()["incidents"][0].as_str().unwrap().to_owned();
    let address = forgetful(server.address).await;
    for _ in 0..2 {
        let mut python = Command::new(root().join("target/test-tools/python/bin/python"));
        python.arg(root().join("examples/agent.py")).arg(format!("http://{address}"));
        let mut running = python.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let printed = BufReader::new(running.stdout.take().unwrap());
        let line = tokio::task::spawn_blocking(move || printed.lines().next().unwrap().unwrap());
        assert_eq!(line.await.unwrap(), format!("{subject}: added 2 actions"));
        running.kill().unwrap();
        let said = String::from_utf8(running.wait_with_output().unwrap().stderr).unwrap();
        assert!(said.contains("trying again"), "it lost its connection: {said}");
    }
    let state = Http::new(server.address, "GET", &format!("/api/incidents/{subject}")).send().await.json();
    assert_eq!((state["index"].as_u64(), server.journal_head()), (Some(4), 4), "{state}");
}

/// A token is shown, and one that may not publish is told why, at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python's cloudevents, Node.js and curl: ./tests/run installs them and runs this"]
async fn the_examples_that_publish_show_their_token_and_say_why_they_are_refused() {
    let known = tokens(&[(Scope::Read, READ), (Scope::Publish, "publ1sh-0123456789abcdef")]);
    let server = Local::with(Options { tokens: known, ..options() }, Retention::default()).await;
    let python = root().join("target/test-tools/python/bin/python").display().to_string();
    for (number, (program, example)) in
        [(python.as_str(), "publish.py"), ("node", "publish.mjs"), ("sh", "publish.sh")]
            .into_iter()
            .enumerate()
    {
        let run = async |token: &str| {
            let mut command = Command::new(program);
            command.arg(root().join("examples").join(example)).env("INCIDENT_TOKEN", token);
            command.arg(format!("http://{}", server.address)).arg(format!("login-{number}"));
            tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
        };
        let refused = run(READ).await;
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && said.contains("a read token allows reading only"),
            "{example}: {said}"
        );
        let ran = run("publ1sh-0123456789abcdef").await;
        assert!(ran.status.success(), "{example}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

/// It gets the same shares of the open files as `incident serve`.
#[tokio::test]
async fn a_server_inside_a_program_takes_no_more_clients_than_the_system_allows() {
    let program = built("embed").get_program().to_owned();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 300 && exec \"$0\""]).arg(program);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(running.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let address = said.trim().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let limit = Numbers::of(address).await.get("incident_clients_limit");
    running.kill().unwrap();
    running.wait().unwrap();
    assert!((50.0..300.0).contains(&limit), "{limit}");
}

#[test]
fn a_server_inside_a_program_plays_to_the_end() {
    let ran = built("embed").output().unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{wrong}");
    assert!(said.starts_with("http://127.0.0.1:"), "{said}");
    assert!(said.contains("is resolved: "), "{said}");
    assert!(said.lines().count() > 10, "{said}");
}
