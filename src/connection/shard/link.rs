//! How other threads reach a shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::runtime::Handle;

use super::order::Order;
use crate::log_limiter::limited;

/// How long a new client waits at most for its shard. It has its opening already, and new frames wake the shard sooner.
const SOON: Duration = Duration::from_millis(2);

/// The queue of a shard's orders, and its waker.
pub(in crate::connection) struct Link {
    orders: Sender<Order>,
    waker: mio::Waker,
    /// The shard was woken and has not looked at its queue since: waking it again would cost a system call for nothing.
    awake: AtomicBool,
    /// The shard will be woken within [`SOON`].
    expected: AtomicBool,
    clients: AtomicUsize,
}

impl Link {
    pub(in crate::connection) fn new(orders: Sender<Order>, waker: mio::Waker) -> Self {
        Self { orders, waker, awake: false.into(), expected: false.into(), clients: 0.into() }
    }

    fn wake(&self) {
        if !self.awake.swap(true, Ordering::AcqRel)
            && let Err(error) = self.waker.wake()
        {
            limited!(error, "cannot wake a shard; it continues at its next tick", %error);
        }
    }

    /// The shard is awake: orders from now on wake it again.
    pub(super) fn is_awake(&self) {
        self.awake.store(false, Ordering::Release);
    }

    /// Frames were added. A client that comes later sees them when the shard takes it over.
    pub(in crate::connection) fn frames_were_added(&self) {
        // Sequentially consistent, as the counting is: either the new client is seen here, or the frames are seen there.
        if self.clients.load(Ordering::SeqCst) > 0 {
            self.wake();
        }
    }

    /// As [`Link::order`], for an order that can wait a moment: all orders of that moment share one wake-up, which costs
    /// as much as the rest of an order.
    pub(in crate::connection) fn order_soon(self: &Arc<Self>, order: Order, runtime: &Handle) {
        if self.orders.send(order).is_ok() && !self.expected.swap(true, Ordering::AcqRel) {
            let link = Arc::clone(self);
            runtime.spawn(async move {
                tokio::time::sleep(SOON).await;
                link.expected.store(false, Ordering::Release);
                link.wake();
            });
        }
    }

    /// Sends an order and wakes the shard. A shard that has ended has no clients, and ignores it.
    pub(in crate::connection) fn order(&self, order: Order) {
        if self.orders.send(order).is_ok() {
            self.wake();
        }
    }

    /// How many clients the shard has, those that it has not taken over yet included.
    pub(in crate::connection) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// A client is on its way to the shard.
    pub(in crate::connection) fn client_comes(&self) {
        self.clients.fetch_add(1, Ordering::SeqCst);
    }

    /// A client is gone.
    pub(super) fn client_left(&self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
    }
}
