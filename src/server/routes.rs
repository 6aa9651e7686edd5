//! Every path the server answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};

use super::problem::Problem;
use super::{App, api, auth, events, guard, observe, upgrade};
use crate::dashboard::Asset;

/// Nothing of a page may come from elsewhere, run inline or be framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/ws", get(upgrade::upgrade))
        .route("/events", get(events::events))
        .route("/api/scenarios", get(api::scenarios))
        .route("/api/incidents", get(api::incidents).post(api::trigger))
        .route("/api/incidents/{id}", get(api::incident).delete(api::cancel))
        .route("/api/incidents/{id}/report.md", get(api::report))
        .route("/api/session", get(auth::session))
        .route("/login", get(auth::page).post(auth::login))
        .route("/logout", post(auth::logout))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(observe::metrics))
        .route("/schema.json", get(|| async { Json(crate::contract::schema::document()) }))
        .fallback(page)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), auth::authenticate))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard::guard))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), observe::refusals))
        .layer(middleware::from_fn(security_headers))
        .with_state(app)
}

/// Ready until it drains, and while the journal takes events.
async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.draining.load(Ordering::Relaxed) {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping").into_response();
    }
    if let Some(why) = app.hub.trouble() {
        let detail = format!("no events come: {why}");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    }
    "ready\n".into_response()
}

async fn page(State(app): State<Arc<App>>, method: Method, uri: Uri, request: Request) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return method_not_allowed(method, uri).await;
    }
    asset(&app, uri.path(), request.headers())
}

/// A file of the page, unless whoever asks has it.
pub(super) fn asset(app: &App, path: &str, wanted: &HeaderMap) -> Response {
    let Some(Asset { bytes, content_type, etag }) = app.dashboard.get(path) else {
        return Problem::not_found(format!("nothing is at {path}")).into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    let etag = HeaderValue::from_str(&etag).ok();
    let known = wanted.get(header::IF_NONE_MATCH);
    let mut response = if etag.is_some() && known == etag.as_ref() {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, bytes).into_response()
    };
    if let Some(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let detail = format!("{method} is not possible on {}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}

async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        // No page comes of it.
        return response;
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
