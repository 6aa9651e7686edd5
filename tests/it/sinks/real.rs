//! Real Alertmanagers: a drill goes out to them and comes back in by their webhook, as one incident that is a drill.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use super::fake::scenario;
use crate::harness::{Alertmanager, Http, Numbers, Scratch, Serving, incident, ms, root, soon};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// One that sends everything of a drill to a server as one group.
fn alertmanager(server: SocketAddr) -> Alertmanager {
    let config = format!(
        "route:\n  receiver: back\n  group_by: [run]\n  group_wait: 100ms\n  group_interval: 1s\n  repeat_interval: 1h\n\
         receivers:\n  - name: back\n    webhook_configs:\n      - url: http://{server}/hooks/alertmanager/back\n        \
         send_resolved: true\n        http_config:\n          authorization:\n            credentials: {SECRET}\n"
    );
    Alertmanager::start(&config, &[])
}

/// A server that takes alerts.
fn receiving() -> (Serving, Scratch) {
    let folder = Scratch::new().with("back.token", &format!("{SECRET}\n")).with(
        "receivers.toml",
        "[[receiver]]\nname = \"back\"\nkind = \"alertmanager\"\ntoken_file = \"back.token\"\nsettle = \"1s\"\n",
    );
    let file = folder.path().join("receivers.toml");
    (Serving::with(&["--journal", "memory", "--receivers", file.to_str().unwrap()]), folder)
}

