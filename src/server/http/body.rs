//! Bodies of requests: they must be declared as JSON, small, and arrive in time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use tokio::time::timeout;

use super::problem::Problem;
use crate::server::door::ConnectionInfo;

/// The largest body of a request.
const BYTES: usize = 16 * 1024;

/// How long a body may take to arrive.
const DEADLINE: Duration = Duration::from_secs(5);

/// The body, if its content type is JSON: a form of another site's page can't send that.
pub(in crate::server) async fn json(
    info: &ConnectionInfo,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, Problem> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let detail = "send the body as JSON with Content-Type: application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    read(info, body, BYTES, DEADLINE).await.map_err(|unread| match unread {
        Unread::TooLarge => {
            let detail = format!("the body is larger than {BYTES} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        }
        Unread::Late => {
            let detail = format!("the body did not arrive within {} s", DEADLINE.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
        }
    })
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Unread {
    /// It has too many bytes.
    TooLarge,
    /// It did not arrive in time.
    Late,
}

/// A body of at most so many bytes, whatever it is.
pub(in crate::server) async fn read(
    info: &ConnectionInfo,
    body: Body,
    most: usize,
    deadline: Duration,
) -> Result<Bytes, Unread> {
    // A connection that sends its body slowly can be evicted as a silent one can.
    info.slot().wait();
    let read = timeout(deadline, axum::body::to_bytes(body, most)).await;
    info.slot().serve();
    match read {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Late),
    }
}
