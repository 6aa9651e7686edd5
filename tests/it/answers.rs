//! What the commands make of a server, or of something in front of one, whose answers say nothing: they never call it a success,
//! wait for ever, or keep everything.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use incident::client::{Follower, Item};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::harness::{PATIENCE, Scratch, Serving, Terminal, get, incident, unmasked};
use crate::publish::{publish, started};

/// Accepts for the rest of the test process. Returns the URL.
pub fn server(answer: impl Fn(TcpStream, &str) -> std::io::Result<()> + Send + Copy + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length > 0) {
                    head.push(byte[0]);
                }
                // The client may be gone.
                let _ = answer(stream, &String::from_utf8_lossy(&head));
            });
        }
    });
    url
}

/// A server that answers every request with this.
fn always(status: &'static str, body: &'static str) -> String {
    server(move |mut stream, _| {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
        stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes())
    })
}

/// Answers a handshake.
pub fn upgrade(stream: &mut TcpStream, head: &str) -> std::io::Result<()> {
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key").then_some(value)
    });
    let accept = derive_accept_key(key.unwrap_or_default().as_bytes());
    let upgraded = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    let protocol = "Sec-WebSocket-Protocol: cloudevents.json\r\n";
    stream.write_all(format!("{upgraded}{protocol}Sec-WebSocket-Accept: {accept}\r\n\r\n").as_bytes())
}

#[test]
fn an_event_is_published_only_if_the_server_says_where_it_is_stored() {
    for body in [
        "{}",
        "\"welcome\"",
        "{\"accepted\":1,\"duplicates\":0,\"results\":[]}",
        "{\"accepted\":0,\"duplicates\":0,\"results\":[{\"index\":1,\"position\":1}]}",
        "{\"accepted\":1,\"duplicates\":0,\"results\":[{\"index\":1}]}",
        "{\"accepted\":2,\"duplicates\":0,\"results\":[{\"index\":1,\"position\":1},{\"index\":2,\"position\":2}]}",
    ] {
        let url = always("200 OK", body);
        let args = ["publish", "resolved", "--subject", "a", "b", "--retry-for", "100ms", "--url", &url];
        let ran = incident(&args).run();
        assert_eq!(ran.status, Some(3), "{body}: {ran:?}");
        assert!(ran.stderr.contains("it does not say that the event is stored"), "{body}: {}", ran.stderr);
        assert!(!ran.stderr.contains("published\n"), "{}", ran.stderr);
    }
}

/// It waits as long as the server asks, and the last attempt is at the end of the time that it was given.
#[test]
fn publishing_waits_as_long_as_the_server_asks_and_tries_to_the_end() {
    static ASKED: Mutex<Vec<Instant>> = Mutex::new(Vec::new());
    let url = server(|mut stream, _| {
        ASKED.lock().unwrap().push(Instant::now());
        stream.write_all(
            b"HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )
    });
    let began = Instant::now();
    let args = ["publish", "resolved", "--subject", "a", "b", "--retry-for", "2500ms", "--url", &url];
    let ran = incident(&args).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let asked = ASKED.lock().unwrap();
    assert!((2..=4).contains(&asked.len()), "{asked:?}");
    let last = asked.len() - 1;
    for pair in asked[..last].windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_secs(1), "{asked:?}");
    }
    assert!(asked[last] - began >= Duration::from_millis(2_500), "{asked:?}");
}

/// A server that takes the connection and says nothing, or never ends its answer, makes nobody wait longer than was said.
#[test]
fn publishing_waits_no_longer_than_it_was_told_to() {
    for begins in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"] {
        let silent = move |mut stream: TcpStream, _: &str| {
            stream.write_all(begins.as_bytes())?;
            // Until the client leaves.
            std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
        };
        let (one, other) = (server(silent), server(silent));
        for (url, within) in [(one.clone(), "2"), (format!("{one},{other}"), "1")] {
            let args = ["publish", "resolved", "--subject", "a", "b", "--retry-for", "100ms", "--url", &url];
            let ran = incident(&args).run();
            assert_eq!(ran.status, Some(3), "{ran:?}");
            let says = format!("no answer within {within} s");
            assert!(ran.stderr.contains(&says), "{url} {}", ran.stderr);
        }
    }
}

