//! Our own event stream, `/events`, by the whole contract, and a user's contract beside ours.

use super::server::{Does, Talk, say, talk};
use super::{Fault, Over, each_breaks_its_rule, rule, validate};
use crate::harness::{Scratch, Serving, incident};
use crate::validate::command::json as report_of;
use crate::validate::sound::sound;

#[test]
fn the_event_stream_of_a_server_passes_every_rule() {
    let server = Serving::with(&["--speed", "60", "--heartbeat", "1s"]);
    let base = format!("http://{}", server.address());
    for url in [base.clone(), format!("{base}/events"), server.address().to_string()] {
        // On a machine with much else to do, events are late.
        let late = [
            "--limit",
            "pacing.late=9s",
            "--limit",
            "silence.longest=9s",
            "--limit",
            "heartbeat.intervals=9",
        ];
        let args = ["validate", "--sse", &url, "--trigger", "database-outage", "--format", "json"];
        let ran = incident(&[args.as_slice(), &late].concat()).run();
        assert_eq!(ran.status, Some(0), "{url}: {ran:?}");
        let report = report_of(&ran);
        for name in
            ["connection", "greeting", "gap", "lifecycle", "resume", "fan-out", "positions", "heartbeat"]
        {
            assert_eq!(rule(&report, name)["status"], "passed", "{name}: {report:#}");
        }
    }
}

/// The blocks of a sound stream of ours, of an incident as it goes on.
fn with(change: impl Fn(&mut Vec<String>) + Send + Sync + 'static) -> Talk {
    talk(move |_| {
        let mut stream = sound();
        stream.frames.retain(|(frame, _)| frame["type"] != "heartbeat");
        stream.greeting()["head"] = 20.into();
        stream.greeting()["follows"]["to"] = 20.into();
        let name = stream.greeting()["stream"].as_str().unwrap().to_owned();
        let mut blocks: Vec<String> = stream.frames[..21]
            .iter()
            .map(|(frame, _)| {
                let id = frame["id"].as_str().filter(|_| frame["subject"].is_string()).unwrap_or("0");
                let kind = frame["type"].as_str().unwrap();
                format!("id: {name}/{id}\nevent: {kind}\ndata: {frame}\n\n")
            })
            .collect();
        change(&mut blocks);
        let mut does: Vec<Does> = blocks.into_iter().map(say).collect();
        does.push(Does::Wait(1));
        does
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_our_own_event_stream_are_found() {
    let fault = |rule, way, talk| Fault { rule, way, flags: Vec::new(), talk };
    let flags = ["--for", "400ms", "--gentle"].map(str::to_owned).to_vec();
    let faults = vec![
        fault(
            "connection",
            "the id is another position",
            with(|blocks| {
                blocks[9] = blocks[9].replacen("/9\n", "/8\n", 1);
            }),
        ),
        fault(
            "connection",
            "the id is missing",
            with(|blocks| {
                blocks[9] = blocks[9].split_once('\n').unwrap().1.to_owned();
            }),
        ),
        fault(
            "connection",
            "the event is another type",
            with(|blocks| {
                blocks[9] = blocks[9].replacen("event: ", "event: x", 1);
            }),
        ),
        fault("gap", "an event is missing", with(|blocks| drop(blocks.remove(9)))),
        fault(
            "envelope",
            "an event is not JSON",
            with(|blocks| {
                blocks[9] = blocks[9].replacen("data: {", "data: [", 1);
            }),
        ),
    ];
    each_breaks_its_rule(Over::Events, flags, faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_is_judged_beside_ours() {
    let server = Serving::with(&["--speed", "1000"]);
    server.incident(&["trigger", "database-outage"]).run();
    let recording = server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run().stdout;
    let schema = r#"{ "type": "object", "properties": { "index": { "maximum": MAX } } }"#;
    let folder = Scratch::new()
        .with("run.ndjson", &recording)
        .with("wide.json", &schema.replace("MAX", "100000"))
        .with("narrow.json", &schema.replace("MAX", "5"));
    let path = |name: &str| folder.path().join(name).display().to_string();
    let judged = |contract: String| validate(vec![path("run.ndjson"), "--contract".to_owned(), contract]);
    let ran = judged(path("wide.json")).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let ran = judged(path("narrow.json")).await;
    let found = super::failures(&ran);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "schema");
    let report = report_of(&ran);
    assert_eq!(rule(&report, "schema")["findings"][0]["pointer"], "/index", "{report:#}");
}
