//! Alerts with `synthetic="true"`: incidents of their own that are drills, never mixed up with real ones.

use incident::contract::{Message, Outcome};
use incident::journal::Retention;
use incident::receivers;
use incident::server::Options;
use serde_json::{Value, json};

use super::lab::{Lab, alertmanager, ended, firing, group};
use super::server::setups;
use crate::harness::{Http, Local, Numbers, Scratch, get, incident, options};

/// The same alert as one of a drill.
fn drill(mut alert: Value) -> Value {
    alert["labels"]["synthetic"] = json!("true");
    alert["fingerprint"] = json!(format!("drill-{}", alert["fingerprint"].as_str().unwrap()));
    alert
}

fn is_synthetic(lab: &Lab) -> Vec<bool> {
    lab.events.iter().map(|(_, draft)| draft.message.is_synthetic()).collect()
}

#[test]
fn alerts_of_a_drill_are_a_drill_from_beginning_to_end() {
    let mut lab = alertmanager(
        "settle = \"10s\"\nstale = \"1m\"\n[[receiver.cost]]\ncurrency = \"USD\"\nper_minute = 9\n",
    );
    lab.post(&group(&[drill(firing("A", 0)), drill(firing("B", 1))]));
    assert_eq!(lab.post(&group(&[drill(firing("A", 0))])).repeats, 1);
    lab.pass(90);
    lab.restart();
    lab.post(&group(&[drill(ended("A", 0, 95)), drill(ended("B", 1, 95))]));
    lab.pass(60);
    assert_eq!(lab.incidents().len(), 1);
    let words = lab.words();
    assert_eq!(words.first().map(String::as_str), Some("started"));
    assert!(
        words.contains(&"receiver_silent".to_owned()) && words.contains(&"metrics".to_owned()),
        "{words:?}"
    );
    assert_eq!(words.last().map(String::as_str), Some("resolved"));
    assert!(is_synthetic(&lab).iter().all(|synthetic| *synthetic), "{:?}", is_synthetic(&lab));
    // It has no plan, so nothing has a planned second.
    assert!(lab.events.iter().all(|(_, draft)| draft.message.offset_s().is_none()));
    assert_eq!(lab.resolved().outcome, Outcome::Resolved);
}

#[test]
fn a_group_with_both_is_two_incidents() {
    for more in ["settle = \"0s\"\n", "settle = \"0s\"\ngroup_by = [\"service\"]\n"] {
        let mut lab = alertmanager(more);
        lab.post(&group(&[firing("A", 0), drill(firing("A", 0)), drill(firing("B", 0))]));
        assert_eq!(lab.incidents().len(), 2, "{more}");
        let (real, drills): (Vec<_>, Vec<_>) =
            lab.events.iter().partition(|(_, draft)| !draft.message.is_synthetic());
        assert_eq!((real.len(), drills.len()), (2, 3), "{more}");
        assert_ne!(real[0].1.subject, drills[0].1.subject);
        // The real one goes on while the drill ends, and the other way round.
        lab.restart();
        lab.post(&group(&[firing("A", 0), drill(ended("A", 0, 9)), drill(ended("B", 0, 9))]));
        lab.pass(0);
        let end = lab.events.last().unwrap();
        assert!(
            matches!(end.1.message, Message::IncidentResolved(_)) && end.1.message.is_synthetic(),
            "{end:?}"
        );
        lab.post(&group(&[ended("A", 0, 9)]));
        lab.pass(0);
        let end = lab.events.last().unwrap();
        assert!(
            matches!(end.1.message, Message::IncidentResolved(_)) && !end.1.message.is_synthetic(),
            "{end:?}"
        );
        // The ids of real incidents are those that they had before there were drills.
        let mut alone = alertmanager(more);
        alone.post(&group(&[firing("A", 0)]));
        assert_eq!(alone.incidents()[0], lab.incidents()[usize::from(lab.started().synthetic)]);
    }
}

#[test]
fn only_the_value_true_makes_a_drill() {
    for (value, is_drill) in [("true", true), ("false", false), ("", false), ("TRUE", false)] {
        let mut alert = firing("A", 0);
        alert["labels"]["synthetic"] = json!(value);
        let mut lab = alertmanager("");
        lab.post(&group(&[alert]));
        assert_eq!(lab.started().synthetic, is_drill, "{value:?}");
    }
    // What the sender says in a text is not a mark.
    let mut alert = firing("A", 0);
    alert["annotations"]["synthetic"] = json!("true");
    let mut lab = alertmanager("");
    lab.post(&group(&[alert]));
    assert!(!lab.started().synthetic);
}

#[test]
fn drills_can_be_left_out() {
    let mut lab = alertmanager("drills = \"drop\"\n");
    let decision = lab.post(&group(&[drill(firing("A", 0)), firing("B", 0)]));
    assert_eq!(decision.ignored.values().sum::<u64>(), 1);
    assert_eq!(decision.ignored.keys().next().unwrap().as_str(), "drill");
    assert_eq!(is_synthetic(&lab), [false, false]);
    let wrong = receivers::read(
        "r",
        "[[receiver]]\nname = \"a\"\nkind = \"alertmanager\"\ntoken_file = \"t\"\ndrills = \"hide\"\n",
    );
    let wrong = wrong.unwrap_err();
    assert!(wrong.diagnostics[0].help.as_deref().unwrap().contains("\"drop\""), "{wrong}");
}

