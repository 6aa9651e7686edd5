//! Servers that can't prove who they are, and what a command says to that.

use super::{Authority, serving};
use crate::harness::{Ran, Serving, incident};

/// Every command, at this server and with these further flags, fails to connect and says all of this.
fn refused(server: &Serving, flags: &[&str], says: &[&str]) {
    for command in [
        &["watch"][..],
        &["watch", "--incident", "x-aaaaa"],
        &["trigger", "database-outage"],
        &["report", "x-aaaaa"],
        &["validate", "--for", "100ms"],
    ] {
        says_all(&server.incident(&[command, flags].concat()).run(), says);
    }
}

fn says_all(ran: &Ran, says: &[&str]) {
    assert_eq!(ran.status, Some(3), "{ran:?}");
    for piece in says {
        assert!(ran.stderr.contains(piece), "{piece:?} is not in\n{}", ran.stderr);
    }
}

#[test]
fn an_authority_that_nobody_knows() {
    let authority = Authority::with_server();
    let server = serving(&authority, "server", &[]);
    let says = ["the certificate of ", "this system does not know the authority", "--cacert FILE"];
    refused(&server, &[], &says);
    // Another one of the same name.
    let other = Authority::new();
    let flags = ["--cacert", &other.file("ca.pem")];
    refused(&server, &flags, &["no authority in ", "ca.pem has issued it", "--cacert FILE"]);
}

#[test]
fn a_certificate_for_somebody_else() {
    let authority = Authority::new();
    let ca = authority.file("ca.pem");
    authority.issues("server", &["incidents.example", "192.0.2.7"]);
    let server = serving(&authority, "server", &[]);
    let says = [
        "it is for incidents.example, 192.0.2.7, not for 127.0.0.1",
        "use a host name in --url that the certificate has",
    ];
    refused(&server, &["--cacert", &ca], &says);
    // One that is in the file itself is not good for every name either.
    authority.signs_itself("own", &["incidents.example"], false);
    let server = serving(&authority, "own", &[]);
    refused(&server, &["--cacert", &authority.file("own.pem")], &["it is for incidents.example, not for"]);
}

#[test]
fn a_certificate_whose_time_is_over_or_has_not_come() {
    let authority = Authority::new();
    let ca = authority.file("ca.pem");
    authority.issues_expired("old");
    let server = serving(&authority, "old", &[]);
    refused(
        &server,
        &["--cacert", &ca],
        &["it expired 2021-01-01T00:00:00Z", "renew the certificate on the server"],
    );
    authority.issues_early("new");
    let server = serving(&authority, "new", &[]);
    refused(&server, &["--cacert", &ca], &["it is not valid before 2100-01-01T00:00:00Z", "clocks"]);
    authority.signs_itself("own", &["127.0.0.1"], true);
    let server = serving(&authority, "own", &[]);
    refused(&server, &["--cacert", &authority.file("own.pem")], &["it expired 2021-01-01T00:00:00Z"]);
}

#[test]
fn a_certificate_that_signed_itself_is_believed_by_whoever_names_it() {
    let authority = Authority::new();
    authority.signs_itself("own", &["127.0.0.1"], false);
    authority.signs_itself("other", &["127.0.0.1"], false);
    let server = serving(&authority, "own", &[]);
    let trigger = |file: &str| {
        let file = authority.file(file);
        server.incident(&["trigger", "database-outage", "--no-wait", "--cacert", &file]).run()
    };
    let ran = trigger("own.pem");
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    for other in ["other.pem", "ca.pem"] {
        says_all(&trigger(other), &["no authority in ", other, "the server's own: --cacert FILE"]);
    }
    let nothing = server.incident(&["watch"]).env("SSL_CERT_FILE", &authority.file("ca.pem")).run();
    says_all(&nothing, &["this system does not know the authority", "the server's own: --cacert FILE"]);
    // Several in one file.
    let both = [authority.file("ca.pem"), authority.file("own.pem")];
    let both = both.map(|file| std::fs::read_to_string(file).unwrap()).concat();
    std::fs::write(authority.folder().join("both.pem"), both).unwrap();
    let ran = trigger("both.pem");
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
}

#[test]
fn a_file_that_has_no_authority_is_told_before_anybody_is_asked() {
    let authority = Authority::with_server();
    let folder = authority.folder();
    std::fs::write(folder.join("empty.pem"), "").unwrap();
    std::fs::write(folder.join("der.pem"), [0x30, 0x82, 0x01, 0xff]).unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n";
    std::fs::write(folder.join("broken.pem"), broken).unwrap();
    std::fs::write(folder.join("cut.pem"), "-----BEGIN CERTIFICATE-----\nMIIB").unwrap();
    for (name, says) in [
        ("missing.pem", "no such file"),
        (".", "directory"),
        ("empty.pem", "has no certificate in PEM"),
        ("server.key", "has no certificate in PEM"),
        ("der.pem", "has no certificate in PEM"),
        ("broken.pem", "can't be used"),
        ("cut.pem", "cut.pem"),
    ] {
        let file = authority.file(name);
        for command in [&["watch"][..], &["trigger", "x"], &["report", "x-aaaaa"], &["validate"]] {
            let flags = ["--url", "wss://192.0.2.1:1/ws", "--cacert", &file];
            let ran = incident(&[command, &flags].concat()).run();
            assert_eq!(ran.status, Some(2), "{command:?} {name}: {}", ran.stderr);
            let whole =
                ran.stderr.contains(says) && ran.stderr.contains(&file) && ran.stderr.contains("try:");
            assert!(whole, "{command:?} {name}: {}", ran.stderr);
        }
    }
}

#[test]
fn the_flag_is_for_servers_with_tls() {
    let authority = Authority::new();
    let flag = ["--cacert", &authority.file("ca.pem")];
    for command in [&["watch"][..], &["trigger", "x"], &["validate", "--url", "ws://127.0.0.1:1/ws"]] {
        let ran = incident(&[command, &flag].concat()).run();
        assert_eq!(ran.status, Some(2), "{}", ran.stderr);
        for said in ["is not encrypted", "leave out --cacert", "wss://"] {
            assert!(ran.stderr.contains(said), "{}", ran.stderr);
        }
    }
    let ran = incident(&[&["validate"][..], &flag].concat()).run();
    assert!(ran.status == Some(2) && ran.stderr.contains("--url"), "{ran:?}");
    // The variable is there for whoever needs it.
    let ran = incident(&["watch", "--url", "ws://127.0.0.1:1/ws"]).env("INCIDENT_CACERT", flag[1]).run();
    assert!(ran.status == Some(3) && ran.stderr.contains("connection refused"), "{ran:?}");
}
