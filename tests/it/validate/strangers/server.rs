//! Servers of other programs, written by hand: what they say to each client is a list.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::harness::ms;

/// A client, as its request describes it.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Clients are numbered from 0 on.
    pub number: u32,
    /// The query of its request.
    pub query: String,
    /// The headers of its request, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The first text that it sent, if the server waits for one.
    pub first: Option<String>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The number in `after=NUMBER` of the query, or in Last-Event-ID.
    pub fn after(&self) -> Option<usize> {
        let query = self.query.split('&').find_map(|pair| pair.strip_prefix("after="));
        query.or_else(|| self.header("last-event-id"))?.parse().ok()
    }
}

/// What a server does.
#[derive(Debug, Clone)]
pub enum Does {
    /// Answers the request with this HTTP status and no stream.
    Refuse(u16),
    /// Redirects.
    Redirect(&'static str),
    /// Answers with this content type instead of the right one.
    ContentType(&'static str),
    /// A text; of an event stream these very bytes.
    Say(String),
    Bytes(Vec<u8>),
    Binary,
    Wait(u64),
    /// Closes with this code, or ends the answer properly.
    Close(u16),
    /// Ends the connection without a word.
    Drop,
    /// Says this for ever, every so many milliseconds.
    Ever(String, u64),
}

pub fn say(text: impl Into<String>) -> Does {
    Does::Say(text.into())
}

/// What a server says to a client.
pub type Talk = Arc<dyn Fn(&Asked) -> Vec<Does> + Send + Sync>;

pub fn talk(says: impl Fn(&Asked) -> Vec<Does> + Send + Sync + 'static) -> Talk {
    Arc::new(says)
}

/// A WebSocket server. If `waits`, it reads a text before it says anything.
pub async fn socket(waits: bool, talk: Talk) -> String {
    let address = listen(move |tcp, number| {
        let talk = talk.clone();
        async move { serve_socket(tcp, number, waits, talk).await }
    });
    format!("ws://{}/feed", address.await)
}

/// A server of event streams.
pub async fn events(talk: Talk) -> String {
    let address = listen(move |tcp, number| {
        let talk = talk.clone();
        async move { serve_events(tcp, number, talk).await }
    });
    format!("http://{}/feed", address.await)
}

async fn listen<F>(serve: impl Fn(TcpStream, u32) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = Option<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = AtomicU32::new(0);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let _ = tcp.set_nodelay(true);
            tokio::spawn(serve(tcp, count.fetch_add(1, Ordering::Relaxed)));
        }
    });
    address
}

// The callback's type is tungstenite's.
#[allow(clippy::result_large_err)]
async fn serve_socket(tcp: TcpStream, number: u32, waits: bool, talk: Talk) -> Option<()> {
    let mut asked = Asked { number, ..Asked::default() };
    let mut refused = None;
    let config = tokio_tungstenite::tungstenite::protocol::WebSocketConfig::default().max_message_size(None);
    let accepted = tokio_tungstenite::accept_hdr_async_with_config(
        tcp,
        |request: &Request, mut response: Response| {
            request.uri().query().unwrap_or_default().clone_into(&mut asked.query);
            for (name, value) in request.headers() {
                asked.headers.push((name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()));
            }
            if let Some(offered) = request.headers().get("sec-websocket-protocol") {
                let chosen = offered.to_str().unwrap().split(',').next().unwrap().trim().to_owned();
                response.headers_mut().insert("sec-websocket-protocol", chosen.parse().unwrap());
            }
            if !waits && let Some(Does::Refuse(status)) = talk(&asked).first() {
                refused = Some(*status);
                let mut answer = ErrorResponse::new(Some("not you".to_owned()));
                *answer.status_mut() = (*status).try_into().unwrap();
                return Err(answer);
            }
            Ok(response)
        },
        Some(config),
    );
    let mut socket = accepted.await.ok()?;
    if waits {
        asked.first = Some(socket.next().await?.ok()?.into_text().ok()?.as_str().to_owned());
    }
    let (mut out, mut inbox) = socket.split();
    let reading = async move { while let Some(Ok(_)) = inbox.next().await {} };
    let talking = async move {
        for does in talk(&asked) {
            match does {
                Does::Say(text) => out.send(Message::text(text)).await.ok()?,
                Does::Binary => out.send(Message::binary(vec![1, 2, 3])).await.ok()?,
                Does::Wait(millis) => sleep(ms(millis)).await,
                Does::Close(code) => {
                    let frame = CloseFrame { code: code.into(), reason: "enough".into() };
                    out.send(Message::Close(Some(frame))).await.ok()?;
                    sleep(Duration::from_secs(2)).await;
                }
                Does::Drop => return None,
                Does::Ever(text, millis) => loop {
                    sleep(ms(millis)).await;
                    out.send(Message::text(text.clone())).await.ok()?;
                },
                other => panic!("not on a WebSocket: {other:?}"),
            }
        }
        std::future::pending::<Option<()>>().await
    };
    tokio::select! {
        () = reading => None,
        done = talking => done,
    }
}

async fn serve_events(mut tcp: TcpStream, number: u32, talk: Talk) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let asked = Asked {
        number,
        query: path.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default(),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
        first: None,
    };
    let mut does = talk(&asked);
    let mut kind = "text/event-stream; charset=utf-8";
    match does.first() {
        Some(Does::Refuse(status)) => {
            let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            tcp.write_all(answer.as_bytes()).await.ok()?;
            return Some(());
        }
        Some(Does::Redirect(to)) => {
            let answer = format!("HTTP/1.1 307 No\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            tcp.write_all(answer.as_bytes()).await.ok()?;
            return Some(());
        }
        Some(Does::ContentType(other)) => {
            kind = other;
            does.remove(0);
        }
        _ => {}
    }
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
    tcp.write_all(head.as_bytes()).await.ok()?;
    let (mut inbox, mut out) = tcp.into_split();
    let reading = async move { while inbox.read_u8().await.is_ok() {} };
    let talking = async move {
        for does in does {
            match does {
                Does::Say(text) => chunk(&mut out, text.as_bytes()).await?,
                Does::Bytes(bytes) => chunk(&mut out, &bytes).await?,
                Does::Wait(millis) => sleep(ms(millis)).await,
                Does::Close(_) => {
                    out.write_all(b"0\r\n\r\n").await.ok()?;
                    sleep(Duration::from_secs(2)).await;
                }
                Does::Drop => return None,
                Does::Ever(text, millis) => loop {
                    sleep(ms(millis)).await;
                    chunk(&mut out, text.as_bytes()).await?;
                },
                other => panic!("not on an event stream: {other:?}"),
            }
        }
        std::future::pending::<Option<()>>().await
    };
    tokio::select! {
        () = reading => None,
        done = talking => done,
    }
}

async fn chunk(out: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) -> Option<()> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend(bytes);
    chunk.extend(b"\r\n");
    out.write_all(&chunk).await.ok()
}
