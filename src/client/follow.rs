//! Following a stream: reconnects by itself, resumes where it was, and says what was lost.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Backoff, ClientError, Endpoint, Received, Socket};
use crate::contract::{Envelope, Follows, Heartbeat, Message, Position, ResetReason, StreamOpened};

/// What happens on a stream.
#[derive(Debug)]
pub enum Item {
    /// The first connection is open.
    Opened(StreamOpened),
    /// The next event. Each comes once.
    Event {
        /// The event, its payload unread.
        envelope: Box<Envelope>,
        /// The frame's text.
        raw: String,
    },
    /// The server is there and its head is here.
    Heartbeat(Heartbeat),
    /// Positions from `from` to `to` never came.
    Gap {
        /// First missing position.
        from: u64,
        /// Last missing position.
        to: u64,
    },
    /// The connection ended; the next attempt follows after `retry_in`.
    Lost {
        /// Why.
        reason: String,
        /// The wait before the next attempt.
        retry_in: Duration,
    },
    /// The connection is back.
    Back {
        /// How long it was away.
        away: Duration,
        /// Events that follow at once …
        replayed: u64,
        /// … up to this position.
        to: u64,
        /// Events that are gone for good; `None` when the stream is another one and nobody can say.
        lost: Option<u64>,
        /// Why it could not go on where it was.
        reset: Option<ResetReason>,
    },
    /// Something that is not an event.
    NotAnEvent(String),
}

/// Follows one stream. [`Follower::next`] may be dropped and called again at any time: what it waits for goes on.
pub struct Follower {
    endpoint: Endpoint,
    reconnect: bool,
    link: Link,
    backoff: Backoff,
    /// Where to go on.
    after: Option<String>,
    position: Option<Position>,
    heartbeat: Option<Duration>,
    lost_at: Option<Instant>,
    opened_once: bool,
    /// The event that showed a gap, told after it.
    behind_gap: Option<Item>,
}

/// How the connection stands. Moments are absolute and a handshake is kept, so that nothing starts over when the
/// wait for it is given up in between.
enum Link {
    /// Something last arrived at `heard`.
    Open {
        socket: Box<Socket>,
        heard: Instant,
    },
    /// The next attempt follows then.
    Waiting(Instant),
    Connecting(Pin<Box<dyn Future<Output = Result<Socket, ClientError>> + Send>>),
}

impl Follower {
    /// Connects. `after` is `STREAM/N`, `0` or nothing.
    ///
    /// # Errors
    /// When the first connection fails: nobody waits for a server that was never there.
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
            link: Link::Open { socket, heard: Instant::now() },
            backoff: Backoff::default(),
            after,
            position,
            heartbeat: None,
            lost_at: None,
            opened_once: false,
            behind_gap: None,
        })
    }

    /// Position of the last event that came.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// The next thing that happens. `Ok(None)` when the connection ended and reconnecting is off.
    ///
    /// # Errors
    /// When the server refuses for good.
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
                    Ok(socket) => self.link = Link::Open { socket: Box::new(socket), heard: Instant::now() },
                    Err(error) if error.is_passing() => return Ok(Some(self.lose(error.to_string()))),
                    Err(error) => return Err(error),
                },
                Link::Open { socket, heard } => {
                    // A server that promised a heartbeat and is silent for two and a half is gone.
                    let patience = self.heartbeat.map(|heartbeat| heartbeat.mul_f64(2.5));
                    let silent = async {
                        match patience {
                            Some(patience) => sleep_until(*heard + patience).await,
                            None => std::future::pending().await,
                        }
                    };
                    let received = tokio::select! {
                        received = socket.receive() => received,
                        () = silent => return Ok(Some(self.lose("no heartbeat".to_owned()))),
                    };
                    *heard = Instant::now();
                    if let Some(item) = self.received(received) {
                        return Ok(Some(item));
                    }
                }
            }
        }
    }

    fn received(&mut self, received: Received) -> Option<Item> {
        match received {
            Received::Text(raw) => self.take(raw),
            Received::Binary(length) => Some(Item::NotAnEvent(format!("{length} bytes of binary"))),
            Received::Alive => None,
            Received::Closed { code: Some(code), reason } => Some(self.lose(format!("{code} {reason}"))),
            Received::Closed { code: None, reason } => Some(self.lose(reason)),
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
            Ok(Message::StreamOpened(opened)) => Some(self.open(opened)),
            Ok(Message::Heartbeat(heartbeat)) => Some(self.beat(heartbeat)),
            // A payload that can't be read is still an event with a position.
            _ => self.event(envelope, raw),
        }
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
                self.lose(format!("the server is at {}, this end at {}", heartbeat.head, position.n))
            }
            _ => {
                // Only a connection that gives something ends the waiting: one that is closed at once does not.
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

/// A stream's name that can't be one is a stream of its own: resuming gives `reset`, never a wrong resume.
fn stream_of(opened: &StreamOpened) -> crate::contract::StreamId {
    opened.stream.parse().unwrap_or_else(|_| crate::contract::StreamId::generate(0, 0))
}
