//! A real Prometheus whose rule fires and is resolved, a pair of real Alertmanagers that both tell of it, and a server that is
//! killed between: each change is there once, and the validator passes it.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::real::{folder, judged, start, words};
use crate::harness::{Numbers, Scratch, Serving};

/// A target with one gauge.
async fn target(value: Arc<AtomicU32>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let value = Arc::clone(&value);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let body = format!("probe_value {}\n", value.load(Ordering::Relaxed));
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            });
        }
    });
    address
}

/// A Prometheus that is killed when dropped.
struct Prometheus {
    process: Child,
    _folder: Scratch,
}

impl Prometheus {
    fn start(target: SocketAddr, alertmanagers: &[SocketAddr]) -> Self {
        let targets: Vec<String> = alertmanagers.iter().map(|address| format!("\"{address}\"")).collect();
        let config = format!(
            "global: {{ scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms }}\n\
             rule_files: [rules.yml]\n\
             alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: [{}] }}] }}] }}\n\
             scrape_configs: [{{ job_name: checkout, static_configs: [{{ targets: [\"{target}\"] }}] }}]\n",
            targets.join(", ")
        );
        let rules = "groups:\n- name: probe\n  rules:\n  - alert: ProbeHigh\n    expr: probe_value > 0\n    \
                     labels: { service: checkout, severity: warning }\n    annotations: { summary: \"the probe is {{ $value }}\" }\n  \
                     - alert: ProbeVeryHigh\n    expr: probe_value > 1\n    labels: { service: checkout, severity: critical, alertname: ProbeVeryHigh }\n";
        let folder = Scratch::new().with("prometheus.yml", &config).with("rules.yml", rules);
        let process = Command::new("prometheus")
            .args([
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                "--web.listen-address=127.0.0.1:0",
            ])
            .args(["--rules.alert.resend-delay=1s", "--log.level=error"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is installed: ./tests/run does that");
        Self { process, _folder: folder }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const EVENTS: &str = "incident_hook_events_total{receiver=\"prod\"}";
const REPEATS: &str = "incident_hook_repeats_total{receiver=\"prod\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs Prometheus and Alertmanager: ./tests/run installs them and runs this"]
async fn a_rule_fires_gets_worse_and_is_resolved_over_a_pair_and_a_restart() {
    let (folder, journal) = (folder(), Scratch::new());
    let path = |folder: &Scratch, name: &str| folder.path().join(name).display().to_string();
    let (file, journal_file) = (path(&folder, "receivers.toml"), path(&journal, "journal.db"));
    let serve = |port: &str| {
        let fixed = ["serve", "--port", port, "--json", "--quiet"];
        Serving::again(&[&fixed[..], &["--journal", &journal_file, "--receivers", &file]].concat())
    };
    let server = serve("0");
    let address = server.address();
    // Both alerts of the service are one group.
    let by_service = |config: String| config.replace("group_by: [alertname, service]", "group_by: [service]");
    let pair = [start(address, by_service), start(address, by_service)];
    let value = Arc::new(AtomicU32::new(0));
    let probe = target(Arc::clone(&value)).await;
    let _prometheus = Prometheus::start(probe, &[pair[0].address, pair[1].address]);

    value.store(1, Ordering::Relaxed);
    Numbers::until(address, EVENTS, 2.0).await;
    Numbers::at_least(address, REPEATS, 4.0).await;
    assert_eq!(words(&server), ["incident_started", "alert_firing"]);

    server.signal("KILL");
    server.end();
    value.store(2, Ordering::Relaxed);
    let server = serve(&address.port().to_string());
    Numbers::until(address, EVENTS, 2.0).await;
    Numbers::at_least(address, REPEATS, 4.0).await;
    assert_eq!(words(&server)[2..], ["alert_firing", "severity_raised"]);

    value.store(0, Ordering::Relaxed);
    Numbers::until(address, "incident_incidents_ended_total{outcome=\"resolved\"}", 1.0).await;
    assert_eq!(words(&server)[4..], ["alert_resolved", "alert_resolved", "incident_resolved"]);
    judged(&server);
}
