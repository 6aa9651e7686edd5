//! Bodies of requests: they must be declared as JSON, small, and arrive in time. `bodies.rs` reads large ones.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
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
    match bytes(info, body, BYTES, DEADLINE).await? {
        Some(body) => Ok(body),
        None => {
            let detail = format!("the body is larger than {BYTES} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail))
        }
    }
}

/// A body of at most `most` bytes; `None` if it is larger.
///
/// # Errors
/// It does not arrive in time, or not as a whole.
async fn bytes(
    info: &ConnectionInfo,
    body: Body,
    most: usize,
    deadline: Duration,
) -> Result<Option<Bytes>, Problem> {
    // A connection that sends its body slowly can be evicted as a silent one can.
    info.slot().wait();
    let read = timeout(deadline, collect(body, most)).await;
    info.slot().serve();
    match read {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Problem::bad_request("the body has not arrived as a whole")),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body did not arrive within {} s", deadline.as_secs()),
        )),
    }
}

/// The body; `None` if it is larger. An error says that it did not arrive as a whole.
async fn collect(body: Body, most: usize) -> Result<Option<Bytes>, axum::Error> {
    let (mut pieces, mut bytes) = (body.into_data_stream(), Vec::new());
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        if bytes.len() + piece.len() > most {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(bytes.into()))
}
