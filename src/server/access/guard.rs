//! The guard against other sites' pages: it checks `Host` on every request (DNS rebinding), `Origin` wherever it is
//! sent and, as a second line, what browsers say about their requests in `Sec-Fetch-*`. A page of another site may link
//! here, but neither read the stream nor trigger anything, whether the server has tokens or not.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::metrics::Refusal;
use crate::server::http::Problem;
use crate::server::origin::{Origin, without_default_port};

/// What load balancers ask, some of them in HTTP/1.0 without `Host`. The answers tell a page of another site nothing.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// The paths of receivers, each of which asks for a secret.
const RECEIVERS: &str = "/hooks/";

/// Streams, which only the server's own pages and those of allowed origins may read.
const STREAMS: [&str; 2] = ["/ws", "/events"];

/// What the page of another server asks of this one.
const FOR_PEERS: [&str; 3] = ["/api/", "/events", "/logout"];

/// Which page sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// No `Origin`: a program, or a browser that only reads.
    Unknown,
    /// This server's page.
    Own,
    /// A page of an `--allow-origin`.
    Allowed,
    /// The page of another server of the same stream, which has lost that server.
    Peer,
}

/// The origins and host names of one server.
pub(in crate::server) struct Guard {
    /// The scheme of the server's own origin, `://` included.
    scheme: &'static str,
    allowed: Vec<Origin>,
    peers: Vec<Origin>,
}

impl Guard {
    pub(in crate::server) fn new(allowed: Vec<Origin>, peers: Vec<Origin>, encrypted: bool) -> Self {
        Self { scheme: if encrypted { "https://" } else { "http://" }, allowed, peers }
    }

    /// The origins besides the server's own whose pages may use it.
    fn others(&self) -> impl Iterator<Item = &Origin> {
        self.allowed.iter().chain(&self.peers)
    }

    /// Refuses names that an attacker could point at this machine. Addresses and `localhost` can't be repointed;
    /// other names must be allowed with `--allow-origin`. In a request with an absolute target, which is for a proxy, the target
    /// has the name, whatever `Host` says (RFC 9112, 3.2.2).
    fn host(&self, target: &Uri, headers: &HeaderMap) -> Result<String, Problem> {
        let refuse =
            |detail: String| Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).because(Refusal::Host);
        // What stands before this server may have looked at another one.
        if headers.get_all(header::HOST).iter().nth(1).is_some() {
            return Err(
                Problem::bad_request("the request has more than one Host header").because(Refusal::Host)
            );
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host
            .ok_or_else(|| Problem::bad_request("the request has no Host header").because(Refusal::Host))?;
        let host = target.authority().map_or(host, |authority| authority.as_str()).to_ascii_lowercase();
        let uri: Uri =
            host.parse().map_err(|_| refuse(format!("Host: {host:?} is not a host name or address")))?;
        if host.contains('@') {
            return Err(refuse(format!("Host: {host:?} contains a user name")));
        }
        let name = uri.host().unwrap_or_default();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        if address || name == "localhost" || self.others().any(|origin| origin.host == name) {
            return Ok(host);
        }
        Err(refuse(format!(
            "this server does not answer to the host name {name:?}; allow it with --allow-origin"
        )))
    }

