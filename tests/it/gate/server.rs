//! A server that stays: its banner, its log as text and as JSON, and what a shell is offered.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::corpus::{HOSTILE, SHORT, SHOWN, assert_clean, assert_tame};
use super::files::Files;
use super::liar::{Lie, liar};
use crate::harness::{Raw, Terminal, incident, soon};

/// The flags of a server for which everything that a file can fill is hostile.
fn flags(files: &Files) -> Vec<String> {
    let path = |name: &str| files.path(name).display().to_string();
    std::fs::write(files.path("folder").join("index.html"), "").unwrap();
    let mut flags = vec![
        "serve".to_owned(),
        "--port".to_owned(),
        "0".to_owned(),
        "--speed".to_owned(),
        "1000".to_owned(),
    ];
    for (flag, value) in [
        ("--scenarios", path("mixed")),
        ("--replay", path("partial")),
        ("--journal", path("new")),
        ("--dashboard", path("folder")),
        ("--token-file", path("good_tokens")),
        ("--trigger", "hostile".to_owned()),
    ] {
        flags.extend([flag.to_owned(), value]);
    }
    flags
}

/// Sends everything that a stranger can fill: path, host, origin, agent, names in a body.
async fn provoke(address: SocketAddr) {
    let hostile =
        HOSTILE.replace(['\r', '\n', '\0', '\u{8}', '\u{b}', '\u{c}', '\u{1b}', '\u{7}', '\u{7f}'], "");
    let escaped: String = HOSTILE.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let body = json!({ "scenario": HOSTILE, HOSTILE: 1 }).to_string();
    let named = json!({ "scenario": HOSTILE }).to_string();
    let post = |body: &str| {
        format!(
            "POST /api/incidents HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let get = |path: &str, host: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{hostile}\r\nUser-Agent: {hostile}\r\n\
             X-Forwarded-For: {hostile}\r\nX-Forwarded-Prefix: /{hostile}\r\nAuthorization: Bearer {hostile}\r\n\
             Connection: close\r\n\r\n"
        )
    };
    let own = address.to_string();
    for request in [
        get(&format!("/{escaped}"), &own),
        get(&format!("/api/incidents/{escaped}"), &own),
        get(&format!("/ws?after={escaped}"), &own),
        get(&format!("/events?after={escaped}"), &own),
        get("/", &hostile),
        get(&format!("/{hostile}"), &own),
        post(&body),
        post(&named),
        post(&format!("{{{HOSTILE}")),
        format!("{SHORT}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {own}\r\n{SHORT}: {SHORT}\r\n\r\n"),
    ] {
        let mut raw = Raw::connect(address).await;
        raw.send(request.as_bytes()).await;
        // What comes back is for a program: JSON or the page.
        let _ = soon("an answer", raw.rest()).await;
    }
}

pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

async fn provoked(more: &[&str]) -> (String, String) {
    let files = Files::new();
    let flags = flags(&files);
    let args: Vec<&str> =
        flags.iter().map(String::as_str).chain(["--json"]).chain(more.iter().copied()).collect();
    let mut server = incident(&args).spawn();
    let lines = server.lines();
    let ready = lines.recv_timeout(crate::harness::PATIENCE).expect("it says that it is ready");
    let address: Value = serde_json::from_str(&ready).unwrap();
    let address = address["websocket"].as_str().unwrap().split('/').nth(2).unwrap().parse().unwrap();
    provoke(address).await;
    server.signal("TERM");
    let ran = server.end();
    (ready + &ran.stdout, ran.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stranger_and_no_file_steers_the_log() {
    for more in [&["--verbose"][..], &["--quiet"], &["--verbose", "--verbose"]] {
        let (stdout, stderr) = provoked(more).await;
        assert_clean(&stdout, "stdout of serve");
        assert_clean(&stderr, "the log");
        assert!(stderr.contains(SHOWN), "{more:?}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_json_log_is_an_object() {
    let (_, stderr) = provoked(&["--verbose", "--log-format", "json"]).await;
    assert_clean(&stderr, "the JSON log");
    assert!(stderr.contains("z\\u001b]0;pwned\\u0007"), "{stderr}");
    for line in stderr.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
}

#[test]
fn no_file_steers_the_banner() {
    let files = Files::new();
    let flags = flags(&files);
    let args: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Terminal::in_colors(200, &args);
    terminal.shows("Ready in");
    terminal.interrupt();
    let bytes = terminal.end_with_bytes();
    assert_tame(&bytes, "the banner");
    let text = String::from_utf8_lossy(&bytes);
    for label in ["Scenarios", "Journal", "Replay", "Access", "Try"] {
        let line =
            text.lines().find(|line| line.contains(label)).unwrap_or_else(|| panic!("{label}: {text}"));
        assert!(["Scenarios", "Try"].contains(&label) || line.contains(SHOWN), "{line}");
    }
}

#[test]
fn no_candidate_steers_a_shell() {
    let files = Files::new();
    let url = liar(Lie::Friendly);
    let folder = format!("{}/", files.path("folder").display());
    let good = files.path("good").display().to_string();
    for shell in ["bash", "zsh", "fish"] {
        for words in [
            &["trigger", ""][..],
            &["cancel", ""],
            &["watch", "--incident", ""],
            &["report", ""],
            &["validate", &folder],
            &["show", "--scenarios", &good, ""],
            &["serve", "--scenarios", &folder],
        ] {
            let args = [&["--", "incident"], words].concat();
            let index = words.len().to_string();
            let run = incident(&args).env("INCIDENT_COMPLETE", shell).env("INCIDENT_URL", &url);
            let ran = run.env("_CLAP_COMPLETE_INDEX", &index).run();
            let from = format!("{words:?} in {shell}");
            assert_eq!(ran.status, Some(0), "{from}: {}", ran.stderr);
            // bash is given candidates between vertical tabs; no CI system reads what a shell is offered.
            assert_clean(&ran.stdout.replace('\u{b}', "\n").replace("##[", ""), &from);
            assert_clean(&ran.stderr, &from);
            let titled = shell != "bash" && words.len() == 2 && words[0] != "validate";
            assert!(!titled || ran.stdout.replace("\\\\", "\\").contains(SHOWN), "{from}: {}", ran.stdout);
        }
    }
}
