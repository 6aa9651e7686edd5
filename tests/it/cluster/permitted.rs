//! A nats-server that does not permit what the guide lists: the subject and the permission that is missing are named, not
//! a server that does not answer.

use std::fs;

use super::secured::{SEED, configuration};
use crate::harness::nats::NatsServer;
use crate::harness::{Scratch, Serving, get, incident, ms, soon};
use crate::tls::Authority;

/// A server whose configuration lacks a permission of the guide, and the location of its stream.
fn without(permission: &str) -> (NatsServer, Authority, Scratch, String) {
    let (authority, secrets) = (Authority::with_server(), Scratch::new());
    let whole = configuration(&authority);
    let quoted = format!("\"{permission}\"");
    assert_eq!(whole.matches(&quoted).count(), 1, "{permission}");
    let lacking = whole.replace(&format!("{quoted}, "), "").replace(&quoted, "\"nothing\"");
    let nats = NatsServer::configured(&lacking);
    let seed = secrets.path().join("nats.seed");
    fs::write(&seed, SEED).unwrap();
    let (port, seed, ca) = (nats.port, seed.display(), authority.folder().join("ca.pem"));
    let ca = ca.display();
    let location =
        format!("tls://127.0.0.1:{port}?stream=incident&create=1&durability=always&ca={ca}&nkey={seed}");
    (nats, authority, secrets, location)
}

#[test]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
fn a_permission_without_which_no_server_starts_is_named() {
    for (permission, subject) in [
        ("$JS.API.STREAM.*.incident", "$JS.API.STREAM.INFO.incident"),
        ("$JS.API.STREAM.*.incident_ctl", "$JS.API.STREAM.INFO.incident_ctl"),
        ("$JS.API.STREAM.MSG.GET.incident_ctl", "$JS.API.STREAM.MSG.GET.incident_ctl"),
        ("$JS.API.DIRECT.GET.incident_ctl", "$JS.API.DIRECT.GET.incident_ctl"),
        ("_INBOX.>", "_INBOX."),
    ] {
        let (_nats, _authority, _secrets, location) = without(permission);
        let ran = incident(&["serve", "--port", "0", "--journal", &location]).run();
        let said: String = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&format!(" of {subject}")), "{permission}: {said}");
        assert!(said.contains(&format!("add {permission} to what the user may")), "{permission}: {said}");
        assert!(!said.contains("not answered in time"), "{said}");
    }
}

/// A server starts, and can't take the lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_permission_without_which_nothing_is_stored_is_named_by_readyz() {
    let (_nats, _authority, _secrets, location) = without("incident.incident.>");
    let server = Serving::with(&["--journal", &location]);
    soon("the reason", async {
        loop {
            let reply = get(server.address(), "/readyz").await;
            if reply.status == 503
                && reply.body.contains("add incident.incident.> to what the user may publish")
            {
                return;
            }
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
}
