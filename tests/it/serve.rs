//! `incident serve`: coming up, refusing to, and going down.

use std::net::TcpListener;

use crate::harness::{Client, Http, Raw, Scratch, Serving, get, incident, ms, soon};

#[tokio::test]
async fn it_is_ready_when_it_says_so() {
    let server = Serving::with(&[]);
    assert!(server.url().starts_with("ws://127.0.0.1:") && server.url().ends_with("/ws"));
    assert_eq!(get(server.address(), "/readyz").await.status, 200);
    let client = Client::connect(server.address(), "").await;
    assert_eq!(client.opened.head, 0);
    assert_eq!(client.opened.heartbeat_ms, 5_000);
}

#[tokio::test]
async fn what_is_triggered_at_the_start_plays_at_once() {
    let server = Serving::with(&["--trigger", "database-outage", "--speed", "1000", "--seed", "42"]);
    let mut client = Client::connect(server.address(), "?after=0").await;
    let mut events = vec![client.event().await];
    while !events.last().unwrap().frame.contains("\"type\":\"incident_resolved\"") {
        events.push(client.event().await);
    }
    assert_eq!(events.len(), 108, "all of it");
    assert!(events[0].frame.contains("\"seed\":42"), "{}", events[0].frame);
}

#[test]
fn the_banner_goes_to_stderr_and_names_what_to_try() {
    let scratch = Scratch::new().with("s/a.toml", include_str!("../fixtures/scenarios/github-2018.toml"));
    let folder = scratch.path().join("s");
    let mut server = incident(&["serve", "--port", "0", "--scenarios", folder.to_str().unwrap()]).spawn();
    let ready = server.says("WebSocket");
    let address = ready.rsplit("ws://").next().unwrap().trim_end_matches("/ws").parse().unwrap();
    server.says("Ready in");
    // An answer shows that it serves, and so listens to signals.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(get(address, "/healthz")).status, 200);
    server.signal("INT");
    let ran = server.end();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    for piece in [
        "http://127.0.0.1:",
        "ws://127.0.0.1:",
        "1 from",
        "incident trigger github-2018-mysql-failover",
        "Ready in",
    ] {
        assert!(ran.stderr.contains(piece), "{piece} is not in\n{}", ran.stderr);
    }
}

