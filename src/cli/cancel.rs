//! `incident cancel`: ends an incident before its time.

use hyper::Method;

use super::color::ColorChoice;
use super::complete;
use super::exit::{Exit, Failure};
use super::out::say;
use super::remote::{Remote, incident_path};
use super::runtime::runtime;
use crate::client::ClientError;

/// Cancel an open incident of a server
///
/// The incident ends at once, with the outcome `cancelled`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident list --running                            Print the open incidents of the server
  incident cancel memory-leak-x7k2p                  Cancel one")]
pub(super) struct Cancel {
    /// The incident's id, as `incident list --running` prints it
    #[arg(value_name = "ID", add = complete::running())]
    incident: String,

    #[command(flatten)]
    remote: Remote,
}

impl Cancel {
    pub(super) fn run(mut self, color: ColorChoice) -> Result<Exit, Failure> {
        color.apply(&std::io::stderr());
        self.remote.read_files()?;
        runtime()?.block_on(cancel(&self.remote, &self.incident))
    }
}

/// Cancels an incident, and says how it ended.
///
/// # Errors
/// The server knows no such incident, or refuses.
pub(super) async fn cancel(remote: &Remote, id: &str) -> Result<Exit, Failure> {
    let path = incident_path(id)?;
    match remote.url.request(Method::DELETE, &path, None).await {
        Ok(answer) => {
            let now = answer["cancelled_now"].as_bool().unwrap_or(true);
            let Some(outcome) = answer["outcome"].as_str() else {
                let why = "it does not say how the incident ended".to_owned();
                return Err(ClientError::Answer { url: remote.url.current().http(&path), why }.into());
            };
            let before = if now { "" } else { " already" };
            say(format!("{id} is{before} {outcome}"));
            Ok(Exit::Fine)
        }
        Err(ClientError::Status { status: 404, problem: true, .. }) => Err(remote.unknown(id, "")),
        Err(error) => Err(error.into()),
    }
}
