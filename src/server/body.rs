//! Bodies of requests: JSON that says so, small and in time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use tokio::time::timeout;

use super::problem::Problem;
use super::socket::Line;

/// The largest body of a request.
const BYTES: usize = 16 * 1024;

/// How long a body may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The body, if it is called JSON: what a form of any page may send is not.
pub(super) async fn json(line: &Line, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let detail = "the body is JSON and says so: Content-Type: application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    // It is waited for again: who sends slowly is in nobody's way.
    line.seat().sit();
    let read = timeout(DEADLINE, axum::body::to_bytes(body, BYTES)).await;
    line.seat().rise();
    match read {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let detail = format!("the body has at most {BYTES} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail))
        }
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    }
}
