//! Who may publish, under which sources, and how much.

use incident::journal::Retention;
use incident::server::Options;
use incident::token::{Scope, Sources};
use serde_json::Value;

use super::{places, post, publish, refusal, started};
use crate::harness::{Http, Local, READ, WRITE, options, tokens};

const PUBLISH: &str = "publ1sh-0123456789abcdef";

#[tokio::test]
async fn a_publish_token_publishes_under_its_sources_and_does_nothing_else() {
    let mut known = tokens(&[(Scope::Read, READ), (Scope::Write, WRITE)]);
    let limited =
        PUBLISH.parse::<incident::token::Token>().unwrap().limited_to(Sources::new(["/agents/*".to_owned()]));
    known.push((Scope::Publish, limited));
    let server = Local::with(Options { tokens: known, ..options() }, Retention::default()).await;
    let send = |token: &str, event: &Value| {
        post(server.address, "application/cloudevents+json", &event.to_string()).bearer(token).send()
    };
    assert_eq!(places(&send(PUBLISH, &started("a", "1")).await).len(), 1);
    assert_eq!(places(&send(WRITE, &started("b", "2")).await).len(), 1);
    send(READ, &started("c", "3")).await.problem(403);
    let mut other = started("c", "3");
    other["source"] = "/other".into();
    let refused = send(PUBLISH, &other).await;
    assert_eq!((refused.status, refusal(&refused).0.as_str()), (403, "source-not-allowed"));
    assert_eq!(places(&send(WRITE, &other).await).len(), 1, "a write token has no such limit");
    // What a receiver knows of its alerts is read from its events.
    let mut forged = started("d", "4");
    forged["source"] = "/receivers/prod".into();
    let refused = send(WRITE, &forged).await;
    assert_eq!((refused.status, refusal(&refused).0.as_str()), (403, "source-not-allowed"));
    for (method, path) in [
        ("GET", "/api/incidents"),
        ("GET", "/ws"),
        ("DELETE", "/api/incidents/a"),
        ("POST", "/api/incidents"),
    ] {
        Http::new(server.address, method, path).bearer(PUBLISH).send().await.problem(403);
    }
    let login = Http::new(server.address, "POST", "/login").header("Content-Type", "application/json");
    login.body(&format!("{{\"token\":\"{PUBLISH}\"}}")).send().await.problem(403);
}

#[tokio::test]
async fn more_than_the_rate_is_told_to_wait() {
    let server = Local::with(Options { publish_rate: 1, ..options() }, Retention::default()).await;
    let batch: Vec<_> = (0..4).map(|id| started(&format!("a{id}"), &id.to_string())).collect();
    assert_eq!(places(&publish(server.address, &batch).await).len(), 4, "the burst");
    let refused = publish(server.address, &batch).await;
    assert_eq!((refused.status, refusal(&refused).0.as_str()), (429, "rate"));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=4).contains(&wait), "as long as four events take, less what has passed: {wait}");
}

/// A request may have more events than the burst. Then its token waits for all of them.
#[tokio::test]
async fn retry_after_is_as_long_as_it_takes() {
    let server = Local::with(Options { publish_rate: 1, ..options() }, Retention::default()).await;
    let batch: Vec<_> = (0..200).map(|id| started(&format!("a{id}"), &id.to_string())).collect();
    places(&publish(server.address, &batch).await);
    let refused = publish(server.address, &batch[..1]).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((100..=197).contains(&wait), "{wait}");
}
