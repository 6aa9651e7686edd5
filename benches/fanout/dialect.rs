//! How a load client speaks once the WebSocket handshake is done: what it says first, and where the messages are.

use anyhow::{Context, bail, ensure};

use crate::common::events;
use crate::common::ws::{self, Frame};

/// What a NATS client says: it waits for the answer to its ping, as then it is subscribed.
const SUBSCRIBE: &[u8] = b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB all 1\r\nPING\r\n";

/// What was read and is not whole yet.
pub(crate) enum Inbox {
    WebSocket(ws::Inbox),
    Events(events::Inbox),
}

impl Inbox {
    /// Whether the handshake is done.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::WebSocket(inbox) => inbox.is_open(),
            Self::Events(inbox) => inbox.is_open(),
        }
    }

    /// Takes what was read and calls `each` for everything that is whole with it.
    pub(crate) fn take(
        &mut self,
        fresh: &[u8],
        mut each: impl FnMut(Frame<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::WebSocket(inbox) => inbox.take(fresh, each),
            Self::Events(inbox) => {
                inbox.take(fresh, |data| each(Frame::Data(data)))?;
                if inbox.has_ended() { each(Frame::Close("the response ended".into())) } else { Ok(()) }
            }
        }
    }
}

/// One client's side of the talk.
#[derive(Clone)]
pub(crate) enum Dialect {
    /// A text frame is a message; nothing is said first. Ours, and most peers'.
    Plain,
    /// An event stream: no WebSocket at all.
    Events,
    /// The NATS protocol, in binary frames that may begin and end anywhere in it.
    Nats(Nats),
}

/// What a NATS client knows.
#[derive(Clone, Default)]
pub(crate) struct Nats {
    /// What is not a whole line or message yet.
    tail: Vec<u8>,
    subscribed: bool,
}

impl Dialect {
    pub(crate) fn inbox(&self) -> Inbox {
        match self {
            Self::Plain => Inbox::WebSocket(ws::Inbox::default()),
            Self::Nats(_) => Inbox::WebSocket(ws::Inbox::binary()),
            Self::Events => Inbox::Events(events::Inbox::default()),
        }
    }

    /// What the client sends first.
    pub(crate) fn request(&self, port: u16) -> String {
        match self {
            Self::Plain | Self::Nats(_) => ws::request(port, ""),
            Self::Events => events::request(port),
        }
    }

    /// What follows the handshake.
    pub(crate) fn opening(&self) -> Vec<u8> {
        match self {
            Self::Plain | Self::Events => Vec::new(),
            Self::Nats(_) => ws::binary(SUBSCRIBE),
        }
    }

    /// Whether messages can come now, given that the handshake is done.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Plain | Self::Events => true,
            Self::Nats(nats) => nats.subscribed,
        }
    }

    /// Calls `each` for every message that is whole with this frame; gives what has to be answered.
    pub(crate) fn messages(
        &mut self,
        payload: &[u8],
        mut each: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Plain | Self::Events => each(payload).map(|()| Vec::new()),
            Self::Nats(nats) => nats.take(payload, each),
        }
    }
}

impl Nats {
    fn take(
        &mut self,
        payload: &[u8],
        mut each: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<u8>> {
        let mut joined = std::mem::take(&mut self.tail);
        let mut bytes = if joined.is_empty() {
            payload
        } else {
            joined.extend_from_slice(payload);
            &joined
        };
        let mut answer = Vec::new();
        while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
            let (line, rest) = (std::str::from_utf8(&bytes[..end])?, &bytes[end + 2..]);
            bytes = match line.split(' ').next().unwrap_or_default() {
                // MSG SUBJECT SUBSCRIPTION LENGTH, then the message.
                "MSG" => {
                    let length = line.rsplit(' ').next().and_then(|length| length.parse::<usize>().ok());
                    let length = length.context("a MSG line ends with its length")?;
                    let Some((message, rest)) = rest.split_at_checked(length + 2) else { break };
                    ensure!(message.ends_with(b"\r\n"), "broken framing: a message is longer than it says");
                    each(&message[..length])?;
                    rest
                }
                "PING" => {
                    answer.extend_from_slice(&ws::binary(b"PONG\r\n"));
                    rest
                }
                "PONG" => {
                    self.subscribed = true;
                    rest
                }
                "INFO" => rest,
                // The hang-up follows, and is what counts.
                "-ERR" if line.contains("Slow Consumer") => rest,
                _ => bail!("nats-server says: {line}"),
            };
        }
        self.tail = bytes.to_vec();
        Ok(answer)
    }
}
