//! What is wrong with a server's certificate or key is told before it listens.

use std::fs;

use super::Authority;
use crate::harness::{Serving, incident};

const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
const ENCRYPTED_BEFORE: &str = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
    DEK-Info: AES-256-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n";
const NO_KEY: &str = "-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----\n";
const NO_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n";

#[test]
fn each_mistake_says_which_file_and_what_to_do() {
    let authority = Authority::with_server();
    authority.issues("other", &["127.0.0.1"]);
    for (name, text) in [
        ("encrypted.key", ENCRYPTED),
        ("before.key", ENCRYPTED_BEFORE),
        ("none.key", NO_KEY),
        ("none.pem", NO_CERTIFICATE),
        ("empty.pem", ""),
        ("text.pem", "no certificate at all\n"),
    ] {
        fs::write(authority.folder().join(name), text).unwrap();
    }
    fs::write(authority.folder().join("der.pem"), [0x30, 0x82, 0x01, 0xff]).unwrap();
    fs::write(authority.folder().join("long.pem"), "x".repeat(100_000)).unwrap();
    for (certificate, key, names, says) in [
        ("missing.pem", "server.key", "missing.pem", "no such file"),
        ("server.pem", "missing.key", "missing.key", "no such file"),
        (".", "server.key", ".", "directory"),
        ("long.pem", "server.key", "long.pem", "65536"),
        ("empty.pem", "server.key", "empty.pem", "has no certificate in PEM"),
        ("text.pem", "server.key", "text.pem", "has no certificate in PEM"),
        ("der.pem", "server.key", "der.pem", "openssl x509"),
        ("server.key", "server.pem", "server.key", "has no certificate in PEM"),
        ("server.pem", "server.pem", "server.pem", "has no private key in PEM"),
        ("server.pem", "text.pem", "text.pem", "openssl pkey"),
        ("server.pem", "encrypted.key", "encrypted.key", "is encrypted"),
        ("server.pem", "before.key", "before.key", "openssl pkey -in"),
        ("server.pem", "other.key", "other.key", "is not that of the certificate in"),
        ("server.pem", "none.key", "none.key", "can't be used"),
        ("none.pem", "server.key", "none.pem", "can't be used"),
    ] {
        let (certificate, key) = (authority.file(certificate), authority.file(key));
        let flags = ["serve", "--port", "0", "--tls-cert", &certificate, "--tls-key", &key];
        let ran = incident(&flags).run();
        assert_eq!(ran.status, Some(2), "{names}: {}", ran.stderr);
        let told = ran.stderr.contains(&authority.file(names)) && ran.stderr.contains(says);
        assert!(told, "{says}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    for flag in ["--tls-cert", "--tls-key"] {
        let ran = incident(&["serve", "--port", "0", flag, &authority.file("server.pem")]).run();
        assert_eq!(ran.status, Some(2), "one without the other: {}", ran.stderr);
    }
}

/// A mark before `-----BEGIN` hides the line, and with it the certificate or the key, from readers of PEM: also in the middle, where
/// files were put together.
#[test]
fn byte_order_marks_are_passed_over_and_other_encodings_are_told() {
    let authority = Authority::with_server();
    authority.issues("other", &["127.0.0.1"]);
    let read = |name: &str| fs::read_to_string(authority.folder().join(name)).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(authority.folder().join(name), bytes).unwrap();
        authority.file(name)
    };
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let certificate = write("marked.pem", &marked(&read("server.pem")));
    let key = write("marked.key", &marked(&read("server.key")));
    // The second of the two is the one that is needed.
    let both = write("both.pem", &[read("other.pem").into_bytes(), marked(&read("ca.pem"))].concat());
    let server = Serving::with(&["--tls-cert", &certificate, "--tls-key", &key]);
    let ran = server.incident(&["list", "--running", "--cacert", &both]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let certificate = write("utf16.pem", &utf16(&read("server.pem")));
    let ran = server.incident(&["list", "--running", "--cacert", &certificate]).run();
    assert!(ran.status == Some(2) && ran.stderr.contains("utf16.pem can't be read: it is UTF-16"), "{ran:?}");
    let flags = ["serve", "--port", "0", "--tls-cert", &certificate, "--tls-key", &key];
    let ran = incident(&flags).run();
    assert!(ran.status == Some(2) && ran.stderr.contains("utf16.pem can't be read: it is UTF-16"), "{ran:?}");
}
