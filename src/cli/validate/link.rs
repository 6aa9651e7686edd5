//! One connection to a server, as observations.

use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, timeout};

use crate::check::{Closing, Observation, Purpose};
use crate::client::{ClientError, Ended, Endpoint, Socket, SocketEvent};

/// An observation with its connection and the moment at which it was made.
pub(super) type Seen = (u32, Instant, Observation);

/// A connection that is open.
pub(super) struct Link {
    number: u32,
    socket: Socket,
}

/// How opening a connection ended.
pub(super) enum Opened {
    /// It is open.
    Link(Link),
    /// The server refused it with an HTTP status.
    Refused(u16),
}

impl Link {
    /// Opens connection `number`, to resume after a position.
    pub(super) async fn open(
        number: u32,
        endpoint: &Endpoint,
        after: Option<&str>,
    ) -> Result<Opened, ClientError> {
        match Socket::connect(endpoint, after).await {
            Ok(socket) => Ok(Opened::Link(Self { number, socket })),
            Err(ClientError::Status { status, .. }) => Ok(Opened::Refused(status)),
            Err(error) => Err(error),
        }
    }

    /// Sends everything that arrives until the connection ends or nobody listens any more.
    pub(super) async fn follow(mut self, out: Sender<Seen>) {
        loop {
            let seen = tokio::select! {
                seen = self.next() => seen,
                () = out.closed() => return self.close().await,
            };
            let last = matches!(seen, Observation::Closed(_));
            if out.send((self.number, Instant::now(), seen)).await.is_err() || last {
                return self.close().await;
            }
        }
    }

    /// The next message, or the end.
    pub(super) async fn next(&mut self) -> Observation {
        loop {
            match self.socket.receive().await {
                SocketEvent::Text(text) => return Observation::Text(text),
                SocketEvent::Binary(bytes) => return Observation::Binary(bytes),
                SocketEvent::Alive => {}
                SocketEvent::Closed { code, reason, how } => {
                    return Observation::Closed(match how {
                        Ended::Closed => Closing::Frame(code, reason),
                        Ended::Lost => Closing::Lost(reason),
                        Ended::Protocol => Closing::Protocol(reason),
                    });
                }
            }
        }
    }

    pub(super) async fn close(self) {
        self.socket.close().await;
    }
}

/// Opens a connection and takes what arrives until `is_enough` says so of a text, the connection ends, or `limit` is over.
pub(super) async fn probe(
    number: u32,
    endpoint: &Endpoint,
    after: &str,
    purpose: Purpose,
    limit: Duration,
    mut is_enough: impl FnMut(&str) -> bool,
) -> Vec<Seen> {
    let mut seen = Vec::new();
    let listening = async {
        match Link::open(number, endpoint, Some(after)).await {
            Ok(Opened::Link(mut link)) => {
                seen.push((number, Instant::now(), Observation::Opened(purpose)));
                loop {
                    let next = link.next().await;
                    let enough = match &next {
                        Observation::Text(text) => is_enough(text),
                        _ => true,
                    };
                    seen.push((number, Instant::now(), next));
                    if enough {
                        break link.close().await;
                    }
                }
            }
            // The server has no room, or asks to come later: that says nothing about the position.
            Ok(Opened::Refused(429 | 503)) => {}
            Ok(Opened::Refused(status)) => {
                seen.push((number, Instant::now(), Observation::Refused(purpose, status)));
            }
            Err(error) => {
                let closing = Closing::Lost(error.to_string());
                seen.push((number, Instant::now(), Observation::Closed(closing)));
            }
        }
    };
    // What is missing until then is a finding.
    let _ = timeout(limit, listening).await;
    seen
}
