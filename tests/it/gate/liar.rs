//! A hostile server: whatever it is asked, it answers with hostile text, each in its own way.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::json;

use super::corpus::{HOSTILE, SHORT, SHOWN};
use super::events::{events, opened, subject};
use crate::harness::unmasked;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// As an incident server does, with hostile values in everything.
    Friendly,
    /// The same, but each WebSocket is closed before the incident ends.
    Cuts,
    /// A problem document.
    Problem,
    /// An error with a text.
    Body,
    /// A redirection.
    Redirect,
    /// A status line with a hostile reason.
    Reason,
    /// A header that is none.
    Header,
    /// 200 with a JSON document that is none, or not the one asked for.
    NotJson,
    /// No HTTP.
    Garbage,
}

pub const LIES: [Lie; 9] = [
    Lie::Friendly,
    Lie::Cuts,
    Lie::Problem,
    Lie::Body,
    Lie::Redirect,
    Lie::Reason,
    Lie::Header,
    Lie::NotJson,
    Lie::Garbage,
];

/// Starts one for the rest of the test process. Returns its URL.
pub fn liar(lie: Lie) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream, lie));
        }
    });
    url
}

fn answer(mut stream: TcpStream, lie: Lie) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length > 0) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    // The client may be gone.
    let _ = match lie {
        Lie::Friendly | Lie::Cuts if head.contains("GET /ws") => socket(&mut stream, &head, lie),
        Lie::Friendly | Lie::Cuts => friendly(&mut stream, &head),
        Lie::Problem => {
            let problem = json!({ "type": HOSTILE, "title": HOSTILE, "status": 422, "detail": HOSTILE });
            http(&mut stream, "422 Unprocessable", "application/problem+json", &problem.to_string())
        }
        Lie::Body => http(&mut stream, "500 Internal", "text/html", SHORT),
        Lie::Redirect => {
            let to = format!(
                "https://{}/",
                SHORT.replace(['\r', '\n'], "").replace(|c: char| c.is_control(), "\t")
            );
            let answer = format!(
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes())
        }
        Lie::Reason => {
            http(&mut stream, &format!("404 {}", SHORT.replace(['\r', '\n'], " ")), "text/plain", SHORT)
        }
        Lie::Header => {
            let answer = format!("HTTP/1.1 200 OK\r\nX-{SHORT}: {SHORT}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes())
        }
        Lie::NotJson => http(
            &mut stream,
            "200 OK",
            &format!("text/{}", SHOWN.replace('\\', "")),
            &json!({ HOSTILE: HOSTILE }).to_string(),
        ),
        Lie::Garbage => stream.write_all(SHORT.as_bytes()),
    };
}

fn http(stream: &mut TcpStream, status: &str, kind: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes())
}

/// The HTTP interface of an incident server.
fn friendly(stream: &mut TcpStream, head: &str) -> std::io::Result<()> {
    let request = head.lines().next().unwrap_or_default();
    let scenario = json!({ "id": HOSTILE, "title": HOSTILE, "severity": HOSTILE, "screen_s": 3.0 });
    let incident = json!({ "id": HOSTILE, "title": HOSTILE, "severity": HOSTILE, "phase": HOSTILE, "offset_s": 3.0, "state": "open" });
    // Only such an id is offered to a shell.
    let offered = json!({ "id": "x-1", "title": HOSTILE, "state": "open" });
    let scenarios = json!({ "scenarios": [scenario, { "id": "x", "title": HOSTILE }] });
    let json = |stream: &mut TcpStream, value: &serde_json::Value| {
        http(stream, "200 OK", "application/json", &value.to_string())
    };
    match request {
        _ if request.contains("report.md") => {
            let report =
                format!("# {text}\n\n::error::forged\n{text}\n", text = HOSTILE.replace("\nPASS", " PASS"));
            http(stream, "200 OK", "text/markdown", &report)
        }
        _ if request.starts_with("POST") => {
            json(stream, &json!({ "id": subject(), "stream": "S", "position": 1 }))
        }
        _ if request.starts_with("DELETE") => json(stream, &json!({ "outcome": HOSTILE })),
        _ if request.contains("/api/scenarios") => json(stream, &scenarios),
        _ if request.contains("/api/incidents/") => json(stream, &json!({ "id": HOSTILE })),
        _ if request.contains("/api/incidents") => json(stream, &json!({ "incidents": [incident, offered] })),
        _ if request.contains("/readyz") => {
            let problem = json!({ "detail": HOSTILE, "status": 503 });
            http(stream, "503 Unavailable", "application/problem+json", &problem.to_string())
        }
        _ => http(stream, "200 OK", "text/plain", HOSTILE),
    }
}

/// The stream, with texts in between that are no events, and a hostile reason at its end.
fn socket(stream: &mut TcpStream, head: &str, lie: Lie) -> std::io::Result<()> {
    let key = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().starts_with("sec-websocket-key:").then(|| &line[18..]));
    let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(
        key.unwrap_or_default().trim().as_bytes(),
    );
    let protocol = if head.to_ascii_lowercase().contains("sec-websocket-protocol") {
        "Sec-WebSocket-Protocol: cloudevents.json\r\n"
    } else {
        ""
    };
    stream.write_all(
        format!("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{protocol}Sec-WebSocket-Accept: {accept}\r\n\r\n")
            .as_bytes(),
    )?;
    let all = events();
    let sent = if lie == Lie::Cuts { &all[..3] } else { &all[..] };
    stream.write_all(&unmasked(0x81, opened(all.len()).as_bytes()))?;
    for (event, number) in sent.iter().zip(1..) {
        stream.write_all(&unmasked(0x81, event.as_bytes()))?;
        if number == 2 {
            stream.write_all(&unmasked(0x81, HOSTILE.as_bytes()))?;
            stream.write_all(&unmasked(0x81, format!("{{\"type\": {}}}", json!(HOSTILE)).as_bytes()))?;
        }
    }
    let mut reason = 4000_u16.to_be_bytes().to_vec();
    reason.extend(SHORT.as_bytes());
    stream.write_all(&unmasked(0x88, &reason))?;
    let _ = stream.read(&mut [0; 64]);
    Ok(())
}
