//! A certificate that is renewed while the server runs.

use std::fs;

use super::{Authority, serving};
use crate::harness::{PATIENCE, Proxy, Raw, incident, ms, soon};

/// The certificate and key that an authority issued under a name.
fn pair(authority: &Authority, name: &str) -> [String; 2] {
    ["pem", "key"].map(|kind| fs::read_to_string(authority.folder().join(format!("{name}.{kind}"))).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_soon_and_who_is_connected_stays() {
    let (authority, other) = (Authority::with_server(), Authority::with_server());
    let server = serving(&authority, "server", &["--speed", "200"]);
    let mut before =
        Raw::connect(server.address()).await.encrypt(&authority.client()).await.upgrade("").await;
    let [certificate, key] = pair(&other, "server");
    authority.replace("server", &certificate, &key);
    let flag = ["--cacert", &other.file("ca.pem")];
    let trigger = async || {
        tokio::time::sleep(ms(50)).await;
        server.incident(&[&["trigger", "database-outage", "--no-wait"], &flag[..]].concat()).run().status
    };
    soon("the new certificate", async { while trigger().await != Some(0) {} }).await;
    assert!(before.text().await.contains("stream_opened"));
    assert!(before.text().await.contains("incident_started"), "it goes on with what it has");
}

/// Coming back would never help: the watcher leaves instead of trying for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_whose_server_is_not_believed_any_more_leaves_and_says_why() {
    let (authority, other) = (Authority::with_server(), Authority::with_server());
    let server = serving(&authority, "server", &[]);
    let proxy = Proxy::to(server.address()).await;
    let (url, ca) = (format!("wss://{}/ws", proxy.address), authority.file("ca.pem"));
    let mut watch = incident(&["watch", "--url", &url, "--cacert", &ca]).spawn();
    let trigger = server.incident(&["trigger", "database-outage", "--no-wait", "--cacert", &ca]).run();
    assert_eq!(trigger.status, Some(0), "{}", trigger.stderr);
    let lines = watch.lines();
    lines.recv_timeout(PATIENCE).expect("an event");
    // A cut alone is no reason to leave.
    proxy.cut();
    watch.says("connection lost");
    watch.says("── reconnected");
    let [certificate, key] = pair(&other, "server");
    authority.replace("server", &certificate, &key);
    let shown = async {
        let probe = ["report", "x-aaaaa", "--cacert", &other.file("ca.pem")];
        while server.incident(&probe).run().status != Some(2) {
            tokio::time::sleep(ms(50)).await;
        }
    };
    soon("the new certificate", shown).await;
    proxy.cut();
    let ran = watch.end();
    assert_eq!(ran.status, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("no authority in") && ran.stderr.contains("--cacert FILE"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_reads_both_files_and_what_is_wrong_with_them_changes_nothing() {
    let (authority, other) = (Authority::with_server(), Authority::with_server());
    let flags = authority.flags("server");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut server = incident(&[&["serve", "--port", "0", "-vv"], &flags[..]].concat()).spawn();
    let socket = server.says("WebSocket");
    let url = socket.split_whitespace().last().unwrap().to_owned();
    server.says("Ready in");
    let believed = |authority: &Authority| {
        let ca = authority.file("ca.pem");
        let args = ["trigger", "database-outage", "--no-wait", "--url", &url, "--cacert", &ca];
        incident(&args).run().status == Some(0)
    };
    assert!(believed(&authority));
    let ([certificate, key], [_, old_key]) = (pair(&other, "server"), pair(&authority, "server"));

    authority.replace("server", &certificate, &old_key);
    server.signal("HUP");
    let said = server.says("the previous certificate stays");
    assert!(said.contains("is not that of the certificate in"), "{said}");
    assert!(believed(&authority) && !believed(&other));

    fs::remove_file(authority.folder().join("server.key")).unwrap();
    server.signal("HUP");
    let said = server.says("the previous certificate stays");
    assert!(said.contains("server.key cannot be read"), "{said}");
    assert!(believed(&authority));

    authority.replace("server", &certificate, &key);
    server.signal("HUP");
    server.says("was read again");
    assert!(believed(&other) && !believed(&authority));
    server.signal("TERM");
    let ran = server.end();
    assert_eq!(ran.status, Some(0));
    // Handshakes that fail are a part of it.
    for text in [key, old_key] {
        for line in text.lines().filter(|line| !line.starts_with('-')) {
            assert!(!ran.stderr.contains(line), "a key is in\n{}", ran.stderr);
        }
    }
}
