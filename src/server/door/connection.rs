//! The connection of a request: handlers read its address and state, and set how it continues.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::response::Response;
use bytes::Bytes;
use hyper::StatusCode;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::io::Io;
use super::lobby::WaitingSlot;

/// Takes over the bytes of a connection: what of the appended ones is still to be written, and what the client has sent
/// behind its request.
pub(in crate::server) type TakeOver = Box<dyn FnOnce(Io, Bytes, Vec<u8>) + Send>;

/// A connection, as an extension of every request that comes on it.
#[derive(Clone)]
pub(in crate::server) struct ConnectionInfo(Arc<Shared>);

struct Shared {
    peer: IpAddr,
    slot: Arc<WaitingSlot>,
    /// Bytes to write right behind the head of a response. Locked for single operations.
    appended: Mutex<Bytes>,
    /// Who goes on with the connection behind the head of the response. Locked for single operations.
    successor: Mutex<Option<Successor>>,
    handed_over: Notify,
    /// There is no HTTP connection.
    direct: AtomicBool,
    /// A response is ready and not written in full.
    responding: AtomicBool,
    /// The client has sent, or is sending, what no handler reads.
    unread: AtomicBool,
    /// A handler wants to know whether the client closes the connection.
    watched: AtomicBool,
    /// The client has closed the connection, or its side of it.
    closed: AtomicBool,
}

struct Successor {
    take_over: TakeOver,
    /// The head of the response is on its way.
    head_begun: bool,
}

impl ConnectionInfo {
    pub(super) fn new(peer: IpAddr, slot: Arc<WaitingSlot>) -> Self {
        let (appended, successor, handed_over) = Default::default();
        let (direct, responding, unread) = Default::default();
        let (watched, closed) = Default::default();
        Self(Arc::new(Shared {
            peer,
            slot,
            appended,
            successor,
            handed_over,
            direct,
            responding,
            unread,
            watched,
            closed,
        }))
    }

    /// The address that it comes from.
    pub(in crate::server) fn peer(&self) -> IpAddr {
        self.0.peer
    }

    /// Its slot among the connections that wait for a request.
    pub(in crate::server) fn slot(&self) -> &WaitingSlot {
        &self.0.slot
    }

    /// From now on it counts as a client of the stream and is never evicted for being silent.
    pub(in crate::server) fn becomes_stream(&self) {
        self.0.slot.stream();
    }

    /// Whether the client has sent, or is sending, what no handler reads.
    pub(super) fn set_unread(&self, unread: bool) {
        self.0.unread.store(unread, Ordering::Relaxed);
    }

    /// Whether closing now may cost the client its answer.
    pub(super) fn has_unread(&self) -> bool {
        self.0.unread.load(Ordering::Relaxed)
    }

    /// From now on until the next request it is looked whether the client closes the connection, whenever its task runs.
    pub(in crate::server) fn watch(&self) {
        self.0.watched.store(true, Ordering::Relaxed);
    }

    /// Whether that is to be looked at.
    pub(super) fn is_watched(&self) -> bool {
        self.0.watched.load(Ordering::Relaxed)
    }

    /// The client has closed it, or its side of it: which of both shows only once something is sent.
    pub(super) fn set_closed(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }

    /// Whether the client has closed it, or its side of it, as far as it was [watched](Self::watch).
    pub(in crate::server) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }

    /// A request has come: the connection is served, even if the response before is not written in full.
    pub(super) fn request_begins(&self) {
        self.set_unread(false);
        self.0.responding.store(false, Ordering::Relaxed);
        self.0.watched.store(false, Ordering::Relaxed);
        self.0.slot.serve();
    }

    /// Once the response is written, the connection waits for the next request.
    pub(super) fn response_is_ready(&self) {
        self.0.responding.store(true, Ordering::Relaxed);
    }

    /// Everything that was to be written is.
    pub(super) fn is_flushed(&self) {
        if self.0.responding.swap(false, Ordering::Relaxed) {
            self.0.slot.wait();
        }
    }

    /// Has these bytes written in one go with the head of the response, behind which HTTP ends on this connection. What does
    /// not fit stays with the socket.
    pub(in crate::server) fn append_to_head(&self, bytes: Bytes) {
        *self.0.appended.lock() = bytes;
    }

    /// The bytes that are to follow the head of the response.
    pub(super) fn appended(&self) -> Bytes {
        self.0.appended.lock().clone()
    }

    /// Takes the bytes that are still to be written, to write them in another way.
    pub(super) fn take_appended(&self) -> Bytes {
        std::mem::take(&mut self.0.appended.lock())
    }

    /// Once the head of the response is written, the connection is taken from HTTP and given to `take_over`. The body of the
    /// response must never yield anything.
    pub(in crate::server) fn hand_over(&self, take_over: TakeOver) {
        *self.0.successor.lock() = Some(Successor { take_over, head_begun: false });
    }

    /// Resolves when the connection was given away: HTTP is to forget it.
    pub(super) async fn handed_over(&self) {
        self.0.handed_over.notified().await;
    }

    /// Who takes the connection over behind a response that changes the protocol or begins the stream.
    pub(super) fn successor_of(&self, response: &Response) -> Option<TakeOver> {
        let successor = self.0.successor.lock().take()?;
        let begins = matches!(response.status(), StatusCode::SWITCHING_PROTOCOLS | StatusCode::OK);
        begins.then_some(successor.take_over)
    }

    /// Whether there is no HTTP connection: whatever takes the connection over gets all that the client has sent.
    pub(in crate::server) fn is_direct(&self) -> bool {
        self.0.direct.load(Ordering::Relaxed)
    }

    /// Whether there is no HTTP connection from now on.
    pub(super) fn set_direct(&self, direct: bool) {
        self.0.direct.store(direct, Ordering::Relaxed);
    }

    /// Bytes of a response were written.
    pub(super) fn was_written(&self) {
        if let Some(successor) = &mut *self.0.successor.lock() {
            successor.head_begun = true;
        }
    }

    /// Everything that HTTP has is written. Who takes the connection over now, if somebody does.
    pub(super) fn successor(&self) -> Option<TakeOver> {
        let mut successor = self.0.successor.lock();
        let Successor { take_over, .. } = successor.take_if(|successor| successor.head_begun)?;
        self.0.handed_over.notify_one();
        Some(take_over)
    }
}
