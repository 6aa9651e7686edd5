//! `incident watch --record`: everything that arrives, whole lines, over nothing that was there.

use std::fs;
use std::process::Command;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{PATIENCE, Ran, Scratch, Serving, incident, ms};

/// A server on which one outage is over.
fn over() -> Serving {
    let server = Serving::with(&["--speed", "1000", "--seed", "42"]);
    let ran = server.incident(&["trigger", "database-outage", "--quiet"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    server
}

/// The frames as `--json` prints them.
fn frames(server: &Serving) -> String {
    server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run().stdout
}

fn record(server: &Serving, file: &str, args: &[&str]) -> Ran {
    server.incident(&[&["watch", "--record", file], args].concat()).run()
}

#[test]
fn everything_is_recorded_verbatim_whatever_is_shown() {
    let (server, folder) = (over(), Scratch::new().with("empty.ndjson", ""));
    let file = |name: &str| folder.path().join(name).display().to_string();
    let wanted = frames(&server);
    assert_eq!(wanted.lines().count(), 108);
    for (name, args, shown) in [
        ("all.ndjson", &["--after", "0", "--no-follow"][..], 108),
        ("one.ndjson", &["--after", "0", "--no-follow", "--type", "incident_resolved"], 1),
        ("tail.ndjson", &["--after", "0", "--no-follow", "--tail", "2", "--json"], 2),
        ("none.ndjson", &["--after", "0", "--no-follow", "--exclude", "."], 0),
        ("end.ndjson", &["--after", "0", "--until-resolved"], 108),
        // A file that is there and empty has nothing to lose.
        ("empty.ndjson", &["--after", "0", "--no-follow"], 108),
    ] {
        let ran = record(&server, &file(name), args);
        assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), shown), "{ran:?}");
        assert_eq!(ran.stderr, format!("Recorded 108 events to {}\n", file(name)));
        assert_eq!(fs::read_to_string(file(name)).unwrap(), wanted, "{name}, byte for byte");
    }
    let ran = record(&server, &file("quiet.ndjson"), &["--after", "0", "--no-follow", "--quiet"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    let ran = record(&server, &file("later.ndjson"), &["--no-follow"]);
    assert_eq!(ran.stderr, format!("Recorded 0 events to {}\n", file("later.ndjson")));
}

/// What has ended is not waited for, but it can still be recorded.
#[test]
fn an_incident_that_has_ended_is_recorded_when_its_end_is_asked_for() {
    let (server, folder) = (over(), Scratch::new());
    let file = folder.path().join("run.ndjson").display().to_string();
    let wanted = frames(&server);
    let id = serde_json::from_str::<serde_json::Value>(wanted.lines().next().unwrap()).unwrap();
    let ran = record(&server, &file, &["--incident", id["subject"].as_str().unwrap(), "--until-resolved"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(fs::read_to_string(file).unwrap(), wanted);
}

#[test]
fn nothing_that_is_there_is_written_over() {
    let folder = Scratch::new().with("run.ndjson", "somebody's\n");
    let file = folder.path().join("run.ndjson").display().to_string();
    // Nobody listens on port 1: it is told before that could matter.
    for (name, told) in [(file.as_str(), "run.ndjson already exists"), (folder.text(), "is a folder")] {
        let ran = incident(&["watch", "--record", name, "--url", "ws://127.0.0.1:1/ws"]).run();
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(told) && ran.stderr.contains("try: name "), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's\n");
    // Nothing is left behind by who found no server, and a folder that is not there is told.
    let fresh = folder.path().join("fresh.ndjson");
    let ran = incident(&["watch", "--record", fresh.to_str().unwrap(), "--url", "ws://127.0.0.1:1/ws"]).run();
    assert_eq!((ran.status, fresh.exists()), (Some(3), false), "{ran:?}");
    let nowhere = folder.path().join("no/where.ndjson").display().to_string();
    let ran = record(&over(), &nowhere, &["--no-follow"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains(&format!("cannot record to {nowhere}: No such file")), "{ran:?}");
}

#[test]
fn a_disk_that_is_full_ends_it_and_says_so() {
    let server = over();
    let ran = record(&server, "/dev/full", &["--after", "0", "--no-follow"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("Recorded 0 events to /dev/full"), "{ran:?}");
    assert!(ran.stderr.contains("error: cannot record to /dev/full: No space left"), "{ran:?}");
}

/// Full in the middle of a line: what is left of the file is whole lines.
#[test]
fn a_line_that_did_not_fit_is_taken_back() {
    let (server, folder) = (over(), Scratch::new());
    let file = folder.path().join("run.ndjson").display().to_string();
    // A limit of the size of files stands in for the disk. Dash counts blocks of 512 bytes, others 1024.
    let script = format!(
        "ulimit -f 20; exec '{}' watch --after 0 --no-follow --record '{file}' --url {}",
        env!("CARGO_BIN_EXE_incident"),
        server.url()
    );
    let ran = Command::new("sh").args(["-c", &script]).output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot record to") && stderr.contains("File too large"), "{stderr}");
    let (kept, wanted) = (fs::read_to_string(&file).unwrap(), frames(&server));
    assert!(kept.len() > 5_000 && kept.ends_with('\n') && wanted.starts_with(&kept), "{} bytes", kept.len());
    assert!(stderr.contains(&format!("Recorded {} events to", kept.lines().count())), "{stderr}");
}

#[test]
fn killed_at_any_moment_it_leaves_whole_lines() {
    let server = Serving::with(&["--speed", "100", "--trigger", "database-outage"]);
    let folder = Scratch::new();
    let mut longest = 0;
    for (n, moment) in (0_u64..6).zip([5, 40, 90, 150, 230, 330]) {
        let file = folder.path().join(format!("{n}.ndjson")).display().to_string();
        let mut watching = server.incident(&["watch", "--after", "0", "--record", &file]).spawn();
        let lines = watching.lines();
        lines.recv_timeout(PATIENCE).expect("the first event");
        std::thread::sleep(ms(moment));
        watching.signal("KILL");
        watching.end();
        let kept = fs::read_to_string(&file).unwrap();
        let wanted = frames(&server);
        assert!(kept.ends_with('\n') && wanted.starts_with(&kept), "{kept}");
        longest = longest.max(kept.lines().count());
    }
    assert!(longest > 20, "{longest} lines");
}

#[test]
fn leaving_by_ctrl_c_says_what_was_recorded() {
    let (server, folder) = (Serving::with(&["--trigger", "database-outage"]), Scratch::new());
    let file = folder.path().join("run.ndjson").display().to_string();
    let mut watching = server.incident(&["watch", "--record", &file]).spawn();
    let lines = watching.lines();
    lines.recv_timeout(PATIENCE).expect("the start");
    watching.signal("INT");
    let ran = watching.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let count = fs::read_to_string(&file).unwrap().lines().count();
    assert!(count > 0);
    let told = format!("Recorded {count} event{} to {file}\n", if count == 1 { "" } else { "s" });
    assert!(ran.stderr.ends_with(&told) && ran.stderr.contains("goes on"), "{ran:?}");
}

/// What was recorded is not where it is said to be: removed, renamed, replaced, emptied or written to by somebody else.
#[test]
fn a_recording_that_somebody_touches_is_not_called_recorded() {
    type Touch = fn(&std::path::Path);
    let (server, folder) = (Serving::with(&["--trigger", "database-outage"]), Scratch::new());
    let file = folder.path().join("of/run.ndjson");
    let touched: [(&str, Touch); 5] = [
        ("removed or renamed", |file| fs::remove_dir_all(file.parent().unwrap()).unwrap()),
        ("removed or renamed", |file| fs::rename(file, file.with_extension("moved")).unwrap()),
        ("another one has its name", |file| {
            fs::rename(file, file.with_extension("old")).unwrap();
            fs::write(file, "").unwrap();
        }),
        ("was cut meanwhile: it has ", |file| fs::write(file, "").unwrap()),
        ("something else has written to it", |file| {
            let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
            std::io::Write::write_all(&mut file, b"more\n").unwrap();
        }),
    ];
    for (number, (told, touch)) in touched.into_iter().enumerate() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        // The server's events are the same for each.
        let file = file.with_file_name(format!("{number}.ndjson"));
        let shown = file.display().to_string();
        let quiet = if number % 2 == 0 { "--quiet" } else { "--json" };
        let mut watching = server.incident(&["watch", "--after", "0", "--record", &shown, quiet]).spawn();
        let lines = watching.lines();
        lines.recv_timeout(PATIENCE).expect("the start");
        touch(&file);
        watching.signal("INT");
        let ran = watching.end();
        assert_eq!(ran.status, Some(1), "{told}: {ran:?}");
        assert!(ran.stderr.contains(told) && !ran.stderr.contains("Recorded"), "{told}: {ran:?}");
        assert!(ran.stderr.contains(&format!("recorded to {shown}, but ")), "{ran:?}");
    }
    // A link is as good as the file that it leads to.
    let link = folder.path().join("link.ndjson");
    fs::write(folder.path().join("real.ndjson"), "").unwrap();
    std::os::unix::fs::symlink("real.ndjson", &link).unwrap();
    let ran = record(&server, link.to_str().unwrap(), &["--after", "0", "--no-follow"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

/// The server is killed and comes back: what was sent before is not recorded again.
#[test]
fn a_reconnect_repeats_nothing() {
    let folder = Scratch::new();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let journal = file("journal.db");
    let server = Serving::with(&["--journal", &journal, "--speed", "40", "--trigger", "database-outage"]);
    let port = server.address().port().to_string();
    let recording = ["watch", "--after", "0", "--until-resolved", "--record", &file("run.ndjson")];
    let mut watching = server.incident(&recording).spawn();
    let lines = watching.lines();
    for _ in 0..10 {
        lines.recv_timeout(PATIENCE).expect("an event");
    }
    server.signal("KILL");
    drop(server);
    watching.says("connection lost");
    let server = Serving::again(&["serve", "--port", &port, "--journal", &journal, "--json", "--quiet"]);
    let ran = watching.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("0 lost"), "{ran:?}");
    let kept = fs::read_to_string(file("run.ndjson")).unwrap();
    assert_eq!(kept.lines().count(), 108);
    assert_eq!(kept, frames(&server));
    drop(lines);
}

/// JSON may have line breaks between its tokens; a line of a recording has none. What is no event is no line.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_in_several_lines_becomes_one() {
    let wanted = frames(&over());
    let told: Vec<String> =
        wanted.lines().map(|line| line.replacen(",\"source\"", ",\r\n  \"source\"", 1)).collect();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            // The first handshake offers a subprotocol that this server does not know.
            let Ok(mut socket) = tokio_tungstenite::accept_async(tcp).await else { continue };
            for line in std::iter::once("nothing of yours").chain(told.iter().map(String::as_str)) {
                let Ok(()) = socket.send(Message::text(line)).await else { break };
            }
            while socket.next().await.is_some_and(|received| received.is_ok()) {}
        }
    });
    let folder = Scratch::new();
    let file = folder.path().join("run.ndjson").display().to_string();
    let args = ["watch", "--record", &file, "--until-resolved", "--url", &url].map(str::to_owned);
    let run = move || incident(&args.each_ref().map(String::as_str)).run();
    let ran = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("Recorded 108 events"), "{ran:?}");
    assert_eq!(fs::read_to_string(file).unwrap().replace(",    \"source\"", ",\"source\""), wanted);
}
