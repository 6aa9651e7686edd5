//! Which server to talk to.

use crate::client::Endpoint;

/// Flags of every command that talks to a server.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Remote {
    /// The server's WebSocket
    #[arg(long, env = "INCIDENT_URL", default_value = "ws://127.0.0.1:7911/ws", value_name = "URL")]
    pub(super) url: Endpoint,
}
