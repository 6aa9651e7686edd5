//! Exit statuses, and errors with an exit status.

use std::process::ExitCode;

use colored::Colorize;

use super::color::ColorChoice;
use super::log::LogFormat;
use super::mistakes;
use super::out::{painted, say};
use crate::client::{Advice, ClientError, Distrust, Endpoint, urls_without_secrets};
use crate::scenario::ScenarioError;

/// The exit statuses. The README has the same table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Fine = 0,
    Internal = 1,
    /// A wrong flag or value, an unknown scenario or incident.
    Usage = 2,
    /// The server can't bind; or the client can't connect, or is refused.
    Connection = 3,
    /// The incident was cancelled, or not resolved in time.
    Unresolved = 4,
    /// A rule failed, nothing was checked, or a change breaks the contract.
    Invalid = 5,
    /// A scenario file has a mistake.
    Scenario = 6,
    /// Ctrl-C before there was a result.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with an exit status.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// An error with its causes, and what to try next.
    Error { error: anyhow::Error, hint: Option<String> },
    /// Mistakes in scenario files, shown with the text around them.
    Scenarios(Vec<ScenarioError>),
    /// Mistakes in a file of another kind, with what it is.
    File(&'static str, Box<ScenarioError>),
    /// Nobody reads the output any more, of a command that only prints: there is nothing to report.
    Unread,
}

impl Failure {
    /// Ends a command that only prints, once nobody reads that any more.
    pub(super) fn unread() -> Self {
        Self { exit: Exit::Fine, kind: Kind::Unread }
    }

    pub(super) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, kind: Kind::Error { error: error.into(), hint: None } }
    }

    /// The exit status.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    pub(super) fn hint(mut self, next: impl Into<String>) -> Self {
        if let Kind::Error { hint, .. } = &mut self.kind {
            *hint = Some(next.into());
        }
        self
    }

    /// The failure of scenario files: their mistakes, or that they are not there.
    pub(super) fn scenarios(errors: Vec<ScenarioError>) -> Self {
        if errors.iter().all(|error| error.is_unread) {
            let said = errors.iter().flat_map(|error| {
                error.diagnostics.iter().map(|unread| format!("{} {}", error.origin(), unread.message))
            });
            let error = anyhow::anyhow!(said.collect::<Vec<_>>().join("; "));
            return Self::new(Exit::Usage, error)
                .hint("name a scenario file (*.toml), or a folder with some");
        }
        Self { exit: Exit::Scenario, kind: Kind::Scenarios(errors) }
    }

    pub(super) fn profile(error: ScenarioError) -> Self {
        Self { exit: Exit::Usage, kind: Kind::File("the profile", Box::new(error)) }
    }

    pub(super) fn receivers(error: ScenarioError) -> Self {
        Self { exit: Exit::Usage, kind: Kind::File("the file with receivers", Box::new(error)) }
    }

    pub(super) fn sinks(error: ScenarioError) -> Self {
        Self { exit: Exit::Usage, kind: Kind::File("the file with sinks", Box::new(error)) }
    }

    /// The error and its exit status, for reports; `None` if there is nothing to report.
    pub(super) fn text(&self) -> Option<(String, Exit)> {
        let text = match &self.kind {
            Kind::Error { error, hint: None } => told(error),
            Kind::Error { error, hint: Some(hint) } => {
                format!("{}; try: {}", told(error), urls_without_secrets(hint))
            }
            Kind::Scenarios(errors) => mistakes::summary(errors),
            Kind::File(_, error) => error.to_string(),
            Kind::Unread => return None,
        };
        Some((text, self.exit))
    }

    /// Prints the error to stderr and returns the exit status.
    pub(super) fn report(&self, color: ColorChoice) -> ExitCode {
        let color = color.apply(&std::io::stderr());
        match &self.kind {
            Kind::Error { error, hint } => {
                say(painted!["error:".red().bold(), " ", told(error)]);
                if let Some(hint) = hint {
                    say(painted!["  try:".cyan(), " ", urls_without_secrets(hint)]);
                }
            }
            Kind::Scenarios(errors) => {
                mistakes::show(errors, color, LogFormat::Text);
                say(painted!["error:".red().bold(), " ", mistakes::summary(errors)]);
            }
            Kind::File(what, error) => {
                mistakes::show(std::slice::from_ref(&**error), color, LogFormat::Text);
                let mistakes = super::format::count(error.diagnostics.len() as u64, "mistake");
                let said = format!(" {mistakes} in {what} {}", error.origin());
                say(painted!["error:".red().bold(), said]);
            }
            Kind::Unread => {}
        }
        self.exit.into()
    }

    /// Logs the error and returns the exit status; for when stderr is only the log.
    pub(super) fn log(self) -> ExitCode {
        match self.kind {
            Kind::Error { error, hint } => {
                let hint = hint.as_deref().map(urls_without_secrets);
                tracing::error!(error = told(&error), hint = hint.as_deref(), "cannot go on");
            }
            Kind::Scenarios(errors) => {
                mistakes::show(&errors, false, LogFormat::Json);
            }
            Kind::File(what, error) => mistakes::logged(what, &error),
            Kind::Unread => {}
        }
        self.exit.into()
    }
}

