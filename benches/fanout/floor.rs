//! The least a server can spend on a broadcast: one thread, and one `write` a client a message (or a batch). Over TLS it is the least
//! that a server with rustls can spend.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::certificate;
use crate::child::Order;
use crate::common::message;
use crate::common::ws;

/// How long a full socket is left alone. Clients read all the time, so this is rare unless they are the
/// bottleneck.
const FULL: Duration = Duration::from_micros(50);

pub(crate) fn run(clients: u32) -> anyhow::Result<()> {
    let config = certificate::told()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    let accepted = (0..clients).map(|_| Client::accept(&listener, config.as_ref()));
    let mut clients = accepted.collect::<anyhow::Result<Vec<_>>>()?;
    for line in io::stdin().lines() {
        publish(&mut clients, &line?.parse()?)?;
    }
    Ok(())
}

struct Client {
    socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

impl Client {
    fn accept(listener: &TcpListener, config: Option<&Arc<ServerConfig>>) -> anyhow::Result<Self> {
        let (mut socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        let mut tls =
            config.map(|config| ServerConnection::new(Arc::clone(config))).transpose()?.map(Box::new);
        match &mut tls {
            None => shake_hands(&mut socket)?,
            Some(tls) => shake_hands(&mut Stream::new(&mut **tls, &mut socket))?,
        }
        socket.set_nonblocking(true)?;
        Ok(Self { socket, tls })
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return write_all(bytes, |bytes| self.socket.write(bytes)) };
        write_all(bytes, |bytes| {
            let taken = tls.writer().write(bytes)?;
            while tls.wants_write() {
                match tls.write_tls(&mut self.socket) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(FULL),
                    written => drop(written?),
                }
            }
            Ok(taken)
        })
    }
}

fn shake_hands(stream: &mut (impl Read + Write)) -> io::Result<()> {
    let mut request = [0; 1024];
    let mut length = 0;
    while !request[..length].ends_with(b"\r\n\r\n") {
        match stream.read(&mut request[length..])? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => length += read,
        }
    }
    let accept = ws::ACCEPT;
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

fn publish(clients: &mut [Client], order: &Order) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut next = 1;
    while next <= order.messages {
        if let Some(due) = order.due(start, next) {
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let last = order.messages.min(next + order.batch - 1);
        let now = Timestamp::now();
        let bytes: Vec<u8> = (next..=last).flat_map(|index| ws::text(&message::event(index, now))).collect();
        for client in &mut *clients {
            client.send(&bytes).context("a client left the floor")?;
        }
        next = last + 1;
    }
    Ok(())
}

fn write_all(mut bytes: &[u8], mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
    while !bytes.is_empty() {
        match write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(FULL),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
