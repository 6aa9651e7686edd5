//! One WebSocket connection to a server.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::endpoint::Endpoint;
use super::error::ClientError;
use super::http::refused;
use super::old_version::Answers;
use super::secrets::subprotocol_without_secrets;
use super::subscription::Subscription;
use super::tls::{Stream, connect, reason_of};
use crate::contract::SUBPROTOCOL;

/// How long connecting and the handshake may take together.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// Bytes that are collected before they are written.
const WRITE_BUFFER: usize = 64 * 1024;

/// An open socket.
pub struct Socket {
    inner: WebSocketStream<Answers>,
}

/// Something that arrives on a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// A text message.
    Text(String),
    /// A binary message, with its length; incident streams have none.
    Binary(usize),
    /// A ping or a pong: the server is alive.
    Alive,
    /// The connection ended.
    Closed {
        /// The close code, if the server sent one.
        code: Option<u16>,
        /// The server's reason, or the error.
        reason: String,
        /// How it ended.
        how: Ended,
    },
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With a close frame.
    Closed,
    /// Without one: the server, or something between, is gone.
    Lost,
    /// The server broke the protocol of WebSocket, or sent a message that is too large.
    Protocol,
}

impl Socket {
    /// Connects to one of our servers, to resume after a position (`STREAM/N` or `0`).
    pub async fn connect(endpoint: &Endpoint, after: Option<&str>) -> Result<Self, ClientError> {
        let query = after.map(|after| format!("after={after}"));
        let subscription = Subscription { query, ..Subscription::default() };
        Self::open(endpoint, &subscription, true).await
    }

    /// Connects and says what the subscription says. If `offers_ours`, the subprotocol of our own streams is offered, which
    /// other servers need not know.
    pub async fn open(
        endpoint: &Endpoint,
        subscription: &Subscription,
        offers_ours: bool,
    ) -> Result<Self, ClientError> {
        match timeout(CONNECT_DEADLINE, Self::handshake(endpoint, subscription, offers_ours)).await {
            Ok(connected) => connected,
            Err(_) => Err(ClientError::Unreachable {
                url: endpoint.to_string(),
                why: format!("no answer within {} s", CONNECT_DEADLINE.as_secs()),
            }),
        }
    }

    async fn handshake(
        endpoint: &Endpoint,
        subscription: &Subscription,
        offers_ours: bool,
    ) -> Result<Self, ClientError> {
        let url = || endpoint.to_string();
        let mut offered = subscription.subprotocols.clone();
        if offers_ours && offered.is_empty() {
            offered.push(SUBPROTOCOL.to_owned());
        }
        // If a client offers a subprotocol, the server must accept it; other servers may not know ours.
        let mut connected = attempt(connect(endpoint, &url()).await?, endpoint, subscription, &offered).await;
        if let Err(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_))) = &connected {
            if !subscription.subprotocols.is_empty() {
                let named: Vec<&str> = offered.iter().map(|name| subprotocol_without_secrets(name)).collect();
                let why = format!("it accepts none of the subprotocols {}", named.join(", "));
                return Err(ClientError::Handshake { url: url(), why });
            }
            connected = attempt(connect(endpoint, &url()).await?, endpoint, subscription, &[]).await;
        }
        let inner = match connected {
            Ok(inner) => inner,
            Err(Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                return Err(refused(&url(), response.status().as_u16(), response.headers(), body));
            }
            Err(Error::Io(error)) => {
                return Err(ClientError::Unreachable { url: url(), why: reason_of(&error) });
            }
            // A server that dies during the handshake may be back soon: the client may try again.
            Err(Error::Protocol(ProtocolError::HandshakeIncomplete)) => {
                return Err(ClientError::Unreachable {
                    url: url(),
                    why: "the connection ended during the handshake".to_owned(),
                });
            }
            Err(error) => return Err(ClientError::Handshake { url: url(), why: why(&error) }),
        };
        let mut socket = Self { inner };
        for text in &subscription.send {
            // If the connection has ended, the next receive says how.
            if socket.inner.send(Message::text(text.clone())).await.is_err() {
                break;
            }
        }
        Ok(socket)
    }

    /// Waits for the next message.
    pub async fn receive(&mut self) -> SocketEvent {
        match self.inner.next().await {
            Some(Ok(Message::Text(text))) => SocketEvent::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(bytes))) => SocketEvent::Binary(bytes.len()),
            Some(Ok(Message::Close(frame))) => match frame {
                // What the library puts in the place of a code that may not be sent (RFC 6455, 7.4).
                Some(frame)
                    if u16::from(frame.code) == 1002 && frame.reason.as_str() == "Protocol violation" =>
                {
                    closed(
                        None,
                        "the server closed with a code that may not be sent, or with 1002".to_owned(),
                        Ended::Protocol,
                    )
                }
                Some(frame) => closed(Some(frame.code.into()), frame.reason.to_string(), Ended::Closed),
                None => closed(None, "closed by the server".to_owned(), Ended::Closed),
            },
            Some(Ok(_)) => SocketEvent::Alive,
            // TLS reports an end without a close_notify as this error.
            Some(Err(Error::Io(error))) if error.kind() == ErrorKind::UnexpectedEof => lost(),
            Some(Err(Error::Io(error))) => closed(None, reason_of(&error), Ended::Lost),
            Some(Err(error @ Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                closed(None, why(&error), Ended::Lost)
            }
            None => lost(),
            Some(Err(error)) => closed(None, why(&error), Ended::Protocol),
        }
    }

    /// Sends a close frame. Errors are ignored: the connection ends in any case.
    pub async fn close(mut self) {
        let _ = timeout(Duration::from_secs(1), self.inner.close(None)).await;
        let _ = timeout(Duration::from_secs(1), self.inner.flush()).await;
    }
}

fn closed(code: Option<u16>, reason: String, how: Ended) -> SocketEvent {
    SocketEvent::Closed { code, reason, how }
}

/// What went wrong with a connection, in words that say who did what.
fn why(error: &Error) -> String {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            format!("the server sent a message of {size} bytes; at most {max_size} are read")
        }
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            "the connection ended without a closing handshake".to_owned()
        }
        Error::Protocol(error) => {
            format!("what the server sent is against the protocol of WebSocket: {error}")
        }
        Error::Utf8(_) => "the server sent a text message that is not UTF-8".to_owned(),
        error => error.to_string(),
    }
}

fn lost() -> SocketEvent {
    closed(None, "connection lost".to_owned(), Ended::Lost)
}

async fn attempt(
    stream: Stream,
    endpoint: &Endpoint,
    subscription: &Subscription,
    offered: &[String],
) -> Result<WebSocketStream<Answers>, Error> {
    let mut request = endpoint.url(subscription.query.as_deref()).into_client_request()?;
    let headers = request.headers_mut();
    headers.extend(endpoint.authorization().map(|value| (AUTHORIZATION, value)));
    for (name, value) in &subscription.headers {
        headers.insert(name, value.clone());
    }
    if let (false, Ok(value)) = (offered.is_empty(), HeaderValue::from_str(&offered.join(", "))) {
        headers.insert("Sec-WebSocket-Protocol", value);
    }
    let longest = subscription.send.iter().map(String::len).max().unwrap_or_default();
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .max_message_size(Some(1024 * 1024))
        // A server that asks for answers to its pings and does not read them gets the newest later.
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(2 * WRITE_BUFFER + longest);
    let (socket, _) =
        tokio_tungstenite::client_async_with_config(request, Answers::new(stream), Some(config)).await?;
    Ok(socket)
}
