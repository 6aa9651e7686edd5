//! Real Alertmanagers, configured as the guide says: what fires on them is on the page, once, whatever they repeat.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Alertmanager, Http, Numbers, Scratch, Serving, incident, root};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The code blocks of the guide in a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let guide = std::fs::read_to_string(root().join("docs/receivers.md")).unwrap();
    let opening = format!("```{language}\n");
    let found = guide.split(&opening).skip(1);
    let blocks: Vec<String> = found.map(|block| block.split("```").next().unwrap().to_owned()).collect();
    assert!(!blocks.is_empty(), "the guide has no {language}");
    blocks
}

/// The folder of the guide's reader, with a short time to settle.
pub fn folder() -> Scratch {
    let file = blocks("toml").remove(0) + "settle = \"1s\"\n";
    Scratch::new().with("receivers.toml", &file).with("prod.token", &format!("{SECRET}\n"))
}

/// With the configuration of the guide, faster, and with these changes.
pub fn start(server: SocketAddr, change: impl Fn(String) -> String) -> Alertmanager {
    with(server, SECRET, change)
}

/// … that shows this secret.
fn with(server: SocketAddr, secret: &str, change: impl Fn(String) -> String) -> Alertmanager {
    let config = blocks("yaml").remove(0);
    for text in ["127.0.0.1:7911", "group_wait: 10s", "group_interval: 1m"] {
        assert!(config.contains(text), "{text} is not in the guide's configuration");
    }
    let config = config.replace("127.0.0.1:7911", &server.to_string());
    let config = config.replace("group_wait: 10s", "group_wait: 100ms");
    let config = config.replace("group_interval: 1m", "group_interval: 1s\n  repeat_interval: 1s");
    Alertmanager::start(&change(config), &[("prod.token", &format!("{secret}\n"))])
}

