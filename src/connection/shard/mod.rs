//! One thread and its sockets.

mod orders;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::behind::BATCH_BYTES;
use super::client::{Client, Look, Sent, Step};
use super::inbound::{Allowance, Heard};
use super::outgoing::Batch;
use super::schedule::Schedule;
use super::{End, Link, Settings};
use crate::hub::{Hub, PAGE_BYTES};
use crate::metrics::{Metrics, Transport};
use crate::seldom::Seldom;

pub(super) use orders::Order;

/// The token of the shard's own waker; clients have their place as theirs.
pub(super) const WAKE: Token = Token(usize::MAX);

/// The shard's buffer for what clients say.
const SCRATCH: usize = 16 * 1024;

/// Bytes of a page when many want one: what a socket takes at once, so that little is read in vain.
const SCARCE_PAGE: usize = 128 * 1024;

/// What a shard works with, and shares with others.
pub(super) struct World {
    pub(super) hub: Arc<Hub>,
    pub(super) metrics: Arc<Metrics>,
    /// Ends by their code.
    pub(super) ends_said: Arc<Seldom<u16>>,
    pub(super) settings: Settings,
    /// Where pages are read.
    pub(super) runtime: Handle,
}

pub(super) struct Shard {
    poll: Poll,
    link: Arc<Link>,
    inbox: Receiver<Order>,
    world: World,
    allowance: Allowance,
    /// What was sent since the start.
    sent: Sent,
    admitted: u64,
    clients: Slab<Client>,
    /// Every client at the head has everything up to here.
    head: u64,
    scratch: Vec<u8>,
    schedule: Schedule,
    /// Clients of which more may be there to read.
    unread: Vec<usize>,
    /// Clients that wait for the head to reach their cursor.
    early: Vec<usize>,
    draining: Option<Duration>,
}

