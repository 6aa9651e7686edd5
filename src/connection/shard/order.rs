//! What other threads ask of a shard.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::connection::arrival::Arrival;
use crate::hub::{JournalError, Paged};
use crate::metrics::{ByTransport, Tally};

/// A message to a shard.
pub(in crate::connection) enum Order {
    /// Serve this client.
    Adopt(Box<Arrival>),
    /// A page was read for the client with this key, if that still has this id.
    Paged { key: usize, id: u64, page: Result<Paged, JournalError> },
    /// Report the figures of its clients.
    Tally(oneshot::Sender<ByTransport<Tally>>),
    /// Ask every client to leave, each at a random moment within that time.
    Drain(Duration),
    /// Ask the clients that it has to go to another server, each at a random moment within that time.
    SendAway(Duration),
    /// Those that have not been asked yet may stay.
    Keep,
    /// End the thread.
    Stop,
}
