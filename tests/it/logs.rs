//! `serve --log-format json`: every line on stderr is one JSON object, whatever happens, and says what an operator
//! needs to know and nothing secret.

use std::net::{SocketAddr, TcpListener};

use serde_json::Value;

use crate::harness::{
    Client, Http, Numbers, Ran, Raw, Running, Scratch, Sse, fixture, get, incident, request, story,
};

/// Every line of a log as the object it is.
fn objects(stderr: &str) -> Vec<Value> {
    let lines = stderr.lines().map(|line| {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let text =
            |name: &str| object[name].as_str().unwrap_or_else(|| panic!("no {name}: {line}")).to_owned();
        let time: jiff::Timestamp = text("timestamp").parse().unwrap();
        assert!(jiff::Timestamp::now().duration_since(time).as_secs().abs() < 60, "{line}");
        assert!(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&text("level").as_str()), "{line}");
        assert!(!text("message").is_empty(), "{line}");
        object
    });
    lines.collect()
}

fn said<'a>(log: &'a [Value], message: &str) -> Vec<&'a Value> {
    log.iter().filter(|line| line["message"] == message).collect()
}

/// The one line with that message.
fn line<'a>(log: &'a [Value], message: &str) -> &'a Value {
    let said = said(log, message);
    assert_eq!(said.len(), 1, "{message:?} in {log:#?}");
    said[0]
}

fn serve(args: &[&str]) -> Running {
    let scenarios = fixture("scenarios");
    let fixed = ["serve", "--port", "0", "--log-format", "json", "--scenarios", scenarios.to_str().unwrap()];
    incident(&[&fixed, args].concat()).spawn()
}

/// Waits until it says that it is ready; where.
fn ready(server: &mut Running) -> SocketAddr {
    let ready: Value = serde_json::from_str(&server.says("\"ready\"")).unwrap();
    ready["websocket"].as_str().unwrap().trim_start_matches("ws://").trim_end_matches("/ws").parse().unwrap()
}

