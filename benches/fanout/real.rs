//! The real binary with its player, and one client that follows it with a clock of its own.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::child::Process;
use crate::ws::{self, Frame, Inbox};

/// Heartbeats come every five seconds: a stream that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(20);

/// `incident serve` as users start it.
pub(crate) struct Server {
    _process: Process,
    port: u16,
}

impl Server {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_incident"));
        command.args(["serve", "--port", "0", "--json", "--quiet", "--journal", "memory"]);
        // Beside any scenarios/ folder: those that ship with the program are played.
        command.current_dir(std::env::temp_dir());
        let (process, line) = Process::start(&mut command)?;
        let ready: Value = serde_json::from_str(&line).context("`incident serve` did not get ready")?;
        let url = ready["url"].as_str().unwrap_or_default();
        let port = url.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
        Ok(Self { port: port.parse().context("the ready line has no port")?, _process: process })
    }

    /// Starts an incident: `body` is what `POST /api/incidents` takes.
    pub(crate) fn trigger(&self, body: &Value) -> anyhow::Result<()> {
        let body = body.to_string();
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        write!(
            socket,
            "POST /api/incidents HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 202 "), "the trigger was refused: {answer}");
        Ok(())
    }

    /// A client from now on.
    pub(crate) fn follow(&self) -> anyhow::Result<Follower> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(SILENCE))?;
        socket.write_all(ws::request(self.port).as_bytes())?;
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
    #[serde(default)]
    pub(crate) subject: String,
    pub(crate) data: Data,
}

#[derive(Deserialize)]
pub(crate) struct Data {
    /// 0 on control messages.
    #[serde(default)]
    pub(crate) index: u64,
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
                Frame::Text(text) => {
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
