//! Every client of the stream, over a WebSocket or as Server-Sent Events: a cursor into the hub and a socket, many of them
//! on one thread.
//!
//! One thread a core (a *shard*) owns its sockets and polls them itself. It is woken once a message, not once a client:
//! new frames are joined once and written to every socket whose client has everything before them, straight from the
//! hub's shared bytes. A full socket costs a cursor and the rest of one frame; when it is writable again, the client is
//! sent what it misses, from the ring or from pages of the journal. Reading, pongs and masks are tungstenite's protocol
//! state machine: it is fed from a buffer of the shard, and its answers are queued for the border between two frames.

mod arrival;
mod beginning;
mod behind;
mod client;
mod close;
mod dialect;
mod inbound;
mod outgoing;
mod schedule;
mod settings;
mod shard;
mod shards;
mod wire;

pub use arrival::Arrival;
pub use beginning::Beginning;
pub use dialect::{Dialect, Transfer};
pub use settings::{SILENT_HEARTBEATS, Settings};
pub use shards::Shards;
pub use wire::TLS_BUFFER;
