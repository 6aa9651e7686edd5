//! What a server says about its machine's clock: metrics, banner, log.

use incident::journal::TimeSource;
use incident::server::Options;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{ALL, YEAR, append, back, engines, forward, hours, in_memory, open, secs};
use crate::harness::{
    Clocks, Http, Local, Numbers, PATIENCE, Scratch, Terminal, get, incident, ms, options, started, story,
};
use crate::publish::{self, action, places, publish};

#[tokio::test]
async fn steps_are_counted_and_the_distance_is_shown() {
    let clocks = Clocks::at("2031-01-01T00:00:00Z");
    let server = Local::over(options(), in_memory(&clocks, ALL)).await;
    server.append(vec![started("a")]).await;
    let steps = |direction| format!("incident_clock_steps_total{{direction=\"{direction}\"}}");
    let numbers = Numbers::of(server.address).await;
    numbers.are(&[("incident_clock_ahead_seconds", 0), (&steps("forward"), 0), (&steps("back"), 0)]);
    clocks.step(back(4 * YEAR));
    let numbers = Numbers::of(server.address).await;
    let seconds = 4 * YEAR.as_secs();
    numbers.are(&[("incident_clock_ahead_seconds", seconds), (&steps("forward"), 0), (&steps("back"), 1)]);
    clocks.step(forward(4 * YEAR + hours(1)));
    let numbers = Numbers::of(server.address).await;
    numbers.are(&[("incident_clock_ahead_seconds", 0), (&steps("forward"), 1), (&steps("back"), 1)]);
}

/// A client's clock follows: the server's own time is the time of the next incident.
#[tokio::test]
async fn the_greeting_and_heartbeats_have_the_time_of_the_next_incident() {
    let clocks = Clocks::at("2031-01-01T00:00:00Z");
    let server = Local::over(Options { heartbeat: ms(100), ..options() }, in_memory(&clocks, ALL)).await;
    server.append(vec![started("a")]).await;
    clocks.step(back(4 * YEAR));
    let mut client = server.client().await;
    assert_eq!(client.opened.server_time, clocks.wall());
    client.up_to(1).await;
    clocks.step(back(hours(1)));
    // A client at the head gets nothing but heartbeats.
    let beat: Value = serde_json::from_str(&client.text().await).unwrap();
    assert_eq!(beat["time"].as_str().unwrap().parse::<Timestamp>().unwrap(), clocks.wall());
}

/// An event that is published by the server's clock.
fn at(clocks: &Clocks, mut event: Value) -> Value {
    event["time"] = clocks.wall().to_string().into();
    event
}

/// Each line of the list: the id and the second.
fn seconds(server: &Local) -> Vec<(String, f64)> {
    let ran = incident(&["list", "--running", "--url", &format!("http://{}", server.address)]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let fields = ran.stdout.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    fields.map(|fields| (fields[0].to_owned(), fields[4].parse().unwrap())).collect()
}

async fn told(server: &Local, path: &str) -> Value {
    serde_json::from_str(&get(server.address, path).await.body).unwrap()
}

/// Its second stood still, and all that is computed of it was too small.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_that_was_open_when_the_clock_was_set_back_goes_on() {
    for (clocks, journal, _folder) in engines("2031-01-01T00:00:00Z", ALL) {
        let server = Local::over(options(), journal).await;
        let began = clocks.wall();
        for subject in ["told", "cancelled"] {
            places(&publish(server.address, &[at(&clocks, publish::started(subject, subject))]).await);
        }
        clocks.pass(secs(10));
        places(&publish(server.address, &[at(&clocks, action("told", "2", "looked"))]).await);
        assert_eq!(told(&server, "/api/incidents").await.get("times"), None, "all have one time");
        clocks.step(back(hours(1)));
        places(&publish(server.address, &[at(&clocks, publish::started("new", "new"))]).await);
        clocks.pass(secs(7));
        let second = |id: &str, second| (id.to_owned(), second);
        let wanted = vec![second("told", 17.0), second("cancelled", 17.0), second("new", 7.0)];
        assert_eq!(seconds(&server), wanted);
        let list = told(&server, "/api/incidents").await;
        assert_eq!(list["time"].as_str().unwrap().parse::<Timestamp>().unwrap(), clocks.wall());
        let own = format!("{:.6}", began + secs(17));
        assert_eq!(list["times"], json!({ "told": own, "cancelled": own }));
        places(&publish(server.address, &[at(&clocks, action("told", "3", "looked again"))]).await);
        clocks.pass(secs(3));
        assert_eq!(seconds(&server)[0], second("told", 20.0));
        let reply = Http::new(server.address, "DELETE", "/api/incidents/cancelled").send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        places(&publish(server.address, &[at(&clocks, publish::resolved("told", "4"))]).await);
        for id in ["told", "cancelled"] {
            let state = told(&server, &format!("/api/incidents/{id}")).await;
            assert_eq!(state["resolution"]["durations"]["resolve_s"], 20.0, "{id}: {state}");
            assert_eq!(state["offset_s"], 20.0, "{id}");
        }
        let report = get(server.address, "/api/incidents/told/report.md").await.body;
        for line in ["00:10", "00:17", "00:20"] {
            assert!(report.contains(line), "{line}: {report}");
        }
        // Everything has the time of the clock again.
        assert_eq!(told(&server, "/api/incidents").await.get("times"), None);
    }
}

