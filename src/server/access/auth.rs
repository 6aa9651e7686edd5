//! Authentication and authorisation: a request that the guard let in has a token or a session, or is refused.
//!
//! A server without tokens is open and skips all of this. With tokens every path needs one, except for a short list: a
//! new route needs a read token for reading and a write token for everything else until it is put on that list.
//!
//! - The server keeps only the SHA-256 of a token, and compares with all of them, each in constant time.
//! - A token comes in the `Authorization` header, never in a URL: logs and histories keep URLs.
//! - Wrong tokens are limited by address; see [`super::throttle`].
//! - Browsers exchange a token for a session; see [`super::sessions`] for why that is no weaker.
//! - Withdrawing a token ends its sessions, and the streams that were opened with either.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::asked::Asked;
use super::credentials::{self, Credentials};
use super::grant::{Credential, Grant};
use super::keyring::{Keyring, Replaced};
use super::need::Need;
use super::noted::Noted;
use super::sessions::{Begun, Sessions, is_id};
use super::throttle::{Attempt, Logins, Throttle};
use crate::dashboard::Dashboard;
use crate::journal::Journal;
use crate::log_limiter::limited;
use crate::metrics::Refusal;
use crate::server::door::ConnectionInfo;
use crate::server::http::{Problem, asset_at};
use crate::token::{Digest, Scope, Token};

/// What needs no credential and ends the session of a cookie.
const ENDS_SESSION: [&str; 2] = ["/login", "/logout"];

/// The tokens and sessions of one server.
pub struct Auth {
    is_open: bool,
    /// Has the port in its name: cookies ignore ports, so two servers on one host would overwrite each other's.
    cookie: String,
    /// Locked for short sections, never across an await.
    pub(super) accepted: Mutex<Accepted>,
    throttle: Throttle,
    logins: Logins,
    /// The journal, if other servers have it open and are to know the sessions.
    journal: Option<Journal>,
    /// Sessions that have changed since the other servers were told, and whether there are new tokens.
    pub(super) untold: Mutex<(Vec<Digest>, bool)>,
    pub(super) changed: Arc<Notify>,
    /// What those wait for whose session this server does not know.
    asked: Asked,
}

pub(super) struct Accepted {
    pub(super) keyring: Keyring,
    pub(super) sessions: Sessions,
    /// Empty if the journal belongs to this server alone.
    pub(super) noted: Noted,
}

impl Auth {
    pub(in crate::server) fn new(tokens: Vec<(Scope, Token)>, port: u16, journal: &Journal) -> Self {
        let is_open = tokens.is_empty();
        let shared = journal.is_shared();
        let mut keyring = Keyring::default();
        keyring.replace(tokens);
        Self {
            is_open,
            cookie: if shared {
                format!("incident-{}", journal.stream())
            } else {
                format!("incident-{port}")
            },
            accepted: Mutex::new(Accepted {
                keyring,
                sessions: Sessions::default(),
                noted: Noted::default(),
            }),
            throttle: Throttle::default(),
            logins: Logins::default(),
            journal: shared.then(|| journal.clone()),
            untold: Mutex::default(),
            changed: Arc::default(),
            asked: Asked::default(),
        }
    }

    /// Accepts these tokens and no others from now on, and closes what was opened with the withdrawn ones. A server
    /// that requires tokens still does when `tokens` is empty: then it lets no request in.
    pub fn replace(&self, tokens: Vec<(Scope, Token)>) -> Replaced {
        let mut accepted = self.accepted.lock();
        let Accepted { keyring, sessions, noted } = &mut *accepted;
        let replaced = keyring.replace(tokens);
        let ended = sessions.end_unless(|key, scope| keyring.has(key, scope));
        if self.journal.is_some() {
            let now = Instant::now();
            for id in &ended {
                noted.end(*id, true, now);
            }
        }
        drop(accepted);
        if self.journal.is_some() {
            let mut untold = self.untold.lock();
            untold.0.extend(ended);
            untold.1 |= replaced.added > 0;
            drop(untold);
            self.changed.notify_one();
        }
        replaced
    }

