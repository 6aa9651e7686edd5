//! The least a server can spend on a broadcast: one thread, and one `write` a client a message (or a batch).

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;

use crate::child::Order;
use crate::common::message;
use crate::common::ws;

/// How long a full socket is left alone. Clients read all the time, so this is rare unless they are the
/// bottleneck.
const FULL: Duration = Duration::from_micros(50);

pub(crate) fn run(clients: u32) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    let mut sockets = (0..clients).map(|_| shake_hands(&listener)).collect::<io::Result<Vec<_>>>()?;
    for line in io::stdin().lines() {
        publish(&mut sockets, &line?.parse()?)?;
    }
    Ok(())
}

fn shake_hands(listener: &TcpListener) -> io::Result<TcpStream> {
    let (mut socket, _) = listener.accept()?;
    socket.set_nodelay(true)?;
    let mut request = [0; 1024];
    let mut length = 0;
    while !request[..length].ends_with(b"\r\n\r\n") {
        match socket.read(&mut request[length..])? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => length += read,
        }
    }
    let accept = ws::ACCEPT;
    write!(
        socket,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn publish(sockets: &mut [TcpStream], order: &Order) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut next = 1;
    while next <= order.messages {
        if let Some(due) = order.due(start, next) {
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let last = order.messages.min(next + order.batch - 1);
        let now = Timestamp::now();
        let bytes: Vec<u8> = (next..=last).flat_map(|index| ws::text(&message::event(index, now))).collect();
        for socket in &mut *sockets {
            write_all(socket, &bytes).context("a client left the floor")?;
        }
        next = last + 1;
    }
    Ok(())
}

fn write_all(socket: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match socket.write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(FULL),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
