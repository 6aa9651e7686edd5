//! Servers that other people wrote: Python's `websockets`, Node's `ws`, and event streams of both standard libraries.

use std::process::{Child, Command, Stdio};

use super::{failures, rule, validate};
use crate::harness::{root, soon};
use crate::validate::command::json as report_of;

/// A server that is killed when dropped. It prints its port and a line break.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn start(program: &str, script: &str, fault: &str) -> (Server, u16) {
    let mut command = Command::new(program);
    let script = root().join("tests/strangers").join(script);
    command.arg(script).arg(fault).stdout(Stdio::piped()).stdin(Stdio::null());
    command.env("NODE_PATH", root().join("target/test-tools/node/node_modules"));
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
    let out = child.stdout.take().unwrap();
    let port = soon(
        "the port",
        tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
            line.trim().parse().unwrap()
        }),
    );
    let port = port.await.unwrap();
    (Server(child), port)
}

fn python() -> String {
    root().join("target/test-tools/python/bin/python").display().to_string()
}

/// Sound, the server passes; with a fault, its rule fails and no other.
async fn check(program: &str, script: &str, flag: &str, faults: &[(&str, &str)], flags: &[&str]) {
    for (fault, breaks) in [("none", "")].iter().chain(faults) {
        let (_server, port) = start(program, script, fault).await;
        let scheme = if flag == "--sse" { "http" } else { "ws" };
        let mut args = vec![flag.to_owned(), format!("{scheme}://127.0.0.1:{port}/feed")];
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let ran = validate(args).await;
        let found = failures(&ran);
        if *fault == "none" {
            assert_eq!(ran.status, Some(0), "{script}: {ran:?}");
            assert_eq!(rule(&report_of(&ran), "fan-out")["status"], "passed", "{script}: {ran:?}");
        } else {
            let names: Vec<&str> = found.iter().map(|(rule, _)| rule.as_str()).collect();
            assert_eq!(names, [*breaks], "{script} {fault}: {found:?}");
        }
    }
}

const NUMBERED: &[(&str, &str)] =
    &[("gap", "gap"), ("twice", "duplicate"), ("close", "connection"), ("text", "schema")];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python's websockets: ./tests/run installs it and runs this"]
async fn websockets_of_python() {
    check(&python(), "numbered.py", "--url", NUMBERED, &["--profile", "sequence", "--for", "1s"]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js and its ws: ./tests/run installs them and runs this"]
async fn ws_of_node() {
    check("node", "numbered.cjs", "--url", NUMBERED, &["--profile", "sequence", "--for", "1s"]).await;
}

const EVENTS: &[(&str, &str)] =
    &[("twice", "duplicate"), ("close", "connection"), ("forget", "resume"), ("type", "connection")];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: ./tests/run installs it and runs this"]
async fn an_event_stream_of_python() {
    check(&python(), "events.py", "--sse", EVENTS, &["--profile", "sse", "--for", "1s"]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node.js: ./tests/run installs it and runs this"]
async fn an_event_stream_of_node() {
    check("node", "events.cjs", "--sse", EVENTS, &["--profile", "sse", "--for", "1s"]).await;
}
