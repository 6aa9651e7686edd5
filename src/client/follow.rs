//! Following a stream: reconnects, resumes after the last event, and reports what was lost.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::endpoint::Endpoint;
use super::error::ClientError;
use super::socket::{Socket, SocketEvent};
use crate::contract::{Envelope, Follows, Heartbeat, Message, Position, ResetReason, StreamOpened};

/// How long a server may be silent after the handshake. Until its first message it is not known how often it is heard.
const GREETING: Duration = Duration::from_secs(10);

/// What happens on a stream.
#[derive(Debug)]
pub enum Item {
    /// The first connection is open.
    Opened(StreamOpened),
    /// The next event. Each event comes once.
    Event {
        /// The event; its payload is not parsed yet.
        envelope: Box<Envelope>,
        /// The text of the frame.
        raw: String,
    },
    /// The server is alive, and everything up to its head has arrived.
    Heartbeat(Heartbeat),
    /// The events from position `from` to `to` did not arrive.
    Gap {
        /// First missing position.
        from: u64,
        /// Last missing position.
        to: u64,
    },
    /// The connection ended.
    Lost {
        /// Why it ended.
        reason: String,
        /// The wait before the next attempt.
        retry_in: Duration,
    },
    /// The connection is back.
    Back {
        /// How long the client was disconnected.
        away: Duration,
        /// How many events are replayed …
        replayed: u64,
        /// … up to this position.
        to: u64,
        /// How many events are lost for good; `None` if the stream is another one, so that this can't be known.
        lost: Option<u64>,
        /// Why the stream could not be resumed after the last event.
        reset: Option<ResetReason>,
    },
    /// Something that is not an event.
    NotAnEvent(String),
}

/// Follows one stream. The future of [`Follower::next`] may be dropped at any time: a later call continues the wait.
pub struct Follower {
    endpoint: Endpoint,
    reconnect: bool,
    link: Link,
    backoff: Backoff,
    /// Where the next connection resumes.
    after: Option<String>,
    position: Option<Position>,
    heartbeat: Option<Duration>,
    lost_at: Option<Instant>,
    opened_once: bool,
    /// The event after a gap, which is returned after the gap.
    behind_gap: Option<Item>,
}

/// The state of the connection. It holds absolute times and the handshake itself, so that nothing starts over when a
/// future of [`Follower::next`] is dropped.
enum Link {
    /// Connected; the last frame arrived at `heard`.
    Open {
        socket: Box<Socket>,
        heard: Instant,
        /// When the connection has to have said something, until it has.
        greets_by: Option<Instant>,
        /// How often it has sent `stream_opened`, which begins a connection.
        greetings: u32,
    },
    /// Disconnected; the next attempt is at this time.
    Waiting(Instant),
    Connecting(Pin<Box<dyn Future<Output = Result<Socket, ClientError>> + Send>>),
}

impl Link {
    fn opened(socket: Box<Socket>) -> Self {
        let now = Instant::now();
        Self::Open { socket, heard: now, greets_by: Some(now + GREETING), greetings: 0 }
    }
}

impl Follower {
    /// Connects. `after` is `STREAM/N`, `0` or nothing.
    ///
    /// # Errors
    /// The first connection fails. Only later connections are retried.
    pub async fn connect(
        endpoint: Endpoint,
        after: Option<String>,
        reconnect: bool,
    ) -> Result<Self, ClientError> {
        let socket = Box::new(Socket::connect(&endpoint, after.as_deref()).await?);
        let position = after.as_deref().and_then(|after| after.parse().ok());
        Ok(Self {
            endpoint,
            reconnect,
            link: Link::opened(socket),
            backoff: Backoff::default(),
            after,
            position,
            heartbeat: None,
            lost_at: None,
            opened_once: false,
            behind_gap: None,
        })
    }

    /// Position of the last event that arrived.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// Waits for the next item. `Ok(None)` when the connection has ended and reconnecting is off.
    ///
    /// # Errors
    /// The server refuses in a way that no retry changes.
    pub async fn next(&mut self) -> Result<Option<Item>, ClientError> {
        if let Some(event) = self.behind_gap.take() {
            return Ok(Some(event));
        }
        loop {
            match &mut self.link {
                Link::Waiting(_) if !self.reconnect => return Ok(None),
                Link::Waiting(until) => {
                    sleep_until(*until).await;
                    let (endpoint, after) = (self.endpoint.clone(), self.after.clone());
                    let connecting = async move { Socket::connect(&endpoint, after.as_deref()).await };
                    self.link = Link::Connecting(Box::pin(connecting));
                }
                Link::Connecting(connecting) => match connecting.as_mut().await {
                    Ok(socket) => self.link = Link::opened(Box::new(socket)),
                    Err(error) if error.is_passing() => return Ok(Some(self.lose(error.to_string()))),
                    Err(error) => return Err(error),
                },
                Link::Open { socket, heard, greets_by, .. } => {
                    // A server that is silent for two and a half heartbeat intervals is gone.
                    let patience = self.heartbeat.map(|heartbeat| heartbeat.mul_f64(2.5));
                    let is_greeted = greets_by.is_none();
                    let until = greets_by.or_else(|| patience.map(|patience| *heard + patience));
                    let silent = async {
                        match until {
                            Some(until) => sleep_until(until).await,
                            None => std::future::pending().await,
                        }
                    };
                    let received = tokio::select! {
                        received = socket.receive() => received,
                        () = silent => {
                            let why = if is_greeted { "no heartbeat" } else { "the server says nothing" };
                            return Ok(Some(self.lose(why.to_owned())));
                        }
                    };
                    *heard = Instant::now();
                    if matches!(received, SocketEvent::Text(_) | SocketEvent::Binary(_)) {
                        *greets_by = None;
                    }
                    if let Some(item) = self.received(received) {
                        return Ok(Some(item));
                    }
                }
            }
        }
    }

