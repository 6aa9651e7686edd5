//! Which pages may speak: `Host` on every request (DNS rebinding), `Origin` wherever it is sent and, as a second line,
//! what browsers say of their requests in `Sec-Fetch-*`. A page from elsewhere must neither read nor drive the stream,
//! whether its user is logged in here or nobody has to be: all that it may do is lead here.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::Problem;
use crate::metrics::Refusal;

/// Paths that go on telling. No page reads them but the server's own and those that were allowed.
const STREAMS: [&str; 2] = ["/ws", "/events"];

/// Scheme and authority, as browsers send them: `https://incidents.example:8443`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    host: String,
}

/// Why a text is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is a scheme, a host and maybe a port, as in https://incidents.example:8443")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        let authority =
            text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).ok_or(OriginError)?;
        let uri: Uri = authority.parse().map_err(|_| OriginError)?;
        let plain = uri.authority().filter(|parsed| parsed.as_str() == authority && !authority.contains('@'));
        let host = plain.ok_or(OriginError)?.host().to_owned();
        Ok(Self { text, host })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Which page sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// Not told: a program, or a browser that only looks.
    Untold,
    /// One of this server.
    Own,
    /// One of `--allow-origin`.
    Allowed,
}

/// The rules of one server.
pub(super) struct Guard {
    /// In front of the host in the server's own origin.
    scheme: &'static str,
    allowed: Vec<Origin>,
}

impl Guard {
    pub(super) fn new(allowed: Vec<Origin>, encrypted: bool) -> Self {
        Self { scheme: if encrypted { "https://" } else { "http://" }, allowed }
    }

    /// A name that an attacker can point at this machine is refused: addresses and `localhost` can't be
    /// repointed, others must be named by `--allow-origin`.
    fn host(&self, headers: &HeaderMap) -> Result<String, Problem> {
        let refuse =
            |detail: String| Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).because(Refusal::Host);
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host
            .ok_or_else(|| Problem::bad_request("the request has no Host header").because(Refusal::Host))?
            .to_ascii_lowercase();
        let uri: Uri = host.parse().map_err(|_| refuse(format!("the Host {host:?} is not a host")))?;
        if host.contains('@') {
            return Err(refuse(format!("the Host {host:?} names a user")));
        }
        let name = uri.host().unwrap_or_default();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        if address || name == "localhost" || self.allowed.iter().any(|origin| origin.host == name) {
            return Ok(host);
        }
        Err(refuse(format!("this server is not {name:?}; --allow-origin names further hosts")))
    }

    /// Programs send no `Origin`; browsers always do where it matters.
    fn origin(&self, headers: &HeaderMap, host: &str) -> Result<Sender, Problem> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return Ok(Sender::Untold) };
        if origins.next().is_some() {
            return Err(refuse("several origins at once"));
        }
        let Ok(text) = origin.to_str() else { return Err(refuse("an unreadable origin")) };
        let parsed: Origin = text.parse().map_err(|_| refuse(text))?;
        let own = parsed.text.strip_prefix(self.scheme).is_some_and(|authority| authority == host);
        match own {
            true => Ok(Sender::Own),
            false if self.allowed.contains(&parsed) => Ok(Sender::Allowed),
            false => Err(refuse(text)),
        }
    }

    fn admit(&self, request: &Request) -> Result<(), Problem> {
        let headers = request.headers();
        let host = self.host(headers)?;
        let sender = self.origin(headers, &host)?;
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let streams = STREAMS.contains(&request.uri().path());
        let link = reads && !streams && is(headers, "sec-fetch-dest", &["document"]);
        let site = headers.contains_key("sec-fetch-site");
        let elsewhere = site && !is(headers, "sec-fetch-site", &["same-origin", "none"]);
        if elsewhere && !link && sender != Sender::Allowed { Err(refuse("elsewhere")) } else { Ok(()) }
    }
}

fn refuse(origin: &str) -> Problem {
    let detail =
        format!("a page from {origin} may not use this server; --allow-origin names further origins");
    Problem::new(StatusCode::FORBIDDEN, detail).because(Refusal::Origin)
}

/// Whether a header has one of these values and no other.
fn is(headers: &HeaderMap, name: &str, values: &[&str]) -> bool {
    let mut found = headers.get_all(name).iter();
    let value = found.next().and_then(|value| value.to_str().ok());
    value.is_some_and(|value| values.contains(&value)) && found.next().is_none()
}

/// The guard before every route.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.guard.admit(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
