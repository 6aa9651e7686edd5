//! Accepting: one task for each connection, HTTP/1.1 with deadlines, until the server drains.

use std::cell::Cell;
use std::future::{poll_fn, ready};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::admission::Admission;
use super::connection::ConnectionInfo;
use super::direct;
use super::io::Io;
use super::listen::BACKLOG;
use super::lobby::{Lobby, WaitingSlot};
use super::refuse::{AllowsOrigin, DEADLINE, TLS_ONLY, refuse, too_fast};
use super::socket::{Deadlines, Socket};
use super::unread::Watched;
use crate::connection::TLS_BUFFER;
use crate::log_limiter::limited;
use crate::metrics::Refusal;
use crate::server::lifecycle::Lifecycle;
use crate::server::refusals::Refusals;

/// Connections over the rate that are answered at the same time; further ones are closed without an answer.
const ANSWERED: usize = 256;

/// When the server closes, a client that has connected just now is given this long to send its request: a proxy takes a connection
/// that ends without an answer for a server that fails, and passes that on for what it must not ask twice.
const JUST_CONNECTED: Duration = Duration::from_millis(500);

/// How long to wait for descriptors.
const RETRY_ACCEPT: Duration = Duration::from_millis(10);

/// Bytes that are read of a connection before it is known what it wants: the head of a handshake usually fits.
const FIRST_BYTES: usize = 2048;

/// The first byte of every TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// The limits of connections.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct DoorLimits {
    /// How long the head of a request may take, and how long a connection may be silent between two requests.
    pub(in crate::server) request_deadline: Duration,
    /// How long a full socket may take nothing of a response.
    pub(in crate::server) write_deadline: Duration,
    /// The largest head of a request.
    pub(in crate::server) header_bytes: usize,
    /// New connections a second from one address.
    pub(in crate::server) admit_rate: u32,
    /// Connections that wait for a request, at the same time.
    pub(in crate::server) waiting: usize,
    /// Connections of which a request is served, at the same time.
    pub(in crate::server) served: usize,
}

/// Answers requests for `/ws`, by the same rules as the router.
pub(in crate::server) type Handshake =
    Box<dyn Fn(Request<Body>) -> BoxFuture<'static, Response> + Send + Sync>;

/// What every connection needs.
pub(in crate::server) struct Door {
    router: TowerToHyperService<Router>,
    handshake: Option<Handshake>,
    tls: Option<TlsAcceptor>,
    limits: DoorLimits,
    lifecycle: Arc<Lifecycle>,
    refusals: Arc<Refusals>,
    lobby: Arc<Lobby>,
    admission: Admission,
    allows_origin: Arc<AllowsOrigin>,
    /// Bounds the connections over the rate that are answered.
    answered: Arc<Semaphore>,
}

impl Door {
    /// A door to the router and to what is in front of it, which speaks TLS if that is given.
    pub(in crate::server) fn new(
        (router, handshake): (Router, Option<Handshake>),
        tls: Option<Arc<rustls::ServerConfig>>,
        limits: DoorLimits,
        lifecycle: Arc<Lifecycle>,
        refusals: Arc<Refusals>,
        allows_origin: AllowsOrigin,
    ) -> Self {
        Self {
            router: TowerToHyperService::new(router),
            handshake,
            tls: tls.map(TlsAcceptor::from),
            limits,
            lifecycle,
            refusals,
            lobby: Lobby::new(limits.waiting, limits.served),
            admission: Admission::new(limits.admit_rate),
            allows_origin: Arc::new(allows_origin),
            answered: Arc::new(Semaphore::new(ANSWERED)),
        }
    }

