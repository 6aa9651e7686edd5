//! A nats-server as the guide sets it up: encrypted, with a key for the only user, who may do no more than is needed.

use std::fs;

use crate::harness::nats::NatsServer;
use crate::harness::{Scratch, Serving, incident, root};
use crate::tls::Authority;

/// The secret half of the key that the guide shows.
pub const SEED: &str = "SUAJFCUQUH5TRZ7JSBB7JYJAF5EIH45DMHNXYVSV3MDWFVFNO5PB2ICTZQ";

/// The configuration in the guide, for a server alone on this machine.
pub fn configuration(authority: &Authority) -> String {
    let guide = fs::read_to_string(root().join("docs/cluster.md")).unwrap();
    let shown =
        guide.split("```\n").find(|block| block.starts_with("server_name:")).expect("a configuration");
    let (before, rest) = shown.split_once("cluster {\n").unwrap();
    let (_, after) = rest.split_once("\n}\n").unwrap();
    let folder = authority.folder().display().to_string();
    format!("{before}{after}")
        .replace("0.0.0.0:4222", "127.0.0.1:-1")
        .replace("/var/lib/nats", "STORE")
        .replace("/etc/nats", &folder)
}

#[test]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
fn the_configuration_of_the_guide_lets_servers_in_and_nobody_else() {
    let (authority, secrets) = (Authority::with_server(), Scratch::new());
    let nats = NatsServer::configured(&configuration(&authority));
    let seed = secrets.path().join("nats.seed");
    fs::write(&seed, SEED).unwrap();
    let (seed, ca) = (seed.display(), authority.folder().join("ca.pem"));
    let at = |stream: &str, login: &str| {
        let (port, ca) = (nats.port, ca.display());
        format!("tls://127.0.0.1:{port}?stream={stream}&create=1&durability=always&ca={ca}{login}")
    };
    let location = at("incident", &format!("&nkey={seed}"));
    let server = Serving::with(&["--journal", &location]);
    let played = server.incident(&["trigger", "database-outage", "--speed", "100"]).run();
    assert_eq!(played.status, Some(0), "{played:?}");
    drop(server);
    let checked = incident(&["check-journal", &location]).run();
    assert_eq!(checked.status, Some(0), "{checked:?}");

    // Another stream, no key, another authority.
    let strange = Authority::new();
    let strange = strange.folder().join("ca.pem");
    let refused = [
        at("other", &format!("&nkey={seed}")),
        at("incident", ""),
        location.replace(&ca.display().to_string(), &strange.display().to_string()),
    ];
    for location in refused {
        let ran = incident(&["serve", "--port", "0", "--journal", &location]).run();
        assert!(!matches!(ran.status, Some(0) | None), "{location}: {ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("try: ") && !said.contains(SEED), "{location}: {said}");
        println!("{said}");
    }
}
