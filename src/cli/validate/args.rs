//! The flags of `validate`.

use std::path::PathBuf;

use clap::ValueHint;
use clap::builder::PossibleValuesParser;

use super::link::Dial;
use super::reports::{Kind, ReportsTo};
use super::stranger_args::StrangerArgs;
use crate::check::{Limits, RULES};
use crate::cli::complete;
use crate::cli::numbers::whole;
use crate::cli::settings_args::SettingsArgs;
use crate::cli::token_args::TokenArgs;
use crate::cli::trust_args::TrustArgs;
use crate::client::{Endpoint, Endpoints, EndpointsError};
use crate::player::Speed;
use crate::scenario::Micros;

/// The default of `--timeout`.
pub(super) const TIMEOUT: &str = "10m";

/// The default of `--speed`.
pub(super) const SPEED: &str = "200";

/// The default of `--clients`.
pub(super) const CLIENTS: u32 = 2;

/// Check scenarios, recordings or a running server against the contract of the stream
///
/// Without arguments every scenario in scenarios/ (else every built-in one) is played at high speed by a temporary server,
/// and checked as it arrives over a socket. What passes is one line; with -v every rule has one. The exit status is 0 if
/// something was checked and no rule failed, else 5, or 6 if a scenario file has mistakes.
#[derive(Debug, clap::Args)]
#[command(override_usage = "\
incident validate [OPTIONS] [FILE|DIR|NAME]...
       incident validate [OPTIONS] <--url <URL>|--sse <URL>>")]
#[command(after_help = "\
Examples:
  incident validate scenarios/database-outage.toml   Play a scenario and check the stream
  incident validate run.ndjson --rule gap            Check one rule on a recording or transcript
  incident validate --url ws://HOST/ws --for 5m      Listen to a running server for five minutes
  incident validate --sse http://HOST/events --profile sse --for 1m
                                                     Check the event stream of any program
  incident validate --report junit=report.xml        Write the result for a CI system too
  incident validate --list                           Print the rules")]
pub(in crate::cli) struct Validate {
    /// What to check: scenarios (.toml) to play, recordings and transcripts (.ndjson), folders of them, or names of scenarios
    #[arg(value_name = "FILE|DIR|NAME", add = complete::paths_and_scenarios())]
    pub(super) files: Vec<PathBuf>,