/// `timeout` sends it to the process and to its group.
#[tokio::test(flavor = "multi_thread")]
async fn two_signals_at_once_are_one_wish() {
    let server = Serving::with(&["--journal", "memory", "--drain", "1s"]);
    // The client has to be told.
    let mut client = Client::connect(server.address(), "").await;
    server.signal("INT");
    server.signal("TERM");
    assert_eq!(client.closed().await.0, 1012);
    assert_eq!(server.end(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_told_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = incident(&["serve", "--port", &port]).run();
    assert_eq!(ran.status, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains(&port) && ran.stderr.contains("--port 0"), "{}", ran.stderr);
    assert!(ran.stdout.is_empty(), "not ready: {}", ran.stdout);
}

#[test]
fn an_address_that_others_reach_is_refused_until_allowed() {
    for address in ["0.0.0.0", "::", "192.0.2.1"] {
        let ran = incident(&["serve", "--port", "0", "--bind", address]).run();
        assert_eq!(ran.status, Some(2), "{address}: {}", ran.stderr);
        assert!(ran.stderr.contains("--allow-remote"), "{}", ran.stderr);
    }
    let server = Serving::with(&["--bind", "0.0.0.0", "--allow-remote"]);
    assert!(server.url().starts_with("ws://0.0.0.0:"), "{}", server.url());
}

#[test]
fn a_broken_scenario_is_shown_with_file_line_and_text() {
    let sound = include_str!("../fixtures/scenarios/database-outage.toml");
    let broken = sound.replacen("agent      = \"detection\"", "agent      = \"detektion\"", 1);
    let scratch =
        Scratch::new().with("outage.toml", &broken).with("worse.toml", "id = \"worse\"\nwhat = 1\n");
    let ran = incident(&["serve", "--port", "0", "--scenarios", scratch.text()]).run();
    assert_eq!(ran.status, Some(6), "{}", ran.stderr);
    let line = broken.lines().position(|line| line.contains("detektion")).unwrap() + 1;
    for piece in [
        &format!("outage.toml:{line}:14"),
        "agent      = \"detektion\"",
        "unknown agent \"detektion\"",
        "did you mean \"detection\"?",
        "worse.toml:",
        "missing fields `title`, `severity`, `services`, `target`",
        "4 mistakes in 2 scenario files",
    ] {
        assert!(ran.stderr.contains(piece), "{piece:?} is not in\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains('\u{1b}') && ran.stdout.is_empty());
}

#[test]
fn a_folder_without_scenarios_is_refused() {
    let scratch = Scratch::new().with("notes.md", "none");
    let ran = incident(&["serve", "--port", "0", "--scenarios", scratch.text()]).run();
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("no scenario file") && ran.stderr.contains(scratch.text()), "{}", ran.stderr);
    let nowhere = format!("{}/nowhere", scratch.text());
    let ran = incident(&["serve", "--port", "0", "--scenarios", &nowhere]).run();
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("nowhere cannot be read: no such file"), "{}", ran.stderr);
}

#[test]
fn a_trigger_of_nothing_is_refused_with_what_was_meant() {
    let ran = incident(&["serve", "--port", "0", "--trigger", "databse-outage"]).run();
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean \"database-outage\"?"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_signal_drains_clients_with_1012_and_ends_with_0() {
    for signal in ["TERM", "INT"] {
        let server = Serving::with(&["--trigger", "database-outage"]);
        let address = server.address();
        let mut clients = Vec::new();
        for _ in 0..20 {
            clients.push(Client::connect(address, "").await);
        }
        server.signal(signal);
        for mut client in clients {
            let (code, reason) = client.closed().await;
            assert_eq!(code, 1012, "{reason}");
        }
        let ended = tokio::task::spawn_blocking(move || server.end());
        assert_eq!(soon("the end", ended).await.unwrap(), Some(0), "{signal}");
        assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }
}

/// Whoever waits for the ready line may stop it at once: a supervisor, a test.
#[test]
fn a_signal_right_behind_the_ready_line_is_a_drain_too() {
    let triggers = ["--trigger", "github-2018-mysql-failover"].repeat(30);
    let server = Serving::with(&triggers);
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
}

#[tokio::test]
async fn clients_that_do_nothing_hold_the_end_no_longer_than_the_drain_time() {
    let server = Serving::with(&["--drain", "1s", "--trigger", "database-outage"]);
    let silent = Raw::connect(server.address()).await;
    let mut half = Raw::connect(server.address()).await;
    half.send(b"GET / HTTP/1.1\r\nHo").await;
    let deaf = Raw::narrow(server.address()).await.upgrade("").await;
    let began = std::time::Instant::now();
    server.signal("TERM");
    let ended = tokio::task::spawn_blocking(move || server.end());
    assert_eq!(soon("the end", ended).await.unwrap(), Some(0));
    assert!(began.elapsed() < ms(4_000), "it took {:?}", began.elapsed());
    drop((silent, half, deaf));
}

/// A browser opens connections that it may need later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_have_asked_for_nothing_do_not_hold_the_end_at_all() {
    let server = Serving::with(&["--drain", "10m", "--request-deadline", "10m"]);
    let silent = [Raw::connect(server.address()).await, Raw::connect(server.address()).await];
    server.signal("TERM");
    let ended = tokio::task::spawn_blocking(move || server.end());
    assert_eq!(soon("the end", ended).await.unwrap(), Some(0));
    drop(silent);
}

#[test]
fn a_wrong_trigger_is_told_before_anything_listens() {
    let ran = incident(&["serve", "--port", "0", "--json", "--trigger", "databse-outage"]).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean \"database-outage\"?"), "{}", ran.stderr);
}

/// A pipe that nobody reads any more: `incident serve 2>&1 | head -1`.
#[tokio::test]
async fn a_log_that_nobody_reads_any_more_ends_nothing() {
    let server = Serving::unheard();
    for _ in 0..3 {
        let reply =
            Http::trigger(server.address(), r#"{"scenario":"database-outage","speed":1000}"#).send().await;
        assert_eq!(reply.status, 202);
    }
    let ran = server.incident(&["trigger", "database-outage", "--speed", "1000", "--quiet"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

#[test]
fn the_warnings_of_a_scenario_are_counted_once_and_validate_shows_them() {
    let sound = include_str!("../fixtures/scenarios/database-outage.toml");
    let target = sound.lines().find(|line| line.starts_with("target")).unwrap();
    let far = sound.replacen(target, "target = \"30d\"", 1);
    let scratch = Scratch::new().with("far.toml", &far);
    let file = format!("{}/far.toml", scratch.text());
    let said = format!("1 warning in {file}: run incident validate {file}");
    let flags = ["serve", "--port", "0", "--journal", "memory", "--scenarios", &file];
    let end = |flags: &[&str]| {
        let mut server = incident(flags).spawn();
        server.says(if flags.contains(&"--json") { "{" } else { "Ready in" });
        server.signal("TERM");
        server.end()
    };
    let ran = end(&flags);
    assert_eq!(ran.stderr.matches(&said).count(), 1, "{}", ran.stderr);
    let ran = end(&[&flags[..], &["--log-format", "json", "--json"]].concat());
    assert_eq!(ran.stderr.matches(&said).count(), 1, "{}", ran.stderr);
    let checked = incident(&["validate", &file, "--rule", "schema"]).run();
    assert!(checked.stderr.contains("the target is 30d"), "{checked:?}");
}
