//! A WebSocket client on tokio-tungstenite: not the program's own, so that the two are held to the RFC, not to
//! each other.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use incident::contract::{Heartbeat, Message as Payload, StreamOpened};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{envelope, soon};

/// One event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub position: u64,
    pub frame: String,
}

/// An open socket whose `stream_opened` was read.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    pub opened: StreamOpened,
    /// Headers of the handshake's answer.
    pub answer: Response<()>,
}

impl Client {
    /// Connects to `/ws` with a query (`?after=…`, or none).
    pub async fn connect(address: SocketAddr, query: &str) -> Self {
        Self::with_headers(address, query, &[]).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Connects with further headers; `Err` when the server answers the handshake with something else.
    pub async fn with_headers(
        address: SocketAddr,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Box<Error>> {
        let mut request = format!("ws://{address}/ws{query}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let tcp = TcpStream::connect(address).await.unwrap();
        let handshake = soon("the handshake", tokio_tungstenite::client_async(request, tcp));
        let (socket, answer) = handshake.await.map_err(Box::new)?;
        let answer = answer.map(drop);
        let opened = StreamOpened {
            contract: String::new(),
            stream: String::new(),
            head: 0,
            oldest: 0,
            follows: incident::contract::Follows::Started { from: 1, to: 0 },
            heartbeat_ms: 0,
            server_time: jiff::Timestamp::UNIX_EPOCH,
        };
        let mut client = Self { socket, opened, answer };
        let first = client.text().await;
        match envelope(&first).message() {
            Ok(Payload::StreamOpened(opened)) => client.opened = opened,
            _ => panic!("the first frame is not stream_opened: {first}"),
        }
        Ok(client)
    }

    /// The next message of any kind.
    pub async fn message(&mut self) -> Option<Result<Message, Error>> {
        soon("a message", self.socket.next()).await
    }

    /// The next text, whatever it says.
    pub async fn text(&mut self) -> String {
        loop {
            match self.message().await {
                Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("instead of a text: {other:?}"),
            }
        }
    }

    /// The next event, heartbeats skipped.
    pub async fn event(&mut self) -> Event {
        loop {
            let frame = self.text().await;
            let envelope = envelope(&frame);
            if let Some(position) = envelope.position() {
                assert_eq!(position.stream.as_str(), self.opened.stream, "of the stream that was opened");
                return Event { position: position.n, frame };
            }
            assert_eq!(envelope.kind, "heartbeat", "{frame}");
        }
    }

    /// The events up to a position.
    pub async fn up_to(&mut self, position: u64) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        while events.last().is_none_or(|last| last.position < position) {
            events.push(self.event().await);
        }
        events
    }

    /// The next heartbeat; an event before it fails.
    pub async fn heartbeat(&mut self) -> Heartbeat {
        let frame = self.text().await;
        match envelope(&frame).message() {
            Ok(Payload::Heartbeat(heartbeat)) => heartbeat,
            _ => panic!("instead of a heartbeat: {frame}"),
        }
    }

    pub async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends though the server may have closed meanwhile.
    pub async fn try_send(&mut self, message: Message) -> bool {
        self.socket.send(message).await.is_ok()
    }

    /// Code and reason of the close frame, whatever comes before it.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.message().await {
                Some(Ok(Message::Close(Some(close)))) => {
                    return (close.code.into(), close.reason.to_string());
                }
                Some(Ok(Message::Close(None)) | Err(_)) | None => panic!("ended without a close code"),
                Some(Ok(_)) => {}
            }
        }
    }
}
