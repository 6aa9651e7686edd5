//! `GET /api/incidents/ID/alerts`: when the alerts of a drill fire, for those who may start one.

use incident::contract::StreamId;
use incident::journal::{Journal, Memory, Retention};
use incident::scenario::Library;
use incident::server::Options;
use incident::token::Scope;
use jiff::Timestamp;
use std::path::Path;

use super::fake::scenario;
use crate::harness::{Http, Local, READ, Reply, WRITE, options, started, tokens};

const PUBLISH: &str = "pub1ish-0123456789abcdef";

async fn server(with_tokens: bool) -> Local {
    let (_folder, file) = scenario();
    let library = Library::read(Path::new(&file)).library;
    let stream = StreamId::generate(1_700_000_000_000, incident::random::bits());
    let journal = Journal::new(Memory::new(stream, Retention::default()));
    let known = tokens(&[(Scope::Read, READ), (Scope::Publish, PUBLISH), (Scope::Write, WRITE)]);
    let tokens = if with_tokens { known } else { Vec::new() };
    Local::playing(Options { tokens, ..options() }, library, journal).await
}

async fn alerts(server: &Local, id: &str) -> Reply {
    Http::new(server.address, "GET", &format!("/api/incidents/{id}/alerts")).bearer(WRITE).send().await
}

async fn trigger(server: &Local) -> String {
    let reply =
        Http::trigger(server.address, "{\"scenario\":\"drill\",\"speed\":2}").bearer(WRITE).send().await;
    reply.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_has_every_alert_with_its_times_and_nothing_of_the_truth() {
    let server = server(false).await;
    let id = trigger(&server).await;
    let reply = alerts(&server, &id).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"), "{}", reply.body);
    let told = reply.json();
    let seconds = |alert: &serde_json::Value| {
        let time = |name: &str| alert[name].as_str().unwrap().parse::<Timestamp>().unwrap();
        (time("endsAt") - time("startsAt")).as_secs_f64()
    };
    let all = told["alerts"].as_array().unwrap();
    let names: Vec<_> = all.iter().map(|alert| alert["labels"]["alertname"].as_str().unwrap()).collect();
    assert_eq!(names, ["Errors", "Later", "Old"]);
    for (alert, wanted) in all.iter().zip([9.75, 15.0, 330.0]) {
        assert!((seconds(alert) - wanted).abs() < 0.001, "{alert}");
        assert_eq!((&alert["labels"]["synthetic"], &alert["labels"]["run"]), (&"true".into(), &told["run"]));
    }
    assert_eq!(told["incident"], id.as_str());
    told["now"].as_str().unwrap().parse::<Timestamp>().unwrap();
    // The id has the scenario's name in it, for those who may start it; what is posted has not.
    let posted = told["alerts"].to_string();
    for truth in ["drill", "overload", "decoy", "Something"] {
        assert!(!posted.contains(truth), "{truth}: {posted}");
    }
}

#[tokio::test]
async fn it_opens_for_those_who_may_start_drills() {
    let server = server(true).await;
    let id = trigger(&server).await;
    for method in ["GET", "HEAD"] {
        for (token, status) in [(READ, 403), (PUBLISH, 403), (WRITE, 200), ("wr0ng-0123456789abcdef", 401)] {
            let path = format!("/api/incidents/{id}/alerts");
            let reply = Http::new(server.address, method, &path).bearer(token).send().await;
            assert_eq!(reply.status, status, "{method} {token}");
        }
    }
    let reply = Http::new(server.address, "GET", &format!("/api/incidents/{id}/alerts")).send().await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn what_has_no_alerts_says_so() {
    let server = server(false).await;
    assert!(alerts(&server, "nothing-x7k2p").await.problem(404).contains("no incident is called"));
    let id = trigger(&server).await;
    let cancelled = Http::new(server.address, "DELETE", &format!("/api/incidents/{id}")).send().await;
    assert_eq!(cancelled.status, 200);
    assert!(alerts(&server, &id).await.problem(410).contains("has ended"));
    server.append(vec![started("real-1")]).await;
    assert_eq!(
        alerts(&server, "real-1").await.json()["alerts"],
        serde_json::json!([]),
        "a real incident has no plan"
    );
}