/// Sends an Alertmanager alerts: names, and when they end.
async fn send(to: &Alertmanager, alerts: &[(&str, Option<jiff::Timestamp>)]) {
    let alerts: Vec<Value> = alerts
        .iter()
        .map(|(name, end)| {
            let labels = json!({
                "alertname": "HighLatency", "instance": name, "service": "checkout", "severity": "critical",
            });
            let mut alert = json!({ "labels": labels, "startsAt": "2026-01-01T00:00:00Z" });
            let hour = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
            alert["endsAt"] = json!(end.unwrap_or(hour).to_string());
            alert
        })
        .collect();
    let reply = Http::new(to.address, "POST", "/api/v2/alerts")
        .header("Content-Type", "application/json")
        .body(&Value::from(alerts).to_string())
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// What the server's journal has: the kinds of actions, and the types of other events.
pub fn words(server: &Serving) -> Vec<String> {
    let ran = server.incident(&["watch", "--json", "--after", "0", "--no-follow"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let events = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let words = events.filter(|event| event["subject"].is_string()).map(|event| {
        let action = event["data"]["action"].as_str();
        action.unwrap_or(event["type"].as_str().unwrap()).to_owned()
    });
    words.collect()
}

/// Asserts that the validator passes what the server's journal has.
pub fn judged(server: &Serving) {
    let ran = server.incident(&["watch", "--json", "--after", "0", "--no-follow"]).run();
    let record = Scratch::new().with("run.ndjson", &ran.stdout);
    let judged = incident(&["validate", "run.ndjson"]).at(record.path()).run();
    assert_eq!(judged.status, Some(0), "{}", judged.stdout);
}

const REPEATS: &str = "incident_hook_repeats_total{receiver=\"prod\"}";
const EVENTS: &str = "incident_hook_events_total{receiver=\"prod\"}";

#[tokio::test]
#[ignore = "runs Alertmanager: ./tests/run installs it and runs this"]
async fn a_pair_repeats_over_a_restart_and_each_change_is_there_once() {
    let (folder, journal) = (folder(), Scratch::new());
    let (file, journal) =
        (folder.path().join("receivers.toml"), journal.with("x", "").path().join("journal.db"));
    std::fs::create_dir_all(journal.parent().unwrap()).unwrap();
    let serve = |port: &str| {
        let (file, journal) = (file.to_str().unwrap(), journal.to_str().unwrap());
        Serving::again(&[
            "serve",
            "--port",
            port,
            "--json",
            "--quiet",
            "--journal",
            journal,
            "--receivers",
            file,
        ])
    };
    let server = serve("0");
    let address = server.address();
    // Neither knows of the other: each sends everything.
    let pair = [start(address, |config| config), start(address, |config| config)];
    for one in &pair {
        send(one, &[("a", None), ("b", None)]).await;
    }
    Numbers::until(address, EVENTS, 3.0).await;
    Numbers::at_least(address, REPEATS, 6.0).await;
    assert_eq!(words(&server), ["incident_started", "alert_firing", "alert_firing"]);

    server.signal("KILL");
    server.end();
    for one in &pair {
        send(one, &[("a", Some(jiff::Timestamp::now()))]).await;
    }
    let server = serve(&address.port().to_string());
    Numbers::until(address, EVENTS, 1.0).await;
    Numbers::at_least(address, REPEATS, 4.0).await;
    assert_eq!(words(&server)[3..], ["alert_resolved"]);
    for one in &pair {
        send(one, &[("b", Some(jiff::Timestamp::now()))]).await;
    }
    Numbers::until(address, "incident_incidents_ended_total{outcome=\"resolved\"}", 1.0).await;
    assert_eq!(words(&server)[4..], ["alert_resolved", "incident_resolved"]);
    judged(&server);
}

#[tokio::test]
#[ignore = "runs Alertmanager: ./tests/run installs it and runs this"]
async fn a_group_that_it_truncates_does_not_end_by_itself() {
    let folder = folder();
    let file = folder.path().join("receivers.toml");
    let server = Serving::with(&["--journal", "memory", "--receivers", file.to_str().unwrap()]);
    let cut =
        |config: String| config.replace("send_resolved: true", "send_resolved: true\n        max_alerts: 1");
    let sender = start(server.address(), cut);
    send(&sender, &[("a", None), ("b", None)]).await;
    Numbers::until(server.address(), EVENTS, 3.0).await;
    assert_eq!(words(&server), ["incident_started", "alert_firing", "alerts_left_out"]);
    let now = jiff::Timestamp::now();
    send(&sender, &[("a", Some(now)), ("b", Some(now))]).await;
    Numbers::until(server.address(), EVENTS, 4.0).await;
    assert_eq!(words(&server)[3..], ["alert_resolved"], "the other one may still fire");
    let listed = server.incident(&["list", "--running"]).run().stdout;
    let ran = server.incident(&["cancel", listed.split('\t').next().unwrap()]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    judged(&server);
}

/// The guide's own way from nothing to an alert: its commands, its file and its configuration.
#[tokio::test]
#[ignore = "runs Alertmanager, curl and openssl: ./tests/run installs them and runs this"]
async fn the_guide_leads_to_a_firing_alert() {
    let folder = Scratch::new().with("receivers.toml", &blocks("toml").remove(0));
    let commands = blocks("sh");
    let [secret, serve, curl, agent] = &commands[..] else { panic!("{commands:#?}") };
    let run = |command: &str| {
        Command::new("sh").args(["-euc", command]).current_dir(folder.path()).status().unwrap()
    };
    assert!(run(secret).success());
    let secret = std::fs::read_to_string(folder.path().join("prod.token")).unwrap();
    let args: Vec<String> = shlex::split(serve).unwrap().into_iter().skip(1).collect();
    assert_eq!(args, ["serve", "--receivers", "receivers.toml"]);
    // Its port and its journal would meet those of others.
    let file = folder.path().join(&args[2]).display().to_string();
    let server = Serving::alone(&[&args[0], &args[1], &file, "--json", "--port", "0", "--journal", "memory"]);
    let sender = with(server.address(), secret.trim(), |config| config);
    let curl = curl.replace("127.0.0.1:9093", &sender.address.to_string());
    assert!(run(&curl).success());
    Numbers::until(server.address(), EVENTS, 2.0).await;
    let listed = server.incident(&["list", "--running"]).run().stdout;
    assert!(listed.contains("prod-highlatency-checkout-"), "{listed}");
    let words = shlex::split(agent).unwrap();
    assert_eq!(words[..2], ["python3", "examples/agent.py"]);
    let mut agent = Command::new("python3")
        .arg(root().join(&words[1]))
        .arg(format!("http://{}", server.address()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let printed = BufReader::new(agent.stdout.take().unwrap()).lines().next();
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(printed.unwrap().unwrap().ends_with(": added 2 actions"));
}