#[test]
fn pagerduty_says_it_in_its_details() {
    let send = |lab: &mut Lab, body: Value| {
        let read = receivers::event(body.to_string().as_bytes(), "fresh", lab.now).unwrap();
        lab.take(&read.delivery)
    };
    for more in ["", "group_by = [\"severity\"]\n"] {
        let mut lab = Lab::of("pagerduty", more);
        let key = "0123456789abcdef0123456789abcdef";
        let payload = json!({
            "summary": "Disk full", "source": "db", "severity": "error", "custom_details": { "synthetic": "true" },
        });
        send(
            &mut lab,
            json!({ "routing_key": key, "event_action": "trigger", "dedup_key": "d", "payload": payload }),
        );
        // Its later events have no details.
        send(&mut lab, json!({ "routing_key": key, "event_action": "acknowledge", "dedup_key": "d" }));
        send(&mut lab, json!({ "routing_key": key, "event_action": "resolve", "dedup_key": "d" }));
        lab.pass(0);
        assert_eq!(
            lab.words(),
            ["started", "alert_firing", "acknowledged", "alert_resolved", "resolved"],
            "{more}"
        );
        assert!(is_synthetic(&lab).iter().all(|synthetic| *synthetic), "{more}");
    }
}

#[test]
fn a_sample_shows_that_it_is_a_drill() {
    let sample = group(&[drill(firing("A", 0))]).to_string();
    let folder = Scratch::new()
        .with("r.toml", "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_file = \"t\"\n")
        .with("t", "0123456789abcdef\n")
        .with("sample.json", &sample);
    let ran = incident(&["check-receivers", "r.toml", "--payload", "sample.json"]).at(folder.path()).run();
    assert!(ran.stdout.contains("  drill      its alerts have synthetic=\"true\""), "{ran:?}");
}

/// On a server: the page's state says drill, an agent's action is a part of it, it can be cancelled, and `validate` passes.
#[tokio::test]
async fn a_drill_of_alerts_is_one_everywhere() {
    let receivers = Some(setups(""));
    let server = Local::with(Options { receivers, ..options() }, Retention::default()).await;
    let deliver = |body: Value| {
        let request = Http::new(server.address, "POST", "/hooks/alertmanager/prod");
        let request = request.header("Content-Type", "application/json").body(&body.to_string());
        request.bearer("0123456789abcdef0123456789abcdef").send()
    };
    let told = deliver(group(&[drill(firing("A", 0))])).await.json();
    let subject = told["incidents"][0].as_str().unwrap().to_owned();
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/agents/fixer", "type": "agent_action", "subject": subject,
        "time": jiff::Timestamp::now().to_string(),
        "data": { "agent": "fixer", "action": "restart", "status": "completed", "summary": "restarted" },
    });
    let published = Http::new(server.address, "POST", "/api/events")
        .header("Content-Type", "application/cloudevents+json")
        .body(&event.to_string())
        .send()
        .await;
    assert_eq!(published.status, 200, "{}", published.body);
    let state = get(server.address, &format!("/api/incidents/{subject}")).await.json();
    assert_eq!(state["synthetic"], true, "{state}");
    let cancelled = Http::new(server.address, "DELETE", &format!("/api/incidents/{subject}")).send().await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let report = get(server.address, &format!("/api/incidents/{subject}/report.md")).await.body;
    assert!(report.contains("**This was a drill.**") && !report.contains("real incident"), "{report}");
    let url = format!("ws://{}/ws", server.address);
    let watched = tokio::task::spawn_blocking(move || {
        let watch = ["watch", "--json", "--after", "0", "--no-follow", "--url", &url];
        (incident(&watch).run(), incident(&[&watch[..1], &watch[2..]].concat()).run())
    });
    let (events, lines) = watched.await.unwrap();
    assert!(!lines.stdout.contains("REAL INCIDENT"), "{}", lines.stdout);
    let all: Vec<Value> = events.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(all.iter().filter(|event| event["data"]["synthetic"] == true).count(), 4, "{}", events.stdout);
    let record = Scratch::new().with("run.ndjson", &events.stdout);
    let file = record.path().join("run.ndjson").to_str().unwrap().to_owned();
    let judged = incident(&["validate", &file]).run();
    assert_eq!(judged.status, Some(0), "{}", judged.stdout);
    // A recording of it is replayed with its timing, as a drill with seconds.
    let replayed = incident(&["report", &file]).run();
    assert_eq!(replayed.status, Some(0), "{replayed:?}");
    let numbers = Numbers::of(server.address).await;
    numbers.are(&[("incident_hook_ignored_total{receiver=\"prod\",why=\"drill\"}", 0)]);
}
