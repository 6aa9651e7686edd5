//! An event stream read by its bytes, as WHATWG HTML (9.2) says.

use std::net::SocketAddr;

use super::{Event, Raw, envelope};
use incident::contract::{Message, StreamOpened};

/// What stands between two empty lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// As it came, with the empty line.
    pub text: String,
    pub id: Option<String>,
    pub event: Option<String>,
    pub data: Option<String>,
    pub retry: Option<u64>,
}

impl Block {
    fn read(text: &str) -> Self {
        let field = |name: &str| {
            let prefix = format!("{name}: ");
            let values: Vec<_> = text.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).collect();
            (!values.is_empty()).then(|| values.join("\n"))
        };
        let retry = field("retry").map(|millis| millis.parse().unwrap());
        Self { text: text.to_owned(), id: field("id"), event: field("event"), data: field("data"), retry }
    }
}

/// A client of `/events`.
pub struct Sse {
    raw: Raw,
    pub head: String,
    unread: String,
    /// What `retry:` said, in milliseconds.
    pub retry: u64,
    /// What the id was before any event.
    pub begins_after: String,
    pub opened: StreamOpened,
}

impl Sse {
    /// Connects and reads everything up to `stream_opened`.
    pub async fn connect(address: SocketAddr, query: &str, headers: &[(&str, &str)]) -> Self {
        Self::over(Raw::connect(address).await, query, headers).await
    }

    pub async fn over(mut raw: Raw, query: &str, headers: &[(&str, &str)]) -> Self {
        request(&mut raw, query, headers).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let mut unread = String::new();
        let first = block(&mut raw, &mut unread).await.unwrap();
        assert_eq!(first.event.as_deref(), Some("stream_opened"), "{}", first.text);
        let (retry, begins_after) = (first.retry.unwrap(), first.id.unwrap());
        let Ok(Message::StreamOpened(opened)) = envelope(&first.data.unwrap()).message() else {
            panic!("{}", first.text)
        };
        Self { raw, head, unread, retry, begins_after, opened }
    }

    /// The next block; `None` when the stream is at its proper end.
    pub async fn block(&mut self) -> Option<Block> {
        block(&mut self.raw, &mut self.unread).await
    }

    /// Reads to the proper end: the lines behind the last block.
    pub async fn goodbye(&mut self) -> String {
        let next = self.block().await;
        assert_eq!(next, None, "nothing comes before the end");
        std::mem::take(&mut self.unread)
    }

    /// The next event, heartbeats skipped, as a WebSocket client would have it.
    pub async fn event(&mut self) -> Event {
        loop {
            let block = self.block().await.expect("an event, not the end");
            let (Some(data), Some(kind)) = (block.data, block.event) else { panic!("{}", block.text) };
            let envelope = envelope(&data);
            assert_eq!(envelope.kind, kind);
            let position = envelope.position();
            assert_eq!(block.id, position.as_ref().map(ToString::to_string), "{}", block.text);
            if let Some(position) = position {
                return Event { position: position.n, frame: data };
            }
            assert_eq!(kind, "heartbeat");
        }
    }

    /// Reads to the proper end: how many events there were, and the last line.
    pub async fn read_to_end(&mut self) -> (usize, Option<String>) {
        let mut events = 0;
        while let Some(block) = self.block().await {
            events += usize::from(block.id.is_some());
        }
        (events, self.unread.lines().last().map(str::to_owned))
    }

    /// The events up to a position.
    pub async fn up_to(&mut self, position: u64) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        while events.last().is_none_or(|last| last.position < position) {
            events.push(self.event().await);
        }
        events
    }
}

/// Asks for a stream.
pub async fn request(raw: &mut Raw, query: &str, headers: &[(&str, &str)]) {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    raw.send(format!("GET /events{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n").as_bytes()).await;
}

async fn block(raw: &mut Raw, unread: &mut String) -> Option<Block> {
    loop {
        if let Some(end) = unread.find("\n\n") {
            let text: String = unread.drain(..end + 2).collect();
            return Some(Block::read(&text));
        }
        let chunk = raw.chunk().await.expect("the connection was cut");
        if chunk.is_empty() {
            // What a client reads without an event: comments and the time to wait.
            let events = unread.lines().any(|line| !line.starts_with(':') && !line.starts_with("retry: "));
            assert!(!events, "it ended within a block: {unread}");
            return None;
        }
        unread.push_str(&String::from_utf8(chunk).unwrap());
    }
}
