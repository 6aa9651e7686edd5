//! The clients of one shard: they are sent frames, read from, sent heartbeats, checked for deadlines and disconnected.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Interest, Registry, Token};
use slab::Slab;
use tokio_util::task::AbortOnDropHandle;

use super::context::ShardContext;
use super::counts::Counts;
use super::link::Link;
use super::order::Order;
use crate::connection::arrival::Arrival;
use crate::connection::behind::BATCH_BYTES;
use crate::connection::client::{Check, Client, Step};
use crate::connection::dialect::Batch;
use crate::connection::inbound::{Allowance, Heard};
use crate::connection::outgoing::Page;
use crate::contract::Position;
use crate::delivery::End;
use crate::hub::{JournalError, PAGE_BYTES, Paged};
use crate::log_limiter::limited;
use crate::metrics::{ByTransport, Tally};

/// The buffer for what clients send, shared by all clients of the shard.
const SCRATCH: usize = 16 * 1024;

/// Bytes of a page when many clients need one: about what a socket takes at once, so that little is read for nothing.
const SCARCE_PAGE: usize = 128 * 1024;

/// A shard's clients.
pub(super) struct Clients {
    registry: Registry,
    link: Arc<Link>,
    context: ShardContext,
    allowance: Allowance,
    counts: Counts,
    by_key: Slab<Client>,
    /// Every client at the head has been sent everything up to this position.
    head: u64,
    scratch: Vec<u8>,
    /// Keys of clients that may have more to read.
    unread: Vec<usize>,
    /// Keys of clients that wait for the head to reach their cursor.
    early: Vec<usize>,
    is_draining: bool,
}

impl Clients {
    pub(super) fn new(registry: Registry, link: Arc<Link>, context: ShardContext) -> Self {
        Self {
            registry,
            link,
            allowance: Allowance::new(context.settings, context.hub.heartbeat_interval()),
            counts: Counts::default(),
            by_key: Slab::new(),
            head: context.hub.ring_head(),
            scratch: vec![0; SCRATCH],
            context,
            unread: Vec::new(),
            early: Vec::new(),
            is_draining: false,
        }
    }

    /// Writes new frames to every client at the head.
    pub(super) fn broadcast(&mut self) {
        if self.by_key.is_empty() {
            self.head = self.context.hub.ring_head();
            return;
        }
        loop {
            let Some(frames) = self.context.hub.after(self.head, BATCH_BYTES) else {
                // The ring dropped frames that this shard has not sent yet: every client is behind now.
                self.fall_behind();
                break;
            };
            if frames.is_empty() {
                break;
            }
            let after = Position { stream: self.context.hub.stream().clone(), n: self.head };
            let batch = Batch::new(frames, after);
            let head = self.head;
            let mut ended = Vec::new();
            for (key, client) in &mut self.by_key {
                if !client.is_at_head() {
                    continue;
                }
                match client.broadcast(&batch, head, self.counts.sent(client.transport())) {
                    Ok(()) => watch(&self.registry, key, client),
                    Err(end) => ended.push((key, end)),
                }
            }
            self.head += batch.events();
            for (key, end) in ended {
                self.end(key, &end);
            }
        }
        for key in std::mem::take(&mut self.early) {
            if let Some(client) = self.by_key.get_mut(key) {
                client.is_early_no_more();
            }
            self.catch_up(key);
        }
    }

    fn fall_behind(&mut self) {
        let head = std::mem::replace(&mut self.head, self.context.hub.ring_head());
        let keys: Vec<usize> =
            self.by_key.iter().filter(|(_, client)| client.is_at_head()).map(|(key, _)| key).collect();
        for key in keys {
            self.by_key[key].queue(head);
            self.catch_up(key);
        }
    }

    /// Whether a client may have more to read, of which no event of its socket tells.
    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Reads from those clients.
    pub(super) fn read_unread(&mut self) {
        for key in std::mem::take(&mut self.unread) {
            self.read(key);
        }
    }

    /// Reads what a client sent, and sends the answers that the protocol requires.
    pub(super) fn read(&mut self, key: usize) {
        let Some(client) = self.by_key.get_mut(key) else { return };
        match client.hear(&mut self.scratch, &self.allowance) {
            Ok(heard) => {
                if heard == Heard::More {
                    self.unread.push(key);
                }
                if client.has_queued() {
                    client.queue(self.head);
                    self.catch_up(key);
                }
            }
            Err(end) => self.end(key, &end),
        }
    }

    /// Sends what a client misses, as far as its socket takes it.
    pub(super) fn catch_up(&mut self, key: usize) {
        let Some(client) = self.by_key.get_mut(key) else { return };
        let step = client.catch_up(&self.context.hub, self.head, self.counts.sent(client.transport()));
        watch(&self.registry, key, client);
        match step {
            Ok(Step::Waits) => {}
            Ok(Step::Early) => self.early.push(key),
            Ok(Step::NeedsPage(cursor)) => {
                let (hub, link) = (Arc::clone(&self.context.hub), Arc::clone(&self.link));
                let (id, network) = (client.id, client.network);
                let reading = self.context.runtime.spawn(async move {
                    let bytes = if hub.is_short_of_pages(network) { SCARCE_PAGE } else { PAGE_BYTES };
                    let page = hub.page(network, cursor, bytes).await;
                    link.order(Order::Paged { key, id, page });
                });
                client.reads(AbortOnDropHandle::new(reading));
            }
            Err(end) => self.end(key, &end),
        }
    }

