//! Receivers on a server: their paths, secrets and answers, and what is kept over a restart.

use std::net::SocketAddr;

use incident::journal::{Journal, Memory, ReadLimit, Retention};
use incident::receivers;
use incident::server::{HookSetup, Options, Secrets};
use serde_json::{Value, json};

use super::lab::{ended, firing, group};
use crate::harness::{Http, Local, Numbers, PATIENCE, Raw, Reply, Scratch, Serving, get, options, tokens};
use incident::token::Scope;

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A receiver of each kind.
pub fn setups(more: &str) -> Vec<HookSetup> {
    let text = format!(
        "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_file = \"t\"\nsettle = \"0s\"\n{more}\n\
         [[receiver]]\nname = \"graf\"\nkind = \"grafana\"\ntoken_file = \"t\"\n\
         [[receiver]]\nname = \"pd\"\nkind = \"pagerduty\"\ntoken_file = \"t\"\n"
    );
    let receivers = receivers::read("r", &text).unwrap_or_else(|error| panic!("{error}"));
    let token = [SECRET.parse().unwrap()];
    receivers
        .into_iter()
        .map(|receiver| HookSetup {
            receiver,
            secrets: Secrets::new(&token).signed_with(b"Jefe".to_vec(), "X-Sign", None),
        })
        .collect()
}

async fn server() -> Local {
    Local::with(Options { receivers: Some(setups("")), ..options() }, Retention::default()).await
}

fn post(address: SocketAddr, path: &str, body: &Value) -> Http {
    Http::new(address, "POST", path).header("Content-Type", "application/json").body(&body.to_string())
}

async fn deliver(address: SocketAddr, body: &Value) -> Reply {
    post(address, "/hooks/alertmanager/prod", body).bearer(SECRET).send().await
}

/// What the journal has: a word an event.
async fn words(journal: &Journal) -> Vec<String> {
    let events = journal.read(0, ReadLimit::ALL).await.unwrap();
    events.iter().map(|event| event.kind.as_str().to_owned()).collect()
}

/// Waits until the journal has so many events.
async fn until(journal: &Journal, head: u64) {
    let mut extent = journal.follow();
    let waited = tokio::time::timeout(PATIENCE, extent.wait_for(|extent| extent.head >= head));
    waited.await.expect("the events come").unwrap();
}

#[tokio::test]
async fn a_delivery_is_answered_once_it_is_stored() {
    let server = server().await;
    let reply = deliver(server.address, &group(&[firing("A", 0)])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(server.journal_head(), 2);
    let told = reply.json();
    assert_eq!((told["events"].as_u64(), told["repeats"].as_u64()), (Some(2), Some(0)));
    let subject = told["incidents"][0].as_str().unwrap().to_owned();
    let again = deliver(server.address, &group(&[firing("A", 0)])).await.json();
    assert_eq!((again["events"].as_u64(), again["repeats"].as_u64()), (Some(0), Some(1)));
    let listed = get(server.address, &format!("/api/incidents/{subject}")).await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    deliver(server.address, &group(&[ended("A", 0, 9)])).await;
    until(&server.journal, 4).await;
    assert_eq!(words(&server.journal).await[2..], ["agent_action", "incident_resolved"]);
    Numbers::of(server.address).await.are(&[
        ("incident_hook_deliveries_total{receiver=\"prod\",result=\"accepted\"}", 3),
        ("incident_hook_deliveries_total{receiver=\"pd\",result=\"accepted\"}", 0),
        ("incident_hook_events_total{receiver=\"prod\"}", 4),
        ("incident_hook_repeats_total{receiver=\"prod\"}", 1),
        ("incident_hook_ignored_total{receiver=\"prod\",why=\"unknown_resolved\"}", 0),
    ]);
}

/// The guide's table of metrics is what the server shows.
#[tokio::test]
async fn the_guide_documents_the_metrics_of_receivers() {
    let server = server().await;
    let numbers = Numbers::of(server.address).await;
    let guide = std::fs::read_to_string(crate::harness::root().join("docs/receivers.md")).unwrap();
    let hooks = numbers.described().into_iter().filter(|(name, ..)| name.starts_with("incident_hook_"));
    let mut found = 0;
    for (name, kind, help) in hooks {
        let row =
            format!("| `{name}` | {kind} | {} | {} |", numbers.labels(&name), help.trim_end_matches('.'));
        assert!(guide.contains(&row), "docs/receivers.md lacks\n{row}");
        found += 1;
    }
    assert_eq!(found, guide.matches("| `incident_hook_").count());
}

/// Alertmanager tries again after 5xx alone: a disk that is full loses no alert.
#[tokio::test]
async fn while_the_journal_fails_a_delivery_is_503_and_the_next_one_is_stored_once() {
    let folder = Scratch::new().with("prod.token", SECRET).with(
        "receivers.toml",
        "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_file = \"prod.token\"\n",
    );
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (journal, file) = (path("journal.db"), path("receivers.toml"));
    let server = Serving::with(&["--journal", &journal, "--receivers", &file]);
    let body = group(&[firing("A", 0)]);
    let limit = |bytes: u64| {
        let process = server.id().cast_signed();
        rlimit::prlimit(process, rlimit::Resource::FSIZE, Some((bytes, u64::MAX)), None).unwrap();
    };
    limit(std::fs::metadata(path("journal.db-wal")).unwrap().len());
    let reply = deliver(server.address(), &body).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "2"), "{}", reply.body);
    limit(u64::MAX);
    let end = std::time::Instant::now() + PATIENCE;
    while deliver(server.address(), &body).await.status != 200 {
        assert!(std::time::Instant::now() < end, "the journal does not come back");
        tokio::time::sleep(crate::harness::ms(50)).await;
    }
    deliver(server.address(), &body).await;
    let numbers = Numbers::of(server.address()).await;
    numbers
        .are(&[("incident_journal_head_position", 2), ("incident_hook_events_total{receiver=\"prod\"}", 2)]);
    assert!(numbers.get("incident_hook_deliveries_total{receiver=\"prod\",result=\"failed\"}") >= 1.0);
}

