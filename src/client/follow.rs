//! Following a stream: reconnects, to another server if there are several, resumes after the last event, and reports what was
//! lost.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::Backoff;
use super::endpoints::Endpoints;
use super::error::ClientError;
use super::item::Item;
use super::socket::{Socket, SocketEvent};
use crate::contract::{
    Envelope, Follows, Heartbeat, Message, MessageType, Position, ResetReason, Source, StreamOpened,
};

/// How long a server may be silent after the handshake. Until its first message it is not known how often it is heard.
const GREETING: Duration = Duration::from_secs(10);

/// A server that is heard less often is not waited for any longer when it falls silent.
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(3_600);

/// How long one of several servers may take to open a connection, before the next one is tried.
const PATIENCE: Duration = Duration::from_secs(3);

/// Follows one stream. The future of [`Follower::next`] may be dropped at any time: a later call continues the wait.
pub struct Follower {
    endpoints: Endpoints,
    /// Why the servers could not be used that were tried since one of them said something.
    failures: Vec<ClientError>,
    reconnect: bool,
    link: Link,
    backoff: Backoff,
    /// Where the next connection resumes.
    after: Option<String>,
    position: Option<Position>,
    heartbeat: Option<Duration>,
    lost_at: Option<Instant>,
    opened_once: bool,
    /// A server is known to be there: whatever else answers in its place may be gone soon.
    was_there: bool,
    /// What has answered the last attempt to connect instead of a connection.
    refusal: Option<ClientError>,
    /// Whether it was told that a heartbeat of this connection can't be read.
    is_unread_told: bool,
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
    Connecting(Connecting),
}

type Connecting = Pin<Box<dyn Future<Output = Result<Socket, ClientError>> + Send>>;

impl Link {
    fn opened(socket: Box<Socket>) -> Self {
        let now = Instant::now();
        Self::Open { socket, heard: now, greets_by: Some(now + GREETING), greetings: 0 }
    }
}

impl Follower {
    /// Connects to one of the servers. `after` is `STREAM/N`, `0` or nothing. When the connection is lost, the next server is
    /// tried first.
    ///
    /// # Errors
    /// There is no first connection, to none of the servers. Only later connections are retried.
    pub async fn connect(
        endpoints: Endpoints,
        after: Option<String>,
        reconnect: bool,
    ) -> Result<Self, ClientError> {
        let mut failures = Vec::new();
        let socket = loop {
            match connecting(&endpoints, after.clone()).await {
                Ok(socket) => break Box::new(socket),
                Err(error) if !endpoints.are_several() || !error.is_of_one_server() => return Err(error),
                Err(error) => failures.push(error),
            }
            endpoints.advance();
            if failures.len() >= endpoints.all().len() {
                return Err(ClientError::NoServer(failures));
            }
        };
        Ok(Self::new(endpoints, after, reconnect, Link::opened(socket)))
    }

    /// As [`Follower::connect`] of servers of which the one in use has just answered: also the first connection is tried again.
    pub fn of_one_that_answers(endpoints: Endpoints, after: String) -> Self {
        let link = Link::Connecting(connecting(&endpoints, Some(after.clone())));
        Self { was_there: true, ..Self::new(endpoints, Some(after), true, link) }
    }

    fn new(endpoints: Endpoints, after: Option<String>, reconnect: bool, link: Link) -> Self {
        let position = after.as_deref().and_then(|after| after.parse().ok());
        Self {
            endpoints,
            failures: Vec::new(),
            reconnect,
            link,
            backoff: Backoff::default(),
            after,
            position,
            heartbeat: None,
            lost_at: None,
            opened_once: false,
            was_there: false,
            refusal: None,
            is_unread_told: false,
            behind_gap: None,
        }
    }

