//! `incident report`, `trigger --report` and `GET /api/incidents/ID/report.md` on the real binary.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{Ran, Scratch, Serving, envelope, fixture, fixtures, get, incident};
use crate::trigger::answering;

fn recording() -> String {
    fixture("golden/database-outage.ndjson").to_str().unwrap().to_owned()
}

/// A usage error that says these things.
fn refused(ran: &Ran, says: &[&str]) {
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    for text in says {
        assert!(ran.stderr.contains(text), "{text:?} is not in {}", ran.stderr);
    }
}

fn path(scratch: &Scratch, name: &str) -> String {
    scratch.path().join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_recording_is_reported_on_stdout_or_to_a_file() {
    let wanted = fs::read_to_string(fixture("golden/report.md")).unwrap();
    let ran = incident(&["report", &recording()]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(ran.stdout, wanted);
    let scratch = Scratch::new().with("empty.md", "").with("kept.md", "what stood in it");
    let kept = path(&scratch, "kept.md");
    refused(&incident(&["report", &recording(), "-o", &kept]).run(), &["kept.md already exists"]);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "what stood in it");
    let out = path(&scratch, "empty.md");
    let ran = incident(&["report", &recording(), "-o", &out]).run();
    assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
    assert_eq!(fs::read_to_string(&out).unwrap(), wanted);
}

#[tokio::test]
async fn it_is_the_same_from_everywhere() {
    let server = Serving::with(&["--speed", "1000"]);
    let scratch = Scratch::new();
    for scenario in ["database-outage", "github-2018-mysql-failover"] {
        let out = path(&scratch, &format!("{scenario}.md"));
        let ran = server.incident(&["trigger", scenario, "--json", "--report", &out]).run();
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("The report is in {out}")), "{}", ran.stderr);
        let triggered = fs::read_to_string(&out).unwrap();
        assert!(triggered.contains("**Resolved:**") && !triggered.contains("missing"), "{triggered}");

        let id = envelope(ran.stdout.lines().next().unwrap()).incident().to_owned();
        let recorded = Scratch::new().with("run.ndjson", &ran.stdout);
        let from_file = incident(&["report", &path(&recorded, "run.ndjson")]).run();
        assert_eq!(from_file.stdout, triggered);
        let from_server = server.incident(&["report", &id]).run();
        assert_eq!((from_server.status, from_server.stdout.as_str()), (Some(0), triggered.as_str()));
        let served = get(server.address(), &format!("/api/incidents/{id}/report.md")).await;
        assert_eq!((served.status, served.header("content-type")), (200, "text/markdown; charset=utf-8"));
        assert_eq!(served.body, triggered);
    }
    // Everything that the server has, in one recording: the reports one after the other.
    let all = server.incident(&["watch", "--json", "--after", "0", "--no-follow"]).run().stdout;
    let controls = fixtures("messages")
        .into_iter()
        .filter(|(name, _)| ["stream_opened", "heartbeat"].contains(&&**name));
    let controls: Vec<String> = controls
        .map(|(_, text)| serde_json::from_str::<serde_json::Value>(&text).unwrap().to_string())
        .collect();
    assert_eq!(controls.len(), 2);
    let scratch = scratch.with("all.ndjson", &format!("{}\r\n\r\n{all}\n{}", controls[0], controls[1]));
    let ran = incident(&["report", &path(&scratch, "all.ndjson")]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    let one = |scenario: &str| fs::read_to_string(scratch.path().join(format!("{scenario}.md"))).unwrap();
    let wanted = format!("{}\n---\n\n{}", one("database-outage"), one("github-2018-mysql-failover"));
    assert_eq!(ran.stdout, wanted);
}

#[tokio::test]
async fn a_cancelled_incident_has_its_report_too_and_an_open_one_says_so() {
    let server = Serving::with(&[]);
    let scratch = Scratch::new();
    let out = path(&scratch, "out.md");
    let following = server.incident(&["trigger", "database-outage", "--report", &out]).spawn();
    let mut watching = server.incident(&["watch", "--json", "--after", "0", "--until-resolved"]).spawn();
    let lines = watching.lines();
    let first = lines.recv_timeout(crate::harness::PATIENCE).unwrap();
    let id = envelope(&first).incident().to_owned();

    let open = server.incident(&["report", &id]).run();
    assert_eq!((open.status, open.stderr.as_str()), (Some(0), ""));
    assert!(open.stdout.contains("> **Still open.**"), "{}", open.stdout);

    assert_eq!(server.incident(&["trigger", "--cancel", &id]).run().status, Some(0));
    let ran = following.end();
    assert_eq!(ran.status, Some(4), "{}", ran.stderr);
    let report = fs::read_to_string(&out).unwrap();
    assert!(report.contains("**Cancelled:**") && !report.contains("Still open"), "{report}");
    assert_eq!(server.incident(&["report", &id]).run().stdout, report);
    let rest: String = lines.iter().collect();
    let recorded = scratch.with("run.ndjson", &(first + &rest));
    assert_eq!(incident(&["report", &path(&recorded, "run.ndjson")]).run().stdout, report);
}

