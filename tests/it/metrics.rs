//! `GET /metrics`: the numbers are right, and written as Prometheus wants them.

use std::io::Write;
use std::process::{Command, Stdio};

use incident::contract::MessageType;
use incident::journal::Retention;
use incident::server::Options;

use crate::harness::{
    Client, Http, Local, Numbers, Raw, Scratch, Serving, action, ensure_file_contents, fixture, get, masked,
    metrics, ms, options, resolved, root, started,
};

#[tokio::test]
async fn what_is_played_and_delivered_is_counted_exactly() {
    const CLIENTS: u64 = 7;
    let server = Local::start().await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(server.client().await);
    }
    Numbers::of(server.address).await.are(&[
        ("incident_clients{transport=\"ws\"}", CLIENTS),
        ("incident_clients{transport=\"sse\"}", 0),
        ("incident_deliveries_total{transport=\"ws\"}", 0),
        ("incident_incidents_open", 0),
        ("incident_journal_head_position", 0),
        ("incident_journal_oldest_position", 1),
    ]);
    let body = r#"{"scenario":"database-outage","speed":1000}"#;
    assert_eq!(Http::trigger(server.address, body).send().await.status, 202);
    let mut events = Vec::new();
    for client in &mut clients {
        events = client.up_to(108).await;
    }
    assert!(events.last().unwrap().frame.contains("incident_resolved"), "all of it");
    // A text of 126 to 65,535 bytes has a header of four.
    let bytes: usize = events.iter().map(|event| event.frame.len() + 4).sum();

    let delivered = "incident_deliveries_total{transport=\"ws\"}";
    let numbers = Numbers::until(server.address, delivered, (CLIENTS * 108) as f64).await;
    numbers.are(&[
        ("incident_delivered_bytes_total{transport=\"ws\"}", CLIENTS * bytes as u64),
        ("incident_clients_admitted_total{transport=\"ws\"}", CLIENTS),
        ("incident_client_lag_events", 0),
        ("incident_clients_behind_ring", 0),
        ("incident_journal_head_position", 108),
        ("incident_journal_events_total", 108),
        ("incident_journal_healthy", 1),
        ("incident_journal_append_failures_total", 0),
        ("incident_incidents_started_total", 1),
        ("incident_incidents_ended_total{outcome=\"resolved\"}", 1),
        ("incident_incidents_ended_total{outcome=\"cancelled\"}", 0),
        // All but the first: it makes the moment that the others are due after.
        ("incident_event_lateness_seconds_count", 107),
        ("incident_event_lateness_seconds_bucket{le=\"+Inf\"}", 107),
    ]);
    // Without others that append, an append is a commit.
    let commits = numbers.get("incident_journal_commits_total");
    assert_eq!(numbers.get("incident_journal_append_seconds_count").to_bits(), commits.to_bits());
    assert!((2.0..=108.0).contains(&commits), "{commits}");
    assert!(numbers.get("incident_journal_append_seconds_sum") > 0.0);
    // An incident of 180 s at speed 1000 takes 0.18 s: nothing was later than the machine is slow.
    assert!(numbers.get("incident_event_lateness_seconds_bucket{le=\"10\"}") > 106.0);

    // Those who are gone stay counted; a newcomer adds to them.
    drop(clients);
    Numbers::until(server.address, "incident_clients{transport=\"ws\"}", 0.0).await;
    let mut late = Client::connect(server.address, "?after=0").await;
    late.up_to(108).await;
    let numbers = Numbers::until(server.address, delivered, ((CLIENTS + 1) * 108) as f64).await;
    numbers.are(&[
        ("incident_clients_admitted_total{transport=\"ws\"}", CLIENTS + 1),
        ("incident_clients{transport=\"ws\"}", 1),
    ]);
}

