//! `incident watch` in a pipe: columns, frames, filters, and when it leaves.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{PATIENCE, Ran, Serving, envelope, incident, ms};

/// A server on which one outage is over.
fn over() -> Serving {
    let server = Serving::with(&["--speed", "1000", "--seed", "42"]);
    let ran = server.incident(&["trigger", "database-outage", "--quiet"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    server
}

/// Everything that is kept, with these filters.
fn seen(server: &Serving, args: &[&str]) -> Ran {
    let ran = server.incident(&[&["watch", "--after", "0", "--no-follow"], args].concat()).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{args:?}");
    ran
}

fn columns(ran: &Ran) -> Vec<Vec<&str>> {
    ran.stdout.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn a_line_in_a_pipe_has_seven_columns() {
    let server = over();
    let ran = seen(&server, &["--color", "always"]);
    let lines = columns(&ran);
    assert_eq!(lines.len(), 108);
    for (n, line) in (1_u64..).zip(&lines) {
        assert_eq!(line.len(), 7, "{line:?}");
        let time: jiff::Timestamp = line[0].parse().unwrap();
        assert_eq!(line[0], format!("{time:.6}"));
        let position: incident::contract::Position = line[1].parse().unwrap();
        assert_eq!(position.n, n);
        assert!(line[2].starts_with("database-outage-"), "{line:?}");
        assert!(
            line[5].is_empty() || line[5].parse::<f64>().is_ok_and(|p| (0.0..=1.0).contains(&p)),
            "{line:?}"
        );
    }
    assert_eq!((lines[0][3], lines[0][4]), ("incident_started", ""));
    assert_eq!(lines[0][6], "DRILL SEV1 Primary database connection pool exhausted");
    let cause = lines.iter().find(|line| line[6].starts_with("Checkout 2026.8.1")).unwrap();
    assert_eq!(cause[3..6], ["agent_action", "diagnose", "0.94"]);
    assert_eq!(lines[107][3], "incident_resolved");
    assert!(!ran.stdout.contains('\u{1b}'), "columns are data, whatever colours were asked for");
}

#[test]
fn json_is_the_frames_verbatim() {
    let server = over();
    let ran = seen(&server, &["--json"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let frames = runtime.block_on(async {
        let mut client = crate::harness::Client::connect(server.address(), "?after=0").await;
        client.up_to(108).await
    });
    let frames: Vec<&str> = frames.iter().map(|event| event.frame.as_str()).collect();
    assert!(ran.stdout.lines().eq(frames), "byte for byte");
}

#[test]
fn tail_shows_the_last_of_what_is_replayed() {
    let server = over();
    let positions = |args: &[&str]| {
        let ran = seen(&server, &[&["--json"], args].concat());
        ran.stdout.lines().map(|line| envelope(line).position().unwrap().n).collect::<Vec<_>>()
    };
    assert_eq!(positions(&["--tail", "3"]), [106, 107, 108]);
    assert_eq!(positions(&["--tail", "0"]), [0; 0]);
    assert_eq!(positions(&["--tail", "500"]).len(), 108);
    let actions = positions(&["--tail", "2", "--type", "agent_action"]);
    assert_eq!(actions.len(), 2, "the last two that are shown");
}

#[test]
fn tail_shows_what_it_held_back_also_when_the_incident_ended_in_the_middle() {
    let server = over();
    let second = server.incident(&["trigger", "github-2018-mysql-failover", "--quiet"]).run();
    assert_eq!(second.status, Some(0), "{}", second.stderr);
    let args = ["watch", "--after", "0", "--until-resolved", "--tail", "5"];
    let ran = server.incident(&args).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 5, "{}", ran.stdout);
}

#[test]
fn filters_hold_together() {
    let server = over();
    let count = |args: &[&str]| seen(&server, args).stdout.lines().count();
    assert_eq!(count(&["--type", "agent_action"]), 15);
    assert_eq!(count(&["--type", "system_metrics"]), 91);
    assert_eq!(count(&["--type", "incident_started", "--type", "incident_resolved"]), 2);
    assert_eq!(count(&["--type", "agent_action", "--phase", "diagnose"]), 2);
    assert_eq!(count(&["--type", "agent_action", "--phase", "diagnose", "--phase", "verify"]), 3);
    assert_eq!(count(&["--min-confidence", "0.9"]), 3);
    assert_eq!(count(&["--include", "^resolution "]), 9);
    assert_eq!(count(&["--include", "^resolution ", "--exclude", "restart_pool"]), 3);
    let id = seen(&server, &["--tail", "1"]).stdout.split('\t').nth(2).unwrap().to_owned();
    assert_eq!(count(&["--incident", &id]), 108);
}

#[test]
fn a_position_that_is_none_is_a_usage_error() {
    for bad in ["17", "x", "/1", "S/", "S/-1", "S/+1", "S/9007199254740992"] {
        let ran = incident(&["watch", "--after", bad, "--url", "ws://127.0.0.1:1/ws"]).run();
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{bad}: {}", ran.stderr);
        assert!(ran.stderr.contains("--after"), "{bad}: {}", ran.stderr);
    }
}

#[test]
fn a_position_of_another_stream_is_told_on_stderr() {
    let server = over();
    let ran = server.incident(&["watch", "--after", "01ELSEWHERE/7", "--no-follow"]).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""));
    assert!(ran.stderr.contains("another stream"), "{}", ran.stderr);
}

#[test]
fn no_follow_leaves_at_the_head_of_a_running_incident_and_of_an_empty_stream() {
    let empty = Serving::with(&[]);
    let ran = seen(&empty, &[]);
    assert_eq!(ran.stdout, "");
    let running = Serving::with(&["--trigger", "database-outage"]);
    let ran = running.incident(&["watch", "--no-follow"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("incident_started") && !ran.stdout.contains("incident_resolved"));
}

#[test]
fn until_resolved_leaves_with_the_end_of_the_incident() {
    let server = Serving::with(&["--speed", "200", "--trigger", "database-outage"]);
    let ran = server.incident(&["watch", "--until-resolved", "--after", "0"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let lines = columns(&ran);
    assert_eq!((lines.len(), lines[107][3]), (108, "incident_resolved"));
}

#[test]
fn until_resolved_ends_with_4_when_it_was_cancelled() {
    let server = Serving::with(&[]);
    let id = server.incident(&["trigger", "database-outage", "--no-wait"]).run().stdout;
    let watching = server.incident(&["watch", "--until-resolved", "--incident", id.trim()]).spawn();
    assert_eq!(server.incident(&["trigger", "--cancel", id.trim()]).run().status, Some(0));
    // Whether it came before the cancellation or after: it asked for this one.
    let later =
        server.incident(&["watch", "--until-resolved", "--after", "0", "--incident", id.trim()]).run();
    assert_eq!(later.status, Some(4), "{}", later.stderr);
    drop(watching);
    // There is nothing to show, which is said.
    let watch = |id: &str, more: &[&str]| {
        server.incident(&[&["watch", "--until-resolved", "--incident", id], more].concat()).run()
    };
    let late = watch(id.trim(), &[]);
    let said = format!("{} is already cancelled\n", id.trim());
    assert_eq!((late.status, late.stdout.as_str(), late.stderr), (Some(4), "", said));
    assert_eq!(watch(id.trim(), &["--quiet"]).stderr, "");
    let ran = server.incident(&["trigger", "database-outage", "--speed", "1000", "--json"]).run();
    let resolved: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let id = resolved["subject"].as_str().unwrap();
    let late = watch(id, &[]);
    assert_eq!((late.status, late.stdout.as_str()), (Some(0), ""), "{late:?}");
    assert!(late.stderr.starts_with(&format!("{id} is already resolved, after 0")), "{late:?}");
}

/// Every state was kept for as long as the command ran.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_names_ever_new_incidents_is_not_remembered_for_ever() {
    const MANY: u64 = 10_500;
    let frame = |n: u64| {
        let (kind, data) = if n < MANY {
            ("system_metrics", r#"{"synthetic":false,"metrics":{"load":1}}"#)
        } else {
            let data = r#"{"synthetic":false,"outcome":"resolved","summary":"over","durations":{"resolve_s":1},"actions":{"total":0,"failed":0}}"#;
            ("incident_resolved", data)
        };
        format!(
            r#"{{"specversion":"1.0","id":"{n}","source":"/streams/S","type":"{kind}","subject":"i{n}","time":"2026-11-22T10:00:00Z","index":1,"data":{data}}}"#
        )
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            // The first handshake offers a subprotocol that this server does not know.
            let Ok(mut socket) = tokio_tungstenite::accept_async(tcp).await else { continue };
            for n in 1..=MANY {
                let Ok(()) = socket.send(Message::text(frame(n))).await else { break };
            }
            while socket.next().await.is_some_and(|received| received.is_ok()) {}
        }
    });
    let run = move || incident(&["watch", "--until-resolved", "--url", &url]).run();
    let ran = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count() as u64, MANY, "what is forgotten was shown");
    assert_eq!(ran.stderr.matches("10,000 incidents").count(), 1, "{}", ran.stderr);
}

#[test]
fn a_reader_that_goes_is_no_error() {
    let server = Serving::with(&["--speed", "20", "--trigger", "database-outage"]);
    let mut watching = server.incident(&["watch", "--after", "0"]).spawn();
    let lines = watching.lines();
    lines.recv_timeout(PATIENCE).unwrap();
    drop(lines);
    let ran = watching.end();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_server_that_goes_is_told_and_without_reconnecting_it_leaves() {
    let server = Serving::with(&["--trigger", "database-outage"]);
    let mut watching = server.incident(&["watch", "--no-reconnect"]).spawn();
    let lines = watching.lines();
    lines.recv_timeout(PATIENCE).unwrap();
    server.signal("TERM");
    let ran = watching.end();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("connection lost") && ran.stderr.contains("1012"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("retrying"), "{}", ran.stderr);
    let server = Serving::with(&["--trigger", "database-outage"]);
    let mut waiting = server.incident(&["watch", "--no-reconnect", "--until-resolved"]).spawn();
    let lines = waiting.lines();
    lines.recv_timeout(PATIENCE).unwrap();
    server.signal("TERM");
    assert_eq!(waiting.end().status, Some(3), "what it waited for did not come");
}

#[test]
fn ctrl_c_ends_watching_with_0() {
    let server = Serving::with(&["--trigger", "database-outage"]);
    let mut watching = server.incident(&["watch"]).spawn();
    let lines = watching.lines();
    lines.recv_timeout(PATIENCE).unwrap();
    let began = std::time::Instant::now();
    watching.signal("INT");
    assert_eq!(watching.end().status, Some(0));
    assert!(began.elapsed() < ms(5_000), "at once");
}

#[test]
fn an_incident_that_nobody_knows_is_not_waited_for() {
    let server = over();
    let ran = server.incident(&["watch", "--incident", "database-outage-00000"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no incident is called"), "{ran:?}");
    let ran = server.incident(&["watch", "--incident", "no such id"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
}

#[test]
fn an_incident_that_has_ended_is_shown_and_not_waited_for() {
    let server = over();
    let id = columns(&seen(&server, &[]))[0][2].to_owned();
    let ran = server.incident(&["watch", "--incident", &id, "--until-resolved"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let ran = server.incident(&["watch", "--incident", &id, "--no-follow"]).run();
    assert_eq!(columns(&ran).len(), 108, "{ran:?}");
}

/// What ended before anybody looked is not what is waited for.
#[test]
fn until_resolved_waits_for_what_ends_from_now_on() {
    let server = Serving::with(&["--speed", "1", "--seed", "42"]);
    let open = server.incident(&["trigger", "database-outage", "--no-wait"]).run();
    assert_eq!(open.status, Some(0), "{open:?}");
    // Over before the watching begins, and replayed to it, because the other one is still open.
    let ended = server.incident(&["trigger", "database-outage", "--speed", "5000", "--quiet"]).run();
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let mut watching = server.incident(&["watch", "--until-resolved"]).spawn();
    let lines = watching.lines();
    let mut replayed = 0;
    while replayed < 2 {
        let line = lines.recv_timeout(PATIENCE).expect("the replay");
        replayed += usize::from(line.contains("incident_started"));
    }
    let cancelled = server.incident(&["trigger", "--cancel", open.stdout.trim()]).run();
    assert_eq!(cancelled.status, Some(0), "{cancelled:?}");
    let ran = watching.end();
    assert_eq!(ran.status, Some(4), "the one that was cancelled is the one that was waited for: {ran:?}");
}

#[test]
fn leaving_says_what_goes_on() {
    let server = Serving::with(&["--speed", "1"]);
    let open = server.incident(&["trigger", "database-outage", "--no-wait"]).run();
    let mut watching = server.incident(&["watch"]).spawn();
    let lines = watching.lines();
    lines.recv_timeout(PATIENCE).expect("the start");
    watching.signal("INT");
    let ran = watching.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains(&format!("{} goes on", open.stdout.trim())), "{ran:?}");
}

#[test]
fn of_many_incidents_that_go_on_the_newest_are_named() {
    let server = Serving::with(&["--speed", "1"]);
    let open: Vec<String> = (0..8)
        .map(|_| server.incident(&["trigger", "database-outage", "--no-wait"]).run().stdout.trim().to_owned())
        .collect();
    let mut watching = server.incident(&["watch"]).spawn();
    let lines = watching.lines();
    let mut started = 0;
    while started < open.len() {
        let line = lines.recv_timeout(PATIENCE).expect("every start");
        started += usize::from(line.contains("incident_started"));
    }
    watching.signal("INT");
    let ran = watching.end();
    for (place, id) in open.iter().enumerate() {
        assert_eq!(ran.stderr.contains(&format!("{id} goes on")), place >= 3, "{id}: {ran:?}");
    }
    assert!(ran.stderr.contains("3 other incidents go on, too: incident list --running --url"), "{ran:?}");
}
