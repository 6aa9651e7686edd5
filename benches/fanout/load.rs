//! The load client: many sockets on one thread that read what is broadcast, and hold every one of them to having
//! got every message, in order, once.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::common::message::{self, Told};
use crate::common::ws::{self, Frame, Inbox};

/// Handshakes under way at once.
const IN_FLIGHT: usize = 256;

/// How long nothing may happen while something is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Load {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    clients: Vec<Client>,
    tally: Tally,
}

struct Client {
    socket: TcpStream,
    inbox: Inbox,
    requested: bool,
    /// Position of the last message.
    seen: u64,
}

/// What all clients got together.
#[derive(Default)]
struct Tally {
    open: usize,
    delivered: u64,
    bytes: u64,
    /// When each message was appended, by position - 1: read from its text only once.
    sent: Vec<i64>,
    /// Microseconds from append to reading.
    latencies: Vec<u32>,
}

/// What arrived.
pub(crate) struct Received {
    pub(crate) delivered: u64,
    pub(crate) bytes: u64,
    /// Microseconds, sorted.
    latencies: Vec<u32>,
}

impl Received {
    /// Latency in milliseconds that this share of the deliveries did not exceed.
    pub(crate) fn latency_ms(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * share) as usize).map_or(0.0, |us| f64::from(*us) / 1e3)
    }
}

impl Load {
    /// Opens the sockets and waits until every handshake is done.
    pub(crate) fn connect(port: u16, clients: u32) -> anyhow::Result<Self> {
        let clients = clients as usize;
        let mut load = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            buffer: vec![0; 1024 * 1024],
            clients: Vec::with_capacity(clients),
            tally: Tally::default(),
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let request = ws::request(port, "");
        while load.tally.open < clients {
            while load.clients.len() < clients && load.clients.len() - load.tally.open < IN_FLIGHT {
                let mut socket = TcpStream::connect(address).context("cannot connect")?;
                let token = Token(load.clients.len());
                load.poll.registry().register(&mut socket, token, Interest::WRITABLE)?;
                load.clients.push(Client { socket, inbox: Inbox::default(), requested: false, seen: 0 });
            }
            let open = load.tally.open;
            ensure!(load.turn(PATIENCE, &request)?, "no handshake is answered: {open} of {clients} are done");
        }
        Ok(load)
    }

    /// Reads for a while what nobody waits for: the greetings.
    pub(crate) fn settle(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.turn(left, "")?;
        }
        Ok(())
    }

    /// Reads until every client has `expected` messages.
    pub(crate) fn receive(&mut self, expected: u64) -> anyhow::Result<Received> {
        let all = expected * self.clients.len() as u64;
        let mut progress = (self.tally.delivered, Instant::now());
        while self.tally.delivered < all {
            self.turn(Duration::from_millis(200), "")?;
            if self.tally.delivered > progress.0 {
                progress = (self.tally.delivered, Instant::now());
            }
            let least = self.clients.iter().map(|client| client.seen).min().unwrap_or_default();
            ensure!(
                progress.1.elapsed() < PATIENCE,
                "messages were lost: {} of {all} arrived, {least} of {expected} at one client",
                self.tally.delivered
            );
        }
        let tally = std::mem::take(&mut self.tally);
        let mut latencies = tally.latencies;
        latencies.sort_unstable();
        Ok(Received { delivered: tally.delivered, bytes: tally.bytes, latencies })
    }

    /// Waits once and reads what came. `false` if nothing did.
    fn turn(&mut self, timeout: Duration, request: &str) -> anyhow::Result<bool> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            polled => polled?,
        }
        for event in &self.events {
            let Token(place) = event.token();
            let client = &mut self.clients[place];
            let stepped = if client.requested {
                client.read(&mut self.buffer, &mut self.tally)
            } else {
                client.ask(request, &self.poll, place)
            };
            stepped.with_context(|| format!("client {place}"))?;
        }
        Ok(!self.events.is_empty())
    }
}

impl Client {
    fn ask(&mut self, request: &str, poll: &Poll, place: usize) -> anyhow::Result<()> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error).context("cannot connect");
        }
        self.socket.set_nodelay(true)?;
        self.socket.write_all(request.as_bytes())?;
        self.requested = true;
        Ok(poll.registry().reregister(&mut self.socket, Token(place), Interest::READABLE)?)
    }

    /// Readiness is told once: reads until nothing is left, which a short read says for the price of no call.
    fn read(&mut self, buffer: &mut [u8], tally: &mut Tally) -> anyhow::Result<()> {
        loop {
            match self.socket.read(buffer) {
                Ok(0) => bail!("the server hung up after {} messages", self.seen),
                Ok(read) => {
                    self.take(&buffer[..read], tally)?;
                    if read < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8], tally: &mut Tally) -> anyhow::Result<()> {
        let now = Timestamp::now().as_microsecond();
        let Self { socket, inbox, seen, .. } = self;
        let was_open = inbox.is_open();
        inbox.take(bytes, |frame| {
            let text = match frame {
                Frame::Text(text) => text,
                Frame::Ping(payload) => return Ok(socket.write_all(&ws::pong(payload))?),
                Frame::Pong => return Ok(()),
                Frame::Close(reason) => bail!("the server closed it after {seen} messages: {reason}"),
            };
            let id = match message::read(text) {
                Told::Event(id) => id,
                Told::Control => return Ok(()),
                Told::Unknown => bail!("no event: {}", String::from_utf8_lossy(text)),
            };
            ensure!(id == *seen + 1, "message {id} follows {seen}: a gap or a repeat");
            *seen = id;
            tally.count(id, text, now)
        })?;
        tally.open += usize::from(!was_open && self.inbox.is_open());
        Ok(())
    }
}

impl Tally {
    fn count(&mut self, id: u64, text: &[u8], now: i64) -> anyhow::Result<()> {
        let place = id as usize - 1;
        if place == self.sent.len() {
            self.sent.push(message::sent_at(text).context("an event has no time")?);
        }
        self.delivered += 1;
        self.bytes += text.len() as u64;
        let sent = self.sent.get(place).context("a message more than was published")?;
        // The wall clock may be set back meanwhile.
        self.latencies.push(u32::try_from(now - sent).unwrap_or_default());
        Ok(())
    }
}
