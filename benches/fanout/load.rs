//! The load client: many sockets on one thread that read what is broadcast, and hold every one of them to having
//! got every message, in order, once.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use jiff::Timestamp;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::common::message::{self, Told};
use crate::common::ws::{self, Frame};
use crate::dialect::{Dialect, Inbox};
use crate::tally::{Received, Tally};

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
enum Losses {
    /// The end of the benchmark.
    Forbidden,
    /// A figure.
    Counted,
}

struct Client {
    socket: TcpStream,
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
        Self::open(port, clients, Losses::Forbidden, || Dialect::Plain)
    }

    /// As [`Load::connect`], as clients of the event stream.
    pub(crate) fn connect_to_events(port: u16, clients: u32) -> anyhow::Result<Self> {
        Self::open(port, clients, Losses::Forbidden, || Dialect::Events)
    }

    /// As [`Load::connect`], to a server that may lose messages and cut clients off once all of them are there.
    pub(crate) fn connect_to_peer(
        port: u16,
        clients: u32,
        dialect: impl Fn() -> Dialect,
    ) -> anyhow::Result<Self> {
        Self::open(port, clients, Losses::Counted, dialect)
    }

    fn open(port: u16, clients: u32, losses: Losses, dialect: impl Fn() -> Dialect) -> anyhow::Result<Self> {
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
        let request = dialect().request(port);
        while load.tally.open < clients {
            while load.clients.len() < clients && load.clients.len() - load.tally.open < IN_FLIGHT {
                let mut socket = TcpStream::connect(address).context("cannot connect")?;
                let token = Token(load.clients.len());
                load.poll.registry().register(&mut socket, token, Interest::WRITABLE)?;
                load.clients.push(Client::new(socket, dialect()));
            }
            let open = load.tally.open;
            ensure!(load.turn(PATIENCE, &request)?, "no handshake is answered: {open} of {clients} are done");
            ensure!(load.tally.cut == 0, "clients are cut off before all of them are there");
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
    fn new(socket: TcpStream, dialect: Dialect) -> Self {
        let inbox = dialect.inbox();
        Self { socket, inbox, dialect, requested: false, open: false, seen: 0, ended: None }
    }

    fn waits_for(&self, expected: u64) -> bool {
        self.seen < expected && self.ended.is_none()
    }

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
    fn read(&mut self, buffer: &mut [u8], tally: &mut Tally, losses: Losses) -> anyhow::Result<()> {
        while self.ended.is_none() {
            match self.socket.read(buffer) {
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

    fn take(&mut self, bytes: &[u8], tally: &mut Tally, losses: Losses) -> anyhow::Result<()> {
        let now = Timestamp::now().as_microsecond();
        let Self { socket, inbox, dialect, seen, ended, .. } = self;
        let was_shaken = inbox.is_open();
        inbox.take(bytes, |frame| {
            let payload = match frame {
                Frame::Data(payload) => payload,
                Frame::Ping(payload) => return Ok(socket.write_all(&ws::pong(payload))?),
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
            Ok(socket.write_all(&answer)?)
        })?;
        if !was_shaken && self.inbox.is_open() {
            self.socket.write_all(&self.dialect.opening())?;
        }
        if !self.open && self.inbox.is_open() && self.dialect.is_open() {
            self.open = true;
            tally.open += 1;
        }
        Ok(())
    }
}