#[tokio::test]
async fn a_cancelled_incident_is_counted_as_one_and_is_open_until_then() {
    let server = Local::start().await;
    let reply = Http::trigger(server.address, r#"{"scenario":"database-outage"}"#).send().await;
    let path = reply.header("location").to_owned();
    Numbers::of(server.address).await.are(&[("incident_incidents_open", 1)]);
    assert_eq!(Http::new(server.address, "DELETE", &path).send().await.status, 200);
    Numbers::until(server.address, "incident_incidents_open", 0.0).await.are(&[
        ("incident_incidents_ended_total{outcome=\"cancelled\"}", 1),
        ("incident_incidents_ended_total{outcome=\"resolved\"}", 0),
    ]);
}

#[tokio::test]
async fn two_servers_in_one_process_have_their_own_numbers() {
    let (one, other) = (Local::start().await, Local::start().await);
    let _client = one.client().await;
    get(one.address, "/ws?after=x").await.problem(400);
    let numbers = Numbers::of(other.address).await;
    numbers.are(&[
        ("incident_clients_admitted_total{transport=\"ws\"}", 0),
        ("incident_refusals_total{reason=\"position\"}", 0),
    ]);
    Numbers::of(one.address).await.are(&[
        ("incident_clients_admitted_total{transport=\"ws\"}", 1),
        ("incident_refusals_total{reason=\"position\"}", 1),
    ]);
}

#[tokio::test]
async fn refusals_are_counted_by_their_reason() {
    let server = Local::with(Options { max_clients: 1, ..options() }, Retention::default()).await;
    let address = server.address;
    let _only = server.client().await;
    let counted = |reason: &str| format!("incident_refusals_total{{reason=\"{reason}\"}}");
    let before = Numbers::of(address).await;
    for reason in ["full", "host", "origin", "position", "handshake", "incidents"] {
        before.are(&[(&counted(reason), 0)]);
    }
    assert!(Client::with_headers(address, "", &[]).await.is_err());
    for _ in 0..2 {
        Http::new(address, "GET", "/").host(Some("evil.example")).send().await.problem(421);
    }
    Http::new(address, "GET", "/").host(None).send().await.problem(400);
    for path in ["/ws", "/api/incidents/x"] {
        let method = if path == "/ws" { "GET" } else { "DELETE" };
        Http::new(address, method, path).origin("https://evil.example").send().await.problem(403);
    }
    get(address, "/ws?after=17").await.problem(400);
    get(address, "/ws").await.problem(426);
    // Not found, not allowed: nobody was turned away.
    get(address, "/nothing").await.problem(404);
    Http::new(address, "POST", "/").send().await.problem(405);
    let numbers = Numbers::of(address).await;
    for (reason, count) in
        [("full", 1), ("host", 3), ("origin", 2), ("position", 1), ("handshake", 1), ("incidents", 0)]
    {
        numbers.are(&[(&counted(reason), count)]);
    }
}

#[tokio::test]
async fn closes_are_counted_by_their_code() {
    let options = Options { write_deadline: ms(300), ..options() };
    let server = Local::with(options, Retention::default()).await;
    let code = |code: u16| format!("incident_closes_total{{code=\"{code}\",transport=\"ws\"}}");
    let raw = || async { Raw::connect(server.address).await.upgrade("").await };
    Numbers::of(server.address).await.are(&[(&code(1000), 0), (&code(1012), 0), (&code(4009), 0)]);

    raw().await.send(&masked(0x88, &1000_u16.to_be_bytes())).await;
    Numbers::until(server.address, &code(1000), 1.0).await;
    drop(raw().await);
    Numbers::until(server.address, &code(1006), 1.0).await;
    let mut loud = raw().await;
    loud.send(&masked(0x81, &vec![b'x'; 17_000])).await;
    assert_eq!(loud.closed().await.1, 1009);
    let mut wrong = raw().await;
    wrong.send(b"\x81\x00").await;
    assert_eq!(wrong.closed().await.1, 1002);

    let deaf = Raw::narrow(server.address).await.upgrade("").await;
    server.append(vec![started("fill")]).await;
    let filler = "x".repeat(30_000);
    for index in 2..400 {
        server.append(vec![action("fill", index, &filler)]).await;
    }
    let numbers = Numbers::until(server.address, "incident_clients{transport=\"ws\"}", 0.0).await;
    let all = [1000, 1006, 1009, 1002, 4008].map(|number| (code(number), 1));
    numbers.are(&all.each_ref().map(|(sample, count)| (sample.as_str(), *count)));
    drop(deaf);
}

/// The ring keeps 16,384 frames.
#[tokio::test]
async fn a_client_that_is_behind_is_seen_with_its_lag() {
    const LENGTH: u64 = 18_000;
    let options = Options { write_deadline: ms(60_000), ..options() };
    let server = Local::with(options, Retention::default()).await;
    let deaf = Raw::narrow(server.address).await.upgrade("").await;
    let mut reader = server.client().await;
    server.append(vec![started("long")]).await;
    for index in 2..LENGTH {
        server.append(vec![metrics("long", index)]).await;
    }
    server.append(vec![resolved("long", LENGTH)]).await;
    reader.up_to(LENGTH).await;
    let numbers = Numbers::until(server.address, "incident_clients_behind_ring", 1.0).await;
    let lag = numbers.get("incident_client_lag_events");
    assert!(lag > (LENGTH - 16_384) as f64 && lag <= LENGTH as f64, "{lag}");
    drop(deaf);
    Numbers::until(server.address, "incident_client_lag_events", 0.0)
        .await
        .are(&[("incident_clients_behind_ring", 0), ("incident_clients{transport=\"ws\"}", 1)]);
}

#[tokio::test]
async fn it_is_text_that_nobody_keeps_and_says_what_runs() {
    let server = Local::start().await;
    let reply = get(server.address, "/metrics").await;
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(reply.body.ends_with('\n'));
    let numbers = Numbers::read(reply.body);
    let version = concat!("incident_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    numbers.are(&[(version, 1), ("incident_clients_limit", 10_000)]);
    let age = jiff::Timestamp::now().as_millisecond() as f64 / 1e3;
    let age = age - numbers.get("process_start_time_seconds");
    assert!((0.0..60.0).contains(&age), "{age} s");
    if cfg!(target_os = "linux") {
        assert!(numbers.get("process_resident_memory_bytes") > 1e6);
        assert!(numbers.get("process_cpu_seconds_total") >= 0.0);
        let (open, most) = (numbers.get("process_open_fds"), numbers.get("process_max_fds"));
        assert!(open >= 3.0 && open < most, "{open} of {most}");
    }
    let head = Http::new(server.address, "HEAD", "/metrics").send().await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    Http::new(server.address, "POST", "/metrics").send().await.problem(405);
    Http::new(server.address, "GET", "/metrics").host(Some("evil.example")).send().await.problem(421);
}

/// The rules of Prometheus' own linter that a test without it can hold.
#[tokio::test]
async fn every_metric_has_a_help_a_type_and_a_name_that_says_its_unit() {
    let server = Local::start().await;
    let numbers = Numbers::of(server.address).await;
    let described = numbers.described();
    assert!(described.len() >= 25, "{described:?}");
    assert!(described.is_sorted_by(|one, other| one.0 < other.0), "sorted, and none twice");
    for (name, kind, help) in described {
        assert!(name.starts_with("incident_") || name.starts_with("process_"), "{name}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        assert!(kind != "histogram" || name.ends_with("_seconds"), "{name}");
        assert!(help.ends_with('.'), "{name}: {help}");
    }
}

/// `docs/operations.md`, and its pieces of YAML.
fn operations() -> (String, Vec<String>) {
    let text = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let pieces = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let pieces: Vec<String> = pieces.collect();
    assert_eq!(pieces.len(), 2, "a configuration and rules");
    (text, pieces)
}

#[tokio::test]
async fn the_documentation_has_every_metric_and_no_other() {
    let server = Local::start().await;
    let numbers = Numbers::of(server.address).await;
    let described = numbers.described();
    let (begin, end) = ("<!-- metrics -->\n", "<!-- /metrics -->");
    let (text, pieces) = operations();
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let rows = described.iter().map(|(name, kind, help)| {
        assert!(!help.contains('|'), "{help}");
        format!("| `{name}` | {kind} | {} | {} |\n", numbers.labels(name), help.trim_end_matches('.'))
    });
    let table = format!("| metric | | labels | |\n|---|---|---|---|\n{}", rows.collect::<String>());
    let wanted = format!("{before}{begin}\n{table}\n{end}{after}");
    // What is left out where there is no /proc.
    if cfg!(target_os = "linux") {
        ensure_file_contents(&[(root().join("docs/operations.md"), wanted)]);
    }
    // What a rule or a sentence names is there.
    let mut named = 0;
    for word in text.split(|c: char| !(c.is_ascii_lowercase() || c == '_')) {
        if !word.starts_with("incident_") || MessageType::from_name(word).is_some() {
            continue;
        }
        let metric = word.trim_end_matches("_bucket");
        assert!(described.iter().any(|(name, ..)| name == metric), "{word} is no metric");
        named += 1;
    }
    assert!(named > described.len() && pieces[1].contains("incident_"), "{named}");
}

/// What Prometheus' own tool says; it has to be content.
fn promtool(args: &[&str], text: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed: ./tests/run does that");
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = tool.wait_with_output().unwrap();
    let words = String::from_utf8([said.stdout, said.stderr].concat()).unwrap();
    assert!(said.status.success(), "{words}");
    words
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs promtool: ./tests/run installs it and runs this"]
async fn prometheus_has_nothing_to_complain_of_after_traffic() {
    let server = Serving::with(&["--speed", "1000"]);
    let address = server.address();
    let mut client = Client::connect(address, "").await;
    let ran = server.incident(&["trigger", "database-outage", "--quiet"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    client.up_to(108).await;
    get(address, "/ws?after=x").await.problem(400);
    drop(client);
    let gone = "incident_clients{transport=\"ws\"}";
    let said = promtool(&["check", "metrics"], &Numbers::until(address, gone, 0.0).await.text);
    assert_eq!(said, "", "not a complaint");

    let (_, pieces) = operations();
    let files = Scratch::new().with("prometheus.yml", &pieces[0]).with("rules.yml", &pieces[1]);
    let file = |name: &str| format!("{}/{name}", files.text());
    let said = promtool(&["check", "config", &file("prometheus.yml")], "");
    assert!(said.contains("is valid prometheus config file syntax"), "{said}");
    let said = promtool(&["check", "rules", &file("rules.yml")], "");
    assert!(said.contains("SUCCESS: 10 rules found"), "{said}");
    // Valid is not yet right: each fires when it should, and not before.
    std::fs::copy(fixture("operations/alerts.yml"), file("alerts.yml")).unwrap();
    let said = promtool(&["test", "rules", &file("alerts.yml")], "");
    assert!(said.contains("SUCCESS"), "{said}");
}

/// Lines that the limiter leaves out are missed by nobody who looks.
#[tokio::test]
async fn lines_that_are_not_in_the_log_are_counted() {
    let server = Local::start().await;
    let name = "incident_log_lines_dropped_total{reason=\"limited\"}";
    let before = Numbers::of(server.address).await.get(name);
    for _ in 0..3 {
        let refused = Http::trigger(server.address, "{}").origin("http://evil.example").send().await;
        assert_eq!(refused.status, 403);
    }
    let numbers = Numbers::of(server.address).await;
    // Other tests of this process are refused, too.
    assert!(numbers.get(name) >= before + 2.0, "{}", numbers.get(name));
    numbers.get("incident_log_lines_dropped_total{reason=\"unread\"}");
}