/// Which is no answer that can't be read, but none.
#[test]
fn a_connection_that_ends_before_the_answer_is_told_as_that() {
    let ends = [
        server(|_, _| Ok(())),
        server(|mut stream, _| {
            stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}",
            )
        }),
    ];
    for url in &ends {
        for args in [&["list"][..], &["cancel", "x-1"], &["report", "x-1"]] {
            let ran = incident(&[args, &["--url", url]].concat()).run();
            assert_eq!(ran.status, Some(3), "{ran:?}");
            assert!(
                ran.stderr.contains("has given no answer: it closed the connection"),
                "{args:?}: {}",
                ran.stderr
            );
            assert!(!ran.stderr.contains("incident serve"), "{args:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn an_incident_is_cancelled_only_if_the_server_says_so() {
    let ran = incident(&["cancel", "x-1", "--url", &always("200 OK", "{\"ok\":true}")]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("it does not say how the incident ended"), "{}", ran.stderr);
}

/// A proxy that knows no such host answers with 200 and nothing.
#[test]
fn another_program_is_not_healthy() {
    for body in ["", "{}", "<html>welcome</html>", "okay", "not ok"] {
        let url = always("200 OK", body);
        for more in [&[][..], &["--ready"]] {
            let ran = incident(&[&["health", "--url", &url], more].concat()).run();
            assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), ""), "{body:?}: {ran:?}");
            assert!(ran.stderr.contains(&format!("it says {body:?} instead of")), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_list_of_something_else_is_no_list() {
    for body in [
        "{\"incidents\":[1],\"scenarios\":[null]}",
        "{\"incidents\":[{\"id\":5,\"state\":\"open\"}],\"scenarios\":[{}]}",
    ] {
        let url = always("200 OK", body);
        for more in [&["list"][..], &["list", "--running"], &["list", "--running", "--json"]] {
            let ran = incident(&[more, &["--url", &url]].concat()).run();
            assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), ""), "{body}: {ran:?}");
            assert!(ran.stderr.contains("has no list of"), "{}", ran.stderr);
        }
    }
}

/// A state has the second of the newest event, and whoever asks later is told a later one.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_incident_is_as_old_as_it_is_when_it_is_asked_for() {
    let serving = Serving::with(&[]);
    let reply = publish(serving.address(), &[started("pay-1", "1")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut listed = get(serving.address(), "/api/incidents").await.json();
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let asked = time(&listed["time"]);
    assert!(asked >= time(&listed["incidents"][0]["time"]), "{listed}");
    // As if an hour had passed, beside one whose start is gone.
    listed["time"] = (asked + Duration::from_secs(3_600)).to_string().into();
    let mut cut = listed["incidents"][0].clone();
    let more = json!({ "id": "pay-2", "offset_s": null, "impact_started_at": null });
    cut.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    listed["incidents"].as_array_mut().unwrap().push(cut);
    let url = always("200 OK", listed.to_string().leak());
    let ran = incident(&["list", "--running", "--url", &url]).run();
    let seconds: Vec<&str> = ran.stdout.lines().map(|line| line.split('\t').nth(4).unwrap()).collect();
    let first: f64 = seconds[0].parse().unwrap();
    assert!((3_600.0..3_700.0).contains(&first), "{ran:?}");
    assert_eq!(seconds[1..], [""], "{ran:?}");
    let (_, screen) = Terminal::run(120, &["list", "--running", "--url", &url]).end();
    assert!(screen.contains("T+1:0") && screen.contains("T+?"), "{screen}");
}

#[test]
fn what_is_no_json_is_told_in_words_and_with_its_url() {
    let ran = incident(&["list", "--url", &always("200 OK", "<html>")]).run();
    assert!(
        ran.stderr.contains("/api/scenarios gave an answer that can't be read: it is not JSON"),
        "{ran:?}"
    );
    let url = always("200 OK", "{}");
    let ran = incident(&["trigger", "x", "--url", &url]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let told = format!("{url}api/incidents gave an answer that can't be read: it does not name the incident");
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
}

#[test]
fn a_long_refusal_is_cut() {
    let url = server(|mut stream, _| {
        let body = json!({ "detail": "é".repeat(30_000), "status": 422 }).to_string();
        let length = body.len();
        let head = "HTTP/1.1 422 X\r\nContent-Type: application/problem+json\r\nConnection: close\r\n";
        stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes())
    });
    for args in [
        &["list"][..],
        &["trigger", "x"],
        &["cancel", "x-1"],
        &["publish", "resolved", "--subject", "a", "b", "--retry-for", "100ms"],
    ] {
        let ran = incident(&[args, &["--url", &url]].concat()).run();
        let longest = ran.stderr.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest < 1_200 && ran.stderr.contains("é…"), "{args:?}: {longest}");
    }
}

