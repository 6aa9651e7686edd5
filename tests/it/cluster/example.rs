//! `contrib/cluster`: one script starts everything on one machine, and another ends it.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::harness::ports::free_ports;
use crate::harness::trio::THREE;
use crate::harness::{Scratch, get, root};

/// Ends what runs in a folder, whatever became of the test.
struct Up(Scratch);

impl Up {
    fn run(&self, script: &str, ports: &[u16]) -> (Option<i32>, String) {
        let text = |ports: &[u16]| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
        let output = Command::new(root().join("contrib/cluster").join(script))
            .arg(self.0.path().join("cluster"))
            .env("NATS_SERVER", root().join("target/test-tools/python/bin/nats-server"))
            .env("INCIDENT", env!("CARGO_BIN_EXE_incident"))
            .env("NATS_PORTS", text(&ports[..THREE]))
            .env("ROUTE_PORTS", text(&ports[THREE..2 * THREE]))
            .env("PORTS", text(&ports[2 * THREE..]))
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let pids = std::fs::read_to_string(self.0.path().join("cluster/pids")).unwrap_or_default();
        for pid in pids.lines() {
            let _ = Command::new("kill").args(["-9", pid]).status();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn the_example_starts_three_of_each_and_ends_them() {
    let (up, ports) = (Up(Scratch::new()), free_ports(3 * THREE));
    let (status, said) = up.run("up", &ports);
    assert_eq!(status, Some(0), "{said}");
    let urls: Vec<&str> = said.lines().collect();
    assert_eq!(urls.len(), THREE, "{said}");
    for (url, port) in urls.iter().zip(&ports[2 * THREE..]) {
        assert_eq!(*url, format!("http://127.0.0.1:{port}/"));
        assert_eq!(get(([127, 0, 0, 1], *port).into(), "/readyz").await.status, 200);
    }
    let (status, said) = up.run("up", &ports);
    assert!(status == Some(1) && said.contains("down"), "{said}");
    let (status, said) = up.run("down", &ports);
    assert_eq!(status, Some(0), "{said}");
    for port in &ports {
        assert!(std::net::TcpStream::connect(("127.0.0.1", *port)).is_err(), "{port} still answers");
    }
    let (status, said) = up.run("down", &ports);
    assert!(status == Some(1) && said.contains("nothing runs"), "{said}");
}

/// Containers can't be started here: what is in the file is compared with what the program and the script know.
#[test]
#[ignore = "needs Python: ./tests/run installs it and runs this"]
fn the_containers_are_those_of_the_script() {
    let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let output = Command::new(root().join("target/test-tools/python/bin/python"))
        .args(["-c", read])
        .arg(root().join("contrib/cluster/compose.yml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file: Value = serde_json::from_slice(&output.stdout).unwrap();
    let services = file["services"].as_object().unwrap();
    let names: BTreeSet<&str> = services.keys().map(String::as_str).collect();
    let wanted: BTreeSet<String> =
        ["nats", "incident"].iter().flat_map(|kind| (0..THREE).map(move |n| format!("{kind}-{n}"))).collect();
    assert_eq!(names, wanted.iter().map(String::as_str).collect());
    let help = crate::harness::incident(&["serve", "--help"]).run().stdout;
    let script = std::fs::read_to_string(root().join("contrib/cluster/up")).unwrap();
    for n in 0..THREE {
        let command = services[&format!("incident-{n}")]["command"].as_array().unwrap();
        for flag in command.iter().skip(1).map(|flag| flag.as_str().unwrap()) {
            let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
            assert!(help.contains(name), "{flag}");
            let query = value.split_once('?').map_or("", |(_, query)| query);
            assert!(script.contains(query), "{flag}");
        }
    }
    let conf = file["configs"]["nats"]["content"].as_str().unwrap();
    assert!(conf.contains("sync_interval: always"), "{conf}");
}
