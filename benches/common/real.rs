//! The real binary with its player, and one client that follows it with a clock of its own.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::message::{self, Told};
use crate::common::process::Process;
use crate::common::ws::{self, Frame, Inbox};

/// Heartbeats come every five seconds: a stream that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(20);

/// Longer than any event of a fast incident is due after another.
const QUIET: Duration = Duration::from_millis(700);

/// `incident serve` as users start it.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start(journal: &str) -> anyhow::Result<Self> {
        Self::start_with(journal, &[])
    }

    /// With further flags.
    pub(crate) fn start_with(journal: &str, flags: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_incident"));
        command.args(["serve", "--json", "--quiet", "--journal", journal]);
        if !flags.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        command.args(flags);
        // What a benchmark put into a journal stays in it.
        command.args(["--retain-events", "40000000"]);
        // Beside any scenarios/ folder: those that ship with the program are played.
        command.current_dir(std::env::temp_dir());
        let (process, line) = Process::start(&mut command)?;
        let ready: Value = serde_json::from_str(&line).context("`incident serve` did not get ready")?;
        let url = ready["url"].as_str().unwrap_or_default();
        let port = url.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
        Ok(Self { port: port.parse().context("the ready line has no port")?, process })
    }

    /// Starts an incident: `body` is what `POST /api/incidents` takes. Gives its id.
    pub(crate) fn trigger(&self, body: &Value) -> anyhow::Result<String> {
        let answer = self.request("POST /api/incidents", &body.to_string())?;
        ensure!(answer.starts_with("HTTP/1.1 202 "), "the trigger was refused: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").context("the answer has no body")?;
        let body: Value = serde_json::from_str(body)?;
        Ok(body["id"].as_str().context("the answer has no id")?.to_owned())
    }

    /// Ends an incident.
    pub(crate) fn cancel(&self, id: &str) -> anyhow::Result<()> {
        let answer = self.request(&format!("DELETE /api/incidents/{id}"), "")?;
        ensure!(answer.starts_with("HTTP/1.1 200 "), "{id} was not cancelled: {answer}");
        Ok(())
    }

    /// Sends a request and gives the whole answer.
    pub(crate) fn request(&self, what: &str, body: &str) -> anyhow::Result<String> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        write!(
            socket,
            "{what} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Starts incidents of `database-outage` and gives, for every event of all of them, the milliseconds from its
    /// append to its arrival at one client, sorted.
    pub(crate) fn waits(&self, incidents: u64, speed: f64) -> anyhow::Result<Vec<f64>> {
        let mut follower = self.follow("")?;
        thread::scope(|scope| {
            let triggers = scope.spawn(|| {
                for seed in 1..=incidents {
                    self.trigger(&json!({ "scenario": "database-outage", "seed": seed, "speed": speed }))?;
                }
                anyhow::Ok(())
            });
            let (mut waits, mut ended) = (Vec::new(), 0);
            while ended < incidents {
                let (_, event, _) = follower.next()?;
                waits.push(Timestamp::now().duration_since(event.time).as_secs_f64() * 1e3);
                ended += u64::from(event.kind == "incident_resolved");
            }
            triggers.join().ok().context("the triggers panicked")??;
            waits.sort_by(f64::total_cmp);
            Ok(waits)
        })
    }

    /// As [`Server::follow`], for a client that only counts.
    pub(crate) fn count(&self, query: &str) -> anyhow::Result<Counter> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(SILENCE))?;
        socket.write_all(ws::request(self.port, query).as_bytes())?;
        Ok(Counter { socket, inbox: Inbox::default(), position: 0, buffer: vec![0; 1024 * 1024] })
    }

    /// A client with a query of `/ws`; empty for one from now on.
    pub(crate) fn follow(&self, query: &str) -> anyhow::Result<Follower> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(SILENCE))?;
        socket.write_all(ws::request(self.port, query).as_bytes())?;
        let mut follower = Follower {
            socket,
            inbox: Inbox::default(),
            arrived: VecDeque::new(),
            buffer: vec![0; 256 * 1024],
        };
        while !follower.inbox.is_open() {
            follower.read()?;
        }
        Ok(follower)
    }
}

