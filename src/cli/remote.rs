//! The server or servers that a command talks to, and what they know about an incident.

use anyhow::anyhow;
use hyper::Method;

use super::exit::{Exit, Failure, direct};
use super::times::Times;
use super::token_args::TokenArgs;
use super::trust_args::TrustArgs;
use crate::client::{ClientError, Endpoint, Endpoints};
use crate::contract::is_addressable;
use crate::report::IncidentState;
use crate::shell::word;

/// The port that a server listens on if no other is given.
pub(super) const DEFAULT_PORT: u16 = 7911;

/// Flags of the commands that talk to a server.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Remote {
    /// URL of the server: http(s) for its page or ws(s) for its WebSocket; HOST:PORT is enough. Several servers with the same
    /// stream are URL,URL,…: when one does not answer or is not ready, the next one is asked
    ///
    /// Connections are direct: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are not used.
    #[arg(
        long,
        env = "INCIDENT_URL",
        hide_env_values = true,
        default_value_t = local_server(),
        value_name = "URL[,URL…]",
        value_hint = clap::ValueHint::Url,
        help_heading = "Server"
    )]
    pub(super) url: Endpoints,

    #[command(flatten)]
    trust: TrustArgs,

    #[command(flatten)]
    token: TokenArgs,
}

/// A server on this machine with the default port.
pub(super) fn local_server() -> Endpoints {
    let url = format!("ws://127.0.0.1:{DEFAULT_PORT}/ws");
    url.parse().expect("the default URL is well formed")
}

/// Whether --url is on the command line. Its value may come from the variable, too.
pub(super) fn url_is_given() -> bool {
    std::env::args_os().any(|arg| arg == "--url" || arg.to_string_lossy().starts_with("--url="))
}

/// What time it is for the incidents of a server; `None` if it does not say.
pub(super) fn times_of(remote: &Remote) -> impl Future<Output = Option<Times>> + use<> {
    let url = remote.url.clone();
    async move {
        let answer = url.request(Method::GET, "/api/incidents", None).await.ok()?;
        answer["time"].is_string().then(|| Times::told(&answer))
    }
}

/// What a server says of an incident that it may know.
pub(super) enum Said {
    State(Box<IncidentState>),
    /// It has no such interface.
    NoInterface,
    /// It can't say it now, for this reason.
    NotNow(Failure),
}

impl Remote {
    /// Servers, by default the one on this machine.
    pub(super) fn new(url: Option<Endpoints>, trust: TrustArgs, token: TokenArgs) -> Self {
        Self { url: url.unwrap_or_else(local_server), trust, token }
    }

    /// Reads the certificates to trust and the token to send, before the first request.
    pub(super) fn read_files(&mut self) -> Result<(), Failure> {
        self.url = self.token.add_to(&self.trust.add_to(&self.url)?)?;
        Ok(())
    }

    /// The same of a command that talks to others, too, whom --cacert may be meant for.
    pub(super) fn read_files_beside(&mut self, others: &[Endpoint]) -> Result<(), Failure> {
        if !others.iter().any(Endpoint::is_encrypted) {
            return self.read_files();
        }
        self.url = self.token.add_to(&self.trust.add_where_encrypted(&self.url)?)?;
        Ok(())
    }

    /// Another server, with the certificates that are trusted for this one.
    pub(super) fn trusting(&self, endpoint: Endpoint) -> Result<Endpoint, Failure> {
        Ok(self.trust.add_where_encrypted(&endpoint.into())?.current().clone())
    }

    /// The flags with which another command reaches the same server.
    pub(super) fn flags(&self) -> String {
        let url = self.url.to_string();
        let url =
            if url == local_server().to_string() { String::new() } else { format!(" --url {}", word(&url)) };
        // Without TLS the certificates are those of others, and the other command has no use for them.
        let trust = if self.url.are_encrypted() { self.trust.flags() } else { String::new() };
        format!("{url}{trust}{}", self.token.flags())
    }

    /// The state of an incident; `None` if the server has no such interface.
    ///
    /// # Errors
    /// The server knows no such incident, or can't say it now.
    pub(super) async fn incident(&self, id: &str) -> Result<Option<IncidentState>, Failure> {
        match self.incident_for_now(id).await? {
            Said::State(state) => Ok(Some(*state)),
            Said::NoInterface => Ok(None),
            Said::NotNow(why) => Err(why),
        }
    }

    /// The same for a command that can begin without an answer.
    ///
    /// # Errors
    /// The server knows no such incident, or nothing answers there.
    pub(super) async fn incident_for_now(&self, id: &str) -> Result<Said, Failure> {
        let is_state = |state: &IncidentState| state.id == id;
        match self.url.request(Method::GET, &incident_path(id)?, None).await {
            Ok(state) => {
                let state = serde_json::from_value(state).ok().filter(is_state);
                Ok(state.map_or(Said::NoInterface, |state| Said::State(Box::new(state))))
            }
            Err(ClientError::Status { status: 404, problem: true, .. }) => Err(self.unknown(id, "")),
            Err(error @ ClientError::Status { status: 401 | 403 | 429, .. }) => Err(error.into()),
            // These are the last word: it is not implemented, or there is too much of it.
            Err(ClientError::Status { status: 501 | 507, .. }) => Ok(Said::NoInterface),
            // A busy server says so, and a proxy for one that does not run yet.
            Err(error @ ClientError::Status { .. }) if error.is_passing() => Ok(Said::NotNow(error.into())),
            // A server of another kind may have the stream without the HTTP interface.
            Err(ClientError::Status { .. } | ClientError::Answer { .. }) => Ok(Said::NoInterface),
            Err(error) => Err(error.into()),
        }
    }

    /// That the server knows no such incident, and how to find those that it knows.
    pub(super) fn unknown(&self, id: &str, besides: &str) -> Failure {
        let error = anyhow!("no incident is called {id:?}{besides}");
        let flags = self.flags();
        Failure::new(Exit::Usage, error).hint(format!(
            "incident list --running{flags} prints the open ones, incident watch --after 0{flags} all that the server has kept"
        ))
    }

    /// The server's report of an incident.
    ///
    /// # Errors
    /// The server knows no such incident, or writes no reports.
    pub(super) async fn report(&self, id: &str) -> Result<String, Failure> {
        let path = format!("{}/report.md", incident_path(id)?);
        self.url.request_markdown(&path).await.map_err(|error| match error {
            ClientError::Status { status: 404, problem: true, .. } => {
                self.unknown(id, &format!("; there is no file {id} either"))
            }
            ClientError::Unreachable { ref url, .. } => {
                let direct = direct(url);
                Failure::new(Exit::Connection, error).hint(format!(
                    "there is no file {id}, so a server was asked: start it with `incident serve`, or name another \
                     one with --url{direct}"
                ))
            }
            error => error.into(),
        })
    }
}

/// The path of an incident in the HTTP interface.
pub(super) fn incident_path(id: &str) -> Result<String, Failure> {
    if !is_addressable(id) {
        let error = anyhow!("{id:?} is not an incident's id; ids look like database-outage-x7k2p");
        return Err(Failure::new(Exit::Usage, error));
    }
    Ok(format!("/api/incidents/{id}"))
}