    /// Position of the last event that arrived.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// Why the last attempt to connect failed, if something has answered it: a server that is full, a proxy, or another program in the
    /// place of a server.
    pub fn refusal(&self) -> Option<&ClientError> {
        self.refusal.as_ref()
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
                    self.link = Link::Connecting(connecting(&self.endpoints, self.after.clone()));
                }
                Link::Connecting(connecting) => match connecting.as_mut().await {
                    Ok(socket) => (self.link, self.refusal) = (Link::opened(Box::new(socket)), None),
                    Err(error) => return self.failed(error).map(Some),
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

    /// An attempt to connect failed: says so and goes on.
    ///
    /// # Errors
    /// No later attempt will succeed, with none of the servers.
    fn failed(&mut self, error: ClientError) -> Result<Item, ClientError> {
        let is_passing = error.is_passing() || self.was_there && error.is_of_something_before_it();
        let reason = error.to_string();
        let refusal = Some(&error).filter(|error| error.is_an_answer()).cloned();
        if !self.endpoints.are_several() || !(is_passing || error.is_of_one_server()) {
            return if is_passing { Ok(self.refused(reason, refusal)) } else { Err(error) };
        }
        self.failures.push(error);
        if self.failures.len() >= self.endpoints.all().len() {
            let may_be_back =
                self.was_there && self.failures.iter().any(ClientError::is_of_something_before_it);
            let all = ClientError::NoServer(std::mem::take(&mut self.failures));
            if !(all.is_passing() || may_be_back) {
                return Err(all);
            }
        }
        Ok(self.refused(reason, refusal))
    }

    fn refused(&mut self, reason: String, refusal: Option<ClientError>) -> Item {
        let lost = self.lose(reason);
        self.refusal = refusal;
        lost
    }

    fn lose(&mut self, reason: String) -> Item {
        (self.refusal, self.is_unread_told) = (None, false);
        self.lost_at.get_or_insert_with(Instant::now);
        self.endpoints.advance();
        let retry_in = self.backoff.next_wait_among(self.endpoints.all().len());
        self.link = Link::Waiting(Instant::now() + retry_in);
        Item::Lost { reason, retry_in, next: self.endpoints.current().to_string() }
    }

    /// The server sends what it should.
    fn works(&mut self) {
        self.backoff.reset();
        self.failures.clear();
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
            // What it says of the stream can't be read. A newer server may do it with each heartbeat, which is told once.
            _ => match MessageType::from_name(&envelope.kind) {
                Some(MessageType::Heartbeat) if std::mem::replace(&mut self.is_unread_told, true) => None,
                Some(kind) if kind.is_control() => Some(Item::NotAnEvent(raw)),
                // A control message of a newer server.
                None if is_a_servers(&envelope) => None,
                // An event with a payload that can't be parsed still has a position.
                _ => self.event(envelope, raw),
            },
        }
    }

    /// How often this connection has greeted, with this time.
    fn greetings(&mut self) -> u32 {
        let Link::Open { greetings, .. } = &mut self.link else { return 1 };
        *greetings = greetings.saturating_add(1);
        *greetings
    }

    fn open(&mut self, opened: StreamOpened) -> Item {
        self.heartbeat = Some(Duration::from_millis(opened.heartbeat_ms).min(LONGEST_HEARTBEAT));
        let (from, to) = opened.follows.range();
        let reset = match opened.follows {
            Follows::Reset { reason, .. } => Some(reason),
            _ => None,
        };
        let (stream, seen) = (stream_of(&opened), self.position.take());
        // A server that knows no positions, or another one's, begins with what has come already: that does not come again.
        let begins = match &seen {
            Some(seen) if seen.stream == stream && matches!(reset, None | Some(ResetReason::Expired)) => {
                from.max(seen.n.saturating_add(1))
            }
            _ => from,
        };
        self.position = Some(Position { stream, n: begins.saturating_sub(1) });
        self.remember();
        self.was_there = true;
        if !std::mem::replace(&mut self.opened_once, true) {
            self.lost_at = None;
            return Item::Opened(opened);
        }
        let lost = match (reset, seen) {
            (Some(ResetReason::OtherStream | ResetReason::Ahead), _) | (_, None) => None,
            (_, Some(seen)) => Some(from.saturating_sub(seen.n.saturating_add(1))),
        };
        let away = self.lost_at.take().map_or(Duration::ZERO, |lost_at| lost_at.elapsed());
        let (server, replayed) =
            (self.endpoints.current().to_string(), to.saturating_add(1).saturating_sub(begins));
        Item::Back { server, away, replayed, to, lost, reset }
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
                self.works();
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
        self.works();
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

/// Whether it is a message about the stream and not an event in it.
fn is_a_servers(envelope: &Envelope) -> bool {
    let is_a_servers = matches!(envelope.source.parse(), Ok(Source::Server(_)));
    is_a_servers && envelope.subject.is_none() && envelope.index.is_none()
}

/// Connects to the server that is in use.
fn connecting(endpoints: &Endpoints, after: Option<String>) -> Connecting {
    let endpoint = endpoints.current().clone();
    let patience = if endpoints.are_several() { PATIENCE } else { Duration::MAX };
    Box::pin(async move {
        let connected = timeout(patience, Socket::connect(&endpoint, after.as_deref())).await;
        connected.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", PATIENCE.as_secs());
            Err(ClientError::Unreachable { url: endpoint.to_string(), why })
        })
    })
}

/// A malformed stream id becomes a fresh one, so that resuming gives a `reset` and never resumes at a wrong place.
fn stream_of(opened: &StreamOpened) -> crate::contract::StreamId {
    opened.stream.parse().unwrap_or_else(|_| crate::contract::StreamId::generate(0, 0))
}
