//! What a shard is asked to do by others: taking a client over, a page that was read, leaving.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::{Interest, Token};
use tokio::sync::oneshot;

use super::Shard;
use crate::connection::client::Client;
use crate::connection::inbound::Inbound;
use crate::connection::outgoing::Page;
use crate::connection::wire::Wire;
use crate::connection::{Arrival, End};
use crate::contract::Position;
use crate::hub::{JournalError, Paged};
use crate::metrics::{Tally, Transport};

/// What a shard is asked to do.
pub(in crate::connection) enum Order {
    Adopt(Box<Arrival>),
    /// A page was read for the client at that place, if it is still the one with that id.
    Paged {
        place: usize,
        id: u64,
        page: Result<Paged, JournalError>,
    },
    /// What its clients come to.
    Tally(oneshot::Sender<Tally>),
    Drain(Duration),
    Stop,
}

impl Shard {
    /// `false` if the thread is asked to end.
    pub(super) fn take_orders(&mut self) -> bool {
        while let Ok(order) = self.inbox.try_recv() {
            match order {
                Order::Adopt(arrival) => self.adopt(*arrival),
                Order::Paged { place, id, page } => self.paged(place, id, page),
                // Who asked may have gone.
                Order::Tally(answer) => drop(answer.send(self.tally())),
                Order::Drain(within) => self.drain(within),
                Order::Stop => return false,
            }
        }
        true
    }

    fn adopt(&mut self, arrival: Arrival) {
        let Arrival { tcp, tls, tail, opened, cursor, permit, lease } = arrival;
        let entry = self.clients.vacant_entry();
        let place = entry.key();
        let mut tcp = mio::net::TcpStream::from_std(tcp);
        if let Err(error) = self.poll.registry().register(&mut tcp, Token(place), Interest::READABLE) {
            tracing::error!(%error, "cannot watch a client's socket");
            self.link.clients.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        self.admitted += 1;
        tracing::debug!(
            transport = Transport::WebSocket.as_str(),
            after = %Position { stream: self.world.hub.stream().clone(), n: cursor },
            "client came"
        );
        let wire = Wire::new(tcp, tls);
        let inbound = Inbound::new(tail, self.allowance);
        let mut client = Client::new(wire, self.admitted, (&opened, cursor), inbound, (permit, lease));
        client.group = self.schedule.group();
        let heard = client.hear_tail();
        client.leaves_at = self.draining.map(|_| Instant::now());
        if client.wire.may_hold_back() {
            self.unread.push(place);
        }
        entry.insert(client);
        match heard {
            Ok(()) => self.catch_up(place),
            Err(end) => self.end(place, &end),
        }
    }

    fn paged(&mut self, place: usize, id: u64, page: Result<Paged, JournalError>) {
        let Some(client) = self.clients.get_mut(place).filter(|client| client.id == id) else { return };
        match page {
            Ok(Paged::Frames { frames, place: held }) => {
                client.take_page(Page::new(frames, held));
                self.catch_up(place);
            }
            Ok(Paged::Expired) => {
                let position = client.position(&self.world.hub, self.head);
                self.end(place, &End::Expired(position));
            }
            Err(error) => self.end(place, &End::Journal(error.to_string())),
        }
    }

    fn tally(&self) -> Tally {
        let (head, start) = (self.world.hub.ring_head(), self.world.hub.ring_start());
        let mut tally = Tally {
            admitted: self.admitted,
            events: self.sent.events,
            bytes: self.sent.bytes,
            ..Tally::default()
        };
        // Who was told to go is counted among those that are gone.
        for (_, client) in self.clients.iter().filter(|(_, client)| !client.is_leaving()) {
            tally.clients += 1;
            tally.count_lag(client.cursor(self.head), head, start);
        }
        tally
    }

    fn drain(&mut self, within: Duration) {
        self.draining = Some(within);
        self.schedule.hurry();
        let now = Instant::now();
        for (_, client) in &mut self.clients {
            client.leaves_at = Some(now + within.mul_f64(crate::random::unit()));
        }
    }
}
