//! The load client: many sockets on one thread that read what is broadcast, and hold every one of them to having
//! got every message, in order, once.

use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use jiff::Timestamp;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::certificate::Visitor;
use crate::common::message::{self, Told};
use crate::common::ws::{self, Frame};
use crate::dialect::{Dialect, Inbox};
use crate::tally::{Received, Tally};
use crate::wire::Wire;

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
    losses: Losses,
}

/// What it means when a message is missing or a client is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Losses {
    /// The end of the benchmark.
    Forbidden,
    /// A figure.
    Counted,
}

struct Client {
    wire: Wire,
    inbox: Inbox,
    dialect: Dialect,
    requested: bool,
    open: bool,
    /// Position of the last message.
    seen: u64,
    /// Why nothing comes any more, if so.
    ended: Option<String>,
}

impl Load {
    /// Opens the sockets and waits until every handshake is done. From then on every loss is an error.
    pub(crate) fn connect(port: u16, clients: u32) -> anyhow::Result<Self> {
        Self::connect_to(port, clients, Losses::Forbidden, &Dialect::Plain, &[])
    }

    /// As [`Load::connect`], to a server that may be allowed to lose messages and to cut clients off once all of them are
    /// there. Visitors come over TLS.
    pub(crate) fn connect_to(
        port: u16,
        clients: u32,
        losses: Losses,
        dialect: &Dialect,
        visitors: &[Visitor],
    ) -> anyhow::Result<Self> {
        let clients = clients as usize;
        let mut load = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            buffer: vec![0; 1024 * 1024],
            clients: Vec::with_capacity(clients),
            tally: Tally::default(),
            losses,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let request = dialect.request(port);
        while load.tally.open < clients {
            while load.clients.len() < clients && load.clients.len() - load.tally.open < IN_FLIGHT {
                let mut socket = TcpStream::connect(address).context("cannot connect")?;
                let token = Token(load.clients.len());
                load.poll.registry().register(&mut socket, token, Interest::WRITABLE)?;
                let tls = visitors.get(load.clients.len()).map(Visitor::session).transpose()?;
                load.clients.push(Client::new(Wire::new(socket, tls), dialect.clone()));
            }
            let open = load.tally.open;
            ensure!(load.turn(PATIENCE, &request)?, "no handshake is answered: {open} of {clients} are done");
            ensure!(load.tally.cut == 0, "clients are cut off before all of them are there");
        }
        Ok(load)
    }

    /// How many of the clients go on with an earlier TLS session.
    pub(crate) fn resumed(&self) -> usize {
        self.clients.iter().filter(|client| client.wire.is_resumed()).count()
    }

    /// Reads for a while what nobody waits for: the greetings.
    pub(crate) fn settle(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.turn(left, "")?;
        }
        Ok(())
    }

    /// Reads until every client has `expected` messages, or no more will come where losses are counted.
    pub(crate) fn receive(&mut self, expected: u64) -> anyhow::Result<Received> {
        let all = expected * self.clients.len() as u64;
        let mut progress = (self.tally.delivered, Instant::now());
        while self.clients.iter().any(|client| client.waits_for(expected)) {
            self.turn(Duration::from_millis(200), "")?;
            if self.tally.delivered > progress.0 {
                progress = (self.tally.delivered, Instant::now());
            }
            if progress.1.elapsed() < PATIENCE {
                continue;
            }
            let least = self.clients.iter().map(|client| client.seen).min().unwrap_or_default();
            ensure!(
                self.losses == Losses::Counted,
                "messages were lost: {} of {all} arrived, {least} of {expected} at one client",
                self.tally.delivered
            );
            break;
        }
        let mut tally = std::mem::take(&mut self.tally);
        // Beside the gaps, what those that are still there wait for in vain.
        let waiting = self.clients.iter().filter(|client| client.waits_for(expected));
        tally.lost += waiting.map(|client| expected - client.seen).sum::<u64>();
        Ok(tally.received())
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
            let stepped = if client.ended.is_some() {
                Ok(())
            } else if client.requested {
                client.read(&mut self.buffer, &mut self.tally, self.losses)
            } else {
                client.ask(request, &self.poll, place)
            };
            stepped.with_context(|| format!("client {place}"))?;
        }
        Ok(!self.events.is_empty())
    }
}

impl Client {
    fn new(wire: Wire, dialect: Dialect) -> Self {
        let inbox = dialect.inbox();
        Self { wire, inbox, dialect, requested: false, open: false, seen: 0, ended: None }
    }

    fn waits_for(&self, expected: u64) -> bool {
        self.seen < expected && self.ended.is_none()
    }

    fn ask(&mut self, request: &str, poll: &Poll, place: usize) -> anyhow::Result<()> {
        let socket = &mut self.wire.socket;
        if let Some(error) = socket.take_error()? {
            return Err(error).context("cannot connect");
        }
        socket.set_nodelay(true)?;
        poll.registry().reregister(socket, Token(place), Interest::READABLE)?;
        self.requested = true;
        Ok(self.wire.write(request.as_bytes())?)
    }

    /// Readiness is told once: reads until nothing is left, which a short read says for the price of no call.
    fn read(&mut self, buffer: &mut [u8], tally: &mut Tally, losses: Losses) -> anyhow::Result<()> {
        while self.ended.is_none() {
            match self.wire.socket.read(buffer) {
                Ok(0) => self.ended = Some("the server hung up".to_owned()),
                Ok(read) => {
                    match self.take(&buffer[..read], tally, losses) {
                        // Of an answer to a socket that is closed on the other side.
                        Err(error) if error.is::<io::Error>() => self.ended = Some(error.to_string()),
                        taken => taken?,
                    }
                    if read < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.ended = Some(error.to_string()),
            }
        }
        let Some(why) = &self.ended else { return Ok(()) };
        tally.cut += 1;
        match losses {
            Losses::Forbidden => Err(anyhow!("{why}, after {} messages", self.seen)),
            Losses::Counted => Ok(()),
        }
    }

    fn take(&mut self, raw: &[u8], tally: &mut Tally, losses: Losses) -> anyhow::Result<()> {
        let now = Timestamp::now().as_microsecond();
        let Self { wire, inbox, dialect, open, seen, ended, .. } = self;
        wire.understand(raw, |wire, bytes| {
            let was_shaken = inbox.is_open();
            inbox.take(bytes, |frame| {
                let payload = match frame {
                    Frame::Data(payload) => payload,
                    Frame::Ping(payload) => return Ok(wire.write(&ws::pong(payload))?),
                    Frame::Pong => return Ok(()),
                    Frame::Close(reason) => {
                        *ended = Some(format!("the server closed it: {reason}"));
                        return Ok(());
                    }
                };
                let answer = dialect.messages(payload, |text| {
                    let id = match message::read(text) {
                        Told::Event(id) => id,
                        Told::Control => return Ok(()),
                        Told::Unknown => bail!("no event: {}", String::from_utf8_lossy(text)),
                    };
                    let gap = id.checked_sub(*seen + 1).with_context(|| format!("{id} came again"))?;
                    ensure!(gap == 0 || losses == Losses::Counted, "message {id} follows {seen}: a gap");
                    tally.lost += gap;
                    *seen = id;
                    tally.count(id, text, now)
                })?;
                Ok(wire.write(&answer)?)
            })?;
            if !was_shaken && inbox.is_open() {
                wire.write(&dialect.opening())?;
            }
            if !*open && inbox.is_open() && dialect.is_open() {
                *open = true;
                tally.open += 1;
            }
            Ok(())
        })
    }
}