/// An error with its causes. It may quote what the user gave: a URL with a password, where a file is expected.
fn told(error: &anyhow::Error) -> String {
    urls_without_secrets(&format!("{error:#}")).into_owned()
}

/// For writes to stdout.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Internal, anyhow::Error::new(error).context("cannot write the output"))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let hint = Self::hint_of(&error);
        Self::new(Exit::Connection, error).hint(hint)
    }
}

impl Failure {
    /// What to do about it that a server can't be reached, or refuses.
    pub(super) fn hint_of(error: &ClientError) -> String {
        let hint = match error {
            ClientError::Status { advice: Some(advice), .. } => return advised(advice),
            ClientError::Unreachable { url, .. } => {
                let direct = direct(url);
                return format!(
                    "start a server with `incident serve`, or name another one with --url{direct}"
                );
            }
            ClientError::Late { .. } => {
                "the server may be busy, or its disk hang, and what was asked for may be done all the same: look in a moment whether it is"
            }
            ClientError::Unanswered { .. } => {
                "the server may have been stopped, or something between have cut the connection, and what was asked for may be done all the same: \
                 look in a moment whether it is"
            }
            ClientError::NoServer(_) if error.may_be_done() => {
                "one of them may do what was asked for all the same: look in a moment whether it is done"
            }
            ClientError::NoServer(_) => "start one of them with `incident serve`, or name others with --url",
            ClientError::Status { status: 401, .. } => {
                "send a token that the server knows: --token-file FILE, or INCIDENT_TOKEN in the environment"
            }
            ClientError::Status { status: 403, .. } => {
                "send a token with the scope `write`: --token-file FILE, or INCIDENT_TOKEN in the environment"
            }
            ClientError::Status { status: 429, .. } => "wait a few seconds, and check the token",
            ClientError::Status { status: 503, problem: true, .. } => {
                "the server is busy, full or stopping: wait a moment and try again"
            }
            ClientError::Status { status: 413 | 414 | 431, .. } => {
                "shorten what is sent: the server does not take so much"
            }
            ClientError::Status { status: 507, .. } => {
                "the incident is longer than a server folds at once: record it with `incident watch --record FILE`, and report on the file"
            }
            ClientError::Status { status: 500.., problem: true, .. } => "look at the log of the server",
            ClientError::Status { status: 500.., problem: false, .. } => NOT_REACHED,
            // These clients always ask for the upgrade.
            ClientError::Status { status: 426, .. } => {
                "a proxy between removes the header `Upgrade` or `Connection`: set it up as docs/proxies.md shows, or name the server itself with \
                 --url"
            }
            ClientError::Certificate { why, .. } => untrusted(why),
            ClientError::NotTls { .. } => "use ws:// in --url if the server is meant to be unencrypted",
            ClientError::Tls { .. } => {
                "use a server with TLS 1.2 or 1.3, and a host name or an address in --url"
            }
            ClientError::Trust(_) => "name a file with the certificate of the authority: --cacert FILE",
            ClientError::Status { .. } | ClientError::Handshake { .. } | ClientError::Answer { .. } => {
                "check --url: it is the address of the server's page, as in http://HOST:7911/ or https://HOST/incident/, or of \
                 its WebSocket"
            }
        };
        hint.to_owned()
    }
}

/// What to do about a failure that no incident server has told: a proxy tells it while it does not reach its server.
const NOT_REACHED: &str = "wait until the server runs: a proxy seems to answer for it; if the server runs, compare the proxy with docs/proxies.md";

/// What a server's table of problems says to do, and where it describes the problem.
pub(super) fn advised(advice: &Advice) -> String {
    // The table speaks to programs, which have the whole answer.
    let what = match advice.problem.as_str() {
        "bad-envelope" => "mend what it names",
        "value" => "mend the value that it names",
        "schema" => "mend what it names: `incident schema` prints the schema",
        "time-in-future" => {
            "set the clock that is wrong, this machine's or the server's, or give an earlier time; five minutes are allowed"
        }
        _ => advice.advice.trim_end_matches('.'),
    };
    format!("{what} (docs/problems.md describes {})", advice.problem)
}

/// That the proxy of the environment was not used to reach a URL, if one is set. It could not help to reach this machine.
pub(super) fn direct(url: &str) -> String {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let set = PROXIES.into_iter().find(is_set);
    let here = url.parse().is_ok_and(|endpoint: Endpoint| endpoint.is_loopback());
    match set {
        Some(name) if !here => format!("; {name} is set, but incident connects directly and uses no proxy"),
        _ => String::new(),
    }
}

/// The variables in which other programs find their proxy.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// What to do about a certificate that is not trusted.
pub(super) fn untrusted(why: &Distrust) -> &'static str {
    match why {
        Distrust::Unknown(_) => {
            "name a file with the certificate of the authority that issued it, or with the server's own: --cacert FILE"
        }
        Distrust::Expired(_) => "renew the certificate on the server, and check the clock of this machine",
        Distrust::Early(_) => "check the clocks of both machines",
        Distrust::Name { .. } => "use a host name in --url that the certificate has",
        Distrust::Other(_) => "look at the certificate: openssl s_client -connect HOST:PORT -showcerts",
    }
}
