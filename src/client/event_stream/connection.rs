//! A connection that follows an event stream.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::HeaderValue;
use hyper::{HeaderMap, Request, header};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::super::endpoint::Endpoint;
use super::super::error::ClientError;
use super::super::http::refused;
use super::super::interim::{Bounded, TooMany};
use super::super::subscription::Subscription;
use super::super::tls::connect;
use super::parser::{EventParser, Parsed};

/// How long connecting and the answer's head may take together.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// The largest body of a refusal that is read.
const REFUSAL_BYTES: usize = 64 * 1024;

/// Something that arrives on an event stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventStreamItem {
    /// What the parser read.
    Parsed(Parsed),
    /// The server ended the answer properly.
    Ended {
        /// Whether it ended in the middle of an event.
        is_unfinished: bool,
    },
    /// The connection broke off.
    Lost(String),
    /// What arrives is no event stream.
    Malformed(String),
}

/// An event stream that is open. Its connection is driven only while [`EventStream::next`] is polled: one that is not
/// polled reads nothing.
pub struct EventStream {
    connection: Pin<Box<http1::Connection<TokioIo<Bounded>, Empty<Bytes>>>>,
    /// Dropping it would end the connection.
    _sender: http1::SendRequest<Empty<Bytes>>,
    body: Incoming,
    parser: EventParser,
    /// Why the answer is no event stream.
    malformed: Option<String>,
    is_driven: bool,
}

impl EventStream {
    /// Connects and reads the head of the answer. An answer that is no event stream, such as one with another content type,
    /// is told by the first call of [`EventStream::next`].
    ///
    /// # Errors
    /// The server can't be reached, or refuses; a redirect is a refusal.
    pub async fn open(endpoint: &Endpoint, subscription: &Subscription) -> Result<Self, ClientError> {
        match timeout(CONNECT_DEADLINE, Self::request(endpoint, subscription)).await {
            Ok(opened) => opened,
            Err(_) => Err(ClientError::Unreachable {
                url: endpoint.to_string(),
                why: format!("no answer within {} s", CONNECT_DEADLINE.as_secs()),
            }),
        }
    }

    async fn request(endpoint: &Endpoint, subscription: &Subscription) -> Result<Self, ClientError> {
        let url = endpoint.to_string();
        let broken =
            |error: &dyn std::fmt::Display| ClientError::Answer { url: url.clone(), why: error.to_string() };
        let failed = |error: &hyper::Error| {
            if TooMany::is_behind(error) { broken(&TooMany) } else { broken(error) }
        };
        let stream = Bounded::new(connect(endpoint, &url).await?);
        let interim = stream.count();
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        let mut request = Request::get(endpoint.target(subscription.query.as_deref()))
            .header(header::HOST, endpoint.authority())
            .body(Empty::new())
            .map_err(|error| broken(&error))?;
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(endpoint.authorization().map(|value| (header::AUTHORIZATION, value)));
        for (name, value) in &subscription.headers {
            headers.insert(name, value.clone());
        }
        interim.those_to(&mut request);
        let mut connection = Box::pin(connection);
        let answer = sender.send_request(request);
        tokio::pin!(answer);
        let (response, is_driven) = tokio::select! {
            biased;
            response = &mut answer => (response, true),
            ended = &mut connection => match ended {
                Ok(()) => (answer.await, false),
                Err(error) => return Err(failed(&error)),
            },
        };
        let response = response.map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let kind =
            response.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        let malformed = match kind {
            // A client that gets 204 must not come back (WHATWG HTML, 9.2.3), so it is a refusal that says nothing.
            _ if status == 204 => {
                Some("the status is 204, which tells clients never to come back".to_owned())
            }
            None => Some("the answer has no content type; expected text/event-stream".to_owned()),
            Some(kind) if !is_event_stream(kind) => {
                Some(format!("the content type is {kind:?}; expected text/event-stream"))
            }
            Some(_) => compression(&headers).map(|name| {
                format!("it is compressed ({name}), though the request asked for no Content-Encoding")
            }),
        };
        let body = response.into_body();
        if status == 200 || status == 204 {
            let parser = EventParser::default();
            return Ok(Self { connection, _sender: sender, body, parser, malformed, is_driven });
        }
        let reading = Limited::new(body, REFUSAL_BYTES).collect();
        tokio::pin!(reading);
        let said = tokio::select! {
            said = &mut reading => said,
            _ = &mut connection, if is_driven => reading.await,
        };
        // The status says the most.
        let said = said.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Err(refused(&url, status, &headers, &said))
    }

    /// Waits for the next thing. May be dropped while it waits.
    pub async fn next(&mut self) -> EventStreamItem {
        if let Some(why) = self.malformed.take() {
            return EventStreamItem::Malformed(why);
        }
        loop {
            if let Some(parsed) = self.parser.take() {
                return EventStreamItem::Parsed(parsed);
            }
            let frame = if self.is_driven {
                tokio::select! {
                    frame = self.body.frame() => frame,
                    // The body says how the connection ended.
                    _ = &mut self.connection => {
                        self.is_driven = false;
                        continue;
                    }
                }
            } else {
                self.body.frame().await
            };
            match frame {
                None => return EventStreamItem::Ended { is_unfinished: self.parser.is_unfinished() },
                Some(Err(error)) if error.is_incomplete_message() => {
                    let why = "the connection ended before the end of the answer".to_owned();
                    return EventStreamItem::Lost(why);
                }
                Some(Err(error)) => return EventStreamItem::Lost(cause(&error)),
                Some(Ok(frame)) => {
                    if let Some(bytes) = frame.data_ref()
                        && self.parser.feed(bytes).is_err()
                    {
                        return EventStreamItem::Malformed("an event has more than 1 MiB".to_owned());
                    }
                }
            }
        }
    }
}

fn is_event_stream(content_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/event-stream")
}

/// How the body is compressed, which no client of an event stream has to understand.
fn compression(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(header::CONTENT_ENCODING)?.to_str().unwrap_or("in an unknown way").trim();
    (!matches!(name.to_ascii_lowercase().as_str(), "" | "identity")).then(|| name.to_owned())
}

/// What lies behind an error of hyper, which itself only says "error reading a body from connection".
fn cause(error: &hyper::Error) -> String {
    let mut said: &dyn std::error::Error = error;
    while let Some(inner) = said.source() {
        said = inner;
    }
    said.to_string()
}
