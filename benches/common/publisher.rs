//! A publisher: one kept connection, a request at a time.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};
use jiff::Timestamp;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The summary makes an event about as large as those of the other benchmarks: 400 bytes in the journal.
const FILL: usize = 96;

pub(crate) struct Publisher {
    socket: TcpStream,
    port: u16,
    number: u32,
    /// How many of its events were sent.
    pub(crate) sent: u64,
    buffer: Vec<u8>,
}

impl Publisher {
    /// Connects and starts an incident of its own.
    pub(crate) fn start(port: u16, number: u32) -> anyhow::Result<Self> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut publisher = Self { socket, port, number, sent: 0, buffer: vec![0; 64 * 1024] };
        publisher.publish(1)?;
        Ok(publisher)
    }

    /// The incident that it tells.
    pub(crate) fn subject(number: u32) -> String {
        format!("load-{number:05}")
    }

    /// Sends so many events at once, and waits until they are durable.
    pub(crate) fn publish(&mut self, events: u64) -> anyhow::Result<()> {
        let now = Timestamp::now();
        let mut body = String::with_capacity(400 * events as usize + 2);
        body.push('[');
        for number in 0..events {
            if number > 0 {
                body.push(',');
            }
            self.event(&mut body, now)?;
        }
        body.push(']');
        let head = format!(
            "POST /api/events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/cloudevents-batch+json\r\n\
             Content-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        self.socket.write_all((head + &body).as_bytes())?;
        self.answer(events)
    }

    fn event(&mut self, body: &mut String, now: Timestamp) -> anyhow::Result<()> {
        let (publisher, event) = (self.number, self.sent);
        self.sent += 1;
        write!(
            body,
            r#"{{"specversion":"1.0","id":"{event}","source":"/bench/{publisher}","subject":"{}","time":"{now:.6}","#,
            Self::subject(publisher)
        )?;
        if event == 0 {
            body.push_str(
                r#""type":"incident_started","data":{"title":"Load","severity":"SEV3","services":["load"]}}"#,
            );
        } else {
            write!(
                body,
                r#""type":"agent_action","data":{{"agent":"bench","action":"hypothesis_updated","status":"completed","summary":"{:x<FILL$}"}}}}"#,
                ""
            )?;
        }
        Ok(())
    }

    /// Reads one answer, which has stored all events anew.
    fn answer(&mut self, events: u64) -> anyhow::Result<()> {
        let mut filled = 0;
        loop {
            let read = self.socket.read(&mut self.buffer[filled..]).context("no answer")?;
            ensure!(read > 0, "the server hung up");
            filled += read;
            let text = std::str::from_utf8(&self.buffer[..filled])?;
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.context("the answer has no length")?.parse()?;
            if body.len() < length {
                continue;
            }
            let stored = format!("{{\"accepted\":{events},\"duplicates\":0,");
            ensure!(
                head.starts_with("HTTP/1.1 200 ") && body.starts_with(&stored),
                "not everything was stored: {text}"
            );
            return Ok(());
        }
    }
}