impl Shard {
    pub(super) fn new(poll: Poll, link: Arc<Link>, inbox: Receiver<Order>, world: World) -> Self {
        let heartbeat = world.hub.heartbeat_interval();
        Self {
            poll,
            link,
            inbox,
            allowance: Allowance::new(world.settings, heartbeat),
            sent: Sent::default(),
            admitted: 0,
            clients: Slab::new(),
            head: world.hub.ring_head(),
            scratch: vec![0; SCRATCH],
            schedule: Schedule::new(heartbeat, world.settings.write_deadline),
            world,
            unread: Vec::new(),
            early: Vec::new(),
            draining: None,
        }
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        // What clients hold may look at the runtime's clock when it is dropped.
        let runtime = self.world.runtime.clone();
        let _entered = runtime.enter();
        loop {
            let rest = if self.unread.is_empty() { self.schedule.rest() } else { Duration::ZERO };
            if let Err(error) = self.poll.poll(&mut events, Some(rest))
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "cannot wait for sockets");
                std::thread::sleep(Duration::from_millis(50));
            }
            // Before anything is looked at: what comes from now on wakes again.
            self.link.awake.store(false, Ordering::Release);
            // What is new first: everybody waits for it.
            self.broadcast();
            for place in std::mem::take(&mut self.unread) {
                self.hear(place);
            }
            for event in &events {
                if event.token() == WAKE {
                    continue;
                }
                let Token(place) = event.token();
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    self.hear(place);
                }
                if event.is_writable() {
                    self.catch_up(place);
                }
            }
            if !self.take_orders() {
                return;
            }
            self.tick();
        }
    }

    /// Writes what is new to everybody who has all that was before.
    fn broadcast(&mut self) {
        if self.clients.is_empty() {
            // Nobody has to be told.
            self.head = self.world.hub.ring_head();
            return;
        }
        loop {
            let Some(frames) = self.world.hub.after(self.head, BATCH_BYTES) else {
                // The ring went on without this thread: everybody is behind now.
                self.fall_behind();
                break;
            };
            if frames.is_empty() {
                break;
            }
            let batch = Batch::join(frames);
            let (head, sent) = (self.head, &mut self.sent);
            let mut ended = Vec::new();
            for (place, client) in &mut self.clients {
                if !client.is_at_head() {
                    continue;
                }
                match client.broadcast(&batch, head, sent) {
                    Ok(()) => watch(&self.poll, place, client),
                    Err(end) => ended.push((place, end)),
                }
            }
            self.head += batch.frames();
            for (place, end) in ended {
                self.end(place, &end);
            }
        }
        for place in std::mem::take(&mut self.early) {
            if let Some(client) = self.clients.get_mut(place) {
                client.is_early_no_more();
            }
            self.catch_up(place);
        }
    }

    fn fall_behind(&mut self) {
        let head = std::mem::replace(&mut self.head, self.world.hub.ring_head());
        let places: Vec<usize> =
            self.clients.iter().filter(|(_, client)| client.is_at_head()).map(|(place, _)| place).collect();
        for place in places {
            self.clients[place].queue(head);
            self.catch_up(place);
        }
    }

    fn hear(&mut self, place: usize) {
        let Some(client) = self.clients.get_mut(place) else { return };
        match client.hear(&mut self.scratch) {
            Ok(heard) => {
                if heard == Heard::More {
                    self.unread.push(place);
                }
                if client.has_answers() {
                    client.queue(self.head);
                    self.catch_up(place);
                }
            }
            Err(end) => self.end(place, &end),
        }
    }

    fn catch_up(&mut self, place: usize) {
        let Some(client) = self.clients.get_mut(place) else { return };
        let step = client.catch_up(&self.world.hub, self.head, &mut self.sent);
        watch(&self.poll, place, client);
        match step {
            Ok(Step::Waits) => {}
            Ok(Step::Early) => self.early.push(place),
            Ok(Step::Page(cursor)) => {
                let (hub, link, id) = (Arc::clone(&self.world.hub), Arc::clone(&self.link), client.id);
                let reading = self.world.runtime.spawn(async move {
                    let bytes = if hub.is_short_of_pages() { SCARCE_PAGE } else { PAGE_BYTES };
                    let page = hub.page(cursor, bytes).await;
                    link.order(Order::Paged { place, id, page });
                });
                client.reads(AbortOnDropHandle::new(reading));
            }
            Err(end) => self.end(place, &end),
        }
    }

    /// Heartbeats and deadlines.
    fn tick(&mut self) {
        let now = Instant::now();
        while let Some(group) = self.schedule.beat(now) {
            self.beat(group);
        }
        if !self.schedule.is_due(now) {
            return;
        }
        let mut ended = Vec::new();
        for (place, client) in &mut self.clients {
            match client.look(now, self.head, self.world.settings.write_deadline) {
                Look::Fine if client.is_leaving() => {}
                Look::Fine => ended.extend(client.dismissed(now).map(|end| (place, end))),
                Look::Slow => ended.push((place, End::Slow(client.position(&self.world.hub, self.head)))),
                Look::Gone => ended.push((place, End::Gone)),
            }
        }
        for (place, end) in ended {
            self.end(place, &end);
        }
    }

    fn beat(&mut self, group: u8) {
        let places = self.clients.iter().filter(|(_, client)| client.group == group);
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        if places.is_empty() {
            return;
        }
        // One frame for all of them: they have the same to be told.
        let heartbeat = self.world.hub.heartbeat(self.head);
        for place in places {
            let Some(client) = self.clients.get_mut(place) else { continue };
            match client.beat(&heartbeat, self.head) {
                Ok(()) => self.catch_up(place),
                Err(end) => self.end(place, &end),
            }
        }
    }

    /// Says goodbye to a client where there is something to say, or forgets it.
    fn end(&mut self, place: usize, end: &End) {
        let Some(client) = self.clients.get_mut(place) else { return };
        if client.is_leaving() {
            return self.forget(place);
        }
        end.tell(Transport::WebSocket, &self.world.metrics, &self.world.ends_said);
        if client.say_goodbye(end) {
            // Its answer may be there already: no event would tell.
            self.unread.push(place);
        } else {
            self.forget(place);
        }
    }

    fn forget(&mut self, place: usize) {
        if let Some(mut client) = self.clients.try_remove(place) {
            // A socket that is closed is not watched any more; where that is not so this sees to it.
            let _ = self.poll.registry().deregister(&mut client.wire.tcp);
            drop(client);
            self.link.clients.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// From when a socket was full for the first time, it is told when it takes something again.
fn watch(poll: &Poll, place: usize, client: &mut Client) {
    if client.wire.is_to_be_watched() {
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = poll.registry().reregister(&mut client.wire.tcp, Token(place), interest) {
            // It is closed at the write deadline.
            tracing::error!(%error, "cannot watch a client's socket");
        }
    }
}
