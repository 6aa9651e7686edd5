//! One WebSocket connection to a server.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::http::refused;
use super::tls::{Stream, connect, plain};
use super::{ClientError, Endpoint};
use crate::contract::SUBPROTOCOL;

/// How long connecting and shaking hands may take together.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// An open socket.
pub struct Socket {
    inner: WebSocketStream<Stream>,
}

/// What arrives on a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A text message.
    Text(String),
    /// A binary message: nothing that an incident stream has.
    Binary(usize),
    /// A ping or a pong: the peer is there.
    Alive,
    /// The end, with the close code if one was given.
    Closed {
        /// The close code.
        code: Option<u16>,
        /// The reason, or what broke.
        reason: String,
    },
}

impl Socket {
    /// Connects, going on after a position (`STREAM/N` or `0`).
    pub async fn connect(endpoint: &Endpoint, after: Option<&str>) -> Result<Self, ClientError> {
        match timeout(CONNECT_DEADLINE, Self::shake_hands(endpoint, after)).await {
            Ok(connected) => connected,
            Err(_) => Err(ClientError::Unreachable {
                url: endpoint.to_string(),
                why: format!("no answer within {} s", CONNECT_DEADLINE.as_secs()),
            }),
        }
    }

    async fn shake_hands(endpoint: &Endpoint, after: Option<&str>) -> Result<Self, ClientError> {
        let url = || endpoint.to_string();
        // Offering a subprotocol obliges the server to take it; one of somebody else's may not know ours.
        let mut shaken = attempt(connect(endpoint, &url()).await?, endpoint, after, true).await;
        if let Err(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_))) = &shaken {
            shaken = attempt(connect(endpoint, &url()).await?, endpoint, after, false).await;
        }
        match shaken {
            Ok(inner) => Ok(Self { inner }),
            Err(Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                Err(refused(&url(), response.status().as_u16(), body))
            }
            Err(Error::Io(error)) => Err(ClientError::Unreachable { url: url(), why: plain(&error) }),
            // A server that dies in the middle of it says nothing of what the next one would say.
            Err(Error::Protocol(ProtocolError::HandshakeIncomplete)) => Err(ClientError::Unreachable {
                url: url(),
                why: "the connection ended during the handshake".to_owned(),
            }),
            Err(error) => Err(ClientError::Handshake { url: url(), why: error.to_string() }),
        }
    }

    /// Waits for the next message.
    pub async fn receive(&mut self) -> Received {
        match self.inner.next().await {
            Some(Ok(Message::Text(text))) => Received::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(bytes))) => Received::Binary(bytes.len()),
            Some(Ok(Message::Close(frame))) => match frame {
                Some(frame) => {
                    Received::Closed { code: Some(frame.code.into()), reason: frame.reason.to_string() }
                }
                None => Received::Closed { code: None, reason: "closed by the server".to_owned() },
            },
            Some(Ok(_)) => Received::Alive,
            // Over TLS too, where an end without a goodbye has a longer name.
            Some(Err(Error::Io(error))) if error.kind() == ErrorKind::UnexpectedEof => {
                Received::Closed { code: None, reason: "connection lost".to_owned() }
            }
            Some(Err(Error::Io(error))) => Received::Closed { code: None, reason: plain(&error) },
            Some(Err(error)) => Received::Closed { code: None, reason: error.to_string() },
            None => Received::Closed { code: None, reason: "connection lost".to_owned() },
        }
    }

    /// Says goodbye. The server may have gone: then there is nothing to say.
    pub async fn close(mut self) {
        let _ = timeout(Duration::from_secs(1), self.inner.close(None)).await;
        let _ = timeout(Duration::from_secs(1), self.inner.flush()).await;
    }
}

async fn attempt(
    stream: Stream,
    endpoint: &Endpoint,
    after: Option<&str>,
    offer: bool,
) -> Result<WebSocketStream<Stream>, Error> {
    let mut request = endpoint.websocket(after).into_client_request()?;
    request.headers_mut().extend(endpoint.authorization().map(|value| (AUTHORIZATION, value)));
    if offer {
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    }
    let config = WebSocketConfig::default().read_buffer_size(16 * 1024).max_message_size(Some(1024 * 1024));
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}
