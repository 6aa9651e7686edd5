//! `/problems/NAME`: the `type` of every problem leads to what it means, wherever the server is published.

use incident::ingest::Kind;
use incident::journal::Retention;
use incident::server::Options;
use incident::token::Scope;

use super::{action, post, refusal};
use crate::harness::{Http, Local, WRITE, get, options, tokens};

/// Also for those who may not read: a publisher is told what its mistake means.
#[tokio::test]
async fn every_type_leads_to_its_description_without_a_token() {
    let server = Local::closed().await;
    assert!(Kind::ALL.len() >= 20);
    for kind in Kind::ALL {
        let page = get(server.address, kind.uri()).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, "text/plain; charset=utf-8"),
            "{kind:?}"
        );
        for part in [kind.title(), kind.advice(), kind.uri(), &kind.status().to_string()] {
            assert!(page.body.contains(part), "{part:?} is not in {}", page.body);
        }
    }
    let unknown = get(server.address, "/problems/nothing").await.problem(404);
    for kind in Kind::ALL {
        assert!(unknown.contains(kind.name()), "{unknown}");
    }
    Http::new(server.address, "POST", "/problems/schema").send().await.problem(405);
}

/// The type is the same everywhere; the link leads to it through the proxy.
#[tokio::test]
async fn a_refusal_links_to_its_description_below_the_base_path() {
    let known = tokens(&[(Scope::Write, WRITE)]);
    let options = Options { base_path: "/a/incident".parse().unwrap(), tokens: known, ..options() };
    let server = Local::with(Options { allow_forwarded_prefix: true, ..options }, Retention::default()).await;
    let body = action("a", "1", "too early").to_string();
    for (prefix, base) in [(None, "/a/incident"), (Some("/other"), "/other")] {
        let mut request = post(server.address, "application/cloudevents+json", &body).bearer(WRITE);
        if let Some(prefix) = prefix {
            request = request.header("X-Forwarded-Prefix", prefix);
        }
        let refused = request.send().await;
        assert_eq!((refused.status, refusal(&refused).0.as_str()), (422, "lifecycle"), "{}", refused.body);
        assert_eq!(refused.header("link"), format!("<{base}/problems/lifecycle>; rel=\"help\""));
    }
    for path in ["/a/incident/problems/lifecycle", "/problems/lifecycle"] {
        assert_eq!(get(server.address, path).await.status, 200, "{path}");
    }
}