    fn received(&mut self, received: SocketEvent) -> Option<Item> {
        match received {
            SocketEvent::Text(raw) => self.take(raw),
            SocketEvent::Binary(length) => Some(Item::NotAnEvent(format!("{length} bytes of binary"))),
            SocketEvent::Alive => None,
            SocketEvent::Closed { code: Some(code), reason, .. } => {
                Some(self.lose(format!("{code} {reason}")))
            }
            SocketEvent::Closed { code: None, reason, .. } => Some(self.lose(reason)),
        }
    }

    fn lose(&mut self, reason: String) -> Item {
        self.lost_at.get_or_insert_with(Instant::now);
        let retry_in = self.backoff.next_wait();
        self.link = Link::Waiting(Instant::now() + retry_in);
        Item::Lost { reason, retry_in }
    }

    fn take(&mut self, raw: String) -> Option<Item> {
        let Ok(envelope) = serde_json::from_str::<Envelope>(&raw) else { return Some(Item::NotAnEvent(raw)) };
        match envelope.message() {
            Ok(Message::StreamOpened(opened)) => match self.greetings() {
                1 => Some(self.open(opened)),
                // Told once: a server that does it may do it without end.
                2 => Some(Item::NotAnEvent("a second stream_opened on one connection".to_owned())),
                _ => None,
            },
            Ok(Message::Heartbeat(heartbeat)) => Some(self.beat(heartbeat)),
            // An event with a payload that can't be parsed still has a position.
            _ => self.event(envelope, raw),
        }
    }

    /// How often this connection has greeted, with this time.
    fn greetings(&mut self) -> u32 {
        let Link::Open { greetings, .. } = &mut self.link else { return 1 };
        *greetings = greetings.saturating_add(1);
        *greetings
    }

    fn open(&mut self, opened: StreamOpened) -> Item {
        self.heartbeat = Some(Duration::from_millis(opened.heartbeat_ms));
        let (from, to) = opened.follows.range();
        let reset = match opened.follows {
            Follows::Reset { reason, .. } => Some(reason),
            _ => None,
        };
        let seen = self.position.replace(Position { stream: stream_of(&opened), n: from.saturating_sub(1) });
        self.remember();
        if !std::mem::replace(&mut self.opened_once, true) {
            return Item::Opened(opened);
        }
        let lost = match (reset, seen) {
            (Some(ResetReason::OtherStream | ResetReason::Ahead), _) | (_, None) => None,
            (_, Some(seen)) => Some(from.saturating_sub(seen.n + 1)),
        };
        let away = self.lost_at.take().map_or(Duration::ZERO, |lost_at| lost_at.elapsed());
        Item::Back { away, replayed: (to + 1).saturating_sub(from), to, lost, reset }
    }

    fn beat(&mut self, heartbeat: Heartbeat) -> Item {
        match &self.position {
            Some(position) if position.stream.as_str() == heartbeat.stream && heartbeat.head > position.n => {
                self.lose(format!(
                    "the server is at position {}, this client at {}",
                    heartbeat.head, position.n
                ))
            }
            _ => {
                // The backoff is reset by a heartbeat or an event, not by the handshake alone: a server may close at once.
                self.backoff.reset();
                Item::Heartbeat(heartbeat)
            }
        }
    }

    fn event(&mut self, envelope: Envelope, raw: String) -> Option<Item> {
        let position = envelope.position();
        let mut gap = None;
        if let (Some(position), Some(seen)) = (&position, &self.position)
            && position.stream == seen.stream
        {
            if position.n <= seen.n {
                return None;
            }
            if position.n > seen.n + 1 {
                gap = Some(Item::Gap { from: seen.n + 1, to: position.n - 1 });
            }
        }
        self.backoff.reset();
        if position.is_some() {
            self.position = position;
            self.remember();
        }
        let event = Item::Event { envelope: Box::new(envelope), raw };
        if gap.is_some() {
            self.behind_gap = Some(event);
            return gap;
        }
        Some(event)
    }

    fn remember(&mut self) {
        self.after = self.position.as_ref().map(Position::to_string);
    }
}

/// A malformed stream id becomes a fresh one, so that resuming gives a `reset` and never resumes at a wrong place.
fn stream_of(opened: &StreamOpened) -> crate::contract::StreamId {
    opened.stream.parse().unwrap_or_else(|_| crate::contract::StreamId::generate(0, 0))
}