#[test]
fn past_events_that_did_not_all_come_are_no_success() {
    let url = server(|mut stream, head| {
        upgrade(&mut stream, head)?;
        let mut opened: Value =
            serde_json::from_str(include_str!("../fixtures/messages/stream_opened.json")).unwrap();
        opened["data"]["stream"] = json!("S");
        opened["data"]["head"] = json!(2);
        opened["data"]["oldest"] = json!(1);
        opened["data"]["follows"] = json!({ "kind": "started", "from": 1, "to": 2 });
        stream.write_all(&unmasked(0x81, opened.to_string().as_bytes()))
    });
    let ran = incident(&["watch", "--url", &url, "--after", "0", "--no-follow", "--no-reconnect"]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("the connection ended before all past events were shown"), "{}", ran.stderr);
}

/// Nobody knows what such a server is. A person saw a live footer and no event for ever.
#[tokio::test]
async fn a_server_that_says_nothing_is_left() {
    let url = server(|mut stream, head| {
        upgrade(&mut stream, head)?;
        stream.read(&mut [0; 1]).map(drop)
    });
    let mut follower = Follower::connect(url.parse().unwrap(), None, false).await.unwrap();
    tokio::time::pause();
    match follower.next().await.unwrap() {
        Some(Item::Lost { reason, .. }) => assert_eq!(reason, "the server says nothing"),
        other => panic!("{other:?}"),
    }
}

/// Each ping asks for a pong, and the server reads none of them.
#[cfg(target_os = "linux")]
#[test]
fn pings_of_a_server_that_reads_nothing_cost_no_memory() {
    const SENT: usize = 200;
    type Steps = (mpsc::SyncSender<()>, Mutex<mpsc::Receiver<()>>);
    let ((told, heard), (go, gone)) = (mpsc::sync_channel(2), mpsc::channel());
    let steps: &'static Steps = Box::leak(Box::new((told, Mutex::new(gone))));
    let url = server(move |mut stream, head| {
        upgrade(&mut stream, head)?;
        let _ = (steps.0.send(()), steps.1.lock().unwrap().recv());
        let pings = unmasked(0x89, &[b'p'; 125]).repeat(1_000);
        for _ in 0..SENT {
            stream.write_all(&pings)?;
        }
        let _ = steps.0.send(());
        stream.read_to_end(&mut Vec::new()).map(drop)
    });
    let running = incident(&["watch", "--url", &url, "--no-reconnect"]).spawn();
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
    };
    heard.recv_timeout(PATIENCE).expect("the handshake");
    let before = peak();
    go.send(()).unwrap();
    heard.recv_timeout(PATIENCE * 4).expect("all pings are taken");
    let (grown, pongs) = (peak() - before, SENT * 1_000 * 131 / 1024);
    // The system may keep some of them.
    assert!(grown < pongs / 3, "{grown} KiB more; the pongs are {pongs} KiB");
}

