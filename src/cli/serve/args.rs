//! The flags of `serve`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::ValueHint;

use super::journal::JournalArgs;
use super::limits::LimitArgs;
use super::tls::TlsArgs;
use crate::cli::complete;
use crate::cli::duration::at_least_100ms;
use crate::cli::log::LogFormat;
use crate::cli::numbers::{LARGEST, address, whole};
use crate::cli::remote::DEFAULT_PORT;
use crate::player::Speed;
use crate::scenario::Micros;
use crate::server::{BasePath, Options, Origin, Peer};

/// Run a server that plays incidents and streams them
///
/// The dashboard is at http://HOST:PORT/, the stream at ws://HOST:PORT/ws, and as Server-Sent Events at
/// http://HOST:PORT/events. Ctrl-C stops the server; open incidents continue at the next start.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident serve --open --trigger database-outage    Start an incident and open the dashboard
  incident serve --replay run.ndjson --speed 10      Replay a recording ten times faster
  incident serve --bind 0.0.0.0 --token-file tokens --tls-cert cert.pem --tls-key key.pem")]
pub(in crate::cli) struct Serve {
    /// Scenario file, or folder with scenario files; a file with mistakes is reported, and the others are served
    /// [default: scenarios/ if it has any, else the built-in scenarios]
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(super) scenarios: Option<PathBuf>,

    /// Start this scenario at once; repeat the flag for several
    #[arg(long, value_name = "SCENARIO", add = complete::here())]
    pub(super) trigger: Vec<String>,

    /// Replay a recording, made with `incident watch --record`, as if it happened now. The replay is kept in the
    /// journal: after a restart with the same flags it continues where it stopped
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) replay: Option<PathBuf>,

    /// Play this many times faster than the scenario says or the recording was
    #[arg(long, default_value_t = Options::default().speed, value_name = "FACTOR")]
    pub(super) speed: Speed,

    /// Seed of noise and failures for all incidents, instead of the seed in each scenario
    #[arg(long, value_name = "NUMBER", value_parser = whole::<u64>(0, LARGEST))]
    pub(super) seed: Option<u64>,

    /// Take alerts of Alertmanager, Grafana and PagerDuty's clients as this file says, at /hooks/KIND/NAME. The file and
    /// the secrets that it names are read again when they change
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) receivers: Option<PathBuf>,

    /// Post the alerts of drills to the Alertmanagers in this file, with the label synthetic="true". The file and the
    /// secrets that it names are read again when they change
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) sinks: Option<PathBuf>,

    /// Open the dashboard in the browser
    #[arg(long)]
    pub(super) open: bool,

    /// Serve the dashboard from this folder instead of the built-in files, for development
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) dashboard: Option<PathBuf>,

    /// Address to listen on
    #[arg(long, default_value_t = Options::default().bind.ip(), value_name = "IP", value_parser = address, help_heading = "Network")]
    pub(super) bind: IpAddr,

    /// Port to listen on; 0 takes any free port
    #[arg(short, long, default_value_t = DEFAULT_PORT, value_name = "PORT", value_parser = whole::<u16>(0, 65_535), help_heading = "Network")]
    pub(super) port: u16,

    /// Path below which a proxy publishes the server, as in /incident. The proxy may remove it from requests or not
    #[arg(long, value_name = "PATH", help_heading = "Network")]
    pub(super) base_path: Option<BasePath>,

    /// Time between two heartbeats to a client
    #[arg(
        long,
        default_value_t = Options::default().heartbeat.into(),
        value_name = "DURATION",
        value_parser = at_least_100ms,
        help_heading = "Network"
    )]
    pub(super) heartbeat: Micros,

    /// The longest time that stopping may take: clients are disconnected over this time, not all at once
    #[arg(
        long,
        default_value_t = Options::default().drain.into(),
        value_name = "DURATION",
        help_heading = "Network"
    )]
    pub(super) drain: Micros,

    #[command(flatten)]
    pub(super) journal: JournalArgs,

    /// Require one of the tokens in this file from every client. The file has one `read TOKEN`, `publish TOKEN` or
    /// `write TOKEN` per line, and is read again when it changes [default: the variables `INCIDENT_TOKEN` (write) and
    /// `INCIDENT_READ_TOKEN`]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Access")]
    pub(super) token_file: Option<PathBuf>,

    /// Allow an address in --bind that other machines can reach, though there are no tokens: every machine that reaches
    /// it can start incidents
    #[arg(long, help_heading = "Access")]
    pub(super) allow_remote: bool,

    /// Allow pages of this origin to connect and to start incidents; repeat the flag for several
    #[arg(long, value_name = "ORIGIN", help_heading = "Access")]
    pub(super) allow_origin: Vec<Origin>,

    /// Tell pages the addresses of the servers with the same stream, as browsers reach them: a page goes on with the next one when
    /// its own is away. Pages of these origins may connect, start incidents and read. The list may have this server in it, so
    /// that all servers can have the same. Only with a journal that servers share, --journal nats://…
    #[arg(long, value_name = "URL[,URL…]", value_delimiter = ',', value_hint = ValueHint::Url, help_heading = "Access")]
    pub(super) peers: Vec<Peer>,

    /// Take the base path from the X-Forwarded-Prefix of each request. Only behind a proxy that sets or removes this
    /// header
    #[arg(long, help_heading = "Access")]
    pub(super) allow_forwarded_prefix: bool,

    #[command(flatten)]
    pub(super) tls: TlsArgs,

    #[command(flatten)]
    pub(super) limits: LimitArgs,

    /// Print one JSON object with the server's URLs on stdout when it is ready, instead of the banner
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// Format of the log on stderr; with `json` the banner is a line of the log
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Output")]
    pub(in crate::cli) log_format: LogFormat,
}
