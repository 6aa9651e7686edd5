//! The few HTTP requests beside the socket, each on a connection of its own.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{HeaderMap, Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::endpoint::Endpoint;
use super::error::{Advice, ClientError};
use super::interim::{Bounded, TooMany};
use super::secrets::without_secrets;
use super::tls::{Stream, connect, reason_of};
use crate::unread_json::sentence;

/// How long a request may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// How long a report may take, for which a server may read much of its journal. It does so as long as the client waits.
pub(super) const REPORT_DEADLINE: Duration = Duration::from_secs(120);

/// The largest body that is read.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The most that is told of why a server refuses.
const DETAIL_CHARS: usize = 1_000;

/// Sends a request with an optional JSON body and reads the JSON answer.
///
/// # Errors
/// [`ClientError::Status`] for every status but 2xx, with the detail of the problem document.
pub async fn request(
    endpoint: &Endpoint,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, ClientError> {
    let body = body.map(|body| ("application/json", body.to_string()));
    let answer = in_time(endpoint, DEADLINE, method, path, body).await?;
    json(endpoint, path, &answer.body)
}

fn json(endpoint: &Endpoint, path: &str, body: &[u8]) -> Result<Value, ClientError> {
    let why = |error: serde_json::Error| unreadable(endpoint, path, &sentence("it", &error));
    serde_json::from_slice(body).map_err(why)
}

/// Posts JSON to a server of any kind, and reads nothing of a success.
///
/// # Errors
/// As [`request`]; and a page for people, which answers any path of some servers.
pub async fn request_to_post(endpoint: &Endpoint, path: &str, body: &Value) -> Result<(), ClientError> {
    let body = ("application/json", body.to_string());
    let answer = in_time(endpoint, DEADLINE, Method::POST, path, Some(body)).await?;
    if answer.content_type.to_ascii_lowercase().starts_with("text/html") {
        return Err(unreadable(endpoint, path, &"it is a page for people"));
    }
    Ok(())
}

/// Publishes a batch of `CloudEvents`.
///
/// # Errors
/// As [`request`].
pub async fn request_publish(endpoint: &Endpoint, batch: &str) -> Result<Value, ClientError> {
    request_publish_within(endpoint, batch, DEADLINE).await
}

/// The same, with another time for the answer.
///
/// # Errors
/// As [`request`].
pub async fn request_publish_within(
    endpoint: &Endpoint,
    batch: &str,
    within: Duration,
) -> Result<Value, ClientError> {
    let path = "/api/events";
    let body = ("application/cloudevents-batch+json", batch.to_owned());
    let answer = in_time(endpoint, within.min(DEADLINE), Method::POST, path, Some(body)).await?;
    json(endpoint, path, &answer.body)
}

/// Requests a Markdown document, for up to two minutes.
///
/// # Errors
/// As [`request`]; and a body of another media type, which a server that is not ours may send for any path.
pub async fn request_markdown(endpoint: &Endpoint, path: &str) -> Result<String, ClientError> {
    let answer = in_time(endpoint, REPORT_DEADLINE, Method::GET, path, None).await?;
    if !answer.content_type.starts_with("text/markdown") {
        let why = format!("it is {:?}, not text/markdown", answer.content_type);
        return Err(unreadable(endpoint, path, &why));
    }
    String::from_utf8(answer.body.into()).map_err(|error| unreadable(endpoint, path, &error))
}

/// Requests a text of any media type.
///
/// # Errors
/// As [`request`].
pub async fn request_text(endpoint: &Endpoint, path: &str) -> Result<String, ClientError> {
    let answer = in_time(endpoint, DEADLINE, Method::GET, path, None).await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

/// The media type of a body, and the body.
type Sent = Option<(&'static str, String)>;

/// The body of a 2xx and its media type.
struct Answer {
    content_type: String,
    body: Bytes,
}

fn unreadable(endpoint: &Endpoint, path: &str, why: &dyn std::fmt::Display) -> ClientError {
    ClientError::Answer { url: endpoint.http(path), why: why.to_string() }
}

async fn in_time(
    endpoint: &Endpoint,
    within: Duration,
    method: Method,
    path: &str,
    body: Sent,
) -> Result<Answer, ClientError> {
    let (url, began) = (endpoint.http(path), Instant::now());
    // A server that can be reached does not take longer to be, whatever is asked.
    let connected = timeout_at(began + within.min(DEADLINE), connect(endpoint, &url)).await;
    let stream = connected.unwrap_or_else(|_| {
        let why = format!("no answer within {} s", within.min(DEADLINE).as_secs_f64());
        Err(ClientError::Unreachable { url: url.clone(), why })
    })?;
    let exchanged = timeout_at(began + within, exchange(endpoint, stream, &url, method, path, body)).await;
    exchanged.unwrap_or(Err(ClientError::Late { url, within }))
}

async fn exchange(
    endpoint: &Endpoint,
    stream: Stream,
    url: &str,
    method: Method,
    path: &str,
    body: Sent,
) -> Result<Answer, ClientError> {
    let stream = Bounded::new(stream);
    let interim = stream.count();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(url, &error))?;
    let (content_type, payload) = body.unwrap_or_else(|| ("application/json", String::new()));
    let mut request = Request::builder()
        .method(method)
        .uri(endpoint.path(path))
        .header(header::HOST, endpoint.authority())
        .header(header::CONTENT_TYPE, content_type)
        .body(Full::new(Bytes::from(payload)))
        .map_err(|error| unreadable(endpoint, path, &error))?;
    request.headers_mut().extend(endpoint.authorization().map(|value| (header::AUTHORIZATION, value)));
    interim.those_to(&mut request);
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| broken(url, &error))?;
        let status = response.status();
        let headers = (!status.is_success()).then(|| response.headers().clone());
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let bytes = Limited::new(response.into_body(), ANSWER_BYTES).collect().await.map_err(|error| {
            match error.downcast::<hyper::Error>() {
                Ok(error) => broken(url, &error),
                Err(_) => unreadable(endpoint, path, &format!("it has more than {ANSWER_BYTES} bytes")),
            }
        })?;
        let bytes = bytes.to_bytes();
        if let Some(headers) = headers {
            return Err(refused(url, status.as_u16(), &headers, &bytes));
        }
        Ok(Answer { content_type, body: bytes })
    };
    // The connection must be polled beside the request. It may end first, after the whole answer was read.
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        ended = connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(broken(url, &error)),
        },
    }
}

