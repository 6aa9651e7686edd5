//! Which server to talk to, and what it says of an incident.

use anyhow::anyhow;
use hyper::Method;

use super::exit::{Exit, Failure};
use crate::client::{ClientError, Endpoint, request};
use crate::report::IncidentState;

/// Flags of every command that talks to a server.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Remote {
    /// The server's WebSocket
    #[arg(long, env = "INCIDENT_URL", default_value = "ws://127.0.0.1:7911/ws", value_name = "URL")]
    pub(super) url: Endpoint,
}

impl Remote {
    /// What the server knows of an incident; `None` if it is a server that can't be asked.
    ///
    /// # Errors
    /// The server knows no such incident.
    pub(super) async fn incident(&self, id: &str) -> Result<Option<IncidentState>, Failure> {
        match request(&self.url, Method::GET, &incident_path(id)?, None).await {
            Ok(state) => Ok(serde_json::from_value(state).ok()),
            Err(ClientError::Status { status: 404, said, problem: true, .. }) => {
                Err(Failure::new(Exit::Usage, anyhow!(said))
                    .hint("`incident watch` without --incident shows what there is"))
            }
            // Somebody else's server may stream and have no such interface.
            Err(ClientError::Status { .. } | ClientError::Answer { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Where an incident stands below a server.
pub(super) fn incident_path(id: &str) -> Result<String, Failure> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if id.is_empty() || !id.bytes().all(plain) {
        let error = anyhow!("{id:?} is no incident's id: they are like database-outage-x7k2p");
        return Err(Failure::new(Exit::Usage, error));
    }
    Ok(format!("/api/incidents/{id}"))
}