/// Who connects then gets the newest event with its time, and does not know how long ago that was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_after_the_clock_was_set_back_counts_as_the_server_does() {
    let clocks = Clocks::at(&Timestamp::now().to_string());
    let server = Local::over(options(), in_memory(&clocks, ALL)).await;
    places(&publish(server.address, &[at(&clocks, publish::started("told", "1"))]).await);
    clocks.pass(secs(10));
    places(&publish(server.address, &[at(&clocks, action("told", "2", "looked"))]).await);
    clocks.step(back(hours(1)));
    clocks.pass(secs(3_000));
    let url = format!("http://{}", server.address);
    let watch = move || drop(Terminal::run(100, &["watch", "--url", &url]).shows("for 50:"));
    tokio::task::spawn_blocking(watch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_had_the_right_time_is_believed_when_the_servers_clock_is_set_right() {
    for (clocks, journal, _folder) in engines("2031-01-01T01:00:00Z", ALL) {
        let server = Local::over(options(), journal).await;
        let right = |clocks: &Clocks, fast: SignedDuration, mut event: Value| {
            event["time"] = (clocks.wall() - fast).to_string().into();
            event
        };
        let fast = forward(hours(1));
        let start = right(&clocks, fast, publish::started("told", "1"));
        places(&publish(server.address, &[start]).await);
        clocks.pass(secs(600));
        clocks.step(back(hours(1)));
        clocks.pass(secs(600));
        let end = right(&clocks, SignedDuration::ZERO, publish::resolved("told", "2"));
        places(&publish(server.address, &[end]).await);
        let state = told(&server, "/api/incidents/told").await;
        assert_eq!(state["resolution"]["durations"]["resolve_s"], 1200.0, "{state}");
    }
}

/// A journal of a run with the clock years ahead.
async fn ahead() -> (Scratch, String) {
    let folder = Scratch::new();
    append(&open(folder.path(), &Clocks::at("2131-01-01T00:00:00Z"), ALL), story("a", 3)).await;
    let file = folder.path().join("journal.db").display().to_string();
    (folder, file)
}

#[tokio::test]
async fn the_banner_says_that_the_newest_event_is_ahead_of_the_clock() {
    let (_folder, file) = ahead().await;
    let mut server = incident(&["serve", "--port", "0", "--journal", &file]).spawn();
    let line = server.says("Clock ");
    assert!(line.contains("the newest event is dated 2131-01-01T00:00:00Z, "), "{line}");
    assert!(line.contains("years ahead of this machine's clock: "), "{line}");
    let said = server.says("Ready in");
    server.signal("TERM");
    assert!(!server.end().stderr.contains("WARN"), "once is enough: {said}");
}

#[tokio::test]
async fn the_log_says_it_where_no_banner_is_shown() {
    let (_folder, file) = ahead().await;
    let fixed = ["serve", "--port", "0", "--journal", &file, "--json"];
    for further in [&["--log-format", "json"][..], &[]] {
        let mut server = incident(&[&fixed[..], further].concat()).spawn();
        let lines = server.lines();
        let line = server.says("the clock seems to be wrong");
        assert!(line.contains("the newest event is dated 2131-01-01T00:00:00Z, "), "{line}");
        lines.recv_timeout(PATIENCE).unwrap();
        if !further.is_empty() {
            let ready: Value = serde_json::from_str(&server.says("\"ready\"")).unwrap();
            assert!(ready["clock"].as_str().unwrap().contains("years ahead"), "{ready}");
        }
        server.signal("TERM");
        assert_eq!(server.end().status, Some(0));
    }
}
