//! The programs in `examples/` do what they say, against a real server and through a connection that is cut.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use crate::harness::{Numbers, Proxy, Serving, ms, root};

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