    /// Takes a client over.
    pub(super) fn adopt(&mut self, arrival: Arrival, group: u8) {
        let after = Position {
            stream: self.context.hub.stream().clone(),
            n: arrival.beginning.cursor - arrival.beginning.events,
        };
        let (events, bytes) = (arrival.beginning.events, arrival.beginning.event_bytes);
        let mut client =
            Client::new(arrival, self.counts.admitted() + 1, group, &self.context.hub, &self.allowance);
        let entry = self.by_key.vacant_entry();
        let key = entry.key();
        if let Err(error) = self.registry.register(&mut client.wire.tcp, Token(key), Interest::READABLE) {
            limited!(error, "cannot poll a client's socket", %error);
            self.link.client_left();
            return;
        }
        self.counts.admit(client.transport());
        self.counts.sent(client.transport()).add(events, bytes);
        tracing::debug!(transport = client.transport().as_str(), %after, "client connected");
        let heard = client.hear_tail(&self.allowance);
        client.leaves_at = self.is_draining.then(Instant::now);
        if client.wire.may_hold_back() {
            self.unread.push(key);
        }
        entry.insert(client);
        match heard {
            Ok(()) => self.catch_up(key),
            Err(end) => self.end(key, &end),
        }
    }

    /// Takes a page that was read for a client.
    pub(super) fn take_page(&mut self, key: usize, id: u64, page: Result<Paged, JournalError>) {
        let Some(client) = self.by_key.get_mut(key).filter(|client| client.id == id) else { return };
        match page {
            Ok(Paged::Frames { frames, permit }) => {
                client.take_page(Page::new(frames, permit));
                self.catch_up(key);
            }
            Ok(Paged::Expired) => {
                let position = client.position(&self.context.hub, self.head);
                self.end(key, &End::Expired(position));
            }
            Err(error) => self.end(key, &End::Journal(error.to_string())),
        }
    }

    /// The figures of the clients at this moment.
    pub(super) fn tally(&self) -> ByTransport<Tally> {
        let (head, start) = (self.context.hub.ring_head(), self.context.hub.ring_start());
        let mut tallies = self.counts.tallies();
        // A client that is leaving was counted as gone already.
        for (_, client) in self.by_key.iter().filter(|(_, client)| !client.is_leaving()) {
            let tally = tallies.of_mut(client.transport());
            tally.clients += 1;
            tally.count_lag(client.cursor(self.head), head, start);
        }
        tallies
    }

    /// Every client has to leave, each at a random moment within that time, and a new one at once.
    pub(super) fn drain(&mut self, within: Duration) {
        self.is_draining = true;
        self.send_away(within);
    }

    /// Every client that is there has to leave, each at a random moment within that time.
    pub(super) fn send_away(&mut self, within: Duration) {
        let now = Instant::now();
        for (_, client) in &mut self.by_key {
            client.leaves_at = Some(now + within.mul_f64(crate::random::unit()));
        }
    }

    /// Clients that were to leave and are still there may stay, unless the server is stopping.
    pub(super) fn keep(&mut self) {
        if !self.is_draining {
            for (_, client) in &mut self.by_key {
                client.leaves_at = None;
            }
        }
    }

    /// The heartbeat of a group of clients.
    pub(super) fn beat(&mut self, group: u8) {
        let keys = self.by_key.iter().filter(|(_, client)| client.group == group);
        let keys: Vec<usize> = keys.map(|(key, _)| key).collect();
        if keys.is_empty() {
            return;
        }
        // One frame for all of them: it says the same to each.
        let heartbeat = self.context.hub.heartbeat(self.head);
        for key in keys {
            let Some(client) = self.by_key.get_mut(key) else { continue };
            match client.beat(&heartbeat, self.head) {
                Ok(()) => self.catch_up(key),
                Err(end) => self.end(key, &end),
            }
        }
    }

    /// Disconnects the clients that are too slow or have to leave.
    pub(super) fn check_deadlines(&mut self, now: Instant) {
        let mut ended = Vec::new();
        let sent_away = if self.is_draining { End::Restart } else { End::CutOff };
        for (key, client) in &mut self.by_key {
            match client.check(now, self.head, self.context.settings.write_deadline) {
                Check::Fine if client.is_leaving() => {}
                Check::Fine => ended.extend(client.dismissed(now, &sent_away).map(|end| (key, end))),
                Check::Slow => ended.push((key, End::Slow(client.position(&self.context.hub, self.head)))),
                Check::Gone => ended.push((key, End::Gone)),
            }
        }
        for (key, end) in ended {
            self.end(key, &end);
        }
    }

    /// Ends a client's stream, or forgets the client if it is leaving already or gone.
    fn end(&mut self, key: usize, end: &End) {
        let Some(client) = self.by_key.get_mut(key) else { return };
        if client.is_leaving() {
            return self.forget(key);
        }
        self.context.ends.of(client.transport()).record(end);
        if client.close(end) {
            // Its answer may have come already, of which no event will tell.
            self.unread.push(key);
        } else {
            self.forget(key);
        }
    }

    fn forget(&mut self, key: usize) {
        if let Some(mut client) = self.by_key.try_remove(key) {
            // Where closing a socket does not end its registration, this does.
            let _ = self.registry.deregister(&mut client.wire.tcp);
            drop(client);
            if self.by_key.is_empty() {
                // The room for thousands is not kept for those that may come some day.
                self.by_key = Slab::new();
            }
            self.link.client_left();
        }
    }
}

/// Once a socket was full for the first time, its events tell when it is writable again.
fn watch(registry: &Registry, key: usize, client: &mut Client) {
    if client.wire.is_to_be_watched() {
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = registry.reregister(&mut client.wire.tcp, Token(key), interest) {
            // The client is disconnected at the write deadline.
            limited!(error, "cannot poll a client's socket", %error);
        }
    }
}
