//! The bodies of Alertmanager and Grafana: what is read, and what is wrong with those that can't be.

use incident::receivers::{self, Kind};
use serde_json::json;

use super::lab::{Lab, firing, group};

fn faults(kind: Kind, body: &str) -> Vec<String> {
    let faults = receivers::delivery(kind, body.as_bytes()).unwrap_err();
    faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.what)).collect()
}

#[test]
fn what_is_wrong_is_named_by_member() {
    let wanted =
        ["/version: version is missing", "/groupKey: groupKey is missing", "/alerts: alerts is missing"];
    assert_eq!(faults(Kind::Alertmanager, "{}"), wanted);
    let mut body = group(&[firing("A", 0), firing("B", 0)]);
    body["version"] = json!("3");
    body["alerts"][0]["status"] = json!("on");
    body["alerts"][1]["startsAt"] = json!("yesterday");
    body["alerts"][1]["labels"]["n"] = json!(1);
    assert_eq!(
        faults(Kind::Alertmanager, &body.to_string()),
        [
            "/version: version is \"3\"; this receiver reads version \"4\"",
            "/alerts/0/status: status is \"on\"; expected firing or resolved",
            "/alerts/1/labels: the value of \"n\" is not a text",
            "/alerts/1/startsAt: startsAt is not a time as in RFC 3339",
        ]
    );
    assert!(faults(Kind::Grafana, "[]")[0].contains("not a JSON object"));
    assert!(faults(Kind::Grafana, "{")[0].contains("not JSON"));
    let large = &faults(Kind::Grafana, "{\"n\":1e400}")[0];
    assert!(large.contains("a number is too large") && !large.contains("not JSON"), "{large}");
}

#[test]
fn the_times_of_alerts_are_rfc_3339() {
    for time in crate::publish::times::WRONG.iter().filter(|time| !time.is_empty()) {
        let mut body = group(&[firing("A", 0)]);
        body["alerts"][0]["startsAt"] = json!(time);
        let wanted = "/alerts/0/startsAt: startsAt is not a time as in RFC 3339";
        assert_eq!(faults(Kind::Alertmanager, &body.to_string()), [wanted], "{time}");
    }
}

#[test]
fn an_alert_without_a_fingerprint_is_known_by_its_labels() {
    let mut lab = Lab::of("alertmanager", "");
    let mut body = group(&[firing("A", 0)]);
    body["alerts"][0].as_object_mut().unwrap().remove("fingerprint");
    lab.post(&body);
    assert_eq!(lab.post(&body).repeats, 1);
}

#[test]
fn grafana_sends_values_and_links() {
    let mut lab = Lab::of("grafana", "metrics = { A = \"error_ratio\" }\nsettle = \"0s\"");
    let mut body = group(&[firing("A", 0)]);
    body["version"] = json!("1");
    for (name, value) in [("orgId", json!(1)), ("title", json!("[FIRING:1]")), ("state", json!("alerting"))] {
        body[name] = value;
    }
    let alert = &mut body["alerts"][0];
    alert["values"] = json!({ "A": 0.25, "B": 1 });
    alert["valueString"] = json!("[ var='A' ]");
    alert["dashboardURL"] = json!("https://grafana/d/1");
    alert["panelURL"] = json!("javascript:alert(1)");
    alert["imageURL"] = json!("https://grafana/1.png");
    lab.post(&body);
    assert_eq!(lab.words(), ["started", "alert_firing", "metrics"]);
    let links: Vec<&str> = lab.action().evidence[2..].iter().map(|evidence| evidence.kind.as_str()).collect();
    assert_eq!(links, ["source", "dashboard", "image"], "only what a browser can open without harm");
    lab.post(&body);
    assert_eq!(lab.words().len(), 3, "the same values are no news");
    body["alerts"][0]["values"]["A"] = json!(0.5);
    lab.post(&body);
    body["alerts"][0]["values"]["A"] = json!(0.25);
    lab.restart();
    lab.post(&body);
    assert_eq!(lab.words()[3..], ["metrics", "metrics"]);
}
