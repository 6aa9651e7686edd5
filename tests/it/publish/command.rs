//! `incident publish`: from files, pipes and flags, again and again under the same ids.

use std::io::{Read as _, Write};

use serde_json::{Value, json};

use super::{action, started};
use crate::answers::server;
use crate::harness::{PATIENCE, Scratch, Serving, Terminal, get, incident};

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

#[tokio::test]
async fn scripts_tell_an_incident_with_flags() {
    let server = Serving::with(&[]);
    let steps: [&[&str]; 4] = [
        &[
            "started",
            "--subject",
            "pay-1",
            "--title",
            "Checkout fails",
            "--severity",
            "SEV2",
            "--service",
            "checkout",
        ],
        &[
            "action",
            "--subject",
            "pay-1",
            "--agent",
            "ci",
            "Rolled back",
            "--mark",
            "detected",
            "--mark",
            "mitigated",
        ],
        &[
            "metrics",
            "--subject",
            "pay-1",
            "errors=0.02",
            "--users",
            "7",
            "--cost",
            "12.5",
            "--currency",
            "USD",
        ],
        &["resolved", "--subject", "pay-1", "Rolled back"],
    ];
    for (step, position) in steps.iter().zip(1..) {
        let ran = server.incident(&[&["publish"], *step].concat()).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(
            ran.stderr.contains(&format!("1 event is published; the last at position {position}")),
            "{ran:?}"
        );
    }
    let state = get(server.address(), "/api/incidents/pay-1").await.json();
    assert_eq!((&state["state"], &state["users_peak"]), (&json!("resolved"), &json!(7)), "{state}");
    let late = server.incident(&["publish", "action", "--subject", "pay-1", "late"]).run();
    assert_eq!(late.status, Some(5), "{late:?}");
    assert!(late.stderr.contains("the incident pay-1 has ended"), "{late:?}");
}

#[tokio::test]
async fn a_file_that_is_published_twice_is_stored_once() {
    let server = Serving::with(&[]);
    let mut events = vec![started("a", "1")];
    events.extend((2..=600).map(|id| {
        let mut event = action("a", "", &format!("step {id}"));
        event.as_object_mut().unwrap().remove("id");
        event
    }));
    let folder = Scratch::new().with("run.ndjson", &lines(&events));
    let publish = || server.incident(&["publish", "run.ndjson", "--json"]).at(folder.path()).run();
    let ran = publish();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("600 events are published; the last at position 600"), "{}", ran.stderr);
    let answers: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(answers.len() >= 3 && answers.iter().all(|answer| answer["duplicates"] == 0), "{answers:?}");
    assert!(publish().stderr.contains("600 events are published, 600 of them before"));
    assert_eq!(get(server.address(), "/api/incidents/a").await.json()["index"], 600);
}