/// What became of a connection: it ended before the answer, or what came is no HTTP.
fn broken(url: &str, error: &hyper::Error) -> ClientError {
    let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    let ended = || "it closed the connection before its answer was complete".to_owned();
    let url = url.to_owned();
    match io {
        _ if TooMany::is_behind(error) => ClientError::Answer { url, why: TooMany.to_string() },
        Some(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            ClientError::Unanswered { url, why: ended() }
        }
        Some(io) => ClientError::Unanswered { url, why: reason_of(io) },
        None if error.is_incomplete_message() || error.is_canceled() => {
            ClientError::Unanswered { url, why: ended() }
        }
        None => ClientError::Answer { url, why: error.to_string() },
    }
}

/// What a problem document says beside its detail.
fn advice(problem: &Value) -> Option<Advice> {
    let text = |name: &str| problem.get(name).and_then(Value::as_str);
    let cut = |text: &str| text.chars().take(DETAIL_CHARS).collect();
    Some(Advice { problem: cut(text("type")?.strip_prefix("/problems/")?), advice: cut(text("advice")?) })
}

/// The error for a status other than 2xx, with where it redirects to, the detail of its problem document or the first
/// line of its body. Of a page for people, as proxies send them, the name of the status is enough.
pub(super) fn refused(url: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> ClientError {
    let problem: Option<Value> = serde_json::from_slice(body).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail")).and_then(Value::as_str);
    let first_line = || {
        let body = String::from_utf8_lossy(body);
        let line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        match StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()) {
            Some(name) if line.starts_with('<') => name.to_owned(),
            _ => line.chars().take(200).collect(),
        }
    };
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let location = header(header::LOCATION).filter(|_| (300..400).contains(&status));
    let retry_after = header(header::RETRY_AFTER).and_then(|wait| wait.trim().parse().ok());
    let retry_after = retry_after.map(Duration::from_secs);
    let said = match (location, detail) {
        (Some(to), _) => {
            format!("it redirects to {}", without_secrets(to).chars().take(200).collect::<String>())
        }
        (None, Some(detail)) if detail.chars().nth(DETAIL_CHARS).is_some() => {
            detail.chars().take(DETAIL_CHARS).collect::<String>() + "…"
        }
        (None, Some(detail)) => detail.to_owned(),
        (None, None) => first_line(),
    };
    let advice = problem.as_ref().and_then(advice).map(Box::new);
    ClientError::Status { url: url.to_owned(), status, said, retry_after, problem: detail.is_some(), advice }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    /// It is there, and may do what it was asked for.
    #[tokio::test]
    async fn a_server_that_has_not_answered_yet_is_not_one_that_is_not_there() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint: Endpoint = format!("http://{}/", silent.local_addr().unwrap()).parse().unwrap();
        let within = Duration::from_millis(200);
        let ask = || in_time(&endpoint, within, Method::DELETE, "/api/incidents/a", None);
        let Err(late) = ask().await else { panic!("an answer of nobody") };
        assert!(
            matches!(late, ClientError::Late { .. }) && late.may_be_done() && late.is_passing(),
            "{late}"
        );
        assert!(late.to_string().ends_with("/api/incidents/a has given no answer within 0.2 s"), "{late}");
        drop(silent);
        let Err(gone) = ask().await else { panic!("an answer of nobody") };
        assert!(matches!(gone, ClientError::Unreachable { .. }) && !gone.may_be_done(), "{gone}");
    }
}
