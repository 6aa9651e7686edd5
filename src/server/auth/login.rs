//! What browsers need: the login page, exchanging a token for a session, ending it, and what a session may do.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::credentials::cookies;
use super::{Auth, By, Grant, credentials, peer};
use crate::server::problem::Problem;
use crate::server::socket::Line;
use crate::server::{App, body, routes};
use crate::token::Scope;

/// The body of `POST /login`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    token: String,
}

/// `GET /login`
pub(in crate::server) async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    routes::asset(&app, "/login.html", &headers)
}

/// `POST /login`: a form of another page can't even be sent as JSON, and the guard has checked `Origin`.
pub(in crate::server) async fn login(
    State(app): State<Arc<App>>,
    Extension(line): Extension<Line>,
    request: Request,
) -> Result<Response, Problem> {
    if app.auth.open {
        return Err(Problem::not_found("this server asks for no token: there is nothing to log in to"));
    }
    let (parts, body) = request.into_parts();
    let text = body::json(&line, &parts.headers, body).await?;
    // What serde says would repeat what it read.
    let Login { token } = serde_json::from_slice(&text)
        .map_err(|_| Problem::bad_request("expected {\"token\": \"TOKEN\"} and nothing else"))?;
    let request = Request::from_parts(parts, axum::body::Body::empty());
    let old: Vec<String> = cookies(request.headers(), &app.auth.cookie).map(str::to_owned).collect();
    let (id, scope) = app.auth.log_in(&request, &token, &old)?;
    let cookie = app.auth.set_cookie(&id, is_encrypted(request.headers()))?;
    Ok(([(header::SET_COOKIE, cookie)], told(Some(scope), true)).into_response())
}

/// `POST /logout`
pub(in crate::server) async fn logout(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    for id in cookies(&headers, &app.auth.cookie) {
        app.auth.known().sessions.end(id);
    }
    let cookie = app.auth.set_cookie("; Max-Age=0", is_encrypted(&headers))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// `GET /api/session`: what whoever asks may do. A page can't see why a WebSocket was refused; this tells it.
pub(in crate::server) async fn session(request: Request) -> Response {
    let grant = request.extensions().get::<Grant>();
    let proven = grant.is_some_and(|grant| grant.by != By::Open);
    told(grant.map(|grant| grant.scope), proven).into_response()
}

fn told(scope: Option<Scope>, authenticated: bool) -> Json<serde_json::Value> {
    Json(json!({ "scope": scope, "authenticated": authenticated }))
}

/// Whether the browser's side of the connection is encrypted, be it by a proxy. Its `Origin` says so.
fn is_encrypted(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

impl Auth {
    /// Begins a session for a token, and ends those that the browser had.
    fn log_in(&self, request: &Request, token: &str, old: &[String]) -> Result<(String, Scope), Problem> {
        let Grant { scope, by: By::Token(key), .. } = self.prove(peer(request), token.as_bytes())? else {
            return Err(credentials::unknown());
        };
        let mut known = self.known();
        // It may have been withdrawn in between.
        if !known.keyring.has(&key, scope) {
            return Err(credentials::unknown());
        }
        for id in old {
            known.sessions.end(id);
        }
        let id = known.sessions.begin(key, scope, Instant::now()).map_err(|error| {
            tracing::error!(%error, "the system gives no random numbers");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server can't make sessions; its log says why")
        })?;
        Ok((id, scope))
    }

    fn set_cookie(&self, value: &str, secure: bool) -> Result<HeaderValue, Problem> {
        let secure = if secure { "; Secure" } else { "" };
        let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}", self.cookie);
        HeaderValue::from_str(&cookie).map_err(|error| Problem::bad_request(error.to_string()))
    }
}
