//! Accepting: one task a connection, HTTP/1.1 with deadlines, until the server drains.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::admission::Admission;
use super::io::Io;
use super::lobby::{Lobby, Seat};
use super::socket::{Line, Socket};
use super::{App, routes};
use crate::metrics::Refusal;

/// Connections that are waited for at once: they have not said yet what they want.
const WAITING: usize = 1_024;

/// One stalled client holds at most this much in the kernel (it doubles the figure for bookkeeping).
const SEND_BUFFER: u32 = 64 * 1024;

/// Those that came too fast and are waited for, a moment, to be told so.
const TURNED_AWAY: usize = 256;

/// What TLS may hold that the socket did not take yet, which is one record.
const TLS_BUFFER: usize = 16 * 1024;

/// What is answered to who comes too fast.
const TOO_FAST: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\
    Connection: close\r\n\r\n";

/// How long somebody is waited for who is refused.
const MOMENT: Duration = Duration::from_secs(1);

/// What is answered to who speaks HTTP where TLS is spoken.
const TLS_ONLY: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 50\r\nConnection: close\r\n\r\nthis port speaks TLS only: use https:// or wss://\n";

/// The first byte of every TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// How connections are let in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How long a client may take to send a request's head, and how long it may be silent between two.
    pub(super) request_deadline: Duration,
    /// The largest head of a request.
    pub(super) header_bytes: usize,
    /// New connections a second from one address.
    pub(super) admit_rate: u32,
}

/// What every connection needs.
struct Door {
    app: Arc<App>,
    router: TowerToHyperService<Router>,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    lobby: Arc<Lobby>,
    admission: Admission,
    turned_away: Arc<Semaphore>,
}

pub(super) fn bind(address: SocketAddr, dead_after: Duration) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit all of it. Without the second a frame waits for the acknowledgement of the one before.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_nodelay(true)?;
    give_up_the_dead(&socket, dead_after);
    socket.bind(address)?;
    socket.listen(4096)
}

/// A machine that is gone acknowledges nothing, and nothing else tells it from one that is there: an event stream has
/// no pong.
#[cfg(target_os = "linux")]
fn give_up_the_dead(socket: &TcpSocket, after: Duration) {
    // Without it the system's own limit holds, of about a quarter of an hour.
    let _ = socket2::SockRef::from(socket).set_tcp_user_timeout(Some(after));
}

#[cfg(not(target_os = "linux"))]
fn give_up_the_dead(_: &TcpSocket, _: Duration) {}

/// Accepts for ever.
pub(super) async fn accept(listener: TcpListener, app: Arc<App>, tls: Option<TlsAcceptor>, limits: Limits) {
    let router = TowerToHyperService::new(routes::router(Arc::clone(&app)));
    let (lobby, admission) = (Lobby::new(WAITING), Admission::new(limits.admit_rate));
    let turned_away = Arc::new(Semaphore::new(TURNED_AWAY));
    let door = Arc::new(Door { app, router, tls, limits, lobby, admission, turned_away });
    loop {
        match listener.accept().await {
            // Whoever says nothing counts too.
            Ok((tcp, peer)) if !door.admission.admits(peer.ip(), Instant::now()) => {
                door.turn_away(tcp, peer.ip());
            }
            Ok((tcp, peer)) => {
                let seat = door.lobby.enter();
                let conversation = Arc::clone(&door).converse(tcp, peer.ip(), Arc::clone(&seat));
                door.app.connections.spawn(async move {
                    tokio::select! {
                        // Who has spoken is heard, even if its place was taken at the same time.
                        biased;
                        () = conversation => {}
                        () = seat.evicted() => tracing::debug!("a silent connection made room"),
                    }
                });
            }
            Err(error) => {
                // Out of descriptors, mostly: those that are open go on, and some will close.
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

impl Door {
    async fn converse(self: Arc<Self>, tcp: TcpStream, address: IpAddr, seat: Arc<Seat>) {
        let until = tokio::time::Instant::now() + self.limits.request_deadline;
        // Nothing is made for who says nothing.
        let Some(first) = timeout_at(until, first_byte(&tcp)).await.ok().flatten() else { return };
        // Boxed: who says nothing does not hold the room that speaking needs.
        Box::pin(async move {
            let io = match &self.tls {
                None => Io::Plain(tcp),
                Some(_) if first != HANDSHAKE => return refuse(tcp, TLS_ONLY).await,
                Some(tls) => match timeout_at(until, tls.accept(tcp)).await {
                    Ok(Ok(mut stream)) => {
                        stream.get_mut().1.set_buffer_limit(Some(TLS_BUFFER));
                        Io::Tls(Box::new(stream))
                    }
                    Ok(Err(error)) => return tracing::debug!(%error, "no TLS handshake"),
                    Err(_) => return,
                },
            };
            self.serve(io, Line::new(address, seat)).await;
        })
        .await;
    }

    /// Tells who comes too fast, if it asks at once and not too many are told already.
    fn turn_away(&self, tcp: TcpStream, address: IpAddr) {
        if let Some(unsaid) = self.app.refused(Refusal::Rate) {
            let (reason, status, unsaid) = (Refusal::Rate.as_str(), 429, (unsaid > 0).then_some(unsaid));
            tracing::info!(reason, status, %address, unsaid, "connection refused");
        }
        let Ok(place) = Arc::clone(&self.turned_away).try_acquire_owned() else { return };
        let encrypted = self.tls.is_some();
        self.app.connections.spawn(async move {
            let first = timeout(MOMENT, first_byte(&tcp)).await.ok().flatten();
            // A handshake is what is too much: who waits for one sees the end, and comes back.
            if first.is_some_and(|first| !encrypted || first != HANDSHAKE) {
                refuse(tcp, TOO_FAST).await;
            }
            drop(place);
        });
    }

    async fn serve(&self, io: Io, line: Line) {
        let socket = Socket::new(io, line.clone(), Arc::clone(&self.app));
        let service = service_fn(move |mut request: Request<Incoming>| {
            line.is_asked();
            request.extensions_mut().insert(line.clone());
            let (answer, line) = (self.router.call(request), line.clone());
            async move {
                let answer = answer.await;
                line.is_answered();
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.request_deadline)
            .max_buf_size(self.limits.header_bytes)
            .serve_connection(TokioIo::new(socket), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let mut drain = self.app.drain.clone();
        let ended = tokio::select! {
            ended = &mut connection => ended,
            // The guard that `wait_for` gives must not live across an await.
            () = async { drop(drain.wait_for(|drain| *drain).await) } => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended early");
        }
    }
}

/// The first byte that somebody says; it is read again. By its first byte: tokio takes every socket that was just
/// accepted for readable.
async fn first_byte(tcp: &TcpStream) -> Option<u8> {
    let mut first = [0];
    matches!(tcp.peek(&mut first).await, Ok(1)).then_some(first[0])
}

/// Says why before it closes. What was sent is read: a socket that is closed over unread bytes is reset.
async fn refuse(mut tcp: TcpStream, answer: &[u8]) {
    let mut request = [0; 4096];
    let _ = tcp.try_read(&mut request);
    // Whether it is heard or not, this is the end.
    let _ = timeout(MOMENT, tcp.write_all(answer)).await;
}
