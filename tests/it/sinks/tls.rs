//! Alertmanagers that speak TLS: those whose authority is named get alerts, and no others.

use super::fake::{Fake, scenario};
use crate::harness::{Numbers, Scratch, Serving, incident};
use crate::tls::Authority;

#[tokio::test]
async fn a_sink_trusts_the_authority_that_its_file_names() {
    let (own, other) = (Authority::with_server(), Authority::with_server());
    let (trusted, stranger) = (Fake::with_tls(own.server()).await, Fake::with_tls(other.server()).await);
    let (_scenarios, drill) = scenario();
    let ca = own.file("ca.pem");
    let sink = |name: &str, fake: &Fake| {
        format!(
            "[[sink]]\nname = \"{name}\"\nkind = \"alertmanager\"\nurl = \"{}\"\nca_file = {ca:?}\n",
            fake.url()
        )
    };
    let folder = Scratch::new().with("sinks.toml", &(sink("own", &trusted) + &sink("other", &stranger)));
    let file = folder.path().join("sinks.toml");
    let args = [
        "--journal",
        "memory",
        "--scenarios",
        &drill,
        "--trigger",
        "drill",
        "--sinks",
        file.to_str().unwrap(),
    ];
    let server = Serving::alone(&[&["serve", "--port", "0", "--json", "--quiet"][..], &args].concat());
    trusted.until_firing("Old").await;
    let refused = "incident_sink_posts_total{result=\"refused\",sink=\"other\"}";
    Numbers::until(server.address(), refused, 1.0).await;
    assert_eq!(stranger.tries(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_trusts_the_authorities_that_it_is_given() {
    let authority = Authority::with_server();
    let fake = Fake::with_tls(authority.server()).await;
    let (_scenarios, drill) = scenario();
    let server = Serving::alone(&[
        "serve",
        "--port",
        "0",
        "--json",
        "--quiet",
        "--journal",
        "memory",
        "--scenarios",
        &drill,
    ]);
    let run = || {
        incident(&["trigger", "drill", "--speed", "40", "--alerts-to", &fake.url(), "--url", server.url()])
    };
    let distrusted = run().run();
    assert_eq!(distrusted.status, Some(3), "{distrusted:?}");
    assert!(distrusted.stderr.contains("nothing was started: the certificate of"), "{}", distrusted.stderr);
    assert!(distrusted.stderr.contains("--cacert FILE"), "what to do about it: {}", distrusted.stderr);
    let ran = run().env("INCIDENT_CACERT", &authority.file("ca.pem")).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(fake.told("Errors").is_some());
}

/// The server itself needs no certificate for that.
#[tokio::test(flavor = "multi_thread")]
async fn the_flag_is_for_alertmanagers_too() {
    let authority = Authority::with_server();
    let fake = Fake::with_tls(authority.server()).await;
    let (_scenarios, drill) = scenario();
    let args = ["serve", "--port", "0", "--json", "--quiet", "--journal", "memory", "--scenarios", &drill];
    let server = Serving::alone(&args);
    let ca = authority.file("ca.pem");
    let running = server.incident(&["trigger", "drill", "--alerts-to", &fake.url(), "--cacert", &ca]).spawn();
    fake.until_firing("Old").await;
    running.signal("INT");
    let ran = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let told = ran.stderr.contains("Watch it: incident watch") && !ran.stderr.contains("--cacert");
    assert!(told, "a command for this server, which would refuse the flag: {}", ran.stderr);
    let plain = Fake::start().await;
    let ran = server.incident(&["trigger", "drill", "--alerts-to", &plain.url(), "--cacert", &ca]).run();
    assert_eq!(ran.status, Some(2), "nobody speaks TLS: {ran:?}");
}

/// A pipe can be read only once, and is for the server and for the Alertmanager.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn certificates_from_a_pipe_are_for_all() {
    let authority = Authority::with_server();
    let fake = Fake::with_tls(authority.server()).await;
    let (_scenarios, drill) = scenario();
    let flags = authority.flags("server");
    let args = [
        "serve",
        "--port",
        "0",
        "--json",
        "--quiet",
        "--journal",
        "memory",
        "--speed",
        "1000",
        "--scenarios",
        &drill,
    ];
    let server =
        Serving::alone(&args.into_iter().chain(flags.iter().map(String::as_str)).collect::<Vec<_>>());
    let url = server.url().to_owned();
    let run =
        incident(&["trigger", "drill", "--url", &url, "--alerts-to", &fake.url(), "--cacert", "/dev/stdin"]);
    let pem = std::fs::read_to_string(authority.file("ca.pem")).unwrap();
    let ran = tokio::task::spawn_blocking(move || {
        let (running, mut stdin) = run.fed();
        std::io::Write::write_all(&mut stdin, pem.as_bytes()).unwrap();
        drop(stdin);
        running.end()
    });
    let ran = ran.await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

/// A company's bundle has the authorities of the system, too.
#[tokio::test]
async fn a_sink_may_name_a_large_bundle_and_its_changes_are_seen() {
    let (own, other) = (Authority::with_server(), Authority::with_server());
    let fake = Fake::with_tls(own.server()).await;
    let (_scenarios, drill) = scenario();
    let bundle = |authority: &Authority| {
        let comments = "# an authority of somebody else\n".repeat(10_000);
        comments + &std::fs::read_to_string(authority.file("ca.pem")).unwrap()
    };
    let sink = format!(
        "[[sink]]\nname = \"a\"\nkind = \"alertmanager\"\nurl = \"{}\"\nca_file = \"ca.pem\"\n",
        fake.url()
    );
    let folder = Scratch::new().with("sinks.toml", &sink).with("ca.pem", &bundle(&other));
    let file = folder.path().join("sinks.toml");
    let args = ["--scenarios", &drill, "--trigger", "drill", "--sinks", file.to_str().unwrap()];
    let server = Serving::alone(
        &[&["serve", "--port", "0", "--json", "--quiet", "--journal", "memory"], &args[..]].concat(),
    );
    let refused = "incident_sink_posts_total{result=\"refused\",sink=\"a\"}";
    Numbers::until(server.address(), refused, 1.0).await;
    std::fs::write(folder.path().join("ca.pem"), bundle(&own)).unwrap();
    fake.until_firing("Old").await;
}
