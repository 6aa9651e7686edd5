//! The files that the server has: the dashboard's, with entity tags, and the documents of the contract.

use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::middleware::method_not_allowed;
use super::problem::Problem;
use crate::dashboard::{Asset, Coding, Dashboard};

/// Every path that has no other handler.
pub(in crate::server) async fn page(
    State(dashboard): State<Arc<Dashboard>>,
    method: Method,
    uri: Uri,
    request: Request,
) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, "GET,HEAD")];
        return (allow, method_not_allowed(method, uri).await).into_response();
    }
    asset(&dashboard, uri.path(), request.headers())
}

/// A page of the dashboard that is sent in the place of what was asked for at `path`. Its links lead to where they
/// lead from the page's own place.
pub(in crate::server) fn asset_at(dashboard: &Dashboard, name: &str, path: &str) -> Response {
    let mut response = asset(dashboard, name, &HeaderMap::new());
    let depth = path.matches('/').count().saturating_sub(1);
    let page = dashboard.get(name, &[]).and_then(|page| String::from_utf8(page.bytes.into_owned()).ok());
    if let Some(page) = page.filter(|_| depth > 0) {
        // Browsers count the path from its start, so this is right below every prefix, which need not be known.
        *response.body_mut() = page.replace("\"./", &format!("\"{}", "../".repeat(depth))).into();
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response.headers_mut().remove(header::ETAG);
    response
}

/// `GET /schema.json`: the text is made once and shared by all requests.
pub(in crate::server) async fn schema() -> Response {
    static SCHEMA: LazyLock<Bytes> = LazyLock::new(|| crate::contract::schema::document().to_string().into());
    ([(header::CONTENT_TYPE, "application/json")], SCHEMA.clone()).into_response()
}

/// `GET /asyncapi.json`: likewise.
pub(in crate::server) async fn asyncapi() -> Response {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| crate::contract::asyncapi::document().to_string().into());
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone()).into_response()
}

/// A file of the dashboard, or 304 if the client's copy is current.
pub(in crate::server) fn asset(dashboard: &Dashboard, path: &str, wanted: &HeaderMap) -> Response {
    let Some(asset) = dashboard.get(path, &codings(wanted)) else {
        return Problem::not_found(format!("there is nothing at {path}")).into_response();
    };
    let Asset { bytes, coding, content_type, etag } = asset;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        // Also when it is sent as it is: a cache must not give it to clients that asked otherwise.
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    let mut response = if is_current(wanted, &etag) {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        let mut response = (headers, bytes).into_response();
        if let Some(coding) = coding {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        }
        response
    };
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// Whether the client has this very content. A proxy that compresses marks tags as weak, which is no other content.
fn is_current(wanted: &HeaderMap, etag: &str) -> bool {
    let tags = wanted.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// The codings that `Accept-Encoding` allows, what is wanted most first; of those that are wanted equally, the smallest. A file is sent
/// as it is if that is wanted more, or if nothing is said.
fn codings(wanted: &HeaderMap) -> Vec<Coding> {
    let values = wanted.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).map(weighed).collect();
    let weight = |names: &[&str]| {
        let of = |name: &&str| named.iter().find(|(one, _)| one.eq_ignore_ascii_case(name));
        names.iter().find_map(of).map(|(_, weight)| *weight)
    };
    let others = weight(&["*"]).unwrap_or(0.0);
    let as_it_is = weight(&["identity"]).unwrap_or(0.0);
    let all = [(Coding::Brotli, &["br"][..]), (Coding::Gzip, &["gzip", "x-gzip"])];
    let mut allowed: Vec<(Coding, f32)> =
        all.iter().map(|(coding, names)| (*coding, weight(names).unwrap_or(others))).collect();
    allowed.retain(|(_, weight)| *weight > 0.0 && *weight >= as_it_is);
    allowed.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    allowed.into_iter().map(|(coding, _)| coding).collect()
}

/// The name of a coding and its weight: 1 if none is given, 0 if it can't be read.
fn weighed(coding: &str) -> (&str, f32) {
    let mut parts = coding.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (name, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}
