//! A user name, a password or a token that stands in a URL, a header or a text to send is nowhere to be read afterwards: not in
//! a mistake of the command line, not in the help, not in a report, a transcript or a command to repeat.

use crate::harness::incident;

const SECRET: &str = "s3cr3t";

/// URLs with a secret in each place that can have one.
const URLS: [&str; 11] = [
    "ws://user:s3cr3t@127.0.0.1:1/ws",
    "http://user:s3cr3t@127.0.0.1:1/",
    "HTTP://s3cr3t@127.0.0.1:1/",
    "user:s3cr3t@127.0.0.1:1",
    "ftp://user:s3cr3t@127.0.0.1/",
    "https://user:s3cr3t@hôte.example/",
    "http://user:s3cr3t@[::1/",
    "http://user:s3/cr3t#s3cr3t@127.0.0.1:1/",
    "http://user:s3cr3t@a@127.0.0.1:1/",
    "ws://127.0.0.1:1/ws?token=s3cr3t",
    "http://127.0.0.1:1/#access_token=s3cr3t",
];

/// Commands with a URL at `{}`.
const COMMANDS: [&[&str]; 20] = [
    &["watch", "--no-reconnect", "--url", "{}"],
    &["watch", "{}"],
    &["trigger", "x", "--url", "{}"],
    &["trigger", "{}"],
    &["list", "--url", "{}"],
    &["list", "--scenarios", "{}"],
    &["cancel", "x-1", "--url", "{}"],
    &["cancel", "{}"],
    &["report", "x-1", "--url", "{}"],
    &["report", "{}"],
    &["health", "--url={}"],
    &["publish", "resolved", "--subject", "a", "b", "--retry-for", "100ms", "--url", "{}"],
    &["publish", "{}"],
    &["validate", "--for", "1s", "--url", "{}"],
    &["validate", "--for", "1s", "--profile", "plain", "--url", "{}"],
    &["validate", "--for", "1s", "--sse", "{}"],
    &["validate", "{}"],
    &["show", "{}"],
    &["serve", "--port", "0", "--allow-origin", "{}"],
    &["{}"],
];

fn hides(args: &[&str], variable: Option<&str>) {
    let run = incident(args);
    let run = if let Some(url) = variable { run.env("INCIDENT_URL", url) } else { run };
    let ran = run.run();
    let both = ran.stdout + &ran.stderr;
    assert!(!both.contains(SECRET) && !both.is_empty(), "{args:?} {variable:?}:\n{both}");
}

#[test]
fn no_message_repeats_a_secret_of_a_url() {
    for url in URLS {
        for args in COMMANDS {
            // Without a scheme it is the name of a file, but for --url.
            if !url.contains("://") && !args.iter().any(|arg| ["--url", "--sse", "--url={}"].contains(arg)) {
                continue;
            }
            let args: Vec<String> = args.iter().map(|arg| arg.replace("{}", url)).collect();
            hides(&args.iter().map(String::as_str).collect::<Vec<_>>(), None);
        }
        for args in [&["watch"][..], &["cancel", "x-1"], &["list", "--running"], &["watch", "--help"]] {
            hides(args, Some(url));
        }
    }
}

#[test]
fn a_url_with_a_password_is_told_what_to_send_instead() {
    let ran = incident(&["watch", "--url", "ws://user:s3cr3t@127.0.0.1:1/ws"]).run();
    assert_eq!(ran.status, Some(2));
    for part in ["ws://…@127.0.0.1:1/ws", "a user name or a password", "--token-file"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[test]
fn no_message_repeats_a_header_a_subprotocol_or_a_text_to_send() {
    let fixed = ["validate", "--url", "ws://127.0.0.1:1/", "--profile", "plain", "--for", "1s"];
    for more in [
        &["--header", "Authorization Bearer s3cr3t"][..],
        &["--header", "Authorization: s3cr3t\n"],
        &["--header", "Authoriz ation: s3cr3t"],
        &["--header", "s3cr3t"],
        &["--subprotocol", "bearer s3cr3t"],
        &["--subprotocol", "bearer.s3cr3t"],
        &["--send", "{\"token\":\"s3cr3t\"}"],
    ] {
        hides(&[&fixed[..], more].concat(), None);
    }
}