    /// What is asked and answered of sessions that this server does not know.
    pub(super) fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Whether the server requires no tokens.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The name of the session cookie.
    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// The grant of a request if that is enough for it; `None` where credentials are not needed.
    fn admit(&self, request: &Request) -> Result<Option<Grant>, Problem> {
        credentials::refuse_in_url(request.uri())?;
        if self.is_open {
            return Ok(Some(Grant { scope: Scope::Write, by: Credential::Open, lease: None, sources: None }));
        }
        let need = Need::of(request.method(), request.uri().path());
        if need == Need::Nothing {
            // A log-in and a log-out end the session of the cookie, whatever else they need.
            if ENDS_SESSION.contains(&request.uri().path()) && self.has_cookie(request) {
                require_origin(request)?;
            }
            return Ok(None);
        }
        let grant = self.grant(request)?;
        let Need::Scope(scope) = need else { return Ok(grant) };
        let grant = grant.ok_or_else(credentials::missing)?;
        if !grant.scope.includes(scope) {
            return Err(credentials::insufficient(grant.scope, scope));
        }
        if matches!(grant.by, Credential::Session(_)) {
            require_origin(request)?;
        }
        Ok(Some(grant))
    }

    fn has_cookie(&self, request: &Request) -> bool {
        credentials::cookies(request.headers(), &self.cookie).next().is_some()
    }

    fn grant(&self, request: &Request) -> Result<Option<Grant>, Problem> {
        Ok(match Credentials::of(request.headers(), &self.cookie)? {
            Credentials::None => None,
            Credentials::Token(token) => Some(self.check_token(peer(request), &token)?),
            Credentials::Sessions(ids) => self.accepted.lock().sessions.find(&ids, Instant::now()),
        })
    }

    fn check_token(&self, peer: IpAddr, token: &[u8]) -> Result<Grant, Problem> {
        match self.throttle.attempt(peer, Instant::now(), || self.accepted.lock().keyring.find(token)) {
            Attempt::Good(grant) => Ok(grant),
            Attempt::Wrong => {
                limited!(warn, "a client sent a wrong token", %peer);
                Err(credentials::unknown())
            }
            Attempt::TooMany => Err(credentials::too_many()),
        }
    }

    /// Begins a session for a token. Gives it and its scope.
    pub(super) fn log_in(&self, request: &Request, token: &str) -> Result<(Begun, Scope), Problem> {
        let grant = self.check_token(peer(request), token.as_bytes())?;
        let Grant { scope, by: Credential::Token(key), .. } = grant else {
            return Err(credentials::unknown());
        };
        if !scope.includes(Scope::Read) {
            return Err(credentials::insufficient(scope, Scope::Read));
        }
        if !self.logins.admit(peer(request), Instant::now()) {
            return Err(credentials::too_many_logins());
        }
        Ok((self.begin(key, scope)?, scope))
    }

    /// The journal, if other servers are to know the sessions.
    pub(super) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    fn begin(&self, key: Digest, scope: Scope) -> Result<Begun, Problem> {
        let now = Instant::now();
        let mut accepted = self.accepted.lock();
        let Accepted { keyring, sessions, noted } = &mut *accepted;
        // It may have been withdrawn since it was checked.
        if !keyring.has(&key, scope) {
            return Err(credentials::unknown());
        }
        if noted.is_full() {
            return Err(untold());
        }
        let begun = sessions.begin(key, scope, now).map_err(|error| {
            limited!(error, "the operating system gives no random numbers", %error);
            let detail = "the server can't create sessions; its log says why";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        })?;
        if self.journal.is_some() {
            for id in &begun.ended {
                noted.end(*id, true, now);
            }
        }
        Ok(begun)
    }

    /// Ends the session of an id, and gives its digest; `None` if there is none, as far as this server knows.
    pub(super) fn log_out(&self, id: &str) -> Option<Digest> {
        let digest = Digest::of(id.as_bytes());
        let mut accepted = self.accepted.lock();
        let is_open = accepted.sessions.end(&digest);
        let ends = if self.journal.is_some() {
            accepted.noted.end(digest, is_open, Instant::now())
        } else {
            is_open
        };
        ends.then_some(digest)
    }

    /// Whether another server may have begun a session with this id that is not known here.
    pub(super) fn may_be_elsewhere(&self, id: &str) -> bool {
        if self.is_open || self.journal.is_none() || !is_id(id) {
            return false;
        }
        let digest = Digest::of(id.as_bytes());
        let accepted = self.accepted.lock();
        !accepted.sessions.has(&digest, Instant::now()) && !accepted.noted.is_over(&digest)
    }