#[tokio::test]
async fn a_path_that_can_not_be_written_is_refused_before_anything_begins() {
    let server = Serving::with(&[]);
    let scratch = Scratch::new().with("folder/kept.md", "kept");
    let nowhere = path(&scratch, "not/there.md");
    for out in [nowhere.as_str(), &path(&scratch, "folder")] {
        refused(
            &server.incident(&["trigger", "database-outage", "--report", out]).run(),
            &[out, "cannot be written"],
        );
        refused(&incident(&["report", &recording(), "--output", out]).run(), &[out, "cannot be written"]);
    }
    let none = get(server.address(), "/api/incidents").await.json();
    assert_eq!(none["incidents"], serde_json::json!([]), "nothing was started");

    // What has content is never overwritten, and this is known before anything begins.
    let kept = path(&scratch, "folder/kept.md");
    for command in [&["trigger", "database-outage", "--report"][..], &["report", "nobody", "--output"]] {
        let ran = server.incident(&[command, &[&kept]].concat()).run();
        refused(&ran, &["kept.md already exists", "name another file, or remove this one"]);
    }
    let none = get(server.address(), "/api/incidents").await.json();
    assert_eq!(none["incidents"], serde_json::json!([]), "nothing was started");

    // What fails later leaves no empty file behind.
    let new = path(&scratch, "new.md");
    {
        let out = &new;
        refused(
            &server.incident(&["trigger", "no-such-scenario", "--report", out]).run(),
            &["no-such-scenario"],
        );
        refused(&server.incident(&["report", "nobody", "--output", out]).run(), &["nobody"]);
        let left = server.incident(&["trigger", "database-outage", "--report", out, "--timeout", "5s"]).run();
        assert_eq!(left.status, Some(4), "{}", left.stderr);
        assert!(left.stderr.contains(&format!("--output {out}")), "how to have it later: {}", left.stderr);
    }
    assert!(!Path::new(&new).exists());
    assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
}

#[test]
fn nobody_waits_so_nobody_reports() {
    for args in [
        &["trigger", "x", "--no-wait", "--report", "out.md"][..],
        &["trigger", "--cancel", "x", "--report", "y"],
    ] {
        refused(&incident(args).run(), &["--report", "cannot be used with"]);
    }
}

#[test]
fn a_recording_may_come_through_a_pipe() {
    let from = |file: fs::File| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_incident"));
        command.args(["report", "-"]).stdin(file).output().unwrap()
    };
    let piped = from(fs::File::open(recording()).unwrap());
    assert_eq!(piped.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(piped.stdout).unwrap(),
        fs::read_to_string(fixture("golden/report.md")).unwrap()
    );
    refused(&incident(&["report", "-"]).run(), &["stdin has no event"]);
}

#[test]
fn one_incident_of_several_is_chosen_by_its_id() {
    let text = fs::read_to_string(recording()).unwrap();
    let id = envelope(text.lines().next().unwrap()).incident().to_owned();
    let other = text
        .replace(&id, "database-outage-00000")
        .replace("pool exhausted\",\"severity", "is gone\",\"severity");
    let scratch = Scratch::new().with("two.ndjson", &format!("{other}{text}"));
    let two = path(&scratch, "two.ndjson");
    let ran = incident(&["report", &two, "--incident", &id]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout, fs::read_to_string(fixture("golden/report.md")).unwrap());
    let both = incident(&["report", &two]).run().stdout;
    let headings: Vec<&str> = both.lines().filter(|line| line.starts_with("# ")).collect();
    assert_eq!(headings.len(), 2, "in the order of the recording");
    assert!(headings[0].ends_with("is gone"), "{headings:?}");

    let wrong = incident(&["report", &two, "--incident", "database-outage-0000"]).run();
    refused(&wrong, &["two.ndjson", "did you mean \"database-outage-00000\"?"]);
    refused(
        &incident(&["report", &two, "--incident", "zzz"]).run(),
        &["\"zzz\"", "database-outage-00000, ", &id],
    );
    refused(&incident(&["report", "some-id", "--incident", "x"]).run(), &["--incident", "some-id"]);
}

#[test]
fn what_is_neither_a_recording_nor_an_id_is_a_usage_error() {
    for name in ["not/there", "run.ndjson", "a b", "x?y", ""] {
        refused(&incident(&["report", name, "--url", "ws://127.0.0.1:1/ws"]).run(), &[]);
    }
    let missing = incident(&["report", "run.ndjson"]).run();
    refused(&missing, &["there is no file run.ndjson", "incident watch --record"]);
    let scratch = Scratch::new().with("empty.ndjson", "\n\n");
    refused(&incident(&["report", &path(&scratch, "empty.ndjson")]).run(), &["empty.ndjson has no event"]);
    refused(&incident(&["report", scratch.text()]).run(), &["cannot be read"]);
    refused(&incident(&["report"]).run(), &["FILE|ID"]);
}

