//! The thread of a shard: it polls its sockets, takes orders, and keeps heartbeats and deadlines.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use tokio::runtime::Handle;

use super::clients::Clients;
use super::context::ShardContext;
use super::link::Link;
use super::order::Order;
use crate::connection::schedule::Schedule;
use crate::log_limiter::limited;

/// The token of the shard's own waker; the token of a client is its key.
pub(in crate::connection) const WAKE: Token = Token(usize::MAX);

/// A shard before its thread runs.
pub(in crate::connection) struct Shard {
    poll: Poll,
    link: Arc<Link>,
    inbox: Receiver<Order>,
    runtime: Handle,
    clients: Clients,
    schedule: Schedule,
}

impl Shard {
    /// # Errors
    /// The operating system gives no further descriptor.
    pub(in crate::connection) fn new(
        poll: Poll,
        link: Arc<Link>,
        inbox: Receiver<Order>,
        context: ShardContext,
    ) -> std::io::Result<Self> {
        let schedule = Schedule::new(context.hub.heartbeat_interval(), context.settings.write_deadline);
        let runtime = context.runtime.clone();
        let clients = Clients::new(poll.registry().try_clone()?, Arc::clone(&link), context);
        Ok(Self { poll, link, inbox, runtime, clients, schedule })
    }

    /// Serves until it is ordered to stop.
    pub(in crate::connection) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        // Dropping a client's lease reads the runtime's clock.
        let runtime = self.runtime.clone();
        let _entered = runtime.enter();
        loop {
            let rest = if self.clients.has_unread() { Duration::ZERO } else { self.schedule.rest() };
            if let Err(error) = self.poll.poll(&mut events, Some(rest))
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                limited!(error, "cannot poll the clients' sockets", %error);
                std::thread::sleep(Duration::from_millis(50));
            }
            // Before anything else: an order that comes from now on wakes the shard again.
            self.link.is_awake();
            // New frames first, because every client waits for them.
            self.clients.broadcast();
            self.clients.read_unread();
            for event in &events {
                if event.token() == WAKE {
                    continue;
                }
                let Token(key) = event.token();
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    self.clients.read(key);
                }
                if event.is_writable() {
                    self.clients.catch_up(key);
                }
            }
            if !self.take_orders() {
                return;
            }
            self.tick();
        }
    }

    /// `false` if the thread is to end.
    fn take_orders(&mut self) -> bool {
        while let Ok(order) = self.inbox.try_recv() {
            match order {
                Order::Adopt(arrival) => self.clients.adopt(*arrival, self.schedule.group()),
                Order::Paged { key, id, page } => self.clients.take_page(key, id, page),
                // The caller may have stopped waiting.
                Order::Tally(answer) => drop(answer.send(self.clients.tally())),
                Order::Drain(within) => {
                    self.schedule.hurry();
                    self.clients.drain(within);
                }
                Order::SendAway(within) => self.clients.send_away(within),
                Order::Keep => self.clients.keep(),
                Order::Stop => return false,
            }
        }
        true
    }

    /// Heartbeats and deadlines.
    fn tick(&mut self) {
        let now = Instant::now();
        while let Some(group) = self.schedule.beat(now) {
            self.clients.beat(group);
        }
        if self.schedule.is_due(now) {
            self.clients.check_deadlines(now);
        }
    }
}