/// An event of the stream, as far as it is looked at.
#[derive(Deserialize)]
pub(crate) struct Event {
    id: String,
    source: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) time: Timestamp,
    #[serde(default)]
    pub(crate) subject: String,
    /// 0 on control messages.
    #[serde(default)]
    pub(crate) index: u64,
    pub(crate) data: Data,
}

#[derive(Deserialize)]
pub(crate) struct Data {
    #[serde(default)]
    pub(crate) offset_s: f64,
}

impl Event {
    /// Its place in the stream; `None` on control messages.
    fn position(&self) -> Option<u64> {
        self.source.starts_with("/streams/").then(|| self.id.parse().ok()).flatten()
    }
}

/// One socket that is read as soon as something is there.
pub(crate) struct Follower {
    socket: TcpStream,
    inbox: Inbox,
    /// Position, event, arrival.
    arrived: VecDeque<(u64, Event, Instant)>,
    buffer: Vec<u8>,
}

impl Follower {
    /// The next event of the stream with its position and its arrival.
    pub(crate) fn next(&mut self) -> anyhow::Result<(u64, Event, Instant)> {
        loop {
            if let Some(next) = self.arrived.pop_front() {
                return Ok(next);
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> anyhow::Result<()> {
        let read = self.socket.read(&mut self.buffer).context("the stream is silent")?;
        let now = Instant::now();
        ensure!(read > 0, "the server hung up");
        let Self { socket, inbox, arrived, buffer } = self;
        inbox.take(&buffer[..read], |frame| {
            match frame {
                Frame::Data(text) => {
                    let event: Event = serde_json::from_slice(text).context("no event")?;
                    if let Some(position) = event.position() {
                        arrived.push_back((position, event, now));
                    }
                }
                Frame::Ping(payload) => socket.write_all(&ws::pong(payload))?,
                Frame::Pong => {}
                Frame::Close(reason) => bail!("the server closed it: {reason}"),
            }
            Ok(())
        })
    }
}

/// A socket whose events are held to be gapless and not looked at any further: it costs next to nothing.
pub(crate) struct Counter {
    socket: TcpStream,
    inbox: Inbox,
    /// Of the newest event; 0 before the first.
    pub(crate) position: u64,
    buffer: Vec<u8>,
}

impl Counter {
    /// Reads until an event has this position.
    pub(crate) fn up_to(&mut self, position: u64) -> anyhow::Result<()> {
        while self.position < position {
            ensure!(self.read()?, "the stream is silent at {}", self.position);
        }
        Ok(())
    }

    /// Reads until nothing came for a while.
    pub(crate) fn until_quiet(&mut self) -> anyhow::Result<()> {
        self.socket.set_read_timeout(Some(QUIET))?;
        while self.read()? {}
        Ok(())
    }

    /// `false` if nothing came in time.
    fn read(&mut self) -> anyhow::Result<bool> {
        let read = match self.socket.read(&mut self.buffer) {
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        ensure!(read > 0, "the server hung up at {}", self.position);
        let Self { socket, inbox, position, buffer } = self;
        inbox.take(&buffer[..read], |frame| {
            match frame {
                Frame::Data(text) => {
                    if let Told::Event(id) = message::read(text) {
                        ensure!(*position == 0 || id == *position + 1, "{id} follows {position}");
                        *position = id;
                    }
                }
                Frame::Ping(payload) => socket.write_all(&ws::pong(payload))?,
                Frame::Pong => {}
                Frame::Close(reason) => bail!("the server closed it at {position}: {reason}"),
            }
            Ok(())
        })?;
        Ok(true)
    }
}
