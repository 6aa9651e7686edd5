//! Every command that talks to a server does so with TLS.

use incident::client::Endpoint;

use super::{Authority, serving};
use crate::harness::{PATIENCE, WRITE, incident};

#[test]
fn a_url_says_whether_it_is_with_tls_and_to_which_port() {
    for (text, shown, address, page) in [
        ("wss://a.example", "wss://a.example/ws", "a.example:443", "https://a.example/"),
        ("https://a.example:8443", "wss://a.example:8443/ws", "a.example:8443", "https://a.example:8443/"),
        ("wss://[::1]/stream", "wss://[::1]/stream", "[::1]:443", "https://[::1]/"),
        ("http://a.example", "ws://a.example/ws", "a.example:80", "http://a.example/"),
    ] {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!(endpoint.to_string(), shown);
        assert_eq!(endpoint.websocket(Some("0")), format!("{shown}?after=0"));
        assert_eq!((endpoint.address().as_str(), endpoint.http("/").as_str()), (address, page));
        assert_eq!(endpoint.is_encrypted(), shown.starts_with("wss:"));
    }
}

#[test]
fn every_command_talks_to_a_server_with_tls() {
    let authority = Authority::with_server();
    let ca = authority.file("ca.pem");
    let server = serving(&authority, "server", &["--speed", "200"]);
    assert!(server.url().starts_with("wss://127.0.0.1:"), "{}", server.url());
    let run = |args: &[&str]| server.incident(&[args, &["--cacert", &ca]].concat()).run();
    let triggered = run(&["trigger", "database-outage"]);
    assert_eq!(triggered.status, Some(0), "{}", triggered.stderr);
    let id = triggered.stdout.split(' ').next().unwrap();
    let watched = run(&["watch", "--incident", id, "--no-follow", "--json"]);
    assert!(watched.status == Some(0) && watched.stdout.contains("incident_resolved"), "{watched:?}");
    let report = run(&["report", id]);
    assert!(report.status == Some(0) && report.stdout.contains(id), "{report:?}");
    let judged = run(&["validate", "--trigger", "database-outage", "--rule", "order"]);
    assert_eq!(judged.status, Some(0), "{}{}", judged.stdout, judged.stderr);
    let cancelled = run(&["trigger", "--cancel", id]);
    assert!(cancelled.status == Some(0) && cancelled.stderr.contains("is already resolved"), "{cancelled:?}");
}

#[test]
fn the_commands_that_it_suggests_have_the_flag() {
    let authority = Authority::with_server();
    let ca = authority.file("ca.pem");
    let server = serving(&authority, "server", &[]);
    let again = format!(" --url {} --cacert {ca}", server.url());
    let args = ["trigger", "database-outage", "--timeout", "100ms", "--cacert", &ca];
    let left = server.incident(&args).run();
    assert!(left.status == Some(4) && left.stderr.contains(&again), "{}", left.stderr);
    let judged =
        server.incident(&["validate", "--for", "100ms", "--rule", "heartbeat", "--cacert", &ca]).run();
    assert!(judged.stdout.contains("nothing was checked"), "{judged:?}");
    assert!(judged.stdout.contains("wss://"), "{judged:?}");
}

#[test]
fn the_authority_can_come_from_the_environment_or_the_system() {
    let authority = Authority::with_server();
    let ca = authority.file("ca.pem");
    let server = serving(&authority, "server", &[]);
    let trigger = || server.incident(&["trigger", "database-outage", "--no-wait"]);
    for variable in ["INCIDENT_CACERT", "SSL_CERT_FILE"] {
        let ran = trigger().env(variable, &ca).run();
        assert_eq!(ran.status, Some(0), "{variable}: {}", ran.stderr);
    }
    let ran = trigger().env("INCIDENT_CACERT", "").env("SSL_CERT_FILE", &ca).run();
    assert_eq!(ran.status, Some(0), "an empty variable is none: {}", ran.stderr);
    // The flag says it alone, and so does the variable: what the system knows does not count then.
    let other = Authority::new();
    let ran = trigger().env("INCIDENT_CACERT", &other.file("ca.pem")).env("SSL_CERT_FILE", &ca).run();
    assert!(ran.status == Some(3) && ran.stderr.contains("no authority in"), "{}", ran.stderr);
}

#[test]
fn a_token_is_not_said_to_cross_the_network_unencrypted() {
    // Nobody listens there: only what is said before matters.
    for (url, warned) in [("ws://192.0.2.1:1/ws", true), ("wss://192.0.2.1:1/ws", false)] {
        let mut watch = incident(&["watch", "--url", url, "-v"]).env("INCIDENT_TOKEN", WRITE).spawn();
        if warned {
            watch.says("unencrypted");
            continue;
        }
        // It ends by the deadline of connecting, or at once where no network is.
        let ran = watch.end();
        assert!(ran.status == Some(3) && !ran.stderr.contains("unencrypted"), "{ran:?}");
    }
}

#[test]
fn the_command_of_the_banner_works() {
    let authority = Authority::with_server();
    authority.signs_itself("own", &["localhost"], false);
    for (name, host) in [("own", "localhost"), ("server", "127.0.0.1")] {
        let flags = authority.flags(name);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut server = incident(&[&["serve", "--port", "0"], &flags[..]].concat()).spawn();
        let tried = server.says("  Try ");
        let words = crate::printed_commands::words(tried.trim_start().trim_start_matches("Try "));
        let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let url = format!("--url wss://{host}:");
        assert!(tried.contains(&url), "{tried}");
        let ran = incident(&[&words[..], &["--no-wait"]].concat());
        match name {
            "own" => assert_eq!(ran.run().status, Some(0), "{tried}"),
            // The certificate speaks not for itself: who believes its authority needs no flag.
            _ => {
                assert!(!tried.contains("--cacert"), "{tried}");
                assert_eq!(
                    ran.env("SSL_CERT_FILE", &authority.file("ca.pem")).run().status,
                    Some(0),
                    "{tried}"
                );
            }
        }
    }
}

#[test]
fn a_watcher_comes_back_over_tls() {
    let authority = Authority::with_server();
    let ca = authority.file("ca.pem");
    let journal = authority.file("journal.db");
    let server = serving(&authority, "server", &["--journal", &journal, "--drain", "1s"]);
    let mut watch = server.incident(&["watch", "--cacert", &ca]).spawn();
    let lines = watch.lines();
    let trigger = server.incident(&["trigger", "database-outage", "--no-wait", "--cacert", &ca]).run();
    assert_eq!(trigger.status, Some(0), "{trigger:?}");
    lines.recv_timeout(PATIENCE).expect("an event");
    let port = server.address().port().to_string();
    drop(server);
    watch.says("connection lost");
    let flags = authority.flags("server");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let args = [&["serve", "--port", &port, "--json", "--journal", &journal], &flags[..]].concat();
    let _again = crate::harness::Serving::again(&args);
    let back = watch.says("── reconnected");
    assert!(back.contains(", 0 lost"), "{back}");
}
