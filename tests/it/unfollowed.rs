//! An incident that was started and can't be followed: `trigger` names it, and says why.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::harness::{Ran, Raw, Serving, get, incident};

/// What a proxy that knows no WebSocket removes, as nginx without settings does.
const BOTH: &[&str] = &["upgrade:", "connection:"];

/// A proxy that removes headers.
fn without(dropped: &'static [&'static str], server: SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming() {
            thread::spawn(move || pass_on(client.unwrap(), dropped, server));
        }
    });
    url
}

fn pass_on(mut client: TcpStream, dropped: &[&str], server: SocketAddr) {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).unwrap();
    let lower = |line: &str| line.to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| lower(line).strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).unwrap();
    let is_dropped = |line: &str| dropped.iter().any(|name| lower(line).starts_with(name));
    let kept: Vec<&str> = head.lines().filter(|line| !line.is_empty() && !is_dropped(line)).collect();
    let mut onward = TcpStream::connect(server).unwrap();
    let head = kept.join("\r\n") + "\r\nConnection: close\r\n\r\n";
    onward.write_all(head.as_bytes()).unwrap();
    onward.write_all(&body).unwrap();
    let _ = std::io::copy(&mut onward, &mut client);
    let _ = client.shutdown(Shutdown::Both);
}

/// Holds that a failed `trigger` names the incident that goes on, and how to watch and cancel it.
async fn names_what_goes_on(ran: &Ran, server: &Serving, url: &str) {
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), ""), "{}", ran.stderr);
    let listed = get(server.address(), "/api/incidents").await.json();
    let open: Vec<&str> = listed["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|incident| incident["state"] == "open")
        .map(|incident| incident["id"].as_str().unwrap())
        .collect();
    let [id] = open[..] else { panic!("{open:?}") };
    for wanted in [
        format!("{id} was started and may go on"),
        format!("incident watch --incident {id} --url {url}"),
        format!("incident cancel {id} --url {url}"),
    ] {
        assert!(ran.stderr.contains(&wanted), "{wanted}: {}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_without_upgrade_leaves_an_incident_that_is_named() {
    let server = Serving::with(&[]);
    let url = without(BOTH, server.address());
    let ran = incident(&["trigger", "database-outage", "--url", &url]).run();
    names_what_goes_on(&ran, &server, &url.replace("http://", "ws://")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_leaves_an_incident_that_is_named() {
    let server = Serving::with(&["--max-clients", "1"]);
    let _taken = Raw::connect(server.address()).await.upgrade("").await;
    let ran = server.incident(&["trigger", "database-outage", "--reconnect-for", "2s"]).run();
    names_what_goes_on(&ran, &server, server.url()).await;
    assert!(ran.stderr.contains("there was no connection for 2s: ") && ran.stderr.contains("503"), "{ran:?}");
}

#[test]
fn a_proxy_without_upgrade_is_what_the_error_names() {
    let server = Serving::with(&[]);
    for dropped in [BOTH, &["connection:"], &["upgrade:"]] {
        let url = without(dropped, server.address());
        for command in [
            &["watch", "--url", &url][..],
            &["trigger", "database-outage", "--url", &url],
            &["validate", "--for", "1s", "--url", &url],
        ] {
            let ran = incident(command).run();
            assert_eq!(ran.status, Some(3), "{command:?}: {}", ran.stderr);
            for wanted in ["426", "Upgrade", "proxy", "docs/proxies.md"] {
                assert!(ran.stderr.contains(wanted), "{command:?}: {wanted}: {}", ran.stderr);
            }
            for misleading in ["check --url", "connect with `incident watch`"] {
                assert!(!ran.stderr.contains(misleading), "{command:?}: {}", ran.stderr);
            }
        }
    }
}

/// A proxy answers every request by itself while its server is down.
#[test]
fn a_proxy_whose_server_is_down_is_what_the_error_names() {
    for status in
        ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Time-out"]
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let page = "\n<html>\n<head><title>down</title></head></html>\n";
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}", page.len());
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let _ = client.read(&mut [0; 4096]);
                let _ = client.write_all(format!("{head}\r\nConnection: close\r\n\r\n{page}").as_bytes());
            }
        });
        for command in [
            &["watch"][..],
            &["health"],
            &["trigger", "noise"],
            &["list", "--running"],
            &["cancel", "noise-aaaaa"],
            &["report", "noise-aaaaa"],
            &["validate", "--for", "1s"],
            &["validate", "--for", "1s", "--profile", "plain"],
        ] {
            let ran = incident(&[command, &["--url", &url]].concat()).run();
            assert_eq!(ran.status, Some(3), "{command:?}: {ran:?}");
            let number = &status[..3];
            assert!(ran.stderr.contains(&format!("HTTP {number}: ")) && !ran.stderr.contains('<'), "{ran:?}");
            assert!(ran.stderr.contains("wait until the server"), "{command:?}: {ran:?}");
            assert!(!ran.stderr.contains("check --url") && !ran.stderr.contains("check the URL"), "{ran:?}");
        }
    }
}

/// `--timeout` also ends the wait for a server that has begun to answer and goes on no further.
#[test]
fn a_server_that_stalls_in_its_answer_is_waited_for_as_long_as_was_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut held = Vec::new();
        for client in listener.incoming() {
            let mut client = client.unwrap();
            assert!(client.read(&mut [0; 4096]).unwrap() > 0);
            client.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{").unwrap();
            held.push(client);
        }
    });
    let ran = incident(&["trigger", "noise", "--url", &url, "--timeout", "300ms"]).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(4), ""), "{ran:?}");
    assert!(ran.stderr.contains("has not answered within 300ms: it may have started"), "{ran:?}");
    let shown = format!("{}/ws", url.replace("http:", "ws:"));
    assert!(ran.stderr.contains(&format!("incident list --running --url {shown}")), "{ran:?}");
    let to = ["trigger", "noise", "--url", &url, "--timeout", "300ms", "--alerts-to", "http://127.0.0.1:1"];
    let ran = incident(&to).run();
    assert_eq!(ran.status, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("has not answered within 300ms: nothing was started"), "{ran:?}");
}

/// Who reads bytes that are not UTF-8 looks for a mistake of the program that writes them.
#[test]
fn an_event_stream_that_is_compressed_is_called_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n";
            let _ = client.write_all(&[head.as_bytes(), &[0x1f, 0x8b, 8, 0, 0xff, 0xfe]].concat());
        }
    });
    let ran = incident(&["validate", "--sse", &url, "--profile", "plain", "--for", "1s", "--gentle"]).run();
    assert_ne!(ran.status, Some(0), "{ran:?}");
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("it is compressed (gzip)") && !said.contains("UTF-8"), "{ran:?}");
}
