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
    let ran = run().env("INCIDENT_CACERT", &authority.file("ca.pem")).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(fake.told("Errors").is_some());
}