/// The signal was kept for later, and the wait went on.
#[test]
fn a_wait_for_an_answer_can_be_ended() {
    let (asked, is_asked) = mpsc::channel();
    let asked: &'static Mutex<_> = Box::leak(Box::new(Mutex::new(asked)));
    let silent = server(move |mut stream, _| {
        let _ = asked.lock().unwrap().send(());
        stream.read(&mut [0; 1]).map(drop)
    });
    for more in [&[][..], &["--incident", "x-1"]] {
        let running = incident(&[&["watch", "--url", &silent], more].concat()).spawn();
        is_asked.recv_timeout(PATIENCE).unwrap();
        running.signal("TERM");
        assert_eq!(running.end().status, Some(130), "{more:?}");
    }
}

/// Opening a pipe waits for its reader.
#[cfg(target_os = "linux")]
#[test]
fn a_wait_for_the_reader_of_a_pipe_can_be_ended() {
    let folder = Scratch::new().with("run.ndjson", include_str!("../fixtures/golden/database-outage.ndjson"));
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    let running = incident(&["validate", "run.ndjson", "--report", "junit=pipe"]).at(folder.path()).spawn();
    let began = Instant::now();
    let mut asleep = 0;
    // Whether it waits for the reader already can't be seen. Before that the signal ends it in any case.
    while asleep < 20 {
        assert!(began.elapsed() < PATIENCE, "it is busy");
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.id())).unwrap();
        asleep = if stat.contains(") S ") { asleep + 1 } else { 0 };
        thread::sleep(Duration::from_millis(5));
    }
    running.signal("TERM");
    assert_eq!(running.end().status, None, "the signal itself ends it");
}

#[test]
fn a_pipe_or_a_device_is_no_file_to_keep_or_compare() {
    let folder = Scratch::new();
    let pipe = folder.path().join("pipe").display().to_string();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let run = folder.path().join("run.ndjson").display().to_string();
    std::fs::write(&run, include_str!("../fixtures/golden/database-outage.ndjson")).unwrap();
    std::fs::write(folder.path().join("c.json"), "{\"$ref\":\"pipe\"}").unwrap();
    let refers = folder.path().join("c.json").display().to_string();
    for (args, status, told) in [
        (&["validate", &run, "--contract", &pipe][..], 2, "it is a pipe, not a file"),
        (&["validate", &run, "--contract", &refers], 2, "it is a pipe, not a file"),
        (&["validate", &run, "--contract", "/dev/zero"], 2, "it is a device"),
        (&["schema", "--check", "/dev/zero"], 2, "it is a device"),
        (&["schema", "--check", &pipe], 2, "it is a pipe, not a file"),
        (&["serve", "--port", "0", "--journal", &pipe], 3, "it is a pipe, not a file"),
        (&["validate", "--transcripts", &pipe], 2, "is not a folder"),
    ] {
        let ran = incident(args).run();
        assert_eq!(ran.status, Some(status), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
    }
}

/// A server that is one on its own terms: it says that it goes on, and never answers.
#[test]
fn interim_answers_without_end_are_not_waited_for() {
    let url = server(|mut stream, _| {
        loop {
            stream.write_all("HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000).as_bytes())?;
        }
    });
    let said = "it sends interim answers (1xx) without end";
    let events = format!("{url}events");
    for args in [
        &["list", "--url", &url][..],
        &["publish", "resolved", "--subject", "a", "b", "--retry-for", "100ms", "--url", &url],
        &["cancel", "a", "--url", &url],
        &["validate", "--profile", "plain", "--for", "30s", "--sse", &events],
    ] {
        let ran = incident(args).run();
        assert_eq!(ran.status, Some(3), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
    }
}

/// Some come before an answer, and are passed over.
#[test]
fn some_interim_answers_are_passed_over() {
    let url = server(|mut stream, _| {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(20);
        let body = "{\"scenarios\":[]}";
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(format!("{interim}{head}{body}").as_bytes())
    });
    let ran = incident(&["list", "--url", &url]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
}