fn ended(server: Running) -> (Ran, Vec<Value>) {
    server.signal("TERM");
    let ran = server.end();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let log = objects(&ran.stderr);
    (ran, log)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_is_objects_and_nothing_else() {
    let mut server =
        serve(&["--journal", "memory", "--speed", "1000", "--verbose", "--trigger", "database-outage"]);
    let address = ready(&mut server);
    let mut client = Client::connect(address, "?after=0").await;
    client.up_to(108).await;
    drop(client);
    drop(Sse::connect(address, "?after=0", &[]).await);
    for _ in 0..50 {
        get(address, "/ws?after=17").await.problem(400);
    }
    Http::new(address, "GET", "/").host(Some("evil.example")).send().await.problem(421);
    Numbers::until(address, "incident_clients{transport=\"ws\"}", 0.0).await;
    let (ran, log) = ended(server);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);

    let first = &log[0];
    assert_eq!((&first["message"], &first["level"]), (&Value::from("ready"), &Value::from("INFO")));
    assert_eq!(first["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(first["url"], format!("http://{address}/"));
    assert!(first["journal"].as_str().unwrap().starts_with("in memory"));
    let started = line(&log, "incident started");
    let id = started["incident"].as_str().unwrap();
    assert!(id.starts_with("database-outage-"), "{started}");
    assert_eq!((&started["level"], &started["position"]), (&Value::from("INFO"), &Value::from(1)));
    assert_eq!(line(&log, "incident ended")["incident"], id);
    let came = said(&log, "client connected");
    assert_eq!(came.iter().map(|line| &line["transport"]).collect::<Vec<_>>(), ["ws", "sse"]);
    assert!(
        came.iter().all(|line| line["level"] == "DEBUG" && line["after"].as_str().unwrap().ends_with("/0"))
    );
    for gone in said(&log, "client disconnected") {
        assert_eq!(gone["level"], "DEBUG", "a client that leaves is not worth more than debug: {gone}");
        assert!(gone["code"].is_u64(), "{gone}");
    }
    // Outsiders can provoke a refusal as often as they like: each kind is said at once, and then seldom.
    let refused = said(&log, "request refused");
    let reasons: Vec<_> = refused.iter().map(|line| (&line["reason"], &line["level"])).collect();
    let info = Value::from("INFO");
    assert_eq!(reasons, [(&Value::from("position"), &info), (&Value::from("host"), &info)]);
    assert_eq!((&refused[0]["status"], &refused[0]["path"]), (&Value::from(400), &Value::from("/ws")));
    assert!(refused[1]["detail"].as_str().unwrap().contains("evil.example"));
    line(&log, "stopping");
    assert_eq!(log.last().unwrap()["message"], "stopped");
}

/// At its loudest.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_client_keeps_secret_is_in_it() {
    const SECRET: &str = "c0nf1dent1al";
    let mut server = serve(&["--journal", "memory", "-vv"]);
    let address = ready(&mut server);
    for path in ["/", "/api/incidents", "/ws", "/events", "/nothing"] {
        let asked = Http::new(address, "GET", &format!("{path}?after=17&token={SECRET}"));
        let asked = asked.header("Authorization", &format!("Bearer {SECRET}")).header("X-Api-Key", SECRET);
        asked.header("Cookie", &format!("session={SECRET}")).send().await;
    }
    let wrong = Http::new(address, "GET", "/ws").host(Some("evil.example"));
    wrong.header("Authorization", &format!("Bearer {SECRET}")).send().await.problem(421);
    let (ran, log) = ended(server);
    assert!(said(&log, "request refused").len() >= 2, "{}", ran.stderr);
    assert!(!ran.stderr.contains(SECRET), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_too_slow_is_a_warning_with_the_position() {
    let triggers = ["--trigger", "database-outage"].repeat(60);
    let fixed = ["--journal", "memory", "--speed", "10000", "--write-deadline", "300ms"];
    let mut server = serve(&[&fixed, triggers.as_slice()].concat());
    let address = ready(&mut server);
    let socket = Raw::narrow(address).await.upgrade("?after=0").await;
    let mut stream = Raw::narrow(address).await;
    request(&mut stream, "?after=0", &[]).await;
    let closes = |transport| format!("incident_closes_total{{code=\"4008\",transport=\"{transport}\"}}");
    Numbers::until(address, &closes("ws"), 1.0).await;
    Numbers::until(address, &closes("sse"), 1.0).await;
    drop((socket, stream));
    let (_, log) = ended(server);
    let cut = said(&log, "client disconnected by the server");
    assert_eq!(cut.len(), 2, "{log:#?}");
    for line in cut {
        assert_eq!((&line["level"], &line["code"]), (&Value::from("WARN"), &Value::from(4008)), "{line}");
        let (stream, n) = line["position"].as_str().unwrap().split_once('/').unwrap();
        assert!(!stream.is_empty() && n.parse::<u64>().unwrap() > 0, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_line_on_stdout_and_quiet_mean_what_they_always_do() {
    let mut server = serve(&["--journal", "memory", "--json", "--quiet", "--trigger", "database-outage"]);
    let printed = server.lines().recv_timeout(crate::harness::PATIENCE).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap()["event"], "ready");
    server.signal("TERM");
    let ran = server.end();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "nothing went wrong");
}

#[test]
fn what_it_can_not_go_on_from_is_an_object_too() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let scratch = Scratch::new().with("a.toml", "id = \"a\"\nwhat = 1\n").with("b.toml", "id = \n");
    let wrong = Scratch::new().with("r.toml", "[[receiver]]\nwhat = 1\n");
    let receivers = format!("{}/r.toml", wrong.text());
    let nowhere = format!("{}/nowhere.ndjson", scratch.text());
    for (args, status, message, says) in [
        (&["--port", &port, "--journal", "memory"][..], 3, "cannot go on", "--port 0"),
        (&["--port", "0", "--trigger", "databse-outage"], 2, "cannot go on", "database-outage"),
        (&["--port", "0", "--bind", "0.0.0.0"], 2, "cannot go on", "--allow-remote"),
        (&["--port", "0", "--scenarios", scratch.text()], 6, "a scenario file is wrong", "b.toml:1:"),
        (&["--port", "0", "--receivers", &receivers], 2, "the file with receivers is wrong", "r.toml:2:"),
        (&["--port", "0", "--sinks", &receivers], 2, "the file with sinks is wrong", "r.toml:1:"),
        (&["--port", "0", "--replay", &nowhere], 2, "cannot go on", "nowhere.ndjson"),
    ] {
        let ran = incident(&[&["serve", "--log-format", "json", "--quiet"], args].concat()).run();
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(status), ""), "{args:?}: {}", ran.stderr);
        let log = objects(&ran.stderr);
        let errors = said(&log, message);
        assert!(!errors.is_empty() && errors.iter().all(|line| line["level"] == "ERROR"), "{}", ran.stderr);
        assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
    }
}

/// A recording that joins an incident in the middle and is cut off in another.
#[test]
fn what_of_a_recording_is_not_played_is_a_warning() {
    let stream = incident::contract::StreamId::generate(1, 1);
    let events = story("joined", 3).into_iter().skip(1).chain(story("cut", 3).into_iter().take(2)).zip(1..);
    let lines = events.map(|(record, position)| {
        let incident::journal::Place::At(index) = record.place else { panic!("{record:?}") };
        let stored = incident::journal::Stored {
            position,
            time: jiff::Timestamp::from_second(1_700_000_000).unwrap(),
            subject: record.subject.into(),
            index,
            kind: record.kind,
            data: record.data,
        };
        stored.encode(&stream) + "\n"
    });
    let scratch = Scratch::new().with("run.ndjson", &lines.collect::<String>());
    let file = format!("{}/run.ndjson", scratch.text());
    let mut server = serve(&["--journal", "memory", "--replay", &file]);
    ready(&mut server);
    let (_, log) = ended(server);
    let warnings = said(&log, "not all of the recording is replayed");
    assert!(!warnings.is_empty() && warnings.iter().all(|line| line["level"] == "WARN"), "{log:#?}");
    assert!(warnings.iter().any(|line| line["warning"].as_str().unwrap().contains("joined")), "{warnings:?}");
    let first = said(&log, "ready")[0];
    assert!(first["replay"].as_str().unwrap().contains("run.ndjson"), "{first}");
}

#[test]
fn text_is_for_people_as_it_was() {
    let mut server = incident(&["serve", "--port", "0", "--journal", "memory"]).spawn();
    server.says("Ready in");
    // A signal counts from the banner on.
    let (status, stderr) = {
        server.signal("TERM");
        let ran = server.end();
        (ran.status, ran.stderr)
    };
    assert_eq!(status, Some(0));
    assert!(stderr.starts_with(concat!("incident ", env!("CARGO_PKG_VERSION"), "\n")), "{stderr}");
    assert!(stderr.contains("INFO stopping") && stderr.contains("INFO stopped"), "{stderr}");
}
