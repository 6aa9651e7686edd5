//! What a server says about its machine's clock: metrics, banner, log.

use incident::journal::TimeSource;
use incident::server::Options;
use jiff::Timestamp;
use serde_json::Value;

use super::{ALL, YEAR, append, back, forward, hours, in_memory, open};
use crate::harness::{Clocks, Local, Numbers, PATIENCE, Scratch, incident, ms, options, started, story};

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
