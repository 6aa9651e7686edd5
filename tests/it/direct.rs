//! Proxies of the environment: they are not used, and every command says so where it matters.

use crate::harness::{Serving, incident};

const VARIABLES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// What talks to a server, with this URL.
fn commands(url: &str) -> [Vec<&str>; 6] {
    [
        vec!["trigger", "database-outage", "--url", url],
        vec!["watch", "--no-follow", "--url", url],
        vec!["watch", "--incident", "database-outage-x7k2p", "--url", url],
        vec!["report", "database-outage-x7k2p", "--url", url],
        vec!["validate", "--for", "100ms", "--url", url],
        vec!["health", "--url", url],
    ]
}

#[test]
fn help_says_that_connections_are_direct() {
    for command in ["trigger", "watch", "report", "validate", "health"] {
        let help = incident(&[command, "--help"]).run().stdout;
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are not used"),
            "{command}: {help}"
        );
    }
}

/// Nothing listens on port 1 of this machine, and its name does not say that it is this one.
#[test]
fn a_failure_says_that_the_proxy_was_not_used() {
    for (variable, url) in VARIABLES.into_iter().zip(["ws://0.0.0.0:1/ws", "wss://0.0.0.0:1/ws"].repeat(3)) {
        for command in commands(url) {
            let ran = incident(&command).env(variable, "http://proxy.example:3128").run();
            assert_eq!(ran.status, Some(3), "{command:?}: {ran:?}");
            assert!(ran.stderr.contains(&format!("{variable} is set")), "{command:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("directly"), "{command:?}: {}", ran.stderr);
        }
    }
    for (variable, value, url) in [
        ("HTTP_PROXY", "", "ws://0.0.0.0:1/ws"),
        ("NO_PROXY", "*", "ws://0.0.0.0:1/ws"),
        ("HTTP_PROXY", "http://proxy.example:3128", "ws://127.0.0.1:1/ws"),
    ] {
        for command in commands(url) {
            let ran = incident(&command).env(variable, value).run();
            assert!(!ran.stderr.contains("directly"), "{variable}={value} {command:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_server_is_reached_whatever_the_environment_says() {
    let server = Serving::with(&["--speed", "1000"]);
    for variable in VARIABLES {
        let run = server.incident(&["trigger", "database-outage"]).env(variable, "http://127.0.0.1:1").run();
        assert_eq!(run.status, Some(0), "{variable}: {}", run.stderr);
    }
}
