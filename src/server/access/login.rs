//! What browsers need: the login page, exchanging a token for a session, ending it, and what a session may do.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::auth::Auth;
use super::credentials::cookies;
use super::grant::{Credential, Grant};
use super::share;
use crate::dashboard::Dashboard;
use crate::journal::JournalError;
use crate::log_limiter::limited;
use crate::server::base_path::BasePath;
use crate::server::door::ConnectionInfo;
use crate::server::http::{Problem, PublicPath, asset, json_body};
use crate::token::Scope;

/// The body of `POST /login`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    token: String,
}

/// `GET /login`
pub(in crate::server) async fn login_page(
    State(dashboard): State<Arc<Dashboard>>,
    headers: HeaderMap,
) -> Response {
    asset(&dashboard, "/login.html", &headers)
}

/// `POST /login`: a form of another site can't be sent as JSON, and the guard has checked `Origin`.
pub(in crate::server) async fn login(
    State(auth): State<Arc<Auth>>,
    Extension(info): Extension<ConnectionInfo>,
    PublicPath(base): PublicPath,
    request: Request,
) -> Result<Response, Problem> {
    if auth.is_open() {
        return Err(Problem::not_found("this server requires no token, so there is no login"));
    }
    let (parts, body) = request.into_parts();
    let text = json_body(&info, &parts.headers, body).await?;
    // serde's own message would repeat the token.
    let Login { token } = serde_json::from_slice(&text)
        .map_err(|_| Problem::bad_request("expected {\"token\": \"TOKEN\"} and no other fields"))?;
    let request = Request::from_parts(parts, axum::body::Body::empty());
    let old: Vec<String> = cookies(request.headers(), auth.cookie()).map(str::to_owned).collect();
    let (begun, scope) = auth.log_in(&request, &token)?;
    // The session counts here at once. What can't be told to the other servers now, they hear later.
    let ((), _) = tokio::join!(share::begun(&auth, &begun), share::end(&auth, &old));
    let cookie = set_cookie(&auth, &begun.id, &base, is_encrypted(request.headers()))?;
    Ok(([(header::SET_COOKIE, cookie)], describe(Some(scope), true)).into_response())
}

/// `POST /logout`
pub(in crate::server) async fn logout(
    State(auth): State<Arc<Auth>>,
    PublicPath(base): PublicPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ids: Vec<String> = cookies(&headers, auth.cookie()).map(str::to_owned).collect();
    let ended = share::end(&auth, &ids).await;
    let cookie = set_cookie(&auth, "; Max-Age=0", &base, is_encrypted(&headers))?;
    // The browser forgets the session also if other servers may still let it in.
    let response = match ended {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => not_ended(&error).into_response(),
    };
    Ok(([(header::SET_COOKIE, cookie)], response).into_response())
}

fn not_ended(error: &JournalError) -> Problem {
    limited!(error, "a log-out could not be told to the other servers", %error);
    let detail = format!(
        "other servers can't be told of the log-out at the moment, and may still accept the session: {error}; this browser has forgotten it"
    );
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_header(header::RETRY_AFTER, "5")
}

/// `GET /api/session`: what the caller may do. A page can't see why a WebSocket was refused, but it can ask this.
pub(in crate::server) async fn session(request: Request) -> Response {
    let grant = request.extensions().get::<Grant>();
    let authenticated = grant.is_some_and(|grant| grant.by != Credential::Open);
    describe(grant.map(|grant| grant.scope), authenticated).into_response()
}

fn describe(scope: Option<Scope>, authenticated: bool) -> Json<serde_json::Value> {
    Json(json!({ "scope": scope, "authenticated": authenticated }))
}

/// Whether the browser's side of the connection is encrypted, by this server or a proxy. Its `Origin` says so.
fn is_encrypted(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// A cookie for the server's own paths: what else is on the host is not sent it.
fn set_cookie(auth: &Auth, value: &str, base: &BasePath, secure: bool) -> Result<HeaderValue, Problem> {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{}={value}; Path={base}/; HttpOnly; SameSite=Strict{secure}", auth.cookie());
    HeaderValue::from_str(&cookie).map_err(|error| Problem::bad_request(error.to_string()))
}