#[tokio::test]
async fn without_a_file_there_are_no_paths_and_with_it_each_needs_its_secret() {
    let without = Local::start().await;
    let body = group(&[firing("A", 0)]);
    for path in ["/hooks/alertmanager/prod", "/hooks/pagerduty/pd/v2/enqueue"] {
        let status = post(without.address, path, &body).bearer(SECRET).send().await.status;
        assert_eq!(status, 404, "{path}");
    }
    let server = server().await;
    for path in ["/hooks/alertmanager/other", "/hooks/alertmanager/graf", "/hooks/alertmanager"] {
        assert_eq!(post(server.address, path, &body).bearer(SECRET).send().await.status, 404, "{path}");
    }
    let path = "/hooks/alertmanager/prod";
    assert_eq!(post(server.address, path, &body).send().await.status, 401);
    assert_eq!(post(server.address, path, &body).bearer("0123456789abcdef").send().await.status, 401);
    assert_eq!(get(server.address, path).await.status, 405);
    assert_eq!(server.journal_head(), 0);
    Numbers::of(server.address)
        .await
        .are(&[("incident_hook_deliveries_total{receiver=\"prod\",result=\"refused\"}", 2)]);
    // Senders name the server as their network does.
    let reply = post(server.address, path, &body).bearer(SECRET).host(Some("incident:7911")).send().await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn the_tokens_of_the_server_and_of_a_receiver_open_nothing_of_each_other() {
    let write = "wr1te-0123456789abcdef";
    let options =
        Options { receivers: Some(setups("")), tokens: tokens(&[(Scope::Write, write)]), ..options() };
    let server = Local::with(options, Retention::default()).await;
    let body = group(&[firing("A", 0)]);
    let path = "/hooks/alertmanager/prod";
    assert_eq!(post(server.address, path, &body).bearer(write).send().await.status, 401);
    assert_eq!(post(server.address, path, &body).bearer(SECRET).send().await.status, 200);
    let other = Http::new(server.address, "GET", "/api/incidents").bearer(SECRET).send().await;
    assert_eq!(other.status, 401);
}

#[tokio::test]
async fn what_can_not_be_read_is_422_and_names_the_members() {
    let server = server().await;
    let reply = deliver(server.address, &json!({ "version": "4", "alerts": [] })).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.json()["errors"][0], json!({ "pointer": "/groupKey", "detail": "groupKey is missing" }));
    let large = json!({ "version": "4", "groupKey": "x".repeat(4 * 1024 * 1024) });
    assert_eq!(deliver(server.address, &large).await.status, 413);
    Numbers::of(server.address)
        .await
        .are(&[("incident_hook_deliveries_total{receiver=\"prod\",result=\"invalid\"}", 2)]);
}

