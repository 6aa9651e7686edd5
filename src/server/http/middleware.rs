//! What applies to every response: security headers, the refusal log, and 405 for a method that a path does not have.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Counted, Problem};
use crate::server::peers::Peers;
use crate::server::refusals::Refusals;

/// Counts and logs every request that was refused, wherever that happened.
pub(in crate::server) async fn log_refusals(
    State(refusals): State<Arc<Refusals>>,
    request: Request,
    next: Next,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if let Some(Counted { refusal, detail }) = response.extensions().get()
        && let Some(unsaid) = refusals.count(*refusal)
    {
        let (reason, status) = (refusal.as_str(), response.status().as_u16());
        let unsaid = (unsaid > 0).then_some(unsaid);
        tracing::info!(reason, status, %method, path, detail, unsaid, "request refused");
    }
    response
}

/// Adds the security headers, except to a WebSocket handshake. A page loads everything from this server, asks only this one and its
/// peers, runs no inline script and can't be framed.
pub(in crate::server) async fn security_headers(
    State(peers): State<Arc<Peers>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, peers.policy.clone());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The response to a method that a path does not have.
pub(in crate::server) async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let detail = format!("{} does not allow {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}
