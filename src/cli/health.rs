//! `incident health`: asks a server whether it is well, for the checks of containers and service managers.

use std::time::Duration;

use anyhow::anyhow;

use super::duration::at_least_100ms;
use super::exit::{Exit, Failure};
use super::out::print;
use super::remote::local_server;
use super::runtime::runtime;
use super::trust_args::TrustArgs;
use crate::client::{ClientError, Endpoint, Endpoints, request_text};
use crate::scenario::Micros;

/// Ask a server whether it is alive
///
/// Exits with 0 if it answers, of several servers one, and with 3 if not. It needs no token.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident health                                    Whether the server on this machine answers
  incident health --ready --url https://HOST/        Whether a load balancer should send clients there")]
pub(super) struct Health {
    /// URL of the server: http(s) for its page or ws(s) for its WebSocket; HOST:PORT is enough. Of several servers, as URL,URL,…,
    /// it is enough that one answers
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
    url: Endpoints,

    #[command(flatten)]
    trust: TrustArgs,

    /// Ask whether clients are let in and events come, too: not while the server stops or its journal fails
    #[arg(long)]
    ready: bool,

    /// How long the answer may take
    #[arg(
        long,
        default_value_t = Duration::from_secs(5).into(),
        value_name = "DURATION",
        value_parser = at_least_100ms
    )]
    timeout: Micros,
}

/// The most that is shown of an answer that is not the expected one.
const SHOWN_CHARS: usize = 80;

impl Health {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let servers = self.trust.add_to(&self.url)?;
        let (path, expected) = if self.ready { ("/readyz", "ready") } else { ("/healthz", "ok") };
        let limit: Duration = self.timeout.into();
        let ask = async |endpoint: &Endpoint| {
            let asked = tokio::time::timeout(limit, request_text(endpoint, path)).await;
            let text = asked.unwrap_or_else(|_| {
                let why = format!("no answer within {} s", self.timeout.secs());
                Err(ClientError::Unreachable { url: endpoint.http(path), why })
            })?;
            if text.trim_end() == expected {
                return Ok(());
            }
            // A proxy that knows no such host answers with 200 too.
            let said: String = text.lines().next().unwrap_or_default().chars().take(SHOWN_CHARS).collect();
            let why = format!("it says {said:?} instead of {expected:?}, as another program does");
            Err(ClientError::Answer { url: endpoint.http(path), why })
        };
        match runtime()?.block_on(servers.any_within(limit * 2, ask)) {
            Ok(()) => print(expected)?,
            Err(ClientError::Status { status: 503, said, problem: true, .. }) => {
                return Err(Failure::new(Exit::Connection, anyhow!("the server is not ready: {said}")));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Exit::Fine)
    }
}