#[tokio::test]
async fn grafana_may_sign_put_and_send_a_password() {
    let server = server().await;
    let mut body = group(&[firing("A", 0)]);
    body["version"] = json!("1");
    let put = Http::new(server.address, "PUT", "/hooks/grafana/graf")
        .header("Authorization", &format!("Basic {}", "eDowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="))
        .body(&body.to_string());
    assert_eq!(put.send().await.status, 200);
    // The second case of RFC 4231: the signature fits, and the text is none of Grafana's.
    let signed = |signature: &str| {
        Http::new(server.address, "POST", "/hooks/grafana/graf")
            .header("X-Sign", signature)
            .body("what do ya want for nothing?")
    };
    let right = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(signed(right).send().await.status, 422);
    assert_eq!(signed(&right.replace('5', "6")).send().await.status, 401);
    assert_eq!(signed("zz").send().await.status, 401);
}

#[tokio::test]
async fn pagerduty_is_answered_as_by_pagerduty() {
    let server = server().await;
    let path = "/hooks/pagerduty/pd/v2/enqueue";
    let mut body = json!({
        "routing_key": SECRET,
        "event_action": "trigger",
        "payload": { "summary": "Disk full", "source": "db-1", "severity": "error" },
    });
    let reply = post(server.address, path, &body).send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    assert_eq!(
        (&reply.json()["status"], &reply.json()["message"]),
        (&json!("success"), &json!("Event processed"))
    );
    let key = reply.json()["dedup_key"].as_str().unwrap().to_owned();
    let resolve = json!({ "routing_key": SECRET, "event_action": "resolve", "dedup_key": key });
    assert_eq!(post(server.address, path, &resolve).send().await.status, 202);
    until(&server.journal, 4).await;
    body["payload"]["severity"] = json!("awful");
    let reply = post(server.address, path, &body).send().await;
    assert_eq!((reply.status, &reply.json()["status"]), (400, &json!("invalid event")));
    body["routing_key"] = json!("another");
    assert_eq!(post(server.address, path, &body).send().await.status, 401);
    let change = json!({ "routing_key": SECRET, "payload": { "summary": "Release 88" } });
    let path = "/hooks/pagerduty/pd/v2/change/enqueue";
    assert_eq!(post(server.address, path, &change).send().await.status, 202);
}

#[tokio::test]
async fn a_restart_and_a_pair_of_senders_write_nothing_twice() {
    let stream = incident::contract::StreamId::generate(1_700_000_000_000, incident::random::bits());
    let journal = Journal::new(Memory::new(stream, Retention::default()));
    let with = || Options { receivers: Some(setups("")), ..options() };
    let server = Local::over(with(), journal.clone()).await;
    let body = group(&[firing("A", 0), firing("B", 1)]);
    let pair = tokio::join!(deliver(server.address, &body), deliver(server.address, &body));
    assert_eq!((pair.0.status, pair.1.status), (200, 200));
    assert_eq!(words(&journal).await.len(), 3);
    server.drained().await;
    let server = Local::over(with(), journal.clone()).await;
    assert_eq!(deliver(server.address, &body).await.json()["repeats"], 2);
    assert_eq!(words(&journal).await.len(), 3);
    deliver(server.address, &group(&[ended("A", 0, 9), ended("B", 1, 9)])).await;
    until(&journal, 6).await;
    server.drained().await;
    assert_eq!(words(&journal).await[5], "incident_resolved");
}

#[tokio::test]
async fn what_others_do_to_its_incident_counts() {
    let server = server().await;
    let body = group(&[firing("A", 0)]);
    let subject = deliver(server.address, &body).await.json()["incidents"][0].as_str().unwrap().to_owned();
    server.append(vec![crate::harness::action(&subject, 3, "an agent restarts it")]).await;
    let cancelled = Http::new(server.address, "DELETE", &format!("/api/incidents/{subject}")).send().await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    assert_eq!(deliver(server.address, &body).await.json()["repeats"], 1);
    let next = deliver(server.address, &group(&[firing("A", 0), firing("B", 1)])).await.json();
    assert_eq!(next["incidents"][0], format!("{subject}-2"));
}

