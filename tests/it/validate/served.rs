//! Real servers of ours in moments that are allowed, and one that is stopped.

use serde_json::Value;

use super::command::{json, statuses};
use crate::harness::{Scratch, Serving, incident, ms};

/// On a machine with much else to do, events are late.
const LATE: [&str; 6] =
    ["--limit", "pacing.late=9s", "--limit", "silence.longest=9s", "--limit", "heartbeat.intervals=9"];

/// Everything that a server has stored, as a recording. Its verdicts are asserted to be no failures.
fn passes(server: &Serving, expected: &str) {
    let recording = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run().stdout;
    let folder = Scratch::new().with("run.ndjson", &recording);
    let file = folder.path().join("run.ndjson").display().to_string();
    let ran = incident(&["validate", &file, "--format", "json"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}\n{recording}");
    let report = json(&ran);
    let rules = report["targets"][0]["rules"].as_array().unwrap().iter();
    let lifecycle = rules.clone().find(|rule| rule["rule"] == "lifecycle").unwrap();
    assert_eq!(lifecycle["summary"], expected, "{report:#}");
}

fn published(server: &Serving, args: &[&str]) {
    let ran = server.incident(&[&["publish"], args].concat()).run();
    assert_eq!(ran.status, Some(0), "{args:?}: {ran:?}");
}

/// `--for 1h` ended after the ten minutes that `--timeout` has by default, and passed.
#[test]
fn a_listening_lasts_as_long_as_it_was_asked_to() {
    let server = Serving::with(&["--heartbeat", "1s"]);
    let flags = ["--for", "3s", "--timeout", "1ms", "--gentle", "--format", "json", "--url", server.url()];
    let ran = incident(&[&["validate"], &flags[..]].concat()).run();
    let report = json(&ran);
    let rules = report["targets"][0]["rules"].as_array().unwrap();
    let heartbeat = rules.iter().find(|rule| rule["rule"] == "heartbeat").unwrap();
    assert_eq!(heartbeat["status"], "passed", "{report:#}");
}

#[test]
fn real_incidents_of_several_publishers_beside_a_drill_pass() {
    let server = Serving::with(&["--speed", "30", "--heartbeat", "1s"]);
    let drill = server.incident(&["trigger", "database-outage", "--no-wait"]).run().stdout.trim().to_owned();
    let subjects = ["pay-7", "login-9", "cart-3"];
    let publishers: Vec<_> = subjects.iter().map(|subject| {
        let event = |kind: &str, data: &str| {
            format!(
                r#"{{"type":"{kind}","subject":"{subject}","source":"/agents/{subject}","data":{data}}}"#
            )
        };
        let events = [
            event("incident_started", r#"{"title":"Slow","severity":"SEV3","services":["a"]}"#),
            event(
                "agent_action",
                r#"{"agent":"ci","action":"looked","status":"completed","summary":"Looks","marks":["detected"]}"#,
            ),
            event("system_metrics", r#"{"metrics":{"errors":0.2},"users_affected":120}"#),
            event("incident_resolved", r#"{"outcome":"resolved","summary":"Done"}"#),
        ];
        let folder = Scratch::new().with("events.ndjson", &(events.join("\n") + "\n"));
        let file = folder.path().join("events.ndjson").display().to_string();
        (server.incident(&["publish", &file]).spawn(), folder)
    }).collect();
    for (publisher, _folder) in publishers {
        let ran = publisher.end();
        assert_eq!(ran.status, Some(0), "{ran:?}");
    }
    published(&server, &["action", "--subject", &drill, "--agent", "alice", "Called the database team"]);
    // The same service fails again.
    published(
        &server,
        &["started", "--subject", "pay-7-2", "--title", "Slow again", "--severity", "SEV3", "--service", "a"],
    );
    let waited = server.incident(&["watch", "--until-resolved", "--incident", &drill, "--json"]).run();
    assert_eq!(waited.status, Some(0), "{waited:?}");
    published(&server, &["resolved", "--subject", "pay-7-2", "It was the same"]);
    passes(&server, "5 incidents started, acted and resolved");
}

#[test]
fn a_server_below_a_path_passes() {
    let server = Serving::with(&["--speed", "60", "--heartbeat", "1s", "--base-path", "/incident"]);
    let url = format!("http://{}/incident/", server.address());
    let args = ["validate", "--url", &url, "--trigger", "database-outage", "--format", "json"];
    let ran = incident(&[&args[..], &LATE].concat()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let statuses = statuses(&json(&ran));
    for rule in ["resume", "fan-out", "positions", "expect"] {
        assert!(statuses.contains(&(rule.to_owned(), "passed".to_owned())), "{rule}: {statuses:?}");
    }
}

#[test]
fn a_server_that_is_stopped_is_one_finding_with_its_reason() {
    for transport in ["--url", "--sse"] {
        let server = Serving::with(&[
            "--trigger",
            "database-outage",
            "--speed",
            "10",
            "--heartbeat",
            "1s",
            "--drain",
            "100ms",
        ]);
        let base = format!("http://{}", server.address());
        let args =
            ["validate", transport, &base, "--for", "60s", "--clients", "4", "--format", "json", "--verbose"];
        let listening = incident(&[&args[..], &LATE].concat()).spawn();
        // Until all clients are connected.
        std::thread::sleep(ms(2_500));
        server.signal("TERM");
        let ran = listening.end();
        assert_eq!(ran.status, Some(5), "{ran:?}");
        let report = json(&ran);
        let rules = report["targets"][0]["rules"].as_array().unwrap().iter();
        let failed: Vec<&Value> = rules.filter(|rule| rule["status"] == "failed").collect();
        let [rule] = *failed else { panic!("{transport}: {failed:#?}") };
        assert_eq!(rule["rule"], "connection", "{rule:#}");
        let findings = rule["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{transport}: {rule:#}");
        let message = findings[0]["message"].as_str().unwrap();
        assert!(message.contains("1012") && message.contains("the server is stopping"), "{message}");
        assert!(findings[0]["hint"].as_str().unwrap().contains("undisturbed"), "{rule:#}");
    }
}
