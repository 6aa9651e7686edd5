//! Exit statuses, and errors that know theirs.

use std::process::ExitCode;

use colored::Colorize;

use super::color::ColorChoice;
use super::say::say;
use crate::client::{ClientError, Distrust};
use crate::scenario::ScenarioError;

/// What an exit status means. The README has the same table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Fine = 0,
    Internal = 1,
    /// Unknown flag, scenario or incident.
    Usage = 2,
    /// Cannot bind, connect or shake hands.
    Connection = 3,
    /// Cancelled, or not resolved in time.
    Unresolved = 4,
    /// A rule failed, or nothing was checked.
    Invalid = 5,
    /// A scenario file is wrong.
    Scenario = 6,
    /// Ctrl-C before the result.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with its exit status.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// An error and its causes as one line, and what to try next.
    Error { error: anyhow::Error, hint: Option<String> },
    /// Mistakes in files, shown with their text.
    Scenarios(Vec<ScenarioError>),
    /// The reader of our output went away: nobody is left to tell.
    ClosedPipe,
}

impl Failure {
    pub(super) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, kind: Kind::Error { error: error.into(), hint: None } }
    }

    pub(super) fn hint(mut self, next: impl Into<String>) -> Self {
        if let Kind::Error { hint, .. } = &mut self.kind {
            *hint = Some(next.into());
        }
        self
    }

    pub(super) fn scenarios(errors: Vec<ScenarioError>) -> Self {
        Self { exit: Exit::Scenario, kind: Kind::Scenarios(errors) }
    }

    /// Prints it to stderr and gives the status.
    pub(super) fn report(self, color: ColorChoice) -> ExitCode {
        let color = color.apply(&std::io::stderr());
        match self.kind {
            Kind::Error { error, hint } => {
                say(format_args!("{} {error:#}", "error:".red().bold()));
                if let Some(hint) = hint {
                    say(format_args!("{} {hint}", "  try:".cyan()));
                }
            }
            Kind::Scenarios(errors) => {
                for error in &errors {
                    say(error.render(color).trim_end());
                }
                let mistakes: usize = errors.iter().map(|error| error.diagnostics.len()).sum();
                let (s, files) = (if mistakes == 1 { "" } else { "s" }, errors.len());
                let file_s = if files == 1 { "" } else { "s" };
                say(format_args!(
                    "{} {mistakes} mistake{s} in {files} scenario file{file_s}",
                    "error:".red().bold()
                ));
            }
            Kind::ClosedPipe => {}
        }
        self.exit.into()
    }

    /// Tells it in the log, where stderr is that and nothing else, and gives the status.
    pub(super) fn log(self) -> ExitCode {
        match self.kind {
            Kind::Error { error, hint } => {
                tracing::error!(error = format!("{error:#}"), hint, "cannot go on");
            }
            Kind::Scenarios(errors) => {
                for mistake in errors.iter().flat_map(lines) {
                    tracing::error!(mistake, "a scenario file is wrong");
                }
            }
            Kind::ClosedPipe => {}
        }
        self.exit.into()
    }
}

/// One mistake a line, with its place.
fn lines(error: &ScenarioError) -> Vec<String> {
    error.to_string().lines().map(str::to_owned).collect()
}

/// Writing to our own output.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Fine, kind: Kind::ClosedPipe };
        }
        Self::new(Exit::Internal, anyhow::Error::new(error).context("cannot write the output"))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let hint = match &error {
            ClientError::Unreachable { .. } => "start one with `incident serve`, or name another with --url",
            ClientError::Status { status: 401, .. } => {
                "show it a token that it knows: --token-file FILE, or INCIDENT_TOKEN in the environment"
            }
            ClientError::Status { status: 403, .. } => {
                "show it a token that may do this: --token-file FILE, or INCIDENT_TOKEN in the environment"
            }
            ClientError::Status { status: 429, .. } => "wait a few seconds, and check the token",
            ClientError::Status { status: 404, .. } => {
                "is this an incident server? Its WebSocket is ws://HOST:PORT/ws, or wss:// with TLS"
            }
            ClientError::Status { status: 503, .. } => {
                "the server is full or stopping; try again in a moment"
            }
            ClientError::Certificate { why, .. } => untrusted(why),
            ClientError::NotTls { .. } => "name it with ws:// if it is meant to be unencrypted",
            ClientError::Tls { .. } => "it takes TLS 1.2 or 1.3, and a server's name or address in --url",
            ClientError::Trust(_) => "name a file with the authority's certificate: --cacert FILE",
            ClientError::Status { .. } | ClientError::Handshake { .. } | ClientError::Answer { .. } => {
                "check --url: a server's WebSocket is ws://HOST:PORT/ws, or wss://HOST:PORT/ws with TLS"
            }
        };
        Self::new(Exit::Connection, error).hint(hint)
    }
}

/// What to do about a certificate that is not believed.
fn untrusted(why: &Distrust) -> &'static str {
    match why {
        Distrust::Unknown(_) => {
            "name a file with the certificate of the authority that issued it, or with the server's own: --cacert FILE"
        }
        Distrust::Expired(_) => "renew it on the server, and check the clock of this machine",
        Distrust::Early(_) => "check the clocks of both machines",
        Distrust::Name { .. } => "name the server in --url as its certificate does",
        Distrust::Other(_) => "look at it: openssl s_client -connect HOST:PORT -showcerts",
    }
}