    /// The sessions that may let a request in, if all of them are of other servers and not known here.
    fn sessions_elsewhere(&self, request: &Request) -> Vec<Digest> {
        let needs_nothing = || Need::of(request.method(), request.uri().path()) == Need::Nothing;
        if self.is_open || self.journal.is_none() || needs_nothing() {
            return Vec::new();
        }
        let Ok(Credentials::Sessions(ids)) = Credentials::of(request.headers(), &self.cookie) else {
            return Vec::new();
        };
        let digest = |id: &String| Digest::of(id.as_bytes());
        if ids.iter().any(|id| self.has_session(&digest(id))) {
            return Vec::new();
        }
        ids.iter().filter(|id| self.may_be_elsewhere(id)).map(digest).collect()
    }

    fn has_session(&self, id: &Digest) -> bool {
        self.accepted.lock().sessions.has(id, Instant::now())
    }
}

/// So many sessions have ended here of which the others could not be told that no more may be pushed out.
fn untold() -> Problem {
    let detail = "the other servers can't be told of sessions at the moment, so no further one begins here";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_header(header::RETRY_AFTER, "5")
}

/// A browser sends cookies whether its user wants the request or not. Where that matters, browsers also say in `Origin`
/// which page sent it, and the guard has checked that: a session without `Origin` does not come from a browser.
fn require_origin(request: &Request) -> Result<(), Problem> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if (reads && request.uri().path() != "/ws") || request.headers().contains_key(header::ORIGIN) {
        return Ok(());
    }
    let detail = "a session is for browsers, which send Origin; programs must send Authorization: Bearer TOKEN instead";
    Err(Problem::new(StatusCode::FORBIDDEN, detail).because(Refusal::Origin))
}

/// The address that a request came from. Requests without one share one limit.
fn peer(request: &Request) -> IpAddr {
    let info = request.extensions().get::<ConnectionInfo>();
    info.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), ConnectionInfo::peer)
}

/// What a request passes behind the guard and before every route. Gives the request its [`Grant`] as an extension, and the
/// [`crate::delivery::Lease`] of that.
pub(in crate::server) async fn authenticate<F>(
    auth: &Auth,
    dashboard: &Arc<Dashboard>,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    let wants_page = wants_page(request.method(), request.headers());
    let elsewhere = auth.sessions_elsewhere(&request);
    let looked = match elsewhere.as_slice() {
        [] => Ok(()),
        ids => auth.asked.find_out_about(ids, |id| auth.has_session(id)).await,
    };
    let is_known = looked.is_ok();
    match looked.map_err(Problem::from).and_then(|()| auth.admit(&request)) {
        Ok(grant) => {
            if let Some(grant) = grant {
                if let Some(lease) = grant.lease.clone() {
                    request.extensions_mut().insert(lease);
                }
                request.extensions_mut().insert(grant.publisher());
                request.extensions_mut().insert(grant);
            }
            let mut response = next(request).await;
            if !auth.is_open {
                // Caches must not keep what needs a token.
                let headers = response.headers_mut();
                headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            }
            response
        }
        // While nobody knows whether there is a session, its user can begin another one.
        Err(problem) if wants_page && (problem.status() == StatusCode::UNAUTHORIZED || !is_known) => {
            let mut page = asset_at(dashboard, "/login.html", request.uri().path());
            *page.status_mut() = problem.status();
            if is_known {
                credentials::challenge(&mut page);
            }
            let headers = page.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            // The refusal is counted as if the problem itself were sent.
            let problem = problem.into_response();
            page.extensions_mut().extend(problem.extensions().clone());
            if let Some(later) = problem.headers().get(header::RETRY_AFTER) {
                page.headers_mut().insert(header::RETRY_AFTER, later.clone());
            }
            page
        }
        Err(problem) => {
            tracing::debug!(?problem, "request refused");
            problem.into_response()
        }
    }
}

/// Whether a browser without a token asks for a page: its user can log in.
fn wants_page(method: &Method, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    *method == Method::GET && accept.contains("text/html") && !credentials::has_token(headers)
}
