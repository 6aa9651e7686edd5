//! The connection of a request: handlers read its address and state, and set how it continues.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::lobby::WaitingSlot;

/// A connection, as an extension of every request that comes on it.
#[derive(Clone)]
pub(in crate::server) struct ConnectionInfo(Arc<Shared>);

struct Shared {
    peer: IpAddr,
    slot: Arc<WaitingSlot>,
    /// Bytes to write right behind the head of a response. Locked for single operations.
    appended: Mutex<Bytes>,
    /// A response is ready and not written in full.
    responding: AtomicBool,
    stalled: AtomicBool,
    broken: AtomicBool,
}

impl ConnectionInfo {
    pub(super) fn new(peer: IpAddr, slot: Arc<WaitingSlot>) -> Self {
        let appended = Mutex::default();
        let (responding, stalled, broken) = Default::default();
        Self(Arc::new(Shared { peer, slot, appended, responding, stalled, broken }))
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

    /// A request has come: the connection is served, even if the response before is not written in full.
    pub(super) fn request_begins(&self) {
        self.0.responding.store(false, Ordering::Relaxed);
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

    /// Has these bytes written in one go with the head of the response that changes the protocol. What does not fit
    /// stays with the socket.
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

    /// Whether it was closed because the client took nothing for the write deadline.
    pub(in crate::server) fn is_stalled(&self) -> bool {
        self.0.stalled.load(Ordering::Relaxed)
    }

    /// It is closed because the client took nothing.
    pub(super) fn stalls(&self, stalled: bool) {
        self.0.stalled.store(stalled, Ordering::Relaxed);
    }

    /// Whether it broke: the client did not close it properly.
    pub(in crate::server) fn is_broken(&self) -> bool {
        self.0.broken.load(Ordering::Relaxed)
    }

    /// Reading or writing failed.
    pub(super) fn breaks(&self) {
        self.0.broken.store(true, Ordering::Relaxed);
    }
}
