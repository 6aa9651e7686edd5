//! Who may do what: a request that the guard let in shows a token or a session, or is refused.
//!
//! Without tokens the server is open and all of this stands aside. With tokens everything is closed but for a short
//! list: a route that nobody thought of needs a read token to be looked at and a write token to change something.
//!
//! - Of a token only its SHA-256 is kept. What is shown is compared with all of them, each in constant time.
//! - A token comes in the `Authorization` header, never in a URL: those are kept by logs and histories.
//! - Wrong tokens are counted by the address that they come from; see [`throttle`].
//! - Browsers exchange a token for a session; see [`sessions`] for why that is no weaker.
//! - What a withdrawn token opened is closed: its sessions, and the streams of both.

mod credentials;
mod keyring;
mod login;
mod need;
mod sessions;
mod throttle;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::problem::Problem;
use super::socket::Line;
use super::{App, routes};
use crate::connection::Lease;
use crate::metrics::Refusal;
use crate::token::{Digest, Scope, Token};

use credentials::Credentials;
use keyring::Keyring;
pub use keyring::Replaced;
pub(super) use login::{login, logout, page, session};
use need::Need;
use sessions::Sessions;
use throttle::{Attempt, Throttle};

/// What a request may do, and by what.
#[derive(Clone)]
struct Grant {
    scope: Scope,
    by: By,
    /// `None` when nobody is asked.
    lease: Option<Lease>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The server asks nobody.
    Open,
    Token(Digest),
    Session,
}

/// The tokens and sessions of one server.
pub struct Auth {
    open: bool,
    /// Cookies know no ports: two servers of one host would take each other's.
    cookie: String,
    known: Mutex<Known>,
    throttle: Throttle,
}

struct Known {
    keyring: Keyring,
    sessions: Sessions,
}

impl Auth {
    pub(super) fn new(tokens: Vec<(Scope, Token)>, port: u16) -> Self {
        let open = tokens.is_empty();
        let mut keyring = Keyring::default();
        keyring.replace(tokens);
        Self {
            open,
            cookie: format!("incident-{port}"),
            known: Mutex::new(Known { keyring, sessions: Sessions::default() }),
            throttle: Throttle::default(),
        }
    }

    /// Knows these tokens and no others from now on. What the withdrawn ones opened is closed. A server that asks for
    /// tokens goes on asking, though none be left.
    pub fn replace(&self, tokens: Vec<(Scope, Token)>) -> Replaced {
        let mut known = self.known();
        let Known { keyring, sessions } = &mut *known;
        let replaced = keyring.replace(tokens);
        sessions.end_unless(|key, scope| keyring.has(key, scope));
        replaced
    }

    /// A section without await or panic. A poisoned lock is as good as any.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a request may do, if it may do what it wants.
    fn admit(&self, request: &Request) -> Result<Option<Grant>, Problem> {
        credentials::refuse_in_url(request.uri())?;
        if self.open {
            return Ok(Some(Grant { scope: Scope::Write, by: By::Open, lease: None }));
        }
        let need = Need::of(request.method(), request.uri().path());
        if need == Need::Nothing {
            return Ok(None);
        }
        let grant = self.grant(request)?;
        let Need::Scope(scope) = need else { return Ok(grant) };
        let grant = grant.ok_or_else(credentials::missing)?;
        if grant.scope < scope {
            return Err(credentials::insufficient());
        }
        if grant.by == By::Session {
            needs_origin(request)?;
        }
        Ok(Some(grant))
    }

    fn grant(&self, request: &Request) -> Result<Option<Grant>, Problem> {
        Ok(match Credentials::of(request.headers(), &self.cookie)? {
            Credentials::None => None,
            Credentials::Token(token) => Some(self.prove(peer(request), &token)?),
            Credentials::Sessions(ids) => self.known().sessions.find(&ids, Instant::now()),
        })
    }

    /// The grant of a token that is shown as a secret text.
    fn prove(&self, peer: IpAddr, token: &[u8]) -> Result<Grant, Problem> {
        match self.throttle.attempt(peer, Instant::now(), || self.known().keyring.find(token)) {
            Attempt::Good(grant) => Ok(grant),
            Attempt::Wrong => {
                tracing::warn!(%peer, "a wrong token was shown");
                Err(credentials::unknown())
            }
            Attempt::TooMany => Err(credentials::too_many()),
        }
    }
}

/// What a browser sends by itself is no sign of what its user wants. Where that matters browsers say which page
/// wants it, and the guard has checked that: a cookie without it comes from something that is no browser.
fn needs_origin(request: &Request) -> Result<(), Problem> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if (reads && request.uri().path() != "/ws") || request.headers().contains_key(header::ORIGIN) {
        return Ok(());
    }
    let detail =
        "a session is for browsers, and they send Origin; a program sends Authorization: Bearer TOKEN";
    Err(Problem::new(StatusCode::FORBIDDEN, detail).because(Refusal::Origin))
}

/// Every connection has an address; one that was lost shares its limit with all that were.
fn peer(request: &Request) -> IpAddr {
    request.extensions().get::<Line>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Line::peer)
}

/// For the stream that this request opens.
pub(super) fn lease<B>(request: &axum::http::Request<B>) -> Option<Lease> {
    request.extensions().get::<Grant>().and_then(|grant| grant.lease.clone())
}

/// Behind the guard and before every route.
pub(super) async fn authenticate(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let login_instead = asks_for_a_page(request.method(), request.headers());
    match app.auth.admit(&request) {
        Ok(grant) => {
            if let Some(grant) = grant {
                request.extensions_mut().insert(grant);
            }
            let mut response = next.run(request).await;
            if !app.auth.open {
                // What only some may see is nothing to keep.
                let headers = response.headers_mut();
                headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            }
            response
        }
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED && login_instead => {
            let mut page = routes::asset(&app, "/login.html", &HeaderMap::new());
            *page.status_mut() = StatusCode::UNAUTHORIZED;
            credentials::challenge(&mut page);
            let headers = page.headers_mut();
            headers.remove(header::ETAG);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            // Told in another form, counted all the same.
            page.extensions_mut().extend(problem.into_response().extensions().clone());
            page
        }
        Err(problem) => {
            tracing::debug!(?problem, "request refused");
            problem.into_response()
        }
    }
}

/// A person with a browser, who can log in, and not a program with a token.
fn asks_for_a_page(method: &Method, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    *method == Method::GET && accept.contains("text/html") && !headers.contains_key(header::AUTHORIZATION)
}