#[tokio::test]
async fn a_mistake_is_told_with_its_line_and_what_came_before_is_published() {
    let server = Serving::with(&[]);
    let text = lines(&[started("a", "1")]) + "\n{\"specversion\":\n";
    let folder = Scratch::new().with("run.ndjson", &text);
    let ran = server.incident(&["publish", "run.ndjson"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("run.ndjson:3: the line is not JSON"), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 event is published"), "{}", ran.stderr);
    let large = folder.path().join("large.ndjson");
    std::fs::write(&large, "{\"data\":{\"n\":1e400}}\n").unwrap();
    let ran = server.incident(&["publish", large.to_str().unwrap()]).run();
    assert!(
        ran.status == Some(5) && ran.stderr.contains("large.ndjson:1: the line can't be read"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("a number is too large"), "{}", ran.stderr);
}

#[test]
fn a_server_that_is_not_there_is_tried_for_a_while() {
    let args =
        ["publish", "resolved", "--subject", "a", "over", "--url", "ws://127.0.0.1:1/", "--retry-for", "1s"];
    let ran = incident(&args).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("no server answers"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_person_writes_a_note_without_quotes() {
    let server = Serving::with(&[]);
    server.incident(&["publish", "started", "--subject", "pay-1", "--title", "Checkout fails"]).run();
    let note = ["publish", "note", "--subject", "pay-1", "--by", "Zoë Ott", "Called", "the", "database team"];
    // With an id of its own and its time it can be sent again.
    let again = [&note[..], &["--id", "n1", "--time", "2026-01-02T03:04:05Z"]].concat();
    for (args, repeated) in [(&note[..], false), (&again, false), (&again, true)] {
        let ran = server.incident(args).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert_eq!(ran.stderr.contains("1 of them before"), repeated, "{ran:?}");
    }
    let state = get(server.address(), "/api/incidents/pay-1").await.json();
    assert_eq!(state["index"], 3, "{state}");
    let now =
        json!({ "agent": "person:Zoë Ott", "status": "completed", "summary": "Called the database team" });
    assert_eq!(state["now"], now);
    let (_, watched) =
        Terminal::run(120, &["watch", "--url", server.url(), "--after", "0", "--no-follow"]).end();
    assert_eq!(watched.matches("@Zoë Ott").count(), 2, "{watched}");
    for (wrong, why) in
        [(&["--by", " ", "text"][..], "the name is empty"), (&["text"], "--by"), (&["--by", "Zoë"], "TEXT")]
    {
        let ran = server.incident(&[&["publish", "note", "--subject", "pay-1"], wrong].concat()).run();
        assert!(ran.status == Some(2) && ran.stderr.contains(why), "{ran:?}");
    }
}

#[test]
fn ctrl_c_says_what_was_published_until_then() {
    let server = Serving::with(&[]);
    let (mut running, mut pipe) = server.incident(&["publish", "-", "--json"]).fed();
    let answers = running.lines();
    for event in [started("a", "1"), action("a", "2", "looks")] {
        writeln!(pipe, "{event}").unwrap();
        answers.recv_timeout(PATIENCE).unwrap();
    }
    running.signal("INT");
    let ran = running.end();
    assert_eq!(ran.status, Some(130), "{ran:?}");
    assert!(ran.stderr.contains("stopped: 2 events are published; the last at position 2"), "{ran:?}");
    drop(pipe);
}

/// The table of problems speaks to programs, of members of an answer that a terminal does not show.
#[test]
fn a_refusal_says_what_to_do_without_the_answer() {
    let server = Serving::with(&[]);
    let ahead = (jiff::Timestamp::now() + std::time::Duration::from_secs(86_400)).to_string();
    for (args, wanted) in [
        (&["--subject", "S 20"][..], "mend what it names"),
        (&["--subject", "a", "--source", "a b"], "mend what it names"),
        (&["--subject", "a", "--id", ""], "mend what it names"),
        (&["--subject", "a", "--time", &ahead], "set the clock that is wrong"),
    ] {
        let ran = server.incident(&[&["publish", "started", "--title", "T"], args].concat()).run();
        assert_eq!(ran.status, Some(5), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(wanted), "{args:?}: {ran:?}");
        assert!(!ran.stderr.contains('`'), "{args:?}: {ran:?}");
    }
}

/// To publish it anew, with another time and so with another id, would make a second one.
#[test]
fn an_event_that_may_be_stored_is_not_called_unsent() {
    let silent = server(|mut stream, _| std::io::copy(&mut stream, &mut std::io::sink()).map(drop));
    let cut = server(|_, _| Ok(()));
    let proxy = server(|mut stream, _| {
        stream
            .write_all(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate")
    });
    // It takes the first attempt, and is gone then.
    let (killed, taken) = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let taking = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 64]).unwrap();
        });
        (url, taking)
    };
    for url in [&silent, &cut, &proxy, &killed, &format!("{silent},{cut}")] {
        let note = [
            "publish",
            "note",
            "--subject",
            "pay-1",
            "--by",
            "ann",
            "back",
            "--retry-for",
            "1s",
            "--url",
            url,
        ];
        let ran = incident(&note).run();
        assert_eq!(ran.status, Some(3), "{ran:?}");
        assert!(!ran.stderr.contains("incident serve"), "{}", ran.stderr);
        let hint = ran.stderr.split("  try: ").nth(1).unwrap_or_else(|| panic!("{}", ran.stderr));
        assert!(
            hint.contains("may be stored all the same: `incident watch --incident pay-1 --url "),
            "{hint}"
        );
        assert!(hint.contains("the same command with --id ") && hint.contains(" --time 2"), "{hint}");
        // A file names its events itself.
        let file = Scratch::new().with("a.ndjson", &lines(&[started("pay-2", "1")]));
        let args = ["publish", "a.ndjson", "--retry-for", "100ms", "--url", url];
        let ran = incident(&args).at(file.path()).run();
        let is_taken = *url != killed;
        assert_eq!(ran.stderr.contains("--incident pay-2"), is_taken, "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("lines that have a `time`"), is_taken, "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("incident serve"), !is_taken, "nobody was there: {}", ran.stderr);
    }
    taken.join().unwrap();
}

/// What is advised then stores it once.
#[test]
fn an_event_can_be_sent_again_as_it_is_advised() {
    let cut = server(|_, _| Ok(()));
    let server = Serving::with(&[]);
    let begun = ["publish", "started", "--subject", "pay-1", "--title", "Fails", "--service", "checkout"];
    assert_eq!(server.incident(&begun).run().status, Some(0));
    let note = ["publish", "note", "--subject", "pay-1", "--by", "ann", "rolled back"];
    let lost = incident(&[&note[..], &["--retry-for", "100ms", "--url", &cut]].concat()).run();
    let flags =
        lost.stderr.split("the same command with ").nth(1).unwrap_or_else(|| panic!("{}", lost.stderr));
    let flags: Vec<&str> = flags.split_whitespace().take(4).collect();
    for told in ["1 event is published; the last", "1 event is published, 1 of them before"] {
        let ran = server.incident(&[&note[..], &flags].concat()).run();
        assert!(ran.status == Some(0) && ran.stderr.contains(told), "{ran:?}");
    }
}
