//! What applies to every response: security headers, the refusal log, and 405 for a method that a path does not have.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::problem::{Counted, Problem};
use crate::server::peers::Peers;
use crate::server::refusals::Refusals;

/// What a request asked for, for the log.
pub(in crate::server) struct Asked {
    method: Method,
    uri: Uri,
}

impl Asked {
    pub(in crate::server) fn of(request: &Request) -> Self {
        Self { method: request.method().clone(), uri: request.uri().clone() }
    }
}

/// Counts and logs a request that was refused, wherever that happened.
pub(in crate::server) fn log_refusal(refusals: &Refusals, asked: &Asked, response: &Response) {
    if let Some(Counted { refusal, detail }) = response.extensions().get()
        && let Some(unsaid) = refusals.count(*refusal)
    {
        let (reason, status) = (refusal.as_str(), response.status().as_u16());
        let (method, path) = (&asked.method, asked.uri.path());
        let unsaid = (unsaid > 0).then_some(unsaid);
        tracing::info!(reason, status, %method, path, detail, unsaid, "request refused");
    }
}

/// Adds the security headers, except to a WebSocket handshake. A page loads everything from this server, asks only this one and its
/// peers, runs no inline script and can't be framed.
pub(in crate::server) fn security_headers(peers: &Peers, response: &mut Response) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
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
}

/// The response to a method that a path does not have.
pub(in crate::server) async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let detail = format!("{} does not allow {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}