    /// The page that sent the request. Programs send no `Origin`; browsers always do where it matters.
    fn origin(&self, headers: &HeaderMap, host: &str) -> Result<Sender, Problem> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return Ok(Sender::Unknown) };
        if origins.next().is_some() {
            return Err(refuse("several origins"));
        }
        let Ok(text) = origin.to_str() else { return Err(refuse("an unreadable origin")) };
        let parsed: Origin = text.parse().map_err(|_| refuse(text))?;
        let host = without_default_port(self.scheme, host);
        let own = parsed.text.strip_prefix(self.scheme).is_some_and(|authority| authority == host);
        match own {
            true => Ok(Sender::Own),
            false if self.peers.contains(&parsed) => Ok(Sender::Peer),
            false if self.allowed.contains(&parsed) => Ok(Sender::Allowed),
            false => Err(refuse(text)),
        }
    }

    /// Whether a page of this origin, which is not the server's own, is allowed.
    pub(in crate::server) fn allows(&self, origin: &str) -> bool {
        origin.parse().is_ok_and(|origin| self.others().any(|other| *other == origin))
    }

    /// Refuses requests for other hosts, and those that a page of another site sent.
    pub(in crate::server) fn admit(&self, request: &Request) -> Result<Admitted, Problem> {
        let reader = match self.sender(request)? {
            Sender::Unknown | Sender::Own => None,
            Sender::Allowed => Some(Reader::OfRefusals),
            Sender::Peer => {
                let asks = FOR_PEERS.iter().any(|path| request.uri().path().starts_with(path));
                asks.then_some(Reader::OfEverything)
            }
        };
        let origin = request.headers().get(header::ORIGIN).filter(|_| reader.is_some()).cloned();
        Ok(Admitted { reader: reader.zip(origin) })
    }

    fn sender(&self, request: &Request) -> Result<Sender, Problem> {
        let headers = request.headers();
        if HEALTH.contains(&request.uri().path()) && !headers.contains_key(header::HOST) {
            return Ok(Sender::Unknown);
        }
        // Senders name the server as their network does. A page that does so knows no receiver's secret.
        if request.uri().path().starts_with(RECEIVERS) {
            return Ok(Sender::Unknown);
        }
        let host = self.host(request.uri(), headers)?;
        let sender = self.origin(headers, &host)?;
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let streams = STREAMS.contains(&request.uri().path());
        let link = reads && !streams && is(headers, "sec-fetch-dest", &["document"]);
        let site = headers.contains_key("sec-fetch-site");
        let elsewhere = site && !is(headers, "sec-fetch-site", &["same-origin", "none"]);
        if elsewhere && !link && !matches!(sender, Sender::Allowed | Sender::Peer) {
            return Err(refuse("another site"));
        }
        Ok(sender)
    }
}

fn refuse(origin: &str) -> Problem {
    let detail =
        format!("pages from {origin} may not use this server; allow their origin with --allow-origin");
    Problem::new(StatusCode::FORBIDDEN, detail).because(Refusal::Origin)
}

/// Whether a header occurs once and has one of these values.
fn is(headers: &HeaderMap, name: &str, values: &[&str]) -> bool {
    let mut found = headers.get_all(name).iter();
    let value = found.next().and_then(|value| value.to_str().ok());
    value.is_some_and(|value| values.contains(&value)) && found.next().is_none()
}

/// A request that was let in, and which page of another origin may read its answer.
pub(in crate::server) struct Admitted {
    reader: Option<(Reader, HeaderValue)>,
}

/// What a page of another origin may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Why its request was refused. The streams say themselves who may read them.
    OfRefusals,
    /// What its own server would let it read. It may send its session.
    OfEverything,
}

impl Admitted {
    /// The answer to a browser that asks what the page of a peer may send.
    pub(in crate::server) fn preflight(&self, request: &Request) -> Option<Response> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let of_peer = self.reader.as_ref().is_some_and(|(reader, _)| *reader == Reader::OfEverything);
        let allowed = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
            (header::ACCESS_CONTROL_MAX_AGE, "600"),
        ];
        (asks && of_peer).then(|| (StatusCode::NO_CONTENT, allowed).into_response())
    }

    /// Lets the page read the answer.
    pub(in crate::server) fn readable(self, response: &mut Response) {
        match self.reader {
            Some((Reader::OfRefusals, origin)) if !response.status().is_success() => {
                readable_by(response, origin);
            }
            Some((Reader::OfEverything, origin)) => {
                readable_by(response, origin);
                let with_session = HeaderValue::from_static("true");
                response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, with_session);
            }
            _ => {}
        }
    }
}

/// Lets a page of an allowed origin read why its request was refused when to try again, and where the next part of an answer is, which browsers hide otherwise.
fn readable_by(response: &mut Response, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Link, Retry-After"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
}