    /// Check the running server at this URL instead: http(s) for its page or ws(s) for its WebSocket; HOST:PORT is enough. With
    /// several servers of the same stream, as URL,URL,…, the clients are spread over those that answer, and all must get the same
    ///
    /// Connections are direct: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are not used.
    #[arg(
        long,
        value_name = "URL[,URL…]",
        value_parser = socket_url,
        group = "server",
        conflicts_with_all = ["files", "real_time", "speed"],
        value_hint = ValueHint::Url,
        help_heading = "Server"
    )]
    pub(super) url: Option<String>,

    /// Check the event stream (text/event-stream) at this URL instead; for one of our servers HOST:PORT is enough
    #[arg(
        long,
        value_name = "URL[,URL…]",
        value_parser = event_url,
        group = "server",
        conflicts_with_all = ["files", "real_time", "speed", "send", "subprotocol"],
        value_hint = ValueHint::Url,
        help_heading = "Server"
    )]
    pub(super) sse: Option<String>,

    #[command(flatten)]
    pub(super) strangers: StrangerArgs,

    /// The server of --url or --sse, once the flags are read.
    #[arg(skip)]
    pub(super) dial: Option<Dial>,

    #[command(flatten)]
    pub(super) trust: TrustArgs,

    #[command(flatten)]
    pub(super) token: TokenArgs,

    /// Start this scenario on the server and check its incident
    #[arg(
        long,
        value_name = "SCENARIO",
        requires = "server",
        add = complete::of_server(),
        help_heading = "Server"
    )]
    pub(super) trigger: Option<String>,

    /// Listen to the server for this long, instead of until an incident has ended. What the server has announced as a replay is
    /// waited for in any case, up to --timeout longer
    #[arg(long = "for", value_name = "DURATION", requires = "server", help_heading = "Server")]
    pub(super) listen: Option<Micros>,

    /// The longest time to wait for the end of an incident
    #[arg(long, default_value = TIMEOUT, value_name = "DURATION")]
    pub(super) timeout: Micros,

    /// Play scenarios at speed 1, and check the arrival times too
    #[arg(long, conflicts_with = "speed")]
    pub(super) real_time: bool,

    /// Play scenarios this many times faster than they say
    #[arg(long, default_value = SPEED, value_name = "FACTOR")]
    pub(super) speed: Speed,

    #[command(flatten)]
    pub(super) settings: SettingsArgs,

    /// Set a limit of a rule, as in latency.p99=50ms; repeat the flag for several. --list has all
    #[arg(long, value_name = "NAME=VALUE", value_parser = limit, add = complete::limits(), help_heading = "Rules")]
    pub(super) limit: Vec<String>,

    /// How many clients get the stream at the same time; all must get the same [default: 2]
    #[arg(long, default_value_t = CLIENTS, value_name = "NUMBER", value_parser = whole::<u32>(1, 64), hide_default_value = true)]
    pub(super) clients: u32,

    /// Only listen: no client that reads nothing, no resuming, no wrong positions
    #[arg(long)]
    pub(super) gentle: bool,

    /// Check the [expect] table of this scenario file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) expect: Option<PathBuf>,

    /// Check only this rule; repeat the flag for several
    #[arg(long, value_name = "RULE", value_parser = rule_names(), help_heading = "Rules")]
    pub(super) rule: Vec<String>,

    /// Do not check this rule; repeat the flag for several
    #[arg(
        long,
        value_name = "RULE",
        value_parser = rule_names(),
        hide_possible_values = true,
        help_heading = "Rules"
    )]
    pub(super) skip: Vec<String>,

    /// Format of the result on stdout [default: pretty]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub(super) format: Option<Kind>,

    /// Also write the result to a file, as in junit=report.xml; repeat the flag for several, or write
    /// junit=report.xml,sarif=report.sarif. The kinds are those of --format; the file - is stdout. A file with content is never
    /// overwritten
    #[arg(long, value_name = "KIND=FILE", add = complete::reports(), help_heading = "Output")]
    pub(super) report: Vec<ReportsTo>,

    /// Keep the transcripts of everything that was received in this folder [default: only those that fail, in a new
    /// temporary folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(super) transcripts: Option<PathBuf>,

    /// Print the rules, their limits and an example of each, and exit; with --format json for programs
    #[arg(
        long,
        conflicts_with_all = [
            "files", "url", "cacert", "token_file", "timeout", "real_time", "speed", "limit", "clients", "gentle",
            "expect", "report", "transcripts", "timeline", "set",
        ],
        help_heading = "Rules"
    )]
    pub(super) list: bool,

    /// Check again whenever a scenario or recording changes, until Ctrl-C
    #[arg(long, conflicts_with_all = ["url", "sse", "list", "timeline", "report", "format"])]
    pub(super) watch: bool,

    /// Print the plan that a scenario compiles to, and exit
    #[arg(
        long,
        value_name = "FILE|NAME",
        num_args = 0..=1,
        conflicts_with_all = [
            "url", "cacert", "token_file", "timeout", "real_time", "speed", "limit", "clients", "gentle",
            "expect", "report", "transcripts", "rule", "skip", "format",
        ],
        value_hint = ValueHint::FilePath
    )]
    pub(super) timeline: Option<Vec<PathBuf>>,
}

/// Checks that a text is a URL of a WebSocket, of ours or of another program, or those of several of ours.
fn socket_url(text: &str) -> Result<String, EndpointsError> {
    match text.parse::<Endpoints>() {
        Err(error) if Endpoint::exact(text).is_err() => Err(error),
        _ => Ok(text.to_owned()),
    }
}

/// Checks that a text is the URL of an event stream, or those of several.
fn event_url(text: &str) -> Result<String, EndpointsError> {
    // The URL of another program may have commas.
    match Endpoint::events(text, true) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => match Endpoints::read(text, |url| Endpoint::events(url, false)) {
            Err(several) if text.contains(',') => Err(several),
            Err(_) => Err(error.into()),
            Ok(_) => Ok(text.to_owned()),
        },
    }
}

/// Checks that a limit can be set.
fn limit(text: &str) -> Result<String, String> {
    Limits::default().set(text).map(|()| text.to_owned())
}

/// The names of all rules.
fn rule_names() -> PossibleValuesParser {
    RULES.iter().map(|rule| rule.name).collect::<Vec<_>>().into()
}
