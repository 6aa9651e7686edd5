//! The examples of `docs/proxies.md` for several servers, as they stand there: while two servers are started anew one after the
//! other, no request fails.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::harness::nats::NatsServer;
use crate::harness::ports::free_ports;
use crate::harness::{Http, Reply, Serving, get, soon};
use crate::proxies::{Proxied, caddy, example, haproxy, nginx};
use crate::publish::{action, started};

/// Two servers over one stream, each with a port of its own.
struct Pair {
    location: String,
    ports: Vec<u16>,
}

impl Pair {
    fn new() -> Self {
        let location = NatsServer::shared().location(&NatsServer::fresh_name()).display().to_string();
        Self { location, ports: free_ports(2) }
    }

    fn serve(&self, place: usize) -> Serving {
        let port = self.ports[place].to_string();
        let fixed = ["serve", "--json", "--quiet", "--base-path", "/incident", "--allow-forwarded-prefix"];
        Serving::again(&[&fixed[..], &["--port", &port, "--journal", &self.location]].concat())
    }

    /// A configuration with the second server in it; the first one is put in when the proxy is run.
    fn named(&self, config: &str) -> String {
        assert!(config.contains("127.0.0.1:7912"), "{config}");
        config.replace("127.0.0.1:7912", &format!("127.0.0.1:{}", self.ports[1]))
    }
}

/// Asks through the proxy, as a reader and as a publisher.
struct Asking<'a> {
    proxy: &'a Proxied,
    events: u32,
}

impl Asking<'_> {
    async fn both(&mut self) {
        let read = get(self.proxy.address, "/incident/api/incidents").await;
        assert_eq!(read.status, 200, "{}", read.body);
        self.events += 1;
        let event = action("a", &self.events.to_string(), "looks");
        loop {
            let sent = publish(self.proxy.address, &event).await;
            // What a server says while it stops, to whom it was sent: the same may be sent again.
            if sent.status == 503 && sent.body.contains("/problems/shutting-down") {
                continue;
            }
            return assert_eq!(sent.status, 200, "event {}: {}", self.events, sent.body);
        }
    }

    /// Goes on asking while something is done.
    async fn during<T: Send + 'static>(&mut self, what: impl FnOnce() -> T + Send + 'static) -> T {
        let done = tokio::task::spawn_blocking(what);
        while !done.is_finished() {
            self.both().await;
        }
        done.await.unwrap()
    }

    /// Goes on asking until the proxy sends requests to both servers: to the one that plays, and to the other one.
    async fn until_both_are_seen(&mut self) {
        let mut seen = std::collections::BTreeSet::new();
        let seeing = async {
            while seen.len() < 2 {
                self.both().await;
                let ready = get(self.proxy.address, "/incident/readyz").await;
                if ready.status == 200 {
                    seen.insert(ready.body);
                }
            }
        };
        soon("requests to both servers", seeing).await;
    }
}

async fn publish(address: SocketAddr, event: &Value) -> Reply {
    let request = Http::new(address, "POST", "/incident/api/events")
        .header("Content-Type", "application/cloudevents-batch+json");
    request.body(&json!([event]).to_string()).send().await
}

fn stop(server: Serving) {
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
}

/// `checks`: whether the proxy asks the servers by itself whether they are ready.
async fn nothing_fails(pair: Pair, checks: bool, run: impl FnOnce(&Pair, &Serving) -> Proxied) {
    let (first, second) = (pair.serve(0), pair.serve(1));
    let proxy = run(&pair, &first);
    soon("the proxy to reach a server", async {
        while !get(proxy.address, "/incident/readyz").await.body.starts_with("ready: ") {}
    })
    .await;
    assert_eq!(publish(first.address(), &started("a", "1")).await.status, 200);
    // What the proxy does not set, nobody else does.
    let forged = Http::new(proxy.address, "POST", "/incident/api/incidents")
        .header("Content-Type", "application/json")
        .header("X-Forwarded-Prefix", "/evil")
        .body(r#"{"scenario":"database-outage","speed":1000}"#);
    let forged = forged.send().await;
    assert_eq!((forged.status, &forged.header("location")[..14]), (202, "/incident/api/"), "{forged:?}");
    let mut asking = Asking { proxy: &proxy, events: 1 };
    asking.until_both_are_seen().await;
    let first = asking
        .during(move || {
            stop(first);
            pair.serve(0)
        })
        .await;
    if checks {
        asking.until_both_are_seen().await;
    }
    asking.during(move || stop(second)).await;
    for _ in 0..10 {
        asking.both().await;
    }
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server and nginx: ./tests/run installs them and runs this"]
async fn nginx_before_two_servers_loses_no_request_while_they_are_started_anew() {
    nothing_fails(Pair::new(), false, |pair, first| {
        let several = pair.named(&example("nginx-several"));
        let (upstream, location) = several.split_once("# … and in the location:\n").unwrap();
        let one = example("nginx");
        let config = one.replace("proxy_pass http://127.0.0.1:7911;\n", location);
        assert_ne!(config, one);
        nginx(first.address(), &format!("{upstream}{config}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server and HAProxy: ./tests/run installs them and runs this"]
async fn haproxy_before_two_servers_loses_no_request_while_they_are_started_anew() {
    nothing_fails(Pair::new(), true, |pair, first| {
        let one = example("haproxy");
        let (front, _) = one.split_once("backend incident\n").unwrap();
        haproxy(first.address(), &format!("{front}{}", pair.named(&example("haproxy-several"))))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server and Caddy: ./tests/run installs them and runs this"]
async fn caddy_before_two_servers_loses_no_request_while_they_are_started_anew() {
    nothing_fails(Pair::new(), true, |pair, first| {
        let several = pair.named(&example("caddy-several"));
        caddy(first.address(), &format!("http://127.0.0.1:8080 {{\n{several}}}\n"))
    })
    .await;
}
