//! `incident cancel`: ends an incident before its time.

use hyper::Method;

use super::color::ColorChoice;
use super::complete;
use super::exit::{Exit, Failure};
use super::out::say;
use super::remote::{Remote, incident_path};
use super::runtime::runtime;
use crate::client::ClientError;
use crate::shell::word;

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
        Err(error) if error.may_be_done() => Err(late(remote, id, error)),
        Err(error) => Err(error.into()),
    }
}

/// Everything behind the start of a long incident is read to end it, whether somebody waits or not.
fn late(remote: &Remote, id: &str, error: ClientError) -> Failure {
    let (flags, wait) = (remote.flags(), error.first_wait());
    Failure::new(Exit::Connection, error).hint(format!(
        "{wait}the server may be ending the incident all the same: `incident cancel {}{flags}` says in a moment how it ended",
        word(id)
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        remote: Remote,
    }

    /// It may read what a long incident needs.
    #[test]
    fn a_server_that_has_not_answered_is_not_called_dead() {
        let remote = Flags::parse_from(["incident", "--url", "http://127.0.0.1:9/"]).remote;
        let url = || "http://127.0.0.1:9/api/incidents/a-1".to_owned();
        let one = || ClientError::Late { url: url(), within: Duration::from_secs(30) };
        let away = ClientError::Unreachable { url: url(), why: "connection refused".to_owned() };
        for error in [one(), ClientError::NoServer(vec![away, one()])] {
            assert!(error.may_be_done());
            let (text, exit) = late(&remote, "a-1", error).text().expect("it is an error");
            assert_eq!(exit, Exit::Connection);
            assert!(text.contains("no answer within 30 s"), "{text}");
            assert!(text.contains("`incident cancel a-1 --url ws://127.0.0.1:9/ws`"), "{text}");
            assert!(!text.contains("no server answers") && !text.contains("incident serve"), "{text}");
        }
        let (text, _) = Failure::from(one()).text().expect("it is an error");
        assert!(text.contains("may be done all the same") && !text.contains("incident serve"), "{text}");
    }
}