/// The events of a server's incidents.
fn events(server: &Serving) -> Vec<Value> {
    let ran = server.incident(&["watch", "--json", "--after", "0", "--no-follow"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let events = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["subject"].is_string()).collect()
}

/// Asserts that there is one incident with three alerts, each of which came and went once, and that it is a drill.
fn is_one_drill(server: &Serving) {
    let events = events(server);
    let mut words: Vec<&str> = events
        .iter()
        .map(|event| event["data"]["action"].as_str().unwrap_or(event["type"].as_str().unwrap()))
        .collect();
    assert_eq!((words[0], words[words.len() - 1]), ("incident_started", "incident_resolved"), "{words:?}");
    words.sort_unstable();
    // A worse alert raises the severity, unless it came in the first group.
    words.retain(|word| *word != "severity_raised");
    let wanted =
        [&["alert_firing"; 3][..], &["alert_resolved"; 3], &["incident_resolved", "incident_started"]]
            .concat();
    assert_eq!(words, wanted);
    assert!(events.iter().all(|event| event["data"]["synthetic"] == true), "{events:#?}");
    let told = serde_json::to_string(&events).unwrap();
    for truth in ["overload", "decoy", "A drill"] {
        assert!(!told.contains(truth), "{truth}: {told}");
    }
    let record: String = events.iter().map(|event| format!("{event}\n")).collect();
    let record = Scratch::new().with("run.ndjson", &record);
    let judged = incident(&["validate", record.path().join("run.ndjson").to_str().unwrap()]).run();
    assert_eq!(judged.status, Some(0), "{}", judged.stdout);
}

async fn until_resolved(server: &Serving) {
    Numbers::until(server.address(), "incident_incidents_ended_total{outcome=\"resolved\"}", 1.0).await;
}

/// What an Alertmanager says fires.
async fn active(of: &Alertmanager) -> Vec<Value> {
    let reply = Http::new(of.address, "GET", "/api/v2/alerts?active=true").send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json().as_array().unwrap().clone()
}

async fn until_active(of: &Alertmanager, is: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let found = async {
        loop {
            let all = active(of).await;
            if is(&all) {
                return all;
            }
            tokio::time::sleep(ms(50)).await;
        }
    };
    soon("its alerts", found).await
}

/// Through both of a pair that know nothing of each other, with a kill of the drill's server in the middle.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs Alertmanager: ./tests/run installs it and runs this"]
async fn a_drill_goes_out_to_a_pair_and_comes_back_as_one_incident() {
    let (back, _receivers) = receiving();
    let pair = [alertmanager(back.address()), alertmanager(back.address())];
    let sinks: String = pair
        .iter()
        .zip(["one", "other"])
        .map(|(to, name)| {
            format!("[[sink]]\nname = \"{name}\"\nkind = \"alertmanager\"\nurl = \"http://{}\"\n", to.address)
        })
        .collect();
    let folder = Scratch::new().with("sinks.toml", &sinks);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (_scenarios, drill) = scenario();
    let (journal, sinks) = (path("journal.db"), path("sinks.toml"));
    let args = [
        "serve",
        "--port",
        "0",
        "--json",
        "--quiet",
        "--journal",
        &journal,
        "--scenarios",
        &drill,
        "--sinks",
        &sinks,
    ];
    let server = Serving::alone(&[&args[..], &["--speed", "6", "--trigger", "drill"]].concat());
    for one in &pair {
        until_active(one, |all| all.len() == 2).await;
    }
    server.signal("KILL");
    server.end();
    let _server = Serving::alone(&args);
    until_resolved(&back).await;
    is_one_drill(&back);
    for one in &pair {
        assert!(active(one).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs Alertmanager: ./tests/run installs it and runs this"]
async fn what_a_client_posts_comes_back_as_one_incident() {
    let (back, _receivers) = receiving();
    let to = alertmanager(back.address());
    let (_scenarios, drill) = scenario();
    let server = Serving::alone(&[
        "serve",
        "--port",
        "0",
        "--json",
        "--quiet",
        "--journal",
        "memory",
        "--scenarios",
        &drill,
    ]);
    let url = format!("http://{}", to.address);
    let running = server.incident(&["trigger", "drill", "--speed", "8", "--alerts-to", &url]).spawn();
    let ran = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(active(&to).await.is_empty(), "it has ended them before it exits");
    until_resolved(&back).await;
    is_one_drill(&back);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs Alertmanager: ./tests/run installs it and runs this"]
async fn ctrl_c_leaves_nothing_firing() {
    let (back, _receivers) = receiving();
    let to = alertmanager(back.address());
    let (_scenarios, drill) = scenario();
    let server = Serving::alone(&[
        "serve",
        "--port",
        "0",
        "--json",
        "--quiet",
        "--journal",
        "memory",
        "--scenarios",
        &drill,
    ]);
    let url = format!("http://{}", to.address);
    let running = server.incident(&["trigger", "drill", "--alerts-to", &url]).spawn();
    until_active(&to, |all| !all.is_empty()).await;
    running.signal("INT");
    let ran = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(active(&to).await.is_empty(), "{ran:?}");
}

/// The code blocks of the guide in a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let guide = std::fs::read_to_string(root().join("docs/sinks.md")).unwrap();
    let opening = format!("```{language}\n");
    let found = guide.split(&opening).skip(1);
    found.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// The guide's files are read, and its alerts are those of a scenario.
#[test]
fn the_examples_of_the_guide_are_sound() {
    let toml = blocks("toml");
    let [first, keys, alerts] = toml.as_slice() else { panic!("{toml:?}") };
    for file in [first, keys] {
        incident::sinks::read("sinks.toml", file).unwrap_or_else(|error| panic!("{error}"));
    }
    let text = crate::mistakes::SOUND.replace("errors = { unit = \"ratio\"", "token_p95 = { unit = \"ms\"");
    let text = text.replace("30s = 0.9 } }", "30s = 2000 } }");
    let text = text.replacen("[[hypotheses]]", &format!("{alerts}[[hypotheses]]"), 1);
    let scenario =
        incident::scenario::Scenario::parse("guide.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.file.alerts.len(), 2);
}

/// The guide's own way from nothing to an alert.
#[tokio::test]
#[ignore = "runs Alertmanager, amtool and curl: ./tests/run installs them and runs this"]
async fn the_guide_leads_to_an_alert() {
    let (yaml, sh) = (blocks("yaml").remove(0), blocks("sh"));
    let folder = Scratch::new().with("alertmanager.yml", &yaml);
    let checked =
        Command::new("amtool").args(["check-config", "alertmanager.yml"]).current_dir(folder.path()).output();
    let checked = checked.expect("amtool comes with prometheus-alertmanager");
    assert!(checked.status.success(), "{checked:?}");
    let to = Alertmanager::start(&yaml, &[]);
    let here = |text: &str| text.replace("127.0.0.1:9093", &to.address.to_string());
    let folder = Scratch::new().with("sinks.toml", &here(&blocks("toml")[0]));
    assert_eq!(sh[0], "incident serve --sinks sinks.toml\n");
    let file = folder.path().join("sinks.toml");
    let server = Serving::alone(&[
        "serve",
        "--port",
        "0",
        "--json",
        "--quiet",
        "--journal",
        "memory",
        "--sinks",
        file.to_str().unwrap(),
    ]);
    let ran = server.incident(&["trigger", "api-overload", "--no-wait"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    until_active(&to, |all| !all.is_empty()).await;
    let curl = Command::new("sh").args(["-c", &here(&sh[1])]).output().unwrap();
    let told: Value =
        serde_json::from_slice(&curl.stdout).unwrap_or_else(|error| panic!("{error}: {curl:?}"));
    assert_eq!(told[0]["labels"]["synthetic"], "true", "{told}");
    assert_eq!(told[0]["receivers"][0]["name"], "drills", "the route of the guide: {told}");

    // The same without a file, by the guide's own words.
    let args: Vec<String> = here(&sh[2]).split_whitespace().skip(1).map(str::to_owned).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let running = server.incident(&args).spawn();
    until_active(&to, |all| all.iter().any(|alert| alert["labels"]["team"] == "drills")).await;
    running.signal("INT");
    assert_eq!(running.end().status, Some(0));
}