/// An agent's events and the receiver's are one incident: each counts what the other wrote.
#[tokio::test]
async fn an_agent_publishes_into_the_incident_of_an_alert() {
    let server = server().await;
    let told = deliver(server.address, &group(&[firing("A", 0)])).await.json();
    let subject = told["incidents"][0].as_str().unwrap();
    let publish = |kind: &str, id: &str, data: Value| {
        let event = json!({
            "specversion": "1.0", "id": id, "source": "/agents/fixer", "type": kind, "subject": subject,
            "time": jiff::Timestamp::now().to_string(), "data": data,
        });
        let request = Http::new(server.address, "POST", "/api/events");
        request.header("Content-Type", "application/cloudevents+json").body(&event.to_string()).send()
    };
    let restart = json!({
        "agent": "fixer", "action": "restart", "status": "completed", "summary": "restarted checkout",
    });
    let reply = publish("agent_action", "1", restart.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    deliver(server.address, &group(&[firing("A", 0), firing("B", 1)])).await;
    let end = json!({ "outcome": "resolved", "summary": "the agent has mended it" });
    let reply = publish("incident_resolved", "2", end).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let events = server.journal.read(4, ReadLimit::ALL).await.unwrap();
    let data: Value = serde_json::from_str(events[0].data.get()).unwrap();
    assert_eq!(data["actions"]["total"], 3, "two alerts and the agent's own");
    let told = deliver(server.address, &group(&[firing("A", 0), firing("B", 1)])).await.json();
    assert_eq!(
        (told["events"].as_u64(), told["repeats"].as_u64()),
        (Some(0), Some(2)),
        "the agent has ended it"
    );
}

#[tokio::test]
async fn an_id_that_the_journal_has_already_is_passed_over() {
    let server = server().await;
    let body = group(&[firing("A", 0)]);
    let subject = deliver(server.address, &body).await.json()["incidents"][0].as_str().unwrap().to_owned();
    let other = Local::with(Options { receivers: Some(setups("")), ..options() }, Retention::default()).await;
    // Events of another publisher under the ids that the receiver would take.
    other.append(vec![crate::harness::started(&subject), crate::harness::resolved(&subject, 2)]).await;
    other.append(vec![crate::harness::started(&format!("{subject}-2"))]).await;
    let reply = deliver(other.address, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.json()["incidents"][0], format!("{subject}-3"));
}

/// Anybody can open connections to the path of a receiver whose secret is in the body.
#[tokio::test]
async fn bodies_that_do_not_arrive_keep_no_other_sender_out() {
    let server = server().await;
    let mut slow = Vec::new();
    for path in ["pagerduty/pd/v2/enqueue", "alertmanager/prod", "grafana/graf"] {
        for _ in 0..40 {
            let mut raw = Raw::connect(server.address).await;
            let head = format!(
                "POST /hooks/{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nX-Sign: 00\r\n\
                 Content-Type: application/json\r\nContent-Length: 400000\r\n\r\n{{",
                server.address,
                if path.starts_with("alert") { SECRET } else { "" },
            );
            raw.send(head.as_bytes()).await;
            slow.push(raw);
        }
    }
    let reply = deliver(server.address, &group(&[firing("A", 0)])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let body = json!({
        "routing_key": SECRET, "event_action": "trigger", "dedup_key": "k",
        "payload": { "summary": "s", "source": "s", "severity": "info" },
    });
    assert_eq!(post(server.address, "/hooks/pagerduty/pd/v2/enqueue", &body).send().await.status, 202);
    let reply = post(server.address, "/hooks/grafana/graf", &grafana()).bearer(SECRET).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

fn grafana() -> Value {
    let mut body = group(&[firing("G", 0)]);
    body["version"] = json!("1");
    body
}

/// A sender that breaks off is no sender of a body that is too large.
#[tokio::test]
async fn a_body_that_breaks_off_may_come_again() {
    let server = server().await;
    let mut raw = Raw::connect(server.address).await;
    let head = format!(
        "POST /hooks/alertmanager/prod HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {SECRET}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{{\"ve\r\nZZ\r\n",
        server.address,
    );
    raw.send(head.as_bytes()).await;
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503") || answer.starts_with("HTTP/1.1 400"), "{answer}");
    let numbers = Numbers::of(server.address).await;
    numbers.are(&[("incident_hook_deliveries_total{receiver=\"prod\",result=\"invalid\"}", 0)]);
}
