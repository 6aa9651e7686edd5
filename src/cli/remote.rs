//! Which server to talk to, and what it says of an incident.

use anyhow::anyhow;
use hyper::Method;

use super::exit::{Exit, Failure};
use super::proof::Proof;
use super::trust::Authorities;
use crate::client::{ClientError, Endpoint, request, request_markdown};
use crate::report::IncidentState;

const DEFAULT_URL: &str = "ws://127.0.0.1:7911/ws";

/// Flags of every command that talks to a server.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Remote {
    /// The server's WebSocket
    #[arg(long, env = "INCIDENT_URL", default_value = DEFAULT_URL, value_name = "URL")]
    pub(super) url: Endpoint,

    #[command(flatten)]
    authorities: Authorities,

    #[command(flatten)]
    proof: Proof,
}

impl Remote {
    /// Reads whom to believe and the token that the server is shown, before it is asked anything.
    pub(super) fn read_files(&mut self) -> Result<(), Failure> {
        self.url = self.proof.add_to(self.authorities.add_to(self.url.clone())?)?;
        Ok(())
    }

    /// The flags with which another command finds this server.
    pub(super) fn flags(&self) -> String {
        let url = self.url.to_string();
        let url = if url == DEFAULT_URL { String::new() } else { format!(" --url {url}") };
        format!("{url}{}{}", self.authorities.flags(), self.proof.flags())
    }

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
            Err(error @ ClientError::Status { status: 401 | 403 | 429, .. }) => Err(error.into()),
            // Somebody else's server may stream and have no such interface.
            Err(ClientError::Status { .. } | ClientError::Answer { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The server's report of an incident.
    ///
    /// # Errors
    /// The server knows no such incident, or makes no reports.
    pub(super) async fn report(&self, id: &str) -> Result<String, Failure> {
        let path = format!("{}/report.md", incident_path(id)?);
        request_markdown(&self.url, &path).await.map_err(|error| match error {
            ClientError::Status { status: 404, said, problem: true, .. } => {
                Failure::new(Exit::Usage, anyhow!(said))
                    .hint(format!("nor is a file called {id}; `incident watch --after 0` shows what there is"))
            }
            ClientError::Unreachable { .. } => Failure::new(Exit::Connection, error).hint(format!(
                "no file is called {id}, so a server was asked: start it with `incident serve`, or name another \
                 with --url"
            )),
            error => error.into(),
        })
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
