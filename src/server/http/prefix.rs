//! Serving below a path: requests with `--base-path` in front of their path, and the path that browsers know.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::middleware::security_headers;
use super::problem::Problem;
use crate::server::base_path::{BasePath, BasePathError};
use crate::server::peers::Peers;

/// What some proxies send when they have removed a prefix from the path.
const FORWARDED: &str = "x-forwarded-prefix";

/// Where the server is published.
pub(in crate::server) struct Prefix {
    pub(in crate::server) own: BasePath,
    /// Whether a proxy may name another path. Anybody can send the header, so it is ignored by default.
    pub(in crate::server) forwarded: bool,
}

/// The path below which the sender of a request reaches the server: cookies and links in answers are for that path.
pub(in crate::server) struct PublicPath(pub(in crate::server) BasePath);

impl Prefix {
    fn of(&self, headers: &HeaderMap) -> Result<BasePath, Problem> {
        let mut sent = headers.get_all(FORWARDED).iter();
        let Some(first) = sent.next().filter(|_| self.forwarded) else { return Ok(self.own.clone()) };
        let text = first.to_str().ok().filter(|_| sent.next().is_none());
        // No request is searched for it, so it may begin as a path of the server itself does.
        let path = text.ok_or(BasePathError::Written).and_then(BasePath::published);
        path.map_err(|_| Problem::bad_request("X-Forwarded-Prefix must be one path, as in /incident"))
    }
}

impl<S: Sync> FromRequestParts<S> for PublicPath
where
    Arc<Prefix>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Arc::<Prefix>::from_ref(state).of(&parts.headers).map(Self)
    }
}

/// Middleware in front of the routes, which know nothing of `--base-path`. A proxy may remove the prefix from requests or
/// leave it: both are served.
pub(in crate::server) async fn strip_base_path(
    State(prefix): State<Arc<Prefix>>,
    State(peers): State<Arc<Peers>>,
    mut request: Request,
    next: Next,
) -> Response {
    let uri = request.uri();
    match prefix.own.strip(uri.path()) {
        Some("") if matches!(*request.method(), Method::GET | Method::HEAD) => {
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            let location = format!("{}/{query}", prefix.own);
            let mut redirect =
                (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response();
            security_headers(&peers, &mut redirect);
            return redirect;
        }
        Some(rest) if !rest.is_empty() => {
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            let mut parts = uri.clone().into_parts();
            parts.path_and_query = format!("{rest}{query}").parse().ok();
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
        _ => {}
    }
    next.run(request).await
}