#[test]
fn a_line_that_can_not_be_read_is_named() {
    let text = fs::read_to_string(recording()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let metrics_of_no_kind = lines[2].replace("\"synthetic\":true,", "");
    for (wrong, says) in [
        ("{}", "missing field"),
        ("hello", "expected value"),
        ("\u{1b}[31m", "expected value"),
        (&metrics_of_no_kind, "system_metrics: missing field `synthetic`"),
        (&lines[2].replace("system_metrics", "coffee"), "unknown message type \"coffee\""),
        (&lines[2].replace("\"subject\":\"database-outage-", "\"extra\":\"x"), "has no subject"),
        (&lines[2][..40], "EOF"),
    ] {
        let scratch =
            Scratch::new().with("bad.ndjson", &[lines[0], lines[1], "", wrong, lines[3], ""].join("\n"));
        let bad = path(&scratch, "bad.ndjson");
        refused(&incident(&["report", &bad]).run(), &[&format!("{bad}:4 "), says, "incident validate"]);
    }
    // A recorder that was killed within a line.
    let scratch = Scratch::new().with("cut.ndjson", &text[..text.len() - 30]);
    let cut = path(&scratch, "cut.ndjson");
    refused(
        &incident(&["report", &cut]).run(),
        &[&format!("{cut}:108 "), "ends in the middle of its last line"],
    );
    // Bytes that are no text.
    fs::write(&cut, [lines[0].as_bytes(), b"\n\"\xff\"\n"].concat()).unwrap();
    refused(&incident(&["report", &cut]).run(), &[&format!("{cut}:2: not UTF-8")]);
}

#[test]
fn an_id_is_asked_of_the_server() {
    let server = Serving::with(&[]);
    let nobody = server.incident(&["report", "database-outage-x7k2p"]).run();
    refused(&nobody, &["no incident is called \"database-outage-x7k2p\"", "there is no file"]);
    let alone = incident(&["report", "database-outage-x7k2p", "--url", "ws://127.0.0.1:1/ws"]).run();
    assert_eq!((alone.status, alone.stdout.as_str()), (Some(3), ""), "{}", alone.stderr);
    for says in ["127.0.0.1:1", "there is no file database-outage-x7k2p", "incident serve"] {
        assert!(alone.stderr.contains(says), "{}", alone.stderr);
    }
    // Somebody else's server answers every path with something.
    let foreign = incident(&["report", "some-id", "--url", &answering("200 OK")]).run();
    assert_eq!((foreign.status, foreign.stdout.as_str()), (Some(3), ""), "{}", foreign.stderr);
    assert!(foreign.stderr.contains("not text/markdown"), "{}", foreign.stderr);
    let busy = incident(&["report", "some-id", "--url", &answering("503 Busy")]).run();
    assert_eq!((busy.status, busy.stdout.as_str()), (Some(3), ""), "{}", busy.stderr);
}

#[test]
fn a_file_is_a_file_even_if_it_is_called_like_an_incident() {
    let text = fs::read_to_string(recording()).unwrap();
    let scratch = Scratch::new().with("database-outage-x7k2p", &text);
    let named = path(&scratch, "database-outage-x7k2p");
    let ran = incident(&["report", &named, "--url", "ws://127.0.0.1:1/ws"]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(ran.stdout, fs::read_to_string(fixture("golden/report.md")).unwrap());
}

/// What has the name and is no file is written as it is, or refused; a link stays a link.
#[test]
fn a_pipe_a_device_and_a_link_stay_what_they_are() {
    let scratch = Scratch::new().with("empty.md", "");
    let whole = incident(&["report", &recording()]).run().stdout;
    let program = env!("CARGO_BIN_EXE_incident");
    let bash = |script: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-euc", script, "bash", program, &recording()]).current_dir(scratch.path());
        let ran = bash.output().unwrap();
        assert!(ran.status.success(), "{script}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    assert_eq!(bash(r#""$1" report "$2" --output /dev/stdout | cat"#), whole);
    bash(r#"mkfifo pipe; cat pipe > read.md & "$1" report "$2" --output pipe; wait; test -p pipe"#);
    assert_eq!(fs::read_to_string(scratch.path().join("read.md")).unwrap(), whole);
    bash(r#"ln -s /dev/null device; "$1" report "$2" --output device; test -L device; test -c device"#);
    bash(r#"ln -s empty.md link; "$1" report "$2" --output link; test -L link"#);
    assert_eq!(fs::read_to_string(scratch.path().join("empty.md")).unwrap(), whole);
    // The file that a shell has opened is the same one afterwards: what others write there is not lost.
    bash(
        r#"{ "$1" report "$2" --output /dev/stdout; echo more >> /dev/stdout; } > shell.md; test -s shell.md"#,
    );
    bash(
        r#"exec 3> kept.md; a=$(stat -c %i kept.md)
            "$1" report "$2" --output /dev/fd/3; test "$a" = "$(stat -c %i kept.md)""#,
    );
    assert_eq!(fs::read_to_string(scratch.path().join("kept.md")).unwrap(), whole);
    std::os::unix::fs::symlink("nowhere.md", scratch.path().join("dangling")).unwrap();
    let out = path(&scratch, "dangling");
    refused(&incident(&["report", &recording(), "--output", &out]).run(), &[&out, "cannot be written"]);
    assert!(Path::new(&out).is_symlink());
}
