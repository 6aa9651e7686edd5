//! An Alertmanager that takes, refuses or ignores posts as a test wants, and remembers them; and a scenario with alerts.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

use crate::harness::{Scratch, soon};

/// An alert that fires for a while, one to the end, and a decoy from before the beginning.
pub const DRILL: &str = r#"id = "drill"
title = "A drill"
severity = "SEV2"
services = ["api"]
target = "1m"
agents = { watch = "Looks" }
[[phases]]
name = "only"
at = "0s"
[metrics]
errors = { unit = "ratio", keys = { 0s = 0, 2s = 0.5, 20s = 0.5, 21s = 0 } }
[[hypotheses]]
id = "overload"
claim = "Something"
truth = true
belief = { 0s = 0.5 }
[[alerts]]
name = "Errors"
when = "errors > 0.25"
service = "api"
severity = "critical"
summary = "Calls fail"
[[alerts]]
name = "Later"
at = "30s"
service = "api"
labels = { team = "shop" }
[[alerts]]
name = "Old"
at = "-10m"
service = "db"
decoy = true
[[steps]]
id = "see"
at = "5s"
agent = "watch"
action = "seen"
summary = "It is seen"
[resolution]
at = "60s"
summary = "Over"
root_cause = "overload"
"#;

/// A folder with the scenario, and the path of its file.
pub fn scenario() -> (Scratch, String) {
    let folder = Scratch::new().with("drill.toml", DRILL);
    let path = folder.path().join("drill.toml").to_str().unwrap().to_owned();
    (folder, path)
}

/// What it does with a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    Takes,
    Answers(u16),
    Hangs,
}

/// One post that was taken.
#[derive(Debug, Clone)]
pub struct Post {
    pub alerts: Vec<Value>,
    pub authorization: String,
}

struct Inner {
    does: Mutex<Does>,
    tries: Mutex<u64>,
    posts: watch::Sender<Vec<Post>>,
}

/// It stops when it is dropped.
pub struct Fake {
    pub address: SocketAddr,
    scheme: &'static str,
    inner: Arc<Inner>,
    running: tokio::task::JoinHandle<()>,
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: String) -> StatusCode {
    *inner.tries.lock() += 1;
    let does = *inner.does.lock();
    match does {
        Does::Takes => {}
        Does::Answers(status) => return StatusCode::from_u16(status).unwrap(),
        Does::Hangs => std::future::pending().await,
    }
    let alerts: Vec<Value> = serde_json::from_str(&body).unwrap();
    // What an Alertmanager refuses.
    for alert in &alerts {
        assert!(time(alert, "endsAt") >= time(alert, "startsAt"), "{alert}");
    }
    let authorization = headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
    inner.posts.send_modify(|posts| posts.push(Post { alerts, authorization }));
    StatusCode::OK
}

/// A time of an alert.
pub fn time(alert: &Value, name: &str) -> Timestamp {
    alert[name].as_str().unwrap().parse().unwrap()
}

impl Fake {
    pub async fn start() -> Self {
        Self::listening("127.0.0.1:0".parse().unwrap(), None).await
    }

    /// One that speaks TLS.
    pub async fn with_tls(config: Arc<rustls::ServerConfig>) -> Self {
        Self::listening("127.0.0.1:0".parse().unwrap(), Some(config)).await
    }

    async fn listening(address: SocketAddr, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            does: Mutex::new(Does::Takes),
            tries: Mutex::default(),
            posts: watch::channel(Vec::new()).0,
        });
        let app = Router::new().route("/am/api/v2/alerts", post(take)).with_state(Arc::clone(&inner));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let running = tokio::spawn(serve(listener, app, tls));
        Self { address, scheme, inner, running }
    }

    pub fn url(&self) -> String {
        format!("{}://{}/am", self.scheme, self.address)
    }

    pub fn does(&self, does: Does) {
        *self.inner.does.lock() = does;
    }

    /// How many posts came, whatever became of them.
    pub fn tries(&self) -> u64 {
        *self.inner.tries.lock()
    }

    pub fn posts(&self) -> Vec<Post> {
        self.inner.posts.borrow().clone()
    }

    /// The newest that was told of an alert.
    pub fn told(&self, name: &str) -> Option<Value> {
        told(&self.posts(), name)
    }

    /// Waits until the newest that was told of an alert is this.
    pub async fn until(&self, name: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut posts = self.inner.posts.subscribe();
        let found = async {
            loop {
                let newest = told(&posts.borrow_and_update(), name);
                if let Some(alert) = newest.filter(&is) {
                    return alert;
                }
                posts.changed().await.unwrap();
            }
        };
        soon(name, found).await
    }

    pub async fn until_firing(&self, name: &str) -> Value {
        self.until(name, is_firing).await
    }

    pub async fn until_over(&self, name: &str) -> Value {
        self.until(name, |alert| !is_firing(alert)).await
    }
}

/// Whether an Alertmanager takes it for firing now.
pub fn is_firing(alert: &Value) -> bool {
    time(alert, "endsAt") > Timestamp::now()
}

fn told(posts: &[Post], name: &str) -> Option<Value> {
    let mut alerts = posts.iter().flat_map(|post| &post.alerts);
    alerts.rfind(|alert| alert["labels"]["alertname"] == name).cloned()
}

/// A connection a task, with what the crate's axum has: no server of its own.
async fn serve(listener: tokio::net::TcpListener, app: Router, tls: Option<Arc<rustls::ServerConfig>>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(app.clone());
        let http = hyper::server::conn::http1::Builder::new();
        let tls = tls.clone().map(tokio_rustls::TlsAcceptor::from);
        tokio::spawn(async move {
            // A client that does not trust it ends the connection.
            let _ = match tls {
                Some(tls) => match tls.accept(socket).await {
                    Ok(socket) => http.serve_connection(hyper_util::rt::TokioIo::new(socket), service).await,
                    Err(_) => Ok(()),
                },
                None => http.serve_connection(hyper_util::rt::TokioIo::new(socket), service).await,
            };
        });
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.running.abort();
    }
}