    async fn converse(self: Arc<Self>, tcp: TcpStream, address: IpAddr, slot: Arc<WaitingSlot>) {
        let info = || ConnectionInfo::new(address, slot);
        let fresh = Instant::now() + JUST_CONNECTED;
        let Some(tls) = self.tls.clone() else {
            let mut io = Io::Plain(tcp);
            // Nothing is allocated for a connection that sends nothing.
            let Some(first) = self.in_time(fresh, first_bytes(&mut io)).await.flatten() else { return };
            // Boxed, so that a silent connection does not hold the memory that serving needs.
            return Box::pin(self.answer(io, first, info())).await;
        };
        let until = Instant::now() + self.limits.request_deadline;
        let Some(first) = self.in_time(fresh, first_byte(&tcp)).await.flatten() else { return };
        if first != HANDSHAKE {
            return Box::pin(refuse(tcp, |_| TLS_ONLY.to_vec())).await;
        }
        let shaken = self.in_time(fresh, timeout_at(until, Box::pin(tls.accept(tcp)))).await;
        let mut io = match shaken {
            Some(Ok(Ok(mut stream))) => {
                stream.get_mut().1.set_buffer_limit(Some(TLS_BUFFER));
                Io::Tls(Box::new(stream))
            }
            Some(Ok(Err(error))) => return tracing::debug!(%error, "TLS handshake failed"),
            Some(Err(_)) | None => return,
        };
        let Some(first) = self.in_time(fresh, first_bytes(&mut io)).await.flatten() else { return };
        Box::pin(self.answer(io, first, info())).await;
    }

    /// What a client that has asked for nothing yet does within the deadline; `None` if it does not, or if the server closes: such a client
    /// does not hold up its end, unless it has just connected.
    async fn in_time<T>(&self, fresh: Instant, doing: impl Future<Output = T>) -> Option<T> {
        let closed = async {
            self.lifecycle.closing().await;
            sleep_until(fresh).await;
        };
        tokio::select! {
            biased;
            done = timeout(self.limits.request_deadline, doing) => done.ok(),
            () = closed => None,
        }
    }

    /// Answers the first request of a connection, and those that follow. An HTTP connection is boxed, so that a client of the stream
    /// does not pay for its size.
    async fn answer(&self, mut io: Io, first: Bytes, info: ConnectionInfo) {
        let Some((mut request, length)) = direct::opening(&first) else {
            return Box::pin(self.serve(io, first, info, None)).await;
        };
        info.request_begins();
        info.set_direct(true);
        request.extensions_mut().insert(info.clone());
        let response = match &self.handshake {
            Some(shake) if request.uri().path() == "/ws" => shake(request).await,
            _ => self.router.call(request).await.unwrap_or_else(|never| match never {}),
        };
        info.set_direct(false);
        info.response_is_ready();
        let Some(take_over) = info.successor_of(&response) else {
            // HTTP writes the refusal, and goes on with the connection.
            return Box::pin(self.serve(io, first, info, Some(response))).await;
        };
        let opening = direct::head(&response, &info.take_appended());
        // What the socket does not take now, its next owner writes.
        let write = poll_fn(|cx| match Pin::new(&mut io).poll_write(cx, &opening) {
            Poll::Ready(written) => Poll::Ready(written),
            Poll::Pending => Poll::Ready(Ok(0)),
        });
        match write.await {
            Ok(written) => take_over(io, opening.slice(written..), first[length..].to_vec()),
            Err(error) => tracing::debug!(%error, "client lost at the head of its stream"),
        }
    }

    /// Answers a connection over the rate with 429, if it sends a request at once and not too many are being answered.
    fn turn_away(&self, tcp: TcpStream, address: IpAddr) {
        if let Some(unsaid) = self.refusals.count(Refusal::Rate) {
            let (reason, status, unsaid) = (Refusal::Rate.as_str(), 429, (unsaid > 0).then_some(unsaid));
            tracing::info!(reason, status, %address, unsaid, "connection refused");
        }
        let Ok(permit) = Arc::clone(&self.answered).try_acquire_owned() else { return };
        let (encrypted, allows_origin) = (self.tls.is_some(), Arc::clone(&self.allows_origin));
        self.lifecycle.connections.spawn(async move {
            let first = timeout(DEADLINE, first_byte(&tcp)).await.ok().flatten();
            // A TLS handshake is the expensive part, so it is not done for a refusal: the client sees the connection
            // close.
            if first.is_some_and(|first| !encrypted || first != HANDSHAKE) {
                refuse(tcp, |request| too_fast(request, encrypted, &allows_origin)).await;
            }
            drop(permit);
        });
    }

