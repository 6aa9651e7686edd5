//! Servers of other people, and what stands between: Python's `websockets`, Node's `ws`, nginx.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::{Running, Scratch, Serving, incident, root};
use crate::proxies::nginx;
use crate::validate::command::json;

/// What each fault of such a server breaks: the rule, and what is said.
const FAULTS: [(&str, &str, &str); 5] = [
    ("lose", "gap", "is missing"),
    ("swap", "order", "positions rise"),
    ("repeat", "duplicate", "arrived twice"),
    ("break", "envelope", "not JSON"),
    ("close", "connection", "with code 1011 and the reason"),
];

/// A process that is ended when dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The events of an incident, one a line.
fn recording() -> Scratch {
    let server = Serving::with(&["--speed", "1000"]);
    server.incident(&["trigger", "database-outage"]).run();
    let recording = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run().stdout;
    assert!(recording.lines().count() > 100, "{recording}");
    Scratch::new().with("recording.ndjson", &recording)
}

/// Runs a server, which prints its port.
fn listening(command: &mut Command) -> (Ended, String) {
    let mut process =
        Ended(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("./tests/run installs it"));
    let mut port = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    (process, format!("ws://127.0.0.1:{}/stream", port.trim()))
}

fn failed(report: &Value) -> Vec<(&str, String)> {
    let rules = report["targets"][0]["rules"].as_array().unwrap().iter();
    let failed = rules.filter(|rule| rule["status"] == "failed");
    failed.map(|rule| (rule["rule"].as_str().unwrap(), rule["findings"].to_string())).collect()
}

/// The server passes as it is, and each of its faults is found.
fn judged(command: impl Fn() -> Command) {
    let folder = recording();
    let file = folder.path().join("recording.ndjson");
    let validate = |url: &str| -> Running {
        incident(&["validate", "--url", url, "--for", "2s", "--limit", "pacing.late=9s", "--format", "json"])
            .spawn()
    };
    let (_server, url) = listening(command().arg(&file));
    let ran = validate(&url).end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    for (fault, rule, says) in FAULTS {
        let (_server, url) = listening(command().arg(&file).arg(fault));
        let ran = validate(&url).end();
        let report = json(&ran);
        let failed = failed(&report);
        assert_eq!(ran.status, Some(5), "{fault}: {failed:?}");
        assert!(
            matches!(&*failed, [(name, found)] if *name == rule && found.contains(says)),
            "{fault}: {failed:?}"
        );
    }
}

#[test]
#[ignore = "needs Python's websockets: ./tests/run installs it and runs this"]
fn a_server_in_python_is_judged() {
    judged(|| {
        let mut python = Command::new(root().join("target/test-tools/python/bin/python"));
        python.arg(root().join("tests/servers/replay.py"));
        python
    });
}

#[test]
#[ignore = "needs Node.js and its ws: ./tests/run installs them and runs this"]
fn a_server_in_javascript_is_judged() {
    judged(|| {
        let mut node = Command::new("node");
        node.arg(root().join("tests/servers/replay.mjs"))
            .env("NODE_TOOLS", root().join("target/test-tools/node"));
        node
    });
}

#[test]
#[ignore = "needs nginx: ./tests/run installs it and runs this"]
fn a_proxy_that_cuts_idle_connections_is_found_out() {
    // The server says nothing for longer than the proxy waits.
    let server = Serving::with(&["--heartbeat", "30s"]);
    let config = "server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:7911; \
                  proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                  proxy_set_header Connection upgrade; proxy_read_timeout 2s; } }";
    let proxy = nginx(server.address(), config);
    let url = format!("ws://{}/ws", proxy.address);
    let ran = incident(&[
        "validate",
        "--url",
        &url,
        "--for",
        "20s",
        "--clients",
        "1",
        "--gentle",
        "--format",
        "json",
    ])
    .run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let report = json(&ran);
    let [("connection", found)] = &*failed(&report) else { panic!("{report}") };
    // The second at which it was cut, and not before.
    let (_, seconds) = found.split_once("after ").unwrap();
    let seconds: f64 = seconds.split(' ').next().unwrap().parse().unwrap();
    assert!((1.9..20.0).contains(&seconds), "{found}");
}
