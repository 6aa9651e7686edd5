//! `X-Forwarded-Prefix` of proxies that have removed a path which begins as one of the server itself does.

use incident::server::Options;

use crate::harness::{Http, WRITE, options};
use crate::prefix::{BODY, below, log_in, start};

fn tokens_alone() -> Options {
    Options { tokens: below("/x").tokens, ..options() }
}

/// The proxy has removed it, and it is looked for in no path: there is nothing to confuse.
#[tokio::test]
async fn a_forwarded_prefix_may_begin_as_a_path_of_the_server() {
    for own in ["", "/incident"] {
        let own = if own.is_empty() { tokens_alone() } else { below(own) };
        let server = start(Options { allow_forwarded_prefix: true, ..own }).await;
        let login = log_in(&server, "/login", &[("X-Forwarded-Prefix", "/api")]).await;
        assert!(login.header("set-cookie").contains("; Path=/api/;"), "{login:?}");
        let started = Http::trigger(server.address, BODY).bearer(WRITE).header("X-Forwarded-Prefix", "/api");
        let started = started.send().await;
        let location = started.header("location").strip_prefix("/api").unwrap();
        let asked = Http::new(server.address, "GET", location).header("Cookie", login.cookie());
        assert_eq!(asked.header("X-Forwarded-Prefix", "/api").send().await.status, 200, "{location}");
    }
}