    /// Speaks HTTP on a connection of which `unread` was read. The response to the first request may be there already.
    async fn serve(&self, io: Io, unread: Bytes, info: ConnectionInfo, made: Option<Response>) {
        let made = Cell::new(made);
        // A client that goes on sending is treated as one that is silent.
        let deadlines = Deadlines { write: self.limits.write_deadline, rest: self.limits.request_deadline };
        let socket = Socket::new((io, unread), info.clone(), Arc::clone(&self.lifecycle), deadlines);
        let served = info.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            served.request_begins();
            request.extensions_mut().insert(served.clone());
            let info = served.clone();
            let answer = match made.take() {
                Some(made) => Either::Left(ready(Ok(made))),
                None => {
                    let info = served.clone();
                    Either::Right(self.router.call(request.map(|body| Watched::new(body, info))))
                }
            };
            async move {
                let answer = answer.await;
                info.response_is_ready();
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // A client may close its side behind the request, and still reads the answer (RFC 9112, 9.6).
            .half_close(true)
            .header_read_timeout(self.limits.request_deadline)
            .max_buf_size(self.limits.header_bytes)
            .serve_connection(TokioIo::new(socket), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            // A request that has come is read before the connection is told to end.
            biased;
            ended = &mut connection => ended,
            () = info.handed_over() => return,
            () = self.lifecycle.closing() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = info.handed_over() => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "HTTP connection failed");
        }
    }
}

/// Lets a connection in.
fn enter(door: &Arc<Door>, tcp: TcpStream, address: IpAddr) {
    // Silent connections count too.
    if !door.admission.admits(address, Instant::now()) {
        return door.turn_away(tcp, address);
    }
    let slot = door.lobby.enter(address);
    let conversation = Arc::clone(door).converse(tcp, address, Arc::clone(&slot));
    door.lifecycle.connections.spawn(async move {
        tokio::select! {
            // A request that came wins over an eviction at the same moment.
            biased;
            () = conversation => {}
            () = slot.evicted() => tracing::debug!("a connection was closed for a new one"),
        }
    });
}

/// Accepts connections until the server closes. Those that the system has accepted by then are let in: to close the socket would reset
/// them.
pub(in crate::server) async fn accept(listener: TcpListener, door: Arc<Door>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = door.lifecycle.closing() => break,
        };
        match accepted {
            Ok((tcp, peer)) => enter(&door, tcp, peer.ip()),
            Err(error) => {
                // Mostly out of descriptors.
                limited!(warn, "cannot accept a connection", %error);
                door.lobby.make_room();
                sleep(RETRY_ACCEPT).await;
            }
        }
    }
    let Ok(listener) = listener.into_std() else { return };
    // No more than wait: who goes on connecting does not hold up the end.
    for _ in 0..BACKLOG {
        let Ok((tcp, peer)) = listener.accept() else { return };
        if let Ok(tcp) = tcp.set_nonblocking(true).and_then(|()| TcpStream::from_std(tcp)) {
            enter(&door, tcp, peer.ip());
        }
    }
}

/// The first bytes that the client sends.
async fn first_bytes(io: &mut Io) -> Option<Bytes> {
    let read = poll_fn(|cx| {
        // Not held while waiting.
        let mut first = [0; FIRST_BYTES];
        let mut read = ReadBuf::new(&mut first);
        let polled = Pin::new(&mut *io).poll_read(cx, &mut read);
        polled.map_ok(|()| Bytes::copy_from_slice(read.filled()))
    });
    read.await.ok().filter(|first| !first.is_empty())
}

/// The first byte that the client sends, which stays in the socket. Peeked: tokio takes every socket that was just
/// accepted for readable.
async fn first_byte(tcp: &TcpStream) -> Option<u8> {
    let mut first = [0];
    matches!(tcp.peek(&mut first).await, Ok(1)).then_some(first[0])
}
