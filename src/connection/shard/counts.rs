//! What a shard has done since its start, by transport.

use crate::connection::client::Sent;
use crate::metrics::{ByTransport, Tally, Transport};

/// Counts of one shard.
#[derive(Default)]
pub(super) struct Counts(ByTransport<Since>);

#[derive(Default)]
struct Since {
    admitted: u64,
    sent: Sent,
}

impl Counts {
    /// What was sent over a transport, to add to.
    pub(super) fn sent(&mut self, transport: Transport) -> &mut Sent {
        &mut self.0.of_mut(transport).sent
    }

    /// A client was admitted.
    pub(super) fn admit(&mut self, transport: Transport) {
        self.0.of_mut(transport).admitted += 1;
    }

    /// Clients of both transports.
    pub(super) fn admitted(&self) -> u64 {
        self.0.websocket.admitted + self.0.event_stream.admitted
    }

    /// The counts, without the clients that are connected.
    pub(super) fn tallies(&self) -> ByTransport<Tally> {
        self.0.map(|Since { admitted, sent }| Tally {
            admitted: *admitted,
            events: sent.events,
            bytes: sent.bytes,
            ..Tally::default()
        })
    }
}
